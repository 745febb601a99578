//! What the demonstration does in each of its clouds: the same things, by each cloud's own ways.

use anyhow::bail;
use landfall_engine::keys;
use landfall_engine::store::{Store, StoreExt as _};
use landfall_engine::sweep::Closed;
use landfall_model::id::{SweepId, TenantId};

use super::watch::{Finish, Tail, beside};

/// What waits in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) due: usize,
    pub(super) later: usize,
}

/// A simulated cloud, the function's own process in it, and the queue between its runs.
pub(super) trait Side {
    /// What brings an event to the function.
    type Event;

    /// Lets the schedule fire; the sweep that it began.
    async fn fire(&mut self) -> anyhow::Result<SweepId>;

    /// Hands an event to the function.
    async fn deliver(&mut self, event: &Self::Event) -> anyhow::Result<()>;

    /// Hands messages that are due to the function, as the cloud's own trigger does.
    async fn work(&mut self) -> anyhow::Result<()>;

    fn waiting(&self) -> Waiting;

    /// Lets the time pass for which messages are held back.
    fn hurry(&self);

    /// How many calls would have changed a tenant, made in it or about it.
    fn writes(&self, tenant: &str) -> usize;
}

/// Sweeps, and tells of each target when it is done.
pub(super) async fn sweep(side: &mut impl Side, store: &dyn Store, quiet: bool) -> anyhow::Result<Closed> {
    let id = side.fire().await?;
    let mut finish = Finish::new(store, &id, quiet);
    let key = keys::closed(&id)?;
    let worked = async {
        loop {
            if side.waiting().due == 0 {
                if let Some((closed, _)) = store.read::<Closed>(&key).await? {
                    return Ok(closed);
                }
                if side.waiting().later == 0 {
                    bail!("the queue is empty and the sweep {id} is not closed");
                }
                // The close of a sweep comes twenty seconds after its begin; nobody wants to wait for it here.
                side.hurry();
            }
            side.work().await?;
        }
    };
    beside(worked, async || finish.look().await).await?
}

/// Delivers an event, and works until nothing of it is left to be done. What shows its effect late is looked at again by a message.
pub(super) async fn settle<S: Side>(side: &mut S, event: &S::Event) -> anyhow::Result<()> {
    side.deliver(event).await?;
    loop {
        match side.waiting() {
            Waiting { due: 0, later: 0 } => return Ok(()),
            Waiting { due: 0, later: _ } => side.hurry(),
            Waiting { .. } => side.work().await?,
        }
    }
}

/// The same, and tells step by step what the function makes of one tenant.
pub(super) async fn follow<S: Side>(
    side: &mut S,
    store: &dyn Store,
    tenant: &TenantId,
    event: &S::Event,
) -> anyhow::Result<()> {
    let mut tail = Tail::new(store, tenant);
    beside(settle(side, event), async || tail.look().await).await?
}
