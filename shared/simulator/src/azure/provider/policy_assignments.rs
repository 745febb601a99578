//! Policy assignments: <https://learn.microsoft.com/rest/api/policy/policy-assignments>

use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::policy;
use super::super::request::{ENVELOPE, Request, invalid, only};
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::held_mut;
use crate::refusal::Refusal;
use crate::world::uuid;

/// Of one scope: <https://learn.microsoft.com/azure/governance/policy/overview#maximum-count-of-azure-policy-objects>
const MOST: usize = 200;
/// The longest name on a management group, and elsewhere.
const NAME_AT_GROUP: usize = 24;
const NAME: usize = 64;
const NOT_SCOPES: usize = 400;

pub(super) fn pick(governance: &Governance) -> &Resources {
    &governance.policy_assignments
}

fn pick_mut(governance: &mut Governance) -> &mut Resources {
    &mut governance.policy_assignments
}

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let missing = |name: &str| {
        not_found("PolicyAssignmentNotFound", format!("The policy assignment '{name}' is not found."))
    };
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => {
            // Without a filter, and with atScope(), what is inherited is listed too.
            let wanted = request.query("$filter").and_then(of_definition);
            let keep = |one: &Resource| {
                wanted.as_ref().is_none_or(|id| one.text("policyDefinitionId").eq_ignore_ascii_case(id))
            };
            super::all(world, request, pick, !request.filters("atExactScope()"), keep)
        }
        ("GET", false) => super::one(world, request, pick, missing),
        ("PUT", false) => put(world, request),
        ("PATCH", false) => {
            let before = super::held(world, request, pick).and_then(|all| all.get(&key(request.name())));
            let before = before.cloned().ok_or_else(|| missing(request.name()))?;
            patch(world, request, before)
        }
        ("DELETE", false) => {
            let there = super::held(world, request, pick).and_then(|all| all.get(&key(request.name())));
            let identity = there.and_then(|there| there.identity.as_ref()?.get("principalId")?.as_str());
            // Its identity goes with it. The roles that were given to that stay, and are nobody's.
            if let Some(identity) = identity.map(key) {
                world.directory.principals.remove(&identity);
            }
            super::delete_showing(world, request, pick_mut)
        }
        _ => Err(no_method(request)),
    }
}

/// `policyDefinitionId eq '…'`
fn of_definition(filter: &str) -> Option<String> {
    let (name, value) = filter.split_once(" eq ")?;
    let value = value.trim().trim_matches('\'');
    name.trim().eq_ignore_ascii_case("policyDefinitionId").then(|| value.to_owned())
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let name = request.name().to_owned();
    let longest = if matches!(request.scope, Scope::Group(_)) { NAME_AT_GROUP } else { NAME };
    if name.chars().count() > longest || name.contains(['<', '>', '%', '&', ':', '\\', '?', '/', '#']) {
        return Err(bad(
            "InvalidPolicyAssignmentName",
            format!(
                "The policy assignment name '{name}' is invalid. The policy assignment name cannot have more than {longest} characters."
            ),
        ));
    }
    let mut envelope = ENVELOPE.to_vec();
    envelope.extend(["location", "identity"]);
    only(request.object()?, "", "PolicyAssignment", &envelope)?;
    let properties = checked(world, request)?;
    let mut assignment = Resource::made(&name, properties, request.now);
    let body = request.object()?;
    assignment.location = body.get("location").and_then(Value::as_str).map(str::to_owned);
    assignment.identity = identity(world, request, body)?;
    if assignment.identity.is_none() && policy::acts(world, assignment.text("policyDefinitionId")) {
        let message = "Policy assignments must include a 'managed identity' when assigning 'DeployIfNotExists' policy definitions or \
                       policy definitions that contain a deployment in the effect details.";
        return Err(bad("ResourceIdentityRequired", message));
    }
    if assignment.identity.is_some() && assignment.location.is_none() {
        return Err(bad("MissingLocation", "A policy assignment with an identity must have a location."));
    }
    let all = held_mut(world, request, pick_mut)?;
    if all.len() >= MOST && !all.contains_key(&key(&name)) {
        let message = format!(
            "The scope '{}' has reached its maximum of {MOST} policy assignments.",
            request.scope.id()
        );
        return Err(bad("PolicyAssignmentQuotaExceeded", message));
    }
    let (_, stored) = super::put(all, assignment);
    // 201 for a replacement too: so say the packages.
    Ok(Good::created(stored.show_dated(&request.scope.id(), &request.full_type())))
}

/// A system-assigned identity becomes a principal of the directory, and keeps its id.
fn identity(
    world: &mut AzureWorld,
    request: &Request,
    body: &Map<String, Value>,
) -> Result<Option<Value>, Refusal> {
    let Some(sent) = body.get("identity").filter(|identity| !identity.is_null()) else { return Ok(None) };
    let before = super::held(world, request, pick).and_then(|all| all.get(&key(request.name())));
    let before = before.and_then(|before| before.identity.as_ref()?.get("principalId")?.as_str());
    match sent.get("type").and_then(Value::as_str) {
        Some("None") => Ok(None),
        Some("UserAssigned") => Ok(Some(sent.clone())),
        Some("SystemAssigned") => {
            // One that comes after another that was taken away is somebody else.
            let id = before.map_or_else(
                || {
                    uuid(&format!(
                        "identity of {}{} since {}",
                        request.scope.id(),
                        request.name(),
                        request.now
                    ))
                },
                str::to_owned,
            );
            world.add_principal(&id, "ServicePrincipal", request.name());
            Ok(Some(json!({"type": "SystemAssigned", "principalId": id, "tenantId": world.directory.id})))
        }
        _ => Err(invalid("The identity type must be SystemAssigned, UserAssigned or None.")),
    }
}

fn checked(world: &AzureWorld, request: &Request) -> Result<Map<String, Value>, Refusal> {
    let known = [
        "displayName",
        "policyDefinitionId",
        "definitionVersion",
        "latestDefinitionVersion",
        "effectiveDefinitionVersion",
        "scope",
        "notScopes",
        "parameters",
        "description",
        "metadata",
        "enforcementMode",
        "nonComplianceMessages",
        "resourceSelectors",
        "overrides",
        "assignmentType",
        "instanceId",
        "selfServeExemptionSettings",
    ];
    let mut properties = request.properties()?.clone();
    only(&properties, "properties.", "PolicyAssignmentProperties", &known)?;
    let wrong = |message: String| bad("InvalidCreatePolicyAssignmentRequest", message);
    let id = properties.get("policyDefinitionId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if id.is_empty() {
        return Err(wrong(
            "The policy assignment request is invalid: 'policyDefinitionId' is missing.".to_owned(),
        ));
    }
    let Some(declared) = policy::definition(world, &id) else {
        let (code, what) = if id.to_ascii_lowercase().contains("/policysetdefinitions/") {
            ("PolicySetDefinitionNotFound", "policy set definition")
        } else {
            ("PolicyDefinitionNotFound", "policy definition")
        };
        return Err(not_found(code, format!("The {what} '{id}' could not be found.")));
    };
    if !policy::reachable(world, &request.scope, &id) {
        return Err(wrong(format!(
            "The policy definition '{id}' must be at or above the scope '{}'.",
            request.scope.id()
        )));
    }
    parameters(declared, properties.get("parameters"))?;
    let mode = properties.entry("enforcementMode").or_insert_with(|| json!("Default"));
    if !matches!(mode.as_str(), Some("Default" | "DoNotEnforce" | "Enroll")) {
        return Err(wrong(format!("The enforcement mode {mode} is invalid.")));
    }
    let outside = properties.entry("notScopes").or_insert_with(|| json!([])).as_array().map_or(0, Vec::len);
    if outside > NOT_SCOPES {
        return Err(wrong(format!("There are {outside} excluded scopes; the maximum is {NOT_SCOPES}.")));
    }
    let version = declared.text("version");
    let (major, _) = version.split_once('.').unwrap_or((version, ""));
    properties.entry("definitionVersion").or_insert_with(|| json!(format!("{major}.*.*")));
    // Read-only whatever was sent.
    properties.insert("scope".to_owned(), json!(request.scope.id()));
    properties
        .insert("instanceId".to_owned(), json!(uuid(&format!("{}{}", request.scope.id(), request.name()))));
    properties.entry("metadata").or_insert_with(|| json!({}));
    Ok(properties)
}

/// Every parameter without a default is given, every given one is declared, and its value allowed.
fn parameters(declared: &Resource, given: Option<&Value>) -> Result<(), Refusal> {
    let empty = Map::new();
    let given = given.and_then(Value::as_object).unwrap_or(&empty);
    let declared_all = declared.properties.get("parameters").and_then(Value::as_object).unwrap_or(&empty);
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    if let Some(name) = given.keys().find(|name| !declared_all.keys().any(|known| same(known, name))) {
        let message = format!(
            "The policy assignment has undefined parameters '{name}' for the definition '{}'.",
            declared.name
        );
        return Err(bad("UndefinedPolicyParameter", message));
    }
    for (name, about) in declared_all {
        let value = given.iter().find(|(other, _)| same(other, name)).and_then(|(_, one)| one.get("value"));
        match value {
            None if about.get("defaultValue").is_none() => {
                let message = format!("The policy assignment is missing the parameter values '{name}'.");
                return Err(bad("MissingPolicyParameter", message));
            }
            None => {}
            Some(value) => allowed(declared, name, about, value)?,
        }
    }
    Ok(())
}

fn allowed(declared: &Resource, name: &str, about: &Value, value: &Value) -> Result<(), Refusal> {
    let kind = about.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let right = match kind.as_str() {
        "string" | "datetime" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "boolean" => value.is_boolean(),
        "integer" | "float" => value.is_number(),
        _ => true,
    };
    if !right {
        let message = format!("The value of the policy parameter '{name}' must be of type '{kind}'.");
        return Err(bad("InvalidPolicyParameterType", message));
    }
    let Some(only) = about.get("allowedValues").and_then(Value::as_array) else { return Ok(()) };
    if only.contains(value) {
        return Ok(());
    }
    let list: Vec<String> =
        only.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect();
    let given = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Err(bad(
        "PolicyParameterValueNotAllowed",
        format!(
            "The value '{given}' is not allowed for policy parameter '{name}' in policy definition '{}'. The allowed values are '{}'.",
            declared.name,
            list.join(", ")
        ),
    ))
}

/// PATCH changes what is beside the policy: identity, location, overrides, selectors.
fn patch(world: &mut AzureWorld, request: &Request, mut assignment: Resource) -> Answered {
    let body = request.object()?.clone();
    if body.contains_key("identity") {
        assignment.identity = identity(world, request, &body)?;
    }
    if let Some(location) = body.get("location").and_then(Value::as_str) {
        assignment.location = Some(location.to_owned());
    }
    for name in ["overrides", "resourceSelectors"] {
        if let Some(value) = body.get("properties").and_then(|properties| properties.get(name)) {
            assignment.set(name, value.clone());
        }
    }
    assignment.updated_at = request.now;
    let (_, stored) = super::put(held_mut(world, request, pick_mut)?, assignment);
    Ok(Good::ok(stored.show_dated(&request.scope.id(), &request.full_type())))
}
