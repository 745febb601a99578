//! What may be believed: a bundle counts when a signed statement says so, and the store remembers which one came last.
//!
//! A statement names an organization, a generation and a digest. The store keeps the newest generation that was followed, so that
//! an older statement, still validly signed, can't turn the organization back; and it keeps whose store it is.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use landfall_model::id::{Digest, Name};
use landfall_model::manifest::bundle::{Bundle, BundleError};
use landfall_model::manifest::statement::{PublicKeys, Refused, SignedStatement, Statement, verify};
use landfall_model::report::Provenance;

use crate::engine::Trusted;
use crate::keys;
use crate::store::{KeyError, Store, StoreError, StoreExt as _};

/// Where a process's calls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// Every endpoint is on this machine: a simulator. Unsigned bundles work, and every report says so.
    Loopback,
    /// Real clouds.
    Real,
}

/// Which bundle the store's functions follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Followed {
    organization: Name,
    generation: u64,
    digest: Digest,
}

/// Where a bundle's statement lies: beside it.
pub fn statement_of(bundle: &str) -> String {
    format!("{}.statement.json", bundle.strip_suffix(".json").unwrap_or(bundle))
}

/// Why a bundle is not followed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It is no bundle.
    #[error("could not read the bundle at `{from}`")]
    Bundle {
        /// Where it was read.
        from: String,
        /// What is wrong with it.
        #[source]
        source: BundleError,
    },
    /// What lies beside it is no statement.
    #[error("could not read the bundle's statement")]
    Statement(#[source] Refused),
    /// Nobody signed it.
    #[error(
        "the bundle `{0}` has no statement: sign it with `landfall sign` and put the statement beside it (unsigned bundles work only where every endpoint is on loopback)"
    )]
    Unsigned(String),
    /// There is a statement, and no key to check it with.
    #[error("no public key is configured: set `LANDFALL_PUBLIC_KEYS` to what `landfall keygen` printed")]
    NoKeys,
    /// The statement does not count.
    #[error("the bundle's statement is refused")]
    Refused(#[from] Refused),
    /// The store is another organization's.
    #[error("the store belongs to the organization `{there}`, and the bundle is of `{here}`")]
    OtherStore {
        /// Whose store it is.
        there: Name,
        /// Whose bundle it is.
        here: Name,
    },
    /// Two bundles were signed under one number.
    #[error(
        "generation {generation} is the bundle `{there}` here, and now another one, `{here}`: sign it again with a higher `--generation`"
    )]
    TwoOfOneGeneration {
        /// The number.
        generation: u64,
        /// The bundle that is followed.
        there: String,
        /// The bundle that was offered.
        here: String,
    },
    /// The store failed.
    #[error("could not read what the store knows of bundles")]
    Store(#[from] StoreError),
    /// A key could not be made from an id.
    #[error("could not name a record")]
    Key(#[from] KeyError),
}

/// A bundle and what lies beside it, as they were read.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Where the bundle was read, for people.
    pub from: &'a str,
    /// The bundle.
    pub bundle: &'a [u8],
    /// Its statement, where there is one.
    pub statement: Option<&'a [u8]>,
}

/// Reads a bundle and its statement, and decides whether it is followed.
pub async fn follow(
    store: &dyn Store,
    found: Found<'_>,
    keys: Option<&PublicKeys>,
    footing: Footing,
    now: Timestamp,
) -> Result<Trusted, TrustError> {
    let Found { from, bundle, statement } = found;
    let statement = statement.map(SignedStatement::load).transpose().map_err(TrustError::Statement)?;
    let bundle =
        Bundle::load(bundle).map_err(|source| TrustError::Bundle { from: from.to_owned(), source })?;
    trust(store, bundle, statement.as_ref(), keys, footing, now).await
}

/// Decides whether a bundle is followed, and has the store remember it.
pub async fn trust(
    store: &dyn Store,
    bundle: Bundle,
    statement: Option<&SignedStatement>,
    keys: Option<&PublicKeys>,
    footing: Footing,
    now: Timestamp,
) -> Result<Trusted, TrustError> {
    let organization = bundle.manifest().organization.clone();
    let key = keys::followed()?;
    let followed = store.read::<Followed>(&key).await?;
    if let Some((there, _)) = &followed
        && there.organization != organization
    {
        return Err(TrustError::OtherStore { there: there.organization.clone(), here: organization });
    }
    let newest = followed.as_ref().map_or(0, |(followed, _)| followed.generation);
    let provenance = match (statement, footing) {
        (Some(statement), _) => {
            let keys = keys.ok_or(TrustError::NoKeys)?;
            let statement = verify(statement, bundle.digest(), &organization, newest, keys, now)?;
            vouched(&statement)
        }
        // Who gives keys wants a signature, wherever the endpoints are.
        (None, Footing::Loopback) if keys.is_none() => unsigned(&bundle),
        (None, Footing::Loopback | Footing::Real) => {
            return Err(TrustError::Unsigned(bundle.digest().short().to_owned()));
        }
    };
    let follows = Followed {
        organization,
        generation: provenance.generation.max(newest),
        digest: bundle.digest().clone(),
    };
    let remembered = match &followed {
        None => store.create_json(&key, &follows).await.map(drop),
        // Unsigned bundles have no generation; of signed ones, one generation is one bundle.
        Some((there, _))
            if there.generation == provenance.generation
                && provenance.signed_by.is_some()
                && there.digest != follows.digest =>
        {
            return Err(TrustError::TwoOfOneGeneration {
                generation: there.generation,
                there: there.digest.short().to_owned(),
                here: follows.digest.short().to_owned(),
            });
        }
        Some((there, _)) if there.generation >= follows.generation => Ok(()),
        Some((_, version)) => store.update_json(&key, &follows, version).await.map(drop),
    };
    match remembered {
        // Another function was first; it remembered this generation or a newer one, which the next start sees.
        Ok(()) | Err(StoreError::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let kept = Bytes::copy_from_slice(bundle.bytes());
    match store.create(&keys::manifest(bundle.digest())?, kept).await {
        Ok(_) | Err(StoreError::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Trusted { bundle: Arc::new(bundle), provenance })
}

/// A bundle to look with, such as a working copy that nobody signed yet. Only looking is possible with it: what writes asks for
/// [`trust`].
pub fn for_looking(bundle: Bundle) -> Trusted {
    let provenance = unsigned(&bundle);
    Trusted { bundle: Arc::new(bundle), provenance }
}

fn vouched(statement: &Statement) -> Provenance {
    Provenance {
        bundle: statement.digest.clone(),
        generation: statement.generation,
        signed_by: Some(statement.key_id.to_string()),
        author: statement.author.clone(),
    }
}

fn unsigned(bundle: &Bundle) -> Provenance {
    Provenance { bundle: bundle.digest().clone(), generation: 0, signed_by: None, author: None }
}

#[cfg(test)]
mod tests {
    use landfall_model::manifest::Source;
    use landfall_model::manifest::parse::parse;
    use landfall_model::manifest::statement::{NewKey, PublicKey, keygen, sign};

    use super::*;
    use crate::store::memory::MemoryStore;

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn bundle(organization: &str, contact: &str) -> Bundle {
        let text = format!(
            "landfall: 1\norganization: {organization}\nclouds: {{ aws: {{ organization: o-a1b2c3d4e5, management-account: \"111111111111\", home-region: eu-central-1, regions: [eu-central-1] }} }}\ncontacts: {{ security: {contact}@acme.example }}\n"
        );
        let parsed = parse(&[Source { name: "m.yaml".into(), text }], jiff::civil::date(2026, 11, 21));
        Bundle::build(parsed.manifest.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))).unwrap()
    }

    fn key() -> NewKey {
        keygen(&ring::rand::SystemRandom::new()).unwrap()
    }

    fn statement(bundle: &Bundle, generation: u64, key: &NewKey) -> Statement {
        Statement {
            organization: bundle.manifest().organization.clone(),
            generation,
            digest: bundle.digest().clone(),
            key_id: PublicKey::of(&key.pkcs8).unwrap().id().clone(),
            expires: "2027-01-01T00:00:00Z".parse().unwrap(),
            author: Some("Ada".into()),
            signed_at: NOW.parse().unwrap(),
        }
    }

    fn keys(key: &NewKey) -> PublicKeys {
        PublicKeys::parse(&key.public.to_string()).unwrap()
    }

    async fn ask(
        store: &MemoryStore,
        bundle: Bundle,
        signed: Option<&SignedStatement>,
        keys: Option<&PublicKeys>,
        footing: Footing,
    ) -> Result<Provenance, TrustError> {
        trust(store, bundle, signed, keys, footing, NOW.parse().unwrap())
            .await
            .map(|trusted| trusted.provenance)
    }

    #[tokio::test]
    async fn a_signed_bundle_is_followed_and_the_store_remembers_it() {
        let (store, key, bundle) = (MemoryStore::new(), key(), bundle("acme", "a"));
        let signed = sign(&statement(&bundle, 3, &key), &key.pkcs8).unwrap();
        let digest = bundle.digest().clone();
        let provenance = ask(&store, bundle, Some(&signed), Some(&keys(&key)), Footing::Real).await.unwrap();
        assert_eq!((provenance.generation, provenance.author.as_deref()), (3, Some("Ada")));
        assert!(store.get(&keys::manifest(&digest).unwrap()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn nobody_s_word_counts_on_loopback_only_and_the_report_says_so() {
        let store = MemoryStore::new();
        let refused = ask(&store, bundle("acme", "a"), None, None, Footing::Real).await.unwrap_err();
        assert!(matches!(refused, TrustError::Unsigned(_)), "{refused}");
        let provenance = ask(&store, bundle("acme", "a"), None, None, Footing::Loopback).await.unwrap();
        assert_eq!(provenance.signed_by, None);
        let keys = keys(&key());
        let refused =
            ask(&store, bundle("acme", "a"), None, Some(&keys), Footing::Loopback).await.unwrap_err();
        assert!(matches!(refused, TrustError::Unsigned(_)), "keys were given: {refused}");
    }

    #[tokio::test]
    async fn one_disturbance_and_the_bundle_is_refused() {
        let (key, other) = (key(), key());
        let bundle_of = || bundle("acme", "a");
        let right = statement(&bundle_of(), 3, &key);
        let expired = Statement { expires: NOW.parse().unwrap(), ..right.clone() };
        let elsewhere = Statement { organization: "umbrella".parse().unwrap(), ..right.clone() };
        let another = Statement { digest: Digest::of(b"another"), ..right.clone() };
        let strange =
            Statement { key_id: PublicKey::of(&other.pkcs8).unwrap().id().clone(), ..right.clone() };
        let table = [
            ("expired", sign(&expired, &key.pkcs8).unwrap()),
            ("another organization's", sign(&elsewhere, &key.pkcs8).unwrap()),
            ("about another bundle", sign(&another, &key.pkcs8).unwrap()),
            ("by a key nobody trusts", sign(&strange, &other.pkcs8).unwrap()),
            ("changed after it was signed", {
                let mut signed = sign(&right, &key.pkcs8).unwrap();
                signed.statement = signed.statement.replace("\"generation\":3", "\"generation\":4");
                signed
            }),
        ];
        for footing in [Footing::Real, Footing::Loopback] {
            for (what, signed) in &table {
                let store = MemoryStore::new();
                let refused = ask(&store, bundle_of(), Some(signed), Some(&keys(&key)), footing).await;
                assert!(matches!(refused, Err(TrustError::Refused(_))), "{what}: {refused:?}");
            }
        }
        let signed = sign(&right, &key.pkcs8).unwrap();
        let refused = ask(&MemoryStore::new(), bundle_of(), Some(&signed), None, Footing::Loopback).await;
        assert!(matches!(refused, Err(TrustError::NoKeys)), "a statement and no key to check it with");
    }

    #[tokio::test]
    async fn an_older_generation_can_t_turn_the_organization_back() {
        let (store, key) = (MemoryStore::new(), key());
        let (older, newer) = (bundle("acme", "older"), bundle("acme", "newer"));
        let old = sign(&statement(&older, 3, &key), &key.pkcs8).unwrap();
        let new = sign(&statement(&newer, 4, &key), &key.pkcs8).unwrap();
        let keys = keys(&key);
        ask(&store, older.clone(), Some(&old), Some(&keys), Footing::Real).await.unwrap();
        ask(&store, newer, Some(&new), Some(&keys), Footing::Real).await.unwrap();
        let refused = ask(&store, older, Some(&old), Some(&keys), Footing::Real).await;
        assert!(matches!(refused, Err(TrustError::Refused(Refused::OlderGeneration { .. }))), "{refused:?}");
    }

    #[tokio::test]
    async fn two_bundles_of_one_generation_are_not_interchangeable() {
        let (store, key) = (MemoryStore::new(), key());
        let keys = keys(&key);
        for (bundle, fine) in
            [(bundle("acme", "one"), true), (bundle("acme", "two"), false), (bundle("acme", "one"), true)]
        {
            let signed = sign(&statement(&bundle, 3, &key), &key.pkcs8).unwrap();
            let asked = ask(&store, bundle, Some(&signed), Some(&keys), Footing::Real).await;
            assert_eq!(asked.is_ok(), fine, "{asked:?}");
        }
    }

    #[tokio::test]
    async fn a_store_belongs_to_one_organization() {
        let store = MemoryStore::new();
        ask(&store, bundle("acme", "a"), None, None, Footing::Loopback).await.unwrap();
        let refused = ask(&store, bundle("umbrella", "a"), None, None, Footing::Loopback).await.unwrap_err();
        assert!(refused.to_string().contains("belongs to the organization `acme`"), "{refused}");
    }
}
