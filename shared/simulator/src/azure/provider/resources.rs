//! Resources in resource groups, whatever their type: what is put is what is got.
//!
//! <https://learn.microsoft.com/rest/api/resources/resources>

use http::Method;
use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, conflict, no_method};
use super::super::gate::{no_resource, no_resource_group};
use super::super::page::page;
use super::super::policy::plain_location;
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::resource::{key, merge};
use super::super::world::{AzureWorld, Deployed, Resource, ResourceGroup, deployed_key};
use super::identities;
use super::resource_groups::sent_tags;
use crate::refusal::Refusal;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    let Scope::ResourceGroup(id, group) = &request.scope else { return Err(no_method(request)) };
    let kind = request.full_type();
    let place = deployed_key(&kind, request.name());
    let absent = || no_resource(group, &kind, request.name());
    let locations = world.settings.locations.clone();
    let found = world.subscription_mut(id).and_then(|one| one.resource_groups.get_mut(&key(group)));
    let found = found.ok_or_else(|| no_resource_group(group))?;
    let scope = format!("/subscriptions/{id}/resourceGroups/{}", found.name);
    let shown = |deployed: &Deployed| own(&deployed.resource, &scope, &deployed.kind);
    match request.method.as_str() {
        "GET" | "HEAD" => {
            let there = found.resources.get(&place).ok_or_else(absent)?;
            Ok(if request.method == Method::HEAD { Good::no_content() } else { Good::ok(shown(there)) })
        }
        "PUT" => {
            let mut resource = sent(request, found, &locations)?;
            identities::right(&mut resource, &kind, found)?;
            let before = found.resources.get(&place);
            let new = before.is_none();
            if let Some(before) = before
                && before.resource.location != resource.location
            {
                let location = before.resource.location.as_deref().unwrap_or_default();
                let message = format!(
                    "The resource '{}' already exists in location '{location}' in resource group '{group}'. A resource with the same name cannot be created in another location.",
                    request.name()
                );
                return Err(conflict("InvalidResourceLocation", message));
            }
            let governance = before.map(|before| before.governance.clone()).unwrap_or_default();
            let deployed = Deployed { kind, resource, governance };
            let body = shown(&deployed);
            found.resources.insert(place, deployed);
            Ok(Good::put(new, body))
        }
        "PATCH" => {
            let there = found.resources.get_mut(&place).ok_or_else(absent)?;
            patch(there, request)?;
            Ok(Good::ok(shown(there)))
        }
        "DELETE" => {
            let removed = found.resources.remove(&place);
            // What was inside goes with it.
            let inside = format!("{}/", key(request.name()));
            found.resources.retain(|_, one| !key(&one.resource.name).starts_with(&inside));
            Ok(if removed.is_some() { Good::ok(Value::Null) } else { Good::no_content() })
        }
        _ => Err(no_method(request)),
    }
}

/// As its own resource provider shows it: with its own name, without those of what it is inside.
pub(super) fn own(resource: &Resource, scope: &str, kind: &str) -> Value {
    let mut shown = resource.show(scope, kind);
    let name = resource.name.rsplit('/').next().unwrap_or_default();
    if let Some(members) = shown.as_object_mut() {
        members.insert("name".to_owned(), json!(name));
    }
    shown
}

fn sent(request: &Request, group: &ResourceGroup, locations: &[String]) -> Result<Resource, Refusal> {
    let body = request.object()?;
    let properties = body.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut resource = Resource::made(request.name(), properties, request.now);
    let inner = request.name().contains('/');
    let location = body.get("location").and_then(Value::as_str).map(plain_location);
    if location.is_none() && !inner {
        return Err(bad("LocationRequired", "The location property is required for this definition."));
    }
    if let Some(location) = &location
        && location != "global"
        && !locations.contains(location)
    {
        let message = format!(
            "The provided location '{location}' is not available for resource type '{}'. List of available regions for the resource type is '{}'.",
            request.full_type(),
            locations.join(",")
        );
        return Err(bad("LocationNotAvailableForResourceType", message));
    }
    if let Some((parent, _)) = request.name().rsplit_once('/') {
        let full = request.full_type();
        let kind = full.rsplit_once('/').map_or("", |(kind, _)| kind);
        if !group.resources.contains_key(&deployed_key(kind, parent)) {
            let message = format!(
                "Can not perform requested operation on nested resource. Parent resource '{parent}' not found."
            );
            return Err(super::super::answer::not_found("ParentResourceNotFound", message));
        }
    }
    // `Global` stays as it was written; regions have one spelling.
    let as_sent = body.get("location").and_then(Value::as_str).map(str::to_owned);
    resource.location = if location.as_deref() == Some("global") { as_sent } else { location };
    resource.tags = Some(sent_tags(request)?).filter(|tags| !tags.is_empty());
    resource.identity = body.get("identity").filter(|identity| !identity.is_null()).cloned();
    let known = ["id", "name", "type", "systemData", "properties", "location", "tags", "identity"];
    resource.envelope = body
        .iter()
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Alerts and whom they tell, and identities, are there at once, and say nothing of it.
    let at_once = ["Microsoft.Insights", "Microsoft.ManagedIdentity"];
    if !at_once.iter().any(|one| request.namespace.eq_ignore_ascii_case(one)) {
        resource.properties.entry("provisioningState").or_insert_with(|| json!("Succeeded"));
    }
    Ok(resource)
}

fn patch(there: &mut Deployed, request: &Request) -> Result<(), Refusal> {
    let body = request.object()?;
    if body.contains_key("tags") {
        there.resource.tags = Some(sent_tags(request)?);
    }
    if let Some(properties) = body.get("properties").and_then(Value::as_object) {
        merge(&mut there.resource.properties, properties);
    }
    there.resource.updated_at = request.now;
    Ok(())
}

/// Everything in a subscription or a resource group, without its properties.
pub(super) fn list(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != Method::GET {
        return Err(no_method(request));
    }
    let id = request.scope.subscription().unwrap_or_default();
    let only = match &request.scope {
        Scope::ResourceGroup(_, name) => Some(key(name)),
        Scope::Tenant | Scope::Group(_) | Scope::Subscription(_) | Scope::Resource(..) => None,
    };
    let wanted = request.query("$filter").and_then(|filter| {
        let (name, value) = filter.split_once(" eq ")?;
        name.trim().eq_ignore_ascii_case("resourceType").then(|| value.trim().trim_matches('\'').to_owned())
    });
    let groups = world.subscription(id).into_iter().flat_map(|one| one.resource_groups.iter());
    let groups = groups.filter(|(name, _)| only.as_ref().is_none_or(|only| *name == only));
    let shown = groups.flat_map(|(_, group)| {
        let scope = format!("/subscriptions/{id}/resourceGroups/{}", group.name);
        let wanted = wanted.clone();
        let kept = group
            .resources
            .values()
            .filter(move |one| wanted.as_ref().is_none_or(|wanted| one.kind.eq_ignore_ascii_case(wanted)));
        kept.map(move |one| {
            let mut shown = one.resource.show(&scope, &one.kind);
            if let Some(members) = shown.as_object_mut() {
                members.remove("properties");
            }
            shown
        })
    });
    page(world, request, shown)
}
