//! A stage on a simulated Google Cloud.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use landfall_engine::engine::Engine;
use landfall_engine::permissions::Purpose;
use landfall_engine::store::Store;
use landfall_engine::store::memory::MemoryStore;
use landfall_engine::trust::{Footing, trust};
use landfall_gcp::permissions::needed;
use landfall_gcp::{Gcp, GcpOrganization};
use landfall_model::desired::reach;
use landfall_model::id::Name;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::{Cloud, GcpCloud, Manifest};
use landfall_simulator::gcp::{CREATOR, GcpOptions, GcpSimulator, GcpWorld, READ_IDENTITY, WRITE_IDENTITY};
use landfall_simulator::{Call, Taken};

use crate::azure::ask;
use crate::crash::Cut;
use crate::spine::Way;
use crate::stage::{Stage, engine_of, manifest};

/// The manifest that most scenarios share.
pub const ACME: &str = include_str!("../fixtures/gcp.yaml");

/// The organization's number, as the manifest has it.
pub const ORGANIZATION: &str = "organizations/123456789012";

/// An organization of so many sample projects beside Landfall's own.
pub fn world(projects: usize) -> GcpWorld {
    let mut world = GcpWorld::sample(projects);
    // Throttled calls may come again at once: a second for each would make tests of hundreds of calls slow.
    world.settings.retry_after = None;
    world
}

/// A stage on a simulated Google Cloud.
pub type GcpStage = Stage<GcpSimulator>;

impl Stage<GcpSimulator> {
    /// A stage with the shared manifest and so many sample projects.
    pub async fn on_gcp(projects: usize) -> Self {
        Self::in_gcp(world(projects), ACME, Arc::new(MemoryStore::new())).await
    }

    /// A stage of one's own.
    pub async fn in_gcp(world: GcpWorld, manifest_text: &str, store: Arc<dyn Store>) -> Self {
        Self::at(world, manifest(manifest_text), store).await
    }

    /// The two service accounts are granted what the manifest asks for, and nothing else.
    async fn at(world: GcpWorld, manifest: Manifest, store: Arc<dyn Store>) -> Self {
        let mut world = granted(world, &manifest);
        world.taken = taken();
        let simulator =
            GcpSimulator::start(GcpOptions { world: Some(world), ..GcpOptions::default() }).unwrap();
        let cloud = organization(&simulator.url(), &manifest);
        let (engine, queue, clock) = engine_of(cloud.clone(), cloud, manifest, store).await;
        Stage { simulator, engine, queue, clock }
    }

    /// Another stage that stands where this one does, with a world and a store of its own.
    pub async fn copy_in_gcp(&self) -> Self {
        let (manifest, store) = self.kept().await;
        let copy = Self::at(self.simulator.read(Clone::clone), manifest, store).await;
        copy.clock.pass(self.clock.passed());
        copy
    }

    /// Follows another manifest from now on.
    pub async fn follow_in_gcp(&mut self, manifest_text: &str) {
        let manifest = manifest(manifest_text);
        self.simulator.edit(|world| world.settings.grants = grants(&manifest));
        let bundle = Bundle::build(manifest).unwrap();
        let store = &*self.engine.store;
        let now = self.engine.clock.now();
        self.engine.trusted = trust(store, bundle, None, None, Footing::Loopback, now).await.unwrap();
        self.engine = self.another_in_gcp();
    }

    /// Another process on the same stage: the same store, queue and clock, its own connections.
    pub fn another_in_gcp(&self) -> Engine {
        let cloud = organization(&self.simulator.url(), self.engine.trusted.bundle.manifest());
        Engine { cloud: cloud.clone(), hands: cloud, ..self.engine.clone() }
    }

    /// Calls that Google accepted and that changed something about a project, in order, as `service:operation`.
    pub fn writes_in(&self, project: &str) -> Vec<String> {
        let calls = self.simulator.calls().into_iter();
        calls
            .filter(|call| {
                call.status.is_some_and(|status| status < 300) && is_write(&call.method, &call.path)
            })
            .filter(|call| concerns(&self.simulator, call, project))
            .map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }
}

/// Whether a call is about a project, which it names by its id or by its number.
pub(crate) fn concerns(simulator: &GcpSimulator, call: &Call, project: &str) -> bool {
    let number = simulator.read(|world| world.project(project).map(|project| project.number.clone()));
    let number = number.unwrap_or_default();
    let is_about = |text: &str| {
        text.split(['/', '"', '%', ':', '?']).any(|part| {
            part == project || part == number || part.strip_prefix("2F").is_some_and(|part| part == project)
        })
    };
    is_about(&call.path) || is_about(&call.parameters.to_string())
}

/// Whether a call changes something: some that only look are sent as a POST.
pub(crate) fn is_write(method: &str, path: &str) -> bool {
    const LOOKS: [&str; 4] = [":getIamPolicy", ":search", ":testIamPermissions", ":getEffectivePolicy"];
    method != "GET" && !LOOKS.iter().any(|look| path.ends_with(look))
}

/// What `landfall permissions` prints for the manifest's two service accounts, the custom roles' and the predefined ones' share: the least
/// that they can do with.
fn grants(manifest: &Manifest) -> BTreeMap<String, BTreeSet<String>> {
    let (name, _) = on_gcp(manifest);
    let controls = reach(manifest, &name).unwrap();
    let held = |purpose| needed(purpose, &controls).permissions().map(str::to_owned).collect();
    BTreeMap::from([
        (READ_IDENTITY.to_owned(), held(Purpose::Plan)),
        (WRITE_IDENTITY.to_owned(), held(Purpose::Apply)),
    ])
}

/// The same world, where the two service accounts may do that and nothing else.
pub fn granted(mut world: GcpWorld, manifest: &Manifest) -> GcpWorld {
    world.settings.grants = grants(manifest);
    world
}

/// The permissions that any scenario of this process took.
pub fn taken() -> Taken {
    static TAKEN: LazyLock<Taken> = LazyLock::new(Taken::default);
    TAKEN.clone()
}

/// The manifest's Google Cloud.
fn on_gcp(manifest: &Manifest) -> (Name, GcpCloud) {
    let found = manifest.clouds.iter().find_map(|(name, cloud)| match cloud {
        Cloud::Gcp(ground) => Some((name.clone(), ground.clone())),
        Cloud::Aws(_) | Cloud::Azure(_) => None,
    });
    found.unwrap()
}

fn organization(url: &str, manifest: &Manifest) -> Arc<GcpOrganization> {
    let (name, ground) = on_gcp(manifest);
    let gcp = Gcp::loopback(url).unwrap();
    Arc::new(GcpOrganization::new(&gcp, name, ground).unwrap())
}

impl Way for GcpSimulator {
    const CLOSES: &'static [&'static str] =
        &["iam:policies.denypolicies.create", "orgpolicy:projects.policies.create"];
    const NO_CONTACTS: &'static str = "deny=essentialcontacts:projects.contacts.create";
    const NO_LOOK_AT_CONTACTS: &'static str = "deny=essentialcontacts:projects.contacts.compute";
    const NO_GATE: &'static [&'static str] =
        &["deny=iam:policies.denypolicies.create@{id}", "deny=iam:policies.denypolicies.get@{id}"];
    const DENIED: &'static str = "PERMISSION_DENIED";
    // Compute shows a project's network and metadata once its API is enabled.
    const SWEEPS: usize = 2;
    const FOREIGN: &'static str = "azure/3f2c0000-0000-4000-8000-000000000002";

    async fn stage() -> Stage<Self> {
        Stage::on_gcp(3).await
    }

    fn make(&self, name: &str) -> String {
        self.edit(|world| world.create_project(name, ORGANIZATION));
        name.to_owned()
    }

    fn writes(stage: &Stage<Self>, id: &str) -> Vec<String> {
        stage.writes_in(id)
    }

    fn all_writes(&self) -> Vec<String> {
        let calls = self.calls().into_iter().filter(|call| is_write(&call.method, &call.path));
        calls.map(|call| format!("{} {}", call.method, call.path)).collect()
    }

    fn clear(&self) {
        self.clear_calls();
    }

    fn fail(&self, faults: &str) {
        self.set_faults(faults.parse().unwrap());
    }
}

impl Cut for GcpSimulator {
    async fn beginning() -> (Stage<Self>, String) {
        let stage = Stage::on_gcp(1).await;
        stage.sweep().await;
        let id = stage.simulator.make("new-shop");
        // Whoever made it owns it.
        stage.simulator.edit(|world| world.tokens.insert("somebody".to_owned(), CREATOR.to_owned()));
        (stage, id)
    }

    fn is_open(stage: &Stage<Self>, id: &str) -> bool {
        let path = format!("/iam.googleapis.com/v1/projects/{id}/serviceAccounts");
        let body = serde_json::json!({"accountId": "somebody-made-it"});
        let (status, answer) = ask(&stage.simulator.url(), "POST", &path, "somebody", &body);
        // A second time it is there already.
        assert!([200, 403, 409].contains(&status), "{status} {answer}");
        status != 403
    }

    /// Until its gate is closed a new project is open, and nothing else is done to it.
    fn is_guarded(stage: &Stage<Self>, id: &str, done: &[String]) -> bool {
        done.iter().all(|write| Self::CLOSES.contains(&write.as_str())) || !Self::is_open(stage, id)
    }
}
