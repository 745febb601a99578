//! What the Functions host speaks with: `GET /` when it asks whether the handler is ready, and `POST /<function>` for an invocation.
//!
//! Whatever comes, the answer is JSON: on anything else the host throws, or waits until its timeout.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{get, post};
use jiff::Timestamp;
use landfall_model::answer::Answer;
use serde_json::{Value, json};

use crate::answer::Envelope;
use crate::config;
use crate::trigger::{Function, handshake};

/// More than the largest batch of an Event Hub, and encoded twice.
const LARGEST: usize = 64 * 1024 * 1024;

/// Who answers what the host hands over: the [`Shell`](crate::shell::Shell), or a test's stand-in.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Answers one event.
    async fn answer(
        &self,
        function: Function,
        body: &Value,
        deadline: Timestamp,
    ) -> anyhow::Result<Vec<Answer>>;
}

/// In the place of a shell that can't be made, because the deployment's environment is wrong. Of a process that ends the host would only say
/// that it ended, so this one is ready and fails each invocation with the reason.
#[derive(Debug)]
pub struct Unable {
    /// Which variable is wrong, and what is expected.
    pub why: String,
}

#[async_trait]
impl Desk for Unable {
    async fn answer(&self, _: Function, _: &Value, _: Timestamp) -> anyhow::Result<Vec<Answer>> {
        anyhow::bail!("{}", self.why)
    }
}

/// The handler's whole face.
pub fn router<D: Desk>(desk: Arc<D>) -> Router {
    Router::new()
        .route("/", get(|| async { axum::Json(json!({"ready": true})) }))
        .route("/{function}", post(invoke::<D>))
        .method_not_allowed_fallback(nobody)
        .fallback(nobody)
        // Only the host reaches this port; the default would refuse a large batch.
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(desk)
}

async fn nobody(method: Method, uri: Uri) -> Envelope {
    Envelope::unknown(StatusCode::NOT_FOUND, format!("nobody here takes `{method} {}`", uri.path()))
}

async fn invoke<D: Desk>(State(desk): State<Arc<D>>, Path(name): Path<String>, body: Bytes) -> Envelope {
    let Some(function) = Function::of(&name) else {
        return Envelope::unknown(StatusCode::NOT_FOUND, format!("there is no function `{name}`"));
    };
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(error) => {
            let why = format!("what was posted to `{name}` is no JSON: {error}");
            return Envelope::unknown(StatusCode::BAD_REQUEST, why);
        }
    };
    if function == Function::Grid
        && let Some(handshake) = handshake(&body)
    {
        return Envelope::shaken(&handshake);
    }
    let deadline = config::deadline(function, Timestamp::now());
    let envelope = match desk.answer(function, &body, deadline).await {
        Ok(answers) => Envelope::of(function, &answers),
        Err(error) => {
            tracing::error!(function = function.as_str(), "{error:#}");
            Envelope::failed(function, &format!("{error:#}"))
        }
    };
    match function {
        Function::Grid if body.pointer("/Data/req").is_some() => envelope.to_webhook(),
        Function::Timer | Function::Queue | Function::Activity | Function::Grid | Function::Console => {
            envelope
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn posted(function: &str, body: &str) -> Envelope {
        let unable = Arc::new(Unable { why: "the store is away".to_owned() });
        invoke(State(unable), Path(function.to_owned()), Bytes::from(body.to_owned())).await
    }

    #[tokio::test]
    async fn whatever_comes_there_is_an_envelope() {
        for (function, body, status) in [
            ("queue", "{}", 500),
            ("console", "{}", 200),
            ("nonsense", "{}", 404),
            ("timer", "{", 400),
            ("timer", "", 400),
        ] {
            let envelope = posted(function, body).await;
            assert_eq!(envelope.status, status, "{function} {body}");
            assert!(!envelope.lines.is_empty());
        }
        assert_eq!(nobody(Method::PUT, Uri::from_static("/x/y")).await.status, 404);
    }

    #[tokio::test]
    async fn event_grid_is_told_that_it_is_meant_without_asking_the_store() {
        let body = r#"{"Data": {"req": {"Method": "POST", "Body": "[{\"eventType\": \"Microsoft.EventGrid.SubscriptionValidationEvent\", \"data\": {\"validationCode\": \"c\"}}]"}}}"#;
        let envelope = posted("grid", body).await;
        assert_eq!(envelope.status, 200);
        assert_eq!(envelope.response.unwrap()["body"], "{\"validationResponse\":\"c\"}");
    }
}
