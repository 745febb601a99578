//! User-assigned identities, and the credentials of elsewhere that become them: resources like others, which are looked at more closely.
//!
//! <https://learn.microsoft.com/rest/api/managedidentity/federated-identity-credentials>,
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>

use serde_json::Value;

use super::super::answer::{Answered, bad, conflict, no_method};
use super::super::gate::{no_resource, no_resource_group};
use super::super::page::page;
use super::super::request::{Request, invalid, only};
use super::super::scope::Scope;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, DIRECTORY, Resource, ResourceGroup, deployed_key};
use super::resources;
use crate::refusal::Refusal;

const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const CREDENTIAL: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

/// Credentials of one identity, and the length of issuer, subject and audience.
const MOST: usize = 20;
const LONGEST: usize = 600;

/// Every credential of an identity.
pub(super) fn list(world: &mut AzureWorld, request: &Request) -> Answered {
    let Scope::ResourceGroup(id, group) = &request.scope else { return Err(no_method(request)) };
    if request.method != http::Method::GET {
        return Err(no_method(request));
    }
    let identity = request.first_name();
    let found = world.subscription(id).and_then(|one| one.resource_groups.get(&key(group)));
    let found = found.ok_or_else(|| no_resource_group(group))?;
    if !found.resources.contains_key(&deployed_key(IDENTITY, identity)) {
        return Err(no_resource(group, IDENTITY, identity));
    }
    let scope = format!("/subscriptions/{id}/resourceGroups/{}", found.name);
    let shown: Vec<Value> = of(found, identity).map(|one| resources::own(one, &scope, CREDENTIAL)).collect();
    page(world, request, shown.into_iter())
}

fn of<'a>(group: &'a ResourceGroup, identity: &str) -> impl Iterator<Item = &'a Resource> {
    let inside = format!("{}/", key(identity));
    let all = group.resources.values().filter(|one| one.kind.eq_ignore_ascii_case(CREDENTIAL));
    all.map(|one| &one.resource).filter(move |one| key(&one.name).starts_with(&inside))
}

/// What an identity or a credential is made into, where the request is right; other resources are let through.
pub(super) fn right(resource: &mut Resource, kind: &str, group: &ResourceGroup) -> Result<(), Refusal> {
    if kind.eq_ignore_ascii_case(IDENTITY) {
        only(
            &resource.properties,
            "properties.",
            "Identity",
            &["tenantId", "principalId", "clientId", "isolationScope"],
        )?;
        let number = |of: &str| {
            let text = crate::world::hex(&format!("{of} {} {}", group.name, resource.name), 12);
            format!("1d000000-0000-4000-8000-{text}")
        };
        let (principal, client) = (number("principal"), number("client"));
        resource.set("tenantId", DIRECTORY);
        resource.set("principalId", principal);
        resource.set("clientId", client);
        return Ok(());
    }
    if !kind.eq_ignore_ascii_case(CREDENTIAL) {
        return Ok(());
    }
    only(
        &resource.properties,
        "properties.",
        "FederatedIdentityCredential",
        &["issuer", "subject", "audiences"],
    )?;
    let (identity, name) = resource.name.split_once('/').unwrap_or_default();
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !(3..=120).contains(&name.len()) || !name.chars().all(letter) {
        return Err(bad(
            "BadRequest",
            format!("The name '{name}' must be 3 to 120 letters, digits, - and _."),
        ));
    }
    let audiences =
        resource.properties.get("audiences").and_then(Value::as_array).cloned().unwrap_or_default();
    let plain = |text: &str| (1..=LONGEST).contains(&text.chars().count()) && text.trim() == text;
    let [audience] = audiences.as_slice() else {
        return Err(invalid("Exactly one audience must be given."));
    };
    if ![resource.text("issuer"), resource.text("subject"), audience.as_str().unwrap_or_default()]
        .into_iter()
        .all(plain)
    {
        return Err(invalid(format!("issuer, subject and audience must have 1 to {LONGEST} characters.")));
    }
    let others: Vec<&Resource> =
        of(group, identity).filter(|one| !one.name.eq_ignore_ascii_case(&resource.name)).collect();
    let twin =
        |one: &&&Resource| ["issuer", "subject"].iter().all(|part| one.text(part) == resource.text(part));
    if let Some(there) = others.iter().find(twin) {
        let message = format!("'{}' has the same combination of issuer and subject.", there.name);
        return Err(conflict("Conflict", message));
    }
    if others.len() >= MOST {
        return Err(bad(
            "BadRequest",
            format!("An identity takes at most {MOST} federated identity credentials."),
        ));
    }
    Ok(())
}
