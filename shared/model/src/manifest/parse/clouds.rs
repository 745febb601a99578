//! The cloud organizations.

use std::collections::BTreeMap;

use super::draft::{Draft, What};
use super::fields::{self, Fields, entries, native_id, set, word};
use super::is_uuid;
use super::problems::{Problem, Problems};
use crate::diagnostic::code;
use crate::id::{Name, Provider, Region, TenantId};
use crate::manifest::yaml::{Key, Node, quote};
use crate::manifest::{
    AwsCloud, AwsRoles, AzureCloud, AzureIdentities, Cloud, GcpCloud, GcpIdentities, Manage,
};

/// The other keys of a tenant: a cloud of this name could not be told from them.
pub(super) const TENANT_KEYS: [&str; 4] = ["environment", "landing-zone", "unit", "with"];

const PROVIDERS: &[(&str, Provider)] =
    &[("aws", Provider::Aws), ("azure", Provider::Azure), ("gcp", Provider::Gcp)];

/// Parses the clouds that are managed first: one that is only observed is governed like them where it does not say.
pub(super) fn parse(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    let mut later = Vec::new();
    let mut managed = Vec::new();
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::Cloud, key, problems) else { continue };
            if TENANT_KEYS.contains(&name.as_str()) {
                let message = format!("`{name}` can't be a cloud's name: it is a key of tenants");
                problems.add(Problem::new(code::BAD_NAME, key.at, message));
            }
            let mut fields = Fields::of(node, problems);
            let Some(provider) = provider(key, &mut fields, problems) else { continue };
            draft.providers.insert(name.clone(), provider);
            let words = [("full", Manage::Full), ("observe", Manage::Observe)];
            let manage = match fields.take("manage") {
                Some(node) => word(node, &words, problems),
                None => Some(Manage::Full),
            };
            match manage {
                Some(Manage::Full) => {
                    managed.push(provider);
                    cloud(name, provider, Manage::Full, None, fields, draft, problems);
                }
                Some(Manage::Observe) => later.push((name, provider, fields)),
                None => {
                    fields.forgive();
                    later.push((name, provider, fields));
                }
            }
        }
    }
    for (name, provider, mut fields) in later {
        let alike = only(&draft.manifest.clouds, provider).cloned();
        if alike.is_none() && managed.iter().filter(|other| **other == provider).count() == 1 {
            // The managed one has an error of its own; what it says can't be taken over, nor be missed.
            fields.forgive();
        }
        cloud(name, provider, Manage::Observe, alike.as_ref(), fields, draft, problems);
    }
}

/// The provider is the cloud's name unless said.
fn provider(key: &Key, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Provider> {
    if let Some(node) = fields.take("provider") {
        return word(node, PROVIDERS, problems);
    }
    let provider = PROVIDERS.iter().find(|(word, _)| *word == key.text).map(|(_, provider)| *provider);
    if provider.is_none() && !fields.broken() {
        let message = format!("`provider` is missing: {} is not the name of one", quote(&key.text));
        problems.add(
            Problem::new(code::MISSING_KEY, key.at, message).help("add `provider: aws`, `azure` or `gcp`"),
        );
    }
    provider
}

fn cloud(
    name: Name,
    provider: Provider,
    manage: Manage,
    alike: Option<&Cloud>,
    mut fields: Fields<'_>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let cloud = match provider {
        Provider::Aws => aws(&mut fields, manage, alike, problems).map(Cloud::Aws),
        Provider::Azure => azure(&mut fields, manage, alike, problems).map(Cloud::Azure),
        Provider::Gcp => gcp(&mut fields, manage, alike, problems).map(Cloud::Gcp),
    };
    fields.end(problems);
    if let Some(cloud) = cloud {
        draft.manifest.clouds.insert(name, cloud);
    }
}

/// The one managed cloud of a provider.
fn only(clouds: &BTreeMap<Name, Cloud>, provider: Provider) -> Option<&Cloud> {
    let mut managed =
        clouds.values().filter(|cloud| cloud.provider() == provider && cloud.manage() == Manage::Full);
    match (managed.next(), managed.next()) {
        (Some(cloud), None) => Some(cloud),
        (_, Some(_)) | (None, None) => None,
    }
}

fn aws(
    fields: &mut Fields<'_>,
    manage: Manage,
    alike: Option<&Cloud>,
    problems: &mut Problems,
) -> Option<AwsCloud> {
    let alike = match alike {
        Some(Cloud::Aws(cloud)) => Some(cloud),
        Some(Cloud::Azure(_) | Cloud::Gcp(_)) | None => None,
    };
    let organization = fields.need("organization", problems).and_then(|node| {
        native_id(node, "the id of an AWS organization, such as `o-a1b2c3d4e5`", problems, |text| {
            text.strip_prefix("o-").is_some_and(|id| (10..=32).contains(&id.len()) && is_lower(id))
        })
    });
    let management_account =
        fields.need("management-account", problems).and_then(|node| account(node, problems));
    let controller_account = match fields.take("controller-account") {
        Some(node) => account(node, problems),
        None => management_account.clone(),
    };
    let home_region = match (fields.take("home-region"), alike) {
        (Some(node), _) => fields::parsed(node, code::WRONG_VALUE, problems),
        (None, Some(alike)) => Some(alike.home_region.clone()),
        (None, None) => fields.need("home-region", problems).and(None),
    };
    let regions = regions("regions", fields, alike.map(|alike| &alike.regions), problems);
    let roles = match (fields.take("roles"), alike) {
        (Some(node), _) => roles(node, problems),
        (None, Some(alike)) => Some(alike.roles.clone()),
        (None, None) => Some(usual_roles()),
    };
    Some(AwsCloud {
        organization: organization?,
        management_account: management_account?,
        controller_account: controller_account?,
        home_region: home_region?,
        regions: regions?,
        roles: roles?,
        manage,
    })
}

fn account(node: &Node, problems: &mut Problems) -> Option<String> {
    native_id(node, "an AWS account id of 12 digits", problems, |text| {
        text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The roles that our own templates make, and those that AWS itself makes to set up accounts.
fn usual_roles() -> AwsRoles {
    AwsRoles {
        read: "landfall-read".to_owned(),
        write: "landfall-write".to_owned(),
        controller: None,
        external_id: None,
        bootstrap: vec!["AWSControlTowerExecution".to_owned(), "OrganizationAccountAccessRole".to_owned()],
    }
}

fn roles(node: &Node, problems: &mut Problems) -> Option<AwsRoles> {
    let usual = usual_roles();
    let mut fields = Fields::of(node, problems);
    let mut said = |key, unsaid| match fields.take(key) {
        Some(node) => role(node, problems),
        None => Some(unsaid),
    };
    let (read, write) = (said("read", usual.read), said("write", usual.write));
    let controller = match fields.take("controller") {
        Some(node) => role(node, problems).map(Some),
        None => Some(None),
    };
    let external_id = match fields.take("external-id") {
        Some(node) => Some(Some(fields::id(node, problems)?.to_owned())),
        None => Some(None),
    };
    let bootstrap = match fields.take("bootstrap") {
        Some(node) => set(node, "a list of role names", problems, role),
        None => Some(usual.bootstrap),
    };
    if let (Some(same), true) = (&read, read == write) {
        let message = format!("`read` and `write` are both `{same}`");
        problems.add(
            Problem::new(code::WRONG_VALUE, fields.at(), message)
                .help("plans are made with a role that can only read: give two roles"),
        );
    }
    fields.end(problems);
    Some(AwsRoles {
        read: read?,
        write: write?,
        controller: controller?,
        external_id: external_id?,
        bootstrap: bootstrap?,
    })
}

fn role(node: &Node, problems: &mut Problems) -> Option<String> {
    native_id(node, "the name of an IAM role", problems, |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    })
}

fn azure(
    fields: &mut Fields<'_>,
    manage: Manage,
    alike: Option<&Cloud>,
    problems: &mut Problems,
) -> Option<AzureCloud> {
    let alike = match alike {
        Some(Cloud::Azure(cloud)) => Some(&cloud.locations),
        Some(Cloud::Aws(_) | Cloud::Gcp(_)) | None => None,
    };
    let directory = fields.need("directory", problems).and_then(|node| {
        native_id(node, "the id of an Azure directory, a UUID in lower case", problems, is_uuid)
    });
    let root = fields.need("root", problems).and_then(|node| {
        native_id(node, "the id of a management group", problems, super::units::is_management_group)
    });
    let locations = regions("locations", fields, alike, problems);
    let controller_subscription = match fields.take("controller-subscription") {
        Some(node) => Some(Some(uuid(node, "the id of a subscription, a UUID in lower case", problems)?)),
        None => Some(None),
    };
    let quarantine = match fields.take("quarantine") {
        Some(node) => {
            native_id(node, "the id of a management group", problems, super::units::is_management_group)
        }
        None => root.as_ref().map(|root| format!("{root}-quarantine")),
    };
    if let Some(same) =
        quarantine.as_ref().filter(|id| root.as_ref() == Some(id) || directory.as_ref() == Some(id))
    {
        let message = format!("`quarantine` is `{same}`, the group that holds all others");
        problems.add(
            Problem::new(code::WRONG_VALUE, fields.at(), message)
                .help("who stands in the quarantine group can make nothing: give it a group of its own"),
        );
    }
    let identities = match fields.take("identities") {
        Some(node) => identities(node, problems),
        None => Some(AzureIdentities::default()),
    };
    Some(AzureCloud {
        directory: directory?,
        root: root?,
        locations: locations?,
        controller_subscription: controller_subscription?,
        quarantine: quarantine?,
        identities: identities?,
        manage,
    })
}

fn uuid(node: &Node, what: &'static str, problems: &mut Problems) -> Option<String> {
    native_id(node, what, problems, is_uuid)
}

fn identities(node: &Node, problems: &mut Problems) -> Option<AzureIdentities> {
    const CLIENT: &str = "the client id of a managed identity, a UUID in lower case";
    let mut fields = Fields::of(node, problems);
    let mut client = |key| match fields.take(key) {
        Some(node) => uuid(node, CLIENT, problems).map(Some),
        None => Some(None),
    };
    let (read, write) = (client("read"), client("write"));
    let principals = match fields.take("principals") {
        Some(node) => set(node, "a list of object ids", problems, |node, problems| {
            uuid(node, "the object id of a principal, a UUID in lower case", problems)
        }),
        None => Some(Vec::new()),
    };
    if let (Some(Some(same)), true) = (&read, read == write) {
        let message = format!("`read` and `write` are both `{same}`");
        problems.add(
            Problem::new(code::WRONG_VALUE, fields.at(), message)
                .help("plans are made with an identity that can only read: give two identities"),
        );
    }
    fields.end(problems);
    Some(AzureIdentities { read: read?, write: write?, principals: principals? })
}

fn gcp(
    fields: &mut Fields<'_>,
    manage: Manage,
    alike: Option<&Cloud>,
    problems: &mut Problems,
) -> Option<GcpCloud> {
    let alike = match alike {
        Some(Cloud::Gcp(cloud)) => Some(&cloud.locations),
        Some(Cloud::Aws(_) | Cloud::Azure(_)) | None => None,
    };
    let organization = fields.need("organization", problems).and_then(|node| {
        native_id(node, "the number of a Google Cloud organization", problems, |text| {
            text.bytes().all(|b| b.is_ascii_digit())
        })
    });
    let locations = regions("locations", fields, alike, problems);
    let customer = match fields.take("customer") {
        Some(node) => native_id(node, "a customer id such as `C0abc12de`", problems, |text| {
            text.strip_prefix('C')
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
        })
        .map(Some),
        None => Some(None),
    };
    let controller_project = match fields.take("controller-project") {
        Some(node) => native_id(node, "the id of a project such as `acme-landfall`", problems, |text| {
            TenantId::new(Provider::Gcp, text).is_ok()
        })
        .map(Some),
        None => Some(None),
    };
    let identities = match fields.take("identities") {
        Some(node) => gcp_identities(node, problems),
        None => Some(GcpIdentities::default()),
    };
    let mut billing_accounts = BTreeMap::new();
    for (key, node) in
        fields.take("billing-accounts").and_then(|node| entries(node, problems)).unwrap_or_default()
    {
        let name = fields::name(&key.text, key.at, problems);
        let id = native_id(node, "a billing account such as `01AB23-45CD67-89EF01`", problems, |text| {
            let digit = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
            text.split('-').count() == 3
                && text.split('-').all(|part| part.len() == 6 && part.bytes().all(digit))
        });
        if let (Some(name), Some(id)) = (name, id) {
            billing_accounts.insert(name, id);
        }
    }
    Some(GcpCloud {
        organization: organization?,
        locations: locations?,
        customer: customer?,
        billing_accounts,
        controller_project: controller_project?,
        identities: identities?,
        manage,
    })
}

fn gcp_identities(node: &Node, problems: &mut Problems) -> Option<GcpIdentities> {
    const ACCOUNT: &str = "a service account such as `landfall-read@acme-landfall.iam.gserviceaccount.com`";
    let mut fields = Fields::of(node, problems);
    let mut account = |key| match fields.take(key) {
        Some(node) => native_id(node, ACCOUNT, problems, is_service_account).map(Some),
        None => Some(None),
    };
    let (read, write) = (account("read"), account("write"));
    let bootstrap = match fields.take("bootstrap") {
        Some(node) => set(node, "a list of principals", problems, super::organization::gcp_principal),
        None => Some(Vec::new()),
    };
    if let (Some(Some(same)), true) = (&read, read == write) {
        let message = format!("`read` and `write` are both `{same}`");
        problems.add(
            Problem::new(code::WRONG_VALUE, fields.at(), message)
                .help("plans are made with an account that can only read: give two service accounts"),
        );
    }
    fields.end(problems);
    Some(GcpIdentities { read: read?, write: write?, bootstrap: bootstrap? })
}

/// `name@project.iam.gserviceaccount.com`: the ones that people make.
fn is_service_account(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
    };
    text.strip_suffix(".iam.gserviceaccount.com")
        .and_then(|text| text.split_once('@'))
        .is_some_and(|(name, project)| part(name) && part(project))
}

/// The regions or locations that are governed; none at all would mean that nothing is looked at.
fn regions(
    key: &'static str,
    fields: &mut Fields<'_>,
    alike: Option<&Vec<Region>>,
    problems: &mut Problems,
) -> Option<Vec<Region>> {
    let node = match (fields.take(key), alike) {
        (Some(node), _) => node,
        (None, Some(alike)) => return Some(alike.clone()),
        (None, None) => fields.need(key, problems)?,
    };
    let regions = set(node, &format!("a list of {key}"), problems, |node, problems| {
        fields::parsed(node, code::WRONG_VALUE, problems)
    })?;
    if regions.is_empty() && fields::items(node, "", problems).is_some_and(<[Node]>::is_empty) {
        problems.add(
            Problem::new(code::EMPTY, node.at, format!("`{key}` is empty"))
                .help("name those that are used; what is not named is not looked at"),
        );
    }
    Some(regions)
}

fn is_lower(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use crate::manifest::{AwsRoles, Cloud, Source, parse};

    /// The roles of a cloud that says this of them, or what is told.
    fn roles(said: &str) -> Result<AwsRoles, String> {
        let text = format!(
            "landfall: 1\norganization: acme\nclouds:\n  aws: {{ organization: o-a1b2c3d4e5, \
             management-account: \"111111111111\", home-region: eu-west-1, regions: [eu-west-1]{said} }}\n"
        );
        let source = Source { name: "acme.yaml".to_owned(), text };
        let parsed = parse::parse(&[source], "2026-11-21".parse().unwrap());
        let Some(manifest) = parsed.manifest else {
            return Err(parsed.diagnostics.iter().map(ToString::to_string).collect());
        };
        match manifest.clouds.into_values().next() {
            Some(Cloud::Aws(cloud)) => Ok(cloud.roles),
            other => panic!("not AWS: {other:?}"),
        }
    }

    #[test]
    fn the_function_s_own_role_is_named_or_nobody() {
        let silent = roles("").unwrap();
        assert_eq!(silent.controller, None);
        let json = serde_json::to_value(&silent).unwrap();
        assert!(json.get("controller").is_none(), "a manifest that says nothing of it stays as it was");
        assert_eq!(serde_json::from_value::<AwsRoles>(json).unwrap(), silent);
        let said = roles(", roles: { controller: landfall-function }").unwrap();
        assert_eq!(said, AwsRoles { controller: Some("landfall-function".to_owned()), ..silent });
        for wrong in ["role/landfall-function", "landfall-*"] {
            let told = roles(&format!(", roles: {{ controller: {wrong:?} }}")).unwrap_err();
            assert!(told.contains("is not the name of an IAM role"), "{told}");
        }
    }
}
