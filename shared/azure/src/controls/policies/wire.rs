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
use crate::controls::landscape::{Landscape, subscription};
use crate::controls::protect_baseline::ProtectBaseline;
use crate::controls::service_alerts::ServiceAlerts;
use crate::controls::units::Units;
use crate::session::Door;

const STORAGE: Service = Service { namespace: "Microsoft.Storage", version: "2024-01-01" };

struct Wire {
    _simulator: AzureSimulator,
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
        Wire { door: Door::new(&azure, ground).unwrap(), _simulator: simulator }
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
        for judgement in judgements {
            let Verdict::Fails { changes, .. } = &judgement.verdict else { continue };
            for change in changes {
                for turn in ["once", "twice"] {
                    let answer = control.write(&writer, change, &Made::new()).await;
                    assert!(answer.is_ok(), "{} {turn}: {answer:?}", change.id);
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
        let desired = Landscape::organization().desired;
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
        ([&Policies, &InPolicies(BlockPublicStorage)], [KIND, ControlKind::BlockPublicStorage]);
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
