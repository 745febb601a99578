//! The tree of units.

use std::collections::BTreeMap;

use super::controls;
use super::draft::{Draft, What};
use super::fields::{self, Fields, entries, native_id, text};
use super::problems::Problems;
use crate::id::{Name, Provider, UnitPath};
use crate::manifest::yaml::{Key, Node};
use crate::manifest::{Owner, Unit};

pub(super) fn parse(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        level(node, &UnitPath::root(), draft, problems);
    }
}

fn level(node: &Node, above: &UnitPath, draft: &mut Draft, problems: &mut Problems) {
    for (key, node) in draft.entries(node, problems) {
        let Some(name) = fields::name(&key.text, key.at, problems) else { continue };
        let path = above.join(&name);
        let first = draft.declare(What::Unit, path.as_str(), key.at, problems);
        let mut fields = Fields::of(node, problems);
        let landing_zone =
            fields.take("landing-zone").and_then(|node| draft.refer(What::LandingZone, node, problems));
        let controls =
            fields.take("controls").map(|node| controls::named(node, draft, problems)).unwrap_or_default();
        let adopt = fields.take("adopt").map(|node| adopt(node, draft, problems)).unwrap_or_default();
        let owner = fields.take("owner").map(|node| owner(node, problems)).unwrap_or_default();
        if let Some(below) = fields.take("units") {
            level(below, &path, draft, problems);
        }
        fields.end(problems);
        if first {
            draft.manifest.units.insert(path, Unit { landing_zone, controls, adopt, owner });
        }
    }
}

/// Existing units by cloud; what an id looks like is the provider's business.
fn adopt(node: &Node, draft: &mut Draft, problems: &mut Problems) -> BTreeMap<Name, String> {
    let mut adopt = BTreeMap::new();
    for (key, node) in entries(node, problems).unwrap_or_default() {
        let Some(cloud) = draft.refer_text::<Name>(What::Cloud, &key.text, key.at) else { continue };
        let Some(provider) = draft.providers.get(&cloud) else { continue };
        let id = match provider {
            Provider::Aws => {
                native_id(node, "an organizational unit such as `ou-ab12-cdef3456`", problems, |text| {
                    text.strip_prefix("ou-").and_then(|id| id.split_once('-')).is_some_and(|(root, unit)| {
                        let plain =
                            |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                        (4..=32).contains(&root.len())
                            && plain(root)
                            && (8..=32).contains(&unit.len())
                            && plain(unit)
                    })
                })
            }
            Provider::Azure => native_id(node, "the id of a management group", problems, is_management_group),
            Provider::Gcp => native_id(node, "a folder such as `folders/345678901234`", problems, |text| {
                text.strip_prefix("folders/")
                    .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
            }),
        };
        if let Some(id) = id {
            adopt.insert(cloud, id);
        }
    }
    adopt
}

/// Letters, digits and `_.()-`, at most 90 of them, as Azure asks of a management group's id.
pub(super) fn is_management_group(text: &str) -> bool {
    (1..=90).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.()-".contains(&b))
        && !text.ends_with('.')
}

fn owner(node: &Node, problems: &mut Problems) -> Owner {
    let mut fields = Fields::of(node, problems);
    let mut said = |key| fields.take(key).and_then(|node| text(node, problems)).map(str::to_owned);
    let owner = Owner { placement: said("placement"), policies: said("policies") };
    fields.end(problems);
    owner
}
