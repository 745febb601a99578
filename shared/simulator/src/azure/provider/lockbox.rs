//! Customer Lockbox: one switch for the whole directory.
//!
//! Written from Microsoft.CustomerLockbox 2018-02-28-preview in Microsoft's `azure-rest-api-specs`; no client package has it.

use serde_json::{Value, json};

use super::super::answer::{Answered, Good, no_method, not_found};
use super::super::request::Request;
use super::super::world::AzureWorld;

pub(super) fn choice(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::GET {
        return Err(no_method(request));
    }
    let directory = &world.directory;
    if !request.name().eq_ignore_ascii_case(&directory.id) {
        return Err(not_found("NotFound", "There is no such directory."));
    }
    Ok(Good::ok(json!({"isOptedIn": directory.lockbox})))
}

/// Switching on what is on is no error.
pub(super) fn enable(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::POST {
        return Err(no_method(request));
    }
    world.directory.lockbox = true;
    Ok(Good::ok(Value::Null))
}
