//! Who may do what, over the wire, against the simulator: the gate closes and opens, and really stops people; IAM policies are changed
//! while others change them, and what others wrote is there afterwards.

mod federation;

use jiff::Timestamp;
use landfall_engine::cloud::Made;
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use landfall_model::plan::{Change, Stage};
use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld};
use serde_json::{Value, json};

use super::landscape::Landscape;
use super::{Offer, ground, offer};
use crate::client::Gcp;
use crate::session::Door;

const ROOT: &str = "organizations/123456789012";
const CHECKOUT: &str = "acme-checkout-prod";
const PROJECT: &str = "projects/acme-checkout-prod";
const ADA: &str = "user:ada@acme.example";

/// An organization on this machine, and the way there. Ada owns the project, and has a token.
struct Wire {
    simulator: GcpSimulator,
    door: Door,
}

impl Wire {
    fn new(prepare: impl FnOnce(&mut GcpWorld)) -> Self {
        let mut world = GcpWorld::sample(0);
        world.add_project(CHECKOUT, ROOT, Timestamp::UNIX_EPOCH);
        world.give(PROJECT, "roles/owner", ADA);
        world.tokens.insert("ada".to_owned(), ADA.to_owned());
        prepare(&mut world);
        let simulator = GcpSimulator::start(GcpOptions { world: Some(world), ..GcpOptions::default() });
        let simulator = simulator.unwrap();
        let gcp = Gcp::loopback(&simulator.url()).unwrap();
        let door = Door::new(&gcp, ground(&Landscape::organization().desired).unwrap().clone()).unwrap();
        Wire { simulator, door }
    }

    async fn judged(&self, kind: ControlKind, desired: &Desired) -> Vec<Judgement> {
        let Offer::Control(control) = offer(kind) else { panic!("{kind} is not offered") };
        let asked = desired.asked(kind).unwrap_or_else(|| panic!("{kind} is not asked"));
        let reader = self.door.reader(desired.target.tenant().map_or("", |id| id.native()));
        let mut observed = Observed::default();
        for address in control.addresses(asked, desired) {
            let seen = control.look(&reader, desired, &address).await.seen;
            observed.0.insert(address, Look { seen, at: Timestamp::UNIX_EPOCH, request: None });
        }
        control.judge(asked, desired, &observed)
    }

    /// What is said of each setting, with its changes.
    async fn said(&self, kind: ControlKind, desired: &Desired) -> Vec<(String, Vec<Change>)> {
        let told = |judgement: Judgement| match judgement.verdict {
            Verdict::Holds => ("holds".to_owned(), Vec::new()),
            Verdict::Fails { why, changes } | Verdict::Due { why, changes } => (why, changes),
            Verdict::Unknown { why } => (format!("unknown: {why}"), Vec::new()),
            Verdict::NotApplicable { why } => (format!("not applicable: {why}"), Vec::new()),
        };
        self.judged(kind, desired).await.into_iter().map(told).collect()
    }

    async fn write(&self, desired: &Desired, change: &Change) -> Result<Value, String> {
        let Offer::Control(control) = offer(change.address.control) else { panic!() };
        let writer = self.door.writer(desired.target.tenant().map_or("", |id| id.native()));
        control.write(&writer, change, &Made::new()).await
    }

    /// Makes the changes of one stage, each of them twice, and keeps what the ledger would.
    async fn stage(&self, kind: ControlKind, desired: &mut Desired, stage: Stage) -> usize {
        let all = self.said(kind, desired).await.into_iter().flat_map(|(_, changes)| changes);
        let changes: Vec<Change> = all.filter(|change| change.stage == stage).collect();
        for change in &changes {
            let once = self.write(desired, change).await;
            assert!(once.is_ok(), "{}: {once:?}", change.id);
            assert_eq!(self.write(desired, change).await, once, "{}", change.id);
            landfall_model::ledger::made(&mut desired.record.made, change);
        }
        changes.len()
    }

    /// Makes everything hold that the manifest asks; answers what was wrong before.
    async fn held(&self, kind: ControlKind, desired: &mut Desired) -> Vec<String> {
        let wrong: Vec<String> = self
            .said(kind, desired)
            .await
            .into_iter()
            .filter(|(_, changes)| !changes.is_empty())
            .map(|said| said.0)
            .collect();
        for stage in Stage::ALL {
            self.stage(kind, desired, stage).await;
        }
        for (told, changes) in self.said(kind, desired).await {
            assert!(changes.is_empty(), "{told}: {changes:?}");
        }
        wrong
    }

    /// The status of a call that somebody makes with a token of their own.
    async fn calls(&self, token: &str, path: &str, body: &Value) -> u16 {
        let url = format!("{}/{path}", self.simulator.url().trim_end_matches('/'));
        let request = reqwest::Client::new().post(url).bearer_auth(token).body(body.to_string());
        request.header("content-type", "application/json").send().await.unwrap().status().as_u16()
    }

    /// Ada makes a service account, with a new name each time.
    async fn ada_works(&self, name: &str) -> u16 {
        let path = format!("iam.googleapis.com/v1/{PROJECT}/serviceAccounts");
        self.calls("ada", &path, &json!({"accountId": name, "serviceAccount": {}})).await
    }

    fn members(&self, place: &str, role: &str) -> Vec<String> {
        self.simulator.read(|world| {
            let all = &world.governance(place).unwrap().iam.bindings;
            let free = all.iter().filter(|binding| binding.role == role && binding.condition.is_none());
            free.flat_map(|binding| binding.members.clone()).collect()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_stops_everybody_but_landfall_until_it_is_opened() {
    let wire = Wire::new(|world| {
        world.tokens.insert("eve".to_owned(), "user:eve@acme.example".to_owned());
        world.tokens.insert("breaks-glass".to_owned(), "user:bob@acme.example".to_owned());
        world
            .groups
            .insert("group:break-glass@acme.example".to_owned(), vec!["user:bob@acme.example".to_owned()]);
        world.give(PROJECT, "roles/owner", "group:break-glass@acme.example");
    });
    let gate = ControlKind::QuarantineGate;
    let mut desired = Landscape::new(CHECKOUT).desired;
    assert_eq!(wire.ada_works("before-it-closed").await, 200);
    assert_eq!(wire.stage(gate, &mut desired, Stage::Gate).await, 5);

    for (told, changes) in wire.said(gate, &desired).await {
        assert_eq!((told.as_str(), changes.len()), ("closed until its baseline holds", 1));
    }
    assert_eq!(wire.ada_works("behind-the-gate").await, 403);
    let grant =
        json!({"policy": {"bindings": [{"role": "roles/owner", "members": ["user:eve@acme.example"]}]}});
    let hand_out = format!("cloudresourcemanager.googleapis.com/v3/{PROJECT}:setIamPolicy");
    assert_eq!(wire.calls("ada", &hand_out, &grant).await, 403);
    let path = format!("iam.googleapis.com/v1/{PROJECT}/serviceAccounts");
    let account = json!({"accountId": "in-an-emergency", "serviceAccount": {}});
    assert_eq!(wire.calls("breaks-glass", &path, &account).await, 200);
    let closed = wire.simulator.read(|world| {
        let here = world.governance(PROJECT).unwrap();
        (here.deny_policies.len(), here.org_policies.len())
    });
    assert_eq!(closed, (1, 4));

    assert_eq!(wire.stage(gate, &mut desired, Stage::Open).await, 5);
    assert_eq!(wire.ada_works("after-handover").await, 200);
    let left = wire.simulator.read(|world| {
        let here = world.governance(PROJECT).unwrap();
        (here.deny_policies.len(), here.org_policies.len())
    });
    assert_eq!(left, (0, 0));

    // Once it is open and handed over, nobody asks for it any more.
    let mut handed = Landscape::adopted(CHECKOUT).handed_over().desired;
    handed.record.made = desired.record.made.clone();
    wire.simulator.clear_calls();
    let said = wire.said(gate, &handed).await;
    assert_eq!(
        said[0].0,
        "not applicable: it was opened when the project was handed over, as the ledger shows"
    );
    assert!(wire.simulator.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_somebody_loosened_is_closed_again_and_others_policies_stay() {
    let wire = Wire::new(|world| {
        let here = world.at(PROJECT).unwrap();
        here.deny_policies.insert("theirs".to_owned(), json!({"rules": []}));
        let spec = json!({"spec": {"rules": [{"enforce": true}]}});
        here.org_policies.insert("iam.disableServiceAccountKeyUpload".to_owned(), spec);
    });
    let gate = ControlKind::QuarantineGate;
    let mut desired = Landscape::new(CHECKOUT).desired;
    assert_eq!(wire.stage(gate, &mut desired, Stage::Gate).await, 4, "one constraint is somebody else's");
    wire.simulator.edit(|world| {
        let here = world.at(PROJECT).unwrap();
        let policy = here.deny_policies.get_mut("landfall-quarantine").unwrap();
        policy["rules"][0]["denyRule"]["deniedPermissions"] = json!(["iam.googleapis.com/roles.create"]);
    });
    assert_eq!(wire.ada_works("through-the-hole").await, 200);
    let said = wire.said(gate, &desired).await;
    assert!(said[4].0.starts_with("the gate's deny policy does not deny "), "{}", said[4].0);
    assert_eq!(wire.stage(gate, &mut desired, Stage::Gate).await, 1);
    assert_eq!(wire.ada_works("behind-the-gate").await, 403);
    assert_eq!(wire.stage(gate, &mut desired, Stage::Open).await, 4);
    let left: Vec<String> = wire.simulator.read(|world| {
        let here = world.governance(PROJECT).unwrap();
        here.deny_policies.keys().chain(here.org_policies.keys()).cloned().collect()
    });
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_google_takes_out_leaves_the_gate_open_and_says_so() {
    let wire = Wire::new(|world| {
        world.settings.undeniable.insert("redis.googleapis.com/instances.create".to_owned());
    });
    let desired = Landscape::new(CHECKOUT).desired;
    let said = wire.said(ControlKind::QuarantineGate, &desired).await;
    let close = &said[4].1[0];
    let refused = wire.write(&desired, close).await.unwrap_err();
    assert!(
        refused.starts_with("IAM refused the gate's deny policy, so that nobody is denied anything"),
        "{refused}"
    );
    assert!(refused.contains("redis.googleapis.com/instances.create"), "{refused}");
    assert_eq!(wire.ada_works("still-open").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn deny_policies_that_may_not_be_asked_now_are_unknown_and_never_closed() {
    let wire = Wire::new(|world| world.settings.deny_quota = true);
    let desired = Landscape::new(CHECKOUT).desired;
    let mut last = String::new();
    for _ in 0..7 {
        last = wire.said(ControlKind::QuarantineGate, &desired).await.remove(4).0;
    }
    assert!(last.starts_with("unknown: ") && last.contains("RESOURCE_EXHAUSTED"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_join_what_is_there_while_others_write_and_are_taken_alone() {
    let wire = Wire::new(|world| {
        let theirs = json!({"title": "for a while", "expression": "request.time < timestamp(\"2030-01-01T00:00:00Z\")"});
        world.at(PROJECT).unwrap().iam.bindings.push(
            serde_json::from_value(json!({
                "role": "roles/editor", "members": ["group:payments@acme.example"], "condition": theirs,
            }))
            .unwrap(),
        );
    });
    let mut desired = Landscape::adopted(CHECKOUT).desired;
    let there_before = wire.simulator.read(|world| world.governance(PROJECT).unwrap().iam.bindings.clone());
    let (told, changes) = wire.said(ControlKind::Access, &desired).await.remove(0);
    assert!(told.contains("only under a condition holds `roles/editor`"), "{told}");
    // Eight at once read the same document: each of them finds its etag old but one, and reads it again.
    let mut others = Vec::new();
    for number in 0..8 {
        let mut other = changes[0].clone();
        other.with = Some(json!({"group": format!("team-{number}@acme.example"), "role": "roles/viewer"}));
        others.push(other);
    }
    let writes = others.iter().map(|change| wire.write(&desired, change));
    for written in futures_util::future::join_all(writes).await {
        written.unwrap();
    }
    assert_eq!(wire.members(PROJECT, "roles/viewer").len(), 8);
    assert_eq!(wire.held(ControlKind::Access, &mut desired).await.len(), 1);
    assert_eq!(wire.members(PROJECT, "roles/editor"), ["group:payments@acme.example"]);

    // Nobody grants it any more.
    let asked = desired.asked.iter_mut().find(|asked| asked.control == ControlKind::Access).unwrap();
    asked.settings.as_mut().unwrap()["grants"] = json!([]);
    let wrong = wire.held(ControlKind::Access, &mut desired).await;
    assert_eq!(wrong, ["the group `payments@acme.example` is no longer granted `roles/editor`"]);
    let left = wire.simulator.read(|world| world.governance(PROJECT).unwrap().iam.bindings.clone());
    for theirs in there_before {
        assert!(left.contains(&theirs), "what others gave is as it was: {theirs:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_could_open_the_gate_is_named_from_the_project_to_the_organization() {
    let wire = Wire::new(|world| {
        let folder = world.add_folder("shop", ROOT);
        world.give(&folder, "roles/resourcemanager.folderAdmin", "group:shop-admins@acme.example");
        world.give(&folder, "roles/compute.admin", "group:operators@acme.example");
        world.project_mut(CHECKOUT).unwrap().parent = folder;
    });
    let said = wire.said(ControlKind::Access, &Landscape::new(CHECKOUT).desired).await;
    let owners = &said.last().unwrap().0;
    for told in [
        "so to open the gate: ",
        "`user:ada@acme.example` (roles/owner)",
        "`group:shop-admins@acme.example` (roles/resourcemanager.folderAdmin on `folders/",
        "`user:admin@acme.example` (roles/resourcemanager.organizationAdmin on `organizations/123456789012`)",
    ] {
        assert!(owners.contains(told), "{told}: {owners}");
    }
    for silent in ["operators", "landfall-write", "viewer"] {
        assert!(!owners.contains(silent), "{silent}: {owners}");
    }
    // Afterwards only the project's own policy is asked.
    let handed = Landscape::adopted(CHECKOUT).handed_over().desired;
    let owners = wire.said(ControlKind::Access, &handed).await.pop().unwrap().0;
    assert!(owners.contains("ada") && !owners.contains("shop-admins"), "{owners}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_the_manifest_is_made_put_right_taken_back_and_dropped() {
    let wire = Wire::new(|_| {});
    let with = |permissions: Value| {
        let settings =
            json!({"grants": [], "roles": {"first-support": {"gcp": {"permissions": permissions}}}});
        Landscape::organization().asks(ControlKind::Access, settings).desired
    };
    let kept = |simulator: &GcpSimulator| {
        simulator.read(|world| {
            world.organization.governance.things("iam/roles")["landfall_acme_first_support"].clone()
        })
    };
    let mut desired = with(json!(["compute.instances.reset"]));
    assert_eq!(
        wire.held(ControlKind::Access, &mut desired).await,
        ["there is no role `landfall_acme_first_support`"]
    );
    assert_eq!(kept(&wire.simulator)["includedPermissions"], json!(["compute.instances.reset"]));
    let mut more = with(json!(["compute.instances.reset", "compute.instances.start"]));
    assert_eq!(wire.held(ControlKind::Access, &mut more).await.len(), 1);
    assert_eq!(
        kept(&wire.simulator)["includedPermissions"],
        json!(["compute.instances.reset", "compute.instances.start"])
    );

    // It is granted by its name on a project.
    let mut project = Landscape::adopted(CHECKOUT).desired;
    let asked = project.asked.iter_mut().find(|asked| asked.control == ControlKind::Access).unwrap();
    asked.settings.as_mut().unwrap()["grants"][0]["rights"]["gcp"] =
        json!({"permissions": ["compute.instances.reset"]});
    asked.settings.as_mut().unwrap()["grants"][0]["role"] = json!("first-support");
    wire.held(ControlKind::Access, &mut project).await;
    let name = "organizations/123456789012/roles/landfall_acme_first_support";
    assert_eq!(wire.members(PROJECT, name), ["group:payments@acme.example"]);

    // Nobody asks for it any more; and then somebody does again.
    let mut nobody = with(json!([]));
    nobody.record.made.insert("access/roles/first-support".parse().unwrap());
    let settings = json!({"grants": [], "roles": {}});
    let asked = nobody.asked.iter_mut().find(|asked| asked.control == ControlKind::Access).unwrap();
    asked.settings = Ok(settings);
    let wrong = wire.held(ControlKind::Access, &mut nobody).await;
    assert_eq!(wrong, ["the role `landfall_acme_first_support` is no longer asked for"]);
    assert_eq!(kept(&wire.simulator)["deleted"], json!(true));
    let mut again = with(json!(["compute.instances.start"]));
    assert_eq!(
        wire.held(ControlKind::Access, &mut again).await,
        ["the role `landfall_acme_first_support` was deleted"]
    );
    assert_eq!(kept(&wire.simulator)["includedPermissions"], json!(["compute.instances.start"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_access_logs_are_added_to_what_the_organization_has() {
    let theirs = json!({"service": "storage.googleapis.com", "auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": [ADA]}]});
    let wire = Wire::new(|world| world.organization.governance.iam.audit_configs.push(theirs.clone()));
    let before = wire.simulator.read(|world| world.organization.governance.iam.bindings.clone());
    let asked = json!({"gcp": "storage.googleapis.com/acme-audit", "data-access": true});
    let desired = Landscape::organization().asks(ControlKind::AuditLog, asked).desired;
    let (told, changes) = wire.said(ControlKind::AuditLog, &desired).await.remove(0);
    assert_eq!(told, "of all services no ADMIN_READ, DATA_READ, DATA_WRITE logs are written");
    for _ in 0..2 {
        wire.write(&desired, &changes[0]).await.unwrap();
    }
    assert_eq!(wire.said(ControlKind::AuditLog, &desired).await[0].0, "holds");
    let (bindings, configs) = wire.simulator.read(|world| {
        let iam = &world.organization.governance.iam;
        (iam.bindings.clone(), iam.audit_configs.clone())
    });
    assert_eq!(bindings, before);
    assert_eq!(configs[0], theirs);
    assert_eq!(configs.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organization_s_sink_is_made_beside_those_of_others_and_put_right() {
    let bucket = "logging.googleapis.com/projects/acme-logs/locations/eu/buckets/audit";
    let asked = json!({"gcp": bucket});
    let wire = Wire::new(|_| {});
    let theirs = json!({"name": "theirs", "destination": "storage.googleapis.com/theirs", "filter": "severity>=ERROR"});
    assert_eq!(
        wire.calls("landfall-write", &format!("logging.googleapis.com/v2/{ROOT}/sinks"), &theirs).await,
        200
    );
    let mut desired = Landscape::organization().asks(ControlKind::AuditLog, asked.clone()).desired;
    let wrong = wire.held(ControlKind::AuditLog, &mut desired).await;
    assert_eq!(wrong, ["no sink of the organization sends the audit logs to the named place"]);
    let (told, changes) = wire.said(ControlKind::AuditLog, &desired).await.remove(0);
    assert!(told.starts_with(&format!("the owner of `{bucket}` has to let `serviceAccount:")), "{told}");
    assert!(changes.is_empty());

    // A project is told the same, and of its own sinks nothing is asked.
    let project = Landscape::adopted(CHECKOUT).asks(ControlKind::AuditLog, asked).desired;
    assert_eq!(wire.said(ControlKind::AuditLog, &project).await[0].0, told);

    let elsewhere = json!({"gcp": "storage.googleapis.com/acme-audit"});
    let mut desired = Landscape::organization().asks(ControlKind::AuditLog, elsewhere).desired;
    let wrong = wire.held(ControlKind::AuditLog, &mut desired).await;
    assert_eq!(wrong, [format!("the sink `landfall-audit` sends to `{bucket}`")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_account_loses_the_project_and_is_switched_off() {
    let wire = Wire::new(|world| {
        let number = world.project(CHECKOUT).unwrap().number.clone();
        let email = format!("{number}-compute@developer.gserviceaccount.com");
        world.give(PROJECT, "roles/editor", &format!("serviceAccount:{email}"));
        world.give(PROJECT, "roles/logging.logWriter", &format!("serviceAccount:{email}"));
        world
            .at(PROJECT)
            .unwrap()
            .things_mut("iam/serviceAccounts")
            .insert(email.clone(), json!({"email": email}));
    });
    let mut desired =
        Landscape::new(CHECKOUT).asks(ControlKind::DefaultServiceAccounts, json!({"disable": true})).desired;
    let wrong = wire.held(ControlKind::DefaultServiceAccounts, &mut desired).await;
    assert!(
        wrong[0].contains("holds `roles/editor` on the whole project")
            && wrong[0].ends_with("is not disabled"),
        "{wrong:?}"
    );
    assert_eq!(wrong.len(), 1);
    assert!(wire.members(PROJECT, "roles/editor").is_empty());
    assert_eq!(wire.members(PROJECT, "roles/logging.logWriter").len(), 1);
    assert_eq!(wire.members(PROJECT, "roles/owner"), [ADA]);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_accounts_are_made_and_those_who_are_named_may_act_as_them() {
    let pool = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/*";
    let wire = Wire::new(|_| {});
    let asked = json!({"gcp": {"deployer": ["group:payments@acme.example", pool]}});
    let mut desired = Landscape::new(CHECKOUT).asks(ControlKind::ServiceAccounts, asked).desired;
    assert_eq!(wire.held(ControlKind::ServiceAccounts, &mut desired).await.len(), 3);
    let fewer = json!({"gcp": {"deployer": [pool]}});
    let made = desired.record.made.clone();
    let mut desired = Landscape::new(CHECKOUT).asks(ControlKind::ServiceAccounts, fewer).desired;
    desired.record.made = made;
    assert_eq!(
        wire.held(ControlKind::ServiceAccounts, &mut desired).await,
        ["nobody asks any more that `group:payments@acme.example` acts as `deployer`"]
    );
}
