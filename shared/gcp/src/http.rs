//! The one connector: HTTP and TLS (rustls with ring) for our own calls and the store alike.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use landfall_engine::here::{self, refuse_plain_text};
use object_store::client::{
    HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use url::Url;

use crate::error::{ConfigError, tidy};

/// Longer than any of our calls takes; what goes on longer is polled.
pub(crate) const ANSWER: Duration = Duration::from_secs(30);

/// Google's public cloud: every API is a host below it. Clouds that are apart from it have another name here.
pub(crate) const UNIVERSE: &str = "googleapis.com";

/// Who we say we are.
const AGENT: &str = concat!("landfall/", env!("CARGO_PKG_VERSION"));

/// A connection that is not there after this long won't come.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection pool that follows no redirects: nothing of ours is ever sent to where an answer points.
pub(crate) fn client() -> Result<reqwest::Client, ConfigError> {
    // One provider for the whole process. A second one can only be refused where one is set already, which is the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(AGENT)
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|source| ConfigError::Http { source })
}

/// `http://127.0.0.1:PORT` and nothing more; the environment's `variable` said it.
pub(crate) fn on_this_machine(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    here::on_this_machine(text).ok_or_else(|| ConfigError::NotLoopback { variable, text: tidy(text) })
}

/// The same connections in the form in which object_store takes them. Its own use of reqwest would bring HTTP/2 and a pool of its own.
#[derive(Clone, Debug)]
pub struct Connector {
    client: reqwest::Client,
    /// How long one answer may take, with its body.
    answer: Duration,
}

impl Connector {
    pub(crate) const fn new(client: reqwest::Client, answer: Duration) -> Self {
        Connector { client, answer }
    }
}

impl HttpConnector for Connector {
    fn connect(
        &self,
        _: &object_store::ClientOptions,
    ) -> object_store::Result<object_store::client::HttpClient> {
        Ok(object_store::client::HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        refuse_plain_text(&request)?;
        let (parts, body) = request.into_parts();
        let body = match body.as_bytes() {
            Some(bytes) => reqwest::Body::from(bytes.clone()),
            None => reqwest::Body::wrap(body),
        };
        let mut request: reqwest::Request =
            ::http::Request::from_parts(parts, body).try_into().map_err(failed)?;
        *request.timeout_mut() = Some(self.answer);
        let response: ::http::Response<reqwest::Body> =
            self.client.execute(request).await.map_err(failed)?.into();
        let (parts, body) = response.into_parts();
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body.map_err(failed))))
    }
}

/// What object_store may try again depends on the kind: a request that never left is safe, one whose answer was lost is not. The
/// address is left out, since it may hold a right; object_store names the object.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_request() || error.is_body() || error.is_decode() {
        // It broke after it had left. Nothing is compressed, so what can't be decoded ended too early.
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}
