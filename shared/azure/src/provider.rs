//! The Azure directory as the engine sees it.

use async_trait::async_trait;

use landfall_engine::cloud::{Cloud, Hands, LookError, Page, Reader, Writer};
use landfall_engine::offer;
use landfall_model::desired::Desired;
use landfall_model::facts::Facts;
use landfall_model::id::{Name, Provider, RunId, TenantId};
use landfall_model::judgement::Judgement;
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed};
use landfall_model::target::Target;

use crate::client::Azure;
use crate::controls;
use crate::error::ConfigError;
use crate::session::Door;

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
