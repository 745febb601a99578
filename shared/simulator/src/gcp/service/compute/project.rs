//! A project as Compute knows it: the metadata that all its instances share.

use serde_json::{Value, json};

use super::super::fields::{only, text};
use super::{PROJECT, link, operations, refusal};
use crate::gcp::answer::{Answered, bad};
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, etag};

pub(super) fn get(world: &GcpWorld, request: &Request, project: &str) -> Answered {
    let found = world.project(project).ok_or_else(|| request.unknown())?;
    let own = found.governance.things(PROJECT).get("self").cloned().unwrap_or_default();
    Ok(json!({
        "kind": "compute#project", "id": text(&own, "id"), "name": found.id,
        "creationTimestamp": text(&own, "creationTimestamp"), "selfLink": link(&format!("projects/{}", found.id)),
        "commonInstanceMetadata": metadata(world, project),
        "defaultServiceAccount": format!("{}-compute@developer.gserviceaccount.com", found.number),
        "defaultNetworkTier": "PREMIUM", "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        "vmDnsSetting": "ZONAL_ONLY",
    }))
}

/// With its fingerprint, which is that of the items alone.
fn metadata(world: &GcpWorld, project: &str) -> Value {
    let own = world.project(project).and_then(|project| project.governance.things(PROJECT).get("self"));
    let items = own.and_then(|own| own.get("items")).cloned().unwrap_or_else(|| json!([]));
    let mut shown = json!({"kind": "compute#metadata", "fingerprint": etag(&items.to_string())});
    if let (Some(members), Some([_, ..])) = (shown.as_object_mut(), items.as_array().map(Vec::as_slice)) {
        members.insert("items".to_owned(), items);
    }
    shown
}

/// Replaces all of it; whoever does not know what is there is refused.
pub(super) fn set_metadata(world: &mut GcpWorld, request: &Request, project: &str) -> Answered {
    only(&request.body, "", &["kind", "fingerprint", "items"])?;
    let current = metadata(world, project);
    if request.text("fingerprint") != text(&current, "fingerprint") {
        let message = "Supplied fingerprint does not match current metadata fingerprint.";
        return Err(refusal(412, "FAILED_PRECONDITION", "conditionNotMet", message));
    }
    let items = request.body.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut keys: Vec<&str> = Vec::new();
    for item in &items {
        only(item, "items", &["key", "value"])?;
        let key = text(item, "key");
        let right = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || key.len() > 128 || !key.chars().all(right) {
            return Err(bad(format!("Invalid value for field 'metadata.items[].key': '{key}'.")));
        }
        if keys.contains(&key) {
            return Err(bad(format!("Invalid value for field 'metadata': duplicate key '{key}'.")));
        }
        keys.push(key);
    }
    let effect = json!({"metadata": items});
    let kind = "compute.projects.setCommonInstanceMetadata";
    Ok(operations::begin(world, request, project, kind, &effect, "", ""))
}
