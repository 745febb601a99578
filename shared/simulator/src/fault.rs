//! What goes wrong on purpose: throttling, server errors, denials, slow answers, stale reads, cut connections.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::world::unit_interval;

/// What goes wrong. Everything is off by default; calls are counted from the moment faults are set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Faults {
    /// Decides, with the call number, which calls are throttled or fail: the same seed fails the same calls.
    pub seed: u64,
    /// The call that is cut: it performs its effect, but the connection is dropped without an answer, and so is every
    /// later call (which performs nothing), until faults are set again. As if the process died there.
    pub cut_at: Option<u64>,
    /// The variant in which the cut call does not perform its effect either.
    pub cut_before: bool,
    /// The share of calls, 0 to 1, refused for rate.
    pub throttle: f64,
    /// The share of calls, 0 to 1, answered with 503.
    pub server_error: f64,
    pub deny: Vec<Denied>,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// Reads within this time after a write see the state before it, for each account by itself.
    pub lag: Duration,
}

/// An operation that is denied, to everybody or in one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    pub service: String,
    /// `*` for every operation of the service.
    pub operation: String,
    /// The account of the caller, or what is asked about: a subscription or management group, a project, folder or organization.
    /// `None` is every one.
    pub account: Option<String>,
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Normal,
    Throttled,
    ServerError,
    /// Dropped after its effect.
    CutAfter,
    /// Dropped without effect.
    CutBefore,
}

impl Faults {
    /// The fate of the `n`th call since the faults were set.
    pub(crate) fn fate(&self, n: u64) -> Fate {
        match self.cut_at {
            Some(cut) if n > cut => return Fate::CutBefore,
            Some(cut) if n == cut => return if self.cut_before { Fate::CutBefore } else { Fate::CutAfter },
            _ => {}
        }
        if unit_interval(self.seed, 1, n) < self.throttle {
            Fate::Throttled
        } else if unit_interval(self.seed, 2, n) < self.server_error {
            Fate::ServerError
        } else {
            Fate::Normal
        }
    }

    pub(crate) fn denies(&self, service: &str, operation: &str, account: &str) -> bool {
        self.deny.iter().any(|denied| {
            // Azure writes its names in any case; AWS never does.
            denied.service.eq_ignore_ascii_case(service)
                && (denied.operation == "*" || denied.operation.eq_ignore_ascii_case(operation))
                && denied.account.as_deref().is_none_or(|only| only.eq_ignore_ascii_case(account))
        })
    }
}

/// Why a text is not a set of faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    #[error(
        "`{0}` is not a fault: expected `name=value` with one of throttle, 5xx, cut, cut-before, latency, lag, deny, seed"
    )]
    Unknown(String),
    #[error("`{name}={value}` must be a share between 0 and 1")]
    Share { name: String, value: String },
    #[error("`{name}={value}` must be a whole number{}", if *.positive { " of at least 1" } else { "" })]
    Number { name: String, value: String, positive: bool },
    #[error("`{name}={value}` must be a time such as `20ms` or `2s`")]
    Time { name: String, value: String },
    #[error("`deny={0}` must read `service:Operation` or `service:Operation@account`")]
    Deny(String),
}

impl FromStr for Faults {
    type Err = FaultError;

    /// Reads `throttle=0.2,5xx=0.05,cut=17,latency=20ms,lag=2s,deny=ec2:DeleteVpc@222222222222,seed=1`; empty is none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(FaultError::Unknown(part.to_owned()));
            };
            let (name, value) = (name.trim(), value.trim());
            match name {
                "throttle" => faults.throttle = share(name, value)?,
                "5xx" => faults.server_error = share(name, value)?,
                "cut" => faults.cut_at = Some(number(name, value, true)?),
                "cut-before" => {
                    faults.cut_at = Some(number(name, value, true)?);
                    faults.cut_before = true;
                }
                "seed" => faults.seed = number(name, value, false)?,
                "latency" => faults.latency = time(name, value)?,
                "lag" => faults.lag = time(name, value)?,
                "deny" => faults.deny.push(denied(value)?),
                _ => return Err(FaultError::Unknown(part.to_owned())),
            }
        }
        Ok(faults)
    }
}

fn share(name: &str, value: &str) -> Result<f64, FaultError> {
    let wrong = || FaultError::Share { name: name.to_owned(), value: value.to_owned() };
    let share: f64 = value.parse().map_err(|_| wrong())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(wrong()) }
}

fn number(name: &str, value: &str, positive: bool) -> Result<u64, FaultError> {
    let wrong = || FaultError::Number { name: name.to_owned(), value: value.to_owned(), positive };
    let number: u64 = value.parse().map_err(|_| wrong())?;
    if positive && number == 0 { Err(wrong()) } else { Ok(number) }
}

fn time(name: &str, value: &str) -> Result<Duration, FaultError> {
    let wrong = || FaultError::Time { name: name.to_owned(), value: value.to_owned() };
    let (digits, unit) = if let Some(digits) = value.strip_suffix("ms") {
        (digits, 1)
    } else {
        (value.strip_suffix('s').ok_or_else(wrong)?, 1_000)
    };
    let amount: u64 = digits.parse().map_err(|_| wrong())?;
    Ok(Duration::from_millis(amount.saturating_mul(unit)))
}

fn denied(value: &str) -> Result<Denied, FaultError> {
    let wrong = || FaultError::Deny(value.to_owned());
    let (what, account) = match value.split_once('@') {
        Some((what, account)) => (what, Some(account)),
        None => (value, None),
    };
    let (service, operation) = what.split_once(':').ok_or_else(wrong)?;
    let account_is_right =
        account.is_none_or(|id| is_account(id) || is_subscription(id) || is_on_google_cloud(id));
    if service.is_empty() || operation.is_empty() || !account_is_right {
        return Err(wrong());
    }
    Ok(Denied {
        service: service.to_owned(),
        operation: operation.to_owned(),
        account: account.map(str::to_owned),
    })
}

fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// A subscription's id is a UUID.
fn is_subscription(id: &str) -> bool {
    let lengths = id.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// A project's id, or a folder or organization by its name: `team-0001`, `folders/300000000001`.
fn is_on_google_cloud(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match id.split_once('/') {
        Some(("folders" | "organizations", number)) => digits(number),
        Some(_) => false,
        None => {
            let plain = |byte: u8| byte == b'-' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
            id.starts_with(|c: char| c.is_ascii_lowercase())
                && (6..=30).contains(&id.len())
                && id.bytes().all(plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_whole_text_form() {
        let text = "throttle=0.2,5xx=0.05,cut=17,latency=20ms,lag=2s,deny=ec2:DeleteVpc@222222222222,seed=1";
        let expected = Faults {
            seed: 1,
            cut_at: Some(17),
            cut_before: false,
            throttle: 0.2,
            server_error: 0.05,
            deny: vec![Denied {
                service: "ec2".into(),
                operation: "DeleteVpc".into(),
                account: Some("222222222222".into()),
            }],
            latency: Duration::from_millis(20),
            lag: Duration::from_secs(2),
        };
        assert_eq!(text.parse(), Ok(expected));
        assert_eq!("".parse(), Ok(Faults::default()));
    }

    #[test]
    fn a_denial_can_name_a_subscription() {
        let text =
            "deny=Microsoft.Authorization:policyAssignments/write@3f2c0000-0000-4000-8000-000000000002";
        let faults: Faults = text.parse().unwrap();
        let about = |id: &str| faults.denies("microsoft.authorization", "policyAssignments/write", id);
        assert!(about("3F2C0000-0000-4000-8000-000000000002"));
        assert!(!about("3f2c0000-0000-4000-8000-000000000003"));
    }

    #[test]
    fn a_denial_can_name_a_project() {
        let faults: Faults = "deny=orgpolicy:projects.policies.create@team-0001".parse().unwrap();
        assert!(faults.denies("orgpolicy", "projects.policies.create", "team-0001"));
        assert!(!faults.denies("orgpolicy", "projects.policies.create", "team-0002"));
        assert!("deny=iam:*@folders/300000000001".parse::<Faults>().is_ok());
    }

    #[test]
    fn says_what_is_wrong_with_a_text() {
        let problem = |text: &str| text.parse::<Faults>().unwrap_err().to_string();
        assert_eq!(problem("throttle=2"), "`throttle=2` must be a share between 0 and 1");
        assert_eq!(problem("cut=0"), "`cut=0` must be a whole number of at least 1");
        assert_eq!(problem("seed=x"), "`seed=x` must be a whole number");
        assert_eq!(problem("lag=2"), "`lag=2` must be a time such as `20ms` or `2s`");
        assert_eq!(
            problem("deny=ec2"),
            "`deny=ec2` must read `service:Operation` or `service:Operation@account`"
        );
        assert_eq!(
            problem("deny=ec2:DeleteVpc@3f2c0000-0000-4000-8000"),
            "`deny=ec2:DeleteVpc@3f2c0000-0000-4000-8000` must read `service:Operation` or `service:Operation@account`"
        );
        assert!(problem("slow=1").starts_with("`slow=1` is not a fault"));
    }

    #[test]
    fn the_same_seed_fails_the_same_calls_at_about_the_asked_rate() {
        let faults = Faults { seed: 7, throttle: 0.2, ..Faults::default() };
        let fates: Vec<Fate> = (1..=10_000).map(|n| faults.fate(n)).collect();
        assert_eq!(fates, (1..=10_000).map(|n| faults.fate(n)).collect::<Vec<_>>());
        let throttled = fates.iter().filter(|fate| **fate == Fate::Throttled).count();
        assert!((1_800..2_200).contains(&throttled), "{throttled}");
    }
}
