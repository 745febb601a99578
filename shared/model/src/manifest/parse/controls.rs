//! Controls under the organization's own names, and the landing zones that list them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::draft::{Draft, What};
use super::fields::{self, Fields, entries, set, text, whole, word};
use super::problems::{Problem, Problems};
use crate::catalog::{Combine, ControlKind, Effect, Form, Parameter, Place};
use crate::catalog::{federation, organization_policies};
use crate::diagnostic::code;
use crate::manifest::line::Origin;
use crate::manifest::yaml::{Key, Node, Yaml, quote};
use crate::manifest::{Control, Handover, LandingZone, Mode};

const MODES: &[(&str, Mode)] =
    &[("prevent", Mode::Prevent), ("repair", Mode::Repair), ("detect", Mode::Detect)];

const HANDOVERS: &[(&str, Handover)] = &[("required", Handover::Required), ("reported", Handover::Reported)];

pub(super) fn controls(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::Control, key, problems) else { continue };
            let mut fields = Fields::of(node, problems);
            let kind = fields.need("control", problems).and_then(|node| kind(node, problems));
            let with = fields.take("with");
            let satisfies =
                fields.take("satisfies").and_then(|node| set(node, "a list of clauses", problems, clause));
            let mode = fields.take("mode");
            let handover = fields.take("handover").and_then(|node| word(node, HANDOVERS, problems));
            let mode = mode.and_then(|node| word(node, MODES, problems).map(|mode| (node, mode)));
            fields.end(problems);
            let Some(kind) = kind else { continue };
            if key.text.parse::<ControlKind>().is_ok_and(|other| other != kind) {
                let message = format!("{} is the name of another control of the catalog", quote(&key.text));
                problems
                    .add(Problem::new(code::BAD_NAME, key.at, message).help("give it a name of your own"));
            } else {
                draft.kinds.insert(name.clone(), kind);
            }
            let with = with
                .map(|node| parameters(node, kind, &Origin::Control(name.clone()), draft, problems))
                .unwrap_or_default();
            if let (Some((node, mode)), Effect::Detects) = (mode, kind.entry().effect)
                && mode != Mode::Detect
            {
                let message = format!("nothing can be written for `{kind}`: it can only be detected");
                problems.add(
                    Problem::new(code::CANNOT_REPAIR, node.at, message)
                        .help("write `mode: detect`, or leave it out"),
                );
            }
            let mode = mode.map_or_else(|| Mode::of(kind), |(_, mode)| mode);
            let handover = handover.unwrap_or_else(|| Handover::of(kind, mode));
            let satisfies = satisfies.unwrap_or_default();
            draft.manifest.controls.insert(name, Control { control: kind, with, satisfies, mode, handover });
        }
    }
}

/// A control of the catalog that people may list.
fn kind(node: &Node, problems: &mut Problems) -> Option<ControlKind> {
    let id = text(node, problems)?;
    match id.parse::<ControlKind>() {
        Ok(kind) if kind.entry().place == Place::Implied => {
            let message = format!("`{kind}` follows from the manifest's shape and is never listed");
            problems.add(Problem::new(code::IMPLIED_CONTROL, node.at, message).help("take the control out"));
            None
        }
        Ok(kind) => Some(kind),
        Err(_) => {
            let message = format!("the catalog has no control {}", quote(id));
            let listed = ControlKind::ALL.iter().filter(|kind| kind.entry().place != Place::Implied);
            problems.add(
                Problem::new(code::UNKNOWN_CONTROL, node.at, message).near(id, listed.map(|kind| kind.id())),
            );
            None
        }
    }
}

/// `iso-27001:2022/A.5.34`.
fn clause(node: &Node, problems: &mut Problems) -> Option<String> {
    let clause = text(node, problems)?;
    let right =
        clause.split_once('/').is_some_and(|(standard, clause)| !standard.is_empty() && !clause.is_empty());
    if right {
        return Some(clause.to_owned());
    }
    let message = format!("{} is not a clause such as `iso-27001:2022/A.5.34`", quote(clause));
    problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
    None
}

/// What stands under `with`, each parameter in the form the catalog gives it.
pub(super) fn parameters(
    node: &Node,
    kind: ControlKind,
    origin: &Origin,
    draft: &mut Draft,
    problems: &mut Problems,
) -> BTreeMap<String, Value> {
    let entry = kind.entry();
    let mut with = BTreeMap::new();
    for (key, node) in entries(node, problems).unwrap_or_default() {
        let Some(parameter) = entry.parameter(&key.text) else {
            let message = format!("`{kind}` takes no parameter {}", quote(&key.text));
            let names = entry.parameters.iter().map(|parameter| parameter.name);
            problems.add(Problem::new(code::UNKNOWN_PARAMETER, key.at, message).near(&key.text, names));
            continue;
        };
        if let Some(value) = value(node, parameter, problems) {
            draft.parameters.insert((origin.clone(), kind, key.text.clone()), node.at);
            with.insert(key.text.clone(), value);
        }
    }
    with
}

fn value(node: &Node, parameter: &Parameter, problems: &mut Problems) -> Option<Value> {
    let Parameter { form, combine, .. } = parameter;
    match form {
        Form::Texts => {
            let own = |node: &Node, problems: &mut Problems| text(node, problems).map(str::to_owned);
            let texts = set(node, &form.expected(), problems, own)?;
            let none = fields::items(node, "", problems).is_some_and(<[Node]>::is_empty);
            if none && *combine == Combine::Intersection {
                let message = format!("`{}` lists nothing, which would allow nothing", parameter.name);
                problems.add(
                    Problem::new(code::EMPTY, node.at, message)
                        .help("leave it out where nothing is restricted"),
                );
            }
            Some(Value::from(texts))
        }
        Form::TextMap => {
            let mut map = serde_json::Map::new();
            for (key, node) in entries(node, problems)? {
                if let Some(text) = text(node, problems) {
                    map.insert(key.text.clone(), Value::from(text));
                }
            }
            Some(Value::Object(map))
        }
        Form::TextLists => {
            let mut map = serde_json::Map::new();
            let of = Parameter { form: Form::Texts, ..*parameter };
            for (key, node) in entries(node, problems)? {
                if let Some(texts) = value(node, &of, problems) {
                    map.insert(key.text.clone(), texts);
                }
            }
            Some(Value::Object(map))
        }
        Form::CustomConstraints => {
            let mut map = serde_json::Map::new();
            for (key, node) in entries(node, problems)? {
                let value = node.json();
                if let Some(why) = organization_policies::wrong(&key.text, &value) {
                    let message = format!("{}: {why}", quote(&key.text));
                    problems.add(Problem::new(code::WRONG_VALUE, key.at, message));
                }
                map.insert(key.text.clone(), value);
            }
            let types = map.values().filter_map(|value| value.get("resource-types")?.as_array()).flatten();
            for (kind, count) in organization_policies::crowded(types.filter_map(Value::as_str)) {
                let most = organization_policies::PER_TYPE;
                let message =
                    format!("{count} custom constraints judge `{kind}`; Google takes at most {most}");
                problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
            }
            Some(Value::Object(map))
        }
        Form::IdentityProviders => {
            let mut map = serde_json::Map::new();
            for (key, node) in entries(node, problems)? {
                let value = node.json();
                if let Some(why) = federation::wrong(&key.text, &value) {
                    let message = format!("{}: {why}", quote(&key.text));
                    problems.add(Problem::new(code::WRONG_VALUE, key.at, message));
                }
                map.insert(key.text.clone(), value);
            }
            for (identity, count) in federation::crowded(map.values()) {
                let most = federation::PER_IDENTITY;
                let message = format!(
                    "{count} subjects are to become the identity `{identity}`; Azure takes at most {most}"
                );
                problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
            }
            Some(Value::Object(map))
        }
        Form::Switch | Form::Whole { .. } | Form::Choice(_) | Form::Text => {
            let value = node.json();
            if form.check(&value).is_ok() {
                return Some(value);
            }
            let right_type = match form {
                Form::Whole { .. } => matches!(node.value, Yaml::Whole(_)),
                Form::Choice(_) => matches!(node.value, Yaml::Text { .. }),
                Form::Switch
                | Form::Text
                | Form::Texts
                | Form::TextMap
                | Form::TextLists
                | Form::CustomConstraints
                | Form::IdentityProviders => false,
            };
            if right_type {
                let message =
                    format!("`{}`: expected {}, found {}", parameter.name, form.expected(), node.found());
                problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
            } else {
                fields::wrong_type(node, &form.expected(), problems);
            }
            None
        }
    }
}

pub(super) fn landing_zones(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::LandingZone, key, problems) else { continue };
            let mut fields = Fields::of(node, problems);
            let version =
                fields.need("version", problems).and_then(|node| whole(node, 1..=u32::MAX, problems));
            let extends = fields.take("extends").and_then(|node| {
                draft.extends.insert(name.clone(), node.at);
                draft.refer(What::LandingZone, node, problems)
            });
            let controls =
                fields.take("controls").map(|node| named(node, draft, problems)).unwrap_or_default();
            fields.end(problems);
            let version = version.unwrap_or(1);
            draft.manifest.landing_zones.insert(name, LandingZone { version, extends, controls });
        }
    }
}

/// The controls that a landing zone or a unit lists.
pub(super) fn named(node: &Node, draft: &mut Draft, problems: &mut Problems) -> Vec<crate::id::Name> {
    set(node, "a list of names", problems, |node, problems| draft.refer(What::Control, node, problems))
        .unwrap_or_default()
}
