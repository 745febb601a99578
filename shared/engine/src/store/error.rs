//! What can go wrong with a store, by what the caller may do about it.

use super::{Key, KeyError};
use thiserror::Error;

/// A cause from a library that a backend is made of.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else was first. Read again, then decide again.
    #[error("record `{key}` was written by another in the meantime")]
    Conflict { key: Key },

    /// Try again later. A write may or may not have happened: read before writing again.
    #[error("could not {doing}")]
    Unavailable { doing: String, source: BoxError },

    /// Trying again won't help before somebody grants the right.
    #[error("not allowed to {doing}")]
    Denied { doing: String, source: BoxError },

    /// The file, folder or bucket isn't there; somebody has to make it or correct the address.
    #[error("there is no store at `{store}`")]
    NoSuchStore { store: String, source: BoxError },

    /// The place holds something that isn't a store of this version. It was left as it is.
    #[error("`{store}` holds {found}, expected {expected}: {advice}")]
    WrongFormat { store: String, found: String, expected: String, advice: &'static str },

    /// One record can't be understood; the others may be fine.
    #[error("record `{key}` is not readable")]
    Unreadable { key: Key, source: serde_json::Error },

    /// The value can't be stored, now or later.
    #[error("record `{key}` has no JSON form")]
    Unwritable { key: Key, source: serde_json::Error },

    /// The caller asked for what no key can be below.
    #[error("prefix {prefix:?} can't be the beginning of a key")]
    Prefix { prefix: String, source: KeyError },
}
