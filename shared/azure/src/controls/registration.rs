//! Resource providers that a setting of ours stands on: a subscription that never used one is registered for it by the write that
//! needs it, so that a fresh one comes to its baseline in one run whether or not the manifest lists `enabled-services`.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types>

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::client::Reply;
use crate::client::service::{RESOURCES, Service};
use crate::error::CallError;
use crate::session::Session;

/// How long a registration is waited for. Most take less; what takes longer is gone on with by the next run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two questions whether it is over.
const PAUSE: Duration = Duration::from_secs(3);

pub(super) const REGISTERED: &str = "Registered";

/// A resource provider, as a subscription sees it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    pub(super) registration_state: String,
}

pub(super) fn path(session: &Session, namespace: &str) -> String {
    format!("{}/providers/{namespace}", session.scope())
}

pub(super) async fn register(session: &Session, namespace: &str) -> Result<(), CallError> {
    let path = format!("{}/register", path(session, namespace));
    session.client.post(&RESOURCES, &path, None).await.map(|_| ())
}

/// The subscription is not registered for the resource provider. Resource Manager says it by a code of its own; Defender for Cloud
/// answers for itself, as if nothing were there: <https://github.com/Azure/azure-sdk-for-go/issues/19900>.
pub(super) fn is_missing(error: &CallError) -> bool {
    match error {
        CallError::Api { code, message, .. } => {
            code.eq_ignore_ascii_case("MissingSubscriptionRegistration")
                || [code, message].iter().any(|text| text.contains("Subscription Not Registered"))
        }
        CallError::Explained { source, .. } | CallError::NoGroup { source, .. } => is_missing(source),
        CallError::NoCredentials { .. }
        | CallError::Config(_)
        | CallError::Timeout { .. }
        | CallError::Unreachable { .. }
        | CallError::Unreadable { .. }
        | CallError::ForeignLink { .. }
        | CallError::GoesOn { .. }
        | CallError::NothingToWrite(_) => false,
    }
}

/// Defender for Cloud changes one plan of a subscription at a time, and refuses a second change meanwhile:
/// <https://github.com/Azure/CanadaPubSecALZ/issues/305>. So does an identity with its federated credentials:
/// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>, "Concurrent updates".
fn is_busy(error: &CallError) -> bool {
    const CREDENTIALS: &str = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity";
    match error {
        CallError::Api { code, message, .. } => {
            (code == "Conflict" && message.contains("in progress")) || code == CREDENTIALS
        }
        CallError::NoCredentials { .. }
        | CallError::Config(_)
        | CallError::Timeout { .. }
        | CallError::Unreachable { .. }
        | CallError::Unreadable { .. }
        | CallError::ForeignLink { .. }
        | CallError::GoesOn { .. }
        | CallError::Explained { .. }
        | CallError::NoGroup { .. }
        | CallError::NothingToWrite(_) => false,
    }
}

/// Makes a setting in the subscription; where its resource provider is not registered there, that comes first.
pub(super) async fn put(
    session: &Session,
    service: &Service,
    path: &str,
    body: &Value,
) -> Result<Reply, CallError> {
    match put_in_turn(session, service, path, body).await {
        // A management group is registered for nothing.
        Err(error) if is_missing(&error) && !session.subscription.is_empty() => {}
        answer => return answer,
    }
    let Service { namespace, .. } = service;
    tracing::info!(subscription = %session.subscription, namespace, "registering a resource provider");
    register(session, namespace).await?;
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        session.client.rest(PAUSE).await;
        let reply = session.client.get(&RESOURCES, &self::path(session, namespace)).await?;
        let Answer { registration_state } = reply.json()?;
        if registration_state.eq_ignore_ascii_case(REGISTERED) {
            break;
        }
    }
    put_in_turn(session, service, path, body).await.map_err(|error| match is_missing(&error) {
        true => error.explained(format!("`{namespace}` is still being registered; the next run goes on")),
        false => error,
    })
}

/// A change that others' changes under way hold up is tried again.
async fn put_in_turn(
    session: &Session,
    service: &Service,
    path: &str,
    body: &Value,
) -> Result<Reply, CallError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match session.client.put(service, path, body).await {
            Err(error) if is_busy(&error) && Instant::now() < until => session.client.rest(PAUSE).await,
            answer => return answer,
        }
    }
}

/// A name as one part of a path.
pub(super) fn part(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(part("network (west)/../x"), "network%20%28west%29%2F..%2Fx");
    }
}
