//! Policies against the simulator of Resource Manager, which evaluates them: written, in force, exempted from, and denying.

use jiff::Timestamp;
use landfall_engine::cloud::Made;
use landfall_engine::control::AnyControl;
use landfall_model::exemption::{Category, Exemption};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Look, Observed};
use landfall_model::plan::Change;
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};
use serde_json::json;

use super::*;
use crate::client::service::{ACTION_GROUPS, ALERTS, DIAGNOSTICS, GROUPS, POLICY, RESOURCES, Service};
use crate::client::{self, Client};
use crate::controls::audit_log::AuditLog;
use crate::controls::block_public_storage::BlockPublicStorage;
use crate::controls::landscape::{Landscape, closing, subscription};
use crate::controls::protect_baseline::ProtectBaseline;
use crate::controls::service_alerts::ServiceAlerts;
use crate::controls::units::Units;
use crate::session::Door;

const STORAGE: Service = Service { namespace: "Microsoft.Storage", version: "2024-01-01" };

struct Wire {
    simulator: AzureSimulator,
    door: Door,
}

type Any<'a> = &'a dyn AnyControl<Azure>;

impl Wire {
    fn new() -> Self {
        let mut world = AzureWorld::sample(4);
        world.settings.page_size = 1;
        world.settings.empty_pages = true;
        let options = AzureOptions { world: Some(world), ..AzureOptions::default() };
        let simulator = AzureSimulator::start(options).unwrap();
        let azure = client::Azure::loopback(&simulator.url()).unwrap();
        let ground = ground(&Landscape::organization().desired).unwrap().clone();
        Wire { door: Door::new(&azure, ground).unwrap(), simulator }
    }

    /// What several controls say together of what all of them see.
    async fn judged(&self, controls: &[Any<'_>], kinds: &[ControlKind], desired: &Desired) -> Vec<Judgement> {
        self.door.directory().forget_all().await;
        let reader = self.door.reader(desired.target.tenant().map_or("", |tenant| tenant.native()));
        let mut observed = Observed::default();
        for (control, kind) in controls.iter().zip(kinds) {
            for address in control.addresses(desired.asked(*kind).unwrap(), desired) {
                let seen = control.look(&reader, desired, &address).await.seen;
                observed.0.insert(address, Look { seen, at: Timestamp::UNIX_EPOCH, request: None });
            }
        }
        let judge = |(control, kind): (&Any<'_>, &ControlKind)| {
            control.judge(desired.asked(*kind).unwrap(), desired, &observed)
        };
        controls.iter().zip(kinds).flat_map(judge).collect()
    }

    /// Makes every change that is named, each twice.
    async fn write(&self, control: Any<'_>, judgements: &[Judgement], desired: &Desired) -> Vec<Change> {
        let writer = self.door.writer(desired.target.tenant().map_or("", |tenant| tenant.native()));
        let mut written = Vec::new();
        let mut made = Made::new();
        for judgement in judgements {
            let Verdict::Fails { changes, .. } = &judgement.verdict else { continue };
            for change in changes {
                for turn in ["once", "twice"] {
                    let answer = control.write(&writer, change, &made).await;
                    assert!(answer.is_ok(), "{} {turn}: {answer:?}", change.id);
                    made.insert(change.id.clone(), answer.unwrap_or_default());
                }
                written.push(change.clone());
            }
        }
        written
    }

    fn client(&self) -> Client {
        self.door.writer("").0.client
    }

    /// The tree, the definitions and what the units carry.
    async fn organization(&self) -> Vec<Change> {
        self.organization_of(Landscape::organization()).await
    }

    async fn organization_of(&self, landscape: Landscape) -> Vec<Change> {
        let desired = landscape.desired;
        let (controls, kinds): ([Any<'_>; 2], _) = ([&Units, &Policies], [ControlKind::Units, KIND]);
        let judged = self.judged(&controls, &kinds, &desired).await;
        let (units, policies): (Vec<_>, Vec<_>) =
            judged.into_iter().partition(|judgement| judgement.control == ControlKind::Units);
        self.write(&Units, &units, &desired).await;
        // The definitions come before what assigns them, as their changes say.
        let (definitions, places): (Vec<_>, Vec<_>) =
            policies.into_iter().partition(|judgement| judgement.address == definitions_at());
        let mut written = self.write(&Policies, &definitions, &desired).await;
        written.extend(self.write(&Policies, &places, &desired).await);
        let again = self.judged(&controls, &kinds, &desired).await;
        for Judgement { address, verdict, .. } in again.iter().filter(|one| one.control == KIND) {
            assert_eq!(*verdict, Verdict::Holds, "{address}");
        }
        written
    }

    /// Puts the subscription into its unit.
    async fn place(&self, number: u32, group: &str) {
        let path = format!("{}/subscriptions/{}", group_path(group), subscription(number));
        self.client().put(&GROUPS, &path, &Value::Null).await.unwrap();
    }

    /// Makes a storage account that anybody may read; answers the refusal, where there is one.
    async fn public_account(&self, name: &str) -> Option<String> {
        let path = format!(
            "/subscriptions/{}/resourceGroups/website/providers/Microsoft.Storage/storageAccounts/{name}",
            subscription(2)
        );
        let body = json!({"location": "westeurope", "properties": {"allowBlobPublicAccess": true}});
        match self.client().put(&STORAGE, &path, &body).await {
            Ok(_) => None,
            Err(error) => Some(error.code().unwrap_or("?").to_owned()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_units_carry_binds_and_a_second_run_writes_nothing() {
    let wire = Wire::new();
    assert_eq!(wire.public_account("before").await, None);
    let written: Vec<String> = wire.organization().await.iter().map(|change| change.id.to_string()).collect();
    assert_eq!(
        written,
        [
            "policies/landfall-*#create-landfall-protect-baseline",
            "policies/landfall-*#create-landfall-public-snapshots",
            "policies/landfall-*#create-landfall-public-images",
            "policies/landfall-*#create-landfall-linux-passwords",
            "policies/workloads#create-lf-allowed-regions",
            "policies/workloads#create-lf-allowed-regions-rg",
            "policies/workloads#create-lf-protect-baseline",
            "policies/workloads#create-lf-block-public-storage",
            "policies/workloads/production#create-lf-denied-services",
        ]
    );
    assert!(wire.organization().await.is_empty());
    wire.place(2, "acme.workloads.production").await;
    assert_eq!(wire.public_account("after").await.as_deref(), Some("RequestDisallowedByPolicy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exemption_of_the_manifest_opens_what_it_names_and_closes_with_it() {
    let wire = Wire::new();
    wire.organization().await;
    wire.place(2, "acme.workloads.production").await;
    let mut desired = Landscape::adopted(2).desired;
    let (controls, kinds): ([Any<'_>; 2], _) =
        ([&Policies, &BlockPublicStorage], [KIND, ControlKind::BlockPublicStorage]);
    let carried = |judged: &[Judgement]| judged.last().unwrap().verdict.clone();
    let judged = wire.judged(&controls, &kinds, &desired).await;
    assert_eq!(carried(&judged), Verdict::Holds);

    desired.exemptions.push(Exemption {
        control: ControlKind::BlockPublicStorage,
        tenant: desired.target.tenant().unwrap().clone(),
        category: Category::Waiver,
        reason: "Pictures of the shop are public.".to_owned(),
        requested_by: "Ada".to_owned(),
        approved_by: "Grace".to_owned(),
        expires: "2199-01-31".parse().unwrap(),
    });
    let judged = wire.judged(&controls, &kinds, &desired).await;
    assert_eq!(wire.write(&Policies, &judged, &desired).await.len(), 1);
    assert_eq!(wire.public_account("pictures").await, None);
    let judged = wire.judged(&controls, &kinds, &desired).await;
    assert!(wire.write(&Policies, &judged, &desired).await.is_empty());
    let Verdict::Fails { why, .. } = carried(&judged) else { panic!("{judged:?}") };
    assert!(why.contains("exempts the subscription until 2199-01-31T23:59:59Z"), "{why}");

    desired.exemptions.clear();
    desired.record.made.insert(exemption::exemptions_at(&desired).unwrap());
    let judged = wire.judged(&controls, &kinds, &desired).await;
    assert_eq!(wire.write(&Policies, &judged, &desired).await.len(), 1);
    assert_eq!(wire.public_account("more").await.as_deref(), Some("RequestDisallowedByPolicy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_baseline_set_can_t_be_deleted_where_it_is_protected() {
    let wire = Wire::new();
    wire.organization().await;
    wire.place(2, "acme.workloads.production").await;
    let desired = Landscape::adopted(2).desired;
    let audit: Any<'_> = &AuditLog;
    let protect: Any<'_> = &ProtectBaseline;
    let judged = wire.judged(&[protect], &[ControlKind::ProtectBaseline], &desired).await;
    assert_eq!(judged.last().unwrap().verdict, Verdict::Holds);
    let judged = wire.judged(&[audit], &[ControlKind::AuditLog], &desired).await;
    assert_eq!(wire.write(audit, &judged, &desired).await.len(), 1);
    let settings =
        format!("/subscriptions/{}/providers/Microsoft.Insights/diagnosticSettings", subscription(2));
    let refused =
        wire.client().delete(&DIAGNOSTICS, &format!("{settings}/landfall-audit")).await.unwrap_err();
    assert_eq!(refused.code(), Some("RequestDisallowedByPolicy"));
}

/// What stands in a resource group is let through the gate, and protected, by names.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_made_behind_the_gate_and_can_t_be_deleted_where_they_are_protected() {
    let wire = Wire::new();
    wire.organization().await;
    let desired = Landscape::new(2).desired;
    let ground = ground(&desired).unwrap();
    let scope = format!("/subscriptions/{}", subscription(2));
    wire.place(2, "acme.workloads.production").await;
    let (definition, gate) = (quarantine(&desired).unwrap(), quarantined(&desired).unwrap());
    wire.client().put(&POLICY, &definition.id(ground), &definition.body()).await.unwrap();
    wire.client().put(&POLICY, &gate.id(&scope), &gate.body()).await.unwrap();
    let alerts: Any<'_> = &ServiceAlerts;
    let judged = wire.judged(&[alerts], &[ControlKind::ServiceAlerts], &desired).await;
    assert_eq!(wire.write(alerts, &judged, &desired).await.len(), 13);
    let judged = wire.judged(&[alerts], &[ControlKind::ServiceAlerts], &desired).await;
    assert!(judged.iter().all(|judgement| judgement.verdict == Verdict::Holds), "{judged:?}");
    let group = format!("{scope}/resourceGroups/landfall");
    let within = |kind: &str, name: &str| format!("{group}/providers/Microsoft.Insights/{kind}/{name}");
    let located = json!({"location": "westeurope"});
    let global = json!({"location": "Global", "properties": {}});
    for (service, path, body) in [
        (&RESOURCES, format!("{scope}/resourceGroups/shop"), &located),
        (&RESOURCES, format!("{scope}/resourceGroups/landfall-too"), &located),
        (&ACTION_GROUPS, within("actionGroups", "team"), &global),
        (&ALERTS, within("activityLogAlerts", "team-landfall-x"), &global),
    ] {
        let refused = wire.client().put(service, &path, body).await.unwrap_err();
        assert_eq!(refused.code(), Some("RequestDisallowedByPolicy"), "{path}");
    }
    wire.client().delete(&POLICY, &gate.id(&scope)).await.unwrap();
    wire.client().put(&ALERTS, &within("activityLogAlerts", "team"), &global).await.unwrap();
    for (service, path) in [
        (&RESOURCES, group.clone()),
        (&ACTION_GROUPS, within("actionGroups", "landfall-operations")),
        (&ALERTS, within("activityLogAlerts", "landfall-service-health")),
    ] {
        let refused = wire.client().delete(service, &path).await.unwrap_err();
        assert_eq!(refused.code(), Some("RequestDisallowedByPolicy"), "{path}");
    }
    wire.client().delete(&ALERTS, &within("activityLogAlerts", "team")).await.unwrap();
}

/// Where Landfall itself runs, in the group of its name, which goes on being used for all else.
#[tokio::test(flavor = "multi_thread")]
async fn landfall_itself_can_t_be_deleted_where_it_is_protected() {
    let wire = Wire::new();
    wire.organization().await;
    let made = [
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Web/sites",
        "Microsoft.Insights/scheduledQueryRules",
    ];
    let other = "Microsoft.Web/connections";
    wire.simulator.edit(|world| {
        let inside = world.subscription_mut(&subscription(2)).unwrap();
        for group in ["landfall", "landfall-too"] {
            let group = inside.add_resource_group(group, "westeurope");
            for kind in made.into_iter().chain([other]) {
                group.add_resource(kind, "landfall-1x", "westeurope", &json!({}));
            }
        }
    });
    let delete = async |group: &str, kind: &str| {
        let (namespace, _) = kind.split_once('/').unwrap();
        let scope = format!("/subscriptions/{}/resourceGroups/{group}", subscription(2));
        let service = Service { namespace: String::leak(namespace.to_owned()), version: "2024-01-01" };
        let deleted = wire.client().delete(&service, &format!("{scope}/providers/{kind}/landfall-1x")).await;
        deleted.err().map(|error| error.code().unwrap_or("?").to_owned())
    };
    wire.place(2, "acme.workloads.production").await;
    for kind in made {
        assert_eq!(delete("landfall", kind).await.as_deref(), Some("RequestDisallowedByPolicy"), "{kind}");
        assert_eq!(delete("landfall-too", kind).await, None, "{kind}");
    }
    assert_eq!(delete("landfall", other).await, None);
}

/// What is there already is closed: by an identity that holds its role, by a task that is started once and asked after, and again
/// where the role was taken away meanwhile. When nobody asks any more, identity and role are gone.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_already_is_closed_where_that_is_asked() {
    let wire = Wire::new();
    let group = "/providers/Microsoft.Management/managementGroups/acme.workloads";
    let organization = || closing(Landscape::organization(), true);
    let ids = |written: &[Change]| written.iter().map(|change| change.id.to_string()).collect::<Vec<_>>();
    let written = ids(&wire.organization_of(organization()).await);
    let at = |name: &str| written.iter().position(|id| *id == format!("policies/workloads#{name}"));
    assert!(
        at("create-lf-close-public-storage").unwrap() < at("grant-lf-close-public-storage").unwrap(),
        "{written:?}"
    );
    assert_eq!(ids(&wire.organization_of(organization()).await), [""; 0], "a second run writes nothing");
    let holders = || {
        wire.simulator.edit(|world| {
            let given = world.at(group).unwrap().role_assignments.values();
            given.map(|one| one.text("description").to_owned()).collect::<Vec<_>>()
        })
    };
    assert_eq!(
        holders(),
        ["Made by Landfall for the policy assignment lf-close-public-storage, which acts by it."]
    );

    wire.place(2, "acme.workloads").await;
    wire.simulator.edit(|world| {
        world.subscription_mut(&subscription(2)).unwrap().register("Microsoft.PolicyInsights");
        // Somebody takes the role away.
        world.at(group).unwrap().role_assignments.clear();
    });
    let tenant = closing(Landscape::adopted(2), true).desired;
    let (controls, kinds): ([Any<'_>; 1], _) = ([&BlockPublicStorage], [ControlKind::BlockPublicStorage]);
    let existing = async || wire.judged(&controls, &kinds, &tenant).await.pop().unwrap();
    let Verdict::Fails { why, changes } = existing().await.verdict else { panic!() };
    assert!(
        why.contains("a remediation task is started once `policies/workloads` is as it should be"),
        "{why}"
    );
    assert!(changes.is_empty());
    assert_eq!(
        ids(&wire.organization_of(organization()).await),
        ["policies/workloads#grant-lf-close-public-storage"]
    );

    let judgement = existing().await;
    let started = wire.write(&BlockPublicStorage, &[judgement], &tenant).await;
    assert_eq!(ids(&started), ["block-public-storage/existing#start"]);
    let Verdict::Fails { why, changes } = existing().await.verdict else { panic!() };
    assert!(why.starts_with("a remediation task is at work"), "{why}");
    assert!(changes.is_empty());
    assert_eq!(existing().await.verdict, Verdict::Holds);
    let open = || {
        wire.simulator.read(|world| {
            let group = &world.subscription(&subscription(2)).unwrap().resource_groups["website"];
            let accounts =
                group.resources.values().map(|one| one.resource.properties["allowBlobPublicAccess"].clone());
            accounts.collect::<Vec<_>>()
        })
    };
    assert_eq!(open(), [json!(false)]);

    // Another one comes about where the policy does not look for a while; the task is started again under the same name.
    wire.simulator.edit(|world| {
        let inside = world.subscription_mut(&subscription(2)).unwrap();
        let group = inside.resource_groups.get_mut("website").unwrap();
        let public = json!({"allowBlobPublicAccess": true});
        group.add_resource("Microsoft.Storage/storageAccounts", "another", "westeurope", &public);
    });
    let judgement = existing().await;
    assert_eq!(
        ids(&wire.write(&BlockPublicStorage, &[judgement], &tenant).await),
        ["block-public-storage/existing#start"]
    );
    let _at_work = existing().await;
    assert_eq!(existing().await.verdict, Verdict::Holds);
    assert_eq!(open(), [json!(false), json!(false)]);

    let no_more = Landscape::organization().made("policies/workloads");
    let (controls, kinds): ([Any<'_>; 2], _) = ([&Units, &Policies], [ControlKind::Units, KIND]);
    let mut judged = wire.judged(&controls, &kinds, &no_more.desired).await;
    judged.retain(|judgement| judgement.control == KIND);
    let removed = ids(&wire.write(&Policies, &judged, &no_more.desired).await);
    assert!(removed[0].starts_with("policies/workloads#revoke-"), "{removed:?}");
    assert_eq!(removed[1..], ["policies/workloads#delete-lf-close-public-storage"]);
    assert_eq!(holders(), [""; 0]);
}

/// A task whose identity can't do it fails once, is told of with Azure's reason, and is not started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_is_told_of_and_not_started_again() {
    let wire = Wire::new();
    wire.organization_of(closing(Landscape::organization(), true)).await;
    wire.place(2, "acme.workloads").await;
    wire.simulator.edit(|world| {
        world.subscription_mut(&subscription(2)).unwrap().register("Microsoft.PolicyInsights");
    });
    let tenant = closing(Landscape::adopted(2), true).desired;
    let (controls, kinds): ([Any<'_>; 1], _) = ([&BlockPublicStorage], [ControlKind::BlockPublicStorage]);
    let existing = async || wire.judged(&controls, &kinds, &tenant).await.pop().unwrap();
    let judgement = existing().await;
    wire.write(&BlockPublicStorage, &[judgement], &tenant).await;
    // The directory forgets the identity while the task is at work, and the role stays.
    wire.simulator.edit(|world| {
        world.directory.principals.retain(|_, principal| principal.name != "lf-close-public-storage");
    });
    let _at_work = existing().await;
    for _ in 0..2 {
        let Verdict::Fails { why, changes } = existing().await.verdict else { panic!() };
        assert!(why.contains("the remediation task failed on 1 of 1 resources: The client"), "{why}");
        assert!(why.contains("does not have authorization to perform action"), "{why}");
        assert!(changes.is_empty());
    }
}
