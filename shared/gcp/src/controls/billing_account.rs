//! `billing-account` on Google Cloud: which billing account a project is linked to, row G4.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::billing_account::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::{GcpCloud, Mode};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Gcp, ground, json, reported, seen, unasked};
use crate::client::service::BILLING;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const RESOURCE: &str = "project";

pub(super) struct BillingAccount;

/// Who pays, in Google's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paid {
    /// `billingAccounts/01AB23-45CD67-89EF01`; empty where nobody pays.
    #[serde(default, deserialize_with = "super::or_default")]
    pub(super) billing_account_name: String,
    /// Whether that account is open.
    #[serde(default, deserialize_with = "super::or_default")]
    pub(super) billing_enabled: bool,
}

/// Asks who pays for the session's project.
pub(super) async fn paid(session: &Session) -> Result<(crate::client::Reply, Paid), CallError> {
    let Session { client, project, .. } = session;
    let reply = client.get(&BILLING, &format!("projects/{project}/billingInfo")).await?;
    let paid = reply.json()?;
    Ok((reply, paid))
}

/// The change that links a project for which nobody pays, where it is asked: some APIs can't be enabled before.
pub(super) fn linking(desired: &Desired, observed: &Observed) -> Option<ChangeId> {
    let address = Address::global(BillingAccount::KIND, RESOURCE);
    let asked = desired.asked(BillingAccount::KIND).filter(|asked| asked.mode != Mode::Detect)?;
    let account = asked.want::<Settings>().ok()?.account?;
    wanted(ground(desired)?, &account)?;
    let Seen::Present(there) = observed.seen(&address) else { return None };
    let Paid { billing_account_name: pays, .. } = serde_json::from_value(there).ok()?;
    pays.is_empty().then(|| ChangeId(format!("{address}#link")))
}

/// The billing account's own name: the manifest's of this name, or an id as Google writes it.
fn wanted(ground: &GcpCloud, account: &str) -> Option<String> {
    let by_name = ground.billing_accounts.iter().find(|(name, _)| name.as_str() == account);
    let id = by_name.map_or(account, |(_, id)| id.as_str());
    let digits = |part: &str| part.len() == 6 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = id.split('-').collect();
    (parts.len() == 3 && parts.iter().all(|part| digits(part)))
        .then(|| format!("billingAccounts/{}", id.to_ascii_uppercase()))
}

#[async_trait]
impl Control for BillingAccount {
    const KIND: ControlKind = ControlKind::BillingAccount;
    const PERMISSIONS: Permissions = Permissions {
        read: &["resourcemanager.projects.get"],
        // On the project; and on the billing account, to link something to it:
        // https://cloud.google.com/billing/docs/how-to/billing-access
        write: &[
            "billing.resourceAssociations.create",
            "resourcemanager.projects.createBillingAssignment",
            "resourcemanager.projects.deleteBillingAssignment",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        want.account.as_ref().map(|_| Address::global(Self::KIND, RESOURCE)).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let (reply, paid) = paid(&reader.0).await?;
        Ok(seen(&reply, &paid))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { client, project, .. } = &writer.0;
        let name = change.after.as_ref().and_then(|after| after.get("billingAccountName"));
        // INVARIANT: the changes are ours, and each says who pays. Nobody would end all that costs money there.
        let Some(name) = name.and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let body = json!({"billingAccountName": name});
        client.put(&BILLING, &format!("projects/{project}/billingInfo"), &body).await?;
        Ok(Value::Null)
    }
}

impl Compare for BillingAccount {
    type There = Paid;

    fn compare(&self, want: &Settings, desired: &Desired, address: &Address, there: Option<Paid>) -> Verdict {
        let account = want.account.as_deref().unwrap_or_default();
        let Some(name) = ground(desired).and_then(|ground| wanted(ground, account)) else {
            return reported(format!(
                "`{account}` is neither one of the manifest's billing accounts nor an id such as `01AB23-45CD67-89EF01`"
            ));
        };
        let Paid { billing_account_name: pays, billing_enabled: open } = there.unwrap_or_default();
        if pays == name {
            return match open {
                true => Verdict::Holds,
                false => {
                    reported(format!("`{name}` is closed: nothing that costs money works in the project"))
                }
            };
        }
        let reason = match pays.as_str() {
            "" => "nobody pays for the project".to_owned(),
            pays => format!("`{pays}` pays for the project, not `{name}`"),
        };
        let after = Paid { billing_account_name: name, billing_enabled: true };
        // Before APIs are enabled: some ask for it.
        let mut change =
            Change::new(address, "link", Deed::Update, reason).after(json(&after)).at(Stage::Foundation);
        // Credits, contracts and exports may hang on the account that paid until now.
        change.loses = !pays.is_empty() && desired.standing == Standing::Adopted;
        Verdict::fails(change)
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        let nobody = want.account.is_none();
        nobody.then(|| unasked(Self::KIND, RESOURCE, "no billing account is named"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "billing-account/project";

    fn paid(landscape: Landscape, by: &str, open: bool) -> Vec<String> {
        let by = if by.is_empty() { String::new() } else { format!("billingAccounts/{by}") };
        landscape.saw(AT, json!({"billingAccountName": by, "billingEnabled": open})).said(&BillingAccount)
    }

    fn adopted() -> Landscape {
        Landscape::adopted("acme-checkout-prod")
    }

    #[test]
    fn a_project_that_the_agreed_account_pays_for_needs_nothing() {
        assert_eq!(paid(adopted(), "01AB23-45CD67-89EF01", true), ["holds"]);
        assert_eq!(adopted().addresses(&BillingAccount), [AT]);
    }

    #[test]
    fn a_project_that_another_or_nobody_pays_for_is_linked() {
        let change = "~ foundation billing-account/project#link \
            {\"billingAccountName\":\"billingAccounts/01AB23-45CD67-89EF01\",\"billingEnabled\":true}";
        let nobody = format!("fails: nobody pays for the project\n{change}");
        assert_eq!(paid(adopted(), "", false), [nobody]);
        let other = format!(
            "fails: `billingAccounts/AAAAAA-BBBBBB-CCCCCC` pays for the project, not \
             `billingAccounts/01AB23-45CD67-89EF01`\n{change}"
        );
        let new = Landscape::new("acme-checkout-prod");
        assert_eq!(paid(new, "AAAAAA-BBBBBB-CCCCCC", true), std::slice::from_ref(&other));
        assert_eq!(paid(adopted(), "AAAAAA-BBBBBB-CCCCCC", true), [format!("{other} loses")]);
    }

    #[test]
    fn a_closed_account_is_reported() {
        assert_eq!(
            paid(adopted(), "01AB23-45CD67-89EF01", false),
            [
                "fails: `billingAccounts/01AB23-45CD67-89EF01` is closed: nothing that costs money works in the project"
            ]
        );
    }

    #[test]
    fn an_account_is_named_or_given_by_its_id() {
        let landscape = adopted();
        let ground = ground(&landscape.desired).unwrap();
        let main = Some("billingAccounts/01AB23-45CD67-89EF01");
        assert_eq!(wanted(ground, "main").as_deref(), main);
        assert_eq!(wanted(ground, "01ab23-45cd67-89ef01").as_deref(), main);
        for odd in ["other", "01AB23-45CD67", "../01AB23-45CD67-89EF01", ""] {
            assert_eq!(wanted(ground, odd), None, "{odd}");
        }
    }
}
