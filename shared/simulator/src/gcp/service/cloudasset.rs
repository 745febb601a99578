//! Asset feeds, which tell a Pub/Sub topic of every change: <https://cloud.google.com/asset-inventory/docs/reference/rest/v1/feeds>

use serde_json::{Map, Value};

use super::enabled;
use super::fields::{masked, missing, only, text, texts, with};
use crate::gcp::answer::{Answered, bad, there_already};
use crate::gcp::request::{Request, camel};
use crate::gcp::world::GcpWorld;
use crate::refusal::Refusal;

const FEEDS: &str = "cloudasset/feeds";

const FIELDS: [&str; 6] =
    ["assetNames", "assetTypes", "contentType", "feedOutputConfig", "condition", "relationshipTypes"];

const CONTENTS: [&str; 7] =
    ["", "RESOURCE", "IAM_POLICY", "ORG_POLICY", "ACCESS_POLICY", "OS_INVENTORY", "RELATIONSHIP"];

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let [kind @ ("projects" | "folders" | "organizations"), id, "feeds", rest @ ..] = parts.as_slice() else {
        return Err(request.unknown());
    };
    enabled::check(world, request)?;
    let of = format!("{kind}/{id}");
    let parent = world.canonical(&of);
    let all = world.governance(&of).ok_or_else(|| missing(request))?.things(FEEDS);
    let one = |id: &str| all.get(id).cloned().ok_or_else(|| missing(request));
    let asked = request.body.get("feed").cloned().unwrap_or_default();
    match (method, rest, verb) {
        // All at once: this list has no pages.
        ("GET", [], "") => {
            let mut list = Map::new();
            if !all.is_empty() {
                list.insert("feeds".to_owned(), all.values().cloned().collect());
            }
            Ok(Value::Object(list))
        }
        ("GET", [feed], "") => one(feed),
        ("POST", [], "") => {
            only(&request.body, "", &["feedId", "feed"])?;
            let id = request.needs("feedId")?.to_owned();
            let name = format!("{parent}/feeds/{id}");
            if all.contains_key(&id) {
                return Err(there_already(format!("Feed {name} already exists.")));
            }
            check(&asked)?;
            keep(world, request, &of, &id, with(asked, "name", name))
        }
        ("PATCH", [feed], "") => {
            only(&request.body, "", &["feed", "updateMask"])?;
            let old = one(feed)?;
            let mask: Vec<String> =
                request.needs("updateMask")?.split(',').map(|field| camel(field.trim())).collect();
            let new = masked(&old, &asked, &mask, &FIELDS, &["name"])?;
            check(&new)?;
            keep(world, request, &of, feed, new)
        }
        ("DELETE", [feed], "") => {
            one(feed)?;
            if let Some(governance) = world.at(&of) {
                governance.things_mut(FEEDS).remove(*feed);
            }
            Ok(Value::Null)
        }
        _ => Err(request.unknown()),
    }
}

fn keep(world: &mut GcpWorld, request: &Request, of: &str, id: &str, feed: Value) -> Answered {
    let governance = world.at(of).ok_or_else(|| missing(request))?;
    governance.things_mut(FEEDS).insert(id.to_owned(), feed.clone());
    Ok(feed)
}

fn check(feed: &Value) -> Result<(), Refusal> {
    only(feed, "feed", &[FIELDS.as_slice(), &["name"]].concat())?;
    if texts(feed, "assetNames").is_empty() && texts(feed, "assetTypes").is_empty() {
        return Err(bad("At least one of asset_names and asset_types is required."));
    }
    let content = text(feed, "contentType");
    if !CONTENTS.contains(&content) {
        return Err(bad(format!("Invalid value at 'feed.content_type', {content:?}")));
    }
    let topic = feed.pointer("/feedOutputConfig/pubsubDestination/topic").and_then(Value::as_str);
    let parts: Vec<&str> = topic.unwrap_or_default().split('/').collect();
    if !matches!(parts.as_slice(), ["projects", _, "topics", _]) {
        return Err(bad("A feed must have a Pub/Sub topic: projects/PROJECT/topics/TOPIC."));
    }
    Ok(())
}
