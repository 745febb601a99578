//! A cloud that is served: its world, its lag and its journal behind one lock, the same for all three.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::control::Told;
use crate::encode::Answer;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::server::{Cloud, Reply};
use crate::wire::Wire;

/// What a cloud does in its own way.
pub(crate) trait Played: Sized + 'static {
    /// What is there.
    type World: fmt::Debug + Send;
    /// What was there a moment ago.
    type Lag: Default + fmt::Debug + Send;
    /// A question that waits for something to tell.
    type Waiting: Send;

    /// What happened since somebody took it.
    fn events(world: &mut Self::World) -> &mut Vec<Value>;
    /// What is at `/_landfall/` for this cloud alone; `None` where nothing is.
    fn control(world: &mut Self::World, method: &str, path: &str, body: &Value) -> Option<Told>;
    /// One call from end to end.
    fn answer(state: &mut State<Self>, wire: &Wire) -> Reply<Self::Waiting>;
    /// A waiting question's next look; an answer when there is something, or when its time is up.
    fn look_again(world: &mut Self::World, waiting: &mut Self::Waiting) -> Option<Answer>;
}

/// What is behind the lock.
#[derive(Debug)]
pub(crate) struct State<P: Played> {
    pub(crate) world: P::World,
    pub(crate) lag: P::Lag,
    pub(crate) journal: Journal,
}

/// What the server and the handle share. One lock: calls are short, and their order is then the log's order.
#[derive(Debug)]
pub(crate) struct Served<P: Played>(Mutex<State<P>>);

impl<P: Played> Served<P> {
    pub(crate) fn new(world: P::World, journal: Journal) -> Self {
        Self(Mutex::new(State { world, lag: P::Lag::default(), journal }))
    }

    /// Changes what stands between a call and the world as it is.
    pub(crate) fn between<A>(&self, change: impl FnOnce(&mut P::Lag) -> A) -> A {
        change(&mut self.state().lag)
    }

    /// A test that panicked inside `edit` must not take the other tests of the process with it.
    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn edit<A>(&self, change: impl FnOnce(&mut P::World) -> A) -> A {
        change(&mut self.state().world)
    }
}

impl<P: Played> Cloud for Served<P> {
    type Waiting = P::Waiting;

    fn answer(&self, wire: &Wire) -> Reply<P::Waiting> {
        P::answer(&mut self.state(), wire)
    }

    fn look_again(&self, waiting: &mut P::Waiting) -> Option<Answer> {
        self.edit(|world| P::look_again(world, waiting))
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Option<Told> {
        self.edit(|world| P::control(world, method, path, body))
    }

    fn journal<A>(&self, look: impl FnOnce(&mut Journal) -> A) -> A {
        look(&mut self.state().journal)
    }

    fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.journal.set_faults(faults);
        state.lag = P::Lag::default();
    }

    fn take_events(&self) -> Vec<Value> {
        self.edit(|world| std::mem::take(P::events(world)))
    }
}
