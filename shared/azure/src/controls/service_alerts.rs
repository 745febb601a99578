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
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const SCOPE: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";
    const TOLD: [&str; 2] = ["ops@acme.example", "security@acme.example"];
    /// Where each setting stands in what is said.
    const AT_GROUP: usize = 0;
    const AT_ACTION_GROUP: usize = 1;
    const AT_HEALTH: usize = 2;

    fn receiver(email: &str) -> Value {
        json!({"name": email, "emailAddress": email, "useCommonAlertSchema": true})
    }

    fn action_group() -> Value {
        json!({"groupShortName": "landfall", "enabled": true, "emailReceivers": TOLD.map(receiver)})
    }

    fn alert(name: &str) -> Value {
        json(&Alert::asked(name, SCOPE).unwrap())
    }

    fn at(resource: &str) -> String {
        format!("service-alerts/{resource}")
    }

    /// Everything as it is asked.
    fn agreed(landscape: Landscape) -> Landscape {
        let landscape = landscape
            .saw(&at(RESOURCE_GROUP), json!({"location": "northeurope"}))
            .saw(&at(ACTION_GROUP), action_group())
            .saw(&at(SERVICE_HEALTH), alert(SERVICE_HEALTH));
        ACTIONS.iter().fold(landscape, |landscape, (name, _)| landscape.saw(&at(name), alert(name)))
    }

    fn with(value: &Value, pointer: &str, other: Value) -> Value {
        let mut value = value.clone();
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap()[last] = other;
        value
    }

    #[test]
    fn everything_as_agreed_needs_nothing() {
        let landscape = agreed(Landscape::adopted(2));
        assert_eq!(landscape.addresses(&ServiceAlerts).len(), 13);
        assert_eq!(landscape.said(&ServiceAlerts), ["holds"; 13]);
        let more = json!([
            {"name": "x", "emailAddress": "Security@acme.example", "useCommonAlertSchema": true},
            receiver("ada@acme.example"), receiver("ops@acme.example"),
        ]);
        let theirs = with(&action_group(), "/emailReceivers", more);
        let theirs = with(&theirs, "/others", json!({"webhookReceivers": 1}));
        let lower = json!([{"field": "category", "equals": "servicehealth"}]);
        let spelled = with(&alert(SERVICE_HEALTH), "/condition/allOf", lower);
        let landscape = landscape.saw(&at(ACTION_GROUP), theirs).saw(&at(SERVICE_HEALTH), spelled);
        assert_eq!(landscape.said(&ServiceAlerts), ["holds"; 13]);
    }

    #[test]
    fn a_subscription_without_them_gets_them_one_after_the_other() {
        let all = Landscape::new(2).addresses(&ServiceAlerts);
        let landscape = all.iter().fold(Landscape::new(2), |landscape, at| landscape.saw_nothing(at));
        let said = landscape.said(&ServiceAlerts);
        assert_eq!(
            said[AT_GROUP],
            "fails: there is no resource group `landfall`\n\
             + baseline service-alerts/resource-group#create {\"location\":\"germanywestcentral\"}"
        );
        let asked = action_group();
        assert_eq!(
            said[AT_ACTION_GROUP],
            format!(
                "fails: there is no action group `landfall-operations`\n\
                 + baseline service-alerts/action-group#create {asked} needs service-alerts/resource-group#create"
            )
        );
        for (said, at) in said.iter().zip(&all).skip(AT_HEALTH) {
            let name = at.strip_prefix("service-alerts/").unwrap();
            let expected = format!(
                "fails: there is no alert `landfall-{name}`\n+ baseline {at}#create {} needs service-alerts/action-group#create",
                alert(name)
            );
            assert_eq!(*said, expected);
        }
    }

    #[test]
    fn what_is_already_there_is_not_waited_for() {
        let said = agreed(Landscape::adopted(2)).saw_nothing(&at(SERVICE_HEALTH)).said(&ServiceAlerts);
        assert!(said[AT_HEALTH].starts_with("fails: ") && !said[AT_HEALTH].contains("needs"), "{said:?}");
    }

    #[test]
    fn who_is_not_told_is_told_and_what_is_lost_by_it_is_said() {
        let ended = json!([with(&receiver(TOLD[0]), "/status", json!("Disabled")), receiver(TOLD[1])]);
        let table = [
            ("/enabled", json!(false), "the action group is switched off", "/enabled", json!(true)),
            (
                "/emailReceivers",
                json!([receiver(TOLD[1])]),
                "nobody tells ops@acme.example",
                "/emailReceivers",
                json!([receiver(TOLD[1]), receiver(TOLD[0])]),
            ),
            (
                "/emailReceivers/0/useCommonAlertSchema",
                json!(false),
                "ops@acme.example is not told in the common schema",
                "/emailReceivers/0/useCommonAlertSchema",
                json!(true),
            ),
        ];
        for (pointer, there, why, changed, after) in table {
            let there = with(&action_group(), pointer, there);
            let said = |there: &Value| {
                let landscape = agreed(Landscape::adopted(2)).saw(&at(ACTION_GROUP), there.clone());
                landscape.said(&ServiceAlerts).remove(AT_ACTION_GROUP)
            };
            let after = with(&there, changed, after);
            let change = format!("~ baseline service-alerts/action-group#update {after}");
            assert_eq!(said(&there), format!("fails: {why}\n{change}"));
            let hooked = with(&there, "/others", json!({"webhookReceivers": 2}));
            let lost = "what others put there is lost: 2 webhookReceivers";
            assert_eq!(said(&hooked), format!("fails: {why}; {lost}\n{change} loses"));
        }
        let there = with(&action_group(), "/emailReceivers", ended);
        let said = agreed(Landscape::adopted(2)).saw(&at(ACTION_GROUP), there).said(&ServiceAlerts);
        assert_eq!(
            said[AT_ACTION_GROUP],
            "fails: ops@acme.example ended the mails, and only they can have them again"
        );
    }

    #[test]
    fn an_alert_that_was_turned_is_turned_back() {
        let theirs = json!({"actionGroupId": "/theirs"});
        let ours = json!({"actionGroupId": super::action_group(SCOPE)});
        let table = [
            ("/enabled", json!(false), "the alert is switched off", json!(true)),
            (
                "/scopes",
                json!(["/subscriptions/x"]),
                "the alert is not about the subscription",
                json!([SCOPE]),
            ),
            (
                "/actions/actionGroups",
                json!([theirs]),
                "the alert does not tell our action group",
                json!([theirs, ours]),
            ),
            (
                "/condition/allOf",
                json!([{"field": "category", "equals": "Autoscale"}]),
                "the alert is about something else",
                json!([{"field": "category", "equals": "ServiceHealth"}]),
            ),
        ];
        for (pointer, there, why, after) in table {
            let asked = alert(SERVICE_HEALTH);
            let landscape =
                agreed(Landscape::adopted(2)).saw(&at(SERVICE_HEALTH), with(&asked, pointer, there));
            let after = with(&asked, pointer, after);
            let expected = format!("fails: {why}\n~ baseline service-alerts/service-health#update {after}");
            assert_eq!(landscape.said(&ServiceAlerts)[AT_HEALTH], expected);
        }
    }

    #[test]
    fn somebody_has_to_be_named_and_a_place_may_be() {
        let mut landscape = agreed(Landscape::adopted(2)).saw_nothing(&at(RESOURCE_GROUP));
        let mut ask = |settings: Value| {
            let asked = &mut landscape.desired.asked;
            let asked = asked.iter_mut().find(|asked| asked.control == ServiceAlerts::KIND).unwrap();
            asked.settings = Ok(settings);
            landscape.said(&ServiceAlerts)
        };
        let said = ask(json!({"location": "westeurope", "recipients": TOLD}));
        assert!(said[AT_GROUP].ends_with("{\"location\":\"westeurope\"}"), "{said:?}");
        let said = ask(json!({"recipients": []}));
        let nobody = "the manifest names nobody who could be told: no contact for operations or security";
        assert_eq!(said, [format!("fails: {nobody}")]);
    }

    #[test]
    fn what_azure_answers_is_read_without_secrets() {
        let properties = json!({
            "groupShortName": "landfall", "enabled": true, "smsReceivers": [], "armRoleReceivers": null,
            "emailReceivers": [
                {"name": "a", "emailAddress": "a@acme.example", "useCommonAlertSchema": true, "status": "Enabled"},
                {"name": "b", "emailAddress": "b@acme.example", "useCommonAlertSchema": true, "status": "Disabled"},
            ],
            "webhookReceivers": [{"name": "w", "serviceUri": "https://hooks.example/secret"}],
        });
        let group = ActionGroup::of(properties.as_object().unwrap().clone()).unwrap();
        assert_eq!(group.others, BTreeMap::from([("webhookReceivers".to_owned(), 1)]));
        assert!(!json(&group).to_string().contains("secret"));
        let statuses: Vec<_> = group.email_receivers.iter().map(|one| one.status.as_deref()).collect();
        assert_eq!(statuses, [None, Some("Disabled")]);
        let sent = group.properties();
        assert!(!sent.to_string().contains("status") && sent.get("others").is_none(), "{sent}");

        let properties = json!({
            "enabled": true, "scopes": [SCOPE.to_uppercase()], "description": null,
            "condition": {"allOf": [
                {"field": "operationName", "equals": "x", "containsAny": null, "odata.type": null},
                {"field": "category", "equals": "y", "anyOf": null},
            ]},
            "actions": {"actionGroups": [{"actionGroupId": super::action_group(SCOPE).to_lowercase(), "webhookProperties": {}}]},
        });
        let Alert { scopes, condition, actions, .. } =
            Alert::of(properties.as_object().unwrap().clone(), SCOPE).unwrap();
        assert_eq!(scopes, [SCOPE]);
        assert_eq!(actions.action_groups[0].action_group_id, super::action_group(SCOPE));
        let sorted =
            [json!({"equals": "x", "field": "operationName"}), json!({"equals": "y", "field": "category"})];
        assert_eq!(condition.all_of, sorted);
    }
}
