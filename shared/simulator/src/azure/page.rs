//! Paging as ARM does it: `$top`, and a `nextLink` that is followed as it is.

use serde_json::{Value, json};

use super::answer::{Answered, Good, bad};
use super::request::Request;
use super::world::AzureWorld;
use crate::cursor;

/// One page of `items`, with a link to the next when there is more.
///
/// `items` is lazy so that a page of a list of thousands converts only what it shows.
pub(crate) fn page(world: &AzureWorld, request: &Request, items: impl Iterator<Item = Value>) -> Answered {
    let most = world.settings.page_size.max(1);
    let size = match request.query("$top") {
        None => most,
        Some(top) => match top.parse::<usize>() {
            Ok(top) if top >= 1 => top.min(most),
            _ => {
                let message = format!("The value '{top}' of the query parameter '$top' is invalid.");
                return Err(bad("InvalidQueryParameterValue", message));
            }
        },
    };
    let (offset, rested) = match request.query("$skiptoken") {
        None => (0, false),
        Some(token) => {
            cursor::read(token).ok_or_else(|| bad("InvalidSkipToken", "The skip token is invalid."))?
        }
    };
    // Every second page is preceded by an empty one: a client that takes "empty" for "the end" must fail here.
    if world.settings.empty_pages && !rested && (offset / size) % 2 == 0 {
        let next = link(world, request, offset, true);
        return Ok(Good::ok(json!({"value": [], "nextLink": next})));
    }
    let mut items = items.skip(offset);
    let shown: Vec<Value> = items.by_ref().take(size).collect();
    let mut answer = json!({ "value": shown });
    if let (Some(_), Some(members)) = (items.next(), answer.as_object_mut()) {
        members.insert("nextLink".to_owned(), Value::from(link(world, request, offset + size, false)));
    }
    Ok(Good::ok(answer))
}

/// The same question with another token, at the same host.
fn link(world: &AzureWorld, request: &Request, offset: usize, rested: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.iter().filter(|(name, _)| *name != "$skiptoken") {
        query.append_pair(name, value);
    }
    query.append_pair("$skiptoken", &cursor::write(offset, rested));
    format!("{}{}?{}", world.endpoint, request.path, query.finish())
}
