//! The handle: starts the server on a thread of its own, looks into the world, stops it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::call::Call;
use crate::fault::Faults;
use crate::options::{Options, StartError};
use crate::server;
use crate::shared::Shared;
use crate::world::World;

/// A running simulator. It has its own thread and runtime, so that it works the same from blocking and async code.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts serving; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When the address is taken, the log can't be opened or no thread can be started.
    pub fn start(mut options: Options) -> Result<Self, StartError> {
        let wanted = options.listen;
        let listen = |cause| StartError::Listen { address: wanted, cause };
        // Bound here and not on the thread, so that a busy port is the caller's error.
        let listener = std::net::TcpListener::bind(wanted).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mut world = options.world();
        world.endpoint = format!("http://{address}");
        let shared = Arc::new(Shared::new(world, &options)?);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("landfall-simulator".to_owned())
            .spawn(move || runtime.block_on(server::serve(listener, serving, stopped)))
            .map_err(StartError::Thread)?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
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
        self.shared.edit(change)
    }

    pub fn read<A>(&self, look: impl FnOnce(&World) -> A) -> A {
        self.shared.edit(|world| look(world))
    }

    /// Every call received so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls()
    }

    pub fn clear_calls(&self) {
        self.shared.clear_calls();
    }

    /// Replaces the faults; their count of calls begins again.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// The EventBridge events since the last time, oldest first.
    #[must_use]
    pub fn take_events(&self) -> Vec<Value> {
        self.shared.take_events()
    }

    /// Stops serving and waits until the port is free again.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // The other side is gone only when the thread has ended already, which is what is wanted.
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.end();
    }
}
