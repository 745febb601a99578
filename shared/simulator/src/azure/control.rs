//! What only Azure has under `/_landfall/`.

use serde_json::{Value, json};

use super::breakage::{self, AzureBreakage};
use super::world::AzureWorld;
use crate::ask::member;
use crate::control::{Told, store};

pub(crate) fn answer(world: &mut AzureWorld, method: &str, path: &str, body: &Value) -> Option<Told> {
    Some(match (method, path) {
        ("GET", "world") => Ok(serde_json::to_value(world).unwrap_or_default()),
        ("POST", "settings") => settings(world, body),
        ("POST", "subscriptions") => match member(body, "name") {
            "" => Err("`name` is missing".to_owned()),
            name => Ok(json!({"id": world.add_subscription(name)})),
        },
        ("POST", "break") => broken(world, body),
        _ => return None,
    })
}

/// Changes the settings that are named and leaves the others; answers all of them.
fn settings(world: &mut AzureWorld, body: &Value) -> Told {
    let settings = &mut world.settings;
    for (name, value) in body.as_object().into_iter().flatten() {
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let right = match (name.as_str(), value.as_bool(), count) {
            ("empty_pages", Some(flag), _) => store(&mut settings.empty_pages, flag),
            ("hide_unknown_groups", Some(flag), _) => store(&mut settings.hide_unknown_groups, flag),
            ("operation_polls", _, Some(count)) => store(&mut settings.operation_polls, count),
            ("register_polls", _, Some(count)) => store(&mut settings.register_polls, count),
            ("retry_after", _, Some(count)) => store(&mut settings.retry_after, count),
            ("page_size", _, Some(count)) => {
                store(&mut settings.page_size, usize::try_from(count).unwrap_or(1))
            }
            _ => false,
        };
        if !right {
            return Err(format!(
                "`{name}` must be one of empty_pages, hide_unknown_groups (true or false), operation_polls, register_polls, retry_after, page_size (a count)"
            ));
        }
    }
    Ok(serde_json::to_value(settings).unwrap_or_default())
}

fn broken(world: &mut AzureWorld, body: &Value) -> Told {
    let what = member(body, "what").parse::<AzureBreakage>().map_err(|wrong| wrong.to_string())?;
    breakage::perform(world, member(body, "subscription"), what).map_err(|wrong| wrong.to_string())?;
    Ok(json!({"broken": member(body, "what")}))
}
