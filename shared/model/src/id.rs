//! The names things have: each identifier is a type of its own, checked once where it enters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not the identifier it was given as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct IdError {
    /// The text as it was given.
    pub found: String,
    /// What it should have been, for people.
    pub expected: &'static str,
}

/// Whose platform a tenant lives on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Amazon Web Services: a tenant is an account.
    Aws,
    /// Microsoft Azure: a tenant is a subscription.
    Azure,
    /// Google Cloud: a tenant is a project.
    Gcp,
}

impl Provider {
    /// Every provider, in the order reports show them.
    pub const ALL: [Provider; 3] = [Provider::Aws, Provider::Azure, Provider::Gcp];

    /// The word used in manifests, keys and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Provider::Aws => "aws",
            Provider::Azure => "azure",
            Provider::Gcp => "gcp",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Provider::ALL
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or_else(|| IdError { found: text.to_owned(), expected: "one of aws, azure, gcp" })
    }
}

/// One isolation boundary: an AWS account, an Azure subscription or a Google Cloud project, written `aws/222222222222`.
///
/// Identity is the id the cloud gave, never a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId {
    provider: Provider,
    id: String,
}

impl TenantId {
    /// Checks the id as the provider writes it.
    pub fn new(provider: Provider, id: &str) -> Result<Self, IdError> {
        let (right, expected) = match provider {
            Provider::Aws => (is_account(id), "an AWS account id of 12 digits"),
            Provider::Azure => (is_uuid(id), "an Azure subscription id, a UUID in lower case"),
            Provider::Gcp => (
                is_project(id),
                "a Google Cloud project id of 6 to 30 lower-case letters, digits and hyphens",
            ),
        };
        if right {
            Ok(TenantId { provider, id: id.to_owned() })
        } else {
            Err(IdError { found: id.to_owned(), expected })
        }
    }

    /// Whose platform it lives on.
    pub const fn provider(&self) -> Provider {
        self.provider
    }

    /// The id as the cloud writes it: `222222222222`.
    pub fn native(&self) -> &str {
        &self.id
    }
}

fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())
}

fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        })
}

fn is_project(id: &str) -> bool {
    (6..=30).contains(&id.len())
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && !id.ends_with('-')
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.id)
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (provider, id) = text.split_once('/').ok_or_else(|| IdError {
            found: text.to_owned(),
            expected: "a tenant such as `aws/222222222222`",
        })?;
        TenantId::new(provider.parse()?, id)
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $right:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let right: fn(&str) -> bool = $right;
                if right(text) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(IdError { found: text.to_owned(), expected: $expected })
                }
            }
        }

        serde_as_text!($name);
    };
}

macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

serde_as_text!(TenantId);

text_id!(
    /// A name of the manifest's own: a control, team, role, project, environment, landing zone or cloud.
    Name,
    "a name of lower-case letters, digits and hyphens, at most 64 long",
    is_name
);

text_id!(
    /// The way to a unit from the top, `workloads/production`; the organization's root is `/`.
    UnitPath,
    "the path of a unit, such as `workloads/production`",
    |text| text == "/" || text.split('/').all(is_name)
);

impl UnitPath {
    /// The organization itself, above all units.
    pub fn root() -> Self {
        UnitPath("/".to_owned())
    }

    /// The unit below this one with the given name.
    pub fn join(&self, name: &Name) -> Self {
        if self.0 == "/" { UnitPath(name.0.clone()) } else { UnitPath(format!("{}/{}", self.0, name.0)) }
    }

    /// The units from the topmost down to this one; the root itself is not among them.
    pub fn line(&self) -> Vec<UnitPath> {
        if self.0 == "/" {
            return Vec::new();
        }
        let mut line: Vec<UnitPath> = Vec::new();
        for part in self.0.split('/') {
            let path = match line.last() {
                Some(above) => format!("{above}/{part}"),
                None => part.to_owned(),
            };
            line.push(UnitPath(path));
        }
        line
    }

    /// The unit above; `None` at the root.
    pub fn parent(&self) -> Option<UnitPath> {
        if self.0 == "/" {
            return None;
        }
        Some(match self.0.rsplit_once('/') {
            Some((above, _)) => UnitPath(above.to_owned()),
            None => UnitPath::root(),
        })
    }

    /// Whether another unit is this one, or stands below it.
    pub fn covers(&self, other: &UnitPath) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        self.0 == "/" || other.0.strip_prefix(&self.0).is_some_and(below)
    }

    /// The unit's own name, without those above.
    pub fn leaf(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

text_id!(
    /// A region, location or zone as its cloud writes it.
    Region,
    "a region such as `eu-central-1`",
    is_name
);

text_id!(
    /// One pass of the pipeline. Sorts by time: `20261121T101500Z-3f9a6c01`.
    RunId,
    "a run such as `20261121T101500Z-3f9a6c01`",
    is_stamped
);

text_id!(
    /// One sweep over an organization; the same form as a run.
    SweepId,
    "a sweep such as `20261121T101500Z-3f9a6c01`",
    is_stamped
);

text_id!(
    /// The SHA-256 of some bytes, in lower-case hexadecimal.
    Digest,
    "a SHA-256 digest of 64 hexadecimal digits",
    |text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        Digest(hex(digest.as_ref()))
    }

    /// The first 12 digits: enough for people to tell two apart.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // INVARIANT: writing to a String never fails.
        if write!(text, "{byte:02x}").is_err() {
            text.clear();
        }
        text
    })
}

fn stamped(time: jiff::Timestamp, entropy: u32) -> String {
    format!("{}-{entropy:08x}", time.strftime("%Y%m%dT%H%M%SZ"))
}

impl RunId {
    /// A new run at this time; the caller brings the randomness.
    pub fn new(time: jiff::Timestamp, entropy: u32) -> Self {
        RunId(stamped(time, entropy))
    }
}

impl SweepId {
    /// A new sweep at this time; the caller brings the randomness.
    pub fn new(time: jiff::Timestamp, entropy: u32) -> Self {
        SweepId(stamped(time, entropy))
    }
}

fn is_stamped(text: &str) -> bool {
    text.len() == 25 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_are_known_by_the_cloud_s_own_id() {
        for right in
            ["aws/012345678901", "azure/3f2c0000-0000-4000-8000-000000000002", "gcp/acme-checkout-prod"]
        {
            assert_eq!(right.parse::<TenantId>().unwrap().to_string(), right);
        }
        for wrong in [
            "222222222222",
            "aws/22222222222",
            "aws/2222 2222222",
            "azure/3F2C0000-0000-4000-8000-000000000002",
            "gcp/Acme",
            "oci/x",
        ] {
            assert!(wrong.parse::<TenantId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_unit_knows_the_line_above_it() {
        let unit: UnitPath = "workloads/production".parse().unwrap();
        let line: Vec<String> = unit.line().iter().map(ToString::to_string).collect();
        assert_eq!(line, ["workloads", "workloads/production"]);
        assert_eq!(unit.parent().unwrap().parent().unwrap(), UnitPath::root());
        assert!(UnitPath::root().line().is_empty());
        assert_eq!(unit.leaf(), "production");
    }

    #[test]
    fn a_unit_covers_itself_and_what_is_below_it_and_no_look_alike() {
        for (unit, other, covers) in [
            ("workloads", "workloads", true),
            ("workloads", "workloads/production", true),
            ("workloads/production", "workloads", false),
            ("workloads", "workloads-old", false),
            ("workloads/production", "sandbox/production", false),
            ("/", "workloads/production", true),
        ] {
            let (one, two): (UnitPath, UnitPath) = (unit.parse().unwrap(), other.parse().unwrap());
            assert_eq!(one.covers(&two), covers, "{unit} {other}");
        }
    }

    #[test]
    fn runs_sort_by_time() {
        let early = RunId::new("2026-11-21T10:15:00Z".parse().unwrap(), u32::MAX);
        let late = RunId::new("2026-11-21T10:15:01Z".parse().unwrap(), 0);
        assert_eq!(early.to_string(), "20261121T101500Z-ffffffff");
        assert!(early < late);
        assert!(early.to_string().parse::<RunId>().is_ok());
    }
}
