//! `default-service-accounts` on Google Cloud, row G20: what Compute Engine's and App Engine's own accounts hold, and whether they work.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::default_service_accounts::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::iam_policy::{self, Part, same};
use super::{Gcp, absent, seen};
use crate::client::service::{IAM, RESOURCES};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct DefaultServiceAccounts;

/// Compute Engine's, which machines and clusters run as.
const COMPUTE: &str = "compute";
/// App Engine's, which functions of the first generation run as, too.
const APP_ENGINE: &str = "app-engine";

/// The roles that reach the whole project.
const BASIC: [&str; 2] = ["roles/editor", "roles/owner"];

/// One of the accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Account {
    email: String,
    #[serde(deserialize_with = "super::or_default")]
    disabled: bool,
    /// What it holds on the project of the roles that reach all of it.
    roles: BTreeSet<String>,
}

async fn email(session: &Session, resource: &str) -> Result<String, CallError> {
    let Session { project, directory, .. } = session;
    Ok(match resource {
        COMPUTE => {
            format!("{}-compute@developer.gserviceaccount.com", directory.project(project).await?.number())
        }
        _ => format!("{project}@appspot.gserviceaccount.com"),
    })
}

#[async_trait]
impl Control for DefaultServiceAccounts {
    const KIND: ControlKind = ControlKind::DefaultServiceAccounts;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "iam.serviceAccounts.get",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
        ],
        write: &[
            "iam.serviceAccounts.disable",
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.setIamPolicy",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, _: &Settings, _: &Desired) -> Vec<Address> {
        [APP_ENGINE, COMPUTE].map(|resource| Address::global(Self::KIND, resource)).to_vec()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let email = email(session, &at.resource).await?;
        let path = format!("projects/{}/serviceAccounts/{email}", session.project);
        let mut account: Account = match session.client.get(&IAM, &path).await {
            Ok(reply) => reply.json()?,
            Err(error) if error.is_not_found() => return Ok(absent(&error)),
            Err(error) => return Err(error),
        };
        let (reply, policy) = iam_policy::read(&session.client, &RESOURCES, &session.scope()).await?;
        let member = format!("serviceAccount:{email}");
        let held = policy
            .holdings()
            .filter(|held| !held.conditional && BASIC.contains(&held.role) && same(held.member, &member));
        account.roles = held.map(|held| held.role.to_owned()).collect();
        Ok(seen(&reply, &account))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let email = change.with.as_ref().and_then(|with| with.get("email")).and_then(Value::as_str);
        // INVARIANT: the changes are ours, and each names the account.
        let Some(email) = email else { return Err(CallError::NothingToWrite(Self::KIND)) };
        if change.verb == "disable" {
            let path = format!("projects/{}/serviceAccounts/{email}:disable", session.project);
            session.client.post(&IAM, &path, &json!({})).await?;
        } else {
            let member = format!("serviceAccount:{email}");
            // Each of them is taken, whether or not another one was.
            let edit = |policy: &mut iam_policy::Policy| {
                BASIC.map(|role| policy.take(role, &member)).contains(&true)
            };
            iam_policy::change(&session.client, &RESOURCES, &session.scope(), Part::Bindings, edit).await?;
        }
        Ok(Value::Null)
    }
}

impl Compare for DefaultServiceAccounts {
    type There = Account;

    fn compare(
        &self,
        want: &Settings,
        desired: &Desired,
        address: &Address,
        there: Option<Account>,
    ) -> Verdict {
        let Some(Account { email, disabled, roles }) = there else {
            return Verdict::NotApplicable { why: "the project has no such account".to_owned() };
        };
        let mut changes = Vec::new();
        if !roles.is_empty() {
            let held: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
            let why = format!("`{email}` holds {} on the whole project", held.join(" and "));
            let none: [&str; 0] = [];
            changes
                .push(Change::new(address, "deprivilege", Deed::Update, why).after(json!({"roles": none})));
        }
        if want.disable && !disabled {
            let why = format!("`{email}` is not disabled");
            changes.push(Change::new(address, "disable", Deed::Update, why).after(json!({"disabled": true})));
        }
        if changes.is_empty() {
            return Verdict::Holds;
        }
        for change in &mut changes {
            change.with = Some(json!({"email": email}));
            // What runs there may live from it.
            change.loses = desired.standing == Standing::Adopted;
        }
        let why = changes.iter().map(|change| change.reason.as_str()).collect::<Vec<_>>().join("; ");
        Verdict::Fails { why, changes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const EMAIL: &str = "415104041262-compute@developer.gserviceaccount.com";

    fn said(standing: Standing, disable: bool, there: Value) -> String {
        let mut landscape = Landscape::adopted("acme-checkout-prod");
        landscape.desired.standing = standing;
        let landscape = landscape.asks(ControlKind::DefaultServiceAccounts, json!({"disable": disable}));
        let landscape = landscape.saw_nothing("default-service-accounts/app-engine");
        landscape.saw("default-service-accounts/compute", there).said(&DefaultServiceAccounts).remove(1)
    }

    #[test]
    fn an_account_that_holds_nothing_of_the_project_needs_nothing() {
        let there = json!({"email": EMAIL, "disabled": false, "roles": []});
        assert_eq!(said(Standing::New, false, there), "holds");
        let off = json!({"email": EMAIL, "disabled": true, "roles": []});
        assert_eq!(said(Standing::New, true, off), "holds");
        let landscape = Landscape::new("acme-checkout-prod")
            .asks(ControlKind::DefaultServiceAccounts, json!({"disable": true}))
            .saw_nothing("default-service-accounts/compute")
            .saw_nothing("default-service-accounts/app-engine");
        assert_eq!(
            landscape.said(&DefaultServiceAccounts),
            ["not applicable: the project has no such account"; 2]
        );
    }

    #[test]
    fn what_reaches_the_whole_project_is_taken_and_the_account_disabled_where_asked() {
        let there = json!({"email": EMAIL, "disabled": false, "roles": ["roles/editor", "roles/owner"]});
        let taken = "~ baseline default-service-accounts/compute#deprivilege {\"roles\":[]} with {\"email\":\"415104041262-compute@developer.gserviceaccount.com\"}";
        let off = "~ baseline default-service-accounts/compute#disable {\"disabled\":true} with {\"email\":\"415104041262-compute@developer.gserviceaccount.com\"}";
        assert_eq!(
            said(Standing::New, true, there.clone()),
            format!(
                "fails: `{EMAIL}` holds `roles/editor` and `roles/owner` on the whole project; `{EMAIL}` is not disabled\n{taken}\n{off}"
            )
        );
        assert_eq!(
            said(Standing::Adopted, false, there),
            format!(
                "fails: `{EMAIL}` holds `roles/editor` and `roles/owner` on the whole project\n{taken} loses"
            )
        );
    }
}
