//! Where a service answers and for which region its requests are signed: partitions and hosts as data.
//!
//! The SDK crates carry an endpoint rule engine each; the few services that we call need one line of a table. A test compares
//! every line with what those published rules say.

use std::fmt;

use landfall_engine::here::is_this_machine;
use url::Url;

/// One of the separate AWS clouds: regions, accounts and credentials of one mean nothing in another.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The second part of every ARN.
    pub id: &'static str,
    /// The region prefixes by which a region's name tells its partition.
    prefixes: &'static [&'static str],
    dns_suffix: &'static str,
    /// Where services without a region of their own are signed.
    pub global_region: &'static str,
}

static COMMERCIAL: Partition = Partition {
    id: "aws",
    prefixes: &["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"],
    dns_suffix: "amazonaws.com",
    global_region: "us-east-1",
};

/// The partitions other than the commercial one, which is also the answer for a region nobody has heard of yet.
static OTHERS: [Partition; 7] = [
    Partition {
        id: "aws-cn",
        prefixes: &["cn-"],
        dns_suffix: "amazonaws.com.cn",
        global_region: "cn-northwest-1",
    },
    Partition {
        id: "aws-us-gov",
        prefixes: &["us-gov-"],
        dns_suffix: "amazonaws.com",
        global_region: "us-gov-west-1",
    },
    Partition {
        id: "aws-eusc",
        prefixes: &["eusc-"],
        dns_suffix: "amazonaws.eu",
        global_region: "eusc-de-east-1",
    },
    Partition {
        id: "aws-iso",
        prefixes: &["us-iso-"],
        dns_suffix: "c2s.ic.gov",
        global_region: "us-iso-east-1",
    },
    Partition {
        id: "aws-iso-b",
        prefixes: &["us-isob-"],
        dns_suffix: "sc2s.sgov.gov",
        global_region: "us-isob-east-1",
    },
    Partition {
        id: "aws-iso-e",
        prefixes: &["eu-isoe-"],
        dns_suffix: "cloud.adc-e.uk",
        global_region: "eu-isoe-west-1",
    },
    Partition {
        id: "aws-iso-f",
        prefixes: &["us-isof-"],
        dns_suffix: "csp.hci.ic.gov",
        global_region: "us-isof-south-1",
    },
];

impl Partition {
    /// The partition that a region belongs to. The other partitions come first: `us-gov-west-1` also begins with `us-`.
    #[must_use]
    pub fn of_region(region: &str) -> &'static Partition {
        let named = |p: &&Partition| p.prefixes.iter().any(|prefix| region.starts_with(prefix));
        OTHERS.iter().find(named).unwrap_or(&COMMERCIAL)
    }
}

/// How a service's host is made from the region.
#[derive(Debug)]
pub(crate) enum Host {
    /// `{prefix}.{region}.{suffix}`, signed for that region.
    Regional(&'static str),
    /// `{prefix}.{global region}.{suffix}` whatever region is asked for, except where the partition has a name of its own.
    Global { prefix: &'static str, exceptions: &'static [Exception] },
}

/// A partition where a global service has its own host, or signs for another region than the partition's global one.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) partition: &'static str,
    pub(crate) host: &'static str,
    pub(crate) signing_region: &'static str,
}

/// Host and signing region of one call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) signing_region: String,
}

/// Text that can't be a region, and would otherwise become part of a host name that gets a signed request.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not the name of a region")]
pub struct NotARegion(String);

impl NotARegion {
    pub(crate) fn new(text: &str) -> Self {
        Self(crate::error::tidy(text))
    }
}

impl Host {
    pub(crate) fn address(&self, region: &str) -> Result<Address, NotARegion> {
        if !is_region(region) {
            return Err(NotARegion::new(region));
        }
        let partition = Partition::of_region(region);
        let Partition { id, prefixes: _, dns_suffix, global_region } = partition;
        Ok(match self {
            Host::Regional(prefix) => {
                Address { host: format!("{prefix}.{region}.{dns_suffix}"), signing_region: region.to_owned() }
            }
            Host::Global { prefix, exceptions } => match exceptions.iter().find(|e| e.partition == *id) {
                Some(Exception { partition: _, host, signing_region }) => {
                    Address { host: (*host).to_owned(), signing_region: (*signing_region).to_owned() }
                }
                None => Address {
                    host: format!("{prefix}.{global_region}.{dns_suffix}"),
                    signing_region: (*global_region).to_owned(),
                },
            },
        })
    }
}

/// Text that can't be an account, and would otherwise become part of a host name too.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an account id of twelve digits")]
pub(crate) struct NotAnAccount(String);

impl NotAnAccount {
    pub(crate) fn new(text: &str) -> Self {
        Self(crate::error::tidy(text))
    }
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

pub(crate) fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// An endpoint that somebody set in place of the cloud's own: always `https`, or this machine.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Override(Url);

/// Why an endpoint override is refused.
#[derive(Debug, thiserror::Error)]
pub enum BadEndpoint {
    #[error("endpoint `{0}` is not a URL")]
    NotAUrl(String),
    #[error("endpoint `{0}` is neither `https` nor on this machine")]
    Insecure(String),
    #[error("endpoint `{0}` carries a user, a query or a fragment")]
    Decorated(String),
}

impl Override {
    pub(crate) fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let shown = || crate::error::tidy(text);
        let url = Url::parse(text).map_err(|_| BadEndpoint::NotAUrl(shown()))?;
        if url.host().is_none() {
            return Err(BadEndpoint::NotAUrl(shown()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            // The text itself is not shown: it holds a password.
            return Err(BadEndpoint::Decorated(url.host_str().unwrap_or_default().to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadEndpoint::Decorated(shown()));
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_this_machine(&url) => Ok(Self(url)),
            _ => Err(BadEndpoint::Insecure(shown())),
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_this_machine(&self.0)
    }

    /// Without the slash at the end, so that a path can be put behind it.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for good in [
            "https://vpce.example.com",
            "http://127.0.0.1:5000",
            "http://[::1]:5000/",
            "http://localhost:1/base",
        ] {
            assert!(Override::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://moto:5000",
            "http://127.0.0.1.example.com",
            "http://a.localhost:1",
            "ftp://localhost",
            "localhost:1",
            "",
            "https://user:secret@example.com",
            "http://127.0.0.1:1/?x=1",
        ] {
            assert!(Override::parse(bad).is_err(), "{bad}");
        }
        let refused = Override::parse("https://user:secret@example.com").unwrap_err();
        assert!(!refused.to_string().contains("secret"));
    }

    #[test]
    fn text_that_is_no_region_never_becomes_a_host() {
        for bad in ["", "evil.com/", "us-east-1.evil.com", "US-EAST-1", "us east", "-x", "x#", "ä"] {
            assert!(Host::Regional("sts").address(bad).is_err(), "{bad}");
        }
    }
}
