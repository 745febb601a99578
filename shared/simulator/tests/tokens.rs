//! The issuer's tokens, verified by nothing of the issuer's own.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use landfall_simulator::Faults;
use landfall_simulator::tokens::{Claims, Forgery, GOOGLE, TokenIssuer};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

const AUDIENCE: &str = "https://function.example";
const EMAIL: &str = "tasks@acme-landfall.iam.gserviceaccount.com";

/// Status and body of a GET, without any client's library.
fn get(issuer: &TokenIssuer, path: &str) -> (u16, Value) {
    let host = issuer.url().replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap())
}

fn keys(issuer: &TokenIssuer) -> Vec<Value> {
    get(issuer, "/certs").1["keys"].as_array().unwrap().clone()
}

fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

fn parts(token: &str) -> [String; 3] {
    token.split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// What a careful verifier does: RS256 only, the key that is named, its signature.
fn signed(issuer: &TokenIssuer, token: &str) -> bool {
    let [header, claims, signature] = parts(token);
    let told = read(&header);
    let Some(key) = keys(issuer).into_iter().find(|key| key["kid"] == told["kid"]) else { return false };
    let public = RsaPublicKeyComponents { n: bytes(&key["n"]), e: bytes(&key["e"]) };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let message = format!("{header}.{claims}");
    told["alg"] == "RS256"
        && public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).is_ok()
}

#[test]
fn a_token_is_signed_with_a_key_that_is_served() {
    let issuer = TokenIssuer::start().unwrap();
    let token = issuer.token(&Claims::google(AUDIENCE, EMAIL));
    assert!(signed(&issuer, &token));
    let claims = read(&parts(&token)[1]);
    assert_eq!(claims["iss"], GOOGLE);
    assert_eq!(claims["aud"], AUDIENCE);
    assert_eq!(claims["email"], EMAIL);
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    let configuration = get(&issuer, "/.well-known/openid-configuration").1;
    assert_eq!(configuration["jwks_uri"], issuer.jwks_url());
}

#[test]
fn a_token_says_what_it_is_told_to() {
    let issuer = TokenIssuer::start().unwrap();
    let told = Claims {
        iss: "https://issuer.example".to_owned(),
        email: None,
        email_verified: None,
        more: serde_json::from_str(r#"{"nbf": 7}"#).unwrap(),
        ..Claims::google(AUDIENCE, EMAIL).expired()
    };
    let token = issuer.token(&told);
    assert!(signed(&issuer, &token), "wrong claims are rightly signed");
    let claims = read(&parts(&token)[1]);
    assert_eq!(claims["iss"], "https://issuer.example");
    assert_eq!(claims["nbf"], 7);
    assert!(claims.get("email").is_none() && claims.get("email_verified").is_none());
    assert!(claims["exp"].as_i64().unwrap() < jiff::Timestamp::now().as_second());
}

#[test]
fn no_forgery_passes() {
    let issuer = TokenIssuer::start().unwrap();
    issuer.rotate();
    for forgery in Forgery::ALL {
        let token = issuer.forged(&Claims::google(AUDIENCE, EMAIL), forgery);
        assert!(!signed(&issuer, &token), "{forgery:?}");
    }
    let header = |forgery| read(&parts(&issuer.forged(&Claims::google(AUDIENCE, EMAIL), forgery))[0]);
    assert_eq!(header(Forgery::Unsigned)["alg"], "none");
    assert_eq!(header(Forgery::SharedSecret)["alg"], "HS256");
    assert!(header(Forgery::NoKey).get("kid").is_none());
}

#[test]
fn an_old_key_is_good_until_it_is_retired() {
    let issuer = TokenIssuer::start().unwrap();
    let claims = Claims::google(AUDIENCE, EMAIL);
    let old = issuer.token(&claims);
    issuer.rotate();
    let new = issuer.token(&claims);
    assert_eq!(keys(&issuer).len(), 2);
    assert!(signed(&issuer, &old) && signed(&issuer, &new));
    issuer.retire();
    assert_eq!(keys(&issuer).len(), 1);
    assert!(!signed(&issuer, &old) && signed(&issuer, &new));
    issuer.rotate();
    // The same numbers again, under another name.
    assert!(!signed(&issuer, &old) && signed(&issuer, &issuer.token(&claims)));
}

#[test]
fn fetches_are_counted_and_can_fail() {
    let issuer = TokenIssuer::start().unwrap();
    assert_eq!(issuer.fetches(), 0);
    assert_eq!(get(&issuer, "/certs").0, 200);
    assert_eq!(get(&issuer, "/other").0, 404);
    issuer.set_faults(Faults { server_error: 1.0, ..Faults::default() });
    assert_eq!(get(&issuer, "/certs").0, 503);
    assert_eq!(issuer.fetches(), 3);
}
