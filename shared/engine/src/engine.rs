//! Everything a run works with, and the few things it takes from the world: the time and the dice.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use landfall_model::id::{RunId, SweepId};
use landfall_model::manifest::Limits;
use landfall_model::manifest::bundle::Bundle;
use landfall_model::report::Provenance;
use landfall_model::target::Target;

use crate::cloud::{Cloud, Hands, LookError};
use crate::queue::{Outbox, QueueError};
use crate::store::{KeyError, Store, StoreError};

/// A bundle that was proven, or that runs on loopback only, and who vouches for it.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The bundle.
    pub bundle: Arc<Bundle>,
    /// Who vouches for it.
    pub provenance: Provenance,
}

/// The time, as an argument.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The dice, as an argument: 32 bits that tell two runs of one second apart.
pub trait Dice: fmt::Debug + Send + Sync {
    /// Rolls.
    fn roll(&self) -> u32;
}

/// The operating system's own randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDice;

impl Dice for SystemDice {
    fn roll(&self) -> u32 {
        use ring::rand::SecureRandom as _;
        let mut bytes = [0u8; 4];
        // Without randomness two runs of one second could share a name; the lease still keeps them apart.
        match ring::rand::SystemRandom::new().fill(&mut bytes) {
            Ok(()) => u32::from_be_bytes(bytes),
            Err(_) => std::process::id(),
        }
    }
}

/// When a run has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Timestamp);

impl Deadline {
    /// Work that is not begun this long before the deadline is left for the next run: enough for one slow call to a cloud and
    /// the entries that tell of it.
    pub const MARGIN: SignedDuration = SignedDuration::from_secs(3);

    /// Whether something new may still be begun.
    pub fn allows(&self, now: Timestamp) -> bool {
        now + Deadline::MARGIN < self.0
    }
}

/// Everything a run works with.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where work is left for later.
    pub queue: Arc<dyn Outbox>,
    /// The cloud, to look at.
    pub cloud: Arc<dyn Cloud>,
    /// The cloud, to write.
    pub hands: Arc<dyn Hands>,
    /// What must hold.
    pub trusted: Trusted,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub dice: Arc<dyn Dice>,
    /// How much this process's runs may change, instead of the manifest's limits.
    pub limits: Option<Limits>,
}

impl Engine {
    /// A new run's name.
    pub fn new_run(&self) -> RunId {
        RunId::new(self.clock.now(), self.dice.roll())
    }

    /// A new sweep's name.
    pub fn new_sweep(&self) -> SweepId {
        SweepId::new(self.clock.now(), self.dice.roll())
    }

    /// Whether a target belongs to the cloud that this engine works on.
    pub fn serves(&self, target: &Target) -> Result<(), EngineError> {
        serves(&*self.cloud, target)
    }

    /// How much a run may change.
    pub fn limits(&self) -> Limits {
        self.limits.unwrap_or(self.trusted.bundle.manifest().limits)
    }
}

/// Whether a target belongs to a cloud: another organization's would be reconciled under a lease and a history of its own.
pub(crate) fn serves(cloud: &dyn Cloud, target: &Target) -> Result<(), EngineError> {
    let ours = match target {
        Target::Organization(name) => name == cloud.name(),
        Target::Tenant(tenant) => tenant.provider() == cloud.provider(),
    };
    if ours {
        Ok(())
    } else {
        Err(EngineError::OtherCloud { target: target.to_string(), cloud: cloud.name().to_string() })
    }
}

/// Why a run could not go on. One broken setting never gets here: it costs only itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("could not use the store")]
    Store(#[from] StoreError),
    /// A key could not be made from an id.
    #[error("could not name a record")]
    Key(#[from] KeyError),
    /// The queue failed.
    #[error("could not use the queue")]
    Queue(#[from] QueueError),
    /// The organization's directory could not be read.
    #[error("could not read the organization")]
    Look(#[from] LookError),
    /// A message could not be written down.
    #[error("could not write a message")]
    Message(#[source] serde_json::Error),
    /// Another run holds the target now.
    #[error("the lease on `{target}` went to another run: this one stops and changes nothing more")]
    LeaseLost {
        /// Whose lease.
        target: String,
    },
    /// A history does not fit together.
    #[error(
        "the history of `{target}` is broken; run `landfall ledger verify {target}` and restore it from a copy before anything is written there"
    )]
    History {
        /// Whose history.
        target: String,
        /// Where it breaks.
        #[source]
        source: landfall_model::ledger::Broken,
    },
    /// The target is of another cloud than the one that is worked on.
    #[error("`{target}` is not of the cloud `{cloud}`, which is the one served here")]
    OtherCloud {
        /// The target.
        target: String,
        /// The cloud.
        cloud: String,
    },
    /// The manifest has no such unit.
    #[error("the manifest has no unit `{unit}`; it has {units}")]
    NoSuchUnit {
        /// The unit.
        unit: String,
        /// Those that it has.
        units: String,
    },
    /// The manifest does not name this cloud.
    #[error("the manifest has no cloud `{0}`")]
    NoSuchCloud(String),
    /// The store names a record that should be there and is not.
    #[error("`{0}` is not in the store")]
    Missing(String),
}
