//! What is on this machine. Only there may a request go without TLS, and only there may something else stand in for a cloud.

use url::{Host, Url};

/// Whether an address is on this machine: only addresses and the one name that RFC 6761 reserves, since any other name is as far away as
/// its DNS server says.
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// `http://127.0.0.1:PORT` and nothing more.
pub fn on_this_machine(text: &str) -> Option<Url> {
    let plain = |url: &Url| {
        url.scheme() == "http"
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
    };
    Url::parse(text).ok().filter(|url| plain(url) && is_this_machine(url))
}

/// Refuses what would leave this machine without TLS. object_store's own check of `http://` lives in the client that the providers'
/// connectors replace.
#[cfg(feature = "object-store")]
pub fn refuse_plain_text(
    request: &object_store::client::HttpRequest,
) -> Result<(), object_store::client::HttpError> {
    use object_store::client::{HttpError, HttpErrorKind};

    let uri = request.uri();
    let local = || Url::parse(&uri.to_string()).is_ok_and(|url| is_this_machine(&url));
    if uri.scheme_str() == Some("https") || local() {
        return Ok(());
    }
    Err(HttpError::new(HttpErrorKind::Unknown, PlainText))
}

#[cfg(feature = "object-store")]
#[derive(Debug, thiserror::Error)]
#[error("plain `http` is only spoken with this machine")]
struct PlainText;
