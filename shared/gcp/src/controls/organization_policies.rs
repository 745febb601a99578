//! `organization-policies` on Google Cloud: any constraint, row G7; and in the organization's own target, the custom constraints that
//! units ask for, row G8.
//!
//! A custom constraint stops nothing by itself: policies enforce it, which `policies` sets.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::carried::Carried;
use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::organization_policies::{Action, CustomConstraint, Method, PER_TYPE, Settings};
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};
use landfall_model::target::Target;

use super::policies::InPolicies;
use super::units::{self, Unit};
use super::{Gcp, json as value, or_default, reported, seen};
use crate::client::service::POLICY;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::OrganizationPolicies;

/// The part that policies carry.
struct ByPolicy;

impl Carried for ByPolicy {
    const KIND: ControlKind = KIND;

    type Want = Settings;

    fn unasked(&self, want: &Settings) -> Option<&'static str> {
        let Settings { enforce, allow, deny, custom: _ } = want;
        let nothing = enforce.is_empty() && allow.is_empty() && deny.is_empty();
        nothing.then_some("no constraint is named for the tenant")
    }
}

const CARRIED: InPolicies<ByPolicy> = InPolicies(ByPolicy);

pub(super) struct OrganizationPolicies;

/// A custom constraint, and how many others judge each type of resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Standing {
    #[serde(skip_serializing_if = "Option::is_none")]
    constraint: Option<Custom>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    others: BTreeMap<String, usize>,
}

/// `google.cloud.orgpolicy.v2.CustomConstraint`, as far as it is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Custom {
    #[serde(deserialize_with = "or_default")]
    resource_types: BTreeSet<String>,
    #[serde(deserialize_with = "or_default")]
    method_types: BTreeSet<String>,
    condition: String,
    action_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
}

/// As Google answers it.
#[derive(Debug, Deserialize)]
struct Answer {
    name: String,
    #[serde(flatten)]
    custom: Custom,
}

impl From<&CustomConstraint> for Custom {
    fn from(constraint: &CustomConstraint) -> Self {
        let CustomConstraint { resource_types, methods, condition, action, title } = constraint;
        let method = |method: &Method| match method {
            Method::Create => "CREATE",
            Method::Update => "UPDATE",
            Method::RemoveGrant => "REMOVE_GRANT",
            Method::GovernTags => "GOVERN_TAGS",
        };
        let action = match action {
            Action::Allow => "ALLOW",
            Action::Deny => "DENY",
        };
        Custom {
            resource_types: resource_types.iter().cloned().collect(),
            method_types: methods.iter().map(method).map(str::to_owned).collect(),
            condition: condition.trim().to_owned(),
            action_type: action.to_owned(),
            display_name: title.clone(),
        }
    }
}

impl Custom {
    /// How it differs from what is asked, for people. A title that nobody asked for makes no difference.
    fn differs(&self, there: &Custom) -> Option<&'static str> {
        let Custom { resource_types, method_types, condition, action_type, display_name } = self;
        if resource_types != &there.resource_types {
            Some("judges other types of resources")
        } else if method_types != &there.method_types {
            Some("judges on other occasions")
        } else if condition.trim() != there.condition.trim() {
            Some("has another condition")
        } else if action_type != &there.action_type {
            Some("does the opposite")
        } else if display_name.is_some() && display_name != &there.display_name {
            Some("has another title")
        } else {
            None
        }
    }
}

fn address(name: &str) -> Address {
    Address::global(KIND, name)
}

/// The change that makes a custom constraint, where this run does: a policy that enforces it waits for it.
pub(super) fn creation(name: &str, desired: &Desired, observed: &Observed) -> Option<ChangeId> {
    let asked = desired.asked(KIND)?.want::<Settings>().ok()?;
    let Target::Organization(_) = desired.target else { return None };
    asked.custom.get(name)?;
    let Seen::Present(there) = observed.seen(&address(name)) else { return None };
    let there: Standing = serde_json::from_value(there).ok()?;
    there.constraint.is_none().then(|| ChangeId(format!("{}#create", address(name))))
}

#[async_trait]
impl Control for OrganizationPolicies {
    const KIND: ControlKind = KIND;
    /// Those of both parts.
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "orgpolicy.customConstraints.list",
            "orgpolicy.policy.get",
            "resourcemanager.folders.get",
            "resourcemanager.folders.list",
            "resourcemanager.projects.get",
        ],
        write: &[
            "orgpolicy.customConstraints.create",
            "orgpolicy.customConstraints.delete",
            "orgpolicy.customConstraints.get",
            "orgpolicy.customConstraints.update",
        ],
    };

    type On = Gcp;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        match desired.target {
            Target::Organization(_) => {
                let made = desired.record.made.iter().filter(|address| address.control == KIND).cloned();
                let all: BTreeSet<Address> =
                    want.custom.keys().map(|name| address(name)).chain(made).collect();
                all.into_iter().collect()
            }
            Target::Tenant(_) => CARRIED.addresses(want, desired),
        }
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        if at.control != KIND {
            return CARRIED.look(reader, desired, at).await;
        }
        let Session { client, directory, .. } = &reader.0;
        let path = format!("{}/customConstraints", directory.root());
        let (reply, all) = client.list(&POLICY, &path, "customConstraints").await?;
        let mut standing = Standing::default();
        for one in all {
            let Answer { name, custom } =
                serde_json::from_value(one).map_err(|error| reply.unreadable(error))?;
            if name.rsplit('/').next() == Some(&at.resource) {
                standing.constraint = Some(custom);
            } else {
                for kind in custom.resource_types {
                    *standing.others.entry(kind).or_default() += 1;
                }
            }
        }
        if let Some(constraint) = &standing.constraint {
            standing.others.retain(|kind, _| constraint.resource_types.contains(kind));
        }
        Ok(seen(&reply, &standing))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { client, directory, .. } = &writer.0;
        let all = format!("{}/customConstraints", directory.root());
        let name = format!("{all}/{}", change.address.resource);
        let wanted = change.with.clone();
        // INVARIANT: the changes are ours, and each but a deletion says what to write.
        let Some(wanted) = wanted else {
            client.delete(&POLICY, &name).await?;
            return Ok(Value::Null);
        };
        let body = |mut there: Value| {
            if let (Some(there), Some(wanted)) = (there.as_object_mut(), wanted.as_object()) {
                there.extend(wanted.clone());
                there.insert("name".to_owned(), json!(name));
                // Only Google says this.
                there.remove("updateTime");
            }
            there
        };
        let answer = match client.get(&POLICY, &name).await {
            Ok(reply) => client.patch(&POLICY, &name, &body(reply.value()?)).await,
            Err(error) if error.is_not_found() => client.post(&POLICY, &all, &body(json!({}))).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(_) => Ok(json!({"name": name})),
            Err(error) if error.number() == Some(400) => {
                Err(error.explained("Google does not take the custom constraint: see its reason"))
            }
            Err(error) => Err(error),
        }
    }
}

impl Judge for OrganizationPolicies {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        if let Target::Tenant(_) = desired.target {
            return CARRIED.judge(want, desired, observed);
        }
        let judge = |address: Address| {
            Judgement::of(KIND, &address, observed, |there| match kept::<Standing>(there) {
                Ok(standing) => compare(want, desired, observed, &address, standing.unwrap_or_default()),
                Err(unknown) => unknown,
            })
        };
        self.addresses(want, desired).into_iter().map(judge).collect()
    }
}

fn compare(
    want: &Settings,
    desired: &Desired,
    observed: &Observed,
    address: &Address,
    standing: Standing,
) -> Verdict {
    let name = &address.resource;
    let Standing { constraint, others } = standing;
    let wanted = want.custom.get(name).map(Custom::from);
    let (verb, deed, why, wanted) = match (wanted, constraint) {
        (None, None) => {
            return Verdict::NotApplicable { why: format!("nothing asks for `{name}` any more") };
        }
        (None, Some(there)) => return unasked(desired, address, &there),
        (Some(wanted), None) => {
            if let Some(why) = crowded(want, observed, name, &wanted, &others) {
                return reported(why);
            }
            ("create", Deed::Create, format!("the custom constraint `{name}` does not exist"), wanted)
        }
        (Some(wanted), Some(there)) => match wanted.differs(&there) {
            None => return Verdict::Holds,
            Some(how) if wanted.resource_types != there.resource_types => {
                return reported(format!(
                    "the custom constraint `{name}` {how}, which can't be changed: give the one that is asked another name"
                ));
            }
            Some(how) => {
                let change = Change::new(
                    address,
                    "update",
                    Deed::Update,
                    format!("the custom constraint `{name}` {how}"),
                )
                .before(Some(json!({"constraint": there})))
                .after(json!({"constraint": wanted}))
                .with(value(&wanted))
                .at(Stage::Foundation);
                return reaching(change, observed);
            }
        },
    };
    let change = Change::new(address, verb, deed, why)
        .after(json!({"constraint": wanted}))
        .with(value(&wanted))
        .at(Stage::Foundation);
    // What is new is enforced for nobody.
    Verdict::fails(change)
}

/// What it says changes for whomever it is enforced.
fn reaching(mut change: Change, observed: &Observed) -> Verdict {
    match observed.seen(&units::address(&UnitPath::root())) {
        Seen::Present(unit) => match kept::<Unit>(Some(&unit)) {
            Ok(unit) => change.reaches = unit.map(|unit| unit.projects),
            Err(unknown) => return unknown,
        },
        Seen::Absent => {}
        Seen::Unreadable(why) | Seen::NotOffered(why) => {
            return Verdict::Unknown { why: format!("whom it reaches could not be looked at: {why}") };
        }
    }
    Verdict::fails(change)
}

/// What nothing asks for any more goes last: a policy that enforces it would be left without meaning.
fn unasked(desired: &Desired, address: &Address, there: &Custom) -> Verdict {
    let name = &address.resource;
    if !desired.record.made.contains(address) {
        return Verdict::NotApplicable {
            why: format!("nothing asks for `{name}`, which somebody else made"),
        };
    }
    let end = format!("/{name}");
    let enforced = desired
        .record
        .made
        .iter()
        .any(|address| address.control == ControlKind::Policies && address.resource.ends_with(&end));
    if enforced {
        return reported(format!(
            "nothing asks for the custom constraint `{name}` any more; it goes when no policy of ours enforces it"
        ));
    }
    let why = format!("nothing asks for the custom constraint `{name}` any more");
    let mut change = Change::new(address, "delete", Deed::Delete, why)
        .before(Some(json!({"constraint": there})))
        .after(json!({"constraint": null}))
        .at(Stage::Foundation);
    change.loses = true;
    Verdict::fails(change)
}

/// Whether one more fits to its types of resources, beside those that are there and those that are made before it.
fn crowded(
    want: &Settings,
    observed: &Observed,
    name: &str,
    wanted: &Custom,
    others: &BTreeMap<String, usize>,
) -> Option<String> {
    let made_before = |kind: &str| {
        let earlier = want.custom.iter().take_while(|(other, _)| other.as_str() < name);
        let missing = earlier.filter(|(other, constraint)| {
            constraint.resource_types.iter().any(|one| one == kind)
                && observed
                    .seen(&address(other))
                    .value()
                    .is_some_and(|there| there.get("constraint").is_none())
        });
        missing.count()
    };
    wanted.resource_types.iter().find_map(|kind| {
        let there = others.get(kind).copied().unwrap_or(0) + made_before(kind);
        (there >= PER_TYPE).then(|| {
            format!(
                "the custom constraint `{name}` does not exist, and there is no room for it: {there} judge `{kind}` already, and Google takes at most {PER_TYPE}"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    const E2: &str = "organization-policies/custom.onlyE2";

    fn custom() -> Value {
        json!({
            "resourceTypes": ["compute.googleapis.com/Instance"], "methodTypes": ["CREATE", "UPDATE"],
            "condition": "resource.machineType.contains('/e2-')", "actionType": "ALLOW",
        })
    }

    fn asking(custom: Value) -> Landscape {
        let mut landscape =
            Landscape::organization().saw("units//", json!({"name": "organizations/1", "projects": 9}));
        landscape.ask(KIND, json!({ "custom": custom }));
        landscape
    }

    fn wanted() -> Value {
        json!({"custom.onlyE2": {
            "resource-types": ["compute.googleapis.com/Instance"], "methods": ["update", "create"],
            "condition": "resource.machineType.contains('/e2-')", "action": "allow",
        }})
    }

    fn said(landscape: Landscape, there: Value) -> String {
        landscape.saw(E2, there).said(&OrganizationPolicies).join("\n")
    }

    #[test]
    fn a_constraint_that_says_what_it_should_needs_nothing() {
        let mut there = custom();
        there["displayName"] = json!("written by hand");
        assert_eq!(said(asking(wanted()), json!({"constraint": there})), "holds");
    }

    #[test]
    fn one_that_is_missing_is_made_and_one_that_was_changed_is_put_back() {
        assert!(said(asking(wanted()), json!({})).starts_with(
            "fails: the custom constraint `custom.onlyE2` does not exist\n+ foundation organization-policies/custom.onlyE2#create"
        ));
        let table = [
            ("condition", json!("true"), "has another condition", true),
            ("actionType", json!("DENY"), "does the opposite", true),
            ("methodTypes", json!(["CREATE"]), "judges on other occasions", true),
            ("resourceTypes", json!(["run.googleapis.com/Service"]), "can't be changed", false),
        ];
        for (field, value, why, changed) in table {
            let mut there = custom();
            there[field] = value;
            let said = said(asking(wanted()), json!({"constraint": there}));
            assert!(said.contains(why), "{said}");
            assert_eq!(said.ends_with("reaches 9"), changed, "{said}");
        }
    }

    #[test]
    fn one_that_does_not_fit_is_reported() {
        let others = |count: usize| json!({"others": {"compute.googleapis.com/Instance": count}});
        assert!(said(asking(wanted()), others(19)).contains("#create"));
        assert!(
            said(asking(wanted()), others(20))
                .ends_with("20 judge `compute.googleapis.com/Instance` already, and Google takes at most 20")
        );
    }

    #[test]
    fn one_that_nobody_asks_for_goes_where_we_made_it_and_when_nothing_enforces_it() {
        let there = json!({"constraint": custom()});
        let made = asking(json!({})).made(E2);
        assert!(
            said(made, there.clone()).contains("- foundation organization-policies/custom.onlyE2#delete")
        );
        let enforced = asking(json!({})).made(E2).made("policies/workloads/custom.onlyE2");
        assert!(said(enforced, there.clone()).ends_with("it goes when no policy of ours enforces it"));
        assert_eq!(
            asking(json!({})).said(&OrganizationPolicies),
            Vec::<String>::new(),
            "others' are not looked at"
        );
    }

    #[test]
    fn it_may_what_its_parts_may() {
        let Permissions { read, write } = InPolicies::<ByPolicy>::PERMISSIONS;
        assert!(write.is_empty());
        assert!(read.iter().all(|one| OrganizationPolicies::PERMISSIONS.read.contains(one)));
    }
}
