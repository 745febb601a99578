//! From claims to a token, right or forged (RFC 7519 in RFC 7515's compact form).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};

use super::claims::{Claims, Forgery};
use super::keys::Keys;

pub(super) fn token(keys: &Keys, generation: u64, claims: &Claims) -> String {
    let key = keys.of(generation);
    let header = json!({"alg": "RS256", "kid": key.id(generation), "typ": "JWT"});
    sealed(&header, claims, |message| key.sign(message))
}

pub(super) fn forged(keys: &Keys, generation: u64, claims: &Claims, forgery: Forgery) -> String {
    let key = keys.of(generation);
    let id = key.id(generation);
    match forgery {
        Forgery::Unsigned => sealed(&json!({"alg": "none", "kid": id, "typ": "JWT"}), claims, |_| Vec::new()),
        Forgery::SharedSecret => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public());
            let header = json!({"alg": "HS256", "kid": id, "typ": "JWT"});
            sealed(&header, claims, |message| hmac::sign(&secret, message).as_ref().to_vec())
        }
        Forgery::UnknownKey => {
            let unknown = "0".repeat(40);
            let header = json!({"alg": "RS256", "kid": unknown, "typ": "JWT"});
            sealed(&header, claims, |message| key.sign(message))
        }
        Forgery::NoKey => sealed(&json!({"alg": "RS256", "typ": "JWT"}), claims, |message| key.sign(message)),
        Forgery::ForeignKey => {
            let header = json!({"alg": "RS256", "kid": id, "typ": "JWT"});
            sealed(&header, claims, |message| keys.of(generation + 1).sign(message))
        }
        Forgery::Altered => {
            let right = token(keys, generation, claims);
            let altered = Claims { email: Some("somebody-else@example.com".to_owned()), ..claims.clone() };
            let mut parts = right.split('.');
            let header = parts.next().unwrap_or_default();
            let signature = parts.nth(1).unwrap_or_default();
            format!("{header}.{}.{signature}", part(&serde_json::to_value(altered).unwrap_or_default()))
        }
        Forgery::Cut => {
            let right = token(keys, generation, claims);
            let (rest, _) = right.rsplit_once('.').unwrap_or_default();
            format!("{rest}.")
        }
    }
}

fn sealed(header: &Value, claims: &Claims, seal: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let claims = serde_json::to_value(claims).unwrap_or_default();
    let message = format!("{}.{}", part(header), part(&claims));
    let signature = seal(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
