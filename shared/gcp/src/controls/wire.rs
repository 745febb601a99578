//! A project's settings over the wire, against the simulator: look, write what is asked, twice, look again, and nothing is left to do.
//! What others set is there afterwards as it was.

use jiff::Timestamp;
use landfall_engine::cloud::Made;
use landfall_engine::control::AnyControl;
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Asked, Desired};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld, LEGACY_FOLDER};

use super::landscape::Landscape;
use super::{Offer, ground, offer};
use crate::client::Gcp;
use crate::session::Door;

type Any<'a> = &'a dyn AnyControl<super::Gcp>;

const ROOT: &str = "organizations/123456789012";
pub(super) const CHECKOUT: &str = "acme-checkout-prod";

/// An organization on this machine, and the way there.
pub(super) struct Wire {
    pub(super) simulator: GcpSimulator,
    door: Door,
}

impl Wire {
    pub(super) fn new(prepare: impl FnOnce(&mut GcpWorld)) -> Self {
        let mut world = GcpWorld::sample(0);
        world.add_project(CHECKOUT, ROOT, Timestamp::UNIX_EPOCH);
        prepare(&mut world);
        let simulator = GcpSimulator::start(GcpOptions { world: Some(world), ..GcpOptions::default() });
        let simulator = simulator.unwrap();
        let gcp = Gcp::loopback(&simulator.url()).unwrap();
        let door = Door::new(&gcp, ground(&Landscape::organization().desired).unwrap().clone()).unwrap();
        Wire { simulator, door }
    }

    async fn judged(&self, control: Any<'_>, asked: &Asked, desired: &Desired) -> Vec<Judgement> {
        let reader = self.door.reader(desired.target.tenant().map_or("", |id| id.native()));
        let mut observed = Observed::default();
        for address in control.addresses(asked, desired) {
            let seen = control.look(&reader, desired, &address).await.seen;
            observed.0.insert(address, Look { seen, at: Timestamp::UNIX_EPOCH, request: None });
        }
        control.judge(asked, desired, &observed)
    }

    /// Makes what the manifest asks of the target hold; answers what was wrong before.
    async fn held(&self, kind: ControlKind, desired: &Desired) -> Vec<String> {
        let Offer::Control(control) = offer(kind) else { panic!("{kind} is not offered") };
        let asked = desired.asked(kind).unwrap_or_else(|| panic!("{kind} is not asked"));
        let writer = self.door.writer(desired.target.tenant().map_or("", |id| id.native()));
        let mut wrong = Vec::new();
        let mut made = Made::new();
        for judgement in self.judged(control, asked, desired).await {
            let (Verdict::Fails { why, changes } | Verdict::Due { why, changes }) = judgement.verdict else {
                assert_eq!(judgement.verdict, Verdict::Holds, "{}", judgement.address);
                continue;
            };
            wrong.push(why);
            for change in changes {
                let once = control.write(&writer, &change, &made).await.unwrap();
                let twice = control.write(&writer, &change, &made).await.unwrap();
                assert_eq!(once, twice, "{}", change.id);
                made.insert(change.id, once);
            }
        }
        for Judgement { address, verdict, .. } in self.judged(control, asked, desired).await {
            assert_eq!(verdict, Verdict::Holds, "{address}");
        }
        wrong
    }

    /// The same, and again, when there is nothing left to do.
    pub(super) async fn held_twice(&self, kind: ControlKind, desired: &Desired) -> Vec<String> {
        let wrong = self.held(kind, desired).await;
        self.simulator.clear_calls();
        assert_eq!(self.held(kind, desired).await, [""; 0], "{kind}");
        wrong
    }

    fn parent(&self, project: &str) -> String {
        self.simulator.read(|world| world.project(project).unwrap().parent.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_below_each_other_and_a_project_is_moved_there() {
    let wire = Wire::new(|_| {});
    let organization = Landscape::organization().desired;
    let checkout = Landscape::adopted(CHECKOUT).desired;
    let wrong = wire.held_twice(ControlKind::Units, &organization).await;
    assert_eq!(
        wrong,
        [
            "the unit `sandbox` does not exist",
            "the unit `workloads` does not exist",
            "the unit `workloads/production` does not exist"
        ]
    );
    let production = wire.simulator.read(|world| {
        let named = |name: &str| world.folders.values().find(|folder| folder.display_name == name).unwrap();
        let (workloads, production) = (named("workloads"), named("production"));
        assert_eq!((&*workloads.parent, &production.parent), (ROOT, &workloads.name));
        assert_eq!(world.folders.len(), 4, "the one that is adopted is not made again");
        production.name.clone()
    });
    let wrong = wire.held_twice(ControlKind::Placement, &checkout).await;
    assert_eq!(
        wrong,
        [format!("the project stands in `{ROOT}`, not in `workloads/production` (`{production}`)")]
    );
    assert_eq!(wire.parent(CHECKOUT), production);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_being_deleted_is_none_and_an_adopted_one_that_is_gone_is_reported() {
    let wire = Wire::new(|world| {
        let gone = world.add_folder("sandbox", ROOT);
        for name in [gone.as_str(), LEGACY_FOLDER] {
            world.folders.get_mut(name).unwrap().deleted_at = Some(Timestamp::UNIX_EPOCH);
        }
        let workloads = world.add_folder("workloads", ROOT);
        world.add_folder("production", &workloads);
    });
    let organization = Landscape::organization().desired;
    let Offer::Control(control) = offer(ControlKind::Units) else { panic!() };
    let asked = organization.asked(ControlKind::Units).unwrap();
    let judged = wire.judged(control, asked, &organization).await;
    let why = |at: usize| {
        let Verdict::Fails { why, changes } = &judged[at].verdict else { panic!("{judged:?}") };
        (why.clone(), changes.len())
    };
    let adopts = format!("`legacy` adopts `{LEGACY_FOLDER}`, which the organization does not have");
    assert_eq!(why(0), (adopts, 0));
    assert_eq!(why(1), ("the unit `sandbox` does not exist".to_owned(), 1));
    assert_eq!([&judged[2].verdict, &judged[3].verdict], [&Verdict::Holds, &Verdict::Holds]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_made_since_the_tree_was_read_is_found_by_its_project() {
    let wire = Wire::new(|_| {});
    let checkout = Landscape::adopted(CHECKOUT).desired;
    let reader = wire.door.reader(CHECKOUT);
    // Somebody reads the tree, and then another process makes the folders.
    reader.0.directory.tree().await.unwrap();
    let production = wire.simulator.edit(|world| {
        let workloads = world.add_folder("workloads", ROOT);
        world.add_folder("production", &workloads)
    });
    wire.held_twice(ControlKind::Placement, &checkout).await;
    assert_eq!(wire.parent(CHECKOUT), production);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_labels_are_written_beside_those_of_others() {
    let wire = Wire::new(|world| {
        let labels = &mut world.project_mut(CHECKOUT).unwrap().labels;
        labels.insert("theirs".to_owned(), "stays".to_owned());
        labels.insert("team".to_owned(), "somebody".to_owned());
    });
    let checkout = Landscape::adopted(CHECKOUT).desired;
    let wrong = wire.held_twice(ControlKind::AccountAlias, &checkout).await;
    assert_eq!(wrong, ["the project's name is `acme-checkout-prod`"]);
    wire.held_twice(ControlKind::Tags, &checkout).await;
    wire.simulator.read(|world| {
        let project = world.project(CHECKOUT).unwrap();
        assert_eq!(project.display_name, "acme-checkout-production");
        assert_eq!((&*project.labels["theirs"], &*project.labels["team"]), ("stays", "payments"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn liens_are_placed_once_beside_those_of_others() {
    let wire = Wire::new(|world| {
        let theirs = serde_json::json!({"restrictions": ["resourcemanager.projects.delete"], "origin": "team", "reason": "ask us"});
        let governance = &mut world.project_mut(CHECKOUT).unwrap().governance;
        governance.things_mut("cloudresourcemanager/liens").insert("p1-l1".to_owned(), theirs);
    });
    let checkout = Landscape::adopted(CHECKOUT).desired;
    for kind in [ControlKind::ProtectBaseline, ControlKind::ResourceLocks] {
        assert_eq!(wire.held_twice(kind, &checkout).await.len(), 1, "{kind}");
    }
    let origins = wire.simulator.read(|world| {
        let liens = world.project(CHECKOUT).unwrap().governance.things("cloudresourcemanager/liens");
        let mut origins: Vec<String> = liens.values().map(|lien| lien["origin"].to_string()).collect();
        origins.sort_unstable();
        origins
    });
    assert_eq!(origins, ["\"landfall.protect-baseline\"", "\"landfall.resource-locks\"", "\"team\""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_made_once_and_bound_beside_those_of_others() {
    let wire = Wire::new(|_| {});
    let organization = Landscape::organization().desired;
    let checkout = Landscape::adopted(CHECKOUT).desired;
    let wrong = wire.held_twice(ControlKind::ResourceTags, &organization).await;
    assert_eq!(wrong, ["there is no tag key `exposure`"]);
    // Somebody else has values and bindings of their own: another value of our key, and a key of theirs.
    wire.simulator.edit(|world| {
        let things = &mut world.organization.governance;
        let exposure = things.things("cloudresourcemanager/tagKeys").values().next().unwrap()["name"].clone();
        for (id, key, namespaced) in [
            ("71", &exposure, "123456789012/exposure/public"),
            ("72", &serde_json::json!("tagKeys/9"), "123456789012/theirs/stays"),
        ] {
            let value = serde_json::json!({
                "name": format!("tagValues/{id}"), "parent": key, "namespacedName": namespaced,
                "shortName": namespaced.rsplit('/').next(),
            });
            things.things_mut("cloudresourcemanager/tagValues").insert(id.to_owned(), value);
        }
        let tags = &mut world.project_mut(CHECKOUT).unwrap().governance.tags;
        tags.extend(["tagValues/71".to_owned(), "tagValues/72".to_owned()]);
    });
    let wrong = wire.held_twice(ControlKind::ResourceTags, &checkout).await;
    assert_eq!(wrong, ["the tag `exposure` is `public`, not `internal`"]);
    let bound = wire.simulator.read(|world| {
        let values = world.organization.governance.things("cloudresourcemanager/tagValues");
        let tags = &world.project(CHECKOUT).unwrap().governance.tags;
        let named = |tag: &String| values[tag.strip_prefix("tagValues/").unwrap()]["namespacedName"].clone();
        tags.iter().map(named).collect::<Vec<_>>()
    });
    assert_eq!(bound.len(), 2);
    for expected in ["123456789012/exposure/internal", "123456789012/theirs/stays"] {
        assert!(bound.iter().any(|bound| bound == expected), "{bound:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apis_are_enabled_and_those_of_others_stay() {
    let wire = Wire::new(|world| {
        let services = &mut world.project_mut(CHECKOUT).unwrap().services;
        services.remove("logging.googleapis.com");
        services.remove("monitoring.googleapis.com");
        services.insert("run.googleapis.com".to_owned());
    });
    let checkout = Landscape::adopted(CHECKOUT).desired;
    let wrong = wire.held_twice(ControlKind::EnabledServices, &checkout).await;
    assert_eq!(wrong, ["not enabled: logging.googleapis.com, monitoring.googleapis.com"]);
    wire.simulator.read(|world| {
        let services = &world.project(CHECKOUT).unwrap().services;
        assert!(services.contains("run.googleapis.com") && services.contains("logging.googleapis.com"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_google_does_not_know_does_not_keep_the_others_from_being_enabled() {
    let wire = Wire::new(|world| world.project_mut(CHECKOUT).unwrap().services.clear());
    let mut checkout = Landscape::adopted(CHECKOUT).desired;
    checkout.asked.retain(|asked| asked.control == ControlKind::EnabledServices);
    let apis = ["logging.googleapis.com", "nobody-knows.googleapis.com"];
    checkout.asked[0].settings = Ok(serde_json::json!({"aws": [], "azure": [], "gcp": apis}));
    let Offer::Control(control) = offer(ControlKind::EnabledServices) else { panic!() };
    let judged = wire.judged(control, &checkout.asked[0], &checkout).await;
    let Verdict::Fails { changes, .. } = &judged[0].verdict else { panic!() };
    let written = control.write(&wire.door.writer(CHECKOUT), &changes[0], &Made::new()).await;
    let why = written.unwrap_err();
    assert!(why.starts_with("`nobody-knows.googleapis.com` could not be enabled"), "{why}");
    for _ in 0..3 {
        wire.judged(control, &checkout.asked[0], &checkout).await;
    }
    let judged = wire.judged(control, &checkout.asked[0], &checkout).await;
    let Verdict::Fails { why, .. } = &judged[0].verdict else { panic!() };
    assert_eq!(why, "not enabled: nobody-knows.googleapis.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_told_beside_others_and_those_of_folders_above_count() {
    let contact = |email: &str, categories: &[&str]| serde_json::json!({"email": email, "languageTag": "de", "notificationCategorySubscriptions": categories});
    let wire = Wire::new(|world| {
        let kind = "essentialcontacts/contacts";
        let above = world.organization.governance.things_mut(kind);
        above.insert("1".to_owned(), contact("bills@acme.example", &["ALL"]));
        let name = format!("{}/contacts/2", world.project(CHECKOUT).unwrap().name());
        let here = world.project_mut(CHECKOUT).unwrap().governance.things_mut(kind);
        let mut security = contact("Security@acme.example", &["LEGAL"]);
        security["name"] = serde_json::json!(name);
        here.insert("2".to_owned(), security);
        here.insert("3".to_owned(), contact("ada@acme.example", &["SECURITY"]));
    });
    let checkout = Landscape::adopted(CHECKOUT).desired;
    let wrong = wire.held_twice(ControlKind::SecurityContacts, &checkout).await;
    assert_eq!(
        wrong,
        ["nobody tells ops@acme.example of SUSPENSION, TECHNICAL; \
          nobody tells security@acme.example of SECURITY, SUSPENSION"]
    );
    wire.simulator.read(|world| {
        let here = world.project(CHECKOUT).unwrap().governance.things("essentialcontacts/contacts");
        assert_eq!(here.len(), 3, "{here:?}");
        let told = &here["2"]["notificationCategorySubscriptions"];
        assert_eq!(told, &serde_json::json!(["LEGAL", "SECURITY", "SUSPENSION"]));
        assert_eq!(here["3"], contact("ada@acme.example", &["SECURITY"]));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_linked_to_the_account_that_was_agreed() {
    let wire = Wire::new(|world| {
        world.billing_accounts.insert("AAAAAA-BBBBBB-CCCCCC".to_owned(), Default::default());
        world.project_mut(CHECKOUT).unwrap().billing_account = Some("AAAAAA-BBBBBB-CCCCCC".to_owned());
    });
    let checkout = Landscape::adopted(CHECKOUT).desired;
    wire.held_twice(ControlKind::BillingAccount, &checkout).await;
    let pays = wire.simulator.read(|world| world.project(CHECKOUT).unwrap().billing_account.clone());
    assert_eq!(pays.as_deref(), Some("01AB23-45CD67-89EF01"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_made_once_and_what_others_put_to_it_stays() {
    let wire = Wire::new(|_| {});
    let checkout = Landscape::adopted(CHECKOUT).desired;
    assert_eq!(wire.held_twice(ControlKind::Budget, &checkout).await, ["there is no budget"]);
    let kind = "billingbudgets/budgets";
    wire.simulator.edit(|world| {
        let channels =
            world.project_mut(CHECKOUT).unwrap().governance.things_mut("monitoring/notificationChannels");
        assert_eq!(channels.len(), 3);
        let budgets = world.billing_accounts.get_mut("01AB23-45CD67-89EF01").unwrap().things_mut(kind);
        assert_eq!(budgets.len(), 1, "once");
        let budget = budgets.values_mut().next().unwrap();
        budget["amount"]["specifiedAmount"]["units"] = serde_json::json!("10");
        budget["budgetFilter"]["services"] = serde_json::json!(["services/6F81-5844-456A"]);
        budget["notificationsRule"] =
            serde_json::json!({"pubsubTopic": "projects/x/topics/spent", "schemaVersion": "1.0"});
        let rules = budget["thresholdRules"].as_array_mut().unwrap();
        rules.remove(1);
        rules.push(serde_json::json!({"thresholdPercent": 1.2, "spendBasis": "FORECASTED_SPEND"}));
        let mut theirs = budget.clone();
        theirs["displayName"] = serde_json::json!("theirs");
        theirs["name"] = serde_json::json!("billingAccounts/01AB23-45CD67-89EF01/budgets/theirs");
        budgets.insert("theirs".to_owned(), theirs);
    });
    let wrong = wire.held_twice(ControlKind::Budget, &checkout).await;
    assert_eq!(
        wrong,
        [
            "the budget is 10; the budget is not about all costs of a month; at 80 % nobody is told; the budget tells \
          nobody at bills@acme.example, ops@acme.example, security@acme.example"
        ]
    );
    wire.simulator.read(|world| {
        let channels = world.project(CHECKOUT).unwrap().governance.things("monitoring/notificationChannels");
        assert_eq!(channels.len(), 3, "those that are there are used");
        let budgets = world.billing_accounts["01AB23-45CD67-89EF01"].things(kind);
        assert_eq!(budgets["theirs"]["amount"]["specifiedAmount"]["units"], "10");
        let (_, ours) = budgets.iter().find(|(id, _)| *id != "theirs").unwrap();
        assert_eq!(ours["notificationsRule"]["pubsubTopic"], "projects/x/topics/spent");
        assert_eq!(ours["thresholdRules"].as_array().unwrap().len(), 4);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_are_looked_for_and_a_service_that_is_on_above_is_left_alone() {
    let modules = serde_json::json!({"MALWARE_BAD_IP": {"intendedEnablementState": "DISABLED"}});
    let kind = "securitycentermanagement/services";
    let wire = Wire::new(|world| {
        let on = serde_json::json!({"intendedEnablementState": "ENABLED"});
        world.at(ROOT).unwrap().things_mut(kind).insert("vm-threat-detection".to_owned(), on);
        let theirs = serde_json::json!({"intendedEnablementState": "DISABLED", "modules": modules});
        let governance = &mut world.project_mut(CHECKOUT).unwrap().governance;
        governance.things_mut(kind).insert("event-threat-detection".to_owned(), theirs);
    });
    let settings =
        serde_json::json!({"aws": [], "azure": [], "gcp": ["EVENT_THREAT_DETECTION", "vm-threat-detection"]});
    let checkout = Landscape::adopted(CHECKOUT).asks(ControlKind::ThreatDetection, settings).desired;
    let wrong = wire.held_twice(ControlKind::ThreatDetection, &checkout).await;
    assert_eq!(wrong, ["the service `event-threat-detection` is not on"]);
    wire.simulator.read(|world| {
        let services = world.project(CHECKOUT).unwrap().governance.things(kind);
        assert_eq!(services.len(), 1);
        assert_eq!(services["event-threat-detection"]["modules"], modules);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detection_that_google_does_not_know_is_reported() {
    let wire = Wire::new(|_| {});
    let settings = serde_json::json!({"aws": [], "azure": [], "gcp": ["../nothing", "nothing"]});
    let checkout = Landscape::adopted(CHECKOUT).asks(ControlKind::ThreatDetection, settings).desired;
    let Offer::Control(control) = offer(ControlKind::ThreatDetection) else { panic!() };
    let asked = checkout.asked(ControlKind::ThreatDetection).unwrap();
    for Judgement { verdict, .. } in wire.judged(control, asked, &checkout).await {
        let Verdict::Fails { why, changes } = verdict else { panic!("{verdict:?}") };
        assert!(why.contains("shows no service") && changes.is_empty(), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn standards_are_assessed() {
    let wire = Wire::new(|_| {});
    let settings = serde_json::json!({"aws": [], "azure": [], "gcp": []});
    let checkout = Landscape::adopted(CHECKOUT).asks(ControlKind::StandardsAssessment, settings).desired;
    let wrong = wire.held_twice(ControlKind::StandardsAssessment, &checkout).await;
    assert_eq!(wrong, ["the service `security-health-analytics` is not on"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_alerts_are_made_once_and_drift_is_put_back_beside_what_others_have() {
    use serde_json::json;
    const CHANNELS: &str = "monitoring/notificationChannels";
    const POLICIES: &str = "monitoring/alertPolicies";
    let channel = json!({
        "name": "projects/acme-checkout-prod/notificationChannels/theirs", "type": "email", "displayName": "theirs",
        "labels": {"email_address": "ops@acme.example"}, "enabled": false,
    });
    let policy = json!({
        "name": "projects/acme-checkout-prod/alertPolicies/theirs", "displayName": "owner", "combiner": "OR",
        "conditions": [{"displayName": "any", "conditionAbsent": {"filter": "x"}}], "enabled": false,
    });
    let wire = Wire::new(|world| {
        let governance = &mut world.project_mut(CHECKOUT).unwrap().governance;
        governance.things_mut(CHANNELS).insert("theirs".to_owned(), channel.clone());
        governance.things_mut(POLICIES).insert("theirs".to_owned(), policy.clone());
    });
    let recipients = json!({"recipients": ["Ops@acme.example", "security@acme.example"]});
    let checkout = Landscape::adopted(CHECKOUT).asks(ControlKind::ServiceAlerts, recipients).desired;
    let wrong = wire.held_twice(ControlKind::ServiceAlerts, &checkout).await;
    assert!(wrong[0].starts_with("there is no channel to Ops@acme.example; "), "{wrong:?}");
    wire.simulator.edit(|world| {
        let governance = &mut world.project_mut(CHECKOUT).unwrap().governance;
        let channels = governance.things_mut(CHANNELS);
        assert_eq!(channels.len(), 3, "once: {channels:?}");
        let ops = |one: &&mut serde_json::Value| one["displayName"] == "landfall Ops@acme.example";
        let ops = channels.values_mut().find(ops).unwrap();
        ops["enabled"] = json!(false);
        let ops = ops["name"].clone();
        let policies = governance.things_mut(POLICIES);
        assert_eq!(policies.len(), 10, "once");
        for policy in policies.values_mut() {
            match policy["displayName"].as_str().unwrap() {
                "landfall firewall" => policy["enabled"] = json!(false),
                "landfall owner" => {
                    policy["conditions"] = json!([{"displayName": "x", "conditionAbsent": {"filter": "x"}}]);
                    policy["alertStrategy"] = json!({"autoClose": "1800s"});
                }
                "landfall route" => {
                    policy["displayName"] = json!("routes");
                    let told = policy["notificationChannels"].as_array_mut().unwrap();
                    told.retain(|one| *one != ops);
                    told.push(channel["name"].clone());
                }
                _ => {}
            }
        }
    });
    let wrong = wire.held_twice(ControlKind::ServiceAlerts, &checkout).await;
    assert_eq!(
        wrong,
        ["the channel to Ops@acme.example is switched off; the alert `firewall` is switched off; \
          the alert `owner` watches something else; the alert `route` does not tell Ops@acme.example"]
    );
    wire.simulator.read(|world| {
        let governance = &world.project(CHECKOUT).unwrap().governance;
        let (channels, policies) = (governance.things(CHANNELS), governance.things(POLICIES));
        assert_eq!((channels.len(), policies.len()), (3, 10));
        assert_eq!((&channels["theirs"], &policies["theirs"]), (&channel, &policy));
        let named = |name: &str| policies.values().find(|one| one["displayName"] == name).unwrap();
        assert_eq!(named("routes")["notificationChannels"].as_array().unwrap().len(), 3, "theirs stays");
        let strategy = json!({"autoClose": "1800s", "notificationRateLimit": {"period": "300s"}});
        assert_eq!(named("landfall owner")["alertStrategy"], strategy);
    });
}
