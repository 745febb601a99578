//! Filters, ids and paging: what every Describe operation of EC2 has in common.

use serde_json::Value;

use super::Answered;
use crate::ask::Ask;
use crate::page::{EC2, page};
use crate::refusal::Refusal;
use crate::world::World;

/// One kind of thing that can be described.
pub(super) struct Kind {
    /// The element its list is answered in.
    pub(super) set: &'static str,
    /// The numbered parameter that names some of them.
    pub(super) ids: &'static str,
    /// The code when one that was named does not exist.
    pub(super) missing: &'static str,
    /// The filters that are understood; an unknown one is an error, as with AWS.
    pub(super) filters: &'static [&'static str],
}

/// One thing: how it is named, what filters see of it, and how it is written.
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) value: Value,
}

pub(super) const REGIONS: Kind = Kind {
    set: "regionInfo",
    ids: "RegionName",
    missing: "InvalidParameterValue",
    filters: &["opt-in-status", "region-name", "endpoint"],
};

/// Those of `things` that the ask names and its filters let through.
pub(super) fn describe(world: &World, ask: &Ask, kind: &Kind, things: Vec<Shown>) -> Answered {
    let wanted = ask.numbered(kind.ids);
    if let Some(missing) = wanted.iter().find(|id| !things.iter().any(|thing| thing.id == **id)) {
        return Err(Refusal::new(kind.missing, format!("The ID '{missing}' does not exist")));
    }
    let filters = filters(ask);
    if let Some((name, _)) = filters.iter().find(|(name, _)| !kind.filters.contains(name)) {
        return Err(ask.invalid(format!("The filter '{name}' is invalid")));
    }
    let passes = |thing: &Shown| {
        filters.iter().all(|(name, values)| {
            thing.facts.iter().any(|(fact, value)| fact == name && values.contains(&value.as_str()))
        })
    };
    let shown = things
        .into_iter()
        .filter(|thing| wanted.is_empty() || wanted.contains(&thing.id.as_str()))
        .filter(passes)
        .map(|thing| thing.value);
    let mut answer = page(world, ask, EC2, kind.set, shown)?;
    if let Some(token) = answer.remove("NextToken") {
        answer.insert("nextToken".to_owned(), token);
    }
    Ok(Value::Object(answer))
}

/// `Filter.1.Name`, `Filter.1.Value.1`, `Filter.1.Value.2`, …
fn filters(ask: &Ask) -> Vec<(&str, Vec<&str>)> {
    let one = |n: usize| {
        let name = ask.text(&format!("Filter.{n}.Name"))?;
        Some((name, ask.numbered(&format!("Filter.{n}.Value"))))
    };
    (1..).map_while(one).collect()
}
