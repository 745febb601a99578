//! Read-after-write lag: for a while after a write, reads still see what was there before.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::ask::{Ask, Service};
use crate::world::{Account, IdentityCenter, Organization, World};

/// States that were replaced, oldest first, with the moment of their replacement.
#[derive(Debug)]
pub(crate) struct History<T>(VecDeque<(Instant, T)>);

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> History<T> {
    /// Remembers what was replaced now.
    pub(crate) fn push(&mut self, now: Instant, state: T) {
        self.0.push_back((now, state));
    }

    /// The state as it was `lag` ago, when it has changed since.
    pub(crate) fn seen(&mut self, now: Instant, lag: Duration) -> Option<&mut T> {
        while self.0.front().is_some_and(|(replaced, _)| now.duration_since(*replaced) >= lag) {
            self.0.pop_front();
        }
        self.0.front_mut().map(|(_, state)| state)
    }
}

/// What has been replaced lately, each part of the world by itself: a write in one account hides nothing in another.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    organization: History<Organization>,
    identity: History<IdentityCenter>,
    accounts: BTreeMap<String, History<Account>>,
}

/// The state before a write, kept until it is known whether the write changed anything.
#[derive(Debug)]
pub(crate) enum Before {
    Organization(Box<Organization>),
    Identity(Box<IdentityCenter>),
    Account(Box<Account>),
}

/// The part of the world an operation reads or writes; `None` for those that are never stale.
enum Part {
    Organization,
    Identity,
    Account(String),
}

fn part(ask: &Ask) -> Option<Part> {
    // Asking how a job of ours is going is answered from that job, not from a replica.
    if ask.operation.ends_with("Status") && !matches!(ask.service, Service::Account | Service::Config) {
        return None;
    }
    Some(match ask.service {
        Service::Organizations | Service::CloudTrail => Part::Organization,
        Service::SsoAdmin | Service::IdentityStore => Part::Identity,
        Service::Sts | Service::Sqs => return None,
        Service::Account => Part::Account(ask.text("AccountId").unwrap_or(&ask.caller.account).to_owned()),
        Service::Iam
        | Service::S3Control
        | Service::Ec2
        | Service::AccessAnalyzer
        | Service::GuardDuty
        | Service::SecurityHub
        | Service::Config
        | Service::Budgets => Part::Account(ask.caller.account.clone()),
    })
}

impl Lag {
    pub(crate) fn before(world: &World, ask: &Ask) -> Option<Before> {
        Some(match part(ask)? {
            Part::Organization => Before::Organization(Box::new(world.organization.clone())),
            Part::Identity => Before::Identity(Box::new(world.identity_center.clone())),
            Part::Account(id) => Before::Account(Box::new(world.accounts.get(&id)?.clone())),
        })
    }

    /// Remembers what a successful write replaced.
    pub(crate) fn replaced(&mut self, before: Before, now: Instant) {
        match before {
            Before::Organization(state) => self.organization.push(now, *state),
            Before::Identity(state) => self.identity.push(now, *state),
            Before::Account(state) => {
                self.accounts.entry(state.id.clone()).or_default().push(now, *state);
            }
        }
    }

    /// Runs a read against the world as it was `lag` ago.
    pub(crate) fn read<A>(
        &mut self,
        world: &mut World,
        ask: &Ask,
        now: Instant,
        lag: Duration,
        read: impl Fn(&mut World) -> A,
    ) -> A {
        match part(ask) {
            Some(Part::Organization) => {
                if let Some(past) = self.organization.seen(now, lag) {
                    std::mem::swap(past, &mut world.organization);
                    let answer = read(world);
                    std::mem::swap(past, &mut world.organization);
                    return answer;
                }
            }
            Some(Part::Identity) => {
                if let Some(past) = self.identity.seen(now, lag) {
                    std::mem::swap(past, &mut world.identity_center);
                    let answer = read(world);
                    std::mem::swap(past, &mut world.identity_center);
                    return answer;
                }
            }
            Some(Part::Account(id)) => {
                let past = self.accounts.get_mut(&id).and_then(|history| history.seen(now, lag));
                if let (Some(past), true) = (past, world.accounts.contains_key(&id)) {
                    swap(world, &id, past);
                    let answer = read(world);
                    swap(world, &id, past);
                    return answer;
                }
            }
            None => {}
        }
        read(world)
    }
}

fn swap(world: &mut World, id: &str, past: &mut Account) {
    if let Some(account) = world.accounts.get_mut(id) {
        std::mem::swap(account, past);
    }
}
