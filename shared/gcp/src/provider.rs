//! The Google Cloud organization as the engine sees it.

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
use landfall_model::manifest::{Cloud as Ground, GcpCloud};
use landfall_model::observed::{Address, Observed};
use landfall_model::target::Target;

use crate::client::Gcp;
use crate::controls;
use crate::error::ConfigError;
use crate::session::Door;
use crate::store::BucketError;

/// A Google Cloud organization and its folders, reached by the service accounts that the manifest names.
#[derive(Debug, Clone)]
pub struct GcpOrganization {
    name: Name,
    door: Door,
}

impl GcpOrganization {
    /// The organization that the manifest calls `name`.
    pub fn new(gcp: &Gcp, name: Name, ground: GcpCloud) -> Result<Self, ConfigError> {
        Ok(GcpOrganization { name, door: Door::new(gcp, ground)? })
    }
}

/// The project a target's settings are in; the organization's own are in none.
fn project(target: &Target) -> &str {
    match target {
        Target::Tenant(tenant) => tenant.native(),
        Target::Organization(_) => "",
    }
}

#[async_trait]
impl Cloud for GcpOrganization {
    fn name(&self) -> &Name {
        &self.name
    }

    fn provider(&self) -> Provider {
        Provider::Gcp
    }

    fn addresses(&self, desired: &Desired) -> Vec<Address> {
        offer::addresses::<controls::Gcp>(desired)
    }

    fn judge(&self, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        offer::judge::<controls::Gcp>(desired, observed)
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

    fn reader(&self, target: &Target, _: &RunId) -> Box<dyn Reader> {
        offer::reader::<controls::Gcp>(self.door.reader(project(target)))
    }
}

impl Hands for GcpOrganization {
    fn writer(&self, target: &Target, _: &RunId) -> Box<dyn Writer> {
        offer::writer::<controls::Gcp>(self.door.writer(project(target)))
    }
}

#[async_trait]
impl Identity for Gcp {
    async fn token(&self, audience: &str) -> Result<String, BoxError> {
        Ok(self.identity_token(audience).await?)
    }
}

#[async_trait]
impl Home for Gcp {
    type Organization = GcpOrganization;

    const PROVIDER: Provider = Provider::Gcp;

    fn footing(&self) -> Footing {
        if self.is_loopback() { Footing::Loopback } else { Footing::Real }
    }

    async fn open(&self, address: &str) -> Result<Arc<dyn Store>, BoxError> {
        Ok(Arc::new(self.store(address).await?))
    }

    async fn object(&self, address: &str) -> Result<Option<Bytes>, BoxError> {
        match self.fetch(address).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BucketError::Fetch(FetchError::Missing { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn organization(&self, name: Name, ground: &Ground) -> Option<Result<GcpOrganization, BoxError>> {
        match ground {
            Ground::Gcp(ground) => Some(GcpOrganization::new(self, name, ground.clone()).map_err(Into::into)),
            Ground::Aws(_) | Ground::Azure(_) => None,
        }
    }
}
