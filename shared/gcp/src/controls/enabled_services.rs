//! `enabled-services` on Google Cloud: APIs that are enabled in the project, row G14.
//!
//! Those that are listed, and those that other controls asked here stand on. None is ever disabled: that may delete what it made. They
//! are enabled in the foundation, before the first setting that stands on one is written.
//!
//! Most of what Landfall calls needs nothing here: Resource Manager, Org Policy, IAM, Essential Contacts, Billing and Budgets ask
//! whether they are enabled in the project that calls, which is Landfall's own (<https://cloud.google.com/docs/quotas/quota-project>).
//! Compute asks in the project that is looked at. It is enabled only where it is listed: enabling it makes the default network
//! (<https://cloud.google.com/vpc/docs/vpc#default-network>), and where it is not enabled there are neither networks nor machines.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::enabled_services::Settings;
use landfall_model::desired::{Asked, Desired};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::Mode;
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Gcp, billing_account, json, reported, seen, unasked};
use crate::client::service::SERVICES;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// APIs of one call: <https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchEnable>, `serviceIds`.
const BATCH: usize = 20;

const ENABLED: &str = "ENABLED";

pub(super) struct EnabledServices;

/// The APIs of a control that keeps what it makes in the project.
const STANDS_ON: &[(ControlKind, &[&str])] = &[
    // Tokens are exchanged in the pool's project, and account's tokens made there (Configure Workload Identity Federation with
    // deployment pipelines, "Before you begin").
    (ControlKind::Federation, &["iam.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com"]),
    // The channels that it writes mail through.
    (ControlKind::Budget, &["monitoring.googleapis.com"]),
    // Service Health writes to a project's log only where it is enabled.
    (
        ControlKind::ServiceAlerts,
        &["logging.googleapis.com", "monitoring.googleapis.com", "servicehealth.googleapis.com"],
    ),
];

/// What the project is to each API that is asked for: the enabled ones; those of others are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Apis {
    apis: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Answer {
    /// `projects/415104041262/services/logging.googleapis.com`.
    #[serde(default)]
    name: String,
}

/// The APIs that what is asked of a control stands on.
fn needed(asked: &Asked) -> &'static [&'static str] {
    if asked.mode == Mode::Detect || asked.settings.is_err() {
        // Nothing is written.
        return &[];
    }
    STANDS_ON.iter().find(|(kind, _)| *kind == asked.control).map_or(&[], |(_, apis)| apis)
}

/// The APIs that must be enabled.
fn wanted(want: &Settings, desired: &Desired) -> BTreeSet<String> {
    let needed = desired.asked.iter().flat_map(needed).map(|api| (*api).to_owned());
    want.gcp.iter().map(|api| api.to_ascii_lowercase()).chain(needed).collect()
}

/// Whether it reads as the name of an API: nothing else is sent.
fn is_a_name(api: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    api.contains('.') && api.split('.').all(plain)
}

/// Enables APIs in the session's project; those that are enabled already stay so.
pub(super) async fn enable(session: &Session, apis: &[&str]) -> Result<(), CallError> {
    let Session { client, project, .. } = session;
    let path = format!("projects/{project}/services:batchEnable");
    let reply = client.post(&SERVICES, &path, &json!({"serviceIds": apis})).await?;
    match client.finish(reply).await {
        // What takes longer settles; a later look shows what came of it.
        Ok(_) | Err(CallError::GoesOn { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Control for EnabledServices {
    const KIND: ControlKind = ControlKind::EnabledServices;
    const PERMISSIONS: Permissions = Permissions {
        read: &["serviceusage.services.list"],
        write: &["serviceusage.operations.get", "serviceusage.services.enable"],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let asked = !wanted(want, desired).is_empty();
        asked.then(|| Address::global(Self::KIND, "project")).into_iter().collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, _: &Address) -> Result<Sighting, CallError> {
        let Session { client, project, .. } = &reader.0;
        let asked = desired.asked(Self::KIND).and_then(|asked| asked.want::<Settings>().ok());
        let asked = asked.map(|want| wanted(&want, desired)).unwrap_or_default();
        // Asked one by one, a name that Google does not know would be refused and hide the others.
        let path = format!("projects/{project}/services?filter=state:ENABLED&pageSize=200");
        let (reply, all) = client.list(&SERVICES, &path, "services").await?;
        let mut apis = BTreeMap::new();
        for value in all {
            let Answer { name } = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            let api = name.rsplit('/').next().unwrap_or_default();
            if asked.contains(api) {
                apis.insert(api.to_owned(), ENABLED.to_owned());
            }
        }
        Ok(seen(&reply, &Apis { apis }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        // INVARIANT: the changes are ours, and each says its APIs.
        let Apis { apis } =
            serde_json::from_value(change.after.clone().unwrap_or_default()).unwrap_or_default();
        let apis: Vec<&str> = apis.keys().map(String::as_str).collect();
        match enable(session, &apis).await {
            Ok(()) => return Ok(Value::Null),
            // All of a call or none: one that can't be enabled keeps the others from it.
            Err(error) if apis.len() > 1 && !error.is_passing() => {
                tracing::warn!(project = %session.project, apis = apis.len(), "enabling APIs one by one");
            }
            Err(error) => return Err(error),
        }
        let mut failed: Option<CallError> = None;
        for api in &apis {
            if let Err(error) = enable(session, &[api]).await {
                failed = failed.or_else(|| Some(error.explained(format!("`{api}` could not be enabled"))));
            }
        }
        failed.map_or(Ok(Value::Null), Err)
    }
}

impl Judge for EnabledServices {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let wanted = wanted(want, desired);
        if wanted.is_empty() {
            return vec![unasked(Self::KIND, "project", "no API is listed or needed")];
        }
        let address = Address::global(Self::KIND, "project");
        let first = billing_account::linking(desired, observed);
        vec![Judgement::of(Self::KIND, &address, observed, |there| {
            compare(&wanted, &address, there, first.as_ref())
        })]
    }
}

/// `first` is what has to be done before anything that costs money can be enabled.
fn compare(
    wanted: &BTreeSet<String>,
    address: &Address,
    there: Option<&Value>,
    first: Option<&ChangeId>,
) -> Verdict {
    let Apis { apis } = match kept(there) {
        Ok(there) => there.unwrap_or_default(),
        Err(unknown) => return unknown,
    };
    let missing: Vec<&str> =
        wanted.iter().map(String::as_str).filter(|api| !apis.contains_key(*api)).collect();
    if missing.is_empty() {
        return Verdict::Holds;
    }
    let (missing, odd): (Vec<&str>, Vec<&str>) = missing.into_iter().partition(|api| is_a_name(api));
    let mut why = Vec::new();
    if !missing.is_empty() {
        why.push(format!("not enabled: {}", missing.join(", ")));
    }
    if !odd.is_empty() {
        why.push(format!("no API has such a name: {}", odd.join(", ")));
    }
    let change = |(number, batch): (usize, &[&str])| {
        let verb = if number == 0 { "enable".to_owned() } else { format!("enable-{}", number + 1) };
        let apis = batch.iter().map(|api| ((*api).to_owned(), ENABLED.to_owned())).collect();
        let reason = format!("not enabled: {}", batch.join(", "));
        let change = Change::new(address, &verb, Deed::Update, reason)
            .before(there.cloned())
            .after(json(&Apis { apis }))
            .at(Stage::Foundation);
        first.into_iter().fold(change, Change::needs)
    };
    let changes: Vec<Change> = missing.chunks(BATCH).enumerate().map(change).collect();
    if changes.is_empty() {
        reported(why.join("; "))
    } else {
        Verdict::Fails { why: why.join("; "), changes }
    }
}

#[cfg(test)]
mod tests {
    use landfall_engine::landscape::asking;

    use super::*;
    use crate::controls::landscape::Landscape;

    const AT: &str = "enabled-services/project";

    fn enabled(apis: &[&str]) -> Value {
        let apis: BTreeMap<&str, &str> = apis.iter().map(|api| (*api, ENABLED)).collect();
        json!({"apis": apis})
    }

    fn said(there: Value) -> Vec<String> {
        Landscape::new("acme-checkout-prod").saw(AT, there).said(&EnabledServices)
    }

    #[test]
    fn a_project_with_its_apis_needs_nothing() {
        assert_eq!(said(enabled(&["logging.googleapis.com", "monitoring.googleapis.com"])), ["holds"]);
        assert_eq!(Landscape::adopted("acme-checkout-prod").addresses(&EnabledServices), [AT]);
    }

    #[test]
    fn what_is_not_enabled_is_before_the_settings_that_need_it() {
        let why = "not enabled: monitoring.googleapis.com";
        let change = "~ foundation enabled-services/project#enable \
                      {\"apis\":{\"monitoring.googleapis.com\":\"ENABLED\"}}";
        assert_eq!(said(enabled(&["logging.googleapis.com"])), [format!("fails: {why}\n{change}")]);
    }

    #[test]
    fn what_costs_money_is_enabled_after_somebody_pays() {
        let unpaid = Landscape::new("acme-checkout-prod")
            .saw("billing-account/project", json!({"billingEnabled": false}))
            .saw(AT, enabled(&[]));
        let said = unpaid.said(&EnabledServices);
        assert!(said[0].ends_with(" needs billing-account/project#link"), "{said:?}");
    }

    /// The project, asked for these APIs and nothing that stands on others.
    fn asked_for(apis: &[String]) -> Vec<String> {
        let mut landscape = Landscape::new("acme-checkout-prod").saw(AT, enabled(&[]));
        landscape.desired.asked.retain(|asked| asked.control == ControlKind::EnabledServices);
        landscape.desired.asked[0].settings = Ok(json!({"aws": [], "azure": [], "gcp": apis}));
        landscape.said(&EnabledServices)
    }

    #[test]
    fn twenty_are_enabled_by_one_call() {
        let many: Vec<String> = (10..51).map(|number| format!("a{number}.googleapis.com")).collect();
        let said = asked_for(&many).remove(0);
        let changes: Vec<&str> = said.lines().skip(1).collect();
        let apis = |line: &str| line.matches("\":\"ENABLED\"").count();
        assert_eq!(changes.iter().map(|line| apis(line)).collect::<Vec<_>>(), [20, 20, 1]);
        assert!(changes[2].starts_with("~ foundation enabled-services/project#enable-3 "), "{said}");
        assert_eq!(asked_for(&[]), ["not applicable: no API is listed or needed"]);
    }

    #[test]
    fn what_is_no_name_of_an_api_is_reported_and_not_sent() {
        let odd = ["../x".to_owned(), "logging".to_owned()];
        assert_eq!(asked_for(&odd), ["fails: no API has such a name: ../x, logging"]);
    }

    #[test]
    fn what_other_controls_stand_on_is_needed_where_they_write() {
        let asked = |mode: Mode| Asked { mode, ..asking(ControlKind::ServiceAlerts, Value::Null) };
        assert_eq!(
            needed(&asked(Mode::Repair)),
            ["logging.googleapis.com", "monitoring.googleapis.com", "servicehealth.googleapis.com"]
        );
        assert!(needed(&asked(Mode::Detect)).is_empty());
    }
}
