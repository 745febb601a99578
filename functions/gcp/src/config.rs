//! How addresses look in this function's environment, who may call it, and how long Cloud Run lets it run.

use jiff::{SignedDuration, Timestamp};
use landfall_engine::config::{Forms, Wrong};
use landfall_engine::trust::Footing;
use url::Url;

use crate::trigger::{ACCOUNT, Duty};

/// Google Cloud's.
pub const FORMS: Forms = Forms {
    scheme: "gs://",
    bundle: "gs://bucket/bundle.json",
    store: "gs://bucket/folder",
    queue: "projects/acme-landfall/locations/europe-west1/queues/landfall-work",
    sqlite: cfg!(feature = "sqlite"),
};

/// Where Cloud Run says on which port it expects the function: <https://cloud.google.com/run/docs/container-contract>.
pub const PORT: &str = "PORT";

/// Where Cloud Run says after how many seconds it ends a request; Google's functions-framework reads the same.
pub const TIMEOUT: &str = "CLOUD_RUN_TIMEOUT_SECONDS";

const AUTH: &str = "LANDFALL_AUTH";
const AUDIENCE: &str = "LANDFALL_AUDIENCE";
const KEYS: &str = "LANDFALL_JWKS";
const WORKER: &str = "LANDFALL_WORKER";

/// Cloud Run's own where nobody says another: <https://cloud.google.com/run/docs/configuring/request-timeout>.
const DEFAULT: SignedDuration = SignedDuration::from_secs(300);

/// The longest that Cloud Run lets anybody set.
const LONGEST: i64 = 3600;

/// Less than this leaves no time for a run.
const SHORTEST: i64 = 30;

/// What it takes to end a run, write its report and answer.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);

/// Who checks who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Cloud Run lets nobody in who may not invoke the function; whoever gets here may do everything that can be done here.
    Platform,
    /// The function itself, by the token that comes along.
    Oidc(Oidc),
}

/// Which tokens are good, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// What a token has to be made for: the function's own URL, as it was given to whoever calls.
    pub audiences: Vec<String>,
    /// The mail addresses of those who may do each thing.
    pub callers: Vec<(Duty, Vec<String>)>,
    /// Where the keys are that tokens are signed with, in the place of Google's. On loopback only.
    pub keys: Option<String>,
}

impl Auth {
    /// Reads who may call. Nothing is assumed: a deployment says who checks.
    pub fn read(variable: impl Fn(&str) -> Option<String>, footing: Footing) -> Result<Self, Wrong> {
        let get = |name: &'static str| variable(name).filter(|value| !value.trim().is_empty());
        match get(AUTH).as_deref() {
            Some("oidc") => {}
            Some("platform") => {
                // As whom Cloud Tasks calls is said in any case.
                let callers = Duty::ALL.map(Duty::callers).into_iter().filter(|name| *name != ACCOUNT);
                let mut others = [AUDIENCE, KEYS].into_iter().chain(callers);
                return match others.find(|name| get(name).is_some()) {
                    None => Ok(Auth::Platform),
                    Some(name) => Err(wrong(
                        name,
                        "is set, and nobody would look at it: `LANDFALL_AUTH` is `platform`; expected `oidc`, or not to be set",
                    )),
                };
            }
            Some(other) => {
                return Err(wrong(AUTH, &format!("`{other}` is not known; expected `oidc` or `platform`")));
            }
            None => {
                return Err(wrong(
                    AUTH,
                    "is not set; expected `oidc`, and the function checks the token of whoever calls, or `platform`, and Cloud Run \
                     lets only those in who may invoke it",
                ));
            }
        }
        let audiences = get(AUDIENCE).map(|text| list(&text)).unwrap_or_default();
        if audiences.is_empty() {
            return Err(wrong(
                AUDIENCE,
                "is not set; expected what tokens are made for, the function's URL: `https://landfall-….run.app`",
            ));
        }
        let mut callers = Vec::new();
        for duty in Duty::ALL {
            let name = duty.callers();
            let who = get(name).map(|text| list(&text)).unwrap_or_default();
            if who.is_empty() && duty.is_needed() {
                let expected =
                    "the mail addresses of the service accounts that may, with commas between them";
                return Err(wrong(name, &format!("is not set; expected {expected}")));
            }
            if let Some(other) = who.iter().find(|text| !is_mail(text)) {
                return Err(wrong(
                    name,
                    &format!("`{other}` is no mail address; expected `name@project.iam.gserviceaccount.com`"),
                ));
            }
            callers.push((duty, who));
        }
        Ok(Auth::Oidc(Oidc {
            audiences,
            callers,
            keys: get(KEYS).map(|text| keys(&text, footing)).transpose()?,
        }))
    }
}

/// Where Cloud Tasks brings work to, and as whom: <https://cloud.google.com/run/docs/triggering/using-tasks>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// This function's own address, with the path `/work`.
    pub url: String,
    /// The service account whose token comes along; beside a simulator there may be none.
    pub account: Option<String>,
    /// What the token is made for: what this function asks for, or the address without its path, which is what Cloud Run asks for.
    pub audience: String,
}

impl Worker {
    /// Reads where work is brought to.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        auth: &Auth,
        footing: Footing,
    ) -> Result<Self, Wrong> {
        let get = |name: &'static str| variable(name).filter(|value| !value.trim().is_empty());
        let expected =
            "expected this function's own address with the path `/work`: `https://landfall-….run.app/work`";
        let text = get(WORKER).ok_or_else(|| wrong(WORKER, &format!("is not set; {expected}")))?;
        let url = Url::parse(&text).ok().filter(|url| {
            let scheme = if footing == Footing::Loopback { "http" } else { "https" };
            url.scheme() == scheme
                && url.path() == "/work"
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let url = url.ok_or_else(|| wrong(WORKER, &format!("`{text}` can't be used; {expected}")))?;
        let account = get(ACCOUNT);
        if account.is_none() && footing == Footing::Real {
            return Err(wrong(
                ACCOUNT,
                "is not set; expected the mail address of the service account as which Cloud Tasks calls",
            ));
        }
        let audience = match auth {
            Auth::Oidc(Oidc { audiences, .. }) => audiences.first().cloned(),
            Auth::Platform => None,
        };
        let audience = audience.unwrap_or_else(|| url.origin().ascii_serialization());
        Ok(Worker { url: url.into(), account, audience })
    }
}

/// Where a test's keys are. Whoever can say where keys are can make tokens, so it is read on this machine only.
fn keys(text: &str, footing: Footing) -> Result<String, Wrong> {
    let expected = "expected `http://127.0.0.1:PORT/…` beside `LANDFALL_GCP_ENDPOINT`, or not to be set";
    if footing == Footing::Real {
        return Err(wrong(KEYS, &format!("is for tests on one machine; {expected}")));
    }
    let here = Url::parse(text).is_ok_and(|url| {
        url.scheme() == "http"
            && match url.host() {
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                Some(url::Host::Domain(_)) | None => false,
            }
    });
    if here {
        Ok(text.to_owned())
    } else {
        Err(wrong(KEYS, &format!("`{text}` is not on this machine; {expected}")))
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn is_mail(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    matches!(parts.as_slice(), [name, host] if !name.is_empty() && host.contains('.'))
        && !text.contains([':', ' ', '"', '*'])
}

fn wrong(variable: &'static str, why: &str) -> Wrong {
    Wrong { variable, why: why.to_owned() }
}

/// The port, as Cloud Run said it.
pub fn port(said: Option<&str>) -> Result<u16, Wrong> {
    let said = said.filter(|said| !said.is_empty());
    let said = said.ok_or_else(|| wrong(PORT, "is not set; expected the port that Cloud Run gives"))?;
    said.parse().map_err(|_| wrong(PORT, &format!("`{said}` is not a port")))
}

/// How long a request may take, as Cloud Run said it.
pub fn timeout(said: Option<&str>) -> Result<SignedDuration, Wrong> {
    let Some(said) = said.filter(|said| !said.is_empty()) else { return Ok(DEFAULT) };
    match said.parse::<i64>() {
        Ok(seconds) if (SHORTEST..=LONGEST).contains(&seconds) => Ok(SignedDuration::from_secs(seconds)),
        Ok(_) | Err(_) => Err(wrong(
            TIMEOUT,
            &format!("`{said}` can't be used; expected whole seconds from {SHORTEST} to {LONGEST}"),
        )),
    }
}

/// When a run has to be over: before Cloud Run ends the request, and before whoever asks stops waiting at the latest.
pub fn deadline(duty: Duty, timeout: SignedDuration, now: Timestamp) -> Timestamp {
    now + (timeout.min(duty.patience()) - MARGIN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const RIGHT: [(&str, &str); 4] = [
        ("LANDFALL_AUTH", "oidc"),
        ("LANDFALL_AUDIENCE", "https://landfall.run.app"),
        ("LANDFALL_SWEEP_CALLERS", "scheduler@acme-landfall.iam.gserviceaccount.com"),
        ("LANDFALL_WORKER_ACCOUNT", "tasks@acme-landfall.iam.gserviceaccount.com"),
    ];

    fn read(changed: &[(&'static str, &'static str)], footing: Footing) -> Result<Auth, String> {
        let mut all = BTreeMap::from(RIGHT);
        all.extend(changed.iter().copied());
        Auth::read(|name| all.get(name).map(|value| (*value).to_owned()), footing)
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn who_may_call_is_said_or_nobody_may() {
        let Ok(Auth::Oidc(oidc)) = read(&[], Footing::Real) else { panic!("it is right") };
        let events = oidc.callers.iter().find(|(duty, _)| *duty == Duty::Events).unwrap();
        assert!(events.1.is_empty());
        let without = |name| read(&[(name, " , ")], Footing::Real).unwrap_err();
        assert!(without("LANDFALL_AUDIENCE").starts_with("LANDFALL_AUDIENCE: is not set"));
        assert!(without("LANDFALL_WORKER_ACCOUNT").starts_with("LANDFALL_WORKER_ACCOUNT: is not set"));
        for other in ["allUsers", "serviceAccount:a@b.c", "*@b.c", "a@b"] {
            assert!(
                read(&[("LANDFALL_EVENTS_CALLERS", other)], Footing::Real)
                    .unwrap_err()
                    .contains("no mail address")
            );
        }
    }

    #[test]
    fn who_checks_is_never_guessed() {
        assert!(read(&[("LANDFALL_AUTH", "")], Footing::Loopback).unwrap_err().contains("is not set"));
        assert!(
            read(&[("LANDFALL_AUTH", "none")], Footing::Loopback)
                .unwrap_err()
                .contains("`none` is not known")
        );
        let both = read(&[("LANDFALL_AUTH", "platform")], Footing::Real).unwrap_err();
        assert!(both.starts_with("LANDFALL_AUDIENCE: is set, and nobody would look at it"), "{both}");
    }

    #[test]
    fn other_keys_than_google_s_are_for_this_machine() {
        let keys = |url, footing| read(&[("LANDFALL_JWKS", url)], footing);
        assert!(keys("http://127.0.0.1:9/certs", Footing::Loopback).is_ok());
        for (url, footing) in [
            ("http://127.0.0.1:9/certs", Footing::Real),
            ("https://127.0.0.1:9/certs", Footing::Loopback),
            ("http://localhost.example.com/certs", Footing::Loopback),
            ("http://127.0.0.1.example.com/certs", Footing::Loopback),
        ] {
            assert!(keys(url, footing).unwrap_err().starts_with("LANDFALL_JWKS: "), "{url}");
        }
    }

    #[test]
    fn a_run_is_over_before_its_request_is() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |duty, seconds: &str| deadline(duty, timeout(Some(seconds)).unwrap(), now).as_second();
        assert_eq!(at(Duty::Work, "300"), 285);
        assert_eq!(at(Duty::Work, "3600"), 1785);
        assert_eq!(at(Duty::Events, "3600"), 585);
        assert_eq!(timeout(None), Ok(DEFAULT));
        for wrong in ["0", "29", "3601", "5m", "-1"] {
            assert!(timeout(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
