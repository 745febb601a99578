//! To Google Cloud: a token of a workload identity provider's issuer for one of Google's own. What it may do is granted to the
//! federated principal itself, so no service account stands between.
//! <https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token>

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use object_store::gcp::GcpCredential;

use super::{Bearer, Exchange, Refused, Way};
use crate::right::Right;

/// A provider, and the way to it.
#[derive(Debug)]
pub(crate) struct ToGcp {
    pub(crate) way: Way,
    pub(crate) provider: String,
}

#[async_trait]
impl Exchange for ToGcp {
    type Credential = GcpCredential;

    async fn exchange(&self, now: Timestamp) -> Result<Right<GcpCredential>, Refused> {
        let token = self.way.token().await?;
        let answered = self
            .way
            .post(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("audience", &self.provider),
                ("scope", "https://www.googleapis.com/auth/devstorage.read_write"),
                ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                ("subject_token", &token),
            ])
            .await?;
        let Bearer { token, until } = self.way.bearer(&answered, now)?;
        Ok(Right { credential: Arc::new(GcpCredential { bearer: token }), until })
    }
}
