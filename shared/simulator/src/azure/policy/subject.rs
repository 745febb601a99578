//! What a policy looks at: a resource as it would be after the write, or as it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::azure::request::Request;
use crate::azure::route::Kind;
use crate::azure::scope::Scope;
use crate::azure::world::resource::{key, merge};
use crate::azure::world::{AzureWorld, Deployed, Resource, ResourceGroup, Subscription, deployed_key};

pub(crate) const RESOURCE_GROUP: &str = "Microsoft.Resources/subscriptions/resourceGroups";
pub(crate) const SUBSCRIPTION: &str = "Microsoft.Resources/subscriptions";

/// A resource, as a policy sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) location: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// With `properties`, `sku` and whatever else the resource has.
    pub(crate) body: Map<String, Value>,
    /// Whether policies of mode `Indexed` look at it.
    pub(crate) indexed: bool,
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
}

/// The resource that a write makes or changes, and the scope whose policies bind it; `None` where policies do not look.
pub(super) fn of_request(world: &AzureWorld, request: &Request) -> Option<(Scope, Subject)> {
    let id = request.scope.subscription()?.to_owned();
    let writes = matches!(request.method.as_str(), "PUT" | "PATCH" | "DELETE");
    // Reading, registering and renaming make no resource.
    if !writes
        || undeniable(request)
        || matches!(request.kind, Kind::Register | Kind::Rename | Kind::Providers | Kind::Resources)
    {
        return None;
    }
    let body = request.body.as_object().cloned().unwrap_or_default();
    let subject = match request.method.as_str() {
        "PATCH" | "DELETE" => before(world, request),
        _ => None,
    };
    let there = on_scope(world, request).filter(|_| request.method == http::Method::DELETE);
    let mut subject = if request.kind == Kind::Tags {
        // Tags are the tags of what they are on.
        tagged(world, &request.scope)?
    } else if request.kind == Kind::ResourceGroups {
        let there = world.subscription(&id).and_then(|one| one.resource_groups.get(&key(request.name())));
        let there = there.map(|group| resource_group(&id, group)).unwrap_or_default();
        Subject { kind: RESOURCE_GROUP.to_owned(), name: request.name().to_owned(), ..there }
    } else {
        subject.unwrap_or_else(|| Subject {
            kind: seen_kind(request),
            name: request.name().rsplit('/').next().unwrap_or_default().to_owned(),
            body: there.map(shown).unwrap_or_default(),
            indexed: request.kind == Kind::Resource && body.contains_key("location"),
            ..Subject::default()
        })
    };
    if request.kind == Kind::Tags {
        subject.tags.extend(tags(body.get("properties").and_then(|properties| properties.get("tags"))));
    } else {
        subject.location = location(&body).or(subject.location);
        subject.tags.extend(tags(body.get("tags")));
        merge(&mut subject.body, &body);
    }
    subject.id = request.path.clone();
    subject.subscription.clone_from(&id);
    let own = match (request.kind, &request.scope) {
        (Kind::ResourceGroups, _) => Scope::ResourceGroup(id, request.name().to_owned()),
        (Kind::Resource, Scope::ResourceGroup(_, group)) => {
            group.clone_into(&mut subject.resource_group);
            Scope::Resource(id, group.clone(), request.full_type(), request.name().to_owned())
        }
        (_, scope) => scope.clone(),
    };
    Some((own, subject))
}

/// Deletions that `denyAction` never sees: <https://learn.microsoft.com/azure/governance/policy/concepts/effect-deny-action>
fn undeniable(request: &Request) -> bool {
    request.method == http::Method::DELETE
        && matches!(request.kind, Kind::PolicyAssignments | Kind::Locks | Kind::Tags | Kind::Subscriptions)
}

/// What is already there under the request's name, of the types that are put on scopes.
fn on_scope<'a>(world: &'a AzureWorld, request: &Request) -> Option<&'a Resource> {
    let governance = world.governance(&request.scope)?;
    let pairs = [
        (Kind::RoleAssignments, &governance.role_assignments),
        (Kind::DiagnosticSettings, &governance.diagnostic_settings),
        (Kind::Budgets, &governance.budgets),
        (Kind::PolicyExemptions, &governance.policy_exemptions),
        (Kind::Remediations, &governance.remediations),
    ];
    let all = pairs.into_iter().find(|(kind, _)| *kind == request.kind).map(|(_, all)| all);
    let contacts = || world.subscription(request.scope.subscription()?).map(|found| &found.security_contacts);
    let all = all.or_else(|| (request.kind == Kind::SecurityContacts).then(contacts).flatten());
    all?.get(&key(request.name()))
}

/// The type that a policy sees. A subscription's activity log settings have one of their own, as in
/// <https://github.com/Azure/Enterprise-Scale>, policyDefinitions/DenyAction-ActivityLogs.json.
fn seen_kind(request: &Request) -> String {
    match (request.kind, &request.scope) {
        (Kind::DiagnosticSettings, Scope::Subscription(_)) => {
            "Microsoft.Resources/subscriptions/providers/diagnosticSettings".to_owned()
        }
        _ => request.full_type(),
    }
}

/// The resource that is there already.
fn before(world: &AzureWorld, request: &Request) -> Option<Subject> {
    let Scope::ResourceGroup(id, group) = &request.scope else { return None };
    let found = world.subscription(id)?.resource_groups.get(&key(group))?;
    let there = found.resources.get(&deployed_key(&request.full_type(), request.name()))?;
    Some(deployed(id, found, there))
}

/// What a policy sees of a thing that is put on a scope.
fn shown(thing: &Resource) -> Map<String, Value> {
    Map::from_iter([("properties".to_owned(), Value::Object(thing.properties.clone()))])
}

fn location(body: &Map<String, Value>) -> Option<String> {
    body.get("location").and_then(Value::as_str).map(plain_location)
}

/// `West Europe` is `westeurope`.
pub(crate) fn plain_location(location: &str) -> String {
    location.replace(' ', "").to_ascii_lowercase()
}

fn tags(sent: Option<&Value>) -> BTreeMap<String, String> {
    let sent = sent.and_then(Value::as_object).into_iter().flatten();
    sent.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn tagged(world: &AzureWorld, scope: &Scope) -> Option<Subject> {
    let subscription = world.subscription(scope.subscription()?)?;
    match scope {
        Scope::Tenant | Scope::Group(_) => None,
        Scope::Subscription(_) => Some(itself(subscription)),
        Scope::ResourceGroup(id, name) => {
            Some(resource_group(id, subscription.resource_groups.get(&key(name))?))
        }
        Scope::Resource(id, group, kind, name) => {
            let group = subscription.resource_groups.get(&key(group))?;
            Some(deployed(id, group, group.resources.get(&deployed_key(kind, name))?))
        }
    }
}

fn itself(subscription: &Subscription) -> Subject {
    Subject {
        id: subscription.arm_id(),
        kind: SUBSCRIPTION.to_owned(),
        name: subscription.id.clone(),
        tags: subscription.governance.tags.clone(),
        subscription: subscription.id.clone(),
        ..Subject::default()
    }
}

fn resource_group(subscription: &str, group: &ResourceGroup) -> Subject {
    Subject {
        id: format!("/subscriptions/{subscription}/resourceGroups/{}", group.name),
        kind: RESOURCE_GROUP.to_owned(),
        name: group.name.clone(),
        location: Some(plain_location(&group.location)),
        tags: group.governance.tags.clone(),
        subscription: subscription.to_owned(),
        resource_group: group.name.clone(),
        ..Subject::default()
    }
}

fn deployed(subscription: &str, group: &ResourceGroup, deployed: &Deployed) -> Subject {
    let Deployed { kind, resource, .. } = deployed;
    let scope = format!("/subscriptions/{subscription}/resourceGroups/{}", group.name);
    let mut body = resource.envelope.clone();
    body.insert("properties".to_owned(), Value::Object(resource.properties.clone()));
    if let Some(identity) = &resource.identity {
        body.insert("identity".to_owned(), identity.clone());
    }
    Subject {
        id: crate::azure::world::resource::id(&scope, kind, &resource.name),
        kind: kind.clone(),
        name: resource.name.rsplit('/').next().unwrap_or_default().to_owned(),
        location: resource.location.as_deref().map(plain_location),
        tags: resource.tags.clone().unwrap_or_default(),
        body,
        indexed: resource.location.is_some(),
        subscription: subscription.to_owned(),
        resource_group: group.name.clone(),
    }
}

/// Everything in a subscription that policies look at, with the scope whose policies bind it.
pub(crate) fn subjects(subscription: &Subscription) -> Vec<(Scope, Subject)> {
    let id = &subscription.id;
    let own = Scope::Subscription(id.clone());
    let mut all = vec![(own.clone(), itself(subscription))];
    for assignment in subscription.governance.role_assignments.values() {
        let kind = "Microsoft.Authorization/roleAssignments";
        let subject = Subject {
            id: crate::azure::world::resource::id(&subscription.arm_id(), kind, &assignment.name),
            kind: kind.to_owned(),
            name: assignment.name.clone(),
            body: Map::from_iter([("properties".to_owned(), json!(assignment.properties))]),
            subscription: id.clone(),
            ..Subject::default()
        };
        all.push((own.clone(), subject));
    }
    for group in subscription.resource_groups.values() {
        let scope = Scope::ResourceGroup(id.clone(), group.name.clone());
        all.push((scope, resource_group(id, group)));
        for there in group.resources.values() {
            let (kind, name) = (there.kind.clone(), there.resource.name.clone());
            let scope = Scope::Resource(id.clone(), group.name.clone(), kind, name);
            all.push((scope, deployed(id, group, there)));
        }
    }
    all
}
