//! Policy definitions and initiatives: <https://learn.microsoft.com/rest/api/policy/policy-definitions>

use serde_json::{Map, Value, json};

use super::super::answer::{Answered, Good, bad, no_method, not_found};
use super::super::page::page;
use super::super::policy;
use super::super::request::{ENVELOPE, Request, invalid, only};
use super::super::route::Kind;
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Governance, Resource, Resources};
use super::{held, held_mut};
use crate::refusal::Refusal;

/// Of one scope: <https://learn.microsoft.com/azure/governance/policy/overview#maximum-count-of-azure-policy-objects>
const MOST: usize = 500;
const MOST_SETS: usize = 200;
const MEMBERS: usize = 1_000;
const PARAMETERS: usize = 20;
const SET_PARAMETERS: usize = 400;
const NAME: usize = 64;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if !matches!(request.scope, Scope::Tenant | Scope::Group(_) | Scope::Subscription(_)) {
        return Err(bad("InvalidPolicyScope", "Definitions are on management groups and subscriptions."));
    }
    match (request.method.as_str(), request.names.is_empty()) {
        ("GET", true) => list(world, request),
        ("GET", false) => get(world, request),
        ("PUT", false) => put(world, request),
        ("DELETE", false) => delete(world, request),
        _ => Err(no_method(request)),
    }
}

fn is_set(request: &Request) -> bool {
    request.kind == Kind::PolicySetDefinitions
}

fn built_in<'a>(world: &'a AzureWorld, request: &Request) -> &'a Resources {
    let built_in = &world.built_in;
    if is_set(request) { &built_in.policy_set_definitions } else { &built_in.policy_definitions }
}

fn custom(request: &Request) -> fn(&Governance) -> &Resources {
    if is_set(request) {
        |governance| &governance.policy_set_definitions
    } else {
        |governance| &governance.policy_definitions
    }
}

fn custom_mut(request: &Request) -> fn(&mut Governance) -> &mut Resources {
    if is_set(request) {
        |governance| &mut governance.policy_set_definitions
    } else {
        |governance| &mut governance.policy_definitions
    }
}

/// The beginning of its codes, and its name in messages.
fn called(request: &Request) -> (&'static str, &'static str) {
    if is_set(request) {
        ("PolicySetDefinition", "policy set definition")
    } else {
        ("PolicyDefinition", "policy definition")
    }
}

/// A list holds the scope's own, those of the groups above it, and Microsoft's.
fn list(world: &AzureWorld, request: &Request) -> Answered {
    let kind = request.full_type();
    let only_type = request.query("$filter").map(str::to_ascii_lowercase);
    let keep = |resource: &&Resource| {
        let kind = resource.text("policyType").to_ascii_lowercase();
        only_type
            .as_deref()
            .is_none_or(|filter| filter.contains("atexactscope()") || filter.contains(&format!("'{kind}'")))
    };
    let exactly = request.filters("atExactScope()");
    let mut way = world.way_up(&request.scope);
    if exactly {
        way.truncate(1);
    }
    let own = way.into_iter().flat_map(|scope| {
        let held = world.governance(&scope).map(custom(request)).into_iter().flat_map(Resources::values);
        held.filter(keep).map(|one| one.show_dated(&scope.id(), &kind)).collect::<Vec<_>>()
    });
    let theirs = built_in(world, request).values().filter(keep).filter(|_| !exactly);
    let theirs = theirs.map(|one| one.show("/", &kind));
    page(world, request, own.chain(theirs))
}

fn missing(request: &Request) -> Refusal {
    let (code, what) = called(request);
    not_found(&format!("{code}NotFound"), format!("The {what} '{}' could not be found.", request.name()))
}

fn get(world: &AzureWorld, request: &Request) -> Answered {
    let kind = request.full_type();
    let name = key(request.name());
    if request.scope == Scope::Tenant {
        let found = built_in(world, request).get(&name).ok_or_else(|| missing(request))?;
        return Ok(Good::ok(found.show("/", &kind)));
    }
    let found = held(world, request, custom(request)).and_then(|all| all.get(&name));
    let found = found.ok_or_else(|| missing(request))?;
    Ok(Good::ok(found.show_dated(&request.scope.id(), &kind)))
}

fn put(world: &mut AzureWorld, request: &Request) -> Answered {
    let name = request.name().to_owned();
    if request.scope == Scope::Tenant {
        return Err(bad("InvalidPolicyScope", "Built-in definitions are Microsoft's."));
    }
    if name.chars().count() > NAME || name.contains(['<', '>', '%', '&', ':', '\\', '?', '/', '#']) {
        let message = format!("The definition name '{name}' is invalid: it has up to {NAME} characters.");
        return Err(bad("InvalidPolicyDefinitionName", message));
    }
    only(request.object()?, "", "PolicyDefinition", &ENVELOPE)?;
    let set = is_set(request);
    let properties = if set { checked_set(world, request)? } else { checked(request)? };
    let all = held_mut(world, request, custom_mut(request))?;
    let most = if set { MOST_SETS } else { MOST };
    if all.len() >= most && !all.contains_key(&key(&name)) {
        let message = format!("The scope '{}' has {most} definitions already.", request.scope.id());
        return Err(bad("PolicyDefinitionQuotaExceeded", message));
    }
    let (new, stored) = super::put(all, Resource::made(&name, properties, request.now));
    let shown = stored.show_dated(&request.scope.id(), &request.full_type());
    // A definition is answered 201 every time, an initiative only the first: so say the packages.
    Ok(if set { Good::put(new, shown) } else { Good::created(shown) })
}

fn text<'a>(properties: &'a Map<String, Value>, name: &str) -> &'a str {
    properties.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What ARM makes of a definition that it takes.
fn completed(properties: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut properties = properties.clone();
    if !matches!(text(&properties, "policyType"), "" | "Custom" | "NotSpecified") {
        return Err(bad(
            "InvalidPolicyDefinitionType",
            "Only Microsoft makes definitions that are not 'Custom'.",
        ));
    }
    properties.insert("policyType".to_owned(), json!("Custom"));
    properties.entry("version").or_insert_with(|| json!("1.0.0"));
    let version = properties.get("version").cloned().unwrap_or_default();
    properties.insert("versions".to_owned(), json!([version]));
    Ok(properties)
}

fn counted(properties: &Map<String, Value>, most: usize) -> Result<(), Refusal> {
    let count = properties.get("parameters").and_then(Value::as_object).map_or(0, Map::len);
    if count > most {
        let message = format!("The definition has {count} parameters; the maximum is {most}.");
        return Err(bad("PolicyDefinitionParametersExceeded", message));
    }
    Ok(())
}

fn checked(request: &Request) -> Result<Map<String, Value>, Refusal> {
    let known = [
        "policyType",
        "mode",
        "displayName",
        "description",
        "policyRule",
        "metadata",
        "parameters",
        "version",
        "versions",
        "externalEvaluationEnforcementSettings",
    ];
    let sent = request.properties()?;
    only(sent, "properties.", "PolicyDefinitionProperties", &known)?;
    let mut properties = completed(sent)?;
    properties.entry("mode").or_insert_with(|| json!("Indexed"));
    counted(&properties, PARAMETERS)?;
    let rule = properties.get("policyRule").filter(|rule| rule.is_object());
    let rule = rule.ok_or_else(|| invalid("The policy definition must have a 'policyRule'."))?;
    policy::validate(rule, properties.get("parameters"))?;
    Ok(properties)
}

fn checked_set(world: &AzureWorld, request: &Request) -> Result<Map<String, Value>, Refusal> {
    let known = [
        "policyType",
        "displayName",
        "description",
        "metadata",
        "parameters",
        "policyDefinitions",
        "policyDefinitionGroups",
        "version",
        "versions",
    ];
    let sent = request.properties()?;
    only(sent, "properties.", "PolicySetDefinitionProperties", &known)?;
    let mut properties = completed(sent)?;
    counted(&properties, SET_PARAMETERS)?;
    let members = properties.get_mut("policyDefinitions").and_then(Value::as_array_mut);
    let members =
        members.ok_or_else(|| invalid("The policy set definition must have 'policyDefinitions'."))?;
    if members.is_empty() || members.len() > MEMBERS {
        return Err(bad("InvalidPolicySetDefinition", format!("An initiative has 1 to {MEMBERS} policies.")));
    }
    for (n, member) in members.iter_mut().enumerate() {
        let id = member.get("policyDefinitionId").and_then(Value::as_str).unwrap_or_default().to_owned();
        if policy::definition(world, &id).is_none() {
            let message = format!("The policy definition '{id}' could not be found.");
            return Err(not_found("PolicyDefinitionNotFound", message));
        }
        if let Some(member) = member.as_object_mut() {
            let name = id.rsplit('/').next().unwrap_or_default();
            let reference = format!("{name}_{}", n + 1);
            member.entry("policyDefinitionReferenceId").or_insert_with(|| json!(reference));
        }
    }
    Ok(properties)
}

/// A definition that is assigned, or part of an initiative, stays.
fn delete(world: &mut AzureWorld, request: &Request) -> Answered {
    let id = format!("{}/providers/{}/{}", request.scope.id(), request.full_type(), request.name());
    if let Some(user) = policy::user_of(world, &id) {
        let (code, what) = called(request);
        let message =
            format!("The {what} '{}' cannot be deleted because it is used by '{user}'.", request.name());
        return Err(bad(&format!("{code}InUse"), message));
    }
    super::delete(world, request, custom_mut(request))
}
