//! To Azure: the token is the assertion by which an application, or a managed identity, proves who it is.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>, third case

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use object_store::azure::AzureCredential;

use super::{Bearer, Exchange, Refused, Way};
use crate::right::Right;

/// An application, and the way to it.
#[derive(Debug)]
pub(crate) struct ToAzure {
    pub(crate) way: Way,
    pub(crate) client: String,
}

#[async_trait]
impl Exchange for ToAzure {
    type Credential = AzureCredential;

    async fn exchange(&self, now: Timestamp) -> Result<Right<AzureCredential>, Refused> {
        let token = self.way.token().await?;
        let answered = self
            .way
            .post(&[
                ("grant_type", "client_credentials"),
                ("client_id", &self.client),
                // The audience of blobs in all of Microsoft's clouds.
                ("scope", "https://storage.azure.com/.default"),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &token),
            ])
            .await?;
        let Bearer { token, until } = self.way.bearer(&answered, now)?;
        Ok(Right { credential: Arc::new(AzureCredential::BearerToken(token)), until })
    }
}
