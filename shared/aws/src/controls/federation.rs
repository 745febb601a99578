//! `federation` on AWS: IAM's OIDC and SAML providers, rows A29 and A30. `federation/oidc/<issuer without its scheme>`, by which AWS
//! names it too, and `federation/saml/<name>`.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html>: thumbprints are optional. IAM goes by its
//! own library of certificate authorities, and finds a thumbprint itself where the issuer's is none of them; so nothing is sent, and
//! what is there stays. An update of the list of audiences does not exist: they are added and taken out one by one.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::federation::Settings;
use landfall_model::desired::{Desired, Standing};
use landfall_model::id::Digest;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, Deed};

use super::{Aws, absent, done, json, seen, unasked};
use crate::client::service::IAM;
use crate::endpoint::Partition;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::Federation;

pub(super) struct Federation;

const OIDC: &str = "oidc/";
const SAML: &str = "saml/";

/// Whom an OIDC provider's tokens have to be for, in AWS's own name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Audiences {
    #[serde(rename = "ClientIDList")]
    list: BTreeSet<String>,
}

/// Which metadata document a SAML provider has. It may be megabytes long, so that plans carry its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Metadata {
    digest: String,
}

impl Metadata {
    /// Blanks and line ends mean nothing between its elements, and clients change them.
    fn of(document: &str) -> Self {
        let plain = document.split_whitespace().collect::<Vec<_>>().join(" ");
        Metadata { digest: Digest::of(plain.as_bytes()).to_string() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OidcAnswer {
    #[serde(rename = "GetOpenIDConnectProviderResult")]
    result: OidcBody,
}

#[derive(Deserialize)]
struct OidcBody {
    #[serde(rename = "ClientIDList", default)]
    list: Members,
}

#[derive(Default, Deserialize)]
struct Members {
    #[serde(default)]
    member: BTreeSet<String>,
}

#[derive(Deserialize)]
struct SamlAnswer {
    #[serde(rename = "GetSAMLProviderResult")]
    result: SamlBody,
}

#[derive(Deserialize)]
struct SamlBody {
    #[serde(rename = "SAMLMetadataDocument", default)]
    document: String,
}

/// An issuer as AWS names it.
fn named(issuer: &str) -> &str {
    issuer.strip_prefix("https://").unwrap_or(issuer)
}

/// The audiences of each issuer: an account has one provider for it, whoever asks.
fn issuers(want: &Settings) -> BTreeMap<Address, Audiences> {
    let mut all: BTreeMap<Address, Audiences> = BTreeMap::new();
    for (_, issuer) in want.issuers() {
        if let Some(aws) = &issuer.aws {
            let address = Address::global(KIND, format!("{OIDC}{}", named(&issuer.issuer)));
            all.entry(address).or_default().list.extend(aws.audiences.iter().cloned());
        }
    }
    all
}

fn documents(want: &Settings) -> BTreeMap<Address, &str> {
    let all = want.saml();
    all.map(|(name, saml)| (Address::global(KIND, format!("{SAML}{name}")), saml.metadata.as_str())).collect()
}

/// Providers that Landfall made and that nobody asks for any more.
fn withdrawn(want: &Settings, desired: &Desired) -> Vec<Address> {
    let (issuers, documents) = (issuers(want), documents(want));
    let made = desired.record.made.iter().filter(|address| address.control == KIND);
    made.filter(|address| !issuers.contains_key(address) && !documents.contains_key(address))
        .cloned()
        .collect()
}

/// The provider's ARN. Its name says which kind of provider it is.
fn arn(session: &Session, address: &Address) -> (&'static str, String) {
    let partition = Partition::of_region(session.home()).id;
    let of = |kind: &str, name: &str| format!("arn:{partition}:iam::{}:{kind}/{name}", session.account);
    match address.resource.strip_prefix(SAML) {
        Some(name) => ("SAMLProviderArn", of("saml-provider", name)),
        None => {
            let name = address.resource.strip_prefix(OIDC).unwrap_or_default();
            ("OpenIDConnectProviderArn", of("oidc-provider", name))
        }
    }
}

fn audiences(value: Option<&Value>) -> BTreeSet<String> {
    // INVARIANT: what changes carry is ours.
    value.and_then(|value| serde_json::from_value::<Audiences>(value.clone()).ok()).unwrap_or_default().list
}

#[async_trait]
impl Control for Federation {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &["iam:GetOpenIDConnectProvider", "iam:GetSAMLProvider"],
        write: &[
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:CreateOpenIDConnectProvider",
            "iam:CreateSAMLProvider",
            "iam:DeleteOpenIDConnectProvider",
            "iam:DeleteSAMLProvider",
            "iam:RemoveClientIDFromOpenIDConnectProvider",
            "iam:UpdateSAMLProvider",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let asked = issuers(want).into_keys().chain(documents(want).into_keys());
        let all: BTreeSet<Address> = asked.chain(withdrawn(want, desired)).collect();
        all.into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let is_saml = at.resource.starts_with(SAML);
        let operation = if is_saml { "GetSAMLProvider" } else { "GetOpenIDConnectProvider" };
        let params = [arn(session, at)];
        match session.tenant.query(&IAM, session.home(), operation, &params).await {
            Ok(reply) if is_saml => {
                let SamlAnswer { result } = reply.xml()?;
                Ok(seen(&reply, &Metadata::of(&result.document)))
            }
            Ok(reply) => {
                let OidcAnswer { result } = reply.xml()?;
                Ok(seen(&reply, &Audiences { list: result.list.member }))
            }
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let call = async |operation: &'static str, params: &[(&str, String)], already: &[&str]| {
            done(session.tenant.query(&IAM, session.home(), operation, params).await, already)
        };
        let (named, arn) = arn(session, &change.address);
        let this = (named, arn);
        let document = || change.with.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let document = || ("SAMLMetadataDocument", document());
        // Whoever was faster: the next run judges what they made.
        const THERE: &[&str] = &["EntityAlreadyExists"];
        const GONE: &[&str] = &["NoSuchEntity"];
        match (change.verb.as_str(), change.address.resource.split_once('/')) {
            ("create", Some(("saml", name))) => {
                call("CreateSAMLProvider", &[("Name", name.to_owned()), document()], THERE).await?;
            }
            ("update", Some(("saml", _))) => call("UpdateSAMLProvider", &[this, document()], &[]).await?,
            ("delete", Some(("saml", _))) => call("DeleteSAMLProvider", &[this], GONE).await?,
            ("create", Some(("oidc", issuer))) => {
                let list = audiences(change.after.as_ref());
                let names: Vec<String> =
                    (1..=list.len()).map(|number| format!("ClientIDList.member.{number}")).collect();
                let mut params = vec![("Url", format!("https://{issuer}"))];
                params.extend(names.iter().map(String::as_str).zip(list));
                call("CreateOpenIDConnectProvider", &params, THERE).await?;
            }
            ("update", Some(("oidc", _))) => {
                let (before, after) = (audiences(change.before.as_ref()), audiences(change.after.as_ref()));
                // Those that are wanted first: whoever signs in by one of them is never kept out.
                for one in after.difference(&before) {
                    let params = [this.clone(), ("ClientID", one.clone())];
                    call("AddClientIDToOpenIDConnectProvider", &params, &[]).await?;
                }
                for one in before.difference(&after) {
                    let params = [this.clone(), ("ClientID", one.clone())];
                    call("RemoveClientIDFromOpenIDConnectProvider", &params, &[]).await?;
                }
            }
            ("delete", Some(("oidc", _))) => call("DeleteOpenIDConnectProvider", &[this], GONE).await?,
            // INVARIANT: the changes are ours.
            _ => return Err(CallError::NothingToWrite(KIND)),
        }
        Ok(Value::Null)
    }
}

impl Judge for Federation {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut judgements = Vec::new();
        for (address, asked) in &issuers(want) {
            judgements.push(Judgement::of(KIND, address, observed, |there| {
                compare_issuer(asked, &desired.standing, address, there)
            }));
        }
        for (address, document) in documents(want) {
            judgements.push(Judgement::of(KIND, &address, observed, |there| {
                compare_saml(document, &address, there)
            }));
        }
        for address in withdrawn(want, desired) {
            judgements
                .push(Judgement::of(KIND, &address, observed, |there| compare_withdrawn(&address, there)));
        }
        if judgements.is_empty() {
            judgements.push(unasked(KIND, "control", "no identity provider is asked of AWS"));
        }
        judgements
    }
}

fn listed<'a>(audiences: impl Iterator<Item = &'a String>) -> String {
    audiences.map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

fn compare_issuer(
    asked: &Audiences,
    standing: &Standing,
    address: &Address,
    there: Option<&Value>,
) -> Verdict {
    let issuer = address.resource.strip_prefix(OIDC).unwrap_or_default();
    let change = |verb: &str, deed: Deed, why: String| {
        Change::new(address, verb, deed, why).before(there.cloned()).after(json(asked))
    };
    let there = match kept::<Audiences>(there) {
        Err(unknown) => return unknown,
        Ok(None) => {
            return Verdict::fails(change("create", Deed::Create, format!("`{issuer}` is not trusted")));
        }
        Ok(Some(there)) if there == *asked => return Verdict::Holds,
        Ok(Some(there)) => there,
    };
    let mut why = Vec::new();
    let (missing, more) = (asked.list.difference(&there.list), there.list.difference(&asked.list));
    let (missing, more) = (listed(missing), listed(more));
    if !missing.is_empty() {
        why.push(format!("tokens of `{issuer}` for {missing} are not taken"));
    }
    if !more.is_empty() {
        why.push(format!("tokens of `{issuer}` for {more} are taken, and nobody asks that"));
    }
    let mut change = change("update", Deed::Update, why.join("; "));
    // Somebody may sign in by it.
    change.loses = !more.is_empty() && *standing == Standing::Adopted;
    Verdict::fails(change)
}

fn compare_saml(document: &str, address: &Address, there: Option<&Value>) -> Verdict {
    let name = address.resource.strip_prefix(SAML).unwrap_or_default();
    let asked = Metadata::of(document);
    let (verb, deed, why) = match kept::<Metadata>(there) {
        Err(unknown) => return unknown,
        Ok(Some(there)) if there == asked => return Verdict::Holds,
        Ok(Some(_)) => {
            ("update", Deed::Update, format!("the SAML provider `{name}` has another metadata document"))
        }
        Ok(None) => ("create", Deed::Create, format!("there is no SAML provider `{name}`")),
    };
    let change = Change::new(address, verb, deed, why).before(there.cloned());
    Verdict::fails(change.after(json(&asked)).with(json!(document)))
}

fn compare_withdrawn(address: &Address, there: Option<&Value>) -> Verdict {
    let (_, name) = address.resource.split_once('/').unwrap_or_default();
    match there {
        // Trust that nobody asks for any more is taken at once, as `access` does.
        Some(_) => Verdict::fails(
            Change::new(
                address,
                "delete",
                Deed::Delete,
                format!("nobody asks any more that `{name}` is trusted"),
            )
            .before(there.cloned()),
        ),
        None => Verdict::NotApplicable { why: format!("`{name}` is no longer to be trusted, and is not") },
    }
}

#[cfg(test)]
mod tests;
