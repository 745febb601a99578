//! Whom a sweep of one unit is for: the tenants that the manifest puts into the unit or below it, wherever they are now.

use futures_util::stream::{self, StreamExt as _};
use landfall_model::desired::unit_of;
use landfall_model::id::UnitPath;
use landfall_model::manifest::{Intake, Manifest};
use landfall_model::target::Target;

use crate::cloud::Surveyed;
use crate::engine::{Engine, EngineError};
use crate::lease;

/// Units named to whoever asked for one that is not there.
const NAMED: usize = 20;

/// Records read at once.
const READS: usize = 8;

/// Whether the manifest has a unit; the error names those that it has.
pub fn known(manifest: &Manifest, unit: &UnitPath) -> Result<(), EngineError> {
    if manifest.units.contains_key(unit) {
        return Ok(());
    }
    let mut units: Vec<String> = manifest.units.keys().take(NAMED).map(|unit| format!("`{unit}`")).collect();
    match manifest.units.len() {
        0 => units.push("none".to_owned()),
        many if many > NAMED => units.push(format!("and {} more", many - NAMED)),
        _ => {}
    }
    Err(EngineError::NoSuchUnit { unit: unit.to_string(), units: units.join(", ") })
}

/// Those of a page who belong to a unit, in the page's order.
pub(super) async fn within(
    engine: &Engine,
    unit: &UnitPath,
    tenants: Vec<Surveyed>,
) -> Result<Vec<Surveyed>, EngineError> {
    let manifest = engine.trusted.bundle.manifest();
    // Whom no project names can only be let in by a rule, and a rule goes by the name that a tenant came with, which our record keeps.
    let rules = manifest.intake.iter().any(
        |rule| matches!(&rule.then, Intake::Land { unit: lands, landing_zone: _ } if unit.covers(lands)),
    );
    // Collected first: a stream over a borrowing closure is not `Send` for the compiler.
    let mut asked = Vec::new();
    for surveyed in tenants {
        let named = manifest.tenant(&surveyed.tenant).is_some();
        if !named && !rules {
            continue;
        }
        asked.push(async move {
            let target = Target::Tenant(surveyed.tenant.clone());
            let record = if named { None } else { lease::peek(&*engine.store, &target).await? };
            let came = record.and_then(|record| record.came_as);
            let name = came.as_deref().unwrap_or(&surveyed.facts.name);
            let home = unit_of(manifest, engine.cloud.name(), &surveyed.tenant, name);
            Ok(home.is_some_and(|home| unit.covers(&home)).then_some(surveyed))
        });
    }
    let found: Vec<Result<Option<Surveyed>, EngineError>> =
        stream::iter(asked).buffered(READS).collect().await;
    found.into_iter().filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests;
