//! A right that was exchanged, kept until shortly before it ends, and fetched once however many requests wait for it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use object_store::CredentialProvider;
use tokio::sync::Mutex;

use crate::exchange::{Exchange, Refused};

/// A right that ends sooner is replaced: a request and its retries last no longer.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// A right and its end.
#[derive(Debug, Clone)]
pub(crate) struct Right<C> {
    pub(crate) credential: Arc<C>,
    pub(crate) until: Timestamp,
}

/// In the form in which object_store asks before every request.
pub(crate) struct Rights<E: Exchange> {
    exchange: E,
    held: Mutex<Option<Right<E::Credential>>>,
}

impl<E: Exchange> Rights<E> {
    pub(crate) fn new(exchange: E) -> Self {
        Rights { exchange, held: Mutex::new(None) }
    }
}

/// No right is ever shown.
impl<E: Exchange> fmt::Debug for Rights<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rights").finish_non_exhaustive()
    }
}

#[async_trait]
impl<E: Exchange> CredentialProvider for Rights<E> {
    type Credential = E::Credential;

    async fn get_credential(&self) -> object_store::Result<Arc<E::Credential>> {
        let mut held = self.held.lock().await;
        let now = Timestamp::now();
        if let Some(right) = held.as_ref().filter(|right| now + MARGIN < right.until) {
            return Ok(right.credential.clone());
        }
        match (self.exchange.exchange(now).await, held.as_ref()) {
            (Ok(right), _) => {
                let credential = right.credential.clone();
                *held = Some(right);
                Ok(credential)
            }
            // One that can't be renewed yet is used to its end.
            (Err(error), Some(right)) if now < right.until => {
                tracing::warn!(error = %error, "the right to the store could not be renewed yet");
                Ok(right.credential.clone())
            }
            (Err(error), _) => Err(refused(error)),
        }
    }
}

fn refused(error: Refused) -> object_store::Error {
    object_store::Error::Generic { store: "the store's cloud", source: Box::new(error) }
}
