//! `federation` on Google Cloud: workload identity pools and the OIDC providers in them, row G26. `federation/pools/<pool>`, and
//! `federation/providers/<pool>/<provider>`.
//!
//! A deleted pool or provider stays for thirty days, in which its name can't be used again: what is asked is brought back.
//! <https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers>
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::federation::{Issuer, OnGcp, Settings};
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed};
use landfall_model::plan::{Change, ChangeId, Deed};

use super::{Gcp, absent, json, reported, seen, unasked};
use crate::client::service::IAM;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::Federation;

pub(super) struct Federation;

/// What people read of what Landfall made.
const DESCRIPTION: &str = "Made by Landfall, as the manifest asks.";

const POOLS: &str = "pools/";
const PROVIDERS: &str = "providers/";

/// What a pool or a provider is.
const ACTIVE: &str = "ACTIVE";
const DELETED: &str = "DELETED";

/// How the modes of pools end that hold no providers: `TRUST_DOMAIN` and Google's own.
const TRUST_DOMAIN: &str = "TRUST_DOMAIN";

/// A pool, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Pool {
    #[serde(deserialize_with = "super::or_default", skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(deserialize_with = "super::or_default")]
    disabled: bool,
    /// Kept where it is one that holds no providers.
    #[serde(deserialize_with = "super::or_default", skip_serializing_if = "String::is_empty")]
    mode: String,
}

impl Pool {
    fn asked() -> Self {
        Pool { state: ACTIVE.to_owned(), ..Pool::default() }
    }
}

/// A provider: whom it lets in, in Google's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Provider {
    #[serde(deserialize_with = "super::or_default", skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(deserialize_with = "super::or_default")]
    disabled: bool,
    #[serde(deserialize_with = "super::or_default")]
    attribute_mapping: BTreeMap<String, String>,
    #[serde(deserialize_with = "super::or_default")]
    attribute_condition: String,
    /// Nothing where the provider is of another kind.
    oidc: Option<Oidc>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Oidc {
    #[serde(deserialize_with = "super::or_default")]
    issuer_uri: String,
    #[serde(deserialize_with = "super::or_default")]
    allowed_audiences: BTreeSet<String>,
    /// Keys that somebody uploaded, by which tokens are told to be true instead of the issuer's own.
    #[serde(deserialize_with = "super::or_default", skip_serializing_if = "String::is_empty")]
    jwks_json: String,
    /// Where the issuer's keys are looked for, where that is not the usual place.
    #[serde(deserialize_with = "super::or_default", skip_serializing_if = "String::is_empty")]
    discovery_uri: String,
}

impl Provider {
    fn asked(issuer: &Issuer, gcp: &OnGcp) -> Self {
        Provider {
            state: ACTIVE.to_owned(),
            disabled: false,
            attribute_mapping: gcp.mapping.clone(),
            attribute_condition: gcp.condition.clone().unwrap_or_default(),
            oidc: Some(Oidc {
                issuer_uri: issuer.issuer.clone(),
                allowed_audiences: gcp.audiences.clone(),
                ..Oidc::default()
            }),
        }
    }

    /// How it differs from what is asked, for people.
    fn differs(&self, asked: &Provider) -> Vec<String> {
        let Provider { state: _, disabled, attribute_mapping, attribute_condition, oidc } = self;
        let (oidc, wanted) = (oidc.clone().unwrap_or_default(), asked.oidc.clone().unwrap_or_default());
        let listed = |audiences: &BTreeSet<String>| match audiences.is_empty() {
            true => "the provider itself".to_owned(),
            false => audiences.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "),
        };
        let mut why = Vec::new();
        if *disabled {
            why.push("it is disabled".to_owned());
        }
        if oidc.issuer_uri != wanted.issuer_uri {
            why.push(format!("its issuer is `{}`", oidc.issuer_uri));
        }
        if oidc.allowed_audiences != wanted.allowed_audiences {
            why.push(format!("it takes tokens for {}", listed(&oidc.allowed_audiences)));
        }
        if *attribute_condition != asked.attribute_condition {
            why.push(match attribute_condition.as_str() {
                "" => "it has no condition".to_owned(),
                other => format!("its condition is `{other}`"),
            });
        }
        if *attribute_mapping != asked.attribute_mapping {
            why.push("its attributes are mapped otherwise".to_owned());
        }
        if !oidc.jwks_json.is_empty() {
            why.push("it goes by keys that somebody uploaded".to_owned());
        }
        if !oidc.discovery_uri.is_empty() {
            why.push(format!("it looks for keys at `{}`", oidc.discovery_uri));
        }
        why
    }
}

/// A provider's pool, which has its name where none is named.
fn pool<'a>(name: &'a str, gcp: &'a OnGcp) -> &'a str {
    gcp.pool.as_deref().unwrap_or(name)
}

/// What is asked: each provider with its pool and its name.
fn asked(want: &Settings) -> impl Iterator<Item = (&str, &str, Provider)> {
    want.issuers().filter_map(|(name, issuer)| {
        let gcp = issuer.gcp.as_ref()?;
        Some((pool(name, gcp), name.as_str(), Provider::asked(issuer, gcp)))
    })
}

fn of_pool(pool: &str) -> Address {
    Address::global(KIND, format!("{POOLS}{pool}"))
}

fn of_provider(pool: &str, provider: &str) -> Address {
    Address::global(KIND, format!("{PROVIDERS}{pool}/{provider}"))
}

/// Providers that Landfall made and that nobody asks for any more.
fn withdrawn(want: &Settings, desired: &Desired) -> Vec<Address> {
    let asked: BTreeSet<Address> = asked(want).map(|(pool, name, _)| of_provider(pool, name)).collect();
    let made = desired.record.made.iter();
    let made = made.filter(|address| address.control == KIND && address.resource.starts_with(PROVIDERS));
    made.filter(|address| !asked.contains(address)).cloned().collect()
}

/// Where the thing is, and below which list and by which parameter it is made.
fn place(session: &Session, address: &Address) -> (String, String) {
    let pools = format!("projects/{}/locations/global/workloadIdentityPools", session.project);
    match address.resource.strip_prefix(PROVIDERS).and_then(|rest| rest.split_once('/')) {
        Some((pool, provider)) => {
            let list = format!("{pools}/{pool}/providers");
            (format!("{list}/{provider}"), format!("{list}?workloadIdentityPoolProviderId={provider}"))
        }
        None => {
            let pool = address.resource.strip_prefix(POOLS).unwrap_or_default();
            (format!("{pools}/{pool}"), format!("{pools}?workloadIdentityPoolId={pool}"))
        }
    }
}

/// The masks of what a change writes. Of `oidc` only what is asked or was found wrong is named.
fn mask(change: &Change) -> String {
    let mut mask = vec!["disabled"];
    if change.address.resource.starts_with(PROVIDERS) {
        mask.extend(["attributeMapping", "attributeCondition", "oidc.issuerUri", "oidc.allowedAudiences"]);
        let there = |name: &str| change.before.as_ref().and_then(|before| before.pointer(name)).is_some();
        mask.extend(there("/oidc/jwksJson").then_some("oidc.jwksJson"));
        mask.extend(there("/oidc/discoveryUri").then_some("oidc.discoveryUri"));
    }
    mask.join(",")
}

/// What is sent: whether it is there at all is for Google to say.
fn body(change: &Change) -> Map<String, Value> {
    let mut body = change.after.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    body.remove("state");
    body
}

async fn state(session: &Session, path: &str) -> Result<Option<String>, CallError> {
    match session.client.get(&IAM, path).await {
        Ok(reply) => Ok(Some(reply.json::<Pool>()?.state)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Control for Federation {
    const KIND: ControlKind = KIND;
    /// What is brought back, or taken away, is looked at once more: neither may be done twice.
    const PERMISSIONS: Permissions = Permissions {
        read: &["iam.workloadIdentityPoolProviders.get", "iam.workloadIdentityPools.get"],
        write: &[
            // IAM's operations have a permission of their own, which the roles for what they make do not hold:
            // <https://cloud.google.com/iam/docs/audit-logging>, `google.longrunning.Operations`.
            "iam.operations.get",
            "iam.workloadIdentityPoolProviders.create",
            "iam.workloadIdentityPoolProviders.delete",
            "iam.workloadIdentityPoolProviders.get",
            "iam.workloadIdentityPoolProviders.undelete",
            "iam.workloadIdentityPoolProviders.update",
            "iam.workloadIdentityPools.create",
            "iam.workloadIdentityPools.get",
            "iam.workloadIdentityPools.undelete",
            "iam.workloadIdentityPools.update",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let asked = asked(want).flat_map(|(pool, name, _)| [of_pool(pool), of_provider(pool, name)]);
        let all: BTreeSet<Address> = asked.chain(withdrawn(want, desired)).collect();
        all.into_iter().collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let (path, _) = place(session, at);
        match session.client.get(&IAM, &path).await {
            Ok(reply) if at.resource.starts_with(PROVIDERS) => Ok(seen(&reply, &reply.json::<Provider>()?)),
            Ok(reply) => {
                let mut pool = reply.json::<Pool>()?;
                pool.mode = Some(pool.mode).filter(|mode| mode.ends_with(TRUST_DOMAIN)).unwrap_or_default();
                Ok(seen(&reply, &pool))
            }
            Err(error) if error.is_not_found() => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let client = &session.client;
        let (path, list) = place(session, &change.address);
        let mut body = body(change);
        let patched = format!("{path}?updateMask={}", mask(change));
        match change.verb.as_str() {
            "create" => {
                let name = path.rsplit('/').next().unwrap_or_default();
                body.insert("displayName".to_owned(), json!(name));
                body.insert("description".to_owned(), json!(DESCRIPTION));
                match client.post(&IAM, &list, &Value::Object(body)).await {
                    Err(error) if error.is_there_already() => {}
                    other => drop(client.finish(other?).await?),
                }
            }
            "update" => drop(client.finish(client.patch(&IAM, &patched, &Value::Object(body)).await?).await?),
            "restore" => {
                if state(session, &path).await?.as_deref() == Some(DELETED) {
                    let reply = client.post(&IAM, &format!("{path}:undelete"), &json!({})).await?;
                    client.finish(reply).await?;
                }
                client.finish(client.patch(&IAM, &patched, &Value::Object(body)).await?).await?;
            }
            "delete" => {
                if state(session, &path).await?.is_some_and(|state| state != DELETED)
                    && let Some(reply) = client.delete(&IAM, &path).await?
                {
                    client.finish(reply).await?;
                }
            }
            // INVARIANT: the changes are ours.
            _ => return Err(CallError::NothingToWrite(KIND)),
        }
        Ok(Value::Null)
    }
}

impl Judge for Federation {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut judgements = Vec::new();
        // A provider's change waits for that of its pool.
        let mut first: BTreeMap<&str, ChangeId> = BTreeMap::new();
        let pools: BTreeSet<&str> = asked(want).map(|(pool, _, _)| pool).collect();
        for pool in pools {
            let address = of_pool(pool);
            let judgement =
                Judgement::of(KIND, &address, observed, |there| compare_pool(pool, &address, there));
            if let Verdict::Fails { changes, .. } = &judgement.verdict {
                first.extend(changes.first().map(|change| (pool, change.id.clone())));
            }
            judgements.push(judgement);
        }
        for (pool, name, asked) in asked(want) {
            let address = of_provider(pool, name);
            judgements.push(Judgement::of(KIND, &address, observed, |there| {
                compare_provider(name, &asked, &address, there, first.get(pool))
            }));
        }
        for address in withdrawn(want, desired) {
            judgements
                .push(Judgement::of(KIND, &address, observed, |there| compare_withdrawn(&address, there)));
        }
        if judgements.is_empty() {
            judgements.push(unasked(KIND, "control", "no identity provider is asked of Google Cloud"));
        }
        judgements
    }
}

fn compare_pool(pool: &str, address: &Address, there: Option<&Value>) -> Verdict {
    let (verb, deed, why) = match kept::<Pool>(there) {
        Err(unknown) => return unknown,
        Ok(None) => ("create", Deed::Create, format!("there is no pool `{pool}`")),
        Ok(Some(Pool { state, .. })) if state == DELETED => {
            let why = format!("the pool `{pool}` was deleted; what else is in it comes back with it");
            ("restore", Deed::Update, why)
        }
        Ok(Some(Pool { mode, .. })) if !mode.is_empty() => {
            return reported(format!(
                "the pool `{pool}` is for workloads of Google Cloud (`{mode}`) and takes no providers: name another one"
            ));
        }
        Ok(Some(Pool { disabled: true, .. })) => {
            ("update", Deed::Update, format!("the pool `{pool}` is disabled"))
        }
        Ok(Some(_)) => return Verdict::Holds,
    };
    Verdict::fails(Change::new(address, verb, deed, why).before(there.cloned()).after(json(&Pool::asked())))
}

fn compare_provider(
    name: &str,
    asked: &Provider,
    address: &Address,
    there: Option<&Value>,
    first: Option<&ChangeId>,
) -> Verdict {
    let (verb, deed, why) = match kept::<Provider>(there) {
        Err(unknown) => return unknown,
        Ok(None) => ("create", Deed::Create, format!("there is no provider `{name}`")),
        // Its kind can't be changed.
        Ok(Some(Provider { oidc: None, .. })) => {
            return reported(format!(
                "the provider `{name}` is not one of OpenID Connect: give yours another name, or take it away"
            ));
        }
        Ok(Some(there)) => {
            let differs = there.differs(asked);
            match (there.state == DELETED, differs.is_empty()) {
                (true, _) => ("restore", Deed::Update, format!("the provider `{name}` was deleted")),
                (false, true) => return Verdict::Holds,
                (false, false) => {
                    let why = format!("the provider `{name}` is not as asked: {}", differs.join("; "));
                    ("update", Deed::Update, why)
                }
            }
        }
    };
    let mut change = Change::new(address, verb, deed, why).before(there.cloned()).after(json(asked));
    change.needs.extend(first.cloned());
    Verdict::fails(change)
}

fn compare_withdrawn(address: &Address, there: Option<&Value>) -> Verdict {
    let name = address.resource.rsplit('/').next().unwrap_or_default();
    match kept::<Provider>(there) {
        Err(unknown) => unknown,
        // Trust that nobody asks for any more is taken at once, as `access` does.
        Ok(Some(provider)) if provider.state != DELETED => Verdict::fails(
            Change::new(
                address,
                "delete",
                Deed::Delete,
                format!("nobody asks any more that the provider `{name}` is trusted"),
            )
            .before(there.cloned()),
        ),
        Ok(_) => {
            Verdict::NotApplicable { why: format!("the provider `{name}` is no longer asked, and gone") }
        }
    }
}

#[cfg(test)]
mod tests;
