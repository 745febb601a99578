//! The queues and what lies in them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::world::uuid;

/// What is wrong with a message's name or receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    NoQueue,
    NoMessage,
    /// It was taken again meanwhile.
    Receipt,
}

#[derive(Debug, Default)]
pub(super) struct Queues {
    queues: BTreeMap<String, Vec<Message>>,
    issued: u64,
}

/// A message as it lies there.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    /// As it was sent: nobody decodes it here.
    pub(super) text: String,
    pub(super) inserted: Timestamp,
    pub(super) expires: Timestamp,
    pub(super) visible: Timestamp,
    /// How often it was taken.
    pub(super) taken: u32,
    pub(super) receipt: String,
}

/// A message that was taken, as a trigger sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The message's own.
    pub id: String,
    /// Names this delivery.
    pub receipt: String,
    /// As it lies in the queue.
    pub text: String,
    /// Which delivery this is, from 1.
    pub count: u32,
}

impl Queues {
    /// Makes a queue; says whether it was not there.
    pub(super) fn create(&mut self, name: &str) -> bool {
        let there = self.queues.contains_key(name);
        self.queues.entry(name.to_owned()).or_default();
        !there
    }

    /// Deletes a queue; says whether it was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.queues.remove(name).is_some()
    }

    pub(super) fn len(&mut self, name: &str) -> usize {
        self.queue(name).map_or(0, |messages| messages.len())
    }

    pub(super) fn due(&mut self, name: &str) -> usize {
        let now = Timestamp::now();
        self.queue(name)
            .map_or(0, |messages| messages.iter().filter(|message| message.visible <= now).count())
    }

    pub(super) fn hurry(&mut self, name: &str) {
        let now = Timestamp::now();
        for message in self.queue(name).into_iter().flatten() {
            message.visible = message.visible.min(now);
        }
    }

    pub(super) fn put(
        &mut self,
        name: &str,
        text: String,
        delay: Duration,
        lives: Option<Duration>,
    ) -> Result<Message, Wrong> {
        let receipt = self.receipt();
        let id = uuid(&format!("message {}", self.issued));
        let inserted = Timestamp::now();
        // The end of .NET's time, which is what the real one answers for a message without end.
        let never = Timestamp::from_second(253_402_300_799).unwrap_or(Timestamp::MAX);
        let expires = lives.map_or(never, |lives| after(inserted, lives));
        let message =
            Message { id, text, inserted, expires, visible: after(inserted, delay), taken: 0, receipt };
        let messages = self.queue(name).ok_or(Wrong::NoQueue)?;
        messages.push(message.clone());
        Ok(message)
    }

    /// Takes messages, those first that are due the longest.
    pub(super) fn get(&mut self, name: &str, most: usize, hidden: Duration) -> Result<Vec<Message>, Wrong> {
        let now = Timestamp::now();
        let mut due: Vec<(Timestamp, String)> = self
            .queue(name)
            .ok_or(Wrong::NoQueue)?
            .iter()
            .filter(|message| message.visible <= now)
            .map(|message| (message.visible, message.id.clone()))
            .collect();
        due.sort_by_key(|(visible, _)| *visible);
        let mut taken = Vec::new();
        for (_, id) in due.into_iter().take(most) {
            let receipt = self.receipt();
            let message = self.queue(name).into_iter().flatten().find(|message| message.id == id);
            if let Some(message) = message {
                message.visible = after(now, hidden);
                message.taken += 1;
                message.receipt = receipt;
                taken.push(message.clone());
            }
        }
        Ok(taken)
    }

    /// The same, as a trigger sees them.
    pub(super) fn take(&mut self, name: &str, most: usize, hidden: Duration) -> Result<Vec<Taken>, Wrong> {
        let taken = |message: Message| {
            let Message { id, receipt, text, taken: count, .. } = message;
            Taken { id, receipt, text, count }
        };
        Ok(self.get(name, most, hidden)?.into_iter().map(taken).collect())
    }

    /// Looks at what could be taken, and takes nothing.
    pub(super) fn peek(&mut self, name: &str, most: usize) -> Result<Vec<Message>, Wrong> {
        let now = Timestamp::now();
        let messages = self.queue(name).ok_or(Wrong::NoQueue)?;
        Ok(messages.iter().filter(|message| message.visible <= now).take(most).cloned().collect())
    }

    pub(super) fn delete(&mut self, name: &str, id: &str, receipt: &str) -> Result<(), Wrong> {
        self.message(name, id, receipt)?;
        self.queue(name).into_iter().for_each(|messages| messages.retain(|message| message.id != id));
        Ok(())
    }

    /// Holds a message back for another time; with a text, the message's is replaced.
    pub(super) fn update(
        &mut self,
        name: &str,
        id: &str,
        receipt: &str,
        delay: Duration,
        text: Option<String>,
    ) -> Result<Message, Wrong> {
        let fresh = self.receipt();
        let message = self.message(name, id, receipt)?;
        message.visible = after(Timestamp::now(), delay);
        message.receipt = fresh;
        if let Some(text) = text {
            message.text = text;
        }
        Ok(message.clone())
    }

    pub(super) fn clear(&mut self, name: &str) -> Result<(), Wrong> {
        self.queue(name).map(Vec::clear).ok_or(Wrong::NoQueue)
    }

    fn message(&mut self, name: &str, id: &str, receipt: &str) -> Result<&mut Message, Wrong> {
        let messages = self.queue(name).ok_or(Wrong::NoQueue)?;
        let message = messages.iter_mut().find(|message| message.id == id).ok_or(Wrong::NoMessage)?;
        if message.receipt == receipt { Ok(message) } else { Err(Wrong::Receipt) }
    }

    /// The messages that have not expired.
    fn queue(&mut self, name: &str) -> Option<&mut Vec<Message>> {
        let now = Timestamp::now();
        let messages = self.queues.get_mut(name)?;
        messages.retain(|message| message.expires > now);
        Some(messages)
    }

    /// No two are the same, and clients have to escape them in an address.
    fn receipt(&mut self) -> String {
        self.issued += 1;
        STANDARD.encode(format!("receipt>>{}", self.issued))
    }
}

fn after(time: Timestamp, delay: Duration) -> Timestamp {
    let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
    time.checked_add(delay).unwrap_or(Timestamp::MAX)
}
