//! How a simulator is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::fault::Faults;
use crate::world::{Settings, World};

/// How a simulator is started; [`Default`] is a management account alone, on a free loopback port.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port 0 takes a free one; a busy port is refused.
    pub listen: SocketAddr,
    /// How many sample accounts there are beside the management account; see [`World::sample`].
    pub accounts: usize,
    /// A prepared world; then `accounts`, `regions`, `external_id` and `open` are not looked at.
    pub world: Option<World>,
    pub regions: Vec<String>,
    /// What `landfall-read` and `landfall-write` ask of whoever assumes them.
    pub external_id: Option<String>,
    /// Whether the controller's own credentials may call everything, not only sts and sqs.
    pub open: bool,
    pub faults: Faults,
    /// One JSON line per request is appended here.
    pub log: Option<PathBuf>,
    /// Whether calls are also kept in memory for [`crate::Simulator::calls`]; benchmarks of millions turn it off.
    pub keep_calls: bool,
}

impl Default for Options {
    fn default() -> Self {
        let Settings { regions, external_id, open, .. } = Settings::default();
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accounts: 0,
            world: None,
            regions,
            external_id,
            open,
            faults: Faults::default(),
            log: None,
            keep_calls: true,
        }
    }
}

impl Options {
    pub(crate) fn world(&mut self) -> World {
        self.world.take().unwrap_or_else(|| {
            let settings = Settings {
                regions: self.regions.clone(),
                external_id: self.external_id.clone(),
                open: self.open,
                ..Settings::default()
            };
            World::sample_with(self.accounts, settings)
        })
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("could not listen on `{address}`, is something else running there?")]
    Listen {
        address: SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("could not open the log `{}`", path.display())]
    Log {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("could not read the key that tokens are signed with")]
    Key(#[source] ring::error::KeyRejected),
    #[error("could not start the simulator's thread")]
    Thread(#[source] std::io::Error),
}
