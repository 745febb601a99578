//! How a simulator of Google Cloud is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::world::GcpWorld;
use crate::fault::Faults;

/// How a simulator is started; [`Default`] is an organization with Landfall's own project alone, on a free loopback port.
#[derive(Debug, Clone)]
pub struct GcpOptions {
    /// Port 0 takes a free one; a busy port is refused.
    pub listen: SocketAddr,
    /// How many sample projects there are beside Landfall's own; see [`GcpWorld::sample`].
    pub projects: usize,
    /// A prepared world; then `projects` is not looked at.
    pub world: Option<GcpWorld>,
    pub faults: Faults,
    /// One JSON line per request is appended here.
    pub log: Option<PathBuf>,
    /// Whether calls are also kept in memory for [`super::GcpSimulator::calls`]; benchmarks of millions turn it off.
    pub keep_calls: bool,
}

impl Default for GcpOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            projects: 0,
            world: None,
            faults: Faults::default(),
            log: None,
            keep_calls: true,
        }
    }
}
