//! Why we woke. A trigger says whom to look at, never what to believe: everything else is looked up again.

use serde::{Deserialize, Serialize};

use crate::id::{RunId, SweepId, TenantId, UnitPath};
use crate::manifest::Limits;
use crate::target::Target;

/// What an event, a message or a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trigger", rename_all = "kebab-case")]
pub enum Trigger {
    /// The cloud says that it made a tenant.
    Created {
        /// Which.
        tenant: TenantId,
    },
    /// The cloud could not make a tenant.
    CreationFailed {
        /// The cloud's own reason.
        why: String,
    },
    /// A tenant that existed before joined the organization.
    Joined {
        /// Which; the event of some clouds does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<TenantId>,
    },
    /// A tenant was moved in the tree.
    Moved {
        /// Which.
        tenant: TenantId,
    },
    /// Something about a tenant was changed that may be ours to hold.
    Changed {
        /// Which.
        tenant: TenantId,
    },
    /// A tenant was closed.
    Closed {
        /// Which.
        tenant: TenantId,
    },
    /// A schedule fired: look at everything.
    Scheduled,
    /// Messages of the work queue.
    Work {
        /// In the order they came.
        messages: Vec<Parcel>,
    },
    /// A person asks in the console.
    Asked(Request),
    /// Not for us: acknowledged and left alone.
    Ignored {
        /// Why it is not for us.
        why: String,
    },
}

impl Trigger {
    /// The trigger in one word, for logs and reports.
    pub const fn word(&self) -> &'static str {
        match self {
            Trigger::Created { .. } => "created",
            Trigger::CreationFailed { .. } => "creation-failed",
            Trigger::Joined { .. } => "joined",
            Trigger::Moved { .. } => "moved",
            Trigger::Changed { .. } => "changed",
            Trigger::Closed { .. } => "closed",
            Trigger::Scheduled => "scheduled",
            Trigger::Work { .. } => "work",
            Trigger::Asked(_) => "asked",
            Trigger::Ignored { .. } => "ignored",
        }
    }
}

/// One message as a queue delivered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The queue's own id of the message, for its answer.
    pub id: String,
    /// What it asks for.
    #[serde(flatten)]
    pub work: Contents,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contents {
    /// Something to do.
    Work(Work),
    /// An event that was put on the queue instead of being handed over, so that it comes again until it is dealt with.
    Event(Box<Trigger>),
    /// Nothing that we can read; the queue tries again and in the end sets it aside.
    Unreadable(String),
}

/// A message of the work queue. It carries ids alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Work {
    /// Reconcile one target.
    Reconcile {
        /// Which.
        target: Target,
        /// The sweep it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sweep: Option<SweepId>,
        /// The page of the sweep's tenants that it stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<u32>,
        /// Why.
        cause: Cause,
    },
    /// Begin a sweep. People leave it where the queue is all that a console lets them reach.
    Sweep {
        /// Only the tenants that the manifest puts into this unit or below it; everybody where nobody says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<UnitPath>,
    },
    /// Go on with a sweep's enumeration where a deadline cut it.
    Continue {
        /// Which sweep.
        sweep: SweepId,
    },
    /// Close a sweep when all its targets are done, or its deadline has passed.
    Close {
        /// Which sweep.
        sweep: SweepId,
    },
}

/// Why a run took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The cloud made the tenant.
    Created,
    /// The tenant joined.
    Joined,
    /// The tenant was moved.
    Moved,
    /// Something about the tenant was changed.
    Changed,
    /// The tenant was closed.
    Closed,
    /// A sweep came by.
    Sweep,
    /// A person asked.
    Asked,
    /// A write's effect could not be read back yet.
    Settling(RunId),
    /// Another run held the lease; somebody has to look in case that run is dead.
    Resumed(RunId),
    /// An earlier run ran out of time.
    Unfinished(RunId),
    /// More was asked while a run was under way.
    Dirty,
}

/// What a person asks in a console or on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Request {
    /// What to do.
    pub action: Action,
    /// For whom; everybody where empty and the action allows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// `sweep`: only the tenants that the manifest puts into this unit or below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitPath>,
    /// `explain`: which setting or control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// `apply`: how much this one run may change, instead of the manifest's limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// What a person can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// What would change, without a hand that could change it.
    Plan,
    /// Bring the targets to what the manifest says.
    Apply,
    /// Look at everything now, or at one unit.
    Sweep,
    /// What the store knows.
    Status,
    /// Why one setting is as it is.
    Explain,
}
