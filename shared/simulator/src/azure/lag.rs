//! Read-after-write lag: for a while after a write, reads still see what was there before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::request::Request;
use super::route::Kind;
use super::world::{AzureWorld, Directory, Subscription};
use crate::lag::History;

/// What has been replaced lately, each subscription by itself and the groups above them together.
#[derive(Debug, Default)]
pub(crate) struct AzureLag {
    directory: History<Directory>,
    subscriptions: BTreeMap<String, History<Subscription>>,
}

/// The state before a write, kept until it is known whether the write changed anything.
#[derive(Debug)]
pub(crate) enum Before {
    Directory(Box<Directory>),
    Subscription(Box<Subscription>),
}

impl AzureLag {
    pub(crate) fn before(world: &AzureWorld, request: &Request) -> Option<Before> {
        let placed = (request.kind == Kind::GroupSubscriptions).then(|| request.name());
        let id = placed.or_else(|| request.scope.subscription());
        Some(match id {
            Some(id) => Before::Subscription(Box::new(world.subscription(id)?.clone())),
            None => Before::Directory(Box::new(world.directory.clone())),
        })
    }

    /// Remembers what a successful write replaced.
    pub(crate) fn replaced(&mut self, before: Before, now: Instant) {
        match before {
            Before::Directory(state) => self.directory.push(now, *state),
            Before::Subscription(state) => {
                self.subscriptions.entry(state.id.clone()).or_default().push(now, *state);
            }
        }
    }

    /// Runs a read against the world as it was `lag` ago.
    pub(crate) fn read<A>(
        &mut self,
        world: &mut AzureWorld,
        now: Instant,
        lag: Duration,
        read: impl FnOnce(&mut AzureWorld) -> A,
    ) -> A {
        self.swap(world, now, lag);
        let answer = read(world);
        self.swap(world, now, lag);
        answer
    }

    /// Swapping twice with the same time is as if nothing had been.
    fn swap(&mut self, world: &mut AzureWorld, now: Instant, lag: Duration) {
        if let Some(past) = self.directory.seen(now, lag) {
            std::mem::swap(past, &mut world.directory);
        }
        for (id, history) in &mut self.subscriptions {
            if let (Some(past), Some(present)) = (history.seen(now, lag), world.subscriptions.get_mut(id)) {
                std::mem::swap(past, present);
            }
        }
    }
}
