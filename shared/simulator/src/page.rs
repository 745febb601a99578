//! Paging as AWS does it: opaque tokens, a ceiling per page, and now and then an empty page with a token.

use serde_json::{Map, Value};

use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::World;

/// The names and limits of one service's paging.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    pub(crate) size: &'static str,
    pub(crate) token: &'static str,
    pub(crate) most: usize,
    pub(crate) bad_token: &'static str,
}

/// Organizations lists at most 20 at a time, and says so when asked for more.
pub(crate) const ORGANIZATIONS: Paging =
    Paging { size: "MaxResults", token: "NextToken", most: 20, bad_token: "InvalidInputException" };
pub(crate) const ACCOUNT: Paging =
    Paging { size: "MaxResults", token: "NextToken", most: 50, bad_token: "ValidationException" };
pub(crate) const ANALYZER: Paging =
    Paging { size: "maxResults", token: "nextToken", most: 100, bad_token: "ValidationException" };
pub(crate) const GUARDDUTY: Paging =
    Paging { size: "maxResults", token: "nextToken", most: 50, bad_token: "BadRequestException" };
pub(crate) const SECURITY_HUB: Paging =
    Paging { size: "MaxResults", token: "NextToken", most: 100, bad_token: "InvalidInputException" };
pub(crate) const BUDGETS: Paging =
    Paging { size: "MaxResults", token: "NextToken", most: 100, bad_token: "InvalidNextTokenException" };
pub(crate) const IDENTITY: Paging =
    Paging { size: "MaxResults", token: "NextToken", most: 100, bad_token: "ValidationException" };
pub(crate) const EC2: Paging =
    Paging { size: "MaxResults", token: "NextToken", most: 1000, bad_token: "InvalidNextToken" };

/// One page of `items` under `key`, with the next token beside it when there is more.
///
/// `items` is lazy so that a page of a list of thousands converts only what it shows.
pub(crate) fn page(
    world: &World,
    ask: &Ask,
    paging: Paging,
    key: &str,
    items: impl Iterator<Item = Value>,
) -> Result<Map<String, Value>, Refusal> {
    let size = size(ask, paging)?;
    let (offset, rested) = match ask.text(paging.token) {
        Some(token) => read(token, &ask.operation).ok_or_else(|| {
            let refusal = Refusal::new(paging.bad_token, "You provided an invalid value for NextToken");
            if paging.bad_token == "InvalidInputException" {
                refusal.reason("INVALID_NEXT_TOKEN")
            } else {
                refusal
            }
        })?,
        None => (0, false),
    };
    let mut answer = Map::new();
    // Every second page is preceded by an empty one: a client that takes "empty" for "the end" must fail here.
    if world.settings.empty_pages && !rested && (offset / size) % 2 == 0 {
        answer.insert(key.to_owned(), Value::Array(Vec::new()));
        answer.insert(paging.token.to_owned(), Value::from(write(&ask.operation, offset, true)));
        return Ok(answer);
    }
    let mut items = items.skip(offset);
    let shown: Vec<Value> = items.by_ref().take(size).collect();
    let more = items.next().is_some();
    answer.insert(key.to_owned(), Value::Array(shown));
    if more {
        answer.insert(paging.token.to_owned(), Value::from(write(&ask.operation, offset + size, false)));
    }
    Ok(answer)
}

fn size(ask: &Ask, paging: Paging) -> Result<usize, Refusal> {
    match ask.number(paging.size)? {
        None => Ok(paging.most),
        Some(asked) => match usize::try_from(asked) {
            Ok(size) if size >= 1 && size <= paging.most => Ok(size),
            _ => Err(ask.invalid(format!("{} must be between 1 and {}", paging.size, paging.most))),
        },
    }
}

/// Hex, so that nobody is tempted to read or build one.
fn write(operation: &str, offset: usize, rested: bool) -> String {
    let plain = format!("{operation}:{offset}:{}", u8::from(rested));
    plain.bytes().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect()
}

fn read(token: &str, operation: &str) -> Option<(usize, bool)> {
    let bytes = token.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok().map(|byte| byte ^ 0x5a)
    });
    let plain = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
    let mut parts = plain.split(':');
    if parts.next()? != operation {
        return None;
    }
    let offset = parts.next()?.parse().ok()?;
    Some((offset, parts.next()? == "1"))
}
