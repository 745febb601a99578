//! How a simulator of ARM is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::world::AzureWorld;
use crate::fault::Faults;

/// How a simulator is started; [`Default`] is a directory without subscriptions, on a free loopback port.
#[derive(Debug, Clone)]
pub struct AzureOptions {
    /// Port 0 takes a free one; a busy port is refused.
    pub listen: SocketAddr,
    /// How many sample subscriptions there are; see [`AzureWorld::sample`].
    pub subscriptions: usize,
    /// A prepared world; then `subscriptions` is not looked at.
    pub world: Option<AzureWorld>,
    pub faults: Faults,
    /// One JSON line per request is appended here.
    pub log: Option<PathBuf>,
    /// Whether calls are also kept in memory for [`super::AzureSimulator::calls`]; benchmarks of millions turn it off.
    pub keep_calls: bool,
}

impl Default for AzureOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            subscriptions: 0,
            world: None,
            faults: Faults::default(),
            log: None,
            keep_calls: true,
        }
    }
}
