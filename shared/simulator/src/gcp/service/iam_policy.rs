//! Reading and writing allow policies, the same for every resource that has one.
//!
//! <https://cloud.google.com/iam/docs/reference/rest/v1/Policy>: etag and version; the update mask is Resource Manager's.

use serde_json::{Value, json};

use crate::gcp::answer::{Answered, aborted, bad};
use crate::gcp::request::{Request, camel};
use crate::gcp::world::{Binding, IamPolicy};
use crate::refusal::Refusal;

pub(crate) fn get(policy: &IamPolicy, request: &Request) -> Answered {
    let asked = request.body.pointer("/options/requestedPolicyVersion").and_then(Value::as_u64);
    let in_query = || {
        let query = request.query("options.requestedPolicyVersion");
        query.or_else(|| request.query("optionsRequestedPolicyVersion"))?.parse().ok()
    };
    let version = asked.or_else(in_query).unwrap_or(0);
    if ![0, 1, 3].contains(&version) {
        return Err(bad(format!("Requested policy version ({version}) must be 0, 1 or 3.")));
    }
    Ok(policy.show(version))
}

/// Writes what the update mask names, which is bindings and etag where it names nothing.
pub(crate) fn set(policy: &mut IamPolicy, request: &Request) -> Answered {
    let Some(asked) = request.body.get("policy").filter(|policy| policy.is_object()) else {
        return Err(bad("Request contains an invalid argument: policy is required."));
    };
    let version = asked.get("version").and_then(Value::as_u64).unwrap_or(0);
    if ![0, 1, 3].contains(&version) {
        return Err(bad(format!("Invalid policy version ({version}): must be 0, 1 or 3.")));
    }
    // The mask names the fields of the policy; Google's own clients write it in the body.
    let mask = request.body.get("updateMask").and_then(Value::as_str).or_else(|| request.query("updateMask"));
    let mask: Vec<String> = match mask.filter(|mask| !mask.is_empty()) {
        Some(mask) => mask.split(',').map(|field| camel(field.trim())).collect(),
        None => vec!["bindings".to_owned(), "etag".to_owned()],
    };
    let etag = asked.get("etag").and_then(Value::as_str).filter(|etag| !etag.is_empty());
    if etag.is_some_and(|etag| etag != policy.etag()) {
        return Err(aborted(
            "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff. The request's ETag did not match the current policy's ETag.",
        ));
    }
    let names = |field: &str| mask.iter().any(|named| named == field || named == "*");
    let mut next = policy.clone();
    if names("bindings") {
        next.bindings = bindings(asked)?;
        // Whoever gives no etag may overwrite a policy with conditions; whoever gives one must have asked for version 3.
        let conditional = next.is_conditional() || (policy.is_conditional() && etag.is_some());
        if conditional && version != 3 {
            return Err(bad(format!(
                "Policies with conditional role bindings must specify version 3, but the version is {version}. See https://cloud.google.com/iam/docs/policies#versions."
            )));
        }
    }
    if names("auditConfigs") {
        let configs = asked.get("auditConfigs").and_then(Value::as_array);
        next.audit_configs = configs.cloned().unwrap_or_default();
    }
    next.tidy();
    *policy = next;
    Ok(policy.show(version.max(1)))
}

fn bindings(asked: &Value) -> Result<Vec<Binding>, Refusal> {
    let bindings = asked.get("bindings").cloned().unwrap_or_else(|| json!([]));
    let bindings: Vec<Binding> = serde_json::from_value(bindings)
        .map_err(|wrong| bad(format!("Invalid value at 'policy': {wrong}")))?;
    for Binding { role, members, .. } in &bindings {
        let known = role.starts_with("roles/") || role.contains("/roles/");
        if !known || role.contains("_withcond_") {
            return Err(bad(format!("Role {role} is not supported for this resource.")));
        }
        for member in members {
            check(member)?;
        }
    }
    Ok(bindings)
}

/// <https://cloud.google.com/iam/docs/principal-identifiers>
fn check(member: &str) -> Result<(), Refusal> {
    const TYPES: [&str; 10] = [
        "user",
        "group",
        "serviceAccount",
        "domain",
        "deleted",
        "principal",
        "principalSet",
        "projectOwner",
        "projectEditor",
        "projectViewer",
    ];
    if ["allUsers", "allAuthenticatedUsers"].contains(&member) {
        return Ok(());
    }
    match member.split_once(':') {
        Some((kind, id)) if TYPES.contains(&kind) && !id.is_empty() => Ok(()),
        Some(_) | None => Err(bad(format!(
            "The member {member} is of an unknown type. Please set a valid type prefix for the member."
        ))),
    }
}
