//! What may be believed: a bundle counts when a signed statement says so, and the store remembers which one came last.
//!
//! A statement names an organization, a generation and a digest. The store keeps the newest generation that was followed, so that
//! an older statement, still validly signed, can't turn the organization back; and it keeps whose store it is.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use landfall_model::id::{Digest, Name};
use landfall_model::manifest::bundle::Bundle;
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

/// Why a bundle is not followed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
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
    /// The store failed.
    #[error("could not read what the store knows of bundles")]
    Store(#[from] StoreError),
    /// A key could not be made from an id.
    #[error("could not name a record")]
    Key(#[from] KeyError),
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
        (None, Footing::Loopback) => unsigned(&bundle),
        (None, Footing::Real) => return Err(TrustError::Unsigned(bundle.digest().short().to_owned())),
    };
    let follows = Followed {
        organization,
        generation: provenance.generation.max(newest),
        digest: bundle.digest().clone(),
    };
    let remembered = match &followed {
        None => store.create_json(&key, &follows).await.map(drop),
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
