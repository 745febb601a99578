//! Paging as Google's APIs do it: `pageSize`, and a `nextPageToken` that is sent back as `pageToken`.
//!
//! <https://google.aip.dev/158>: a size above the most is taken for the most, one below zero is refused.

use serde_json::{Map, Value};

use super::answer::{Answered, bad};
use super::request::Request;
use super::world::GcpWorld;
use crate::cursor;

/// One page of `items` under the name `field`, with a token for the next when there is more. An empty list is left out, as protobuf
/// leaves out what is empty.
///
/// `items` is lazy so that a page of a list of thousands converts only what it shows.
pub(crate) fn page(
    world: &GcpWorld,
    request: &Request,
    field: &str,
    items: impl Iterator<Item = Value>,
    most: usize,
) -> Answered {
    let most = most.min(world.settings.page_size).max(1);
    let size = match request.query("pageSize").or_else(|| request.query("maxResults")) {
        None | Some("" | "0") => most,
        Some(asked) => match asked.parse::<usize>() {
            Ok(asked) => asked.min(most),
            Err(_) => return Err(bad(format!("Page size must not be negative, but was `{asked}`."))),
        },
    };
    let (offset, rested) = match request.query("pageToken") {
        None | Some("") => (0, false),
        Some(token) => cursor::read(token).ok_or_else(|| bad("Request contains an invalid page token."))?,
    };
    let mut answer = Map::new();
    // Every second page is preceded by an empty one: a client that takes "empty" for "the end" must fail here.
    if world.settings.empty_pages && !rested && (offset / size) % 2 == 0 {
        answer.insert("nextPageToken".to_owned(), Value::from(cursor::write(offset, true)));
        return Ok(Value::Object(answer));
    }
    let mut items = items.skip(offset);
    let shown: Vec<Value> = items.by_ref().take(size).collect();
    if !shown.is_empty() {
        answer.insert(field.to_owned(), Value::Array(shown));
    }
    if items.next().is_some() {
        answer.insert("nextPageToken".to_owned(), Value::from(cursor::write(offset + size, false)));
    }
    Ok(Value::Object(answer))
}
