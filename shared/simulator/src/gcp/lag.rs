//! Lag: for a while after a write, lists and searches still see what was there before, and so do those who decide what is allowed.
//!
//! Searches of Resource Manager are eventually consistent where gets and lists of children are not; IAM is as a whole:
//! <https://cloud.google.com/iam/docs/access-change-propagation>.

use std::time::{Duration, Instant};

use super::world::{Estate, GcpWorld};
use crate::lag::History;

/// What has been replaced lately, as a whole: lag is for tests of few projects, and a past of one piece agrees with itself.
#[derive(Debug, Default)]
pub(crate) struct GcpLag(History<Estate>);

impl GcpLag {
    /// Remembers what a write replaced.
    pub(crate) fn replaced(&mut self, before: Estate, now: Instant) {
        self.0.push(now, before);
    }

    /// Looks at the world as it was `lag` ago.
    pub(crate) fn read<A>(
        &mut self,
        world: &mut GcpWorld,
        now: Instant,
        lag: Duration,
        read: impl FnOnce(&mut GcpWorld) -> A,
    ) -> A {
        let Some(past) = self.0.seen(now, lag) else { return read(world) };
        world.swap(past);
        let answer = read(world);
        world.swap(past);
        answer
    }
}
