//! What a person wants to know before anything runs: who we are, and what the manifest's identities can read. Nothing is written.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use landfall_engine::control::Permissions;
use landfall_engine::permissions::Errand;
use landfall_model::manifest::AzureCloud;
use serde::Deserialize;

use crate::client::service::{GROUPS, SUBSCRIPTIONS};
use crate::client::{Azure, Client};
use crate::directory::group_path;
use crate::error::{CallError, tidy};
use crate::identity::Who;

/// What it calls, beside asking who it is.
pub(crate) const ERRAND: Errand = Errand {
    name: "doctor",
    needs: Permissions {
        read: &[
            "Microsoft.Management/managementGroups/read",
            "Microsoft.Management/managementGroups/settings/read",
            "Microsoft.Resources/subscriptions/read",
        ],
        write: &[],
    },
};

/// Which of the manifest's two identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The one that plans are made with.
    Read,
    /// The one that changes are made with.
    Write,
}

/// Who a token says that we are. It is shown and not relied on: nobody checks its signature but Azure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Caller {
    /// The directory that the token is of.
    #[serde(rename = "tid")]
    pub directory: Option<String>,
    /// The object id, by which `identities.principals` and role assignments name us.
    #[serde(rename = "oid")]
    pub object: Option<String>,
    /// The client id of the application or managed identity.
    #[serde(rename = "appid", alias = "azp")]
    pub application: Option<String>,
    /// The name that a person signs in with.
    #[serde(rename = "upn", alias = "unique_name")]
    pub name: Option<String>,
}

/// A management group, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// What people read.
    pub name: String,
}

/// What holds for all management groups of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hierarchy {
    /// The id of the group that new subscriptions are born in; nothing where it is the directory's own.
    pub birthplace: Option<String>,
    /// Whether making a group takes a right of its own.
    pub guarded: bool,
}

/// A subscription, as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// What people read.
    #[serde(default)]
    pub display_name: String,
    /// `Enabled`, or why nothing can be written.
    #[serde(default)]
    pub state: String,
    /// The directory it belongs to.
    #[serde(default)]
    pub tenant_id: String,
}

/// Who one of the identities is, by its own token; nothing where the token does not say.
pub async fn whoami(azure: &Azure, ground: &AzureCloud, way: Way) -> Result<Option<Caller>, CallError> {
    let scope = format!("{}/.default", azure.cloud().resource_manager());
    let token = azure
        .credential(&who(ground, way))?
        .get_token(&[&scope], None)
        .await
        .map_err(|error| CallError::NoCredentials { source: error.into() })?;
    Ok(claims(token.token.secret()))
}

/// The directory's own group: whoever reads it, reads the whole tree.
pub async fn directory(azure: &Azure, ground: &AzureCloud) -> Result<Group, CallError> {
    group(&client(azure, ground, Way::Read)?, &ground.directory).await
}

/// The group that the manifest's units stand below; nothing where it is still to be made.
pub async fn root(azure: &Azure, ground: &AzureCloud) -> Result<Option<Group>, CallError> {
    present(group(&client(azure, ground, Way::Read)?, &ground.root).await)
}

/// The settings of the hierarchy; nothing where nobody has set any.
pub async fn hierarchy(azure: &Azure, ground: &AzureCloud) -> Result<Option<Hierarchy>, CallError> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        properties: Settings,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Settings {
        default_management_group: Option<String>,
        require_authorization_for_group_creation: Option<bool>,
    }
    let path = format!("{}/settings/default", group_path(&ground.directory));
    let client = client(azure, ground, Way::Read)?;
    let Some(reply) = present(client.get(&GROUPS, &path).await)? else { return Ok(None) };
    let Answer { properties } = reply.json()?;
    let Settings { default_management_group: group, require_authorization_for_group_creation: guarded } =
        properties;
    let birthplace = group.and_then(|group| group.rsplit('/').next().map(tidy)).filter(|id| !id.is_empty());
    Ok(Some(Hierarchy { birthplace, guarded: guarded.unwrap_or_default() }))
}

/// A subscription, as one of the identities sees it.
pub async fn subscription(
    azure: &Azure,
    ground: &AzureCloud,
    id: &str,
    way: Way,
) -> Result<Subscription, CallError> {
    client(azure, ground, way)?.get(&SUBSCRIPTIONS, &format!("/subscriptions/{id}")).await?.json()
}

async fn group(client: &Client, id: &str) -> Result<Group, CallError> {
    #[derive(Deserialize)]
    struct Answer {
        name: String,
        #[serde(default)]
        properties: Named,
    }
    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Named {
        display_name: Option<String>,
    }
    let Answer { name, properties } = client.get(&GROUPS, &group_path(id)).await?.json()?;
    Ok(Group { id: tidy(&name), name: tidy(&properties.display_name.unwrap_or_default()) })
}

fn present<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn client(azure: &Azure, ground: &AzureCloud, way: Way) -> Result<Client, CallError> {
    Ok(azure.client(&who(ground, way))?)
}

fn who(ground: &AzureCloud, way: Way) -> Who {
    match way {
        Way::Read => Who::Read(ground.identities.read.clone()),
        Way::Write => Who::Write(ground.identities.write.clone()),
    }
}

/// The second part of a token, <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>. What it does not
/// say in this form is not shown: a token is a secret.
fn claims(token: &str) -> Option<Caller> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let Caller { directory, object, application, name } = serde_json::from_slice(&payload).ok()?;
    let clean = |text: Option<String>| text.map(|text| tidy(&text));
    Some(Caller {
        directory: clean(directory),
        object: clean(object),
        application: clean(application),
        name: clean(name),
    })
}

#[cfg(test)]
mod tests {
    use landfall_model::manifest::{AzureIdentities, Manage};
    use landfall_simulator::azure::{AzureOptions, AzureSimulator, CONTROLLER_SUBSCRIPTION, DIRECTORY};
    use serde_json::{Value, json};

    use super::*;

    fn ground() -> AzureCloud {
        AzureCloud {
            directory: DIRECTORY.to_owned(),
            root: "acme".to_owned(),
            locations: Vec::new(),
            controller_subscription: None,
            quarantine: "acme-quarantine".to_owned(),
            identities: AzureIdentities::default(),
            manage: Manage::Full,
        }
    }

    fn token(claims: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    #[test]
    fn a_token_says_who_we_are_and_is_never_shown_itself() {
        let person = json!({"tid": "t", "oid": "o", "appid": "a", "upn": "ada@acme.example", "scp": "x"});
        let caller = |directory: &str, object: &str, application: Option<&str>, name: Option<&str>| Caller {
            directory: Some(directory.to_owned()),
            object: Some(object.to_owned()),
            application: application.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        assert_eq!(claims(&token(&person)), Some(caller("t", "o", Some("a"), Some("ada@acme.example"))));
        let identity = json!({"tid": "t", "oid": "o\u{1b}[31m", "azp": "a"});
        assert_eq!(claims(&token(&identity)).unwrap().application, Some("a".to_owned()));
        assert!(!claims(&token(&identity)).unwrap().object.unwrap().contains('\u{1b}'));
        for other in ["", "secret", "a.b.c", "a.!.c", "landfall-read", &token(&json!([1]))] {
            assert_eq!(claims(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn what_can_be_read_is_read_and_nothing_is_written() {
        let simulator =
            AzureSimulator::start(AzureOptions { subscriptions: 1, ..AzureOptions::default() }).unwrap();
        let azure = Azure::loopback(&simulator.url()).unwrap();
        let ground = ground();
        assert_eq!(directory(&azure, &ground).await.unwrap().id, DIRECTORY);
        assert_eq!(root(&azure, &ground).await.unwrap().unwrap().id, "acme");
        let missing = AzureCloud { root: "other".to_owned(), ..ground.clone() };
        assert_eq!(root(&azure, &missing).await.unwrap(), None);
        assert_eq!(hierarchy(&azure, &ground).await.unwrap(), None);
        for way in [Way::Read, Way::Write] {
            let seen = subscription(&azure, &ground, CONTROLLER_SUBSCRIPTION, way).await.unwrap();
            assert_eq!((seen.state.as_str(), seen.tenant_id.as_str()), ("Enabled", DIRECTORY));
            assert_eq!(whoami(&azure, &ground, way).await.unwrap(), None);
        }
        let error = subscription(&azure, &ground, "3f2c0000-0000-4000-8000-000000000099", Way::Read).await;
        assert!(error.unwrap_err().is_not_found());
        assert!(simulator.calls().iter().all(|call| call.method == "GET"), "{:?}", simulator.calls());
    }

    #[tokio::test]
    async fn the_birthplace_of_subscriptions_is_told() {
        let simulator = AzureSimulator::start(AzureOptions::default()).unwrap();
        let azure = Azure::loopback(&simulator.url()).unwrap();
        let writer = client(&azure, &ground(), Way::Write).unwrap();
        let path = format!("{}/settings/default", group_path(DIRECTORY));
        let body = json!({"properties": {
            "defaultManagementGroup": group_path("acme"), "requireAuthorizationForGroupCreation": true,
        }});
        writer.put(&GROUPS, &path, &body).await.unwrap();
        let expected = Hierarchy { birthplace: Some("acme".to_owned()), guarded: true };
        assert_eq!(hierarchy(&azure, &ground()).await.unwrap(), Some(expected));
    }
}
