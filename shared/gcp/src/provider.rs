//! The Google Cloud organization as the engine sees it.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;

use landfall_engine::cloud::{Cloud, Hands, LookError, Made, Page, Reader, Sighting, Writer};
use landfall_model::desired::Desired;
use landfall_model::facts::Facts;
use landfall_model::id::{Name, Provider, RunId, TenantId};
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::manifest::GcpCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;
use landfall_model::target::Target;

use crate::client::Gcp;
use crate::controls::{Offer, offer};
use crate::error::ConfigError;
use crate::session::{self, Door};

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
        let mut addresses: Vec<Address> = desired
            .asked
            .iter()
            .flat_map(|asked| match offer(asked.control) {
                Offer::Control(control) => control.addresses(asked, desired),
                Offer::NotOffered(_) => Vec::new(),
            })
            .collect();
        // Two controls may look at one setting; it is looked at once.
        addresses.sort();
        addresses.dedup();
        addresses
    }

    fn judge(&self, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        desired
            .asked
            .iter()
            .flat_map(|asked| match offer(asked.control) {
                Offer::Control(control) => control.judge(asked, desired, observed),
                Offer::NotOffered(why) => vec![Judgement {
                    control: asked.control,
                    address: Address::global(asked.control, "gcp"),
                    verdict: Verdict::NotApplicable { why: why.to_owned() },
                }],
            })
            .collect()
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
        Box::new(Eyes(self.door.reader(project(target))))
    }
}

impl Hands for GcpOrganization {
    fn writer(&self, target: &Target, _: &RunId) -> Box<dyn Writer> {
        Box::new(Hand(self.door.writer(project(target))))
    }
}

struct Eyes(session::Reader);

#[async_trait]
impl Reader for Eyes {
    async fn look(&self, desired: &Desired, address: &Address) -> Sighting {
        match offer(address.control) {
            Offer::Control(control) => control.look(&self.0, desired, address).await,
            Offer::NotOffered(why) => Sighting { seen: Seen::NotOffered(why.to_owned()), request: None },
        }
    }
}

struct Hand(session::Writer);

#[async_trait]
impl Writer for Hand {
    async fn write(&self, change: &Change, made: &Made) -> Result<Value, String> {
        match offer(change.address.control) {
            Offer::Control(control) => control.write(&self.0, change, made).await,
            Offer::NotOffered(why) => Err(why.to_owned()),
        }
    }
}

impl fmt::Debug for Eyes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Eyes").field(&self.0.0.project).finish()
    }
}

impl fmt::Debug for Hand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hand").field(&self.0.0.project).finish()
    }
}
