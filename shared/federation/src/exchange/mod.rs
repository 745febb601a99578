//! From a token of the own cloud to a right on another: one request each, in that cloud's own form.

mod aws;
mod azure;
mod gcp;

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use landfall_engine::store::BoxError;
use object_store::client::{HttpClient, HttpError};
use serde::Deserialize;

pub(crate) use aws::ToAws;
pub(crate) use azure::ToAzure;
pub(crate) use gcp::ToGcp;

use crate::Identity;
use crate::right::Right;

/// One cloud's exchange.
#[async_trait]
pub(crate) trait Exchange: Send + Sync + 'static {
    /// The right that comes of it, as object_store takes it.
    type Credential: std::fmt::Debug + Send + Sync;

    /// Gets a token of the own cloud and exchanges it.
    async fn exchange(&self, now: Timestamp) -> Result<Right<Self::Credential>, Refused>;
}

/// Why there is no right. A token is never part of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The own cloud gives no token.
    #[error("this function's own cloud gives no token for the audience `{audience}`")]
    NoToken {
        /// For whom it should have been.
        audience: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// The token service can't be reached.
    #[error("could not reach the token service `{service}`")]
    Unreached {
        /// Where.
        service: String,
        /// Why not.
        #[source]
        source: HttpError,
    },
    /// It says no.
    #[error(
        "`{service}` does not let this function in ({status} {code}): {why}; it has to trust this function's issuer, subject and the audience `{audience}`"
    )]
    Denied {
        /// Where.
        service: String,
        /// The HTTP status.
        status: StatusCode,
        /// Its own word for it.
        code: String,
        /// Its own reason.
        why: String,
        /// For whom the token was made.
        audience: String,
    },
    /// It says something else.
    #[error("the answer of `{service}` can't be read: {why}")]
    Unreadable {
        /// Where.
        service: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What every exchange needs.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) audience: String,
    pub(crate) http: HttpClient,
    /// The token service's address.
    pub(crate) service: String,
}

/// What a token service answers.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Way {
    /// A token of the own cloud.
    async fn token(&self) -> Result<String, Refused> {
        let token = self.identity.token(&self.audience).await;
        token.map_err(|source| Refused::NoToken { audience: self.audience.clone(), source })
    }

    /// Posts a form.
    async fn post(&self, fields: &[(&str, &str)]) -> Result<Answered, Refused> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(&self.service)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.into())
            .map_err(|error| self.unreadable(error.to_string()))?;
        let failed = |source| Refused::Unreached { service: self.service.clone(), source };
        let response = self.http.execute(request).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().bytes().await.map_err(failed)?.to_vec();
        Ok(Answered { status, body })
    }

    fn unreadable(&self, why: String) -> Refused {
        Refused::Unreadable { service: self.service.clone(), why }
    }

    fn denied(&self, status: StatusCode, code: &str, why: &str) -> Refused {
        // Words from outside: no line breaks, and no more than a person reads.
        let tidy = |text: &str, most| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
        Refused::Denied {
            service: self.service.clone(),
            status,
            code: tidy(code, 60),
            why: tidy(why, 400),
            audience: self.audience.clone(),
        }
    }

    /// What a token service that speaks OAuth 2.0 answers (RFC 6749, 5).
    fn bearer(&self, answered: &Answered, now: Timestamp) -> Result<Bearer, Refused> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
            expires_in: i64,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Error {
            error: String,
            error_description: String,
        }
        let Answered { status, body } = answered;
        if !status.is_success() {
            let Error { error, error_description } = serde_json::from_slice(body).unwrap_or_default();
            return Err(self.denied(*status, &error, &error_description));
        }
        // What is wrong is said by place and not by text, which would be the token.
        let Token { access_token, expires_in } = serde_json::from_slice(body)
            .map_err(|error| self.unreadable(format!("line {}, column {}", error.line(), error.column())))?;
        let until = now + SignedDuration::from_secs(expires_in.clamp(0, 24 * 3600));
        Ok(Bearer { token: access_token, until })
    }
}

/// A bearer token and its end.
pub(crate) struct Bearer {
    pub(crate) token: String,
    pub(crate) until: Timestamp,
}
