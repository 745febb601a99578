//! The Azure directory as the engine sees it.

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
use landfall_model::manifest::{AzureCloud, Cloud as Ground};
use landfall_model::observed::{Address, Observed};
use landfall_model::target::Target;

use crate::client::Azure;
use crate::controls;
use crate::error::ConfigError;
use crate::session::Door;
use crate::store::BlobError;

/// An Azure directory and the management groups below its root, reached by the identities that the manifest names.
#[derive(Debug, Clone)]
pub struct AzureOrganization {
    name: Name,
    door: Door,
}

impl AzureOrganization {
    /// The directory that the manifest calls `name`.
    pub fn new(azure: &Azure, name: Name, ground: AzureCloud) -> Result<Self, ConfigError> {
        Ok(AzureOrganization { name, door: Door::new(azure, ground)? })
    }
}

/// The subscription a target's settings are in; the organization's own are in none.
fn subscription(target: &Target) -> &str {
    match target {
        Target::Tenant(tenant) => tenant.native(),
        Target::Organization(_) => "",
    }
}

#[async_trait]
impl Cloud for AzureOrganization {
    fn name(&self) -> &Name {
        &self.name
    }

    fn provider(&self) -> Provider {
        Provider::Azure
    }

    fn addresses(&self, desired: &Desired) -> Vec<Address> {
        offer::addresses::<controls::Azure>(desired)
    }

    fn judge(&self, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        offer::judge::<controls::Azure>(desired, observed)
    }

    async fn forget(&self) {
        self.door.directory().forget_all().await;
    }

    async fn facts(&self, tenant: &TenantId) -> Result<Option<Facts>, LookError> {
        self.door.directory().facts(tenant).await
    }

    async fn is_in_use(&self, tenant: &TenantId) -> Result<bool, LookError> {
        self.door.directory().is_in_use(tenant).await
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError> {
        self.door.directory().page(cursor).await
    }

    fn reader(&self, target: &Target, _: &RunId) -> Box<dyn Reader> {
        offer::reader::<controls::Azure>(self.door.reader(subscription(target)))
    }
}

impl Hands for AzureOrganization {
    fn writer(&self, target: &Target, _: &RunId) -> Box<dyn Writer> {
        offer::writer::<controls::Azure>(self.door.writer(subscription(target)))
    }
}

#[async_trait]
impl Identity for Azure {
    async fn token(&self, audience: &str) -> Result<String, BoxError> {
        Ok(self.identity_token(audience).await?)
    }
}

#[async_trait]
impl Home for Azure {
    type Organization = AzureOrganization;

    const PROVIDER: Provider = Provider::Azure;

    fn footing(&self) -> Footing {
        if self.is_loopback() { Footing::Loopback } else { Footing::Real }
    }

    async fn open(&self, address: &str) -> Result<Arc<dyn Store>, BoxError> {
        Ok(Arc::new(self.store(address)?))
    }

    async fn object(&self, address: &str) -> Result<Option<Bytes>, BoxError> {
        match self.fetch(address).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BlobError::Fetch(FetchError::Missing { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn organization(&self, name: Name, ground: &Ground) -> Option<Result<AzureOrganization, BoxError>> {
        match ground {
            Ground::Azure(ground) => {
                Some(AzureOrganization::new(self, name, ground.clone()).map_err(Into::into))
            }
            Ground::Aws(_) | Ground::Gcp(_) => None,
        }
    }
}
