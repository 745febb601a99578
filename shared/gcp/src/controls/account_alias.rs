//! `account-alias` on Google Cloud: the project's display name. There is no alias for signing in; the name is what people see and
//! choose by, beside an id that never changes.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::account_alias::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Gcp, json, reported, seen};
use crate::client::service::RESOURCES;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// How many characters a display name has: <https://cloud.google.com/resource-manager/reference/rest/v3/projects>, `displayName`.
const LENGTH: std::ops::RangeInclusive<usize> = 4..=30;

pub(super) struct AccountAlias;

/// The name, as Google shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    #[serde(default, deserialize_with = "super::or_default")]
    display_name: String,
}

/// Why Google would not take a name: "between 4 to 30 characters. Allowed characters are: lowercase and uppercase letters, numbers,
/// hyphen, single-quote, double-quote, space, and exclamation point".
fn refused(name: &str) -> Option<String> {
    let long = name.chars().count();
    if !LENGTH.contains(&long) {
        let (least, most) = (LENGTH.start(), LENGTH.end());
        return Some(format!("`{name}` has {long} characters, and Google Cloud takes {least} to {most}"));
    }
    let odd = name.chars().find(|letter| !letter.is_ascii_alphanumeric() && !"-'\" !".contains(*letter));
    odd.map(|odd| format!("`{name}` has a `{odd}` in it, which Google Cloud does not take"))
}

#[async_trait]
impl Control for AccountAlias {
    const KIND: ControlKind = ControlKind::AccountAlias;
    const PERMISSIONS: Permissions = Permissions {
        read: &["resourcemanager.projects.get"],
        write: &["resourcemanager.projects.get", "resourcemanager.projects.update"],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        vec![Address::global(Self::KIND, "project")]
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let Session { client, project, .. } = &reader.0;
        let reply = client.get(&RESOURCES, &format!("projects/{project}")).await?;
        let named: Named = reply.json()?;
        Ok(seen(&reply, &named))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let name = change.after.as_ref().and_then(|after| after.get("displayName"));
        writer.change_project("displayName", |_| json!(name)).await?;
        Ok(Value::Null)
    }
}

impl Compare for AccountAlias {
    type There = Named;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Named>,
    ) -> Verdict {
        let Settings { alias } = want;
        let Named { display_name } = there.unwrap_or_default();
        if display_name == *alias {
            return Verdict::Holds;
        }
        let reason = format!("the project's name is `{display_name}`");
        if let Some(why) = refused(alias) {
            return reported(format!("{reason}; {why}"));
        }
        let after = Named { display_name: alias.clone() };
        let mut change = Change::new(address, "rename", Deed::Update, reason).after(json(&after));
        // People choose a project by its name; their scripts go by its id.
        change.loses = desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn named(landscape: Landscape, name: &str) -> Vec<String> {
        landscape.saw("account-alias/project", json!({"displayName": name})).said(&AccountAlias)
    }

    #[test]
    fn a_project_gets_the_name_that_the_rule_makes() {
        let (adopted, new) =
            (|| Landscape::adopted("acme-checkout-prod"), Landscape::new("acme-checkout-prod"));
        assert_eq!(named(adopted(), "acme-checkout-production"), ["holds"]);
        let renamed = "fails: the project's name is `My First Project`\n\
                       ~ baseline account-alias/project#rename {\"displayName\":\"acme-checkout-production\"}";
        assert_eq!(named(new, "My First Project"), [renamed]);
        assert_eq!(named(adopted(), "My First Project"), [format!("{renamed} loses")]);
    }

    #[test]
    fn a_name_that_google_would_not_take_is_not_sent() {
        assert_eq!(refused("Acme's \"first\" one!"), None);
        let long = "x".repeat(31);
        let table = [
            (long.as_str(), "has 31 characters, and Google Cloud takes 4 to 30"),
            ("abc", "has 3 characters, and Google Cloud takes 4 to 30"),
            ("acme_checkout", "has a `_` in it, which Google Cloud does not take"),
        ];
        for (name, why) in table {
            assert_eq!(refused(name), Some(format!("`{name}` {why}")));
        }
        let desired = Landscape::adopted("acme-checkout-prod").desired;
        let want = Settings { alias: long };
        let address = Address::global(ControlKind::AccountAlias, "project");
        let verdict = AccountAlias.compare(&want, &desired, &address, None);
        assert!(matches!(verdict, Verdict::Fails { changes, .. } if changes.is_empty()));
    }
}
