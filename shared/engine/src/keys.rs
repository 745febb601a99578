//! Where each record lives. Keys are made from typed ids, so no text from outside can name another record.

use landfall_model::id::{Digest, Name, Provider, RunId, SweepId, TenantId, UnitPath};
use landfall_model::target::Target;

use crate::store::{Key, KeyError};

fn key(text: &str) -> Result<Key, KeyError> {
    Key::parse(text)
}

/// A target's record: its life, its lease, the end of its history.
pub fn record(target: &Target) -> Result<Key, KeyError> {
    match target {
        Target::Tenant(tenant) => key(&format!("tenants/{tenant}")),
        Target::Organization(cloud) => key(&format!("organizations/{cloud}")),
    }
}

/// The folder of a target's history.
pub fn history(target: &Target) -> String {
    format!("history/{target}")
}

/// One entry of a history; twenty digits, so that keys sort as numbers do.
pub fn entry(target: &Target, seq: u64) -> Result<Key, KeyError> {
    key(&format!("{}/{seq:020}", history(target)))
}

/// A run's report.
pub fn run(run: &RunId, target: &Target) -> Result<Key, KeyError> {
    key(&format!("runs/{run}/{target}"))
}

/// A run's plan, stored before it is applied.
pub fn plan(run: &RunId, target: &Target) -> Result<Key, KeyError> {
    key(&format!("plans/{run}/{target}"))
}

/// The plan of a run's later round.
pub fn plan_of_turn(run: &RunId, target: &Target, turn: u64) -> Result<Key, KeyError> {
    key(&format!("plans/{run}/{target}/{turn:020}"))
}

/// The report of a run's later round.
pub fn run_of_turn(run: &RunId, target: &Target, turn: u64) -> Result<Key, KeyError> {
    key(&format!("runs/{run}/{target}/{turn:020}"))
}

/// A sweep's record.
pub fn sweep(sweep: &SweepId) -> Result<Key, KeyError> {
    key(&format!("sweeps/{sweep}/sweep"))
}

/// One page of a sweep's tenants, with what the organization's directory said of them.
pub fn page(sweep: &SweepId, page: u32) -> Result<Key, KeyError> {
    key(&format!("sweeps/{sweep}/pages/{page:06}"))
}

/// What a sweep saw of the organization, for all its workers.
pub fn seen(sweep: &SweepId) -> Result<Key, KeyError> {
    key(&format!("sweeps/{sweep}/organization"))
}

/// The folder of a sweep's finished targets.
pub fn done_folder(sweep: &SweepId) -> String {
    format!("sweeps/{sweep}/done")
}

/// One finished target of a sweep.
pub fn done(sweep: &SweepId, target: &Target) -> Result<Key, KeyError> {
    key(&format!("{}/{target}", done_folder(sweep)))
}

/// The end of a sweep.
pub fn closed(sweep: &SweepId) -> Result<Key, KeyError> {
    key(&format!("sweeps/{sweep}/closed"))
}

/// A bundle, by its digest.
pub fn manifest(digest: &Digest) -> Result<Key, KeyError> {
    key(&format!("manifests/{digest}"))
}

/// Which bundle the store's functions follow, and whose store it is.
pub fn followed() -> Result<Key, KeyError> {
    key("manifests/followed")
}

/// The delivery of a tenant to its team.
pub fn delivery(tenant: &TenantId, seq: u32) -> Result<Key, KeyError> {
    key(&format!("deliveries/{tenant}/{seq:06}"))
}

/// Who was there when Landfall first looked.
pub fn inventory(provider: Provider, cloud: &Name) -> Result<Key, KeyError> {
    // The manifest's usual name of a cloud is the provider's, and then one word is enough.
    if cloud.as_str() == provider.as_str() {
        key(&format!("inventory/{provider}"))
    } else {
        key(&format!("inventory/{provider}-{cloud}"))
    }
}

/// The stop switch.
pub fn switch() -> Result<Key, KeyError> {
    key("switch")
}

/// When a cloud was last swept.
pub fn heartbeat(cloud: &Name) -> Result<Key, KeyError> {
    key(&format!("heartbeats/{cloud}"))
}

/// The folder of the units that were swept on their own.
pub const PARTIAL: &str = "partial";

/// When a unit of a cloud was last swept on its own.
pub fn partial(cloud: &Name, unit: &UnitPath) -> Result<Key, KeyError> {
    key(&format!("{PARTIAL}/{cloud}/{unit}"))
}

/// A trigger that was refused, for people to look at.
pub fn refused(run: &RunId) -> Result<Key, KeyError> {
    key(&format!("refused/{run}"))
}
