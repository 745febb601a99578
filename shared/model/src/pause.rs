//! The stop switch of a store: while it is thrown, whoever works on that store looks, plans and reports, and writes nothing to a cloud.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One throw of the switch, and one of its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Turn {
    /// Its number, from 1 on.
    pub number: u64,
    /// Whether everything stops from here on, or goes on.
    pub paused: bool,
    /// When.
    pub at: Timestamp,
    /// Who, as they say: what proves it is the right to write the store.
    pub by: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Turn { number: _, paused, at, by, why } = self;
        let word = if *paused { "paused" } else { "resumed" };
        write!(f, "{word} by {by} at {}: {why}", at.strftime("%Y-%m-%d %H:%M:%SZ"))
    }
}

/// The switch, with all its turns: none is ever taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Switch {
    /// Oldest first.
    pub turns: Vec<Turn>,
}

impl Switch {
    /// The last turn.
    pub fn last(&self) -> Option<&Turn> {
        self.turns.last()
    }

    /// Who stopped everything, where somebody did.
    pub fn pause(&self) -> Option<&Turn> {
        self.last().filter(|turn| turn.paused)
    }

    /// Throws it. Nothing where it stands so already.
    pub fn turn(&mut self, paused: bool, at: Timestamp, by: &str, why: &str) -> Option<&Turn> {
        if self.pause().is_some() == paused {
            return None;
        }
        let number = self.last().map_or(1, |turn| turn.number + 1);
        self.turns.push(Turn { number, paused, at, by: by.to_owned(), why: why.to_owned() });
        self.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_keeps_every_turn_and_is_thrown_only_to_where_it_is_not() {
        let at: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let mut switch = Switch::default();
        assert!(switch.pause().is_none());
        assert!(switch.turn(false, at, "ops", "nothing to resume").is_none());
        assert_eq!(switch.turn(true, at, "ops", "an incident").map(|turn| turn.number), Some(1));
        assert!(switch.turn(true, at, "others", "the same").is_none());
        assert_eq!(switch.pause().map(|turn| turn.by.as_str()), Some("ops"));
        assert_eq!(switch.turn(false, at, "ops", "it is over").map(|turn| turn.number), Some(2));
        assert!(switch.pause().is_none());
        assert_eq!(switch.turns.len(), 2);
        assert_eq!(switch.last().unwrap().to_string(), "resumed by ops at 2026-11-22 08:00:00Z: it is over");
    }
}
