//! Tokens for tokens, over HTTP.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};

use super::claims::{Claims, GOOGLE};
use super::exchange::{TokenExchange, Trust};
use super::keys::Keys;
use super::mint;
use crate::call::Call;
use crate::encode::Answer;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::options::StartError;
use crate::server::{Cloud, Reply};
use crate::wire::Wire;

/// What the server and the handle share.
#[derive(Debug)]
pub(crate) struct Exchanged {
    keys: Keys,
    trusts: Vec<Trust>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    journal: Journal,
    given: Vec<String>,
}

/// An answer before it is HTTP.
struct Said {
    operation: &'static str,
    status: u16,
    kind: &'static str,
    body: String,
}

impl Exchanged {
    pub(super) fn new(trusts: Vec<Trust>) -> Result<Self, StartError> {
        let journal = Journal::open(Faults::default(), true, None)?;
        let keys = Keys::read().map_err(StartError::Key)?;
        Ok(Self { keys, trusts, state: Mutex::new(State { journal, given: Vec::new() }) })
    }

    pub(super) fn mint_alone(issuer: &str, subject: &str, audience: &str, seconds: i64) -> Option<String> {
        Some(mint(&Keys::read().ok()?, issuer, subject, audience, seconds))
    }

    pub(super) fn gave(&self, bearer: &str) -> bool {
        self.state().given.iter().any(|given| given == bearer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, state: &mut State, wire: &Wire) -> Said {
        let path = wire.uri.path();
        let query = |name: &str| {
            let pairs = form_urlencoded::parse(wire.uri.query().unwrap_or_default().as_bytes());
            pairs.into_owned().find(|(key, _)| key == name).map(|(_, value)| value)
        };
        let header = |name: &str| wire.headers.get(name).and_then(|value| value.to_str().ok());
        if wire.method == Method::GET && path == "/msi/token" {
            let known = header("x-identity-header") == Some(TokenExchange::IDENTITY_HEADER);
            return match query("resource").filter(|_| known) {
                Some(resource) => self.of_azure(&resource),
                None => json_of("MsiToken", 401, &json!({"statusCode": 401, "message": "Unauthorized"})),
            };
        }
        if wire.method == Method::GET && path.ends_with("/service-accounts/default/identity") {
            let known = header("metadata-flavor") == Some("Google");
            return match query("audience").filter(|_| known) {
                Some(audience) => Said {
                    operation: "Identity",
                    status: 200,
                    kind: "text/html",
                    body: mint(&self.keys, GOOGLE, TokenExchange::GCP_SUBJECT, &audience, 3600),
                },
                None => json_of("Identity", 403, &json!({"error": "missing Metadata-Flavor:Google header"})),
            };
        }
        let form: Map<String, Value> = form_urlencoded::parse(&wire.body)
            .into_owned()
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        let field = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut parts = path.trim_matches('/').splitn(2, '/');
        let (host, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if wire.method == Method::POST && host.starts_with("sts.") && host.contains(".amazonaws.") {
            return self.aws(state, &field);
        }
        if wire.method == Method::POST && host == "sts.googleapis.com" && rest == "v1/token" {
            return self.gcp(state, &field);
        }
        if wire.method == Method::POST
            && host.starts_with("login.")
            && let Some(directory) = rest.strip_suffix("/oauth2/v2.0/token")
        {
            return self.azure(state, directory, &field);
        }
        json_of("unknown", 404, &json!({"error": "not found"}))
    }

    /// <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>
    fn of_azure(&self, resource: &str) -> Said {
        let token = mint(&self.keys, TokenExchange::AZURE, TokenExchange::AZURE_SUBJECT, resource, 3600);
        let ends = Timestamp::now().as_second() + 3600;
        let body = json!({
            "access_token": token, "expires_on": ends.to_string(), "resource": resource, "token_type": "Bearer",
            "client_id": TokenExchange::AZURE_SUBJECT,
        });
        json_of("MsiToken", 200, &body)
    }

    /// STS: an audience that the provider does not list is told, every other mismatch is not.
    fn aws<'a>(&self, state: &mut State, field: &impl Fn(&str) -> &'a str) -> Said {
        const OPERATION: &str = "AssumeRoleWithWebIdentity";
        let xml = |status, body: String| Said { operation: OPERATION, status, kind: "text/xml", body };
        let refused = |status, code: &str, message: &str| {
            let body = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>00000000-0000-4000-8000-000000000001</RequestId></ErrorResponse>"
            );
            xml(status, body)
        };
        if field("Action") != OPERATION || field("RoleSessionName").is_empty() {
            return refused(400, "InvalidAction", "Could not find operation");
        }
        let Some(claims) = self.verified(field("WebIdentityToken")) else {
            return refused(
                400,
                "InvalidIdentityToken",
                "Couldn't retrieve verification key from your identity provider",
            );
        };
        let trusted = self.trusts.iter().filter(|trust| trust.whom == field("RoleArn"));
        let issued: Vec<&Trust> = trusted.filter(|trust| says(&claims, "iss", &trust.issuer)).collect();
        if issued.is_empty() {
            return refused(
                400,
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for the issuer",
            );
        }
        if !issued.iter().any(|trust| says(&claims, "aud", &trust.audience)) {
            return refused(400, "InvalidIdentityToken", "Incorrect token audience");
        }
        if !issued.iter().any(|trust| trust.lets_in(&claims)) {
            return refused(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
        }
        let key = format!("ASIASIMULATED{:07}", state.given.len() + 1);
        state.given.push(key.clone());
        let ends = Timestamp::now().saturating_add(1.hours()).unwrap_or(Timestamp::MAX);
        xml(
            200,
            format!(
                "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Audience>{}</Audience><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>not-a-secret</SecretAccessKey><SessionToken>not-a-token</SessionToken><Expiration>{ends:.0}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
                field("RoleArn").len(),
            ),
        )
    }

    fn gcp<'a>(&self, state: &mut State, field: &impl Fn(&str) -> &'a str) -> Said {
        const OPERATION: &str = "token";
        let refused = |code: &str, why: &str| {
            json_of(OPERATION, 400, &json!({"error": code, "error_description": why}))
        };
        let form = (field("grant_type"), field("requested_token_type"), field("subject_token_type"));
        let expected = (
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:token-type:access_token",
            "urn:ietf:params:oauth:token-type:jwt",
        );
        if form != expected || field("scope").is_empty() {
            return refused("invalid_request", "a parameter is missing or not known");
        }
        let whom = self.trusts.iter().filter(|trust| trust.whom == field("audience"));
        let whom: Vec<&Trust> = whom.collect();
        if whom.is_empty() {
            return refused(
                "invalid_target",
                "The target service indicated by the \"audience\" parameters is invalid.",
            );
        }
        let Some(claims) = self.verified(field("subject_token")) else {
            return refused("invalid_grant", "Error verifying the signature of the given JWT.");
        };
        if !whom.iter().any(|trust| says(&claims, "iss", &trust.issuer)) {
            return refused("invalid_grant", "The issuer in ID Token does not match the expected one.");
        }
        if !whom.iter().any(|trust| says(&claims, "aud", &trust.audience)) {
            return refused(
                "invalid_grant",
                "The audience in ID Token does not match the expected audience.",
            );
        }
        if !whom.iter().any(|trust| trust.lets_in(&claims)) {
            return refused(
                "unauthorized_client",
                "The given credential is rejected by the attribute condition.",
            );
        }
        state.bearer(OPERATION, "urn:ietf:params:oauth:token-type:access_token")
    }

    fn azure<'a>(&self, state: &mut State, directory: &str, field: &impl Fn(&str) -> &'a str) -> Said {
        const OPERATION: &str = "oauth2/token";
        let refused = |code: &str, why: &str| {
            json_of(OPERATION, 401, &json!({"error": code, "error_description": why, "error_codes": []}))
        };
        let form = (field("grant_type"), field("client_assertion_type"), field("scope"));
        let expected = (
            "client_credentials",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "https://storage.azure.com/.default",
        );
        if form != expected {
            return refused("invalid_request", "AADSTS90014: a required field is missing");
        }
        let whom = format!("{directory}/{}", field("client_id"));
        let whom: Vec<&Trust> = self.trusts.iter().filter(|trust| trust.whom == whom).collect();
        if whom.is_empty() {
            return refused(
                "unauthorized_client",
                "AADSTS700016: Application was not found in the directory.",
            );
        }
        let Some(claims) = self.verified(field("client_assertion")) else {
            return refused(
                "invalid_client",
                "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered.",
            );
        };
        for (name, number) in [("iss", "700211"), ("sub", "700213"), ("aud", "700212")] {
            let matches = |trust: &&&Trust| {
                says(
                    &claims,
                    name,
                    match name {
                        "iss" => &trust.issuer,
                        "sub" => &trust.subject,
                        _ => &trust.audience,
                    },
                )
            };
            if !whom.iter().any(|trust| matches(&trust)) {
                let why = format!(
                    "AADSTS{number}: No matching federated identity record found for presented assertion ({name})."
                );
                return refused("invalid_client", &why);
            }
        }
        state.bearer(OPERATION, "Bearer")
    }

    /// What a token says, where one of the keys signed it and its hour is not over.
    fn verified(&self, token: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let (_, claims) = message.split_once('.')?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let signed = (0..2).any(|n| self.keys.of(n).verifies(message.as_bytes(), &signature));
        let lasts = claims.get("exp")?.as_i64()? > Timestamp::now().as_second();
        (signed && lasts).then_some(claims)
    }
}

impl State {
    fn bearer(&mut self, operation: &'static str, kind: &str) -> Said {
        let token = format!("simulated-right-{}", self.given.len() + 1);
        self.given.push(token.clone());
        json_of(operation, 200, &json!({"access_token": token, "token_type": kind, "expires_in": 3599}))
    }
}

impl Trust {
    fn lets_in(&self, claims: &Value) -> bool {
        says(claims, "iss", &self.issuer)
            && says(claims, "sub", &self.subject)
            && says(claims, "aud", &self.audience)
    }
}

fn says(claims: &Value, name: &str, expected: &str) -> bool {
    claims.get(name).and_then(Value::as_str) == Some(expected)
}

fn mint(keys: &Keys, issuer: &str, subject: &str, audience: &str, seconds: i64) -> String {
    let now = Timestamp::now().as_second();
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: audience.to_owned(),
        sub: subject.to_owned(),
        azp: subject.to_owned(),
        email: None,
        email_verified: None,
        iat: now,
        exp: now + seconds,
        more: Map::new(),
    };
    mint::token(keys, 0, &claims)
}

fn json_of(operation: &'static str, status: u16, body: &Value) -> Said {
    Said { operation, status, kind: "application/json", body: body.to_string() }
}

impl Cloud for Exchanged {
    /// Nothing waits here.
    type Waiting = Infallible;

    fn answer(&self, wire: &Wire) -> Reply<Infallible> {
        let mut state = self.state();
        let (n, fate) = state.journal.next();
        let Said { operation, status, kind, body } = self.say(&mut state, wire);
        let call = Call {
            time: Timestamp::now(),
            n,
            service: "tokens".to_owned(),
            operation: operation.to_owned(),
            account: String::new(),
            role: String::new(),
            region: String::new(),
            parameters: Value::Null,
            method: wire.method.to_string(),
            path: wire.uri.path().to_owned(),
            query: String::new(),
            status: None,
            error: None,
        };
        let mut answer = Response::new(Full::new(Bytes::from(body)));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer.headers_mut().insert("content-type", HeaderValue::from_static(kind));
        state.journal.close(call, fate, answer)
    }

    fn look_again(&self, waiting: &mut Infallible) -> Option<Answer> {
        match *waiting {}
    }

    fn journal<A>(&self, look: impl FnOnce(&mut Journal) -> A) -> A {
        look(&mut self.state().journal)
    }
}
