//! What a deployment says of a store on another cloud.

use landfall_engine::here::on_this_machine;
use url::Url;

/// As whom to come to the other cloud.
const IDENTITY: &str = "LANDFALL_STORE_IDENTITY";
/// For whom the own token is made, where that is not what the other cloud usually expects.
const AUDIENCE: &str = "LANDFALL_STORE_AUDIENCE";
/// A token service on this machine in the place of the other cloud's.
const TOKENS: &str = "LANDFALL_STORE_TOKENS";
/// Storage on this machine in the place of the other cloud's.
const ENDPOINT: &str = "LANDFALL_STORE_ENDPOINT";

/// What the deployment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// As whom.
    pub(crate) whom: Whom,
    /// For whom the own token is made.
    pub(crate) audience: String,
    /// A token service on this machine instead.
    pub(crate) tokens: Option<Url>,
    /// Storage on this machine instead.
    pub(crate) endpoint: Option<Url>,
    /// Where the bucket is, in S3: whatever else is read there is in the same region.
    pub(crate) region: String,
}

/// As whom to come, in each cloud's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    /// `arn:aws:iam::111111111111:role/landfall-store`.
    Aws {
        /// The role.
        role: String,
        /// The partition's DNS suffix.
        suffix: &'static str,
    },
    /// `//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/landfall/providers/aws`.
    Gcp {
        /// The provider, with its two slashes.
        provider: String,
    },
    /// `<directory>/<client>`, of the public cloud; `login.microsoftonline.us/<directory>/<client>` of another.
    Azure {
        /// Which of Microsoft's clouds.
        cloud: &'static Microsoft,
        /// The directory's id.
        directory: String,
        /// The application's or managed identity's client id.
        client: String,
    },
}

/// One of Microsoft's clouds. <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>, and for the audiences
/// <https://learn.microsoft.com/graph/api/resources/federatedidentitycredential>.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Microsoft {
    pub(crate) authority: &'static str,
    pub(crate) storage: &'static str,
    pub(crate) audience: &'static str,
}

const MICROSOFT: [Microsoft; 3] = [
    Microsoft {
        authority: "login.microsoftonline.com",
        storage: "core.windows.net",
        audience: "api://AzureADTokenExchange",
    },
    Microsoft {
        authority: "login.microsoftonline.us",
        storage: "core.usgovcloudapi.net",
        audience: "api://AzureADTokenExchangeUSGov",
    },
    Microsoft {
        authority: "login.partner.microsoftonline.cn",
        storage: "core.chinacloudapi.cn",
        audience: "api://AzureADTokenExchangeChina",
    },
];

/// A setting that is missing or wrong: one line that names it and says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {why}")]
pub struct Wrong {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong, and what is expected.
    pub why: String,
}

impl Settings {
    /// What is said of a store on another cloud, where the store is not there. Both can't be meant.
    pub(crate) fn unwanted(variable: impl Fn(&str) -> Option<String>, store: &str) -> Option<Wrong> {
        let set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
        let why = format!(
            "is set, and the store `{store}` is not on another cloud; expected nothing, or a store there in LANDFALL_STORE"
        );
        [IDENTITY, AUDIENCE].into_iter().find(set).map(|variable| Wrong { variable, why })
    }

    /// What the environment says of the store at `address`, which is on another cloud than the function. `loopback`: everything else
    /// that this process reaches is on this machine, and only then may something stand in for the other cloud.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        address: &str,
        loopback: bool,
    ) -> Result<Self, Wrong> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        let expected = expected(address);
        let Some(text) = get(IDENTITY) else {
            let why = format!(
                "is not set, and the store `{address}` is on another cloud; expected as whom to come there: {expected}"
            );
            return Err(Wrong { variable: IDENTITY, why });
        };
        let whom = Whom::parse(address, &text).ok_or_else(|| Wrong {
            variable: IDENTITY,
            why: format!("`{text}` is not what opens `{address}`; expected {expected}"),
        })?;
        let here = |name: &'static str| match get(name) {
            None => Ok(None),
            Some(_) if !loopback => Err(Wrong {
                variable: name,
                why: "is for tests, where everything else is on this machine too".to_owned(),
            }),
            Some(text) => match on_this_machine(&text) {
                Some(url) => Ok(Some(url)),
                None => Err(Wrong {
                    variable: name,
                    why: format!("`{text}` is not on this machine; expected `http://127.0.0.1:PORT`"),
                }),
            },
        };
        let (tokens, endpoint) = (here(TOKENS)?, here(ENDPOINT)?);
        if loopback && (tokens.is_none() || endpoint.is_none()) {
            let variable = if tokens.is_none() { TOKENS } else { ENDPOINT };
            let why = "is not set; a process that works on this machine goes to no real cloud".to_owned();
            return Err(Wrong { variable, why });
        }
        let audience = get(AUDIENCE).unwrap_or_else(|| whom.usual_audience());
        Ok(Settings { region: region(address, &whom)?, whom, audience, tokens, endpoint })
    }
}

/// `?region=` of an address in S3; it becomes part of a host's name.
fn region(address: &str, whom: &Whom) -> Result<String, Wrong> {
    let Whom::Aws { .. } = whom else { return Ok(String::new()) };
    let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let region = query.strip_prefix("region=").unwrap_or_default();
    let named = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    named.then(|| region.to_owned()).ok_or_else(|| Wrong {
        variable: "LANDFALL_STORE",
        why: format!(
            "`{address}` names no region of AWS, and this function's own cloud has other ones; expected `s3://bucket/folder?region=eu-central-1`"
        ),
    })
}

fn expected(address: &str) -> &'static str {
    match address.split_once("://").map(|(scheme, _)| scheme) {
        Some("s3") => "a role, `arn:aws:iam::111111111111:role/landfall-store`",
        Some("gs") => {
            "a provider, `//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/landfall/providers/aws`"
        }
        Some("az") => "`<directory id>/<client id>`",
        Some(_) | None => "an address `s3://…`, `az://…` or `gs://…` first",
    }
}

impl Whom {
    fn parse(address: &str, text: &str) -> Option<Self> {
        match address.split_once("://")?.0 {
            "s3" => {
                let mut parts = text.splitn(6, ':');
                let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
                let (region, account, role) = (parts.next()?, parts.next()?, parts.next()?);
                let suffix = match partition {
                    "aws" | "aws-us-gov" => "amazonaws.com",
                    "aws-cn" => "amazonaws.com.cn",
                    "aws-eusc" => "amazonaws.eu",
                    _ => return None,
                };
                let right = (arn, service, region) == ("arn", "iam", "")
                    && account.len() == 12
                    && account.bytes().all(|byte| byte.is_ascii_digit())
                    && role.strip_prefix("role/").is_some_and(|name| !name.is_empty());
                right.then(|| Whom::Aws { role: text.to_owned(), suffix })
            }
            "gs" => {
                let path = text.strip_prefix("//iam.googleapis.com/projects/")?;
                let parts: Vec<&str> = path.split('/').collect();
                let [project, "locations", "global", "workloadIdentityPools", pool, "providers", provider] =
                    parts.as_slice()
                else {
                    return None;
                };
                let right = project.bytes().all(|byte| byte.is_ascii_digit())
                    && [project, pool, provider].iter().all(|part| !part.is_empty());
                right.then(|| Whom::Gcp { provider: text.to_owned() })
            }
            "az" => {
                let parts: Vec<&str> = text.split('/').collect();
                let (cloud, directory, client) = match parts.as_slice() {
                    [directory, client] => (MICROSOFT.first()?, directory, client),
                    [host, directory, client] => {
                        (MICROSOFT.iter().find(|cloud| cloud.authority == *host)?, directory, client)
                    }
                    _ => return None,
                };
                (is_id(directory) && is_id(client)).then(|| Whom::Azure {
                    cloud,
                    directory: (*directory).to_owned(),
                    client: (*client).to_owned(),
                })
            }
            _ => None,
        }
    }

    /// What the other cloud's documentation sets up.
    fn usual_audience(&self) -> String {
        match self {
            Whom::Aws { suffix, .. } => format!("sts.{suffix}"),
            // The default audience of a provider that lists none.
            Whom::Gcp { provider } => format!("https:{provider}"),
            Whom::Azure { cloud, .. } => cloud.audience.to_owned(),
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_id(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111111111111:role/landfall-store";
    const PROVIDER: &str =
        "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/landfall/providers/aws";
    const CLIENT: &str = "5a0e0000-0000-4000-8000-0000000000bb/3f2c0000-0000-4000-8000-000000000001";

    fn read(address: &str, environment: &[(&str, &str)], loopback: bool) -> Result<Settings, String> {
        let variable = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(variable, address, loopback).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn what_is_only_for_a_store_elsewhere_is_not_passed_over_in_silence() {
        let unwanted = |environment: &[(&str, &str)]| {
            let variable = |name: &str| {
                environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            Settings::unwanted(variable, "s3://acme/store").map(|wrong| wrong.variable)
        };
        assert_eq!(unwanted(&[]), None);
        // Resource Manager sets what is not meant to nothing.
        assert_eq!(unwanted(&[(IDENTITY, ""), (AUDIENCE, "")]), None);
        assert_eq!(unwanted(&[(IDENTITY, PROVIDER)]), Some(IDENTITY));
        assert_eq!(unwanted(&[(AUDIENCE, "api://landfall-store")]), Some(AUDIENCE));
    }

    #[test]
    fn each_cloud_is_told_in_its_own_words_for_its_own_audience() {
        let government = format!("login.microsoftonline.us/{CLIENT}");
        for (address, identity, audience) in [
            ("s3://acme/landfall?region=eu-central-1", ROLE, "sts.amazonaws.com"),
            (
                "s3://acme/landfall?region=cn-north-1",
                "arn:aws-cn:iam::111111111111:role/x",
                "sts.amazonaws.com.cn",
            ),
            ("gs://acme/landfall", PROVIDER, &format!("https:{PROVIDER}")),
            ("az://acme/landfall", CLIENT, "api://AzureADTokenExchange"),
            ("az://acme/landfall", &government, "api://AzureADTokenExchangeUSGov"),
        ] {
            let settings = read(address, &[(IDENTITY, identity)], false).unwrap();
            assert_eq!(settings.audience, audience, "{identity}");
            let other = read(address, &[(IDENTITY, identity), (AUDIENCE, "api://landfall")], false).unwrap();
            assert_eq!(other.audience, "api://landfall");
        }
    }

    #[test]
    fn one_wrong_setting_is_named_with_what_is_expected() {
        type Environment = &'static [(&'static str, &'static str)];
        const HERE: &str = "http://127.0.0.1:9";
        let table: [(&str, Environment, bool, &str); 14] = [
            ("s3://acme", &[(IDENTITY, ROLE)], false, "LANDFALL_STORE: `s3://acme` names no region"),
            ("s3://acme?region=eu/central", &[(IDENTITY, ROLE)], false, "names no region"),
            (
                "s3://acme",
                &[],
                false,
                "LANDFALL_STORE_IDENTITY: is not set, and the store `s3://acme` is on another cloud",
            ),
            ("s3://acme", &[(IDENTITY, CLIENT)], false, "expected a role"),
            ("s3://acme", &[(IDENTITY, "arn:aws:iam::1:role/x")], false, "expected a role"),
            ("s3://acme", &[(IDENTITY, "arn:aws:iam::111111111111:user/x")], false, "expected a role"),
            ("gs://acme", &[(IDENTITY, ROLE)], false, "expected a provider"),
            (
                "gs://acme",
                &[(
                    IDENTITY,
                    "//iam.googleapis.com/projects/acme/locations/global/workloadIdentityPools/l/providers/p",
                )],
                false,
                "expected a provider",
            ),
            (
                "az://acme/x",
                &[(IDENTITY, "acme.example/landfall")],
                false,
                "expected `<directory id>/<client id>`",
            ),
            (
                "az://acme/x",
                &[(
                    IDENTITY,
                    "login.example.com/5a0e0000-0000-4000-8000-0000000000bb/3f2c0000-0000-4000-8000-000000000001",
                )],
                false,
                "expected `<directory",
            ),
            ("s3://acme", &[(IDENTITY, ROLE), (TOKENS, HERE)], false, "LANDFALL_STORE_TOKENS: is for tests"),
            (
                "s3://acme",
                &[(IDENTITY, ROLE), (TOKENS, "https://sts.example.com")],
                true,
                "is not on this machine",
            ),
            ("s3://acme", &[(IDENTITY, ROLE)], true, "LANDFALL_STORE_TOKENS: is not set"),
            ("s3://acme", &[(IDENTITY, ROLE), (TOKENS, HERE)], true, "LANDFALL_STORE_ENDPOINT: is not set"),
        ];
        for (address, environment, loopback, expected) in table {
            let said = read(address, environment, loopback).unwrap_err();
            assert!(said.contains(expected), "{environment:?}: {said}");
            assert_eq!(said.lines().count(), 1);
        }
    }
}
