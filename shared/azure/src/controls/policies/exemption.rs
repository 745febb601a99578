//! Exemptions, row Z8: an exemption of the manifest becomes one in Azure, for each assignment that carries the control, on the
//! subscription; and whoever exempted it otherwise is told of.
//!
//! Azure honours an exemption until its date and keeps it afterwards, so one of ours that is over is taken away. Writing one takes a
//! right on the assignment as well (`exempt/Action`), which the people of a subscription have on its own assignments and not on those
//! of the groups above: <https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure>.

use std::collections::BTreeMap;

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::Sighting;
use landfall_engine::control::kept;
use landfall_model::catalog::ControlKind;
use landfall_model::desired::{Desired, Standing};
use landfall_model::exemption::{Category, Exemption};
use landfall_model::id::Digest;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Deed, Stage};

use super::drafts::{Draft, Drafts};
use super::look::{self, Seated};
use super::{KIND, OURS, Order, QUARANTINE, address, compile, points, quota, scope};
use crate::client::service::EXEMPTIONS;
use crate::controls::{ground, json, reported};
use crate::error::CallError;
use crate::session::Session;

/// The longest description: <https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure>.
const LONGEST: usize = 512;

/// What is exempted in a subscription, as far as assignments of ours are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Exempted {
    /// On the subscription itself and named as ours are, by name.
    ours: BTreeMap<String, Granted>,
    /// All others, wherever they are, by id.
    others: BTreeMap<String, Granted>,
    /// How many there are on the subscription itself, whatever they exempt from.
    in_all: usize,
}

/// One exemption.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Granted {
    /// The id of the assignment.
    assignment: String,
    category: String,
    /// Until when; for ever where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    /// It exempts a part only, or from a part of an initiative.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partly: bool,
}

impl Granted {
    fn holds(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|until| until > now)
    }

    fn is_like(&self, other: &Granted) -> bool {
        let Granted { assignment, category, expires, description, partly } = self;
        assignment.eq_ignore_ascii_case(&other.assignment)
            && category.eq_ignore_ascii_case(&other.category)
            && expires == &other.expires
            && description == &other.description
            && partly == &other.partly
    }
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    name: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    policy_assignment_id: String,
    exemption_category: String,
    expires_on: Option<Timestamp>,
    description: Option<String>,
    policy_definition_reference_ids: Option<Vec<String>>,
    resource_selectors: Option<Vec<Value>>,
}

/// The address of a subscription's exemptions.
pub(super) fn exemptions_at(desired: &Desired) -> Option<Address> {
    let tenant = desired.target.tenant()?;
    Some(Address::global(KIND, format!("{}/exemptions", tenant.native())))
}

/// The address, where there is anything to be exempt from or something of ours to look after.
pub(super) fn looked_at(desired: &Desired) -> Option<Address> {
    let address = exemptions_at(desired)?;
    let ground = ground(desired)?;
    let bound = points(desired)
        .iter()
        .any(|point| compile::assignments(point, ground).is_ok_and(|assignments| !assignments.is_empty()));
    (bound || desired.record.made.contains(&address)).then_some(address)
}

/// The list without a filter has those of the groups above and of everything in the subscription as well:
/// <https://learn.microsoft.com/rest/api/policy/policy-exemptions/list>.
pub(super) async fn look(session: &Session) -> Result<Sighting, CallError> {
    let here = format!("{}/providers/Microsoft.Authorization/policyExemptions", session.scope());
    let mut exempted = Exempted::default();
    let request = look::each(session, &EXEMPTIONS, &here, None, |Answer { id, name, properties }| {
        let is_here = id.get(..here.len()).is_some_and(|head| head.eq_ignore_ascii_case(&here));
        exempted.in_all += usize::from(is_here);
        let Properties {
            policy_assignment_id,
            exemption_category,
            expires_on,
            description,
            policy_definition_reference_ids,
            resource_selectors,
        } = properties;
        let assignment = policy_assignment_id.rsplit('/').next().unwrap_or_default();
        if !assignment.starts_with(OURS) && assignment != QUARANTINE {
            return;
        }
        let granted = Granted {
            category: exemption_category,
            expires: expires_on,
            description: description.unwrap_or_default(),
            partly: policy_definition_reference_ids.is_some_and(|all| !all.is_empty())
                || resource_selectors.is_some_and(|all| !all.is_empty()),
            assignment: policy_assignment_id,
        };
        if is_here && name.starts_with(OURS) {
            exempted.ours.insert(name, granted);
        } else {
            exempted.others.insert(id, granted);
        }
    })
    .await?;
    Ok(Sighting { seen: Seen::present(&exempted), request })
}

/// An exemption that the manifest asks for.
struct Wanted {
    control: ControlKind,
    granted: Granted,
    /// Whether the assignment was seen; one that is not there can't be exempted from.
    assigned: bool,
}

/// By name: what the manifest exempts the tenant from on this day.
fn wanted(desired: &Desired, observed: &Observed, today: Date) -> BTreeMap<String, Wanted> {
    let mut all: BTreeMap<String, Wanted> = BTreeMap::new();
    let Some(ground) = ground(desired) else { return all };
    for point in points(desired) {
        let seated: Seated = match observed.seen(&address(&point.at)) {
            Seen::Present(value) => serde_json::from_value(value).unwrap_or_default(),
            Seen::Absent | Seen::Unreadable(_) | Seen::NotOffered(_) => Seated::default(),
        };
        for assignment in compile::assignments(&point, ground).unwrap_or_default() {
            let exempt = |exemption: &&Exemption| {
                Some(exemption.control) == assignment.control && exemption.holds(today)
            };
            // Of two for the same, the one that holds longer.
            let exemption =
                desired.exemptions.iter().filter(exempt).max_by_key(|exemption| exemption.expires);
            if let Some(exemption) = exemption {
                let id = assignment.id(&scope(&point.at, desired, ground));
                let wanted = Wanted {
                    control: exemption.control,
                    granted: granted(exemption, &id),
                    assigned: seated.assigned.contains_key(&*assignment.name),
                };
                all.insert(name(&assignment.name, &id), wanted);
            }
        }
    }
    all
}

/// The name of our exemption from an assignment: an assignment of the same name may stand at several places above.
fn name(assignment: &str, id: &str) -> String {
    let digest = Digest::of(id.to_ascii_lowercase().as_bytes());
    format!("{assignment}-{}", digest.short())
}

fn granted(exemption: &Exemption, assignment: &str) -> Granted {
    let Exemption { control: _, tenant: _, category, reason, requested_by, approved_by, expires } = exemption;
    let category = match category {
        Category::Waiver => "Waiver",
        Category::Mitigated => "Mitigated",
    };
    let description = format!("{reason} Requested by {requested_by}, approved by {approved_by}.");
    Granted {
        assignment: assignment.to_owned(),
        category: category.to_owned(),
        expires: end_of(*expires),
        description: description.chars().take(LONGEST).collect(),
        partly: false,
    }
}

/// The last second of a day in UTC.
fn end_of(day: Date) -> Option<Timestamp> {
    let end = DateTime::from_parts(day, time(23, 59, 59, 0));
    end.to_zoned(TimeZone::UTC).ok().map(|end| end.timestamp())
}

fn body(wanted: &Wanted) -> Value {
    let Granted { assignment, category, expires, description, partly: _ } = &wanted.granted;
    json!({"properties": {
        "policyAssignmentId": assignment,
        "exemptionCategory": category,
        "expiresOn": expires,
        "displayName": format!("Landfall: exempt from {}", wanted.control),
        "description": description,
    }})
}

/// What is said of a subscription's exemptions.
pub(super) fn judge(desired: &Desired, observed: &Observed) -> Option<Judgement> {
    let address = looked_at(desired)?;
    Some(Judgement::of(KIND, &address, observed, |there| {
        let exempted: Exempted = match kept(there) {
            Ok(exempted) => exempted.unwrap_or_default(),
            Err(unknown) => return unknown,
        };
        compare(desired, observed, &address, &exempted)
    }))
}

/// When the exemptions were looked at, which says which of them hold.
fn looked(observed: &Observed, address: &Address) -> Timestamp {
    observed.0.get(address).map_or(Timestamp::UNIX_EPOCH, |look| look.at)
}

fn compare(desired: &Desired, observed: &Observed, address: &Address, exempted: &Exempted) -> Verdict {
    let now = looked(observed, address);
    let wanted = wanted(desired, observed, now.to_zoned(TimeZone::UTC).date());
    let made = desired.record.made.contains(address);
    let tenant = desired.target.tenant().map(|tenant| tenant.native()).unwrap_or_default();
    let id = |name: &str| {
        format!("/subscriptions/{tenant}/providers/Microsoft.Authorization/policyExemptions/{name}")
    };
    let mut drafts = Drafts::new(address, Stage::Baseline);
    let mut why = Vec::new();
    for (name, one) in &wanted {
        let held = exempted.ours.get(name);
        let (verb, deed, how) = match held {
            Some(held) if held.is_like(&one.granted) => continue,
            Some(_) => ("update", Deed::Update, format!("`{name}` is not as the manifest says")),
            None if one.assigned => {
                ("create", Deed::Create, format!("the exemption from `{}` is not written", one.control))
            }
            None => continue,
        };
        why.push(how.clone());
        let before = held.map(|held| json!({"ours": { name: held }}));
        let after = json!({"ours": { name: one.granted }});
        let order = json(&Order { id: id(name), body: Some(body(one)) });
        drafts.add(Draft { verb, name, deed, why: how, before, after, order }, None);
    }
    // Whoever worked there as long as it held is bound again.
    drafts.reaches = matches!(desired.standing, Standing::HandedOver | Standing::Adopted).then_some(1);
    for (name, held) in exempted.ours.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
        if !made {
            why.extend(held.holds(now).then(|| foreign(&id(name), held)));
            continue;
        }
        let how = match held.holds(now) {
            true => format!("nothing exempts it by `{name}` any more"),
            false => format!("`{name}` is over"),
        };
        why.push(how.clone());
        let before = Some(json!({"ours": { name: held }}));
        let after = json!({"ours": { name: null }});
        let order = json(&Order { id: id(name), body: None });
        drafts.add(Draft { verb: "delete", name, deed: Deed::Delete, why: how, before, after, order }, None);
    }
    why.extend(exempted.others.iter().filter(|(_, one)| one.holds(now)).map(|(id, one)| foreign(id, one)));
    if why.is_empty() {
        return Verdict::Holds;
    }
    let new = wanted.keys().filter(|name| !exempted.ours.contains_key(*name)).count();
    if exempted.in_all + new > quota::EXEMPTIONS {
        return reported(format!(
            "{}; there is no room: Azure takes at most {} exemptions at one place",
            why.join("; "),
            quota::EXEMPTIONS
        ));
    }
    let something_stays = exempted.ours.keys().any(|name| wanted.contains_key(name))
        || drafts.changes.iter().any(|change| change.deed == Deed::Create);
    let mut changes = drafts.all(something_stays);
    // Nothing that people use is lost with an exemption.
    changes.iter_mut().for_each(|change| change.loses = false);
    Verdict::Fails { why: why.join("; "), changes }
}

fn foreign(id: &str, granted: &Granted) -> String {
    let from = granted.assignment.rsplit('/').next().unwrap_or_default();
    format!("somebody else exempts from `{from}` by `{id}`: reported, not touched")
}

/// What takes a control off the subscription, for people: exemptions that hold, of its assignments by their ids.
pub(super) fn lifted(
    desired: &Desired,
    observed: &Observed,
    assignments: &[String],
) -> Result<Vec<String>, Verdict> {
    let Some(address) = looked_at(desired) else { return Ok(Vec::new()) };
    let exempted: Exempted = match observed.seen(&address) {
        Seen::Present(value) => kept(Some(&value))?.unwrap_or_default(),
        Seen::Absent => Exempted::default(),
        Seen::Unreadable(why) => {
            return Err(Verdict::Unknown { why: format!("who is exempt could not be looked at: {why}") });
        }
        Seen::NotOffered(why) => return Err(Verdict::NotApplicable { why }),
    };
    let now = looked(observed, &address);
    let of_these = |granted: &Granted| {
        granted.holds(now) && assignments.iter().any(|id| id.eq_ignore_ascii_case(&granted.assignment))
    };
    let until = |granted: &Granted| match granted.expires {
        Some(expires) => format!("until {expires}"),
        None => "for ever".to_owned(),
    };
    let ours = exempted
        .ours
        .iter()
        .filter(|(_, one)| of_these(one))
        .map(|(name, one)| format!("`{name}` exempts the subscription {}", until(one)));
    let others = exempted
        .others
        .iter()
        .filter(|(_, one)| of_these(one))
        .map(|(id, one)| format!("somebody else exempts by `{id}` {}", until(one)));
    Ok(ours.chain(others).collect())
}

#[cfg(test)]
mod tests;
