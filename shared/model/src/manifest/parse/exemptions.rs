//! Dated acceptances of what does not hold.

use jiff::civil::Date;

use super::draft::{Draft, What};
use super::fields::{self, Fields, items, text, word};
use super::problems::{Problem, Problems};
use crate::catalog::ControlKind;
use crate::diagnostic::code;
use crate::exemption::{Category, Exemption};
use crate::id::{Name, Provider, TenantId};
use crate::manifest::yaml::{Key, Node, Yaml, quote};

/// What the other controls rest on: exempt from these, nothing else that is reported could be relied on.
const CANNOT_EXEMPT: [&str; 3] = ["audit-log", "protect-baseline", "quarantine-gate"];

pub(super) fn parse(found: &[(&Key, &Node)], today: Date, draft: &mut Draft, problems: &mut Problems) {
    for (_, node) in found {
        for node in items(node, "a list of exemptions", problems).unwrap_or_default() {
            if let Some(exemption) = exemption(node, today, draft, problems) {
                draft.manifest.exemptions.push(exemption);
            }
        }
    }
    draft.manifest.exemptions.sort();
}

fn exemption(node: &Node, today: Date, draft: &mut Draft, problems: &mut Problems) -> Option<Exemption> {
    let mut fields = Fields::of(node, problems);
    let control = fields.need("control", problems).and_then(|node| control(node, draft, problems));
    let tenant = fields.need("tenant", problems).and_then(|node| tenant(node, draft, problems));
    let category = fields.need("category", problems).and_then(|node| {
        word(node, &[("waiver", Category::Waiver), ("mitigated", Category::Mitigated)], problems)
    });
    let reason = fields.need("reason", problems).and_then(|node| text(node, problems)).map(str::to_owned);
    let requested = fields.need("requested-by", problems);
    let requested_by = requested.and_then(|node| text(node, problems)).map(str::to_owned);
    let approved = fields.take("approved-by").filter(|node| node.value != Yaml::Nothing);
    let approved_by = approved.and_then(|node| text(node, problems)).map(str::to_owned);
    let expires = fields.need("expires", problems).and_then(|node| expires(node, today, problems));
    let (at, broken) = (fields.at(), fields.broken());
    fields.end(problems);
    if approved.is_none() && !broken {
        problems.add(
            Problem::new(code::NOT_APPROVED, at, "nobody has approved the exemption")
                .help("add `approved-by`, with the name of somebody else than the one who asks"),
        );
    }
    if let (Some(asks), Some(requested_by), Some(agrees), Some(approved_by)) =
        (requested, &requested_by, approved, &approved_by)
        && requested_by.trim().to_lowercase() == approved_by.trim().to_lowercase()
    {
        let message = format!("{} can't approve their own exemption", quote(approved_by));
        problems.add(Problem::new(code::SELF_APPROVED, agrees.at, message).also(asks.at, "requested here"));
    }
    Some(Exemption {
        control: control?,
        tenant: tenant?,
        category: category?,
        reason: reason?,
        requested_by: requested_by?,
        approved_by: approved_by?,
        expires: expires?,
    })
}

fn control(node: &Node, draft: &Draft, problems: &mut Problems) -> Option<ControlKind> {
    let found = text(node, problems)?;
    let known = if CANNOT_EXEMPT.contains(&found) {
        found.parse().ok()
    } else {
        draft.kind(found, node.at, problems)
    };
    let id = known.map_or(found, |kind| kind.id());
    if CANNOT_EXEMPT.contains(&id) {
        let message = format!("nobody can be exempt from `{id}`, because the other controls rest on it");
        problems.add(Problem::new(code::CANNOT_EXEMPT, node.at, message).help("take the exemption out"));
        return None;
    }
    known
}

/// `aws/222222222222`, with the provider's name or the cloud's.
fn tenant(node: &Node, draft: &mut Draft, problems: &mut Problems) -> Option<TenantId> {
    let found = fields::id(node, problems)?;
    let parts = found.split_once('/').and_then(|(cloud, id)| {
        let named = cloud.parse::<Name>().ok().and_then(|name| draft.providers.get(&name).copied());
        Some((named.or_else(|| cloud.parse::<Provider>().ok())?, id))
    });
    let tenant = match parts.map(|(provider, id)| TenantId::new(provider, id)) {
        Some(Ok(tenant)) => tenant,
        Some(Err(error)) => {
            let message = format!("{} is not {}", quote(&error.found), error.expected);
            problems.add(Problem::new(code::MALFORMED_ID, node.at, message));
            return None;
        }
        None => {
            let message = format!("{} is not a tenant such as `aws/222222222222`", quote(found));
            problems.add(Problem::new(code::MALFORMED_ID, node.at, message));
            return None;
        }
    };
    draft.refer_text(What::Tenant, &tenant.to_string(), node.at)
}

fn expires(node: &Node, today: Date, problems: &mut Problems) -> Option<Date> {
    let found = text(node, problems)?;
    match found.parse::<Date>().ok().filter(|_| found.len() == "2027-01-31".len()) {
        Some(expires) => {
            if expires < today {
                let message = format!("the exemption expired on {expires} and no longer holds");
                let problem = Problem::new(code::EXPIRED, node.at, message);
                problems.add(problem.help("take it out, or have it approved again with a new date"));
            }
            Some(expires)
        }
        None => {
            let message = format!("{} is not a date such as `2027-01-31`", quote(found));
            problems.add(Problem::new(code::WRONG_VALUE, node.at, message));
            None
        }
    }
}
