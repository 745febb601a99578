//! To AWS: AssumeRoleWithWebIdentity, which is not signed: the token is what proves.
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use object_store::aws::AwsCredential;
use serde::Deserialize;

use super::{Exchange, Refused, Way};
use crate::right::Right;

/// A role, and the way to it.
#[derive(Debug)]
pub(crate) struct ToAws {
    pub(crate) way: Way,
    pub(crate) role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    assume_role_with_web_identity_result: Assumed,
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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error: Said,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    code: String,
    #[serde(default)]
    message: String,
}

#[async_trait]
impl Exchange for ToAws {
    type Credential = AwsCredential;

    async fn exchange(&self, _: Timestamp) -> Result<Right<AwsCredential>, Refused> {
        let token = self.way.token().await?;
        let answered = self
            .way
            .post(&[
                ("Action", "AssumeRoleWithWebIdentity"),
                ("Version", "2011-06-15"),
                ("RoleArn", &self.role),
                // Stands in AWS's own trail beside the token's subject.
                ("RoleSessionName", "landfall"),
                ("WebIdentityToken", &token),
            ])
            .await?;
        if !answered.status.is_success() {
            let said = quick_xml::de::from_reader::<_, Failure>(&*answered.body).map(|failure| failure.error);
            let (code, message) = said.map(|said| (said.code, said.message)).unwrap_or_default();
            return Err(self.way.denied(answered.status, &code, &message));
        }
        // The error of a reader may quote what it read, and that is a key.
        let unreadable = || self.way.unreadable("it is not AssumeRoleWithWebIdentity's answer".to_owned());
        let Answer { assume_role_with_web_identity_result: Assumed { credentials } } =
            quick_xml::de::from_reader(&*answered.body).map_err(|_| unreadable())?;
        let Keys { access_key_id, secret_access_key, session_token, expiration } = credentials;
        let until = expiration.parse().map_err(|_| unreadable())?;
        let credential = AwsCredential {
            key_id: access_key_id,
            secret_key: secret_access_key,
            token: Some(session_token),
        };
        Ok(Right { credential: Arc::new(credential), until })
    }
}
