//! The Google Cloud organization as the engine sees it.

use async_trait::async_trait;

use landfall_engine::cloud::{Cloud, Hands, LookError, Page, Reader, Writer};
use landfall_engine::offer;
use landfall_model::desired::Desired;
use landfall_model::facts::Facts;
use landfall_model::id::{Name, Provider, RunId, TenantId};
use landfall_model::judgement::Judgement;
use landfall_model::manifest::GcpCloud;
use landfall_model::observed::{Address, Observed};
use landfall_model::target::Target;

use crate::client::Gcp;
use crate::controls;
use crate::error::ConfigError;
use crate::session::Door;

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
