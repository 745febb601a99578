//! Which resource providers a subscription may use: <https://learn.microsoft.com/rest/api/resources/providers>

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, conflict, no_method, not_found};
use super::super::gate::always_registered;
use super::super::page::page;
use super::super::request::Request;
use super::super::world::resource::key;
use super::super::world::{AzureWorld, Provider};
use crate::refusal::Refusal;

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::GET {
        return Err(no_method(request));
    }
    let id = request.scope.subscription().unwrap_or_default().to_owned();
    // Looking is how time passes here.
    let providers = world.subscription_mut(&id).into_iter().flat_map(|one| one.providers.values_mut());
    for provider in
        providers.filter(|one| request.names.is_empty() || key(&one.namespace) == key(request.name()))
    {
        settle(provider);
    }
    let providers = world.subscription(&id).map(|subscription| &subscription.providers);
    if request.names.is_empty() {
        let all = providers.into_iter().flat_map(|all| all.values()).map(|one| show(&id, one));
        return page(world, request, all);
    }
    let found = providers.and_then(|all| all.get(&key(request.name())));
    Ok(Good::ok(show(&id, found.ok_or_else(|| unknown(request.name()))?)))
}

fn unknown(namespace: &str) -> Refusal {
    not_found("InvalidResourceNamespace", format!("The resource namespace '{namespace}' is invalid."))
}

fn settle(provider: &mut Provider) {
    if !matches!(provider.state.as_str(), "Registering" | "Unregistering") {
        return;
    }
    if provider.looks > 0 {
        provider.looks -= 1;
        return;
    }
    let settled = if provider.state == "Registering" { "Registered" } else { "NotRegistered" };
    settled.clone_into(&mut provider.state);
}

pub(super) fn register(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::POST {
        return Err(no_method(request));
    }
    let polls = world.settings.register_polls;
    let id = request.scope.subscription().unwrap_or_default().to_owned();
    let subscription = world.subscription_mut(&id).ok_or_else(|| unknown(&request.namespace))?;
    let provider = subscription.providers.get_mut(&key(&request.namespace));
    let provider = provider.ok_or_else(|| unknown(&request.namespace))?;
    let away = request.types == "unregister";
    if away && always_registered(&request.namespace) {
        let message = format!("The resource namespace '{}' can't be unregistered.", request.namespace);
        return Err(conflict("CannotUnregisterRP", message));
    }
    let (going, done) = if away { ("Unregistering", "NotRegistered") } else { ("Registering", "Registered") };
    if provider.state != done {
        // Asked twice, it takes no longer.
        if provider.state != going {
            provider.looks = polls;
        }
        going.clone_into(&mut provider.state);
    }
    Ok(Good::ok(show(&id, provider)))
}

fn show(subscription: &str, provider: &Provider) -> Value {
    let Provider { namespace, state, .. } = provider;
    let policy = if always_registered(namespace) { "RegistrationFree" } else { "RegistrationRequired" };
    json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
        "namespace": namespace, "registrationPolicy": policy, "registrationState": state, "resourceTypes": [],
    })
}
