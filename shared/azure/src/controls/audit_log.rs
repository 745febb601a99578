//! `audit-log` on Azure: diagnostic settings that send the activity log to the named place, rows Z17 and Z18.
//!
//! Each subscription has its own, and the root management group has one for what happens to the tree, which is the organization's own.
//! A category goes to one place once only: what others send there already is theirs, and ours sends the rest. Settings of others are
//! never changed.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::audit_log::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};
use landfall_model::target::Target;

use super::{Azure, json, nothing, registration, reported, seen, unasked};
use crate::client::service::{DIAGNOSTICS, GROUP_DIAGNOSTICS, Service};
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The setting that is ours.
const NAME: &str = "landfall-audit";

/// Settings of one subscription or management group:
/// <https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings>.
const MOST: usize = 5;

/// What happens in a subscription: <https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema>, "Categories".
const OF_SUBSCRIPTION: [&str; 8] = [
    "Administrative",
    "Alert",
    "Autoscale",
    "Policy",
    "Recommendation",
    "ResourceHealth",
    "Security",
    "ServiceHealth",
];

/// What happens to a management group:
/// <https://learn.microsoft.com/rest/api/monitor/management-group-diagnostic-settings>.
const OF_GROUP: [&str; 2] = ["Administrative", "Policy"];

const SUBSCRIPTION: &str = "subscription";
const GROUP: &str = "management-group";

pub(super) struct AuditLog;

/// The settings that are there, by name.
pub(super) type Sinks = BTreeMap<String, Sink>;

/// A diagnostic setting, in Azure's own names, which the write takes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sink {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workspace_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage_account_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_hub_authorization_rule_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_hub_name: Option<String>,
    /// The categories that it sends.
    #[serde(default, deserialize_with = "super::or_default")]
    logs: Vec<Log>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category_group: Option<String>,
    #[serde(default, deserialize_with = "super::or_default")]
    enabled: bool,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    name: String,
    #[serde(default, deserialize_with = "super::or_default")]
    properties: Sink,
}

/// What the named place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Workspace,
    Storage,
    EventHub,
}

impl Place {
    /// By the type in the resource's id; nothing, where it is none that the activity log can be sent to.
    fn of(id: &str) -> Option<Self> {
        let id = id.to_ascii_lowercase();
        let (scope, resource) = id.rsplit_once("/providers/")?;
        let in_group = scope.starts_with("/subscriptions/") && scope.contains("/resourcegroups/");
        let parts: Vec<&str> = resource.split('/').collect();
        match parts.as_slice() {
            _ if !in_group => None,
            ["microsoft.operationalinsights", "workspaces", name] if !name.is_empty() => {
                Some(Place::Workspace)
            }
            ["microsoft.storage", "storageaccounts", name] if !name.is_empty() => Some(Place::Storage),
            ["microsoft.eventhub", "namespaces", _, "authorizationrules", name] if !name.is_empty() => {
                Some(Place::EventHub)
            }
            _ => None,
        }
    }
}

impl Sink {
    fn to(place: Place, id: &str) -> Self {
        let id = Some(id.to_owned());
        match place {
            Place::Workspace => Sink { workspace_id: id, ..Sink::default() },
            Place::Storage => Sink { storage_account_id: id, ..Sink::default() },
            Place::EventHub => Sink { event_hub_authorization_rule_id: id, ..Sink::default() },
        }
    }

    /// What is kept of an answer: the categories that are on.
    fn tidy(mut self) -> Self {
        self.logs.retain(|log| log.enabled);
        self.logs.sort_unstable();
        self
    }

    fn is_to(&self, place: Place, id: &str) -> bool {
        let there = match place {
            Place::Workspace => &self.workspace_id,
            Place::Storage => &self.storage_account_id,
            Place::EventHub => &self.event_hub_authorization_rule_id,
        };
        there.as_ref().is_some_and(|there| there.eq_ignore_ascii_case(id))
    }

    fn sends(&self, category: &str) -> bool {
        let is = |text: &Option<String>, wanted: &str| {
            text.as_ref().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        self.logs
            .iter()
            .any(|log| log.enabled && (is(&log.category, category) || is(&log.category_group, "allLogs")))
    }
}

/// Whose log an address is about: its scope, and the API that keeps its settings.
fn whose(session: &Session, address: &Address) -> (String, &'static Service) {
    match address.resource.as_str() {
        GROUP => (group_path(&session.ground.root), &GROUP_DIAGNOSTICS),
        _ => (session.scope(), &DIAGNOSTICS),
    }
}

fn path(scope: &str) -> String {
    format!("{scope}/providers/Microsoft.Insights/diagnosticSettings")
}

#[async_trait]
impl Control for AuditLog {
    const KIND: ControlKind = ControlKind::AuditLog;
    /// Azure asks whoever names a place for the right to write there: the last ones are needed on the place.
    const PERMISSIONS: Permissions = Permissions {
        read: &["Microsoft.Insights/diagnosticSettings/read"],
        write: &[
            "Microsoft.Insights/diagnosticSettings/write",
            "Microsoft.Insights/register/action",
            "Microsoft.Resources/subscriptions/providers/read",
            "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action",
            "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
            "Microsoft.Storage/storageAccounts/listKeys/action",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let resource = match desired.target {
            Target::Organization(_) => GROUP,
            Target::Tenant(_) => SUBSCRIPTION,
        };
        want.azure.iter().map(|_| Address::global(Self::KIND, resource)).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let (scope, service) = whose(session, address);
        let (reply, all) = match session.list(service, &path(&scope)).await {
            Ok(answer) => answer,
            Err(error) if registration::is_missing(&error) => return Ok(super::absent(&error)),
            Err(error) => return Err(error),
        };
        let mut sinks = Sinks::new();
        for value in all {
            let Answer { name, properties } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            sinks.insert(name, properties.tidy());
        }
        Ok(if sinks.is_empty() { nothing(&reply) } else { seen(&reply, &sinks) })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let (scope, service) = whose(session, &change.address);
        let sink = change.after.as_ref().and_then(|after| after.get(NAME));
        let path = format!("{}/{NAME}", path(&scope));
        let body = json!({"properties": sink});
        registration::put(session, service, &path, &body).await.map_err(|error| match error.code() {
            Some("LinkedAuthorizationFailed") => {
                error.explained("the write identity has no right to send logs to the named place")
            }
            _ => error,
        })?;
        Ok(Value::Null)
    }
}

impl Compare for AuditLog {
    type There = Sinks;

    fn compare(&self, want: &Settings, _: &Desired, address: &Address, there: Option<Sinks>) -> Verdict {
        let Some(id) = &want.azure else { return Verdict::NotApplicable { why: NOWHERE.to_owned() } };
        let Some(place) = Place::of(id) else {
            return reported(format!(
                "`{id}` is neither a Log Analytics workspace, a storage account nor an authorization rule of an event hub's \
                 namespace"
            ));
        };
        let all: &[&str] = if address.resource == GROUP { &OF_GROUP } else { &OF_SUBSCRIPTION };
        let there = there.unwrap_or_default();
        let there_already: BTreeSet<&str> =
            all.iter().copied().filter(|category| sends(&there, place, id, category, |_| true)).collect();
        if there_already.len() == all.len() {
            return Verdict::Holds;
        }
        let missing: Vec<&str> =
            all.iter().copied().filter(|category| !there_already.contains(category)).collect();
        let missing = match missing.len() == all.len() {
            true => "the activity log is".to_owned(),
            false => format!("the activity log's {} are", missing.join(", ")),
        };
        let why = format!("{missing} not sent to the named place");
        let ours = there.get_key_value(NAME);
        if ours.is_none() && there.len() >= MOST {
            return reported(format!(
                "{why}; Azure allows {MOST} diagnostic settings, and others have made {}",
                there.len()
            ));
        }
        let is_others = |name: &str| name != NAME;
        let logs = all.iter().filter(|category| !sends(&there, place, id, category, is_others));
        let log = |category: &&str| Log {
            category: Some((*category).to_owned()),
            category_group: None,
            enabled: true,
        };
        let mut sink = Sink::to(place, id);
        sink.logs = logs.map(log).collect();
        if let (Place::EventHub, Some((_, ours))) = (place, ours) {
            sink.event_hub_name.clone_from(&ours.event_hub_name);
        }
        let deed = if ours.is_some() { Deed::Update } else { Deed::Create };
        let after = BTreeMap::from([(NAME, sink)]);
        Verdict::fails(Change::new(address, "send", deed, why).after(json(&after)))
    }

    fn unasked(&self, want: &Settings) -> Option<Judgement> {
        want.azure.is_none().then(|| unasked(Self::KIND, "control", NOWHERE))
    }
}

const NOWHERE: &str = "no place is named for the activity logs of Azure";

/// Whether any of the settings that count sends a category to the place.
fn sends(all: &Sinks, place: Place, id: &str, category: &str, counts: impl Fn(&str) -> bool) -> bool {
    all.iter().any(|(name, sink)| counts(name) && sink.is_to(place, id) && sink.sends(category))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const WORKSPACE: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000001/resourceGroups/logs/providers\
                             /Microsoft.OperationalInsights/workspaces/central";
    const AT: &str = "audit-log/subscription";

    fn logs(categories: &[&str]) -> Value {
        categories.iter().map(|category| json!({"category": category, "enabled": true})).collect()
    }

    fn sink(id: &str, categories: &[&str]) -> Value {
        json!({"workspaceId": id, "logs": logs(categories)})
    }

    fn said(there: Value) -> String {
        Landscape::adopted(2).saw(AT, there).said(&AuditLog).remove(0)
    }

    #[test]
    fn a_log_that_goes_to_the_place_needs_nothing_whoever_sends_it() {
        let some = &OF_SUBSCRIPTION[..3];
        let rest = &OF_SUBSCRIPTION[3..];
        let table = [
            json!({NAME: sink(WORKSPACE, &OF_SUBSCRIPTION)}),
            json!({"theirs": sink(&WORKSPACE.to_uppercase(), &OF_SUBSCRIPTION)}),
            json!({"theirs": sink(WORKSPACE, some), "more": sink(WORKSPACE, rest)}),
            json!({"theirs": {"workspaceId": WORKSPACE, "logs": [{"categoryGroup": "allLogs", "enabled": true}]}}),
        ];
        for there in table {
            assert_eq!(said(there), "holds");
        }
        let landscape = Landscape::adopted(2);
        assert_eq!(landscape.addresses(&AuditLog), [AT]);
    }

    #[test]
    fn what_is_not_sent_is_sent_beside_what_others_send() {
        let all = |name: &str, sign: &str, categories: &[&str]| {
            let after = json!({NAME: {"logs": logs(categories), "workspaceId": WORKSPACE}});
            format!(
                "fails: {name} not sent to the named place\n{sign} baseline audit-log/subscription#send {after}"
            )
        };
        let mut seven = sink(WORKSPACE, &OF_SUBSCRIPTION);
        seven["logs"][0]["enabled"] = json!(false);
        let storage = WORKSPACE
            .replace("Microsoft.OperationalInsights/workspaces", "Microsoft.Storage/storageAccounts");
        let table = [
            (
                json!({"theirs": sink("/subscriptions/x/elsewhere", &OF_SUBSCRIPTION)}),
                all("the activity log is", "+", &OF_SUBSCRIPTION),
            ),
            (
                json!({"theirs": {"storageAccountId": storage, "logs": logs(&OF_SUBSCRIPTION)}}),
                all("the activity log is", "+", &OF_SUBSCRIPTION),
            ),
            (json!({NAME: seven}), all("the activity log's Administrative are", "~", &OF_SUBSCRIPTION)),
            (
                json!({"theirs": sink(WORKSPACE, &OF_SUBSCRIPTION[2..])}),
                all("the activity log's Administrative, Alert are", "+", &OF_SUBSCRIPTION[..2]),
            ),
        ];
        for (there, expected) in table {
            assert_eq!(said(there), expected);
        }
        let fresh = Landscape::new(2).saw_nothing(AT).said(&AuditLog).remove(0);
        assert_eq!(fresh, all("the activity log is", "+", &OF_SUBSCRIPTION));
    }

    #[test]
    fn five_settings_of_others_leave_no_room() {
        let there: BTreeMap<String, Value> =
            (0..5).map(|n| (format!("theirs-{n}"), sink("x", &[]))).collect();
        let expected = "fails: the activity log is not sent to the named place; Azure allows 5 diagnostic settings, and \
                        others have made 5";
        assert_eq!(said(json!(there)), expected);
    }

    #[test]
    fn the_type_of_the_place_says_what_it_is() {
        let group = "/subscriptions/x/resourceGroups/logs/providers";
        let table = [
            (WORKSPACE.to_owned(), Some(Place::Workspace)),
            (format!("{group}/microsoft.storage/storageaccounts/a"), Some(Place::Storage)),
            (format!("{group}/Microsoft.EventHub/namespaces/a/authorizationRules/b"), Some(Place::EventHub)),
            (format!("{group}/Microsoft.EventHub/namespaces/a"), None),
            (format!("{group}/Microsoft.KeyVault/vaults/a"), None),
            ("central".to_owned(), None),
        ];
        for (id, expected) in table {
            assert_eq!(Place::of(&id), expected, "{id}");
        }
        let sink = Sink::to(Place::EventHub, "r");
        assert_eq!(json(&sink), json!({"eventHubAuthorizationRuleId": "r", "logs": []}));
        let desired = Landscape::adopted(2).desired;
        let address = AT.parse().unwrap();
        let want = Settings { aws: None, azure: Some("central".to_owned()), gcp: None, data_access: false };
        let verdict = AuditLog.compare(&want, &desired, &address, None);
        assert!(matches!(verdict, Verdict::Fails { changes, .. } if changes.is_empty()));
    }

    #[test]
    fn the_root_management_group_has_categories_of_its_own() {
        let desired = Landscape::organization().desired;
        let want = Settings { aws: None, azure: Some(WORKSPACE.to_owned()), gcp: None, data_access: false };
        let addresses = Control::addresses(&AuditLog, &want, &desired);
        assert_eq!(addresses, ["audit-log/management-group".parse().unwrap()]);
        let sinks = |value: Value| serde_json::from_value::<Sinks>(value).unwrap();
        let there = sinks(json!({"theirs": sink(WORKSPACE, &OF_GROUP)}));
        assert_eq!(AuditLog.compare(&want, &desired, &addresses[0], Some(there)), Verdict::Holds);
        let Verdict::Fails { changes, .. } = AuditLog.compare(&want, &desired, &addresses[0], None) else {
            panic!()
        };
        assert_eq!(changes[0].after.as_ref().unwrap()[NAME]["logs"], logs(&OF_GROUP));
        let nowhere = Settings { aws: None, azure: None, gcp: None, data_access: false };
        assert!(Control::addresses(&AuditLog, &nowhere, &desired).is_empty());
        assert!(AuditLog.unasked(&nowhere).is_some());
    }
}
