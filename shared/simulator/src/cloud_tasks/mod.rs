//! Cloud Tasks on your desk: as much of its v2 as a sweep that fans out asks for, and the pushing that is the point of it.
//!
//! ```text
//! HTTP request ─► Asked ─► Queues ─► Task (JSON) ─► HTTP answer
//!                 ask      queues    show
//!                            └─► what is due ─► HTTP request to the task's URL ─► done, again later, or dropped
//!                                               dispatch
//! ```
//! Messages and limits are those of the discovery document (cloudtasks v2); the headers of a dispatch are those of
//! <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler>. It follows no redirects, ramps nothing up, reads no
//! `Retry-After`, and calls nobody who is not on this machine.
//!
//! Below `/cloudtasks.googleapis.com/` as well as at the root, so that it can take a name of its own or the place of Google's.

mod ask;
mod dispatch;
mod queues;
mod retry;
mod served;
mod show;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

pub use queues::{Dispatch, Dropped};
pub use retry::Retry;

use crate::call::Call;
use crate::fault::Faults;
use crate::options::StartError;
use crate::running::Running;
use crate::server::Cloud as _;
use crate::tokens::TokenIssuer;
use dispatch::Stop;
use queues::Queues;
use served::Served;

/// How queues are started; [`Default`] is what Cloud Tasks gives a queue that says nothing.
#[derive(Debug, Clone)]
pub struct CloudTasksOptions {
    /// Port 0 takes a free one; a busy port is refused.
    pub listen: SocketAddr,
    /// How every queue tries again.
    pub retry: Retry,
    /// How many tasks of one queue are dispatched at a time.
    pub max_concurrent_dispatches: u32,
    /// Instead of the tasks' own deadlines, which are never shorter than 15 seconds.
    pub dispatch_deadline: Option<Duration>,
    /// Makes the tokens of tasks that ask for one. Without it they go without.
    pub issuer: Option<Arc<TokenIssuer>>,
    pub faults: Faults,
}

impl Default for CloudTasksOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            retry: Retry::default(),
            max_concurrent_dispatches: 1000,
            dispatch_deadline: None,
            issuer: None,
            faults: Faults::default(),
        }
    }
}

impl CloudTasksOptions {
    /// For tests: five attempts within a second, five seconds for each.
    #[must_use]
    pub fn quick() -> Self {
        let retry = Retry {
            max_attempts: Some(5),
            min_backoff: Duration::from_millis(10),
            max_backoff: Duration::from_millis(100),
            ..Retry::default()
        };
        Self { retry, dispatch_deadline: Some(Duration::from_secs(5)), ..Self::default() }
    }
}

/// Queues that are being served and push their tasks. The threads and runtimes are their own, so that it works the same from blocking
/// and async code. Dropping it breaks off what is being dispatched; [`CloudTasks::stop`] waits for it.
#[derive(Debug)]
pub struct CloudTasks {
    stop: watch::Sender<Stop>,
    ended: Option<oneshot::Receiver<()>>,
    dispatcher: Option<JoinHandle<()>>,
    running: Running<Served>,
}

impl CloudTasks {
    /// Starts serving without queues; when this returns, connections are accepted.
    ///
    /// # Errors
    /// When the address is taken or no thread can be started.
    pub fn start(options: CloudTasksOptions) -> Result<Self, StartError> {
        let running = Running::start(options.listen, |_| Served::new(&options))?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let (stop, stopped) = watch::channel(Stop::No);
        let (end, ended) = oneshot::channel();
        let served = Arc::clone(&running.cloud);
        let dispatcher = std::thread::Builder::new()
            .name("landfall-dispatcher".to_owned())
            .spawn(move || {
                runtime.block_on(dispatch::run(served, options.issuer, stopped));
                // Nobody waits for it where it is dropped.
                end.send(()).ok();
            })
            .map_err(StartError::Thread)?;
        Ok(Self { stop, ended: Some(ended), dispatcher: Some(dispatcher), running })
    }

    /// Where it listens, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Makes a queue: `projects/P/locations/L/queues/Q`. One that is there stays as it is.
    pub fn create(&self, queue: &str) {
        self.queues(|queues| queues.create(queue));
    }

    /// How many tasks are still to be done, those being dispatched among them.
    #[must_use]
    pub fn left(&self, queue: &str) -> usize {
        self.queues(|queues| queues.left(queue))
    }

    /// How many of them are not held back.
    #[must_use]
    pub fn due(&self, queue: &str) -> usize {
        self.queues(|queues| queues.not_held_back(queue))
    }

    /// Waits until no task is left; says whether that was so before patience ended.
    pub async fn emptied(&self, queue: &str, patience: Duration) -> bool {
        let empty = async {
            while self.left(queue) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(patience, empty).await.is_ok()
    }

    /// Every attempt that has ended, in the order of their ends.
    #[must_use]
    pub fn dispatches(&self, queue: &str) -> Vec<Dispatch> {
        self.queues(|queues| queues.dispatches(queue))
    }

    /// The tasks that were given up, oldest first.
    #[must_use]
    pub fn dropped(&self, queue: &str) -> Vec<Dropped> {
        self.queues(|queues| queues.dropped(queue))
    }

    /// Tasks wait until [`CloudTasks::resume`].
    pub fn pause(&self, queue: &str) {
        self.queues(|queues| queues.pause(queue, true));
    }

    /// Tasks are dispatched again.
    pub fn resume(&self, queue: &str) {
        self.queues(|queues| queues.pause(queue, false));
        self.running.cloud.changed();
    }

    /// Lets the time pass for which tasks are held back.
    pub fn hurry(&self, queue: &str) {
        self.queues(|queues| queues.hurry(queue));
        self.running.cloud.changed();
    }

    /// Every call received so far, in order. What the handle does is none, and dispatches are none.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.running.cloud.calls()
    }

    /// Replaces the faults; their count of calls begins again.
    pub fn set_faults(&self, faults: Faults) {
        self.running.cloud.set_faults(faults);
    }

    /// Begins no other dispatch, and waits for those under way. What is still in the queues is lost.
    pub async fn stop(mut self) {
        self.stop.send_replace(Stop::Finish);
        if let Some(ended) = self.ended.take() {
            // Ended in whatever way.
            drop(ended.await);
        }
    }

    fn queues<A>(&self, act: impl FnOnce(&mut Queues) -> A) -> A {
        self.running.cloud.edit(act)
    }
}

impl Drop for CloudTasks {
    /// Before the server: what is dispatched may still call it.
    fn drop(&mut self) {
        self.stop.send_replace(Stop::Now);
        if let Some(dispatcher) = self.dispatcher.take() {
            drop(dispatcher.join());
        }
    }
}
