//! Paging as ARM does it: `$top`, and a `nextLink` that is followed as it is.

use serde_json::{Value, json};

use super::answer::{Answered, Good, bad};
use super::request::Request;
use super::world::AzureWorld;

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
        Some(token) => read(token).ok_or_else(|| bad("InvalidSkipToken", "The skip token is invalid."))?,
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
    query.append_pair("$skiptoken", &write(offset, rested));
    format!("{}{}?{}", world.endpoint, request.path, query.finish())
}

/// Hex, so that nobody is tempted to read or build one.
fn write(offset: usize, rested: bool) -> String {
    let plain = format!("{offset}:{}", u8::from(rested));
    plain.bytes().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect()
}

fn read(token: &str) -> Option<(usize, bool)> {
    let bytes = token.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok().map(|byte| byte ^ 0x5a)
    });
    let plain = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
    let (offset, rested) = plain.split_once(':')?;
    Some((offset.parse().ok()?, rested == "1"))
}
