//! The handle: starts the server on a thread of its own, looks into the world, stops it.

use std::net::SocketAddr;

use serde_json::Value;

use super::options::GcpOptions;
use super::rival::Rival;
use super::served::Gcp;
use super::world::GcpWorld;
use crate::call::Call;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::options::StartError;
use crate::running::Running;
use crate::served::Served;
use crate::server::Cloud as _;

/// A running simulator of Google Cloud. It has its own thread and runtime, so that it works the same from blocking
/// and async code.
#[derive(Debug)]
pub struct GcpSimulator {
    running: Running<Served<Gcp>>,
}

impl GcpSimulator {
    /// Starts serving; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When the address is taken, the log can't be opened or no thread can be started.
    pub fn start(mut options: GcpOptions) -> Result<Self, StartError> {
        let running = Running::start(options.listen, |url| {
            let mut world = options.world.take().unwrap_or_else(|| GcpWorld::sample(options.projects));
            url.clone_into(&mut world.endpoint);
            let journal = Journal::open(options.faults.clone(), options.keep_calls, options.log.as_deref())?;
            Ok(Served::new(world, journal))
        })?;
        Ok(Self { running })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Changes the world between two calls. Only writes over the wire lag: the change is seen at once, except where such a
    /// write happened within the lag, because then reads are shown the state before both.
    pub fn edit<A>(&self, change: impl FnOnce(&mut GcpWorld) -> A) -> A {
        self.running.cloud.edit(change)
    }

    pub fn read<A>(&self, look: impl FnOnce(&GcpWorld) -> A) -> A {
        self.running.cloud.edit(|world| look(world))
    }

    /// Every call received so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.running.cloud.calls()
    }

    pub fn clear_calls(&self) {
        self.running.cloud.clear_calls();
    }

    /// The next so many calls of an operation find that somebody else has written right before them: a caller that looked before that
    /// holds an old etag or fingerprint. The operation is named as in [`Call`]s: `cloudresourcemanager`, `projects.setIamPolicy`.
    pub fn outrun(
        &self,
        service: &str,
        operation: &str,
        times: u32,
        write: impl FnMut(&mut GcpWorld) + Send + 'static,
    ) {
        let rival = Rival::new(service, operation, times, write);
        self.running.cloud.between(|between| between.outrun(rival));
    }

    /// Replaces the faults; their count of calls begins again.
    pub fn set_faults(&self, faults: Faults) {
        self.running.cloud.set_faults(faults);
    }

    /// The audit log entries since the last time, oldest first.
    #[must_use]
    pub fn take_events(&self) -> Vec<Value> {
        self.running.cloud.take_events()
    }

    /// What the audit log says at the end of a project's creation, as Eventarc sends it.
    #[must_use]
    pub fn creation_event(&self, project: &str) -> Option<Value> {
        self.read(|world| world.creation_event(project))
    }

    /// Stops serving and waits until the port is free again.
    pub fn stop(self) {
        drop(self);
    }
}
