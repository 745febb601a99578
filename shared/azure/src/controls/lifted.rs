//! Deleting what stands in a subscription that Landfall itself has locked.
//!
//! A lock on a subscription keeps the roles, policies and exemptions in it from being deleted, too:
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>. Where ours is the only one, it is lifted for one
//! deletion and put back, whatever came of that. A crash in between leaves a lock that `resource-locks` puts back.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::resource_locks;
use crate::client::service::{LOCKS, Service};
use crate::error::CallError;
use crate::session::Session;

/// A lock that was lifted may hold for a while.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Lock {
    id: String,
}

/// Deletes what is at a path.
pub(super) async fn delete(session: &Session, service: &Service, path: &str) -> Result<(), CallError> {
    let refused = match session.client.delete(service, path).await {
        Err(error) if is_locked(&error) => error,
        answer => return answer,
    };
    let (scope, lock) = (session.scope(), resource_locks::own(&session.scope()));
    let all = format!("{scope}/providers/Microsoft.Authorization/locks?$filter=atScope()");
    let is_here = !session.subscription.is_empty() && path.starts_with(&format!("{scope}/"));
    let only_ours = is_here && is_only(&session.client.list(&LOCKS, &all).await?.1, &lock);
    if !only_ours {
        return Err(refused
            .explained("a lock that is not Landfall's keeps it from being deleted: take that away first"));
    }
    tracing::info!(subscription = %session.subscription, "lifting the subscription's lock for one deletion");
    session.client.delete(&LOCKS, &lock).await?;
    let mut tries = 0;
    let deleted = loop {
        match session.client.delete(service, path).await {
            Err(error) if is_locked(&error) && tries < TRIES => tries += 1,
            answer => break answer,
        }
        session.client.rest(PAUSE).await;
    };
    let back = session.client.put(&LOCKS, &lock, &resource_locks::body()).await;
    deleted.and(back.map(|_| ()))
}

fn is_locked(error: &CallError) -> bool {
    error.code() == Some("ScopeLocked")
}

/// Whether the only lock that holds for the subscription is this one.
fn is_only(locks: &[Value], lock: &str) -> bool {
    let is_this = |one: &Value| Lock::deserialize(one).is_ok_and(|Lock { id }| id.eq_ignore_ascii_case(lock));
    !locks.is_empty() && locks.iter().all(is_this)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_lock_of_others_is_lifted() {
        let scope = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";
        let ours = resource_locks::own(scope);
        let theirs = ours.replace("/landfall", "/theirs");
        let shouted = ours.to_ascii_uppercase();
        let table: [(&[&str], bool); 5] = [
            (&[], false),
            (&[&ours], true),
            (&[&shouted], true),
            (&[&theirs], false),
            (&[&ours, &theirs], false),
        ];
        for (ids, expected) in table {
            let locks: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
            assert_eq!(is_only(&locks, &ours), expected, "{ids:?}");
        }
        assert!(!is_only(&[json!({})], &ours));
    }
}
