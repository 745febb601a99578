//! The process's way to AWS: signed calls to any service, through the SDK's own pipeline.
//!
//! The SDK's crate for one service can take a minute to compile and half a megabyte of a function; the calls we make are few
//! and plain. So requests are written by hand ([`protocol`]) and sent through the SDK's orchestrator, which signs them,
//! retries, corrects the clock and gives up in time. It does only what it is given: whatever is left out of [`Client::send`]
//! silently does not happen.
//!
//! Retried are connections that fail, timeouts of one attempt, statuses 500, 502, 503 and 504, and the error codes for
//! throttling and for a skewed clock; nothing else.

pub(crate) mod protocol;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions, sigv4};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
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
use aws_types::app_name::AppName;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use aws_types::{SdkConfig, SigningName};
use bytes::Bytes;
use landfall_engine::governor::Governor;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use self::protocol::{Accepted, Refusal, Reply, Request};
use self::service::{ALL, About, Json, Query, Rest, S3, STS, Service};
use crate::endpoint::{NotARegion, Override, Partition, is_region};
use crate::error::{CallError, ConfigError, Misread, is_expiry};
use crate::http::{CONNECT, Connector};
use crate::identity::{Access, Identity};
use crate::rates::family;

/// How long to try. One policy for every call.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    /// Five attempts with the SDK's backoff span about 15 s of throttling, several times what the slow APIs need to refill.
    pub(crate) attempts: u32,
    pub(crate) first_backoff: Duration,
    /// No call of ours legitimately takes longer to answer.
    pub(crate) attempt: Duration,
    /// All attempts together. A worker near its deadline can spare no more for one call.
    pub(crate) operation: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_backoff: Duration::from_secs(1),
            attempt: Duration::from_secs(10),
            operation: Duration::from_secs(60),
        }
    }
}

/// Identities kept at once. Each holds a kilobyte of credentials; a sweep of ten thousand accounts must not hold them all.
const MEMBERS: usize = 256;

/// In place of the account's id where nobody has asked for it yet.
const OWN: &str = "own";

/// One connector, one credential chain, one clock. Cheap to clone; nothing is sent before the first call.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    connector: Connector,
    region: String,
    /// By the service's name.
    overrides: HashMap<&'static str, Override>,
    clock: SharedTimeSource,
    patience: Patience,
    governor: Arc<Governor>,
    own: Arc<Caller>,
    members: Mutex<Members>,
}

/// One identity in one account, with its own budget of retries: throttling in one account must not use up that of all.
#[derive(Debug)]
struct Caller {
    identity: Identity,
    retries: RetryPartition,
    account: OnceCell<String>,
}

impl Caller {
    fn new(name: String, identity: Identity) -> Arc<Self> {
        let retries = RetryPartition::custom(name).token_bucket(TokenBucket::default()).build();
        Arc::new(Self { identity, retries, account: OnceCell::new() })
    }
}

/// The identities used last, found again so that a role is assumed once and not for every call.
#[derive(Default)]
struct Members {
    clock: u64,
    known: HashMap<Access, (u64, Arc<Caller>)>,
}

impl Members {
    fn get(&mut self, access: &Access) -> Arc<Caller> {
        self.clock += 1;
        if let Some((used, caller)) = self.known.get_mut(access) {
            *used = self.clock;
            return Arc::clone(caller);
        }
        if self.known.len() >= MEMBERS
            && let Some(oldest) =
                self.known.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone())
        {
            self.known.remove(&oldest);
        }
        let caller = Caller::new(access.account.clone(), Identity::member(access.clone()));
        self.known.insert(access.clone(), (self.clock, Arc::clone(&caller)));
        caller
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.0.region)
            .field("overrides", &self.0.overrides)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// From the environment that the SDK reads: region, credentials (variables, profile, container, Lambda) and
    /// `AWS_ENDPOINT_URL`, with `AWS_ENDPOINT_URL_<SERVICE>` for one service.
    pub async fn from_env(governor: Arc<Governor>) -> Result<Self, ConfigError> {
        let connector = Connector::new(Patience::default().attempt);
        // Without the last step of the SDK's own chain, which asks the instance's metadata service over the network.
        let region = aws_config::meta::region::RegionProviderChain::first_try(
            aws_config::environment::EnvironmentVariableRegionProvider::new(),
        )
        .or_else(aws_config::profile::ProfileFileRegionProvider::default());
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(connector.client())
            .region(region)
            .load()
            .await;
        Self::new(&config, connector, Patience::default(), governor)
    }

    pub(crate) fn new(
        config: &SdkConfig,
        connector: Connector,
        patience: Patience,
        governor: Arc<Governor>,
    ) -> Result<Self, ConfigError> {
        if config.use_fips() == Some(true) {
            return Err(ConfigError::NotHonoured("AWS_USE_FIPS_ENDPOINT"));
        }
        if config.use_dual_stack() == Some(true) {
            return Err(ConfigError::NotHonoured("AWS_USE_DUALSTACK_ENDPOINT"));
        }
        let region = config.region().map(|region| region.as_ref().to_owned()).ok_or(ConfigError::NoRegion)?;
        if !is_region(&region) {
            return Err(ConfigError::Region(NotARegion::new(&region)));
        }
        let provider = config.credentials_provider().ok_or(ConfigError::NoCredentials)?;
        let clock = config.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new()));
        Ok(Self(Arc::new(Inner {
            connector,
            region,
            overrides: overrides(config)?,
            clock,
            patience,
            governor,
            own: Caller::new(OWN.to_owned(), Identity::own(provider)),
            members: Mutex::default(),
        })))
    }

    /// The identity this process runs as.
    #[must_use]
    pub fn own(&self) -> Client {
        Client { aws: self.clone(), caller: Arc::clone(&self.0.own) }
    }

    /// A role in another account. It is assumed at the first call, and once for all clients of the same access.
    #[must_use]
    pub fn member(&self, access: &Access) -> Client {
        Client { aws: self.clone(), caller: self.members().get(access) }
    }

    /// The region this process lives in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.region
    }

    #[must_use]
    pub fn partition(&self) -> &'static Partition {
        Partition::of_region(&self.0.region)
    }

    /// Whether every service that we call, without exception, is on this machine: nothing said here reaches AWS.
    #[must_use]
    pub fn endpoints_are_loopback(&self) -> bool {
        ALL.iter().all(|about| self.override_of(about).is_some_and(Override::is_loopback))
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.0.connector
    }

    pub(crate) fn s3_override(&self) -> Option<&Override> {
        self.override_of(&S3)
    }

    pub(crate) fn s3_host(&self, region: &str) -> Result<String, NotARegion> {
        Ok(S3.host.address(region)?.host)
    }

    /// The identity's credentials, for the store, which signs its own requests.
    pub(crate) async fn own_credentials(&self) -> Result<aws_credential_types::Credentials, CallError> {
        self.0.own.identity.credentials(self).await
    }

    pub(crate) fn is_overridden(&self, about: &About) -> bool {
        self.override_of(about).is_some()
    }

    fn override_of(&self, about: &About) -> Option<&Override> {
        self.0.overrides.get(about.name)
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Nothing in there can be left half done.
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The endpoints that the environment sets. The SDK would only log one that is no URL, and go on to the real cloud.
fn overrides(config: &SdkConfig) -> Result<HashMap<&'static str, Override>, ConfigError> {
    let mut overrides = HashMap::new();
    for about in ALL {
        let key = ServiceConfigKey::builder()
            .service_id(about.sdk_id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        // An explicit endpoint of the configuration comes last: it is what the environment's general one became.
        let set = key
            .ok()
            .and_then(|key| config.service_config()?.load_config(key))
            .or_else(|| config.endpoint_url().map(str::to_owned));
        if let Some(text) = set {
            let endpoint = Override::parse(&text)
                .map_err(|source| ConfigError::Endpoint { service: about.name, source })?;
            overrides.insert(about.name, endpoint);
        }
    }
    Ok(overrides)
}

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
            let looks_right = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
            if looks_right { Ok(account) } else { Err(reply.unreadable(Misread::Missing("Account"))) }
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
