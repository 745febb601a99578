//! `service-alerts` on Azure: a resource group of ours, whom to tell, and alerts on the activity log, rows Z20 and Z22.
//!
//! Each of them is a setting of its own. All are ours by their names; others are neither looked at nor changed.
//!
//! <https://learn.microsoft.com/rest/api/monitor/activity-log-alerts>, <https://learn.microsoft.com/rest/api/monitor/action-groups>

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::service_alerts::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed};

use super::{Azure, absent, ground, json, registration, reported, seen};
use crate::client::service::{ACTION_GROUPS, ALERTS, RESOURCES, Service};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The resource group that keeps what is ours.
pub(super) const GROUP: &str = "landfall";

/// The action group in it.
const OPERATIONS: &str = "landfall-operations";

/// What the mails are signed with; Azure takes twelve characters.
const SHORT: &str = "landfall";

/// What our alerts' names begin with; an address has the rest.
pub(super) const OURS: &str = "landfall-";

/// The settings that are no alerts.
const RESOURCE_GROUP: &str = "resource-group";
const ACTION_GROUP: &str = "action-group";

/// The alert on what Azure announces: incidents, maintenance, advisories, whatever it calls them.
const SERVICE_HEALTH: &str = "service-health";

/// The alerts on actions: those of the CIS Microsoft Azure Foundations Benchmark 3.0, section 6.2, "Monitoring using Activity Log
/// Alerts". One alert each, because that is what auditors' tools look for.
const ACTIONS: [(&str, &str); 10] = [
    ("firewall-rule-delete", "Microsoft.Sql/servers/firewallRules/delete"),
    ("firewall-rule-write", "Microsoft.Sql/servers/firewallRules/write"),
    ("policy-assignment-delete", "Microsoft.Authorization/policyAssignments/delete"),
    ("policy-assignment-write", "Microsoft.Authorization/policyAssignments/write"),
    ("public-ip-delete", "Microsoft.Network/publicIPAddresses/delete"),
    ("public-ip-write", "Microsoft.Network/publicIPAddresses/write"),
    ("security-group-delete", "Microsoft.Network/networkSecurityGroups/delete"),
    ("security-group-write", "Microsoft.Network/networkSecurityGroups/write"),
    ("security-solution-delete", "Microsoft.Security/securitySolutions/delete"),
    ("security-solution-write", "Microsoft.Security/securitySolutions/write"),
];

pub(super) struct ServiceAlerts;

/// The resource group, which stays wherever it once was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    #[serde(default, deserialize_with = "super::or_default")]
    location: String,
}

/// Who is told, in Azure's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActionGroup {
    #[serde(default, deserialize_with = "super::or_default")]
    group_short_name: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default, deserialize_with = "super::or_default")]
    email_receivers: Vec<Receiver>,
    /// How many receivers there are of other kinds. Their settings may hold secrets, and are not kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    others: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receiver {
    #[serde(default, deserialize_with = "super::or_default")]
    name: String,
    #[serde(default, deserialize_with = "super::or_default")]
    email_address: String,
    #[serde(default, deserialize_with = "super::or_default")]
    use_common_alert_schema: bool,
    /// Kept where it is `Disabled`: the person ended the mails, and only the person can have them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

/// An alert, in Azure's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default, deserialize_with = "super::or_default")]
    scopes: Vec<String>,
    #[serde(default, deserialize_with = "super::or_default")]
    condition: Condition,
    #[serde(default, deserialize_with = "super::or_default")]
    actions: Actions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(default, deserialize_with = "super::or_default")]
    all_of: Vec<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Actions {
    #[serde(default, deserialize_with = "super::or_default")]
    action_groups: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    #[serde(default, deserialize_with = "super::or_default")]
    action_group_id: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    properties: Map<String, Value>,
}

const fn yes() -> bool {
    true
}

impl ActionGroup {
    fn of(mut properties: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let emails = properties.remove("emailReceivers");
        let others = properties
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_array()?.len())))
            .filter(|(_, count)| *count > 0)
            .collect();
        properties.retain(|_, value| !value.is_array());
        properties.extend(emails.map(|emails| ("emailReceivers".to_owned(), emails)));
        let mut group: ActionGroup = serde_json::from_value(Value::Object(properties))?;
        for receiver in &mut group.email_receivers {
            receiver.status = receiver.status.take().filter(|status| status.eq_ignore_ascii_case("Disabled"));
        }
        Ok(ActionGroup { others, ..group })
    }

    /// What Azure is sent: who ended the mails is for it to know.
    fn properties(mut self) -> Value {
        self.others.clear();
        self.email_receivers.iter_mut().for_each(|receiver| receiver.status = None);
        json(&self)
    }
}

impl Receiver {
    fn of(email: &str) -> Self {
        let (name, email_address) = (email.to_owned(), email.to_owned());
        Receiver { name, email_address, use_common_alert_schema: true, status: None }
    }
}

impl Alert {
    fn of(properties: Map<String, Value>, scope: &str) -> Result<Self, serde_json::Error> {
        let mut alert: Alert = serde_json::from_value(Value::Object(properties))?;
        // Azure shows what was not sent as null, and ids in letters of its own.
        alert.condition.all_of.iter_mut().for_each(tidy);
        alert.condition.all_of.sort_by_cached_key(Value::to_string);
        let ours = action_group(scope);
        for id in &mut alert.scopes {
            respell(id, scope);
        }
        for link in &mut alert.actions.action_groups {
            respell(&mut link.action_group_id, &ours);
        }
        Ok(alert)
    }

    /// The alert as it is asked for.
    fn asked(name: &str, scope: &str) -> Option<Self> {
        let is = |field: &str, value: &str| json!({"equals": value, "field": field});
        let (all_of, description) = match operation(name) {
            Some(operation) => (
                vec![is("category", "Administrative"), is("operationName", operation)],
                format!("Somebody did {operation}."),
            ),
            None if name == SERVICE_HEALTH => (
                vec![is("category", "ServiceHealth")],
                "An outage, a maintenance or an advisory concerns this subscription.".to_owned(),
            ),
            None => return None,
        };
        Some(Alert {
            enabled: true,
            scopes: vec![scope.to_owned()],
            condition: Condition { all_of },
            actions: Actions { action_groups: vec![Link { action_group_id: action_group(scope) }] },
            description: Some(description),
        })
    }
}

fn operation(name: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation)
}

/// Without what is null.
fn tidy(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, value| !value.is_null());
    }
}

/// Whether two conditions are the same: Azure does not tell upper from lower case in them.
fn same(one: &Condition, other: &Condition) -> bool {
    let plain = |condition: &Condition| {
        let mut all: Vec<String> =
            condition.all_of.iter().map(|one| one.to_string().to_ascii_lowercase()).collect();
        all.sort_unstable();
        all
    };
    plain(one) == plain(other)
}

/// An id of ours, in our letters.
fn respell(id: &mut String, ours: &str) {
    if id.eq_ignore_ascii_case(ours) {
        ours.clone_into(id);
    }
}

fn group(subscription: &str) -> String {
    format!("{subscription}/resourceGroups/{GROUP}")
}

fn action_group(subscription: &str) -> String {
    format!("{}/providers/Microsoft.Insights/actionGroups/{OPERATIONS}", group(subscription))
}

/// A setting's API, and its id.
fn place(session: &Session, address: &Address) -> (&'static Service, String) {
    let subscription = session.scope();
    match address.resource.as_str() {
        RESOURCE_GROUP => (&RESOURCES, group(&subscription)),
        ACTION_GROUP => (&ACTION_GROUPS, action_group(&subscription)),
        alert => {
            let group = group(&subscription);
            (&ALERTS, format!("{group}/providers/Microsoft.Insights/activityLogAlerts/{OURS}{alert}"))
        }
    }
}

fn address(resource: &str) -> Address {
    Address::global(ServiceAlerts::KIND, resource)
}

#[async_trait]
impl Control for ServiceAlerts {
    const KIND: ControlKind = ControlKind::ServiceAlerts;
    /// The first alert in a subscription registers its resource provider there.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Insights/actionGroups/read",
            "Microsoft.Insights/activityLogAlerts/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        write: &[
            "Microsoft.Insights/actionGroups/write",
            "Microsoft.Insights/activityLogAlerts/write",
            "Microsoft.Insights/register/action",
            "Microsoft.Resources/subscriptions/providers/read",
            "Microsoft.Resources/subscriptions/resourceGroups/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        if want.recipients.is_empty() {
            return Vec::new();
        }
        let actions = ACTIONS.iter().map(|(name, _)| *name);
        [RESOURCE_GROUP, ACTION_GROUP, SERVICE_HEALTH].into_iter().chain(actions).map(address).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let (service, path) = place(session, address);
        let reply = match session.client.get(service, &path).await {
            Ok(reply) => reply,
            Err(error) if error.is_not_found() || registration::is_missing(&error) => {
                return Ok(absent(&error));
            }
            Err(error) => return Err(error),
        };
        let read = match address.resource.as_str() {
            RESOURCE_GROUP => return Ok(seen(&reply, &reply.json::<Group>()?)),
            ACTION_GROUP => ActionGroup::of(reply.json::<Answer>()?.properties).map(|group| json(&group)),
            _ => Alert::of(reply.json::<Answer>()?.properties, &session.scope()).map(|alert| json(&alert)),
        };
        Ok(seen(&reply, &read.map_err(|error| reply.unreadable(error))?))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let Some(after) = &change.after else { return Err(CallError::NothingToWrite(Self::KIND)) };
        let (service, path) = place(session, &change.address);
        // Alerts, and whom they tell, are in no region of their own.
        let body = match change.address.resource.as_str() {
            RESOURCE_GROUP => after.clone(),
            ACTION_GROUP => {
                let group = serde_json::from_value(after.clone()).map(ActionGroup::properties);
                json!({"location": "Global", "properties": group.unwrap_or_default()})
            }
            _ => json!({"location": "Global", "properties": after}),
        };
        registration::put(session, service, &path, &body).await?;
        Ok(Value::Null)
    }
}

impl Judge for ServiceAlerts {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        if want.recipients.is_empty() {
            let verdict = reported(
                "the manifest names nobody who could be told: no contact for operations or security",
            );
            return vec![Judgement { control: Self::KIND, address: address("control"), verdict }];
        }
        let subscription = desired.target.tenant().map_or("", |id| id.native());
        let scope = format!("/subscriptions/{subscription}");
        let judge = |at: &Address| {
            Judgement::of(Self::KIND, at, observed, |there| {
                let verdict = match at.resource.as_str() {
                    RESOURCE_GROUP => kept(there).map(|group| compare_group(want, desired, at, group)),
                    ACTION_GROUP => kept(there).map(|group| compare_action_group(want, at, group, observed)),
                    _ => kept(there).map(|alert| compare_alert(&scope, at, alert, observed)),
                };
                with_before(verdict.unwrap_or_else(|unknown| unknown), there)
            })
        };
        self.addresses(want, desired).iter().map(judge).collect()
    }
}

fn with_before(mut verdict: Verdict, there: Option<&Value>) -> Verdict {
    if let Verdict::Fails { changes, .. } = &mut verdict {
        for change in changes {
            change.before = there.cloned();
        }
    }
    verdict
}

/// What a change waits for: the making of what it is put in, or points to.
fn making(of: &str, observed: &Observed) -> Option<ChangeId> {
    let address = address(of);
    let missing = observed.seen(&address) == Seen::Absent;
    missing.then(|| ChangeId(format!("{address}#create")))
}

fn compare_group(want: &Settings, desired: &Desired, at: &Address, there: Option<Group>) -> Verdict {
    if there.is_some() {
        return Verdict::Holds;
    }
    let governed = ground(desired).and_then(|ground| ground.locations.first()).map(ToString::to_string);
    let Some(location) = want.location.clone().or(governed) else {
        return reported(format!("there is no resource group `{GROUP}`, and no location to make it in"));
    };
    let why = format!("there is no resource group `{GROUP}`");
    Verdict::fails(Change::new(at, "create", Deed::Create, why).after(json(&Group { location })))
}

fn compare_action_group(
    want: &Settings,
    at: &Address,
    there: Option<ActionGroup>,
    observed: &Observed,
) -> Verdict {
    let is_new = there.is_none();
    let there = there.unwrap_or_default();
    let mut after = ActionGroup { others: BTreeMap::new(), ..there.clone() };
    let (mut why, mut ended) = (Vec::new(), Vec::new());
    if after.group_short_name.is_empty() {
        SHORT.clone_into(&mut after.group_short_name);
    }
    if !there.enabled {
        why.push("the action group is switched off".to_owned());
        after.enabled = true;
    }
    for recipient in &want.recipients {
        let receivers = &mut after.email_receivers;
        match receivers.iter_mut().find(|one| one.email_address.eq_ignore_ascii_case(recipient)) {
            None => {
                why.push(format!("nobody tells {recipient}"));
                receivers.push(Receiver::of(recipient));
            }
            Some(Receiver { status: Some(_), .. }) => {
                ended.push(format!("{recipient} ended the mails, and only they can have them again"));
            }
            Some(one) if !one.use_common_alert_schema => {
                why.push(format!("{recipient} is not told in the common schema"));
                one.use_common_alert_schema = true;
            }
            Some(_) => {}
        }
    }
    if is_new {
        let mut change =
            Change::new(at, "create", Deed::Create, format!("there is no action group `{OPERATIONS}`"));
        after.enabled = true;
        change.needs.extend(making(RESOURCE_GROUP, observed));
        return Verdict::fails(change.after(json(&after)));
    }
    let repairs = !why.is_empty();
    if repairs && !there.others.is_empty() {
        let kinds: Vec<String> = there.others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        why.push(format!("what others put there is lost: {}", kinds.join(", ")));
    }
    why.extend(ended);
    match (why.is_empty(), repairs) {
        (true, _) => Verdict::Holds,
        (false, false) => reported(why.join("; ")),
        (false, true) => {
            let mut change = Change::new(at, "update", Deed::Update, why.join("; ")).after(json(&after));
            change.loses = !there.others.is_empty();
            Verdict::fails(change)
        }
    }
}

fn compare_alert(scope: &str, at: &Address, there: Option<Alert>, observed: &Observed) -> Verdict {
    let name = &at.resource;
    let Some(asked) = Alert::asked(name, scope) else {
        return Verdict::Unknown { why: format!("`{name}` is no alert of this control") };
    };
    let Some(there) = there else {
        let mut change = Change::new(at, "create", Deed::Create, format!("there is no alert `{OURS}{name}`"));
        change.needs.extend(making(ACTION_GROUP, observed));
        return Verdict::fails(change.after(json(&asked)));
    };
    let mut why = Vec::new();
    let mut after = there.clone();
    if !there.enabled {
        why.push("the alert is switched off");
        after.enabled = true;
    }
    if there.scopes != asked.scopes {
        why.push("the alert is not about the subscription");
        after.scopes = asked.scopes;
    }
    if !same(&there.condition, &asked.condition) {
        why.push("the alert is about something else");
        after.condition = asked.condition;
        after.description = asked.description;
    }
    let links = &mut after.actions.action_groups;
    let missing: Vec<Link> =
        asked.actions.action_groups.into_iter().filter(|link| !links.contains(link)).collect();
    if !missing.is_empty() {
        why.push("the alert does not tell our action group");
        links.extend(missing);
    }
    if why.is_empty() {
        return Verdict::Holds;
    }
    let mut change = Change::new(at, "update", Deed::Update, why.join("; ")).after(json(&after));
    change.needs.extend(making(ACTION_GROUP, observed));
    Verdict::fails(change)
}

#[cfg(test)]
mod tests;
