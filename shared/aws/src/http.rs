//! The one connector: HTTP and TLS (rustls with ring) for the SDK's credentials, our own calls and the store alike.

use std::error::Error;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector as SdkConnector, tls};
use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector as _, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use landfall_engine::here::refuse_plain_text;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};

/// Nothing in a cloud's own network takes longer to accept a connection.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);

/// Pooled connections to AWS; cheap to clone.
#[derive(Clone, Debug)]
pub struct Connector(SharedHttpConnector);

impl Connector {
    /// `answer` bounds the wait for the first byte of an answer. The settings live on the connector because those that the
    /// SDK and the store pass along are not looked at by a connector that is already built.
    pub(crate) fn new(answer: Duration) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(answer).build();
        let connector = SdkConnector::builder()
            .connector_settings(settings)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build();
        Self(SharedHttpConnector::new(connector))
    }

    /// In the form in which the SDK takes it.
    pub(crate) fn client(&self) -> SharedHttpClient {
        let connector = self.0.clone();
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &object_store::ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        refuse_plain_text(&request)?;
        let (parts, body) = request.into_parts();
        // A body in memory stays cloneable and keeps its Content-Length.
        let body = match body.as_bytes() {
            Some(bytes) => SdkBody::from(bytes.clone()),
            None => SdkBody::from_body_1_x(body),
        };
        let request = http::Request::from_parts(parts, body)
            .try_into()
            .map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let response = self.0.call(request).await.map_err(|error| HttpError::new(kind(&error), error))?;
        let (parts, body) = response
            .try_into_http1x()
            .map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?
            .into_parts();
        let body = body.map_err(|error| HttpError::new_boxed(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

/// What object_store may try again depends on this: a request that never left is safe, one whose answer was lost is not.
fn kind(error: &ConnectorError) -> HttpErrorKind {
    if never_left(error) {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_io() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    }
}

fn never_left(error: &ConnectorError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<ResolveDnsError>() {
            return true;
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return matches!(
                io.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
            );
        }
        cause = error.source();
    }
    false
}
