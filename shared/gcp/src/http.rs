//! The one connector: HTTP and TLS (rustls with ring) for our own calls and the store alike.

use std::time::Duration;

use url::Url;

use crate::error::{ConfigError, tidy};

/// Longer than any of our calls takes; what goes on longer is polled.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);

/// Google's public cloud: every API is a host below it. Clouds that are apart from it have another name here.
pub(crate) const UNIVERSE: &str = "googleapis.com";

/// Who we say we are.
const AGENT: &str = concat!("landfall/", env!("CARGO_PKG_VERSION"));

/// A connection that is not there after this long won't come.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection pool that follows no redirects: nothing of ours is ever sent to where an answer points.
pub(crate) fn client() -> Result<reqwest::Client, ConfigError> {
    // One provider for the whole process. A second one can only be refused where one is set already, which is the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(AGENT)
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|source| ConfigError::Http { source })
}

/// `http://127.0.0.1:PORT` and nothing more; the environment's `variable` said it.
pub(crate) fn on_this_machine(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = || ConfigError::NotLoopback { variable, text: tidy(text) };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.scheme() == "http"
        && url.username().is_empty()
        && url.password().is_none()
        && matches!(url.path(), "" | "/")
        && url.query().is_none();
    if plain && is_this_machine(&url) { Ok(url) } else { Err(wrong()) }
}

/// Whether an address is on this machine.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
