//! Organization policies and what goes with them over the wire, against the simulator, which evaluates them: set, in force, put back,
//! exempted from, taken away; custom constraints, a project's metadata and its default network.

use jiff::Timestamp;
use landfall_engine::cloud::Made;
use landfall_engine::control::AnyControl;
use landfall_model::catalog::ControlKind as K;
use landfall_model::catalog::policies::{At, Settings};
use landfall_model::desired::Desired;
use landfall_model::exemption::{Category, Exemption};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use landfall_model::plan::Deed;
use landfall_simulator::gcp::{GcpOptions, GcpSimulator, GcpWorld};
use serde_json::{Value, json};

use super::landscape::Landscape;
use super::{Gcp, Offer, ground, offer};
use crate::client;
use crate::client::service::{COMPUTE, SERVICES};
use crate::session::Door;

const ROOT: &str = "organizations/123456789012";
const DEV: &str = "acme-checkout-dev";
const REGIONS: &str = "gcp.resourceLocations";
const SERVICE_USAGE: &str = "gcp.restrictServiceUsage";
const PUBLIC_STORAGE: &str = "storage.publicAccessPrevention";

/// An organization on this machine with its folders made, and the way there.
struct Wire {
    simulator: GcpSimulator,
    door: Door,
}

fn control(kind: K) -> &'static dyn AnyControl<Gcp> {
    match offer(kind) {
        Offer::Control(control) => control,
        Offer::NotOffered(why) => panic!("{kind}: {why}"),
    }
}

fn project(desired: &Desired) -> &str {
    desired.target.tenant().map_or("", |id| id.native())
}

/// A place of the world's as the constraint's own policy says it.
fn spec(world: &GcpWorld, place: &str, constraint: &str) -> Value {
    let mut spec = world.governance(place).unwrap().org_policies.get(constraint).cloned().unwrap_or_default()
        ["spec"]
        .take();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("updateTime");
    }
    spec
}

impl Wire {
    async fn new(prepare: impl FnOnce(&mut GcpWorld)) -> Self {
        let mut world = GcpWorld::sample(0);
        let workloads = world.add_folder("workloads", ROOT);
        let production = world.add_folder("production", &workloads);
        world.add_folder("sandbox", ROOT);
        world.add_project(DEV, &workloads, Timestamp::UNIX_EPOCH);
        world.add_project("acme-checkout-prod", &production, Timestamp::UNIX_EPOCH);
        prepare(&mut world);
        let options = GcpOptions { world: Some(world), ..GcpOptions::default() };
        let simulator = GcpSimulator::start(options).unwrap();
        let gcp = client::Gcp::loopback(&simulator.url()).unwrap();
        let ground = ground(&Landscape::organization().desired).unwrap().clone();
        Wire { door: Door::new(&gcp, ground).unwrap(), simulator }
    }

    fn folder(&self, name: &str) -> String {
        self.simulator.read(|world| {
            world.folders.values().find(|folder| folder.display_name == name).unwrap().name.clone()
        })
    }

    fn spec(&self, place: &str, constraint: &str) -> Value {
        self.simulator.read(|world| spec(world, place, constraint))
    }

    /// What several controls say together of what all of them see.
    async fn judged(&self, kinds: &[K], desired: &Desired) -> Vec<Judgement> {
        self.door.directory().forget_all().await;
        let reader = self.door.reader(project(desired));
        let mut observed = Observed::default();
        for kind in kinds {
            for address in control(*kind).addresses(desired.asked(*kind).unwrap(), desired) {
                let seen = control(*kind).look(&reader, desired, &address).await.seen;
                observed.0.insert(address, Look { seen, at: Timestamp::UNIX_EPOCH, request: None });
            }
        }
        let judge = |kind: &K| control(*kind).judge(desired.asked(*kind).unwrap(), desired, &observed);
        kinds.iter().flat_map(judge).collect()
    }

    /// Makes every change, each twice, and keeps in mind what was made; answers which.
    async fn write(&self, kinds: &[K], desired: &mut Desired) -> Vec<String> {
        let judged = self.judged(kinds, desired).await;
        self.make(judged, desired).await
    }

    async fn make(&self, judged: Vec<Judgement>, desired: &mut Desired) -> Vec<String> {
        let writer = self.door.writer(project(desired));
        let mut made = Made::new();
        let mut written = Vec::new();
        for judgement in judged {
            let Verdict::Fails { changes, .. } = judgement.verdict else { continue };
            for change in changes {
                for turn in ["once", "twice"] {
                    let answer = control(change.address.control).write(&writer, &change, &made).await;
                    let answer = answer.unwrap_or_else(|why| panic!("{} {turn}: {why}", change.id));
                    made.insert(change.id.clone(), answer);
                }
                match change.deed {
                    Deed::Create => drop(desired.record.made.insert(change.address.clone())),
                    Deed::Delete => drop(desired.record.made.remove(&change.address)),
                    Deed::Update => {}
                }
                written.push(change.id.to_string());
            }
        }
        written
    }

    /// Sets what the units carry.
    async fn organization(&self) -> Desired {
        let mut desired = Landscape::organization().desired;
        self.write(&[K::Units, K::Policies], &mut desired).await;
        assert_eq!(
            self.write(&[K::Units, K::Policies], &mut desired).await,
            [""; 0],
            "a second run writes nothing"
        );
        desired
    }

    /// What is said of a control on a tenant.
    async fn said(&self, kind: K, desired: &Desired) -> Vec<String> {
        let word = |judgement: Judgement| match judgement.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Fails { why, .. } | Verdict::Due { why, .. } => why,
            Verdict::Unknown { why } => format!("unknown: {why}"),
            Verdict::NotApplicable { why } => format!("not applicable: {why}"),
        };
        self.judged(&[kind], desired).await.into_iter().map(word).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_units_carry_is_set_once_and_in_force_on_their_projects() {
    let wire = Wire::new(|_| {}).await;
    let dev = Landscape::adopted(DEV).desired;
    let regions = wire.said(K::AllowedRegions, &dev).await;
    assert_eq!(regions, ["`gcp.resourceLocations`: everything is allowed; `policies` sets what carries it"]);
    let mut desired = Landscape::organization().desired;
    let written = wire.write(&[K::Units, K::Policies], &mut desired).await;
    assert_eq!(
        written,
        [
            "policies/workloads/gcp.resourceLocations#create",
            "policies/workloads/storage.publicAccessPrevention#create",
            "policies/workloads/production/gcp.restrictServiceUsage#create",
        ]
    );
    for kind in [K::AllowedRegions, K::BlockPublicStorage] {
        assert_eq!(wire.said(kind, &dev).await, ["holds"], "{kind}");
    }
    let prod = Landscape::adopted("acme-checkout-prod").desired;
    assert_eq!(wire.said(K::DeniedServices, &prod).await, ["holds"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_made_in_the_same_run_get_their_policies() {
    let wire = Wire::new(|world| world.folders.retain(|_, folder| folder.display_name != "production")).await;
    let mut desired = Landscape::organization().desired;
    let written = wire.write(&[K::Units, K::Policies], &mut desired).await;
    assert_eq!(written.first().map(String::as_str), Some("units/workloads/production#create"));
    assert_eq!(written.len(), 4, "{written:?}");
    assert_eq!(wire.write(&[K::Units, K::Policies], &mut desired).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_is_put_back_and_what_is_theirs_stays() {
    let wire = Wire::new(|_| {}).await;
    let mut desired = wire.organization().await;
    let workloads = wire.folder("workloads");
    let theirs = json!({"spec": {"rules": [{"enforce": true}]}});
    wire.simulator.edit(|world| {
        let policies = &mut world.at(&workloads).unwrap().org_policies;
        policies.insert("compute.requireShieldedVm".to_owned(), theirs.clone());
        // A dry run in a policy of ours is somebody else's.
        let opened =
            json!({"spec": {"rules": [{"allowAll": true}]}, "dryRunSpec": {"rules": [{"denyAll": true}]}});
        policies.insert(REGIONS.to_owned(), opened);
    });
    assert_eq!(
        wire.write(&[K::Units, K::Policies], &mut desired).await,
        ["policies/workloads/gcp.resourceLocations#update"]
    );
    let allowed = ["in:europe-west1-locations", "in:europe-west3-locations"];
    assert_eq!(wire.spec(&workloads, REGIONS), json!({"rules": [{"values": {"allowedValues": allowed}}]}));
    wire.simulator.read(|world| {
        let policies = &world.governance(&workloads).unwrap().org_policies;
        assert_eq!(policies["compute.requireShieldedVm"], theirs);
        assert_eq!(policies[REGIONS]["dryRunSpec"]["rules"], json!([{"denyAll": true}]));
    });
    assert_eq!(wire.write(&[K::Units, K::Policies], &mut desired).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_after_the_plan_was_made_is_not_overwritten() {
    let wire = Wire::new(|_| {}).await;
    let desired = wire.organization().await;
    let workloads = wire.folder("workloads");
    let set = |spec: Value| {
        wire.simulator.edit(|world| {
            let policies = &mut world.at(&workloads).unwrap().org_policies;
            policies.insert(PUBLIC_STORAGE.to_owned(), json!({ "spec": spec }));
        });
    };
    set(json!({"rules": [{"enforce": false}]}));
    let judged = wire.judged(&[K::Units, K::Policies], &desired).await;
    let later = json!({"rules": [{"enforce": false}, {"enforce": true, "condition": {"expression": "resource.matchTag('1/a', 'b')"}}]});
    set(later.clone());
    let writer = wire.door.writer("");
    let change = judged.into_iter().find_map(|judgement| match judgement.verdict {
        Verdict::Fails { changes, .. } => changes.into_iter().next(),
        Verdict::Holds | Verdict::Due { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. } => {
            None
        }
    });
    let refused = control(K::Policies).write(&writer, &change.unwrap(), &Made::new()).await.unwrap_err();
    assert!(refused.contains("somebody changed the policy since it was looked at"), "{refused}");
    assert_eq!(wire.spec(&workloads, PUBLIC_STORAGE), later);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stricter_above_stays_in_force() {
    let wire = Wire::new(|world| {
        let narrow = json!({"spec": {"rules": [{"values": {"allowedValues": ["in:europe-west1-locations", "in:us-locations"]}}]}});
        let policies = &mut world.organization.governance.org_policies;
        policies.insert(REGIONS.to_owned(), narrow);
        policies.insert(PUBLIC_STORAGE.to_owned(), json!({"spec": {"rules": [{"enforce": true}]}}));
    })
    .await;
    wire.organization().await;
    let workloads = wire.folder("workloads");
    let west = json!({"rules": [{"values": {"allowedValues": ["in:europe-west1-locations"]}}]});
    assert_eq!(wire.spec(&workloads, REGIONS), west);
    assert_eq!(wire.spec(&workloads, PUBLIC_STORAGE), Value::Null, "it is enforced above already");
    let dev = Landscape::adopted(DEV).desired;
    for kind in [K::AllowedRegions, K::BlockPublicStorage] {
        assert_eq!(wire.said(kind, &dev).await, ["holds"], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_s_own_policy_comes_and_goes_with_what_it_asks() {
    let wire = Wire::new(|_| {}).await;
    wire.organization().await;
    let mut dev = Landscape::adopted(DEV).desired;
    assert_eq!(
        wire.write(&[K::Policies], &mut dev).await,
        [format!("policies/{DEV}/{SERVICE_USAGE}#create")]
    );
    assert_eq!(wire.said(K::DeniedServices, &dev).await, ["holds"]);
    assert_eq!(wire.write(&[K::Policies], &mut dev).await, [""; 0]);
    let asked = dev.asked.iter_mut().find(|asked| asked.control == K::Policies).unwrap();
    let mut settings: Settings = asked.want().unwrap();
    for point in settings.points.iter_mut().filter(|point| matches!(point.at, At::Tenant(_))) {
        point.asks.clear();
    }
    asked.settings = Ok(json!(settings));
    assert_eq!(
        wire.write(&[K::Policies], &mut dev).await,
        [format!("policies/{DEV}/{SERVICE_USAGE}#delete")]
    );
    assert_eq!(wire.spec(&format!("projects/{DEV}"), SERVICE_USAGE), Value::Null);
    assert!(dev.record.made.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exemption_opens_what_it_names_and_closes_with_its_day() {
    let wire = Wire::new(|_| {}).await;
    wire.organization().await;
    let mut prod = Landscape::adopted("acme-checkout-prod").desired;
    // The landing zone asks for more than the units: that is set first.
    wire.write(&[K::Policies], &mut prod).await;
    assert_eq!(wire.said(K::BlockPublicStorage, &prod).await, ["holds"]);
    prod.exemptions.push(Exemption {
        control: K::BlockPublicStorage,
        tenant: prod.target.tenant().unwrap().clone(),
        category: Category::Waiver,
        reason: "Pictures of the shop are public.".to_owned(),
        requested_by: "Ada".to_owned(),
        approved_by: "Grace".to_owned(),
        // Everything is looked at in 1970 here.
        expires: "1970-01-01".parse().unwrap(),
    });
    let own = format!("policies/acme-checkout-prod/{PUBLIC_STORAGE}");
    assert_eq!(wire.write(&[K::Policies], &mut prod).await, [format!("{own}#create")]);
    assert_eq!(wire.write(&[K::Policies], &mut prod).await, [""; 0]);
    assert_eq!(
        wire.said(K::BlockPublicStorage, &prod).await,
        ["`storage.publicAccessPrevention`: it is not enforced; the tenant is exempt until 1970-01-01"]
    );
    prod.exemptions.first_mut().unwrap().expires = "1969-12-31".parse().unwrap();
    assert_eq!(wire.write(&[K::Policies], &mut prod).await, [format!("{own}#delete")]);
    assert_eq!(wire.said(K::BlockPublicStorage, &prod).await, ["holds"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_constraint_is_made_before_what_enforces_it_and_goes_after_it() {
    let wire = Wire::new(|world| {
        let theirs = json!({
            "name": format!("{ROOT}/customConstraints/custom.theirs"), "resourceTypes": ["compute.googleapis.com/Instance"],
            "methodTypes": ["CREATE"], "condition": "true", "actionType": "ALLOW",
        });
        world.organization.governance.things_mut("orgpolicy/customConstraints").insert("custom.theirs".to_owned(), theirs);
    })
    .await;
    let kinds = [K::Units, K::OrganizationPolicies, K::Policies];
    let asking = |settings: Value, made: &Desired| {
        let mut landscape = Landscape::organization();
        landscape.desired.record = made.record.clone();
        let policies: Settings = landscape.desired.asked(K::Policies).unwrap().want().unwrap();
        let mut policies = policies;
        let unit =
            policies.points.iter_mut().find(|point| point.at == At::Unit("workloads".parse().unwrap()));
        unit.unwrap().asks.insert(K::OrganizationPolicies, settings.clone());
        landscape.ask(K::Policies, json!(policies));
        landscape.ask(K::OrganizationPolicies, settings);
        landscape.desired
    };
    let custom = json!({"custom.onlyE2": {
        "resource-types": ["compute.googleapis.com/Instance"], "methods": ["create"],
        "condition": "resource.machineType.contains('/e2-')", "action": "allow",
    }});
    let mut desired =
        asking(json!({"enforce": ["custom.onlyE2"], "custom": custom}), &Landscape::organization().desired);
    let written = wire.write(&kinds, &mut desired).await;
    assert_eq!(written.first().map(String::as_str), Some("organization-policies/custom.onlyE2#create"));
    assert!(written.contains(&"policies/workloads/custom.onlyE2#create".to_owned()), "{written:?}");
    assert_eq!(wire.write(&kinds, &mut desired).await, [""; 0]);

    let mut desired = asking(json!({}), &desired);
    assert_eq!(wire.write(&kinds, &mut desired).await, ["policies/workloads/custom.onlyE2#delete"]);
    assert_eq!(wire.write(&kinds, &mut desired).await, ["organization-policies/custom.onlyE2#delete"]);
    wire.simulator.read(|world| {
        let all = world.organization.governance.things("orgpolicy/customConstraints");
        assert_eq!(all.keys().collect::<Vec<_>>(), ["custom.theirs"]);
    });
}

/// Switches Compute Engine on, which makes the default network.
async fn with_compute(wire: &Wire) {
    let client = &wire.door.writer(DEV).0.client;
    let body = json!({"serviceIds": ["compute.googleapis.com"]});
    let reply = client.post(&SERVICES, &format!("projects/{DEV}/services:batchEnable"), &body).await.unwrap();
    client.finish(reply).await.unwrap();
    // Looking is how time passes in the simulator.
    for _ in 0..5 {
        drop(client.get(&COMPUTE, &format!("projects/{DEV}")).await);
    }
}

fn asking(kind: K) -> Desired {
    let mut landscape = Landscape::adopted(DEV);
    let settings = if kind == K::HardenedInstances {
        json!({"require-tokens": true, "hop-limit": 2})
    } else {
        json!({})
    };
    landscape.ask(kind, settings);
    landscape.desired
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_of_the_project_are_set_beside_those_of_others() {
    let wire = Wire::new(|_| {}).await;
    let mut dev = asking(K::HardenedInstances);
    let said = wire.said(K::HardenedInstances, &dev).await;
    assert_eq!(
        said[2],
        "not applicable: the Compute Engine API is not enabled: the project has no machines to tell anything"
    );
    with_compute(&wire).await;
    let items = || json!([{"key": "ssh-keys", "value": "ada:ssh-ed25519 AAAA"}, {"key": "serial-port-enable", "value": "1"}]);
    let client = wire.door.writer(DEV).0.client;
    let path = format!("projects/{DEV}");
    let there: Value = client.get(&COMPUTE, &path).await.unwrap().json().unwrap();
    let body = json!({"fingerprint": there["commonInstanceMetadata"]["fingerprint"], "items": items()});
    let reply = client.post(&COMPUTE, &format!("{path}/setCommonInstanceMetadata"), &body).await.unwrap();
    client.finish(reply).await.unwrap();
    let written = wire.write(&[K::HardenedInstances], &mut dev).await;
    assert_eq!(written, ["hardened-instances/project-metadata#set"]);
    assert_eq!(wire.said(K::HardenedInstances, &dev).await[2], "holds");
    let there: Value = client.get(&COMPUTE, &path).await.unwrap().json().unwrap();
    let mut there: Vec<Value> = there["commonInstanceMetadata"]["items"].as_array().unwrap().clone();
    there.sort_by_key(ToString::to_string);
    assert_eq!(
        there,
        [
            json!({"key": "enable-oslogin", "value": "TRUE"}),
            json!({"key": "serial-port-enable", "value": "FALSE"}),
            json!({"key": "ssh-keys", "value": "ada:ssh-ed25519 AAAA"}),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_network_goes_with_its_rules_and_stays_where_something_is_in_it() {
    let wire = Wire::new(|_| {}).await;
    let mut dev = asking(K::NoDefaultNetwork);
    assert!(wire.said(K::NoDefaultNetwork, &dev).await[1].starts_with("not applicable"));
    with_compute(&wire).await;
    let judged = wire.judged(&[K::NoDefaultNetwork], &dev).await;

    // Somebody starts a machine after the look: Google refuses, and the rules are put back as they were.
    let network = format!("https://www.googleapis.com/compute/v1/projects/{DEV}/global/networks/default");
    let instances = |world: &mut GcpWorld, machine: Option<Value>| {
        let things = world.project_mut(DEV).unwrap().governance.things_mut("compute/instances");
        match machine {
            Some(machine) => drop(things.insert("shop".to_owned(), machine)),
            None => things.clear(),
        }
    };
    let rules = |world: &GcpWorld| {
        let mut rules = world.project(DEV).unwrap().governance.things("compute/firewalls").clone();
        for rule in rules.values_mut() {
            rule.as_object_mut().unwrap().remove("id");
        }
        rules
    };
    let before = wire.simulator.read(rules);
    assert_eq!(before.len(), 4);
    let machine = json!({
        "name": "shop", "zone": format!("https://www.googleapis.com/compute/v1/projects/{DEV}/zones/europe-west1-b"),
        "networkInterfaces": [{"network": network}], "selfLink": "https://www.googleapis.com/compute/v1/x",
    });
    wire.simulator.edit(|world| instances(world, Some(machine)));
    let change = judged.into_iter().find_map(|judgement| match judgement.verdict {
        Verdict::Fails { changes, .. } => changes.into_iter().next(),
        Verdict::Holds | Verdict::Due { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. } => {
            None
        }
    });
    let writer = wire.door.writer(DEV);
    let refused =
        control(K::NoDefaultNetwork).write(&writer, &change.unwrap(), &Made::new()).await.unwrap_err();
    assert!(refused.contains("its firewall rules were put back"), "{refused}");
    assert_eq!(wire.simulator.read(rules), before);
    assert_eq!(
        wire.said(K::NoDefaultNetwork, &dev).await[1],
        "the network `default` is in use: 1 machine is in it"
    );

    wire.simulator.edit(|world| instances(world, None));
    assert_eq!(wire.write(&[K::NoDefaultNetwork], &mut dev).await, ["no-default-network/default#delete"]);
    assert_eq!(wire.said(K::NoDefaultNetwork, &dev).await[1], "holds");
    assert!(wire.simulator.read(rules).is_empty());
}
