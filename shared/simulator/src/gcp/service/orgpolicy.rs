//! Organization Policy: policies on resources, custom constraints of the organization, and what there is to constrain.
//!
//! <https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies>

use serde_json::{Map, Value, json};

use crate::gcp::answer::{Answered, aborted, bad, not_found, precondition, there_already};
use crate::gcp::constraint::{self, CONSTRAINTS, Kind};
use crate::gcp::gate::forbidden;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Things, etag};
use crate::refusal::Refusal;

const CUSTOM: &str = "orgpolicy/customConstraints";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let on = request.about().ok_or_else(|| request.unknown())?;
    match (method, parts.as_slice(), verb) {
        ("GET", [_, _, "policies"], "") => {
            let canonical = world.canonical(&on);
            let all = policies(world, request, &on)?;
            let shown = all.iter().map(|(constraint, policy)| show(&canonical, constraint, policy));
            page(world, request, "policies", shown, 100)
        }
        ("POST", [_, _, "policies"], "") => create(world, request, &on),
        ("GET", [_, _, "policies", constraint], "") => {
            let policy = policies(world, request, &on)?.get(*constraint).ok_or_else(missing)?;
            Ok(show(&world.canonical(&on), constraint, policy))
        }
        ("GET", [_, _, "policies", name], "getEffectivePolicy") => {
            let kind = constraint::kind(world, name).ok_or_else(missing)?;
            let rules = constraint::effective(world, &on, name).rules(kind);
            let name = format!("{}/policies/{name}", world.canonical(&on));
            Ok(json!({"name": name, "spec": {"rules": rules}}))
        }
        ("PATCH", [_, _, "policies", constraint], "") => patch(world, request, &on, constraint),
        ("DELETE", [_, _, "policies", constraint], "") => {
            let found = policies(world, request, &on)?.get(*constraint).ok_or_else(missing)?;
            fresh(found, request.query("etag").unwrap_or_default())?;
            drop(policies_mut(world, request, &on)?.remove(*constraint));
            Ok(Value::Null)
        }
        ("GET", [_, _, "constraints"], "") => {
            let canonical = world.canonical(&on);
            let shown = CONSTRAINTS.iter().map(|(name, kind)| show_constraint(&canonical, name, *kind));
            page(world, request, "constraints", shown, 1_000)
        }
        ("GET", ["organizations", _, "customConstraints"], "") => {
            let all = world.organization.governance.things(CUSTOM);
            page(world, request, "customConstraints", all.values().cloned(), 1_000)
        }
        ("POST", ["organizations", _, "customConstraints"], "") => custom(world, request, true),
        ("GET", ["organizations", _, "customConstraints", id], "") => {
            world.organization.governance.things(CUSTOM).get(*id).cloned().ok_or_else(missing)
        }
        ("PATCH", ["organizations", _, "customConstraints", _], "") => custom(world, request, false),
        ("DELETE", ["organizations", _, "customConstraints", id], "") => {
            let all = world.organization.governance.things_mut(CUSTOM);
            all.remove(*id).map(|_| Value::Null).ok_or_else(missing)
        }
        _ => Err(request.unknown()),
    }
}

fn missing() -> Refusal {
    not_found("Requested entity was not found.")
}

fn policies<'a>(world: &'a GcpWorld, request: &Request, on: &str) -> Result<&'a Things, Refusal> {
    world.governance(on).map(|found| &found.org_policies).ok_or_else(|| forbidden(request))
}

fn policies_mut<'a>(world: &'a mut GcpWorld, request: &Request, on: &str) -> Result<&'a mut Things, Refusal> {
    world.at(on).map(|found| &mut found.org_policies).ok_or_else(|| forbidden(request))
}

/// The etag stands twice: on the policy, and older, in its spec.
fn show(on: &str, constraint: &str, policy: &Value) -> Value {
    let mut shown = policy.as_object().cloned().unwrap_or_default();
    let mark = etag(&policy.to_string());
    for spec in ["spec", "dryRunSpec"] {
        if let Some(spec) = shown.get_mut(spec).and_then(Value::as_object_mut) {
            spec.insert("etag".to_owned(), json!(mark));
        }
    }
    shown.insert("name".to_owned(), json!(format!("{on}/policies/{constraint}")));
    shown.insert("etag".to_owned(), json!(mark));
    Value::Object(shown)
}

fn show_constraint(on: &str, name: &str, kind: Kind) -> Value {
    let mut shown = json!({
        "name": format!("{on}/constraints/{name}"), "displayName": name, "constraintDefault": "ALLOW", "supportsDryRun": true,
    });
    let (field, about) = match kind {
        Kind::Boolean => ("booleanConstraint", json!({})),
        Kind::List => ("listConstraint", json!({"supportsIn": true})),
    };
    if let Some(members) = shown.as_object_mut() {
        members.insert(field.to_owned(), about);
    }
    shown
}

fn fresh(policy: &Value, seen: &str) -> Result<(), Refusal> {
    if seen.is_empty() || seen == etag(&policy.to_string()) {
        return Ok(());
    }
    Err(aborted("The etag of the policy does not match the persisted one: read it again and write it again."))
}

/// A policy as it is kept: without name and etags, with its time. It is refused where its constraint has no such rules.
fn kept(world: &GcpWorld, request: &Request, constraint: &str) -> Result<Map<String, Value>, Refusal> {
    let Some(kind) = constraint::kind(world, constraint) else {
        return Err(not_found(format!("The constraint constraints/{constraint} was not found.")));
    };
    let mut kept = Map::new();
    for field in ["spec", "dryRunSpec"] {
        let Some(spec) = request.body.get(field).filter(|spec| spec.is_object()) else { continue };
        check(kind, spec)?;
        let mut spec = spec.as_object().cloned().unwrap_or_default();
        spec.remove("etag");
        // Protobuf leaves out what says nothing.
        spec.retain(|_, value| *value != json!(false) && *value != json!([]));
        spec.insert("updateTime".to_owned(), json!(request.now.to_string()));
        kept.insert(field.to_owned(), Value::Object(spec));
    }
    if kept.is_empty() {
        return Err(bad("The policy has neither spec nor dry run spec."));
    }
    Ok(kept)
}

/// <https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.policies#PolicySpec>
fn check(kind: Kind, spec: &Value) -> Result<(), Refusal> {
    let says = |field: &str| spec.get(field) == Some(&json!(true));
    let rules = spec.get("rules").and_then(Value::as_array).cloned().unwrap_or_default();
    if says("reset") {
        return if rules.is_empty() && !says("inheritFromParent") {
            Ok(())
        } else {
            Err(bad("A policy that is reset has neither rules nor inheritance."))
        };
    }
    let fields: &[&str] = match kind {
        Kind::Boolean => &["enforce", "parameters", "condition"],
        Kind::List => &["allowAll", "denyAll", "values", "condition"],
    };
    let named = rules.iter().filter_map(Value::as_object).flat_map(Map::keys);
    let strange = named.filter(|field| !fields.contains(&field.as_str())).min();
    if let Some(strange) = strange {
        return Err(bad(format!("`{strange}` can't be set in a policy for a constraint of this kind.")));
    }
    let plain = rules.iter().filter(|rule| rule.get("condition").is_none()).count();
    match kind {
        Kind::Boolean if says("inheritFromParent") => {
            Err(bad("inherit_from_parent can be set only in policies for list constraints."))
        }
        Kind::Boolean if plain != 1 => {
            Err(bad("A policy for a boolean constraint has exactly one rule without a condition."))
        }
        Kind::List if rules.is_empty() && !says("inheritFromParent") => {
            Err(bad("A policy for a list constraint has at least one rule, or inherits."))
        }
        Kind::Boolean | Kind::List => Ok(()),
    }
}

/// The name in the body says which constraint: `projects/acme/policies/gcp.resourceLocations`.
fn create(world: &mut GcpWorld, request: &Request, on: &str) -> Answered {
    let name = request.needs("name")?;
    let Some((place, constraint)) = name.split_once("/policies/") else {
        return Err(bad(format!("The policy's name `{name}` is invalid.")));
    };
    if world.canonical(place) != world.canonical(on) {
        return Err(bad("The policy's name does not begin with the parent."));
    }
    let policy = Value::Object(kept(world, request, constraint)?);
    let canonical = world.canonical(on);
    let all = policies_mut(world, request, on)?;
    if all.contains_key(constraint) {
        return Err(there_already(format!("Policy {canonical}/policies/{constraint} already exists.")));
    }
    let shown = show(&canonical, constraint, &policy);
    all.insert(constraint.to_owned(), policy);
    Ok(shown)
}

/// The mask says which of the two specs is written; `policy.spec`, as clients of some languages write it, means the same.
fn patch(world: &mut GcpWorld, request: &Request, on: &str, constraint: &str) -> Answered {
    let before = policies(world, request, on)?.get(constraint).ok_or_else(missing)?.clone();
    for etag in [request.text("etag"), request.text("spec.etag")] {
        fresh(&before, etag)?;
    }
    let mask: Vec<String> = match request.query("updateMask") {
        None | Some("" | "*") => Vec::new(),
        Some(_) => request.mask(),
    };
    let mut after = kept(world, request, constraint)?;
    if !mask.is_empty() {
        let plain = |field: &str| field.trim_start_matches("policy.").to_owned();
        let mask: Vec<String> = mask.iter().map(|field| plain(field)).collect();
        if let Some(strange) =
            mask.iter().find(|field| !["spec", "dryRunSpec", "dry_run_spec"].contains(&field.as_str()))
        {
            return Err(bad(format!(
                "The update mask names `{strange}`, and only spec and dry_run_spec can be updated."
            )));
        }
        for field in ["spec", "dryRunSpec"] {
            if !mask.iter().any(|named| named == field) {
                match before.get(field) {
                    Some(old) => drop(after.insert(field.to_owned(), old.clone())),
                    None => drop(after.remove(field)),
                }
            }
        }
    }
    let after = Value::Object(after);
    let shown = show(&world.canonical(on), constraint, &after);
    policies_mut(world, request, on)?.insert(constraint.to_owned(), after);
    Ok(shown)
}

/// <https://cloud.google.com/resource-manager/docs/reference/orgpolicy/rest/v2/organizations.customConstraints>
fn custom(world: &mut GcpWorld, request: &Request, new: bool) -> Answered {
    let root = world.organization.name();
    let name = request.needs("name")?.to_owned();
    let prefix = format!("{root}/customConstraints/");
    let Some(id) = name.strip_prefix(&prefix).filter(|id| id.starts_with("custom.") && id.len() <= 71) else {
        return Err(bad(format!("The name `{name}` must be `{prefix}custom.SOMETHING`.")));
    };
    let all = world.organization.governance.things_mut(CUSTOM);
    match (new, all.get(id)) {
        (true, Some(_)) => return Err(there_already(format!("Custom constraint {name} already exists."))),
        (false, None) => return Err(missing()),
        (false, Some(before)) if before.get("resourceTypes") != request.body.get("resourceTypes") => {
            return Err(precondition("The resource types of a custom constraint can't be changed."));
        }
        (true, None) | (false, Some(_)) => {}
    }
    if !["ALLOW", "DENY"].contains(&request.text("actionType")) {
        return Err(bad("The action type must be ALLOW or DENY."));
    }
    for field in ["resourceTypes", "methodTypes"] {
        let empty = request.body.get(field).and_then(Value::as_array).is_none_or(Vec::is_empty);
        if empty {
            return Err(bad(format!("`{field}` must not be empty.")));
        }
    }
    request.needs("condition")?;
    let mut kept = request.body.as_object().cloned().unwrap_or_default();
    kept.insert("updateTime".to_owned(), json!(request.now.to_string()));
    let kept = Value::Object(kept);
    all.insert(id.to_owned(), kept.clone());
    Ok(kept)
}
