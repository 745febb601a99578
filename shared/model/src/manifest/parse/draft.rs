//! The manifest under construction, with the places that the check at the end needs.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::VERSION;
use super::fields;
use super::problems::{Problem, Problems};
use crate::catalog::ControlKind;
use crate::diagnostic::{Code, code};
use crate::id::{Name, Provider};
use crate::manifest::line::Origin;
use crate::manifest::yaml::{At, Key, Node, quote};
use crate::manifest::{Limits, Manifest};

/// What a name is a name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Cloud,
    Contact,
    BreakGlass,
    Environment,
    Unit,
    Team,
    Role,
    Control,
    LandingZone,
    Project,
    Tenant,
}

impl What {
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            What::Cloud => "cloud",
            What::Contact => "contact",
            What::BreakGlass => "break-glass list",
            What::Environment => "environment",
            What::Unit => "unit",
            What::Team => "team",
            What::Role => "role",
            What::Control => "control",
            What::LandingZone => "landing zone",
            What::Project => "project",
            What::Tenant => "tenant",
        }
    }

    const fn twice(self) -> Code {
        match self {
            What::Tenant => code::DUPLICATE_TENANT,
            What::Cloud
            | What::Contact
            | What::BreakGlass
            | What::Environment
            | What::Unit
            | What::Team
            | What::Role
            | What::Control
            | What::LandingZone
            | What::Project => code::DUPLICATE_NAME,
        }
    }

    /// The problem of a name that nobody declares; `None` for what is never referred to.
    const fn unknown(self) -> Option<Code> {
        Some(match self {
            What::Cloud => code::UNKNOWN_CLOUD,
            What::Environment => code::UNKNOWN_ENVIRONMENT,
            What::Unit => code::UNKNOWN_UNIT,
            What::Team => code::UNKNOWN_TEAM,
            What::Role => code::UNKNOWN_ROLE,
            What::Control => code::UNKNOWN_CONTROL,
            What::LandingZone => code::UNKNOWN_LANDING_ZONE,
            What::Tenant => code::UNKNOWN_TENANT,
            What::Contact | What::BreakGlass | What::Project => return None,
        })
    }
}

/// A name that something refers to.
#[derive(Debug)]
struct Reference {
    what: What,
    name: String,
    at: At,
}

/// A team that holds a role in a project.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) project: Name,
    pub(crate) role: Name,
    pub(crate) team: Name,
    pub(crate) at: At,
}

/// The manifest under construction. Its values are what could be read; with any error they are never handed out.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) manifest: Manifest,
    /// False where a file or section could not be read: what is not here may be there.
    complete: bool,
    /// True where a name is defined twice: one of the definitions is not looked at.
    ambiguous: bool,
    /// Every name that is declared, even where its definition has errors.
    declared: BTreeMap<(What, String), At>,
    references: Vec<Reference>,
    /// Whose platform each declared cloud is.
    pub(crate) providers: BTreeMap<Name, Provider>,
    /// What each control is a name for.
    pub(crate) kinds: BTreeMap<Name, ControlKind>,
    /// Where each parameter is said.
    pub(crate) parameters: BTreeMap<(Origin, ControlKind, String), At>,
    /// Where each landing zone says what it extends.
    pub(crate) extends: BTreeMap<Name, At>,
    /// Who holds which role where.
    pub(crate) holders: Vec<Holder>,
}

impl Draft {
    /// A draft that says nothing yet; its organization is called so until one says its name.
    pub(crate) fn new(organization: Name) -> Self {
        Draft {
            manifest: Manifest {
                landfall: VERSION,
                organization,
                clouds: BTreeMap::new(),
                contacts: BTreeMap::new(),
                break_glass: BTreeMap::new(),
                limits: Limits::default(),
                environments: Vec::new(),
                units: BTreeMap::new(),
                teams: BTreeMap::new(),
                roles: BTreeMap::new(),
                controls: BTreeMap::new(),
                landing_zones: BTreeMap::new(),
                projects: BTreeMap::new(),
                exemptions: Vec::new(),
                intake: Vec::new(),
            },
            complete: true,
            ambiguous: false,
            declared: BTreeMap::new(),
            references: Vec::new(),
            providers: BTreeMap::new(),
            kinds: BTreeMap::new(),
            parameters: BTreeMap::new(),
            extends: BTreeMap::new(),
            holders: Vec::new(),
        }
    }

    /// A file or section could not be read: that something is missing is no news any more.
    pub(crate) fn incomplete(&mut self) {
        self.complete = false;
    }

    /// Whether everything could be read.
    pub(crate) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether a definition was not looked at because another has its name.
    pub(crate) const fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// The entries of a mapping that defines names; where there is no mapping, nobody knows what would be defined.
    pub(crate) fn entries<'a>(
        &mut self,
        node: &'a Node,
        problems: &mut Problems,
    ) -> Vec<(&'a Key, &'a Node)> {
        let entries = fields::entries(node, problems);
        if entries.is_none() {
            self.incomplete();
        }
        entries.unwrap_or_default()
    }

    /// A name is defined here; nothing comes back where it can't be a name or is defined already.
    pub(crate) fn declare_name(&mut self, what: What, key: &Key, problems: &mut Problems) -> Option<Name> {
        let name = fields::name(&key.text, key.at, problems)?;
        self.declare(what, &key.text, key.at, problems).then_some(name)
    }

    /// Something is defined here; says whether it is the first of its name.
    pub(crate) fn declare(&mut self, what: What, name: &str, at: At, problems: &mut Problems) -> bool {
        match self.declared.get(&(what, name.to_owned())) {
            None => {
                self.declared.insert((what, name.to_owned()), at);
                true
            }
            Some(first) => {
                let message = format!("the {} {} is defined twice", what.noun(), quote(name));
                self.ambiguous = true;
                problems.add(Problem::new(what.twice(), at, message).also(*first, "first defined here"));
                false
            }
        }
    }

    /// Where something is defined.
    pub(crate) fn place(&self, what: What, name: &str) -> Option<At> {
        self.declared.get(&(what, name.to_owned())).copied()
    }

    /// Every name that is defined, with its place.
    pub(crate) fn declared(&self, what: What) -> impl Iterator<Item = (&str, At)> {
        self.declared
            .range((what, String::new())..)
            .take_while(move |((of, _), _)| *of == what)
            .map(|((_, name), at)| (name.as_str(), *at))
    }

    /// A value refers to a name; whether it is declared is checked when everything is there.
    pub(crate) fn refer<T: FromStr>(
        &mut self,
        what: What,
        node: &Node,
        problems: &mut Problems,
    ) -> Option<T> {
        self.refer_text(what, fields::text(node, problems)?, node.at)
    }

    /// A text refers to a name.
    pub(crate) fn refer_text<T: FromStr>(&mut self, what: What, text: &str, at: At) -> Option<T> {
        self.references.push(Reference { what, name: text.to_owned(), at });
        text.parse().ok()
    }

    /// The names that are referred to but that nobody declares.
    pub(crate) fn strangers(&self, problems: &mut Problems) {
        for Reference { what, name, at } in &self.references {
            if self.place(*what, name).is_none() {
                self.unknown(*what, name, *at, &[], problems);
            }
        }
    }

    /// The control of the catalog that a text names, by its name there or by one of the manifest's own.
    pub(crate) fn kind(&self, text: &str, at: At, problems: &mut Problems) -> Option<ControlKind> {
        let own = text.parse::<Name>().ok().and_then(|name| self.kinds.get(&name).copied());
        let found = own.or_else(|| text.parse().ok());
        if found.is_none() && self.place(What::Control, text).is_none() {
            let catalog: Vec<&str> = ControlKind::ALL.iter().map(|kind| kind.id()).collect();
            self.unknown(What::Control, text, at, &catalog, problems);
        }
        found
    }

    /// A name that nobody declares; other words that could stand there help to guess what was meant.
    pub(crate) fn unknown(&self, what: What, name: &str, at: At, other: &[&str], problems: &mut Problems) {
        let Some(code) = what.unknown().filter(|_| self.complete) else { return };
        let problem = Problem::new(code, at, format!("there is no {} {}", what.noun(), quote(name)));
        let declared = self.declared(what).map(|(name, _)| name);
        problems.add(problem.near(name, declared.chain(other.iter().copied())));
    }
}
