//! The process's way to AWS: signed calls to any service, through the SDK's own pipeline.
//!
//! The SDK's crate for one service can take a minute to compile and half a megabyte of a function; the calls we make are few
//! and plain. So requests are written by hand ([`protocol`]) and sent through the SDK's orchestrator, which signs them,
//! retries, corrects the clock and gives up in time. It does only what it is given: whatever is left out of [`Client::send`]
//! silently does not happen.
//!
//! Retried are connections that fail, timeouts of one attempt, statuses 500, 502, 503 and 504, and the error codes for
//! throttling and for a skewed clock; nothing else. That goes for writes as well: a write whose answer was lost is sent again,
//! so a create may be told that its thing exists already, and callers look again before they believe it.
//!
//! One thing is left out on purpose: the SDK's interceptor that marks calls from one Lambda function to itself. A worker that
//! puts its own continuation on the queue would be taken for an endless loop and stopped after sixteen turns.

mod aws;
pub(crate) mod protocol;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions, sigv4};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, SensitiveOutput};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::app_name::AppName;
use aws_types::region::{Region, SigningRegion};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

pub use self::aws::Aws;
use self::aws::{Caller, OWN, Patience};
use self::protocol::{Accepted, Refusal, Reply, Request};
use self::service::{About, Json, Query, Rest, STS, Service};
use crate::endpoint::{NotAnAccount, is_account};
use crate::error::{CallError, Misread, is_expiry};
use crate::http::CONNECT;
use crate::rates::family;

/// Calls made as one identity.
#[derive(Clone, Debug)]
pub struct Client {
    aws: Aws,
    caller: Arc<Caller>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity {
    get_caller_identity_result: CallerAccount,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CallerAccount {
    account: String,
}

impl Client {
    /// A call to a JSON service.
    pub(crate) async fn json(
        &self,
        service: &Service<Json>,
        region: &str,
        operation: &'static str,
        body: Value,
    ) -> Result<Reply, CallError> {
        self.send(&service.about, region, operation, service.protocol.request(operation, &body)).await
    }

    /// All pages of a JSON operation that pages with `NextToken`. A page may be empty and still have a next one.
    pub(crate) async fn json_pages(
        &self,
        service: &Service<Json>,
        region: &str,
        operation: &'static str,
        mut body: Value,
    ) -> Result<Vec<Reply>, CallError> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(rename = "NextToken")]
            next: Option<String>,
        }
        let mut pages = Vec::new();
        let mut last = None;
        loop {
            let reply = self.json(service, region, operation, body.clone()).await?;
            let Page { next } = reply.json()?;
            match next.filter(|token| !token.is_empty()) {
                Some(token) if last.as_ref() == Some(&token) => {
                    return Err(reply.unreadable(Misread::SamePage));
                }
                Some(token) => {
                    pages.push(reply);
                    if let Value::Object(fields) = &mut body {
                        fields.insert("NextToken".to_owned(), Value::String(token.clone()));
                    }
                    last = Some(token);
                }
                None => {
                    pages.push(reply);
                    return Ok(pages);
                }
            }
        }
    }

    /// A call to a Query service.
    pub(crate) async fn query(
        &self,
        service: &Service<Query>,
        region: &str,
        operation: &'static str,
        params: &[(&str, String)],
    ) -> Result<Reply, CallError> {
        self.send(&service.about, region, operation, service.protocol.request(operation, params)).await
    }

    /// A call to a REST service. `path` is percent-encoded and carries the query; an empty body is none.
    pub(crate) async fn rest(
        &self,
        service: &Service<Rest>,
        region: &str,
        operation: &'static str,
        method: http::Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Reply, CallError> {
        let request = service.protocol.request(method, path, body.into());
        self.send(&service.about, region, operation, request).await
    }

    /// The account this identity is in. Our own is asked for once.
    pub async fn account(&self) -> Result<&str, CallError> {
        if let Some(account) = self.caller.identity.account() {
            return Ok(account);
        }
        let ask = async {
            let reply = self.query(&STS, self.aws.region(), "GetCallerIdentity", &[]).await?;
            let CallerIdentity { get_caller_identity_result: CallerAccount { account } } = reply.xml()?;
            if is_account(&account) {
                Ok(account)
            } else {
                Err(reply.unreadable(Misread::Missing("Account")))
            }
        };
        self.caller.account.get_or_try_init(|| ask).await.map(String::as_str)
    }

    async fn send(
        &self,
        about: &About,
        region: &str,
        operation: &'static str,
        mut request: Request,
    ) -> Result<Reply, CallError> {
        let service = about.name;
        let unreachable = |source| CallError::Unreachable { service, operation, source };
        let address = about.host.address(region).map_err(|error| unreachable(Box::new(error)))?;
        let mut host = address.host;
        if about.account_in_host {
            let account = Box::pin(self.account()).await?;
            if !is_account(account) {
                return Err(unreachable(Box::new(NotAnAccount::new(account))));
            }
            host = format!("{account}.{host}");
            request.headers.push(("x-amz-account-id", account.to_owned()));
        }
        // An endpoint that somebody set is used as it is, without the account in front: it is one machine's address.
        let url = match self.aws.override_of(about) {
            Some(endpoint) => endpoint.as_str().to_owned(),
            None => format!("https://{host}"),
        };
        // Before the first attempt only: those that follow wait by themselves. The credentials come after, fresh.
        let account = self.caller.identity.account().unwrap_or(OWN);
        self.aws.0.governor.ready(account, &family(service, operation)).await;
        let credentials = self.caller.identity.credentials(&self.aws).await?;

        let mut config = Layer::new("landfall");
        config.store_put(AuthSchemeOptionResolverParams::new(()));
        config.store_put(ApiMetadata::new(service, env!("CARGO_PKG_VERSION")));
        if let Ok(name) = AppName::new("landfall") {
            config.store_put(name);
        }
        // Answers may hold credentials: the pipeline's own trace logs leave them out.
        config.store_put(SensitiveOutput);
        config.store_put(self.caller.retries.clone());
        let mut signing_options = SigningOptions::default();
        if about.signing_name == "s3" {
            signing_options.content_sha256_header = true;
            signing_options.double_uri_encode = false;
            signing_options.normalize_uri_path = false;
        }
        config.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(Region::new(address.signing_region))),
            name: Some(SigningName::from_static(about.signing_name)),
            signing_options,
            ..Default::default()
        });
        let components = RuntimeComponentsBuilder::new("landfall")
            .with_auth_scheme(sigv4::SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
                sigv4::SCHEME_ID,
            ])))
            .with_identity_cache(Some(IdentityCache::no_cache()))
            .with_identity_resolver(
                sigv4::SCHEME_ID,
                SharedIdentityResolver::new(SharedCredentialsProvider::new(credentials)),
            );
        let Patience { attempts, first_backoff, attempt, operation: whole } = self.aws.0.patience;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(attempt)
            .operation_timeout(whole)
            .build();
        let outcome = Operation::builder()
            .service_name(service)
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .interceptor(ServiceClockSkewInterceptor::new())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(UserAgentInterceptor::new())
            .with_connection_poisoning()
            .timeout_config(timeouts)
            .http_client(self.aws.0.connector.client())
            .endpoint_url(&url)
            .standard_retry(
                &RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(first_backoff),
            )
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
            .sleep_impl(TokioSleep::new())
            .time_source(self.aws.0.clock.clone())
            .runtime_plugin(
                StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components),
            )
            .serializer(protocol::serialize)
            .deserializer(protocol::deserialize)
            .build()
            .invoke(request)
            .await;
        match outcome {
            Ok(Accepted { status, body, request_id }) => {
                Ok(Reply { service, operation, status, body: body.0, request_id })
            }
            Err(error) => {
                let error = explain(service, operation, error);
                if error.code().is_some_and(is_expiry) {
                    self.caller.identity.forget().await;
                }
                tracing::debug!(service, operation, region, error = %error, "call failed");
                Err(error)
            }
        }
    }
}

/// What the pipeline's error means to a caller.
fn explain(
    service: &'static str,
    operation: &'static str,
    error: SdkError<Refusal, HttpResponse>,
) -> CallError {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    match error {
        SdkError::ServiceError(refused) => {
            let Refusal { status, meta, request_id, misread } = refused.into_err();
            match misread {
                Some(why) => {
                    CallError::Unreadable { service, operation, status, request_id, source: Box::new(why) }
                }
                None => CallError::Api {
                    service,
                    operation,
                    status,
                    code: meta.code().unwrap_or_default().to_owned(),
                    message: meta.message().unwrap_or_default().to_owned(),
                    request_id,
                },
            }
        }
        SdkError::TimeoutError(_) => CallError::Timeout { service, operation, source: Box::new(error) },
        SdkError::DispatchFailure(ref failure) if failure.is_timeout() => {
            CallError::Timeout { service, operation, source: Box::new(error) }
        }
        SdkError::ResponseError(_) => {
            CallError::Unreadable { service, operation, status, request_id: None, source: Box::new(error) }
        }
        // Not sent, or not to be sent: the enum grows without notice.
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) | _ => {
            CallError::Unreachable { service, operation, source: Box::new(error) }
        }
    }
}
