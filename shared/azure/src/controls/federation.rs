//! `federation` on Azure: federated credentials of user-assigned identities, rows Z26 and Z22. `federation/resource-groups/<group>`,
//! `federation/identities/<group>/<identity>`, and `federation/credentials/<group>/<identity>/<credential>` for each subject.
//!
//! A credential of ours is named by what it trusts, so that each name has one meaning and nobody has to look one up.
//!
//! <https://learn.microsoft.com/rest/api/managedidentity/federated-identity-credentials>,
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::federation::{OnAzure, Settings};
use landfall_model::desired::{Desired, Standing};
use landfall_model::id::Digest;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::registration::part;
use super::{Azure, absent, ground, json, lifted, quarantine_gate, registration, reported, seen, unasked};
use crate::client::service::{IDENTITIES, RESOURCES};
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::Federation;

pub(super) struct Federation;

const GROUPS: &str = "resource-groups";
const ACCOUNTS: &str = "identities";
const CREDENTIALS: &str = "credentials";

/// What the names of our credentials begin with.
const OURS: &str = "landfall-";

/// A resource group or an identity, which stays wherever it once was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Located {
    #[serde(default, deserialize_with = "super::or_default")]
    location: String,
}

/// Whom a credential lets in, in Azure's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Trust {
    #[serde(default, deserialize_with = "super::or_default")]
    issuer: String,
    #[serde(default, deserialize_with = "super::or_default")]
    subject: String,
    #[serde(default, deserialize_with = "super::or_default")]
    audiences: BTreeSet<String>,
}

/// A credential: ours by its name, or one of others that lets in the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Credential {
    name: String,
    #[serde(flatten)]
    trust: Trust,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "super::or_default")]
    name: String,
    properties: Trust,
}

impl Trust {
    /// The name of the credential that is made for it.
    fn name(&self) -> String {
        let Trust { issuer, subject, audiences: _ } = self;
        format!("{OURS}{}", Digest::of(format!("{issuer}\n{subject}").as_bytes()).short())
    }

    /// Azure lets each pair of an issuer and a subject be there once.
    fn is_about_the_same(&self, other: &Trust) -> bool {
        self.issuer == other.issuer && self.subject == other.subject
    }
}

/// What is asked of an identity.
#[derive(Debug, Default)]
struct Identity {
    location: Option<String>,
    trusts: BTreeMap<String, Trust>,
}

/// What is asked, by resource group and identity.
fn identities(want: &Settings) -> BTreeMap<(&str, &str), Identity> {
    let mut all: BTreeMap<(&str, &str), Identity> = BTreeMap::new();
    for (_, one) in want.issuers() {
        let Some(OnAzure { identity, resource_group, subjects, audience, location }) = &one.azure else {
            continue;
        };
        // Azure does not tell upper from lower case in names.
        let same = |(group, name): &(&str, &str)| {
            group.eq_ignore_ascii_case(resource_group) && name.eq_ignore_ascii_case(identity)
        };
        let key = all.keys().copied().find(same).unwrap_or((resource_group, identity));
        let asked = all.entry(key).or_default();
        asked.location = asked.location.take().or_else(|| location.clone());
        for subject in subjects {
            let audiences = BTreeSet::from([audience.clone()]);
            let trust = Trust { issuer: one.issuer.clone(), subject: subject.clone(), audiences };
            // It takes one audience: of two that are asked, the first holds.
            asked.trusts.entry(trust.name()).or_insert(trust);
        }
    }
    all
}

fn address(of: &str, rest: &[&str]) -> Address {
    Address::global(KIND, [&[of], rest].concat().join("/"))
}

fn creation(address: &Address) -> ChangeId {
    ChangeId(format!("{address}#create"))
}

/// Every credential that is asked.
fn asked(want: &Settings) -> BTreeMap<Address, Trust> {
    let of = |((group, identity), asked): ((&str, &str), Identity)| {
        let at = move |name: &str| address(CREDENTIALS, &[group, identity, name]);
        asked.trusts.into_iter().map(move |(name, trust)| (at(&name), trust)).collect::<Vec<_>>()
    };
    identities(want).into_iter().flat_map(of).collect()
}

/// Credentials that Landfall made and that nobody asks for any more.
fn withdrawn(want: &Settings, desired: &Desired) -> Vec<Address> {
    let asked: BTreeSet<String> =
        asked(want).keys().map(|address| address.resource.to_ascii_lowercase()).collect();
    let made = desired.record.made.iter().filter(|address| address.control == KIND);
    let made = made.filter(|address| parts(address).0 == CREDENTIALS);
    made.filter(|address| !asked.contains(&address.resource.to_ascii_lowercase())).cloned().collect()
}

/// What it is, the resource group, the identity and the credential.
fn parts(address: &Address) -> (&str, &str, &str, &str) {
    let mut parts = address.resource.splitn(4, '/').chain(std::iter::repeat(""));
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next(), next())
}

fn group_id(session: &Session, group: &str) -> String {
    format!("{}/resourceGroups/{}", session.scope(), part(group))
}

fn identity_id(session: &Session, group: &str, identity: &str) -> String {
    let group = group_id(session, group);
    format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", part(identity))
}

fn credentials_id(session: &Session, group: &str, identity: &str) -> String {
    format!("{}/federatedIdentityCredentials", identity_id(session, group, identity))
}

#[async_trait]
impl Control for Federation {
    const KIND: ControlKind = KIND;
    /// The first identity in a subscription registers its resource provider there; what is taken away may be behind a lock of ours.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
            "Microsoft.ManagedIdentity/userAssignedIdentities/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        write: &[
            "Microsoft.Authorization/locks/delete",
            "Microsoft.Authorization/locks/read",
            "Microsoft.Authorization/locks/write",
            "Microsoft.ManagedIdentity/register/action",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
            "Microsoft.ManagedIdentity/userAssignedIdentities/write",
            "Microsoft.Resources/subscriptions/providers/read",
            "Microsoft.Resources/subscriptions/resourceGroups/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let identities = identities(want);
        let homes = identities
            .keys()
            .flat_map(|(group, identity)| [address(GROUPS, &[group]), address(ACCOUNTS, &[group, identity])]);
        let all: BTreeSet<Address> =
            homes.chain(asked(want).into_keys()).chain(withdrawn(want, desired)).collect();
        all.into_iter().collect()
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let (what, group, identity, name) = parts(at);
        let looked = match what {
            GROUPS => session.client.get(&RESOURCES, &group_id(session, group)).await,
            ACCOUNTS => session.client.get(&IDENTITIES, &identity_id(session, group, identity)).await,
            _ => {
                let want = desired.asked(KIND).and_then(|asked| asked.want::<Settings>().ok());
                let wanted = want.and_then(|want| asked(&want).remove(at)).unwrap_or_default();
                return credential(session, (group, identity, name), &wanted).await;
            }
        };
        match looked {
            Ok(reply) => Ok(seen(&reply, &reply.json::<Located>()?)),
            Err(error) if error.is_not_found() || registration::is_missing(&error) => Ok(absent(&error)),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let (what, group, identity, name) = parts(&change.address);
        let after = change.after.clone().unwrap_or_default();
        let credential = format!("{}/{}", credentials_id(session, group, identity), part(name));
        match (what, change.verb.as_str()) {
            (GROUPS, "create") => {
                registration::put(session, &RESOURCES, &group_id(session, group), &after).await?;
            }
            (ACCOUNTS, "create") => {
                let id = identity_id(session, group, identity);
                registration::put(session, &IDENTITIES, &id, &after).await?;
            }
            (CREDENTIALS, "create" | "update") => {
                let trust: Trust = serde_json::from_value(after).unwrap_or_default();
                let body = json!({"properties": trust});
                registration::put(session, &IDENTITIES, &credential, &body).await?;
            }
            (CREDENTIALS, "delete") => lifted::delete(session, &IDENTITIES, &credential).await?,
            // INVARIANT: the changes are ours.
            _ => return Err(CallError::NothingToWrite(KIND)),
        }
        Ok(Value::Null)
    }
}

/// The credential of this name, or one of others that lets in the same: Azure takes no second one.
async fn credential(
    session: &Session,
    (group, identity, name): (&str, &str, &str),
    wanted: &Trust,
) -> Result<Sighting, CallError> {
    let list = credentials_id(session, group, identity);
    let (reply, all) = match session.client.list(&IDENTITIES, &list).await {
        Ok(answer) => answer,
        Err(error) if error.is_not_found() || registration::is_missing(&error) => return Ok(absent(&error)),
        Err(error) => return Err(error),
    };
    let mut found: Option<Credential> = None;
    for value in all {
        let Answer { name: there, properties: trust } =
            serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        let ours = there.eq_ignore_ascii_case(name);
        if ours || (found.is_none() && trust.is_about_the_same(wanted)) {
            let name = if ours { name.to_owned() } else { there };
            found = Some(Credential { name, trust });
        }
        if ours {
            break;
        }
    }
    Ok(match found {
        Some(credential) => seen(&reply, &credential),
        None => super::nothing(&reply),
    })
}

impl Judge for Federation {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let mut judgements = Vec::new();
        let mut groups = BTreeSet::new();
        let governed = ground(desired).and_then(|ground| ground.locations.first()).map(ToString::to_string);
        let says = |address: &Address, judge: &dyn Fn(Option<&Value>) -> Verdict| {
            Judgement::of(KIND, address, observed, |there| in_time(desired, judge(there)))
        };
        let missing = |address: &Address| observed.seen(address) == Seen::Absent;
        for ((group, identity), asked) in identities(want) {
            let location = asked.location.clone().or_else(|| governed.clone());
            let (home, at) = (address(GROUPS, &[group]), address(ACCOUNTS, &[group, identity]));
            if groups.insert(group.to_ascii_lowercase()) {
                let what = format!("resource group `{group}`");
                judgements
                    .push(says(&home, &|there| compare_located(&what, &home, there, location.as_deref())));
            }
            let what = format!("identity `{identity}`");
            let mut judgement = says(&at, &|there| compare_located(&what, &at, there, location.as_deref()));
            wait_for(&mut judgement, missing(&home).then(|| creation(&home)));
            judgements.push(judgement);
            for (name, trust) in &asked.trusts {
                let credential = address(CREDENTIALS, &[group, identity, name]);
                let mut judgement = says(&credential, &|there| compare(name, trust, &credential, there));
                wait_for(&mut judgement, missing(&at).then(|| creation(&at)));
                judgements.push(judgement);
            }
        }
        for address in withdrawn(want, desired) {
            judgements
                .push(Judgement::of(KIND, &address, observed, |there| compare_withdrawn(&address, there)));
        }
        if judgements.is_empty() {
            judgements.push(unasked(KIND, "control", "no identity provider is asked of Azure"));
        }
        judgements
    }
}

/// The changes wait for the making of what they are made in.
fn wait_for(judgement: &mut Judgement, made_first: Option<ChangeId>) {
    if let Verdict::Fails { changes, .. } | Verdict::Due { changes, .. } = &mut judgement.verdict {
        for change in changes {
            change.needs.extend(made_first.clone());
        }
    }
}

/// The gate denies identities and who may become them: a new subscription gets them when it is open.
fn in_time(desired: &Desired, verdict: Verdict) -> Verdict {
    let Verdict::Fails { why, changes } = verdict else { return verdict };
    let opening = |change: Change| change.at(Stage::Open);
    if !desired.standing.before_handover() {
        // A run that was cut may have left the gate closed: it opens before this.
        let changes = changes.into_iter().map(opening).collect();
        return Verdict::Fails { why, changes };
    }
    let why = format!("nobody from elsewhere is trusted before the gate is open: {why}");
    let changes = match desired.standing == Standing::Waiting {
        true => Vec::new(),
        false => {
            changes.into_iter().map(opening).map(|change| change.needs(&quarantine_gate::opening())).collect()
        }
    };
    Verdict::Due { why, changes }
}

fn compare_located(what: &str, at: &Address, there: Option<&Value>, location: Option<&str>) -> Verdict {
    if there.is_some() {
        return Verdict::Holds;
    }
    let why = format!("there is no {what}");
    let Some(location) = location else {
        return reported(format!("{why}, and no location to make it in"));
    };
    let after = json(&Located { location: location.to_owned() });
    Verdict::fails(Change::new(at, "create", Deed::Create, why).after(after))
}

fn compare(name: &str, trust: &Trust, at: &Address, there: Option<&Value>) -> Verdict {
    let Trust { issuer, subject, audiences } = trust;
    let whom = format!("`{subject}` of `{issuer}`");
    let (verb, deed, why) = match kept::<Credential>(there) {
        Err(unknown) => return unknown,
        Ok(None) => ("create", Deed::Create, format!("{whom} is not let in")),
        Ok(Some(there)) if there.trust == *trust => return Verdict::Holds,
        Ok(Some(there)) if there.name != name => {
            return reported(format!(
                "the credential `{}` of others lets {whom} in for {}, and not for {}; Azure takes no second one",
                there.name,
                listed(&there.trust.audiences),
                listed(audiences)
            ));
        }
        Ok(Some(Credential { trust: there, .. })) => {
            let mut why = Vec::new();
            if !there.is_about_the_same(trust) {
                why.push(format!("lets in `{}` of `{}` instead of {whom}", there.subject, there.issuer));
            }
            if there.audiences != *audiences {
                why.push(format!("takes tokens for {}", listed(&there.audiences)));
            }
            ("update", Deed::Update, format!("the credential `{name}` {}", why.join(" and ")))
        }
    };
    let after = Credential { name: name.to_owned(), trust: trust.clone() };
    Verdict::fails(Change::new(at, verb, deed, why).before(there.cloned()).after(json(&after)))
}

fn listed(audiences: &BTreeSet<String>) -> String {
    audiences.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

fn compare_withdrawn(at: &Address, there: Option<&Value>) -> Verdict {
    let (_, _, identity, name) = parts(at);
    match kept::<Credential>(there) {
        Err(unknown) => unknown,
        // Trust that nobody asks for any more is taken at once, as `access` does.
        Ok(Some(Credential { trust: Trust { issuer, subject, .. }, .. })) => Verdict::fails(
            Change::new(
                at,
                "delete",
                Deed::Delete,
                format!("nobody asks any more that `{subject}` of `{issuer}` becomes `{identity}`"),
            )
            .before(there.cloned()),
        ),
        Ok(None) => {
            Verdict::NotApplicable { why: format!("the credential `{name}` is no longer asked, and gone") }
        }
    }
}

#[cfg(test)]
mod tests;
