//! What an asset feed tells of a project: as it is, and as it was before.
//!
//! <https://cloud.google.com/asset-inventory/docs/reference/rest/v1/TemporalAsset>. Project resources come in Resource Manager's first
//! version (`lifecycleState`) or its third (`state`).

use landfall_engine::tidy::tidy;
use landfall_model::trigger::Trigger;
use serde_json::Value;

use crate::record::{Meaning, id, named};
use crate::trigger::Malformed;

const PROJECT: &str = "cloudresourcemanager.googleapis.com/Project";

/// Reads what a feed publishes.
pub(crate) fn read(told: &Value) -> Result<Trigger, Malformed> {
    let (asset, prior) = (told.get("asset"), told.get("priorAsset"));
    let text = |name: &str| {
        [asset, prior]
            .into_iter()
            .flatten()
            .find_map(|one| one.get(name)?.as_str())
            .filter(|text| !text.is_empty())
    };
    let need = |name| text(name).ok_or_else(|| Malformed::new(format!("the asset has no `{name}`")));
    let (kind, name) = (need("assetType")?, need("name")?);
    if kind != PROJECT {
        return Ok(Trigger::Ignored {
            why: format!("nothing here listens to assets of type `{}`", tidy(kind)),
        });
    }
    let data = |one: Option<&Value>, name: &str| one?.pointer(&format!("/resource/data/{name}")).cloned();
    let state = |one| {
        let state = data(one, "lifecycleState").or_else(|| data(one, "state"));
        state.as_ref().and_then(Value::as_str).map(str::to_owned)
    };
    let before = told.get("priorAssetState").and_then(Value::as_str).unwrap_or_default();
    let is_deleted = told.get("deleted") == Some(&Value::Bool(true));
    let (now, then) = (state(asset), state(prior));
    let meaning = if is_deleted || now.as_deref().is_some_and(|state| state != "ACTIVE") {
        Meaning::Closed
    } else if before == "DOES_NOT_EXIST" {
        Meaning::Created
    } else if before == "DELETED" || then.as_deref().is_some_and(|state| state != "ACTIVE") {
        Meaning::Joined
    } else {
        match (data(asset, "parent"), data(prior, "parent")) {
            (Some(now), Some(then)) if now != then => Meaning::Moved,
            _ => Meaning::Changed,
        }
    };
    let said = data(asset, "projectId").or_else(|| data(prior, "projectId"));
    let tenant = said.as_ref().and_then(Value::as_str).and_then(id).or_else(|| named(name).and_then(id));
    Ok(meaning.trigger(tenant))
}
