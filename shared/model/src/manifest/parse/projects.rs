//! Projects, their budgets, who works there, and their tenants.

use std::collections::BTreeMap;

use serde_json::Value;

use super::clouds::TENANT_KEYS;
use super::controls::parameters;
use super::draft::{Draft, Holder, What};
use super::fields::{self, Fields, entries, items, set, text};
use super::problems::{Problem, Problems};
use crate::catalog::{ControlKind, Place};
use crate::diagnostic::code;
use crate::id::{Name, TenantId};
use crate::manifest::line::Origin;
use crate::manifest::yaml::{At, Key, Node, Yaml, quote};
use crate::manifest::{Budget, Project, Tenant};

pub(super) fn parse(found: &[(&Key, &Node)], draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for (key, node) in draft.entries(node, problems) {
            let Some(name) = draft.declare_name(What::Project, key, problems) else { continue };
            let mut fields = Fields::of(node, problems);
            let team = fields.need("team", problems).and_then(|node| draft.refer(What::Team, node, problems));
            let cost_center =
                fields.take("cost-center").and_then(|node| fields::id(node, problems)).map(str::to_owned);
            let budget = fields.take("budget").and_then(|node| budget(node, problems));
            let access =
                fields.take("access").map(|node| access(&name, node, draft, problems)).unwrap_or_default();
            let tenants = fields.take("tenants").and_then(|node| items(node, "a list of tenants", problems));
            let mut tenants: Vec<Tenant> =
                tenants.unwrap_or_default().iter().filter_map(|node| tenant(node, draft, problems)).collect();
            tenants.sort_by(|one, other| one.id.cmp(&other.id));
            fields.end(problems);
            // A project whose team can't be read still has tenants and access to check.
            let team = team.unwrap_or_else(|| name.clone());
            draft.manifest.projects.insert(name, Project { team, cost_center, budget, access, tenants });
        }
    }
}

fn budget(node: &Node, problems: &mut Problems) -> Option<Budget> {
    let mut fields = Fields::of(node, problems);
    let monthly = fields.need("monthly", problems).and_then(|node| amount(node, problems));
    let alert_at = match fields.take("alert-at") {
        Some(node) => set(node, "a list of percents", problems, percent),
        None => Some(vec![80, 100]),
    };
    fields.end(problems);
    let (monthly, currency) = monthly?;
    Some(Budget { monthly, currency, alert_at: alert_at? })
}

/// `2000 EUR`.
fn amount(node: &Node, problems: &mut Problems) -> Option<(u64, String)> {
    const EXPECTED: &str = "an amount such as `2000 EUR`";
    if matches!(node.value, Yaml::Whole(_) | Yaml::Number(_)) {
        let message = format!("expected {EXPECTED}, found {}", node.found());
        problems.add(Problem::new(code::WRONG_TYPE, node.at, message).help("add the currency"));
        return None;
    }
    let found = text(node, problems)?;
    let amount = found.split_once(' ').and_then(|(amount, currency)| {
        let currency = Some(currency.trim_start())
            .filter(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))?;
        let amount: u64 = amount.parse().ok().filter(|amount| *amount > 0)?;
        Some((amount, currency.to_owned()))
    });
    if amount.is_none() {
        let message = format!("expected {EXPECTED}, found {}", quote(found));
        let problem = Problem::new(code::WRONG_VALUE, node.at, message);
        problems.add(problem.help("a whole amount above zero and the currency's three letters"));
    }
    amount
}

/// `80%`.
fn percent(node: &Node, problems: &mut Problems) -> Option<u32> {
    // Azure takes thresholds up to 1000 %; nothing takes none.
    const MOST: u32 = 1000;
    const EXPECTED: &str = "a percentage such as `80%`";
    if let Yaml::Whole(number) = node.value {
        let message = format!("expected {EXPECTED}, found {}", node.found());
        problems.add(Problem::new(code::WRONG_TYPE, node.at, message).help(format!("write `{number}%`")));
        return None;
    }
    let found = text(node, problems)?;
    let percent =
        found.strip_suffix('%').and_then(|n| n.trim_end().parse().ok()).filter(|n| (1..=MOST).contains(n));
    if percent.is_none() {
        let message = format!("expected {EXPECTED} from `1%` to `{MOST}%`, found {}", quote(found));
        problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
    }
    percent
}

fn access(
    project: &Name,
    node: &Node,
    draft: &mut Draft,
    problems: &mut Problems,
) -> BTreeMap<Name, Vec<Name>> {
    let mut access = BTreeMap::new();
    for (key, node) in entries(node, problems).unwrap_or_default() {
        let role: Option<Name> = draft.refer_text(What::Role, &key.text, key.at);
        let teams = set(node, "a list of teams", problems, |node, problems| {
            let team: Name = draft.refer(What::Team, node, problems)?;
            if let Some(role) = &role {
                let (project, role, team) = (project.clone(), role.clone(), team.clone());
                draft.holders.push(Holder { project, role, team, at: node.at });
            }
            Some(team)
        });
        if let Some(role) = role {
            access.insert(role, teams.unwrap_or_default());
        }
    }
    access
}

fn tenant(node: &Node, draft: &mut Draft, problems: &mut Problems) -> Option<Tenant> {
    let mut fields = Fields::of(node, problems);
    let named = cloud(&mut fields, draft, problems);
    let unit = fields.need("unit", problems).and_then(|node| draft.refer(What::Unit, node, problems));
    let environment =
        fields.take("environment").and_then(|node| draft.refer(What::Environment, node, problems));
    let landing_zone =
        fields.take("landing-zone").and_then(|node| draft.refer(What::LandingZone, node, problems));
    let with = fields.take("with");
    fields.end(problems);
    let (cloud, id, at) = named?;
    let first = draft.declare(What::Tenant, &id.to_string(), at, problems);
    let with = with.map(|node| own(node, &id, draft, problems)).unwrap_or_default();
    let unit = unit.filter(|_| first)?;
    Some(Tenant { id, cloud, unit, environment, landing_zone, with })
}

/// The key that is a cloud's name says which tenant it is: `aws: "222222222222"`.
fn cloud(fields: &mut Fields<'_>, draft: &Draft, problems: &mut Problems) -> Option<(Name, TenantId, At)> {
    let named =
        fields.take_where(|key| draft.place(What::Cloud, key).is_some() && !TENANT_KEYS.contains(&key));
    let (key, node) = match named.as_slice() {
        [one] => *one,
        [(first, _), (second, _), ..] => {
            let message = format!("the tenant has two ids: `{}` and `{}`", first.text, second.text);
            problems.add(
                Problem::new(code::WRONG_VALUE, second.at, message)
                    .also(first.at, "the other is here")
                    .help("a tenant lives in one cloud: make it two entries of the list"),
            );
            return None;
        }
        [] => {
            stranger(fields, draft, problems);
            return None;
        }
    };
    let text = fields::id(node, problems)?;
    let name: Name = key.text.parse().ok()?;
    let provider = draft.providers.get(&name)?;
    match TenantId::new(*provider, text) {
        Ok(id) => Some((name, id, node.at)),
        Err(error) => {
            let message = format!("{} is not {}", quote(text), error.expected);
            problems.add(Problem::new(code::MALFORMED_ID, node.at, message));
            None
        }
    }
}

/// No key is a declared cloud's name: the first that is no other key of a tenant was meant to be one.
fn stranger(fields: &mut Fields<'_>, draft: &Draft, problems: &mut Problems) {
    let meant = |key: &str| !TENANT_KEYS.iter().any(|known| super::problems::near(key, &[known]).is_some());
    let strangers = fields.take_where(meant);
    match strangers.first() {
        Some((key, _)) => draft.unknown(What::Cloud, &key.text, key.at, &[], problems),
        None if fields.broken() => {}
        None => problems.add(
            Problem::new(code::MISSING_KEY, fields.at(), "the tenant has no id")
                .help("write the cloud's name and the id in quotes, such as `aws: \"222222222222\"`"),
        ),
    }
}

/// A tenant's own parameters, by a control's name in the manifest or in the catalog.
fn own(
    node: &Node,
    id: &TenantId,
    draft: &mut Draft,
    problems: &mut Problems,
) -> BTreeMap<ControlKind, BTreeMap<String, Value>> {
    let mut own = BTreeMap::new();
    let mut given: BTreeMap<ControlKind, At> = BTreeMap::new();
    for (key, node) in entries(node, problems).unwrap_or_default() {
        let Some(kind) = draft.kind(&key.text, key.at, problems) else { continue };
        if kind.entry().place == Place::Implied {
            let message = format!("`{kind}` follows from the manifest's shape and takes no parameters");
            problems.add(Problem::new(code::IMPLIED_CONTROL, key.at, message));
        } else if let Some(first) = given.get(&kind) {
            let message = format!("parameters of `{kind}` are given twice");
            problems.add(Problem::new(code::DUPLICATE_KEY, key.at, message).also(*first, "first given here"));
        } else {
            given.insert(kind, key.at);
            let with = parameters(node, kind, &Origin::Tenant(id.clone()), draft, problems);
            own.insert(kind, with);
        }
    }
    own
}
