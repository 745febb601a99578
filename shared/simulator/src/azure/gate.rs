//! What ARM checks before a resource provider sees a call: token, version, existence, rights, state, registration, locks.

use super::answer::{bad, conflict, not_found, refusal};
use super::permit;
use super::request::Request;
use super::route::Kind;
use super::scope::Scope;
use super::world::resource::key;
use super::world::{AzureWorld, subscription};
use crate::fault::Faults;
use crate::refusal::Refusal;

/// No token: <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
pub(crate) fn unauthenticated() -> Refusal {
    refusal(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
}

pub(crate) fn throttled(request: &Request) -> Refusal {
    let limit = if request.reads() { "read" } else { "write" };
    refusal(
        429,
        "TooManyRequests",
        format!(
            "The request is being throttled as the limit has been reached for operation type - {limit}. For more information, see - https://aka.ms/arm-throttling"
        ),
    )
}

/// Whether the call is let through, in the order ARM would notice.
pub(crate) fn check(world: &AzureWorld, faults: &Faults, request: &Request) -> Result<(), Refusal> {
    version(world, request)?;
    subscription(world, request)?;
    authorized(world, faults, request)?;
    existing(world, request)?;
    writable(world, request)?;
    registered(world, request)?;
    unlocked(world, request)
}

fn version(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let Request { versions, .. } = request;
    let version = request.version();
    if version.is_empty() {
        return Err(bad(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    let listed = versions.join(",");
    let known = if versions.is_empty() { looks_like_one(version) } else { versions.contains(&version) };
    if known {
        return Ok(());
    }
    if request.namespace == "Microsoft.Resources" || versions.is_empty() {
        return Err(bad(
            "InvalidApiVersionParameter",
            format!("The api-version '{version}' is invalid. The supported versions are '{listed}'."),
        ));
    }
    let location = world.settings.locations.first().map_or("westeurope", String::as_str);
    let types = &request.types;
    Err(bad(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for location '{location}' and API version '{version}' for type '{types}'. The supported api-versions are '{listed}'. The supported locations are ', {}'.",
            world.settings.locations.join(", ")
        ),
    ))
}

/// `2021-04-01`, with or without `-preview`.
fn looks_like_one(version: &str) -> bool {
    let mut parts = version.splitn(4, '-');
    let digits = |part: Option<&str>, count: usize| {
        part.is_some_and(|part| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(parts.next(), 4)
        && digits(parts.next(), 2)
        && digits(parts.next(), 2)
        && parts.next().is_none_or(|label| matches!(label, "preview" | "alpha" | "beta"))
}

fn subscription(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let Some(id) = request.scope.subscription() else { return Ok(()) };
    if !id.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
        let message = format!("The provided subscription identifier '{id}' is malformed or invalid.");
        return Err(bad("InvalidSubscriptionId", message));
    }
    match world.subscription(id) {
        Some(found) if found.state != "Deleted" => Ok(()),
        _ => Err(not_found("SubscriptionNotFound", format!("The subscription '{id}' could not be found."))),
    }
}

fn authorized(world: &AzureWorld, faults: &Faults, request: &Request) -> Result<(), Refusal> {
    let Request { caller, namespace, operation, .. } = request;
    let about = request.about(&world.directory.id);
    // A caller without rights hears the same of what it may not see and of what is not there.
    let hidden = world.settings.hide_unknown_groups && unknown_group(world, request).is_some();
    // Who exempts needs a second permission, on the assignment.
    let exempts = request.kind == Kind::PolicyExemptions
        && request.method == http::Method::PUT
        && faults.denies(namespace, "policyAssignments/exempt/action", &about);
    let denied = (caller.read_only && !request.reads())
        || faults.denies(namespace, operation, &about)
        || exempts
        || hidden;
    let own = format!("{namespace}/{operation}");
    let action = if denied { Some(own) } else { permit::missing(world, request) };
    let Some(action) = action else { return Ok(()) };
    let at_tenant = request.scope == Scope::Tenant;
    let scope = if at_tenant { request.path.clone() } else { request.scope.id() };
    Err(refusal(
        403,
        "AuthorizationFailed",
        format!(
            "The client '{id}' with object id '{id}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            id = caller.object
        ),
    ))
}

/// The management group that a call names and nobody made.
fn unknown_group<'a>(world: &AzureWorld, request: &'a Request) -> Option<&'a str> {
    let named = match (&request.scope, request.kind) {
        (Scope::Group(id), _) => id.as_str(),
        // A group is made by a PUT to itself.
        (Scope::Tenant, Kind::Groups) if request.method == http::Method::PUT => return None,
        (
            Scope::Tenant,
            Kind::Groups | Kind::Descendants | Kind::HierarchySettings | Kind::GroupSubscriptions,
        ) if !request.names.is_empty() => request.first_name(),
        _ => return None,
    };
    world.group(named).is_none().then_some(named)
}

fn existing(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let looks_itself = request.kind == Kind::Groups && request.scope == Scope::Tenant;
    if let (Some(group), false) = (unknown_group(world, request), looks_itself) {
        return Err(no_group(group));
    }
    if world.governance(&request.scope).is_some() {
        return Ok(());
    }
    match &request.scope {
        Scope::ResourceGroup(_, name) => Err(no_resource_group(name)),
        Scope::Resource(_, group, kind, name) => Err(no_resource(group, kind, name)),
        Scope::Tenant | Scope::Group(_) | Scope::Subscription(_) => Ok(()),
    }
}

pub(crate) fn no_group(id: &str) -> Refusal {
    not_found("NotFound", format!("Management group '{id}' cannot be found."))
}

pub(crate) fn no_resource_group(name: &str) -> Refusal {
    not_found("ResourceGroupNotFound", format!("Resource group '{name}' could not be found."))
}

pub(crate) fn no_resource(group: &str, kind: &str, name: &str) -> Refusal {
    let message = format!(
        "The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    not_found("ResourceNotFound", message)
}

/// Disabled and warned subscriptions still show and delete what they have, and do nothing else.
///
/// <https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states>
fn writable(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let Some(found) = request.scope.subscription().and_then(|id| world.subscription(id)) else {
        return Ok(());
    };
    let open = matches!(found.state.as_str(), "Enabled" | "PastDue");
    if open || request.reads() || request.method == http::Method::DELETE {
        return Ok(());
    }
    Err(conflict(
        "ReadOnlyDisabledSubscription",
        format!(
            "The subscription '{}' is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled.",
            found.id
        ),
    ))
}

/// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider>
fn registered(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let Some(found) = request.scope.subscription().and_then(|id| world.subscription(id)) else {
        return Ok(());
    };
    let Request { namespace, kind, .. } = request;
    let known = found.providers.contains_key(&key(namespace));
    if *kind == Kind::Resource && !known {
        let message = format!("The resource namespace '{namespace}' is invalid.");
        return Err(not_found("InvalidResourceNamespace", message));
    }
    if *kind == Kind::Register || found.registered(namespace) {
        return Ok(());
    }
    // Defender for Cloud answers for itself, reads too: https://github.com/Azure/azure-sdk-for-go/issues/19900
    if namespace == "Microsoft.Security" {
        let message = "Please register to Microsoft.Security in order to view your security status";
        return Err(not_found("Subscription Not Registered", message));
    }
    if request.reads() || request.method == http::Method::DELETE {
        return Ok(());
    }
    Err(conflict(
        "MissingSubscriptionRegistration",
        format!(
            "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions."
        ),
    ))
}

/// Locks of the scope and of those above it. The lock itself can always be taken away.
///
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>
fn unlocked(world: &AzureWorld, request: &Request) -> Result<(), Refusal> {
    let deletes = request.method == http::Method::DELETE;
    if request.reads() || request.kind == Kind::Locks || request.scope.subscription().is_none() {
        return Ok(());
    }
    // Policies, tags of the subscription and Defender's settings are not resources that a lock holds.
    let held = matches!(
        request.kind,
        Kind::ResourceGroups
            | Kind::Resource
            | Kind::RoleAssignments
            | Kind::DiagnosticSettings
            | Kind::Budgets
    );
    if !held {
        return Ok(());
    }
    let mut scopes = world.way_up(&request.scope);
    if let (Kind::ResourceGroups, Some(id)) = (request.kind, request.scope.subscription()) {
        scopes.push(Scope::ResourceGroup(id.to_owned(), request.name().to_owned()));
    }
    if let (Kind::Resource, Scope::ResourceGroup(id, group)) = (request.kind, &request.scope) {
        let (kind, name) = (request.full_type(), request.name().to_owned());
        scopes.push(Scope::Resource(id.clone(), group.clone(), kind, name));
    }
    let stops = |scope: &Scope| {
        let locks = world.governance(scope).into_iter().flat_map(|governance| governance.locks.values());
        let mut levels = locks.map(|lock| lock.text("level").to_ascii_lowercase());
        levels.any(|level| level == "readonly" || (deletes && level == "cannotdelete"))
    };
    let Some(locked) = scopes.iter().find(|scope| stops(scope)) else { return Ok(()) };
    let (verb, scope) = (if deletes { "delete" } else { "write" }, locked.id());
    Err(conflict(
        "ScopeLocked",
        format!(
            "The scope '{}' cannot perform {verb} operation because following scope(s) are locked: '{scope}'. Please remove the lock and try again.",
            request.path
        ),
    ))
}

/// Whether every subscription has a namespace from birth.
pub(crate) fn always_registered(namespace: &str) -> bool {
    subscription::ALWAYS_REGISTERED.iter().any(|known| known.eq_ignore_ascii_case(namespace))
}
