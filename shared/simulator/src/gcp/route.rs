//! Which API a request is for, in which version, and what its path says.

use super::service::{SERVICES, Service};
use crate::wire::Wire;

/// A path, understood.
#[derive(Debug, Clone)]
pub(crate) struct Routed {
    pub(crate) service: &'static Service,
    pub(crate) version: String,
    /// Each part decoded: an attachment point is one of them.
    pub(crate) parts: Vec<String>,
    /// What stands behind a colon at the end: `getIamPolicy`.
    pub(crate) verb: String,
}

/// `None` for an API or a version that is not here.
pub(crate) fn route(wire: &Wire) -> Option<Routed> {
    let path = wire.uri.path().trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let (host, rest) = match first.strip_suffix(".googleapis.com") {
        Some(host) => (host, rest),
        None => (wire.header("host")?.split(':').next()?.strip_suffix(".googleapis.com")?, path),
    };
    let service = SERVICES.iter().find(|service| service.name == host)?;
    // Compute and Storage have their own name in front of the version.
    let rest = rest.strip_prefix(host).and_then(|rest| rest.strip_prefix('/')).unwrap_or(rest);
    // `v3:fetchResourceSemantics` has no path at all.
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if !service.versions.contains(&version) {
        return None;
    }
    let (rest, verb) = match rest.rsplit_once(':') {
        Some((rest, verb)) if is_verb(verb) => (rest, verb),
        _ => (rest, ""),
    };
    let parts = rest.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    Some(Routed { service, version: version.to_owned(), parts, verb: verb.to_owned() })
}

/// A custom verb is one word: `getIamPolicy`. The colon in `projects/acme.example:shop`, a project of an old domain, is no such one.
fn is_verb(text: &str) -> bool {
    const OTHERS: [&str; 11] = [
        "compute", "move", "search", "enable", "disable", "undelete", "list", "write", "verify", "upload",
        "cancel",
    ];
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    plain && (OTHERS.contains(&text) || text.bytes().any(|byte| byte.is_ascii_uppercase()))
}

/// Some clients write a percent sign of what they encoded already as `%25`, so that slashes come encoded twice.
fn decoded(part: &str) -> String {
    let once = percent_decoded(part);
    if once.contains("%2F") || once.contains("%2f") { percent_decoded(&once) } else { once }
}

fn percent_decoded(part: &str) -> String {
    // Pluses, ampersands and equals signs mean nothing in a path, and form decoding would take them for something.
    let plain = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(plain.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}
