use super::*;
use crate::controls::landscape::Landscape;

const AT: &str = "service-alerts/project";
const TOLD: [&str; 2] = ["Ops@acme.example", "security@acme.example"];
const KEYS: [&str; 2] = ["ops@acme.example", "security@acme.example"];

fn asked(recipients: &[&str]) -> Landscape {
    Landscape::adopted("acme-checkout-prod")
        .asks(ControlKind::ServiceAlerts, json!({"recipients": recipients}))
}

fn filter(name: &str) -> &'static str {
    WATCHES.iter().find(|watch| watch.name == name).unwrap().filter
}

/// Everything as it is asked, but for what differs.
fn agreed(differs: &[(&str, Value)]) -> Value {
    let alert =
        |watch: &Watch| (watch.name, json!({"enabled": true, "filter": watch.filter, "recipients": KEYS}));
    let alerts: BTreeMap<&str, Value> = WATCHES.iter().map(alert).collect();
    let on = json!({"enabled": true});
    let mut all = json!({"alerts": alerts, "recipients": {KEYS[0]: on, KEYS[1]: on}});
    for (pointer, value) in differs {
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let parent = all.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(last);
        } else {
            parent.insert(last.to_owned(), value.clone());
        }
    }
    all
}

fn said(differs: &[(&str, Value)]) -> String {
    asked(&TOLD).saw(AT, agreed(differs)).said(&ServiceAlerts).remove(0)
}

#[test]
fn everything_as_agreed_needs_nothing() {
    assert_eq!(asked(&TOLD).addresses(&ServiceAlerts), [AT]);
    assert_eq!(said(&[]), "holds");
    let broken = filter("owner").replace(" AND ", "\n  AND ");
    assert_eq!(said(&[("/alerts/owner/filter", json!(broken))]), "holds");
}

#[test]
fn a_project_without_them_gets_channels_and_then_alerts() {
    let said = asked(&TOLD).saw(AT, json!({})).said(&ServiceAlerts).remove(0);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2 + WATCHES.len());
    assert!(
        lines[0].starts_with(
            "fails: there is no channel to Ops@acme.example; there is no channel to security@acme.example; \
             there is no alert `audit-configuration`; there is no alert `bucket-access`; "
        ),
        "{said}"
    );
    assert_eq!(
        lines[1],
        "+ baseline service-alerts/project#tell {\"recipients\":{\"ops@acme.example\":{\"enabled\":true},\
         \"security@acme.example\":{\"enabled\":true}}} with {\"recipients\":[\"Ops@acme.example\",\
         \"security@acme.example\"]}"
    );
    for (line, watch) in lines[2..].iter().zip(&WATCHES) {
        let name = watch.name;
        let alert = json!({"enabled": true, "filter": watch.filter, "recipients": KEYS});
        let after = json!({"alerts": {name: alert}});
        let with = json!({"alert": name, "recipients": TOLD});
        let expected = format!(
            "+ baseline service-alerts/project#create-{name} {after} with {with} needs service-alerts/project#tell"
        );
        assert_eq!(*line, expected);
    }
}

#[test]
fn an_alert_that_was_turned_is_turned_back() {
    let table = [
        ("/alerts/owner/enabled", json!(false), "the alert `owner` is switched off"),
        ("/alerts/owner/filter", json!("severity=ERROR"), "the alert `owner` watches something else"),
        ("/alerts/owner/filter", Value::Null, "the alert `owner` watches something else"),
        ("/alerts/owner/recipients", json!([KEYS[1]]), "the alert `owner` does not tell Ops@acme.example"),
    ];
    let alert = json!({"enabled": true, "filter": filter("owner"), "recipients": KEYS});
    let after = json!({"alerts": {"owner": alert}});
    let with = json!({"alert": "owner", "recipients": TOLD});
    for (pointer, there, why) in table {
        let expected =
            format!("fails: {why}\n~ baseline service-alerts/project#update-owner {after} with {with}");
        assert_eq!(said(&[(pointer, there)]), expected);
    }
    let expected = format!(
        "fails: there is no alert `owner`\n+ baseline service-alerts/project#create-owner {after} with {with}"
    );
    assert_eq!(said(&[("/alerts/owner", Value::Null)]), expected);
}

#[test]
fn a_channel_that_was_turned_is_turned_back() {
    let change = "baseline service-alerts/project#tell {\"recipients\":{\"ops@acme.example\":{\"enabled\":true}}} \
                  with {\"recipients\":[\"Ops@acme.example\",\"security@acme.example\"]}";
    assert_eq!(
        said(&[("/recipients/ops@acme.example", json!({"enabled": false}))]),
        format!("fails: the channel to Ops@acme.example is switched off\n~ {change}")
    );
    assert_eq!(
        said(&[("/recipients/ops@acme.example", Value::Null)]),
        format!("fails: there is no channel to Ops@acme.example\n+ {change}")
    );
}

#[test]
fn what_only_others_can_put_right_is_reported() {
    let table = [
        (
            "/recipients/ops@acme.example",
            json!({"enabled": true, "unverified": true}),
            "Ops@acme.example has not confirmed the channel, and only they can",
        ),
        (
            "/alerts/route/invalid",
            json!("no such field"),
            "Google Cloud says that the alert `route` is invalid: no such field",
        ),
    ];
    for (pointer, there, why) in table {
        assert_eq!(said(&[(pointer, there)]), format!("fails: {why}"));
    }
    let nobody = "the manifest names nobody who could be told: no contact for operations or security";
    assert_eq!(asked(&[]).said(&ServiceAlerts), [format!("fails: {nobody}")]);
}

#[test]
fn ours_are_known_by_their_labels_or_their_names() {
    let channel = |value: Value| {
        let mut all = json!({"name": "projects/p/notificationChannels/1", "type": "email",
            "labels": {"email_address": "Ops@acme.example"}});
        all.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value::<ChannelAnswer>(all).unwrap().address()
    };
    let ours = Some("ops@acme.example".to_owned());
    assert_eq!(channel(json!({"userLabels": {"owner": "landfall"}, "displayName": "x"})), ours);
    assert_eq!(channel(json!({"userLabels": null, "displayName": "landfall ops@acme.example"})), ours);
    assert_eq!(channel(json!({"userLabels": {"owner": "them"}, "displayName": "landfall"})), None);
    assert_eq!(channel(json!({"userLabels": {"owner": "landfall"}, "type": "slack"})), None);

    let is_owner = |value: Value| {
        let mut all = json!({"name": "projects/p/alertPolicies/1"});
        all.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value::<PolicyAnswer>(all).unwrap().is("owner")
    };
    assert!(is_owner(json!({"userLabels": {"owner": "landfall", "alert": "owner"}})));
    assert!(is_owner(json!({"displayName": "landfall owner"})));
    assert!(!is_owner(
        json!({"displayName": "owner", "userLabels": {"owner": "landfall", "alert": "route"}})
    ));
    assert!(!is_owner(json!({"userLabels": {"owner": "them", "alert": "owner"}})));
}
