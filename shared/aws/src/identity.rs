//! Who we are in an account: credentials held for as long as they are good, and fetched once however many calls wait for them.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::client::Aws;
use crate::client::service::STS;
use crate::error::{CallError, Misread, TooLate};

/// How to get into a member account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    pub account: String,
    /// The role's name, with its path if it has one: `OrganizationAccountAccessRole`, `landfall/reader`.
    pub role: String,
    pub external_id: Option<String>,
    /// Appears in the member account's CloudTrail; carries the run's id.
    pub session: String,
}

/// The providers of the SDK's chain ask files, the network or another program; each has its own timeouts, none has one for
/// the whole.
const CHAIN: Duration = Duration::from_secs(20);

/// Credentials this close to their end are replaced, so that a call with all its attempts ends before they do.
const MARGIN: Duration = Duration::from_secs(120);

/// For credentials that name no end, as those in environment variables: the SDK's own choice.
const UNDATED: Duration = Duration::from_secs(15 * 60);

/// An hour, because that is the most that a role assumed by a role gets.
const SESSION_SECONDS: u32 = 3600;

/// One identity and what it currently holds.
pub(crate) struct Identity {
    source: Source,
    held: Mutex<Option<Held>>,
}

enum Source {
    /// The process's own, from the SDK's chain.
    Own(SharedCredentialsProvider),
    /// A role in a member account, assumed with the process's own.
    Member(Access),
}

#[derive(Clone)]
struct Held {
    credentials: Credentials,
    until: SystemTime,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Own(_) => f.write_str("own"),
            Source::Member(Access { account, role, .. }) => write!(f, "{role} in {account}"),
        }
    }
}

impl Identity {
    pub(crate) fn own(provider: SharedCredentialsProvider) -> Self {
        Self { source: Source::Own(provider), held: Mutex::default() }
    }

    pub(crate) fn member(access: Access) -> Self {
        Self { source: Source::Member(access), held: Mutex::default() }
    }

    /// The account, where it is known without asking.
    pub(crate) fn account(&self) -> Option<&str> {
        match &self.source {
            Source::Own(_) => None,
            Source::Member(access) => Some(&access.account),
        }
    }

    /// Calls that arrive together wait for one fetch. Credentials near their end that can't be replaced are used to the end.
    pub(crate) async fn credentials(&self, aws: &Aws) -> Result<Credentials, CallError> {
        let mut held = self.held.lock().await;
        let now = aws.now();
        if let Some(Held { credentials, until }) = held.as_ref()
            && now + MARGIN < *until
        {
            return Ok(credentials.clone());
        }
        match (self.fetch(aws).await, held.as_ref()) {
            (Ok(credentials), _) => {
                let until = credentials.expiry().unwrap_or(now + UNDATED + MARGIN);
                *held = Some(Held { credentials: credentials.clone(), until });
                Ok(credentials)
            }
            (Err(error), Some(Held { credentials, until })) if now < *until => {
                tracing::warn!(identity = ?self, error = %error, "credentials could not be renewed yet");
                Ok(credentials.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// A service has refused them as expired: the next call gets new ones.
    pub(crate) async fn forget(&self) {
        *self.held.lock().await = None;
    }

    async fn fetch(&self, aws: &Aws) -> Result<Credentials, CallError> {
        match &self.source {
            Source::Own(provider) => {
                let got = tokio::time::timeout(CHAIN, provider.provide_credentials()).await;
                got.map_err(|_| CallError::NoCredentials { source: Box::new(TooLate(CHAIN)) })?
                    .map_err(|error| CallError::NoCredentials { source: Box::new(error) })
            }
            // Boxed, because that call needs credentials itself: the process's own.
            Source::Member(access) => Box::pin(assume(aws, access)).await,
        }
    }
}

/// A token is exchanged at once.
const TOKEN_SECONDS: u32 = 300;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TokenAnswer {
    get_web_identity_token_result: Token,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    web_identity_token: String,
}

impl Aws {
    /// A token by which another cloud knows the process's own role: the account has to have outbound identity federation enabled.
    pub(crate) async fn web_identity_token(&self, audience: &str) -> Result<String, CallError> {
        let params = [
            ("Audience.member.1", audience.to_owned()),
            ("SigningAlgorithm", "RS256".to_owned()),
            ("DurationSeconds", TOKEN_SECONDS.to_string()),
        ];
        let reply = self.own().query(&STS, self.region(), "GetWebIdentityToken", &params).await?;
        let answer: TokenAnswer = reply.xml()?;
        Ok(answer.get_web_identity_token_result.web_identity_token)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    assume_role_result: Assumed,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assumed {
    credentials: Keys,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

async fn assume(aws: &Aws, access: &Access) -> Result<Credentials, CallError> {
    let Access { account, role, external_id, session } = access;
    let partition = aws.partition().id;
    let mut params = vec![
        ("RoleArn", format!("arn:{partition}:iam::{account}:role/{}", role.trim_start_matches('/'))),
        ("RoleSessionName", session_name(session)),
        ("DurationSeconds", SESSION_SECONDS.to_string()),
    ];
    if let Some(id) = external_id {
        params.push(("ExternalId", id.clone()));
    }
    let reply =
        aws.own().query(&STS, aws.region(), "AssumeRole", &params).await.map_err(|error| match error {
            CallError::Api { code, message, request_id, .. } if crate::error::is_denial(&code) => {
                CallError::AssumeRoleRefused {
                    account: account.clone(),
                    role: role.clone(),
                    code,
                    message,
                    request_id,
                }
            }
            error @ (CallError::Api { .. }
            | CallError::NoCredentials { .. }
            | CallError::AssumeRoleRefused { .. }
            | CallError::Timeout { .. }
            | CallError::Unreachable { .. }
            | CallError::Unreadable { .. }
            | CallError::Explained { .. }
            | CallError::NothingToWrite(_)) => error,
        })?;
    let Answer { assume_role_result: Assumed { credentials: keys } } = reply.xml()?;
    let Keys { access_key_id, secret_access_key, session_token, expiration } = keys;
    // A date that can't be read must not make credentials immortal.
    let until: jiff::Timestamp =
        expiration.parse().map_err(|_| reply.unreadable(Misread::Missing("Expiration")))?;
    tracing::debug!(account = %account, role = %role, "role assumed");
    Ok(Credentials::builder()
        .access_key_id(access_key_id)
        .secret_access_key(secret_access_key)
        .session_token(session_token)
        .expiry(SystemTime::from(until))
        .account_id(account.clone())
        .provider_name("landfall")
        .build())
}

/// STS takes `[\w+=,.@-]{2,64}`.
fn session_name(wanted: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let name: String = wanted.chars().map(|c| if fits(c) { c } else { '-' }).take(64).collect();
    if name.len() < 2 { "landfall".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::session_name;

    #[test]
    fn any_run_id_becomes_a_session_name() {
        assert_eq!(session_name("landfall-01JD"), "landfall-01JD");
        assert_eq!(session_name("run 7/ü:x"), "run-7---x");
        assert_eq!(session_name(""), "landfall");
        assert_eq!(session_name("x"), "landfall");
        assert_eq!(session_name(&"a".repeat(100)).len(), 64);
    }
}
