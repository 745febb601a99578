//! An assignment that acts: its identity, and the role that this holds.

use std::collections::BTreeMap;

use landfall_model::judgement::Verdict;
use serde_json::{Value, json};

use super::super::compile::{self, STORAGE_ACCOUNT_CONTRIBUTOR};
use super::super::{Policies, points, resource};
use super::GIVEN;
use crate::controls::ground;
use crate::controls::landscape::{Landscape, closing, subscription};

const IDENTITY: &str = "1de00000-0000-4000-8000-000000000001";
const BEFORE: &str = "1de00000-0000-4000-8000-000000000000";
const ROLE: &str = "9a7e0000-0000-4000-8000-000000000001";
const NAME: &str = "lf-close-public-storage";

/// What a look shows of a place where all is as it should be.
fn seated(landscape: &Landscape, place: &str) -> Value {
    let desired = &landscape.desired;
    let point = points(desired).into_iter().find(|point| resource(&point.at) == place).unwrap();
    let all = compile::due(&point, desired, ground(desired).unwrap()).unwrap();
    let mut assigned: BTreeMap<String, Value> =
        all.iter().map(|one| (one.name.to_string(), json!(one.held()))).collect();
    let mut roles = json!({});
    if let Some(acting) = assigned.get_mut(NAME) {
        acting["identity"] = json!({"principal": IDENTITY, "location": "swedencentral"});
        roles[ROLE] = given(IDENTITY, true);
    }
    json!({"assigned": assigned, "others": 0, "roles": roles})
}

fn given(principal: &str, ours: bool) -> Value {
    json!({"role": STORAGE_ACCOUNT_CONTRIBUTOR, "principal": principal, "ours": ours, "since": "2026-11-21T00:00:00Z"})
}

/// What is said of the unit `workloads`, with the changes that follow.
fn said(landscape: &Landscape, address: &str) -> Vec<String> {
    let judgement =
        landscape.judged(&Policies).into_iter().find(|one| one.address.to_string() == address).unwrap();
    match judgement.verdict {
        Verdict::Holds => vec!["holds".to_owned()],
        Verdict::Fails { why, changes } => {
            let told = changes.iter().map(|change| {
                let id = change.id.0.split_once('#').unwrap().1;
                let needs: Vec<&str> =
                    change.needs.iter().map(|need| need.0.split_once('#').unwrap().1).collect();
                let lost = if change.loses { " loses" } else { "" };
                format!(
                    "{} {id}{}{lost}",
                    change.deed.sign(),
                    needs.iter().map(|need| format!(" needs {need}")).collect::<String>()
                )
            });
            std::iter::once(why).chain(told).collect()
        }
        other @ (Verdict::Due { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. }) => {
            vec![format!("{other:?}")]
        }
    }
}

fn organization(disturb: impl FnOnce(&mut Value)) -> Landscape {
    let landscape = closing(Landscape::organization(), true).saw(
        "units/workloads",
        json!({"id": "acme.workloads", "displayName": "x", "parent": "acme", "subscriptions": 4}),
    );
    let mut there = seated(&landscape, "workloads");
    disturb(&mut there);
    landscape.saw("policies/workloads", there)
}

#[test]
fn what_is_not_as_it_should_be_is_put_right_and_the_role_comes_after_the_identity() {
    let lacks = "the identity of `lf-close-public-storage` does not hold the role `Storage Account Contributor` there";
    let left = |principal: &str| format!("`{principal}` holds a role for a policy, and nothing asks for it");
    type Disturb = fn(&mut Value);
    let table: [(&str, Disturb, Vec<String>); 6] = [
        ("agreement", |_| {}, vec!["holds".to_owned()]),
        (
            "somebody else gave the identity its role",
            |there| there["roles"][ROLE] = given(IDENTITY, false),
            vec!["holds".to_owned()],
        ),
        (
            "the role is gone",
            |there| there["roles"] = json!({}),
            vec![lacks.to_owned(), format!("+ grant-{NAME}")],
        ),
        (
            "the identity is gone",
            |there| drop(there["assigned"][NAME].as_object_mut().unwrap().remove("identity")),
            vec![
                format!("`{NAME}` has no identity to act by; {}", left(IDENTITY)),
                format!("~ update-{NAME}"),
                format!("+ grant-{NAME} needs update-{NAME}"),
                format!("~ revoke-{ROLE}"),
            ],
        ),
        (
            "the assignment is gone, and its identity with it",
            |there| drop(there["assigned"].as_object_mut().unwrap().remove(NAME)),
            vec![
                format!("`{NAME}` is not assigned; {}", left(IDENTITY)),
                format!("+ create-{NAME}"),
                format!("+ grant-{NAME} needs create-{NAME}"),
                format!("~ revoke-{ROLE}"),
            ],
        ),
        (
            "an identity that is gone is left with the role",
            |there| there["roles"]["9a7e0000-0000-4000-8000-000000000000"] = given(BEFORE, true),
            vec![left(BEFORE), "~ revoke-9a7e0000-0000-4000-8000-000000000000".to_owned()],
        ),
    ];
    for (situation, disturb, expected) in table {
        let landscape = organization(disturb).made("policies/workloads");
        assert_eq!(said(&landscape, "policies/workloads"), expected, "{situation}");
    }
}

#[test]
fn what_is_no_longer_asked_loses_its_role_first_and_only_where_landfall_made_it() {
    let no_more = |landscape: Landscape| closing(landscape, false);
    let mine = no_more(organization(|_| {})).made("policies/workloads");
    assert_eq!(
        said(&mine, "policies/workloads")[1..],
        [format!("~ revoke-{ROLE}"), format!("~ delete-{NAME} needs revoke-{ROLE} loses")]
    );
    let theirs = said(&no_more(organization(|_| {})), "policies/workloads");
    assert_eq!(theirs.len(), 1, "{theirs:?}");
    assert!(theirs[0].contains("the ledger does not show that Landfall gave it"), "{theirs:?}");
}

/// Where an identity is kept can't be changed, so that of one that is there is sent; a new one is kept in the first governed location.
#[test]
fn the_identity_stays_where_it_is_kept() {
    let sent = |landscape: &Landscape| {
        let all = landscape.judged(&Policies);
        let Verdict::Fails { changes, .. } =
            all.into_iter().find(|one| one.address.to_string() == "policies/workloads").unwrap().verdict
        else {
            panic!()
        };
        changes[0].with.clone().unwrap()["body"].clone()
    };
    let weak = sent(&organization(|there| there["assigned"][NAME]["mode"] = json!("DoNotEnforce")));
    assert_eq!(
        (&weak["location"], &weak["identity"]),
        (&json!("swedencentral"), &json!({"type": "SystemAssigned"}))
    );
    let new = sent(&organization(|there| drop(there["assigned"].as_object_mut().unwrap().remove(NAME))));
    assert_eq!(new["location"], "germanywestcentral", "the first of the governed locations");
}

/// The gate of a new subscription would refuse the role, and there is nothing to close in it.
#[test]
fn a_new_subscription_s_own_assignment_that_acts_waits_for_its_handover() {
    let own = |mut landscape: Landscape| {
        let points = landscape
            .desired
            .asked
            .iter_mut()
            .find(|asked| asked.control == landfall_model::catalog::ControlKind::Policies)
            .unwrap()
            .settings
            .as_mut()
            .unwrap()["points"]
            .as_array_mut()
            .unwrap();
        points.last_mut().unwrap()["asks"]["block-public-storage"] = json!({"also-existing": true});
        let desired = &landscape.desired;
        let all =
            compile::due(points_of(desired).last().unwrap(), desired, ground(desired).unwrap()).unwrap();
        all.iter().any(|one| one.name == NAME)
    };
    use super::super::points as points_of;
    assert!(!own(Landscape::new(4)));
    assert!(own(Landscape::new(4).handed_over()));
    assert!(own(Landscape::adopted(4)));
    assert!(GIVEN.starts_with("Made by Landfall"), "{}", subscription(4));
}
