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
        ("/scopes", json!(["/subscriptions/x"]), "the alert is not about the subscription", json!([SCOPE])),
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
        let landscape = agreed(Landscape::adopted(2)).saw(&at(SERVICE_HEALTH), with(&asked, pointer, there));
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
