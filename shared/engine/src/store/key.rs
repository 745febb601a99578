//! The name of a record: `history/aws/222222222222/00000000000000000007`.

use std::fmt;
use thiserror::Error;

/// Segments of `A-Z a-z 0-9 . _ -`, joined by `/`; the same text in every backend, without escapes.
///
/// Case counts. The order is that of the bytes, which is how object stores list. Digests are stored as hex,
/// since `:` is not among the characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// S3, Cloud Storage and Blob Storage take names of 1,024 bytes; the rest is for the folder that a store
    /// may be kept in.
    pub const MAX_LEN: usize = 768;

    pub fn parse(text: &str) -> Result<Key, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > Key::MAX_LEN {
            return Err(KeyError::TooLong { len: text.len() });
        }
        match text.split('/').find(|segment| !is_segment(segment)) {
            None => Ok(Key(text.to_owned())),
            Some(segment) => Err(KeyError::Segment { key: text.to_owned(), segment: segment.to_owned() }),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Key, KeyError> {
        Key::parse(text)
    }
}

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("a key can't be empty")]
    Empty,
    #[error("a key of `{len}` bytes is longer than `{}`", Key::MAX_LEN)]
    TooLong { len: usize },
    #[error(
        "part {segment:?} of key {key:?} is not one or more of A-Z a-z 0-9 . _ - without a dot at its end"
    )]
    Segment { key: String, segment: String },
}

/// A dot at the end is refused because Blob Storage drops it; this also refuses `.` and `..`.
fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.ends_with('.')
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_segments() {
        let longest = "a".repeat(Key::MAX_LEN);
        for text in ["a", "a/b", "sweeps/2026-01-02_x/done/prod.eu", ".hidden", "-", "a/0/B", &longest] {
            assert_eq!(Key::parse(text).map(|k| k.to_string()), Ok(text.to_owned()));
        }
        let too_long = "a".repeat(Key::MAX_LEN + 1);
        for text in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a.", "a b", "a:b", "a\\b", "a%2Fb",
            "é", "a\n", "a\0", "a*", &too_long,
        ] {
            assert!(Key::parse(text).is_err(), "`{text}`");
        }
    }

    #[test]
    fn the_error_shows_hostile_text_inert() {
        let error = Key::parse("tenants/\u{1b}[2J").unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
        assert!(error.to_string().starts_with(r#"part "\u{1b}[2J" of key "#), "{error}");
    }

    #[test]
    fn the_order_is_that_of_the_bytes() {
        let mut keys: Vec<Key> = ["b", "a/b", "a-b", "a.b", "a", "a/B", "a0", "a_b", "A"]
            .iter()
            .map(|k| Key::parse(k).unwrap())
            .collect();
        keys.sort();
        let order: Vec<&str> = keys.iter().map(Key::as_str).collect();
        assert_eq!(order, ["A", "a", "a-b", "a.b", "a/B", "a/b", "a0", "a_b", "b"]);
    }
}
