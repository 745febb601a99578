//! What the engine asks of a cloud. Looking and writing are two traits: a plan is made with hands that can't write.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_model::desired::Desired;
use landfall_model::facts::Facts;
use landfall_model::id::{Name, Provider, RunId, TenantId};
use landfall_model::judgement::Judgement;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId};
use landfall_model::target::Target;

/// One cloud organization, as far as it can be looked at.
#[async_trait]
pub trait Cloud: fmt::Debug + Send + Sync {
    /// The manifest's name of it.
    fn name(&self) -> &Name;

    /// Whose platform it is.
    fn provider(&self) -> Provider;

    /// What has to be looked at to judge what is desired. Pure.
    fn addresses(&self, desired: &Desired) -> Vec<Address>;

    /// Judges every setting by what was seen. Pure.
    fn judge(&self, desired: &Desired, observed: &Observed) -> Vec<Judgement>;

    /// Looks up anew what it remembers of the organization to find things by. A sweep remembers, so that a thousand tenants don't
    /// ask the same; a run of its own does not.
    async fn forget(&self);

    /// What the organization's directory says of a tenant; nothing when it does not know it.
    async fn facts(&self, tenant: &TenantId) -> Result<Option<Facts>, LookError>;

    /// Whether somebody works in a tenant already. Asked only of one that would be gated for the first time, and only a cloud that can't
    /// tell how a tenant came has to look: what is in use came from elsewhere, whatever the inventory says, and is never gated.
    async fn is_in_use(&self, _: &TenantId) -> Result<bool, LookError> {
        Ok(false)
    }

    /// One page of the organization's tenants. A page may be empty and still have one after it.
    async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError>;

    /// Someone who can look at a target's settings, on behalf of a run.
    fn reader(&self, target: &Target, run: &RunId) -> Box<dyn Reader>;
}

/// One cloud organization, as far as it can be written.
pub trait Hands: fmt::Debug + Send + Sync {
    /// Someone who can write a target's settings, on behalf of a run.
    fn writer(&self, target: &Target, run: &RunId) -> Box<dyn Writer>;
}

/// Looks at settings; can't write.
#[async_trait]
pub trait Reader: Send + Sync {
    /// Looks at one setting. Not being able to look is an answer, so this can't fail.
    async fn look(&self, desired: &Desired, address: &Address) -> Sighting;
}

/// Writes settings.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Makes one change, which says all that the write needs. Create means create-if-absent, delete means gone-afterwards: twice is
    /// normal.
    async fn write(&self, change: &Change, made: &Made) -> Result<Value, String>;
}

/// What the changes before have made, such as new ids.
pub type Made = BTreeMap<ChangeId, Value>;

/// What one look found, and the cloud's id of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What was found.
    pub seen: Seen,
    /// The cloud's id of the request, for its own log.
    pub request: Option<String>,
}

/// One page of the organization's tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Who is on it.
    pub tenants: Vec<Surveyed>,
    /// Where the next page begins; nothing at the end.
    pub next: Option<String>,
}

/// What the organization's directory says of one tenant on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surveyed {
    /// Who it is.
    pub tenant: TenantId,
    /// What it is.
    pub facts: Facts,
    /// Settings that the directory showed anyway, such as its place in the tree.
    pub seen: Observed,
}

/// The organization's directory could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {doing}: {why}")]
pub struct LookError {
    /// What we tried.
    pub doing: String,
    /// The cloud's reason, for people.
    pub why: String,
}
