//! Pools of foreign identities and their providers:
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools>
//!
//! What is deleted is kept for thirty days, in which it can be looked at and brought back, and not changed; nor can its name be used.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::gcp::access;
use crate::gcp::answer::{Answered, bad, not_found, precondition, there_already};
use crate::gcp::gate::forbidden;
use crate::gcp::operation::{any, begin};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::service::fields::{masked, only, text};
use crate::gcp::world::{GcpWorld, Things};
use crate::refusal::Refusal;

const POOLS: &str = "iam/workloadIdentityPools";
const PROVIDERS: &str = "iam/workloadIdentityPoolProviders";

/// What may be sent of each.
const OF_POOL: [&str; 6] = [
    "description",
    "disabled",
    "displayName",
    "inlineCertificateIssuanceConfig",
    "inlineTrustConfig",
    "mode",
];
const OF_PROVIDER: [&str; 10] = [
    "actorProviders",
    "attributeCondition",
    "attributeMapping",
    "aws",
    "description",
    "disabled",
    "displayName",
    "oidc",
    "saml",
    "x509",
];

/// What the cloud says of each, which requests may carry and which is passed over.
const TOLD: [&str; 3] = ["name", "state", "expireTime"];

/// How long what is deleted can be brought back.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// An issuer that Google refuses to trust without a condition on its claims: it is everybody's.
const EVERYBODYS: &str = "https://token.actions.githubusercontent.com";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let on = request.about().ok_or_else(|| request.unknown())?;
    let canonical = world.canonical(&on);
    let held = |kind: &str| -> Result<&Things, _> {
        world.governance(&on).map(|found| found.things(kind)).ok_or_else(|| forbidden(request))
    };
    let below = parts.get(5..).unwrap_or_default();
    let (kind, key) = match below {
        [] => (POOLS, String::new()),
        [pool] => (POOLS, (*pool).to_owned()),
        [pool, "providers"] => (PROVIDERS, format!("{pool}/")),
        [pool, "providers", provider] => (PROVIDERS, format!("{pool}/{provider}")),
        _ => return Err(request.unknown()),
    };
    let place = format!("{canonical}/locations/global/workloadIdentityPools");
    let name = |key: &str| match key.split_once('/') {
        None => format!("{place}/{key}"),
        Some((pool, provider)) => format!("{place}/{pool}/providers/{provider}"),
    };
    let list = key.is_empty() || key.ends_with('/');
    match (method, verb) {
        ("GET", "") if list => {
            let deleted = request.flag("showDeleted");
            let all = held(kind)?.iter().filter(|(id, _)| id.starts_with(&key));
            let all = all.filter(|(_, one)| deleted || !is_deleted(one));
            let field = if kind == POOLS { "workloadIdentityPools" } else { "workloadIdentityPoolProviders" };
            let shown: Vec<Value> = all.map(|(_, one)| one.clone()).collect();
            page(world, request, field, shown.into_iter(), if kind == POOLS { 1_000 } else { 100 })
        }
        ("GET", "") => held(kind)?.get(&key).cloned().ok_or_else(nowhere),
        ("POST", "") if list => {
            let parameter =
                if kind == POOLS { "workloadIdentityPoolId" } else { "workloadIdentityPoolProviderId" };
            let id = request.query(parameter).unwrap_or_default();
            let plain = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !plain || !(4..=32).contains(&id.len()) || id.starts_with("gcp-") {
                return Err(bad(format!(
                    "{parameter} must be 4 to 32 lowercase letters, digits and hyphens."
                )));
            }
            if kind == PROVIDERS {
                let pool = held(POOLS)?.get(key.trim_end_matches('/')).ok_or_else(nowhere)?;
                usable(pool)?;
            }
            let key = format!("{key}{id}");
            if held(kind)?.contains_key(&key) {
                return Err(there_already("Requested entity already exists"));
            }
            let mut kept = right(kind, &request.body)?;
            kept.insert("name".to_owned(), json!(name(&key)));
            kept.insert("state".to_owned(), json!("ACTIVE"));
            Ok(write(world, request, &on, kind, &key, kept))
        }
        ("PATCH" | "DELETE", "") | ("POST", "undelete") if !list => {
            let before = held(kind)?.get(&key).ok_or_else(nowhere)?;
            let mut after = before.as_object().cloned().unwrap_or_default();
            match method {
                "DELETE" => {
                    usable(before)?;
                    let until = request.now.checked_add(KEPT).unwrap_or(request.now);
                    after.insert("state".to_owned(), json!("DELETED"));
                    after.insert("expireTime".to_owned(), json!(until.to_string()));
                }
                "POST" if !is_deleted(before) => {
                    return Err(precondition("Requested entity is not deleted."));
                }
                "POST" => {
                    after.insert("state".to_owned(), json!("ACTIVE"));
                    after.remove("expireTime");
                }
                _ => {
                    usable(before)?;
                    only(&request.body, "", &[fields(kind), &TOLD].concat())?;
                    let changed = masked(before, &request.body, &request.mask(), fields(kind), &TOLD)?;
                    after = right(kind, &changed)?;
                    for told in TOLD {
                        after.extend(before.get(told).map(|value| (told.to_owned(), value.clone())));
                    }
                }
            }
            Ok(write(world, request, &on, kind, &key, after))
        }
        ("POST", "testIamPermissions") => Ok(access::tested(world, request)),
        _ => Err(request.unknown()),
    }
}

fn nowhere() -> Refusal {
    not_found("Requested entity was not found.")
}

fn is_deleted(one: &Value) -> bool {
    text(one, "state") == "DELETED"
}

fn usable(one: &Value) -> Result<(), Refusal> {
    if is_deleted(one) {
        return Err(precondition("Requested entity is deleted."));
    }
    Ok(())
}

fn fields(kind: &str) -> &'static [&'static str] {
    if kind == POOLS { &OF_POOL } else { &OF_PROVIDER }
}

/// What is sent, when it is right, without what is the cloud's to say. What is false is not shown.
fn right(kind: &str, body: &Value) -> Result<Map<String, Value>, Refusal> {
    let mut kept = only(body, "", &[fields(kind), &TOLD].concat())?.clone();
    kept.retain(|name, value| !TOLD.contains(&name.as_str()) && *value != json!(false));
    if text(body, "displayName").chars().count() > 32 || text(body, "description").chars().count() > 256 {
        return Err(bad("The display name or the description is too long."));
    }
    if kind == POOLS {
        return Ok(kept);
    }
    let kinds = ["aws", "oidc", "saml", "x509"].iter().filter(|kind| body.get(**kind).is_some()).count();
    if kinds != 1 {
        return Err(bad("Exactly one provider config must be set."));
    }
    let condition = text(body, "attributeCondition");
    if let Some(oidc) = body.get("oidc") {
        only(oidc, "oidc", &["allowedAudiences", "discoveryUri", "issuerUri", "jwksJson"])?;
        let issuer = text(oidc, "issuerUri");
        if !issuer.starts_with("https://") {
            return Err(bad("The issuer URI must be an HTTPS endpoint."));
        }
        if body.pointer("/attributeMapping/google.subject").is_none() {
            return Err(bad("The attribute mapping must include google.subject."));
        }
        if issuer == EVERYBODYS && !condition.contains("assertion.") && !condition.contains("attribute.") {
            return Err(bad("The attribute condition must reference one of the provider's claims."));
        }
    }
    Ok(kept)
}

fn write(
    world: &mut GcpWorld,
    request: &Request,
    on: &str,
    kind: &str,
    key: &str,
    thing: Map<String, Value>,
) -> Value {
    let name = thing.get("name").and_then(Value::as_str).unwrap_or_default();
    let prefix = format!("{name}/operations/");
    let what = if kind == POOLS { "WorkloadIdentityPool" } else { "WorkloadIdentityPoolProvider" };
    let metadata = any(&format!("google.iam.v1.{what}OperationMetadata"), json!({}));
    let with = json!({"on": on, "kind": kind, "key": key, "thing": thing, "what": what});
    begin(world, request, &prefix, metadata, written, with)
}

fn written(world: &mut GcpWorld, with: &Value) -> Answered {
    let text = |name: &str| with.get(name).and_then(Value::as_str).unwrap_or_default();
    let thing = with.get("thing").cloned().unwrap_or_default();
    if let Some(found) = world.at(text("on")) {
        found.things_mut(text("kind")).insert(text("key").to_owned(), thing.clone());
    }
    Ok(any(&format!("google.iam.v1.{}", text("what")), thing))
}
