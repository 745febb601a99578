//! The append-only, hash-chained history of a target: what was meant to be done, and what came of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{Digest, Name, RunId};
use crate::observed::Address;
use crate::outcome::Done;
use crate::pause::Turn;
use crate::plan::{Change, ChangeId};
use crate::record::{Head, Life};
use crate::report::Provenance;

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Its number, from 1 on.
    pub seq: u64,
    /// The hash of the entry before; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was written.
    pub at: Timestamp,
    /// The run that wrote it.
    pub run: RunId,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
    /// The hash of all the above.
    pub hash: Digest,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Written before a write to the cloud: what is about to be done, and why.
    Intent {
        /// The change, with before and after values and its reason.
        change: Box<Change>,
        /// The manifest's names of the control.
        #[serde(default)]
        names: Vec<Name>,
        /// The clauses it answers.
        #[serde(default)]
        satisfies: Vec<String>,
        /// The plan it is part of.
        plan: Digest,
        /// The bundle it follows from, and who vouches for it.
        provenance: Provenance,
    },
    /// Written after a write: what the cloud said.
    Outcome {
        /// The number of the intent.
        intent: u64,
        /// The change.
        change: ChangeId,
        /// What happened.
        #[serde(flatten)]
        result: Done,
    },
    /// Written where nobody knows the outcome of an intent, for a crash or a lost answer: what a look says of it.
    Settled {
        /// The number of the intent.
        intent: u64,
        /// The change.
        change: ChangeId,
        /// Whether the write took effect; nobody can tell where there is no such setting to look at.
        took_effect: Option<bool>,
        /// What was seen.
        seen: Value,
    },
    /// Written once for each turn of the stop switch, by the first run that comes after it.
    Switched {
        /// The turn.
        turn: Turn,
    },
    /// A step in the target's life.
    Life {
        /// From where.
        from: Life,
        /// To where.
        to: Life,
        /// Why.
        why: String,
    },
}

/// The text whose digest an entry's hash is. Field by field, so that the hash can't depend on the order of serialisation.
#[derive(Serialize)]
struct Sealed<'a> {
    seq: u64,
    previous: &'a Option<Digest>,
    at: &'a Timestamp,
    run: &'a RunId,
    event: Value,
}

impl Entry {
    /// The next entry after `head`.
    pub fn after(head: &Head, at: Timestamp, run: &RunId, event: Event) -> Self {
        let seq = head.seq + 1;
        let hash = seal(seq, &head.hash, &at, run, &event);
        Entry { seq, previous: head.hash.clone(), at, run: run.clone(), event, hash }
    }

    /// The head of a history that ends with this entry.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: Some(self.hash.clone()) }
    }
}

fn seal(seq: u64, previous: &Option<Digest>, at: &Timestamp, run: &RunId, event: &Event) -> Digest {
    // A Value's maps are sorted, so the same event gives the same text wherever it was read from.
    let event = serde_json::to_value(event).unwrap_or_default();
    let text = serde_json::to_string(&Sealed { seq, previous, at, run, event }).unwrap_or_default();
    Digest::of(text.as_bytes())
}

/// What is wrong with a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum Broken {
    /// A number is missing or comes twice.
    #[error("entry {expected} is missing; {found} follows entry {}", expected - 1)]
    Gap {
        /// The number that should be next.
        expected: u64,
        /// The number that is next.
        found: u64,
    },
    /// An entry does not follow the one before.
    #[error("entry {seq} does not follow the entry before it: it names another hash")]
    Unlinked {
        /// The entry.
        seq: u64,
    },
    /// An entry was changed after it was written.
    #[error("entry {seq} was changed after it was written: its hash does not fit")]
    Altered {
        /// The entry.
        seq: u64,
    },
    /// A second outcome for one intent, or one without an intent.
    #[error("entry {seq} settles intent {intent}, which is not open")]
    NotOpen {
        /// The entry.
        seq: u64,
        /// The intent it names.
        intent: u64,
    },
    /// The whole history was written anew.
    #[error("entry {seq} is another one than the record knows: the history was written anew")]
    Rewritten {
        /// The entry.
        seq: u64,
    },
    /// The history ends before the place the record knows.
    #[error("the history ends at entry {found}, but the record knows entry {known}")]
    Short {
        /// The last entry found.
        found: u64,
        /// The last entry the record knows.
        known: u64,
    },
}

/// Reads a history entry by entry and knows which intents are open.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    head: Head,
    open: BTreeMap<u64, Change>,
    settled: Head,
    intents: u64,
    written: Vec<Change>,
    lives: Vec<(Life, Timestamp)>,
    switched: Option<u64>,
}

impl Chain {
    /// A chain that goes on after `head`; nothing is open there.
    pub fn from(head: Head) -> Self {
        Chain { settled: head.clone(), head, ..Chain::default() }
    }

    /// Takes the next entry, when it fits.
    pub fn take(&mut self, entry: &Entry) -> Result<(), Broken> {
        let expected = self.head.seq + 1;
        if entry.seq != expected {
            return Err(Broken::Gap { expected, found: entry.seq });
        }
        if entry.previous != self.head.hash {
            return Err(Broken::Unlinked { seq: entry.seq });
        }
        if seal(entry.seq, &entry.previous, &entry.at, &entry.run, &entry.event) != entry.hash {
            return Err(Broken::Altered { seq: entry.seq });
        }
        match &entry.event {
            Event::Intent { change, .. } => {
                self.intents += 1;
                self.open.insert(entry.seq, (**change).clone());
            }
            Event::Outcome { intent, .. } | Event::Settled { intent, .. } => {
                let Some(change) = self.open.remove(intent) else {
                    return Err(Broken::NotOpen { seq: entry.seq, intent: *intent });
                };
                let written = match &entry.event {
                    Event::Outcome { result, .. } => matches!(result, Done::Written { .. }),
                    Event::Settled { took_effect, .. } => *took_effect == Some(true),
                    Event::Intent { .. } | Event::Switched { .. } | Event::Life { .. } => false,
                };
                if written {
                    self.written.push(change);
                }
            }
            Event::Life { to, .. } => self.lives.push((*to, entry.at)),
            Event::Switched { turn } => self.switched = Some(turn.number),
        }
        self.head = entry.head();
        if self.open.is_empty() {
            self.settled = self.head.clone();
        }
        Ok(())
    }

    /// Where it ends.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Intents without an outcome.
    pub const fn open(&self) -> &BTreeMap<u64, Change> {
        &self.open
    }

    /// The last place at which no intent was open: whoever reads on from here knows what there is to know.
    pub const fn settled(&self) -> &Head {
        &self.settled
    }

    /// Takes what was written since the chain began, and the steps of life, so that a record that a crash left behind catches up.
    pub fn take_news(&mut self) -> (Vec<Change>, Vec<(Life, Timestamp)>) {
        (std::mem::take(&mut self.written), std::mem::take(&mut self.lives))
    }

    /// The last turn of the stop switch that was written since the chain began.
    pub const fn switched(&self) -> Option<u64> {
        self.switched
    }

    /// How many intents there were.
    pub const fn intents(&self) -> u64 {
        self.intents
    }
}

/// Settings that were made and are still there, by what a history says: what may be taken away again.
pub fn made(made: &mut std::collections::BTreeSet<Address>, change: &Change) {
    match change.deed {
        crate::plan::Deed::Create => {
            made.insert(change.address.clone());
        }
        crate::plan::Deed::Delete => {
            made.remove(&change.address);
        }
        crate::plan::Deed::Update => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let run: RunId = "20261121T101500Z-00000001".parse().unwrap();
        let mut head = Head::default();
        [(Life::Discovered, Life::Gated), (Life::Gated, Life::Placed), (Life::Placed, Life::HandedOver)]
            .into_iter()
            .map(|(from, to)| {
                let event = Event::Life { from, to, why: "as it should".into() };
                let entry = Entry::after(&head, Timestamp::UNIX_EPOCH, &run, event);
                head = entry.head();
                entry
            })
            .collect()
    }

    fn check(entries: &[Entry]) -> Result<(), Broken> {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.take(entry))
    }

    #[test]
    fn an_untouched_history_verifies_also_after_a_round_trip() {
        let text = serde_json::to_string(&entries()).unwrap();
        let back: Vec<Entry> = serde_json::from_str(&text).unwrap();
        assert_eq!(check(&back), Ok(()));
    }

    #[test]
    fn one_disturbance_is_found_and_named() {
        let mut altered = entries();
        altered[1].event = Event::Life { from: Life::Gated, to: Life::Placed, why: "otherwise".into() };
        assert_eq!(check(&altered), Err(Broken::Altered { seq: 2 }));

        let mut missing = entries();
        missing.remove(1);
        assert_eq!(check(&missing), Err(Broken::Gap { expected: 2, found: 3 }));

        let mut doubled = entries();
        doubled.insert(1, doubled[0].clone());
        assert_eq!(check(&doubled), Err(Broken::Gap { expected: 2, found: 1 }));

        let mut rewritten = entries();
        let run = rewritten[0].run.clone();
        let forged = Event::Life { from: Life::Discovered, to: Life::Gated, why: "forged".into() };
        rewritten[0] = Entry::after(&Head::default(), Timestamp::UNIX_EPOCH, &run, forged);
        assert_eq!(check(&rewritten), Err(Broken::Unlinked { seq: 2 }));

        let mut stray = entries();
        let change = ChangeId("x#y".into());
        let event = Event::Outcome { intent: 1, change, result: Done::Failed { why: "no".into() } };
        let next = Entry::after(&stray[2].head(), Timestamp::UNIX_EPOCH, &run, event);
        stray.push(next);
        assert_eq!(check(&stray), Err(Broken::NotOpen { seq: 4, intent: 1 }));
    }
    /// Two writes under way at once, as their entries come to lie; only when both are over has nobody to read them again.
    #[test]
    fn whoever_reads_on_begins_where_no_intent_was_open() {
        let at: Address = "quarantine-gate/deny-policy".parse().unwrap();
        let intent = |verb| Event::Intent {
            change: Box::new(Change::new(&at, verb, crate::plan::Deed::Create, "nobody is denied anything")),
            names: Vec::new(),
            satisfies: Vec::new(),
            plan: Digest::of(b"plan"),
            provenance: Provenance {
                bundle: Digest::of(b"bundle"),
                generation: 0,
                signed_by: None,
                author: None,
            },
        };
        let over = |intent| Event::Outcome {
            intent,
            change: ChangeId("x#y".into()),
            result: Done::Written { made: Value::Null },
        };
        let events =
            [(intent("close"), 0), (intent("bind"), 0), (over(1), 0), (over(2), 4), (intent("close"), 4)];
        let run: RunId = "20261121T101500Z-00000001".parse().unwrap();
        let mut chain = Chain::default();
        let mut rest = Vec::new();
        for (event, settled) in events {
            let entry = Entry::after(chain.head(), Timestamp::UNIX_EPOCH, &run, event);
            chain.take(&entry).unwrap();
            assert_eq!(chain.settled().seq, settled, "after entry {}", entry.seq);
            rest.push(entry);
        }
        let mut next = Chain::from(chain.settled().clone());
        rest.drain(..4);
        rest.iter().for_each(|entry| next.take(entry).unwrap());
        assert_eq!(next.open().keys().collect::<Vec<_>>(), [&5]);
    }
}
