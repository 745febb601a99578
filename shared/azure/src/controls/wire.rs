//! A subscription's settings over the wire, against the simulator: look, write what is asked, twice, look again, and nothing is left
//! to do. What others set is there afterwards as it was.

mod federation;

use jiff::Timestamp;
use landfall_engine::cloud::Made;
use landfall_engine::control::AnyControl;
use landfall_engine::landscape::asking;
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use serde_json::json;

use super::landscape::{Landscape, subscription};
use super::{Offer, ground, offer};
use crate::client::Azure;
use crate::session::Door;

type Any<'a> = &'a dyn AnyControl<super::Azure>;

/// A directory on this machine, and the way there.
struct Wire {
    simulator: AzureSimulator,
    door: Door,
}

impl Wire {
    fn new(prepare: impl FnOnce(&mut AzureWorld)) -> Self {
        let mut world = AzureWorld::sample(4);
        prepare(&mut world);
        let simulator = AzureSimulator::start(AzureOptions { world: Some(world), ..AzureOptions::default() });
        let simulator = simulator.unwrap();
        let azure = Azure::loopback(&simulator.url()).unwrap();
        let door = Door::new(&azure, ground(&Landscape::organization().desired).unwrap().clone()).unwrap();
        Wire { simulator, door }
    }

    async fn looked(&self, control: Any<'_>, asked: &Asked, desired: &Desired) -> Observed {
        let reader = self.door.reader(desired.target.tenant().map_or("", |id| id.native()));
        let mut observed = Observed::default();
        for address in control.addresses(asked, desired) {
            let seen = control.look(&reader, desired, &address).await.seen;
            observed.0.insert(address, Look { seen, at: Timestamp::UNIX_EPOCH, request: None });
        }
        observed
    }

    async fn judged(&self, control: Any<'_>, asked: &Asked, desired: &Desired) -> Vec<Judgement> {
        control.judge(asked, desired, &self.looked(control, asked, desired).await)
    }

    /// Makes what is asked hold; answers what was wrong before.
    async fn made_to_hold(&self, control: Any<'_>, asked: &Asked, desired: &Desired) -> Vec<String> {
        let writer = self.door.writer(desired.target.tenant().map_or("", |id| id.native()));
        let mut wrong = Vec::new();
        for judgement in self.judged(control, asked, desired).await {
            let Verdict::Fails { why, changes } = judgement.verdict else { continue };
            wrong.push(why);
            for change in changes {
                for turn in ["once", "twice"] {
                    let written = control.write(&writer, &change, &Made::new()).await;
                    assert!(written.is_ok(), "{} {turn}: {written:?}", change.id);
                }
            }
        }
        // Looking is how time passes in the simulator: a registration is over at the second look.
        for _ in 0..2 {
            self.judged(control, asked, desired).await;
        }
        for Judgement { address, verdict, .. } in self.judged(control, asked, desired).await {
            assert_eq!(verdict, Verdict::Holds, "{address}");
        }
        wrong
    }

    /// The same for a control of the table, as the manifest asks it of the target.
    async fn held(&self, kind: ControlKind, desired: &Desired) -> Vec<String> {
        let Offer::Control(control) = offer(kind) else { panic!("{kind} is not offered") };
        let asked = desired.asked(kind).unwrap_or_else(|| panic!("{kind} is not asked"));
        self.made_to_hold(control, asked, desired).await
    }
}

fn network(world: &mut AzureWorld, number: u32) {
    let subscription = world.subscription_mut(&subscription(number)).unwrap();
    subscription.add_resource_group("network", "westeurope");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_written_and_then_hold() {
    let wire = Wire::new(|world| network(world, 2));
    let desired = Landscape::adopted(2).desired;
    let table: [(ControlKind, &[&str]); 8] = [
        (
            ControlKind::EnabledServices,
            &[
                "the subscription is not registered for `Microsoft.Insights`",
                "the subscription is not registered for `Microsoft.PolicyInsights`",
                "the subscription is not registered for `Microsoft.Security`",
            ],
        ),
        (ControlKind::ResourceLocks, &["nothing stops the resource group `network` from being deleted"]),
        (ControlKind::AuditLog, &["the activity log is not sent to the named place"]),
        (ControlKind::ThreatDetection, &["the plan `Arm` is not on", "the plan `KeyVaults` is not on"]),
        (ControlKind::AccountAlias, &["the subscription's name is `team-0002`"]),
        (ControlKind::SecurityContacts, &["there is no contact"]),
        (ControlKind::Budget, &["there is no budget"]),
        (
            ControlKind::ServiceAlerts,
            &[
                "there is no resource group `landfall`",
                "there is no action group `landfall-operations`",
                "there is no alert `landfall-service-health`",
                "there is no alert `landfall-firewall-rule-delete`",
                "there is no alert `landfall-firewall-rule-write`",
                "there is no alert `landfall-policy-assignment-delete`",
                "there is no alert `landfall-policy-assignment-write`",
                "there is no alert `landfall-public-ip-delete`",
                "there is no alert `landfall-public-ip-write`",
                "there is no alert `landfall-security-group-delete`",
                "there is no alert `landfall-security-group-write`",
                "there is no alert `landfall-security-solution-delete`",
                "there is no alert `landfall-security-solution-write`",
            ],
        ),
    ];
    for (kind, wrong) in table {
        assert_eq!(wire.held(kind, &desired).await, wrong, "{kind}");
        assert_eq!(wire.held(kind, &desired).await, [""; 0], "{kind}");
    }
}

/// A subscription that was never used, where nobody asks for `enabled-services`.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_subscription_is_registered_by_what_needs_it() {
    let wire = Wire::new(|world| world.settings.register_polls = 0);
    let desired = Landscape::adopted(2).desired;
    // Each registers what it stands on.
    for (kind, wrong) in [(ControlKind::SecurityContacts, 1), (ControlKind::ServiceAlerts, 13)] {
        assert_eq!(wire.held(kind, &desired).await.len(), wrong, "{kind}");
    }
    let registered = wire.simulator.read(|world| {
        let providers = &world.subscription(&subscription(2)).unwrap().providers;
        ["microsoft.security", "microsoft.insights"].map(|name| providers[name].state.clone())
    });
    assert_eq!(registered, ["Registered", "Registered"]);
}

/// A change that was planned before the registration may still be made after it: the setting is as the plan saw it.
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_changes_nothing_that_a_plan_saw() {
    let wire = Wire::new(|_| {});
    let desired = Landscape::new(2).desired;
    let kinds = [ControlKind::AuditLog, ControlKind::SecurityContacts, ControlKind::ThreatDetection];
    let mut looks: [Vec<Observed>; 2] = [Vec::new(), Vec::new()];
    for looks in &mut looks {
        for kind in kinds {
            let Offer::Control(control) = offer(kind) else { panic!() };
            looks.push(wire.looked(control, desired.asked(kind).unwrap(), &desired).await);
        }
        wire.held(ControlKind::EnabledServices, &desired).await;
    }
    assert_eq!(looks[0], looks[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_set_stays() {
    let budget = json!({
        "category": "Cost", "amount": 10, "timeGrain": "Monthly",
        "timePeriod": {"startDate": "2026-01-01T00:00:00Z"},
        "notifications": {"theirs": {
            "enabled": true, "operator": "GreaterThan", "threshold": 80, "contactEmails": ["ada@acme.example"],
            "contactRoles": null, "contactGroups": null,
        }},
    });
    let contact = json!({"emails": "ada@acme.example", "phone": "", "isEnabled": true,
        "notificationsByRole": {"state": "Off", "roles": []}, "notificationsSources": null});
    let wire = Wire::new(|world| {
        let resource = landfall_simulator::azure::Resource::new;
        let four = world.subscription_mut(&subscription(4)).unwrap();
        four.register("Microsoft.Security");
        four.security_contacts.insert("default".to_owned(), resource("default", &contact));
        four.governance.budgets.insert("landfall-monthly".to_owned(), resource("landfall-monthly", &budget));
        network(world, 4);
    });
    let mut desired = Landscape::adopted(4).desired;
    let two = Landscape::adopted(2).desired;
    desired.asked = two.asked;
    // The subscription's lock is the team's, and holds for all that is in it.
    assert_eq!(wire.held(ControlKind::ResourceLocks, &desired).await, [""; 0]);
    assert_eq!(
        wire.held(ControlKind::AuditLog, &desired).await,
        ["the activity log is not sent to the named place"]
    );
    assert_eq!(
        wire.held(ControlKind::SecurityContacts, &desired).await,
        [
            "nobody tells security@acme.example of alerts; the telephone number is another one; the contact is not told of \
          alerts"
        ]
    );
    let wrong = wire.held(ControlKind::Budget, &desired).await;
    assert_eq!(
        wrong,
        [
            "the budget is 10; at 50 % nobody tells anybody; at 80 % nobody tells ops@acme.example, security@acme.example; \
          at 100 % nobody tells anybody"
        ]
    );
    let (settings, contact, notification) = wire.simulator.read(|world| {
        let four = world.subscription(&subscription(4)).unwrap();
        (
            four.governance.diagnostic_settings.keys().cloned().collect::<Vec<_>>(),
            four.security_contacts["default"].properties["emails"].clone(),
            four.governance.budgets["landfall-monthly"].properties["notifications"]["theirs"].clone(),
        )
    });
    assert_eq!(settings, ["landfall-audit", "team"]);
    assert_eq!(contact, "ada@acme.example;security@acme.example");
    assert_eq!(
        notification["contactEmails"],
        json!(["ada@acme.example", "ops@acme.example", "security@acme.example"])
    );
}

/// The team has a resource group of our name elsewhere, an alert of its own, and has turned ours to its ends.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_of_others_stay_and_ours_are_put_right() {
    let scope = format!("/subscriptions/{}", subscription(2));
    let theirs = json!({"enabled": true, "scopes": [scope], "condition": {"allOf": []}, "actions": {"actionGroups": []}});
    let turned = json!({
        "enabled": false, "scopes": [scope.to_uppercase()],
        "condition": {"allOf": [{"field": "Category", "equals": "ResourceHealth", "containsAny": null, "anyOf": null}]},
        "actions": {"actionGroups": [{"actionGroupId": "/subscriptions/x/actionGroups/team", "webhookProperties": {}}]},
    });
    let wire = Wire::new(|world| {
        let group =
            world.subscription_mut(&subscription(2)).unwrap().add_resource_group("Landfall", "northeurope");
        let kind = "Microsoft.Insights/activityLogAlerts";
        group.add_resource(kind, "team", "Global", &theirs);
        group.add_resource(kind, "landfall-service-health", "Global", &turned);
        let told = json!({
            "groupShortName": "team", "enabled": true,
            "emailReceivers": [{"name": "a", "emailAddress": "ada@acme.example", "useCommonAlertSchema": false, "status": "Enabled"}],
            "webhookReceivers": [{"name": "w", "serviceUri": "https://hooks.example/secret"}],
        });
        group.add_resource("Microsoft.Insights/actionGroups", "landfall-operations", "Global", &told);
        world.subscription_mut(&subscription(2)).unwrap().register("Microsoft.Insights");
    });
    let desired = Landscape::adopted(2).desired;
    let wrong = wire.held(ControlKind::ServiceAlerts, &desired).await;
    assert_eq!(wrong.len(), 12);
    assert_eq!(
        wrong[..2],
        [
            "nobody tells ops@acme.example; nobody tells security@acme.example; what others put there is lost: 1 \
             webhookReceivers",
            "the alert is switched off; the alert is about something else; the alert does not tell our action group",
        ]
    );
    let (location, alert, team, told) = wire.simulator.read(|world| {
        let group = &world.subscription(&subscription(2)).unwrap().resource_groups["landfall"];
        let there = |name: &str| serde_json::to_value(&group.resources[name].resource.properties).unwrap();
        (
            group.location.clone(),
            there("microsoft.insights/activitylogalerts/landfall-service-health"),
            there("microsoft.insights/activitylogalerts/team"),
            there("microsoft.insights/actiongroups/landfall-operations"),
        )
    });
    assert_eq!((location.as_str(), &team), ("northeurope", &theirs));
    assert_eq!(alert["condition"]["allOf"], json!([{"equals": "ServiceHealth", "field": "category"}]));
    let links = alert["actions"]["actionGroups"].as_array().unwrap();
    assert_eq!(links.len(), 2);
    let receivers = told["emailReceivers"].as_array().unwrap();
    assert_eq!(receivers.len(), 3);
    assert_eq!(told["groupShortName"], "team");
    assert!(receivers.iter().all(|one| one.get("status").is_none()), "{receivers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_reported() {
    let wire = Wire::new(|world| {
        world.subscription_mut(&subscription(2)).unwrap().register("Microsoft.Security");
    });
    let desired = Landscape::adopted(2).desired;
    let table = [
        (
            asking(
                ControlKind::ResourceLocks,
                json!({"tenant": false, "resource-groups": ["nowhere", ".."]}),
            ),
            "there is no resource group `nowhere` to lock; there is no resource group `..` to lock",
        ),
        (
            asking(
                ControlKind::ThreatDetection,
                json!({"aws": [], "azure": ["ContainerRegistry", "Nothing"], "gcp": []}),
            ),
            "the plan `ContainerRegistry` is deprecated: `Containers` takes its place; Defender for Cloud has no plan \
             `Nothing` here",
        ),
        (
            asking(
                ControlKind::EnabledServices,
                json!({"aws": [], "azure": ["Microsoft.Nothing"], "gcp": []}),
            ),
            "Azure knows no resource provider `Microsoft.Nothing`",
        ),
    ];
    for (asked, expected) in table {
        let Offer::Control(control) = offer(asked.control) else { panic!() };
        let alone = Desired { asked: vec![asked.clone()], ..desired.clone() };
        let told: Vec<String> = wire
            .judged(control, &asked, &alone)
            .await
            .into_iter()
            .map(|judgement| {
                let Verdict::Fails { why, changes } = judgement.verdict else {
                    panic!("{}", judgement.address)
                };
                assert!(changes.is_empty(), "{}: {changes:?}", judgement.address);
                why
            })
            .collect();
        assert_eq!(told.join("; "), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_once_is_the_organizations_own() {
    let wire = Wire::new(|_| {});
    let desired = Landscape::organization().desired;
    let workspace = "/subscriptions/3f2c0000-0000-4000-8000-000000000001/resourceGroups/logs/providers\
                     /Microsoft.OperationalInsights/workspaces/central";
    let asked = asking(ControlKind::AuditLog, json!({"azure": workspace}));
    let Offer::Control(audit_log) = offer(ControlKind::AuditLog) else { panic!() };
    let wrong = wire.made_to_hold(audit_log, &asked, &desired).await;
    assert_eq!(wrong, ["the activity log is not sent to the named place"]);
    let asked = asking(ControlKind::ProtectBaseline, json!({}));
    let Offer::Control(protect_baseline) = offer(ControlKind::ProtectBaseline) else { panic!() };
    let wrong = wire.made_to_hold(protect_baseline, &asked, &desired).await;
    assert_eq!(wrong, ["whoever owns a subscription may take it out of the directory"]);
}
