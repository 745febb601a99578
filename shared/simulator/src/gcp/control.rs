//! What only Google Cloud has under `/_landfall/`.

use serde_json::{Value, json};

use super::breakage::{self, GcpBreakage};
use super::world::GcpWorld;
use crate::ask::member;
use crate::control::{Told, store};

pub(crate) fn answer(world: &mut GcpWorld, method: &str, path: &str, body: &Value) -> Option<Told> {
    Some(match (method, path) {
        ("GET", "world") => Ok(serde_json::to_value(world).unwrap_or_default()),
        ("POST", "settings") => settings(world, body),
        ("POST", "projects") => match member(body, "id") {
            "" => Err("`id` is missing".to_owned()),
            id => {
                let parent = Some(member(body, "parent")).filter(|parent| !parent.is_empty());
                let parent = parent.map_or_else(|| world.organization.name(), str::to_owned);
                Ok(json!({"number": world.create_project(id, &parent)}))
            }
        },
        ("POST", "break") => broken(world, body),
        ("POST", "tokens") => {
            for (token, principal) in body.as_object().into_iter().flatten() {
                if let Some(principal) = principal.as_str() {
                    world.tokens.insert(token.clone(), principal.to_owned());
                }
            }
            Ok(json!(world.tokens))
        }
        _ => return None,
    })
}

/// Changes the settings that are named and leaves the others; answers all of them.
fn settings(world: &mut GcpWorld, body: &Value) -> Told {
    let settings = &mut world.settings;
    for (name, value) in body.as_object().into_iter().flatten() {
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let right = match (name.as_str(), value.as_bool(), count) {
            ("empty_pages", Some(flag), _) => store(&mut settings.empty_pages, flag),
            ("deny_quota", Some(flag), _) => store(&mut settings.deny_quota, flag),
            ("operation_polls", _, Some(count)) => store(&mut settings.operation_polls, count),
            ("activation_looks", _, Some(count)) => store(&mut settings.activation_looks, count),
            ("retry_after", _, Some(count)) => store(&mut settings.retry_after, Some(count)),
            ("page_size", _, Some(count)) => {
                store(&mut settings.page_size, usize::try_from(count).unwrap_or(1))
            }
            _ => false,
        };
        if !right {
            return Err(format!(
                "`{name}` must be one of empty_pages, deny_quota (true or false), operation_polls, activation_looks, retry_after, page_size (a count)"
            ));
        }
    }
    Ok(serde_json::to_value(settings).unwrap_or_default())
}

fn broken(world: &mut GcpWorld, body: &Value) -> Told {
    let what = member(body, "what").parse::<GcpBreakage>().map_err(|wrong| wrong.to_string())?;
    breakage::perform(world, member(body, "project"), what).map_err(|wrong| wrong.to_string())?;
    Ok(json!({"broken": member(body, "what")}))
}
