//! The one connector: HTTP and TLS (rustls with ring) for tokens, our own calls and the store alike.

use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};

use crate::error::ConfigError;

/// Longer than any of our calls takes; what goes on longer is polled.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection that is not there after this long won't come.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection pool that follows no redirects: nothing of ours is ever sent to where an answer points.
pub(crate) fn client() -> Result<reqwest::Client, ConfigError> {
    // One provider for the whole process. A second one can only be refused where one is set already, which is the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|source| ConfigError::Http { source })
}

/// What listens on this machine knows nothing of TLS; the requests are the real ones, and only leave without it.
#[derive(Debug)]
pub(crate) struct Loopback(pub(crate) reqwest::Client);

#[async_trait]
impl HttpClient for Loopback {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut plain = request.clone();
        if plain.url_mut().set_scheme("http").is_err() {
            return Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "the address on this machine can't be used without TLS",
            ));
        }
        self.0.execute_request(&plain).await
    }
}
