//! From the YAML files to one manifest, or to every problem in them.
//!
//! The files are read into trees, their sections are gathered over all files, each section is parsed into a draft, and what
//! only shows when everything is there (names that nobody declares, levels that weaken others) is checked at the end.
//! Order of files, of keys, and of lists in which order means nothing leaves no trace in the result.

mod clouds;
mod controls;
mod draft;
mod exemptions;
mod fields;
mod intake;
mod organization;
mod problems;
mod projects;
mod teams;
mod units;

pub(super) use draft::{Draft, Holder, What};
pub(super) use problems::{Problem, Problems};

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::yaml::{At, Key, Node, Source, quote, read};
use super::{Manifest, check};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::id::{Provider, TenantId};
use fields::entries;

/// The version of the manifest's form that this program reads.
pub const VERSION: u32 = 1;

/// What came of the files.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Parsed {
    /// The manifest; none when there is any error.
    pub manifest: Option<Manifest>,
    /// Every problem in all files, ordered by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the files of a manifest and checks what they say together; exemptions are judged as of today.
pub fn parse(sources: &[Source], today: Date) -> Parsed {
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by_key(|source| &source.name);
    // INVARIANT: it is a name; it stands in until the files say the real one, and without one there is no manifest.
    let Ok(unnamed) = "unnamed".parse() else { return Parsed { manifest: None, diagnostics: Vec::new() } };
    let mut draft = Draft::new(unnamed);
    let mut problems = Problems::new(sources.iter().map(|source| source.name.clone()).collect());
    let mut trees = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        match read(file, &source.text) {
            Ok(tree) => trees.push(tree),
            Err((at, message)) => {
                draft.incomplete();
                problems.add(Problem::new(code::SYNTAX, at, message));
            }
        }
    }
    let sections = Sections::of(&trees, &mut problems);
    let all = |section| sections.all(section);
    version(all("landfall"), &draft, &mut problems);
    organization::name(all("organization"), &mut draft, &mut problems);
    clouds::parse(all("clouds"), &mut draft, &mut problems);
    organization::contacts(all("contacts"), &mut draft, &mut problems);
    organization::break_glass(all("break-glass"), &mut draft, &mut problems);
    organization::limits(all("limits"), &mut draft, &mut problems);
    organization::environments(all("environments"), &mut draft, &mut problems);
    teams::teams(all("teams"), &mut draft, &mut problems);
    teams::roles(all("roles"), &mut draft, &mut problems);
    controls::controls(all("controls"), &mut draft, &mut problems);
    controls::landing_zones(all("landing-zones"), &mut draft, &mut problems);
    units::parse(all("units"), &mut draft, &mut problems);
    projects::parse(all("projects"), &mut draft, &mut problems);
    exemptions::parse(all("exemptions"), today, &mut draft, &mut problems);
    intake::parse(all("intake"), &mut draft, &mut problems);
    check::check(&draft, &mut problems);
    let diagnostics = problems.finish();
    let broken = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    Parsed { manifest: (!broken).then_some(draft.manifest), diagnostics }
}

/// The sections that a file may hold, and whether only one file may.
const SECTIONS: &[(&str, Times)] = &[
    ("landfall", Times::Any),
    ("organization", Times::Once),
    ("clouds", Times::Any),
    ("contacts", Times::Any),
    ("break-glass", Times::Any),
    ("limits", Times::Once),
    ("environments", Times::Once),
    ("units", Times::Any),
    ("teams", Times::Any),
    ("roles", Times::Any),
    ("controls", Times::Any),
    ("landing-zones", Times::Any),
    ("projects", Times::Any),
    ("exemptions", Times::Any),
    ("intake", Times::Once),
];

/// The sections that a later version will read.
const NOT_YET: &[&str] = &["attestations", "people", "rings", "sources", "standards"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    /// One value, or a list in which order counts: it stands in one file.
    Once,
    Any,
}

/// The sections of all files.
struct Sections<'a> {
    found: BTreeMap<&'static str, Vec<(&'a Key, &'a Node)>>,
}

impl<'a> Sections<'a> {
    fn of(trees: &'a [Node], problems: &mut Problems) -> Self {
        let mut found: BTreeMap<&'static str, Vec<(&Key, &Node)>> = BTreeMap::new();
        for tree in trees {
            for (key, node) in entries(tree, problems).unwrap_or_default() {
                let Some((section, times)) = SECTIONS.iter().find(|(section, _)| *section == key.text) else {
                    problems.add(stranger(key));
                    continue;
                };
                let given = found.entry(section).or_default();
                match given.first() {
                    Some((first, _)) if *times == Times::Once => {
                        let message = format!("`{section}` is given in two files");
                        problems.add(
                            Problem::new(code::DUPLICATE_KEY, key.at, message)
                                .also(first.at, "first given here")
                                .help("keep it in one file, because there is one of it or its order counts"),
                        );
                    }
                    Some(_) | None => given.push((key, node)),
                }
            }
        }
        Sections { found }
    }

    fn all(&self, section: &str) -> &[(&'a Key, &'a Node)] {
        self.found.get(section).map(Vec::as_slice).unwrap_or_default()
    }
}

fn stranger(key: &Key) -> Problem {
    if NOT_YET.contains(&key.text.as_str()) {
        return Problem::new(code::NOT_YET, key.at, format!("`{}` is not read by this version", key.text))
            .help("take it out: nothing in it would take effect");
    }
    Problem::new(code::UNKNOWN_KEY, key.at, format!("{} is no section of a manifest", quote(&key.text)))
        .near(&key.text, SECTIONS.iter().map(|(section, _)| *section))
}

/// The top of the first file: where something stands that stands nowhere.
const NOWHERE: At = At { file: 0, line: 1, column: 1 };

fn version(found: &[(&Key, &Node)], draft: &Draft, problems: &mut Problems) {
    if found.is_empty() && draft.is_complete() {
        problems.add(
            Problem::new(code::MISSING_KEY, NOWHERE, "`landfall` is missing from all files")
                .help(format!("write `landfall: {VERSION}`, the version of the manifest's form")),
        );
    }
    for (_, node) in found {
        if let Some(number) = fields::whole(node, 0..=u32::MAX, problems)
            && number != VERSION
        {
            let message =
                format!("this program reads version {VERSION} of the manifest's form, not {number}");
            problems.add(Problem::new(code::UNKNOWN_VERSION, node.at, message).help(if number > VERSION {
                "use a newer Landfall"
            } else {
                "write `landfall: 1`"
            }));
        }
    }
}

/// A UUID in lower case. A subscription id is nothing else.
fn is_uuid(text: &str) -> bool {
    TenantId::new(Provider::Azure, text).is_ok()
}

#[cfg(test)]
mod tests;
