//! The small signed text that says which bundle counts, from when on, and until when.
//!
//! Functions hold the public keys they trust in their own configuration. A statement is signed as the exact bytes that stand
//! in its file, so nothing has to be written again to be verified.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::bundle::canonical;
use crate::id::{Digest, IdError, Name};

/// Which bundle an organization's functions act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Statement {
    /// The organization it is for.
    pub organization: Name,
    /// Counts up: a function never goes back to a lower one.
    pub generation: u64,
    /// The bundle that counts.
    pub digest: Digest,
    /// The key it is signed with.
    pub key_id: KeyId,
    /// When it stops to count.
    pub expires: Timestamp,
    /// Who changed the manifest, for the reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// A statement as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignedStatement {
    /// The statement's exact text; the signature is over these bytes.
    pub statement: String,
    /// The Ed25519 signature, in base64.
    pub signature: String,
}

impl SignedStatement {
    /// Reads the file.
    pub fn load(bytes: &[u8]) -> Result<Self, Refused> {
        serde_json::from_slice(bytes).map_err(Refused::Malformed)
    }

    /// Writes the file.
    pub fn to_json(&self) -> Result<Vec<u8>, KeyError> {
        canonical(self).map_err(KeyError::NotWritable)
    }
}

/// The name of a key: the first 16 hexadecimal digits of the SHA-256 of its public half.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    fn of(public: &[u8]) -> Self {
        KeyId(Digest::of(public).as_str().chars().take(16).collect())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 16 && text.bytes().all(digit) {
            Ok(KeyId(text.to_owned()))
        } else {
            Err(IdError { found: text.to_owned(), expected: "a key's id of 16 hexadecimal digits" })
        }
    }
}

impl Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The private key can't be read.
    #[error("the signing key is not an Ed25519 key in PKCS #8 form: make one with `landfall keygen`")]
    NotAKey,
    /// The statement names another key than it is signed with.
    #[error("the statement names key `{named}`, but the signing key is `{given}`")]
    OtherKey {
        /// The key that the statement names.
        named: KeyId,
        /// The key that was given.
        given: KeyId,
    },
    /// No randomness.
    #[error("the system gave no random bytes to make a key of")]
    NoRandomness,
    /// The list of trusted keys can't be read.
    #[error("the trusted key {found} is not `id=base64`: copy the line that `landfall keygen` printed")]
    NotAPublicKey {
        /// What stands there.
        found: String,
    },
    /// A trusted key's id is not the key's own.
    #[error(
        "the trusted key named `{named}` is really `{really}`: copy the line that `landfall keygen` printed"
    )]
    Misnamed {
        /// The id it is given.
        named: String,
        /// The id it has.
        really: KeyId,
    },
    /// No key at all.
    #[error("no trusted key is given: copy the line that `landfall keygen` printed")]
    NoKey,
    /// The statement can't be written as JSON.
    #[error("the statement could not be written as JSON")]
    NotWritable(#[source] serde_json::Error),
}

/// A public key, as configuration names it: `id=base64`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    id: KeyId,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// The public half of a private key in PKCS #8 form.
    pub fn of(pkcs8: &[u8]) -> Result<Self, KeyError> {
        Ok(PublicKey::from_bytes(pair(pkcs8)?.public_key().as_ref()))
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        PublicKey { id: KeyId::of(bytes), bytes: bytes.to_vec() }
    }

    /// Its name.
    pub const fn id(&self) -> &KeyId {
        &self.id
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.id, STANDARD.encode(&self.bytes))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        const LENGTH: usize = 32;
        let wrong = || KeyError::NotAPublicKey { found: super::yaml::quote(text) };
        let (named, bytes) = text.split_once('=').ok_or_else(wrong)?;
        let bytes = STANDARD.decode(bytes).ok().filter(|bytes| bytes.len() == LENGTH).ok_or_else(wrong)?;
        let key = PublicKey::from_bytes(&bytes);
        if key.id.0 == named {
            Ok(key)
        } else {
            Err(KeyError::Misnamed { named: crate::diagnostic::inert(named), really: key.id })
        }
    }
}

/// The public keys that a function trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeys(BTreeMap<KeyId, PublicKey>);

impl PublicKeys {
    /// Reads `id=base64[,id=base64…]`: two keys while one replaces the other.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let keys = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        let keys = keys.map(|text| text.parse().map(|key: PublicKey| (key.id.clone(), key)));
        let keys: BTreeMap<KeyId, PublicKey> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError::NoKey) } else { Ok(PublicKeys(keys)) }
    }
}

/// A new key: the private half in PKCS #8 form, which is shown to nobody, and the public half.
pub struct NewKey {
    /// The private half. It goes into a file that only the signer reads.
    pub pkcs8: Vec<u8>,
    /// The public half, for the configuration of functions.
    pub public: PublicKey,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Makes a key; the caller brings the randomness.
pub fn keygen(random: &dyn SecureRandom) -> Result<NewKey, KeyError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(random).map_err(|_| KeyError::NoRandomness)?;
    let public = PublicKey::of(pkcs8.as_ref())?;
    Ok(NewKey { pkcs8: pkcs8.as_ref().to_vec(), public })
}

fn pair(pkcs8: &[u8]) -> Result<Ed25519KeyPair, KeyError> {
    // Other tools write the older form, without the public half.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| KeyError::NotAKey)
}

/// Signs a statement with the key that it names.
pub fn sign(statement: &Statement, pkcs8: &[u8]) -> Result<SignedStatement, KeyError> {
    let pair = pair(pkcs8)?;
    let given = KeyId::of(pair.public_key().as_ref());
    if statement.key_id != given {
        return Err(KeyError::OtherKey { named: statement.key_id.clone(), given });
    }
    let bytes = canonical(statement).map_err(KeyError::NotWritable)?;
    let signature = STANDARD.encode(pair.sign(&bytes));
    Ok(SignedStatement { statement: String::from_utf8_lossy(&bytes).into_owned(), signature })
}

/// Why a statement does not count.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file is not a signed statement.
    #[error("the statement could not be read: sign the bundle again with `landfall sign`")]
    Malformed(#[source] serde_json::Error),
    /// It names a key that is not trusted here.
    #[error(
        "the statement is signed with key `{found}`, which is not trusted here: sign it with a trusted key, or add the key to this function's configuration"
    )]
    UnknownKey {
        /// The key that it names.
        found: KeyId,
    },
    /// The signature is not that key's signature of these bytes.
    #[error(
        "the signature of key `{key}` does not fit the statement, so one of them was changed: sign the bundle again with `landfall sign`, and find out who changed it"
    )]
    WrongSignature {
        /// The key that it names.
        key: KeyId,
    },
    /// It is for another organization.
    #[error(
        "the statement is for the organization `{found}`, not for `{expected}`: deploy the bundle and statement of this organization"
    )]
    OtherOrganization {
        /// The organization that it names.
        found: Name,
        /// The organization that this function serves.
        expected: Name,
    },
    /// It is about another bundle.
    #[error(
        "the statement is about the bundle `{}`, but the bundle here is `{}`: deploy both together, or sign the bundle again", found.short(), expected.short()
    )]
    OtherDigest {
        /// The bundle that it names.
        found: Digest,
        /// The bundle that is here.
        expected: Digest,
    },
    /// A newer one was seen before.
    #[error(
        "the statement is of generation {found}, but generation {newest} was seen before: sign it again with a higher generation, if going back is meant"
    )]
    OlderGeneration {
        /// Its generation.
        found: u64,
        /// The newest that was seen.
        newest: u64,
    },
    /// Its time is over.
    #[error("the statement expired at {expired}: sign the bundle again with `landfall sign`")]
    Expired {
        /// When it expired.
        expired: Timestamp,
    },
}

/// Says whether a signed statement makes this bundle count here and now.
///
/// The signature comes first: nothing else in the statement is believed before it fits.
pub fn verify(
    signed: &SignedStatement,
    bundle_digest: &Digest,
    organization: &Name,
    newest_generation_seen: u64,
    keys: &PublicKeys,
    now: Timestamp,
) -> Result<Statement, Refused> {
    let SignedStatement { statement: text, signature } = signed;
    let statement: Statement = serde_json::from_str(text).map_err(Refused::Malformed)?;
    let Some(key) = keys.0.get(&statement.key_id) else {
        return Err(Refused::UnknownKey { found: statement.key_id });
    };
    let fits = STANDARD.decode(signature).is_ok_and(|signature| {
        UnparsedPublicKey::new(&ED25519, &key.bytes).verify(text.as_bytes(), &signature).is_ok()
    });
    if !fits {
        return Err(Refused::WrongSignature { key: statement.key_id });
    }
    if statement.organization != *organization {
        return Err(Refused::OtherOrganization {
            found: statement.organization,
            expected: organization.clone(),
        });
    }
    if statement.digest != *bundle_digest {
        return Err(Refused::OtherDigest { found: statement.digest, expected: bundle_digest.clone() });
    }
    if statement.generation < newest_generation_seen {
        return Err(Refused::OlderGeneration { found: statement.generation, newest: newest_generation_seen });
    }
    if statement.expires <= now {
        return Err(Refused::Expired { expired: statement.expires });
    }
    Ok(statement)
}

#[cfg(test)]
mod tests;
