//! A stage on a simulated Azure.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use landfall_azure::permissions::needed;
use landfall_azure::{Azure, AzureOrganization};
use landfall_engine::engine::Engine;
use landfall_engine::permissions::Purpose;
use landfall_engine::store::Store;
use landfall_engine::store::memory::MemoryStore;
use landfall_engine::trust::{Footing, trust};
use landfall_model::desired::reach;
use landfall_model::id::Name;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::manifest::{AzureCloud, Cloud, Manifest};
use landfall_simulator::Taken;
use landfall_simulator::azure::{AzureOptions, AzureSimulator, AzureWorld};

use crate::crash::Cut;
use crate::spine::Way;
use crate::stage::{Stage, engine_of, manifest};

/// The manifest that most scenarios share.
pub const ACME: &str = include_str!("../fixtures/azure.yaml");

/// The same, where public storage that is there already is closed as well.
pub fn closing() -> String {
    ACME.replace(
        "{ control: block-public-storage }",
        "{ control: block-public-storage, with: { also-existing: true } }",
    )
}

/// `3f2c0000-0000-4000-8000-00000000000N`, as the simulator's sample has them; 1 is Landfall's own.
pub fn subscription(number: usize) -> String {
    format!("3f2c0000-0000-4000-8000-{number:012}")
}

/// A directory of so many sample subscriptions, with the principals that the manifest names.
pub fn world(subscriptions: usize) -> AzureWorld {
    let mut world = AzureWorld::sample(subscriptions);
    // Throttled calls may come again at once: a second for each would make tests of hundreds of calls slow.
    world.settings.retry_after = 0;
    // A management group that does not exist is refused, as Resource Manager does even to those who may see everything.
    world.settings.hide_unknown_groups = true;
    for (id, kind, name) in [
        ("5a0e0000-0000-4000-8000-00000000000a", "Group", "payments-dev"),
        ("5a0e0000-0000-4000-8000-0000000000aa", "ServicePrincipal", "landfall-write"),
        ("5a0e0000-0000-4000-8000-0000000000bb", "User", "break-glass"),
    ] {
        world.add_principal(id, kind, name);
    }
    world.taken = taken();
    world
}

/// What `landfall permissions` prints for the manifest's two identities: the least that they can do with.
pub fn grants(manifest: &Manifest) -> BTreeMap<String, BTreeSet<String>> {
    let controls = reach(manifest, &on_azure(manifest).0).unwrap();
    let actions = |purpose| needed(purpose, &controls).permissions().map(str::to_owned).collect();
    BTreeMap::from([
        ("landfall-read".to_owned(), actions(Purpose::Plan)),
        ("landfall-write".to_owned(), actions(Purpose::Apply)),
    ])
}

/// The same world, where the two identities may do that and nothing else.
pub fn granted(mut world: AzureWorld, manifest: &Manifest) -> AzureWorld {
    world.settings.grants = grants(manifest);
    world
}

/// The actions that any scenario of this process took.
pub fn taken() -> Taken {
    static TAKEN: LazyLock<Taken> = LazyLock::new(Taken::default);
    TAKEN.clone()
}

/// A stage on a simulated Azure.
pub type AzureStage = Stage<AzureSimulator>;

impl Stage<AzureSimulator> {
    /// A stage with the shared manifest and so many sample subscriptions.
    pub async fn on_azure(subscriptions: usize) -> Self {
        Self::on(world(subscriptions), ACME, Arc::new(MemoryStore::new())).await
    }

    /// A stage of one's own. The identities are granted what the manifest asks for, and nothing else.
    pub async fn on(world: AzureWorld, manifest_text: &str, store: Arc<dyn Store>) -> Self {
        let manifest = manifest(manifest_text);
        let options = AzureOptions { world: Some(granted(world, &manifest)), ..AzureOptions::default() };
        let simulator = AzureSimulator::start(options).unwrap();
        let cloud = organization(&simulator.url(), &manifest);
        let (engine, queue, clock) = engine_of(cloud.clone(), cloud, manifest, store).await;
        Stage { simulator, engine, queue, clock }
    }

    /// Another stage that stands where this one does, with a world and a store of its own.
    pub async fn copy_on_azure(&self) -> Self {
        let options =
            AzureOptions { world: Some(self.simulator.read(Clone::clone)), ..AzureOptions::default() };
        let simulator = AzureSimulator::start(options).unwrap();
        let (manifest, store) = self.kept().await;
        let cloud = organization(&simulator.url(), &manifest);
        let (engine, queue, clock) = engine_of(cloud.clone(), cloud, manifest, store).await;
        clock.pass(self.clock.passed());
        Stage { simulator, engine, queue, clock }
    }

    /// Follows another manifest from now on.
    pub async fn follow_on_azure(&mut self, manifest_text: &str) {
        let manifest = manifest(manifest_text);
        self.simulator.edit(|world| world.settings.grants = grants(&manifest));
        let bundle = Bundle::build(manifest).unwrap();
        let store = &*self.engine.store;
        let now = self.engine.clock.now();
        self.engine.trusted = trust(store, bundle, None, None, Footing::Loopback, now).await.unwrap();
        self.engine = self.another_on_azure();
    }

    /// Another process on the same stage: the same store, queue and clock, its own connections.
    pub fn another_on_azure(&self) -> Engine {
        let cloud = organization(&self.simulator.url(), self.engine.trusted.bundle.manifest());
        Engine { cloud: cloud.clone(), hands: cloud, ..self.engine.clone() }
    }

    /// Calls that Resource Manager accepted and that changed something about a subscription, in order, as `namespace:operation`.
    pub fn writes_to(&self, subscription: &str) -> Vec<String> {
        self.simulator
            .calls()
            .into_iter()
            .filter(|call| call.status.is_some_and(|status| status < 300))
            .filter(|call| call.path.to_ascii_lowercase().contains(subscription))
            .filter(|call| call.method != "GET" && !call.operation.contains("policyStates"))
            .map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }
}

/// The manifest's Azure.
fn on_azure(manifest: &Manifest) -> (Name, AzureCloud) {
    let found = manifest.clouds.iter().find_map(|(name, cloud)| match cloud {
        Cloud::Azure(ground) => Some((name.clone(), ground.clone())),
        Cloud::Aws(_) | Cloud::Gcp(_) => None,
    });
    found.unwrap()
}

fn organization(url: &str, manifest: &Manifest) -> Arc<AzureOrganization> {
    let (name, ground) = on_azure(manifest);
    let azure = Azure::loopback(url).unwrap();
    Arc::new(AzureOrganization::new(&azure, name, ground).unwrap())
}

/// What somebody's own request at Resource Manager is answered: the number, and the body.
pub fn ask(
    url: &str,
    method: &str,
    path: &str,
    who: &str,
    body: &serde_json::Value,
) -> (u16, serde_json::Value) {
    use std::io::{Read as _, Write as _};
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = body.to_string();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {who}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (status, serde_json::from_str(body).unwrap_or_default())
}

impl Way for AzureSimulator {
    const CLOSES: &'static [&'static str] = &["Microsoft.Authorization:policyAssignments/write"];
    const NO_CONTACTS: &'static str = "deny=Microsoft.Security:securityContacts/write";
    const NO_LOOK_AT_CONTACTS: &'static str = "deny=Microsoft.Security:securityContacts/read@{id}";
    const NO_GATE: &'static [&'static str] = &[
        "deny=Microsoft.Authorization:policyAssignments/write@{id}",
        "deny=Microsoft.Authorization:policyAssignments/read@{id}",
    ];
    const DENIED: &'static str = "AuthorizationFailed";
    const SWEEPS: usize = 1;
    const FOREIGN: &'static str = "aws/222222222222";

    async fn stage() -> Stage<Self> {
        Stage::on_azure(3).await
    }

    fn make(&self, name: &str) -> String {
        self.edit(|world| world.add_subscription(name))
    }

    fn writes(stage: &Stage<Self>, id: &str) -> Vec<String> {
        stage.writes_to(id)
    }

    fn all_writes(&self) -> Vec<String> {
        self.calls()
            .into_iter()
            .filter(|call| call.method != "GET" && !call.operation.contains("summarize"))
            .map(|call| format!("{} {}", call.method, call.path))
            .collect()
    }

    fn clear(&self) {
        self.clear_calls();
    }

    fn fail(&self, faults: &str) {
        self.set_faults(faults.parse().unwrap());
    }
}

impl Cut for AzureSimulator {
    async fn beginning() -> (Stage<Self>, String) {
        let stage = Stage::on_azure(1).await;
        stage.sweep().await;
        let id = stage.simulator.edit(|world| {
            let id = world.add_subscription("new-shop");
            let inside = world.subscription_mut(&id).unwrap();
            inside.add_resource_group("shop", "westeurope");
            inside.register("Microsoft.Storage");
            id
        });
        (stage, id)
    }

    fn is_open(stage: &Stage<Self>, id: &str) -> bool {
        let path = format!(
            "/subscriptions/{id}/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/one?api-version=2024-01-01"
        );
        let body =
            serde_json::json!({"location": "westeurope", "properties": {"allowBlobPublicAccess": false}});
        let (status, answer) = ask(&stage.simulator.url(), "PUT", &path, "somebody", &body);
        assert!([201, 200, 403].contains(&status), "{status} {answer}");
        status != 403
    }

    /// A subscription that stands outside of quarantine has a gate of its own, and so has one in which something was done.
    fn is_guarded(stage: &Stage<Self>, id: &str, done: &[String]) -> bool {
        let (parent, gated) = stage.simulator.read(|world| {
            let inside = world.subscription(id).unwrap();
            let gated = inside.governance.policy_assignments.contains_key("landfall-quarantine");
            (inside.parent.clone(), gated)
        });
        (gated || (done.is_empty() && parent == "acme-quarantine")) && !Self::is_open(stage, id)
    }
}
