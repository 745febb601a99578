//! The AWS organization as the engine sees it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use landfall_engine::cloud::{Cloud, Hands, LookError, Page, Reader, Writer};
use landfall_engine::offer;
use landfall_engine::store::fetch::FetchError;
use landfall_engine::store::{BoxError, Store};
use landfall_engine::trust::Footing;
use landfall_engine::warm::{Home, Identity};
use landfall_model::desired::Desired;
use landfall_model::facts::Facts;
use landfall_model::id::{Name, Provider, RunId, TenantId};
use landfall_model::judgement::Judgement;
use landfall_model::manifest::{AwsCloud, Cloud as Ground};
use landfall_model::observed::{Address, Observed};
use landfall_model::target::Target;

use crate::client::Aws;
use crate::controls;
use crate::session::Door;
use crate::store::S3Error;

/// An AWS organization, reached through the roles that its manifest names.
#[derive(Debug, Clone)]
pub struct AwsOrganization {
    name: Name,
    door: Door,
}

impl AwsOrganization {
    /// The organization that the manifest calls `name`.
    pub fn new(aws: Aws, name: Name, ground: AwsCloud) -> Self {
        AwsOrganization { name, door: Door::new(aws, ground) }
    }

    /// The account that the organization belongs to.
    pub fn management_account(&self) -> &str {
        &self.door.ground().management_account
    }

    /// The account a target's settings are in: the organization's own are in the management account.
    fn account<'a>(&'a self, target: &'a Target) -> &'a str {
        match target {
            Target::Tenant(tenant) => tenant.native(),
            Target::Organization(_) => self.management_account(),
        }
    }
}

#[async_trait]
impl Cloud for AwsOrganization {
    fn name(&self) -> &Name {
        &self.name
    }

    fn provider(&self) -> Provider {
        Provider::Aws
    }

    fn addresses(&self, desired: &Desired) -> Vec<Address> {
        offer::addresses::<controls::Aws>(desired)
    }

    fn judge(&self, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        offer::judge::<controls::Aws>(desired, observed)
    }

    async fn forget(&self) {
        self.door.directory().forget_all().await;
    }

    async fn facts(&self, tenant: &TenantId) -> Result<Option<Facts>, LookError> {
        self.door.directory().facts(tenant).await
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError> {
        self.door.directory().page(cursor).await
    }

    fn reader(&self, target: &Target, run: &RunId) -> Box<dyn Reader> {
        offer::reader::<controls::Aws>(self.door.reader(self.account(target), run))
    }
}

impl Hands for AwsOrganization {
    fn writer(&self, target: &Target, run: &RunId) -> Box<dyn Writer> {
        offer::writer::<controls::Aws>(self.door.writer(self.account(target), run))
    }
}

#[async_trait]
impl Identity for Aws {
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html>; RS256, because Entra takes nothing else.
    async fn token(&self, audience: &str) -> Result<String, BoxError> {
        Ok(self.web_identity_token(audience).await?)
    }
}

#[async_trait]
impl Home for Aws {
    type Organization = AwsOrganization;

    const PROVIDER: Provider = Provider::Aws;

    fn footing(&self) -> Footing {
        if self.is_loopback() { Footing::Loopback } else { Footing::Real }
    }

    async fn open(&self, address: &str) -> Result<Arc<dyn Store>, BoxError> {
        Ok(Arc::new(self.store(address)?))
    }

    async fn object(&self, address: &str) -> Result<Option<Bytes>, BoxError> {
        match self.fetch(address).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(S3Error::Fetch(FetchError::Missing { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn organization(&self, name: Name, ground: &Ground) -> Option<Result<AwsOrganization, BoxError>> {
        match ground {
            Ground::Aws(ground) => Some(Ok(AwsOrganization::new(self.clone(), name, ground.clone()))),
            Ground::Azure(_) | Ground::Gcp(_) => None,
        }
    }
}
