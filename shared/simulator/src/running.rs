//! A server on a thread of its own: started, found, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::options::StartError;
use crate::server::{self, Cloud};

/// A cloud that is being served; dropping it stops serving and waits until the port is free again.
#[derive(Debug)]
pub(crate) struct Running<C> {
    pub(crate) address: SocketAddr,
    pub(crate) cloud: Arc<C>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl<C: Cloud> Running<C> {
    /// Serves what `cloud` makes of the URL; when this returns, connections are accepted.
    pub(crate) fn start(
        wanted: SocketAddr,
        cloud: impl FnOnce(&str) -> Result<C, StartError>,
    ) -> Result<Self, StartError> {
        let listen = |cause| StartError::Listen { address: wanted, cause };
        // Bound here and not on the thread, so that a busy port is the caller's error.
        let listener = std::net::TcpListener::bind(wanted).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let cloud = Arc::new(cloud(&url(address))?);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&cloud);
        let thread = std::thread::Builder::new()
            .name("landfall-simulator".to_owned())
            .spawn(move || runtime.block_on(server::serve(listener, serving, stopped)))
            .map_err(StartError::Thread)?;
        Ok(Self { address, cloud, stop: Some(stop), thread: Some(thread) })
    }
}

impl<C> Running<C> {
    pub(crate) fn url(&self) -> String {
        url(self.address)
    }
}

impl<C> Drop for Running<C> {
    fn drop(&mut self) {
        // The other side is gone only when the thread has ended already, which is what is wanted.
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
