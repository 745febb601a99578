//! What a token says, and the ways to forge one.

use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use serde_json::{Map, Value};

/// Who issues the tokens that Google's services send along.
pub const GOOGLE: &str = "https://accounts.google.com";

/// What a token says of its bearer, in the words of Google's ID tokens:
/// <https://cloud.google.com/docs/authentication/token-types#id-contents>.
///
/// A test begins with [`Claims::google`], which is right in everything, and makes one thing wrong:
///
/// ```
/// use landfall_simulator::tokens::Claims;
/// let right = Claims::google("https://function.example", "tasks@acme.iam.gserviceaccount.com");
/// let wrong = Claims { email_verified: Some(false), ..right };
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// Who the bearer is, as a number; with Google the same as `azp`.
    pub sub: String,
    pub azp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    /// Whatever else it says, `nbf` for one; a name from above is said twice.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

impl Claims {
    /// What a token of Google's says that was made this moment for a service account: good for an hour.
    #[must_use]
    pub fn google(audience: impl Into<String>, email: impl Into<String>) -> Self {
        let now = Timestamp::now().as_second();
        let number = "100000000000000000001".to_owned();
        Self {
            iss: GOOGLE.to_owned(),
            aud: audience.into(),
            sub: number.clone(),
            azp: number,
            email: Some(email.into()),
            email_verified: Some(true),
            iat: now,
            exp: now + 3600,
            more: Map::new(),
        }
    }

    /// The same, made two hours ago: its hour is over.
    #[must_use]
    pub fn expired(mut self) -> Self {
        let then = Timestamp::now().saturating_sub(2.hours()).map_or(0, Timestamp::as_second);
        self.iat = then;
        self.exp = then + 3600;
        self
    }
}

/// A way to forge a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forgery {
    /// `alg: none`, and no signature.
    Unsigned,
    /// `alg: HS256`, with the public key for a password (RFC 8725, 2.1).
    SharedSecret,
    /// Rightly signed, by a key that the issuer never had under this name.
    UnknownKey,
    /// No word of which key it was.
    NoKey,
    /// In the name of the issuer's key, by another.
    ForeignKey,
    /// Rightly signed; then the e-mail was changed.
    Altered,
    /// Rightly signed; then the signature was cut off.
    Cut,
}

impl Forgery {
    /// Every way, for tests that go through all of them.
    pub const ALL: [Self; 7] = [
        Self::Unsigned,
        Self::SharedSecret,
        Self::UnknownKey,
        Self::NoKey,
        Self::ForeignKey,
        Self::Altered,
        Self::Cut,
    ];
}
