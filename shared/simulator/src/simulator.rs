//! The handle: starts the server on a thread of its own, looks into the world, stops it.

use std::net::SocketAddr;

use serde_json::Value;

use crate::aws::Aws;
use crate::call::Call;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::options::{Options, StartError};
use crate::running::Running;
use crate::served::Served;
use crate::server::Cloud as _;
use crate::world::World;

/// A running simulator. It has its own thread and runtime, so that it works the same from blocking and async code.
#[derive(Debug)]
pub struct Simulator {
    running: Running<Served<Aws>>,
}

impl Simulator {
    /// Starts serving; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When the address is taken, the log can't be opened or no thread can be started.
    pub fn start(mut options: Options) -> Result<Self, StartError> {
        let running = Running::start(options.listen, |url| {
            let mut world = options.world();
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

    /// Makes a queue in the controller's account, with a dead-letter queue beside it that takes what was received `receives` times;
    /// answers its URL.
    pub fn create_queue(&self, region: &str, name: &str, receives: u32) -> String {
        let url = self.url();
        self.edit(|world| {
            let controller = world.settings.controller_account.clone();
            let now = jiff::Timestamp::now();
            let arn = |name: &str| format!("arn:aws:sqs:{region}:{controller}:{name}");
            let dead = format!("{name}-dead");
            let redrive = serde_json::json!({"deadLetterTargetArn": arn(&dead), "maxReceiveCount": receives});
            let attributes =
                std::collections::BTreeMap::from([("RedrivePolicy".to_owned(), redrive.to_string())]);
            let queue = |name: &str, attributes| crate::world::Queue {
                name: name.to_owned(),
                arn: arn(name),
                attributes,
                created_at: now,
                messages: Vec::new(),
            };
            if let Some(account) = world.account_mut(&controller) {
                let queues = &mut account.region(region).queues;
                queues.insert(dead.clone(), queue(&dead, std::collections::BTreeMap::new()));
                queues.insert(name.to_owned(), queue(name, attributes));
            }
            format!("{url}/{controller}/{name}")
        })
    }

    /// Changes the world between two calls. Only writes over the wire lag: the change is seen at once, except where such a
    /// write happened within the lag, because then reads are shown the state before both.
    pub fn edit<A>(&self, change: impl FnOnce(&mut World) -> A) -> A {
        self.running.cloud.edit(change)
    }

    pub fn read<A>(&self, look: impl FnOnce(&World) -> A) -> A {
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

    /// Replaces the faults; their count of calls begins again.
    pub fn set_faults(&self, faults: Faults) {
        self.running.cloud.set_faults(faults);
    }

    /// The EventBridge events since the last time, oldest first.
    #[must_use]
    pub fn take_events(&self) -> Vec<Value> {
        self.running.cloud.take_events()
    }

    /// Stops serving and waits until the port is free again.
    pub fn stop(self) {
        drop(self);
    }
}
