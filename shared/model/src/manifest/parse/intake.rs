//! What happens to new tenants that no project names.

use super::draft::{Draft, What};
use super::fields::{Fields, items, text, word};
use super::problems::{Problem, Problems};
use crate::diagnostic::code;
use crate::manifest::yaml::{At, Key, Node, Yaml};
use crate::manifest::{Intake, IntakeRule, When};

pub(super) fn parse(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    let mut last: Option<At> = None;
    for (_, node) in found {
        for node in items(node, "a list of rules", problems).unwrap_or_default() {
            if let Some(last) = last {
                problems.add(
                    Problem::new(code::UNREACHABLE, node.at, "no tenant comes as far as this rule")
                        .also(last, "this one takes every tenant")
                        .help("put `otherwise` last"),
                );
            }
            let mut fields = Fields::of(node, problems);
            let otherwise = fields.take("otherwise");
            let rule = match otherwise {
                Some(node) => otherwise_rule(node, draft, problems),
                None => when_rule(&mut fields, draft, problems),
            };
            fields.end(problems);
            if otherwise.is_some() && last.is_none() {
                last = Some(node.at);
            }
            if let Some(rule) = rule {
                draft.manifest.intake.push(rule);
            }
        }
    }
    if last.is_none() {
        draft.manifest.intake.push(IntakeRule { when: None, then: Intake::StayGated });
    }
}

/// `otherwise: stay-gated`, or a mapping with the landing zone and the unit.
fn otherwise_rule(node: &Node, draft: &mut Draft, problems: &mut Problems) -> Option<IntakeRule> {
    let then = if matches!(node.value, Yaml::Map(_)) {
        let mut fields = Fields::of(node, problems);
        let then = land(&mut fields, draft, problems);
        fields.end(problems);
        then
    } else {
        stay(node, problems)
    };
    Some(IntakeRule { when: None, then: then? })
}

fn when_rule(fields: &mut Fields<'_>, draft: &mut Draft, problems: &mut Problems) -> Option<IntakeRule> {
    let when = fields.need("when", problems).and_then(|node| when(node, draft, problems));
    let then = match fields.take("then") {
        Some(node) => stay(node, problems),
        None => land(fields, draft, problems),
    };
    Some(IntakeRule { when: Some(when?), then: then? })
}

fn stay(node: &Node, problems: &mut Problems) -> Option<Intake> {
    word(node, &[("stay-gated", ())], problems).map(|()| Intake::StayGated)
}

fn land(fields: &mut Fields<'_>, draft: &mut Draft, problems: &mut Problems) -> Option<Intake> {
    let landing_zone =
        fields.need("landing-zone", problems).and_then(|node| draft.refer(What::LandingZone, node, problems));
    let unit = fields.need("unit", problems).and_then(|node| draft.refer(What::Unit, node, problems));
    Some(Intake::Land { landing_zone: landing_zone?, unit: unit? })
}

fn when(node: &Node, draft: &mut Draft, problems: &mut Problems) -> Option<When> {
    let mut fields = Fields::of(node, problems);
    let cloud = fields.take("cloud");
    let name = fields.take("name");
    if cloud.is_none() && name.is_none() && !fields.broken() {
        problems.add(
            Problem::new(code::EMPTY, node.at, "`when` says nothing, so every tenant fits")
                .help("write `otherwise` instead of `when`, or say which tenants"),
        );
    }
    fields.end(problems);
    let cloud = cloud.map(|node| draft.refer(What::Cloud, node, problems));
    let name = name.map(|node| text(node, problems).map(str::to_owned));
    // A condition that can't be read must not widen the rule.
    let read = |said: bool, read: bool| !said || read;
    let (said_cloud, said_name) = (cloud.is_some(), name.is_some());
    let when = When { cloud: cloud.flatten(), name: name.flatten() };
    (read(said_cloud, when.cloud.is_some()) && read(said_name, when.name.is_some())).then_some(when)
}
