use std::collections::BTreeMap;

use super::super::{InPolicies, Policies, points};
use super::*;
use crate::controls::allowed_regions::AllowedRegions;
use crate::controls::block_public_storage::BlockPublicStorage;
use crate::controls::denied_services::DeniedServices;
use crate::controls::landscape::{Landscape, subscription};
use crate::controls::protect_baseline::ProtectBaseline;
use landfall_model::catalog::ControlKind;
use landfall_model::id::Digest;
use landfall_model::manifest::Mode;
use serde_json::Value;

/// The assignments of a place, as a look shows them when all are as they should be.
fn assigned(landscape: &Landscape, place: &str) -> Value {
    let desired = &landscape.desired;
    let point = points(desired).into_iter().find(|point| resource(&point.at) == place).unwrap();
    let all = compile::assignments(&point, ground(desired).unwrap()).unwrap();
    json!(all.iter().map(|one| (&*one.name, one.held())).collect::<BTreeMap<_, _>>())
}

fn seated(assigned: Value) -> Value {
    json!({"assigned": assigned, "others": 1})
}

/// A place's assignments with one of them changed.
fn but(mut assigned: Value, name: &str, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut assigned[name]);
    seated(assigned)
}

fn definitions() -> Value {
    let all: BTreeMap<&str, Digest> = ours::ours().iter().map(|one| (one.name, one.digest())).collect();
    json!({"definitions": all, "others": 3})
}

fn unit(id: &str, subscriptions: u32) -> Value {
    json!({"id": id, "displayName": "x", "parent": "acme", "subscriptions": subscriptions})
}

/// An organization in which everything is as it should be.
fn all() -> Landscape {
    let mut all = Landscape::organization()
        .saw("policies/landfall-*", definitions())
        .saw("units//", unit("acme", 9))
        .saw("units/legacy", unit("mg-legacy", 1));
    for path in ["legacy", "sandbox", "workloads", "workloads/production"] {
        let there = assigned(&all, path);
        all = all.saw(&format!("policies/{path}"), seated(there));
    }
    for path in ["sandbox", "workloads", "workloads/production"] {
        all = all.saw(&format!("units/{path}"), unit(path, 4));
    }
    all
}

/// A subscription that carries everything, itself and by its units, and that nobody is exempt in.
fn below(landscape: Landscape) -> Landscape {
    let mut below = landscape.saw("policies/landfall-*", definitions());
    let desired = below.desired.clone();
    for point in points(&desired) {
        let place = resource(&point.at);
        let there = assigned(&below, &place);
        below = below.saw(&format!("policies/{place}"), seated(there));
    }
    let tenant = desired.target.tenant().unwrap().native().to_owned();
    below.saw(&format!("policies/{tenant}/exemptions"), json!({"ours": {}, "others": {}, "inAll": 0}))
}

/// What is said of a place, without what is sent.
fn said(landscape: &Landscape, address: &str) -> Vec<String> {
    let judgements = landscape.judged(&Policies);
    let judgement = judgements.into_iter().find(|one| one.address.to_string() == address).unwrap();
    let (why, changes) = match judgement.verdict {
        Verdict::Holds => return vec!["holds".to_owned()],
        Verdict::Fails { why, changes } => (why, changes),
        other @ (Verdict::Due { .. } | Verdict::Unknown { .. } | Verdict::NotApplicable { .. }) => {
            return vec![format!("{other:?}")];
        }
    };
    let told = |change: &Change| {
        let mut told = format!("{} {} {}", change.deed.sign(), change.stage, change.id);
        for need in &change.needs {
            told.push_str(&format!(" needs {need}"));
        }
        if change.loses {
            told.push_str(" loses");
        }
        if let Some(tenants) = change.reaches {
            told.push_str(&format!(" reaches {tenants}"));
        }
        told
    };
    std::iter::once(why).chain(changes.iter().map(told)).collect()
}

#[test]
fn what_is_in_force_needs_nothing() {
    assert_eq!(all().said(&Policies), ["holds"; 5]);
    let tenant = below(Landscape::adopted(2));
    assert_eq!(tenant.said(&Policies), ["holds"; 3]);
    assert_eq!(
        tenant.addresses(&Policies),
        [
            "policies/workloads",
            "policies/workloads/production",
            "policies/3f2c0000-0000-4000-8000-000000000002/exemptions"
        ]
    );
}

#[test]
fn where_no_policy_is_asked_at_all_the_report_says_so() {
    let none = Landscape::adopted(3);
    assert_eq!(none.said(&Policies), ["not applicable: nothing is asked of it beyond what its units ask"]);
    assert!(none.addresses(&Policies).is_empty());
    let own = format!("policies/{}", subscription(3));
    assert_eq!(none.made(&own).addresses(&Policies), [own], "what we made is looked after");
}

#[test]
fn what_is_not_assigned_is_assigned() {
    assert_eq!(
        said(&all().saw("policies/workloads", seated(json!({}))), "policies/workloads"),
        [
            "`lf-allowed-regions` is not assigned; `lf-allowed-regions-rg` is not assigned; \
             `lf-protect-baseline` is not assigned; `lf-block-public-storage` is not assigned",
            "+ foundation policies/workloads#create-lf-allowed-regions reaches 4",
            "+ foundation policies/workloads#create-lf-allowed-regions-rg reaches 4",
            "+ foundation policies/workloads#create-lf-protect-baseline reaches 4",
            "+ foundation policies/workloads#create-lf-block-public-storage reaches 4",
        ]
    );
}

#[test]
fn an_assignment_says_where_it_goes_and_all_that_it_binds_by() {
    let open = all().saw("policies/workloads/production", seated(json!({})));
    let judgements = open.judged(&Policies);
    let Verdict::Fails { changes, .. } = &judgements[3].verdict else { panic!("{judgements:?}") };
    assert_eq!(
        changes[0].with,
        Some(json!({
            "id": "/providers/Microsoft.Management/managementGroups/acme.workloads.production\
                   /providers/Microsoft.Authorization/policyAssignments/lf-denied-services",
            "body": {"properties": {
                "displayName": "Landfall: resource types that are not wanted",
                "description": super::super::DESCRIPTION,
                "policyDefinitionId": "/providers/Microsoft.Authorization/policyDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
                "enforcementMode": "Default",
                "notScopes": [],
                "parameters": {"listOfResourceTypesNotAllowed": {"value": ["Microsoft.Sql/servers"]}},
                "nonComplianceMessages": [{"message": "The organization does not want resources of this type."}],
            }},
        }))
    );
    assert_eq!(
        changes[0].after,
        Some(json!({"assigned": {"lf-denied-services": {
            "definition": "/providers/Microsoft.Authorization/policyDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
            "parameters": {"listOfResourceTypesNotAllowed": ["Microsoft.Sql/servers"]},
        }}}))
    );
}

#[test]
fn an_assignment_that_was_weakened_by_hand_is_put_right() {
    let whole = || assigned(&all(), "workloads");
    let table: [(&str, Value, &str); 4] = [
        ("excluded", json!(["/subscriptions/x"]), "`lf-block-public-storage` leaves out `/subscriptions/x`"),
        ("mode", json!("DoNotEnforce"), "`lf-block-public-storage` is set to `DoNotEnforce`"),
        ("parameters", json!({"effect": "Audit"}), "`lf-block-public-storage` has another `effect`"),
        ("weakened", json!(["overrides"]), "`lf-block-public-storage` has `overrides`"),
    ];
    for (what, value, why) in table {
        let weak = but(whole(), "lf-block-public-storage", |one| one[what] = value);
        assert_eq!(
            said(&all().saw("policies/workloads", weak), "policies/workloads"),
            [why, "~ foundation policies/workloads#update-lf-block-public-storage reaches 4"]
        );
    }
}

#[test]
fn a_unit_that_does_not_exist_is_made_first() {
    let open = all()
        .saw("policies/workloads/production", seated(json!({})))
        .saw_nothing("units/workloads/production");
    assert_eq!(
        said(&open, "policies/workloads/production")[1],
        "+ foundation policies/workloads/production#create-lf-denied-services \
         needs units/workloads/production#create"
    );
}

#[test]
fn a_definition_that_does_not_exist_is_made_before_it_is_assigned() {
    let mut there = definitions();
    there["definitions"].as_object_mut().unwrap().remove("landfall-protect-baseline");
    let without = but(assigned(&all(), "workloads"), "lf-protect-baseline", |_| {});
    let mut without = without;
    without["assigned"].as_object_mut().unwrap().remove("lf-protect-baseline");
    let open = all().saw("policies/landfall-*", there).saw("policies/workloads", without);
    assert_eq!(
        said(&open, "policies/landfall-*"),
        [
            "the definition `landfall-protect-baseline` does not exist",
            "+ foundation policies/landfall-*#create-landfall-protect-baseline",
        ]
    );
    assert_eq!(
        said(&open, "policies/workloads")[1],
        "+ foundation policies/workloads#create-lf-protect-baseline \
         needs policies/landfall-*#create-landfall-protect-baseline reaches 4"
    );
}

#[test]
fn a_definition_that_was_edited_is_put_right_and_reaches_everybody() {
    let mut there = definitions();
    there["definitions"]["landfall-public-images"] = json!(Digest::of(b"{}"));
    let edited = all().saw("policies/landfall-*", there.clone());
    assert_eq!(
        said(&edited, "policies/landfall-*"),
        [
            "the definition `landfall-public-images` does not say what it should",
            "~ foundation policies/landfall-*#update-landfall-public-images reaches 9",
        ]
    );
    there["definitions"]["landfall-protect-baseline"] = json!(Digest::of(b"{}"));
    let tenant = below(Landscape::adopted(2)).saw("policies/landfall-*", there);
    assert_eq!(tenant.said(&InPolicies(AllowedRegions)), ["holds"]);
    assert_eq!(
        tenant.said(&ProtectBaseline),
        ["fails: the definition `landfall-protect-baseline` does not say what it should"]
    );
}

#[test]
fn the_first_of_all_waits_for_the_root_group() {
    let bare =
        all().saw_nothing("units//").saw("policies/landfall-*", json!({"definitions": {}, "others": 0}));
    let said = said(&bare, "policies/landfall-*");
    assert_eq!(
        said[1],
        "+ foundation policies/landfall-*#create-landfall-protect-baseline needs units//#create"
    );
    assert_eq!(said.len(), 5);
}

#[test]
fn who_owns_the_policies_of_a_unit_is_not_disturbed() {
    let stray = json!({"lf-x": {"definition": "/y"}});
    let theirs = all().saw("policies/legacy", seated(stray)).made("policies/legacy");
    assert_eq!(
        said(&theirs, "policies/legacy"),
        ["`lf-x` is assigned, and nothing asks for it; \
          the policies of `legacy` are owned by terraform: reported, not touched"]
    );
}

#[test]
fn an_assignment_that_nothing_asks_for_goes_only_when_landfall_made_it() {
    let strays = || {
        let two = json!({"lf-x": {"definition": "/x"}, "lf-y": {"definition": "/y"}});
        all().saw("policies/sandbox", seated(two))
    };
    let kept = said(&strays(), "policies/sandbox");
    assert!(kept[0].contains("it stays, because the ledger does not show that Landfall made it"), "{kept:?}");
    assert_eq!(kept.len(), 1);
    assert_eq!(
        said(&strays().made("policies/sandbox"), "policies/sandbox"),
        [
            "`lf-x` is assigned, and nothing asks for it; `lf-y` is assigned, and nothing asks for it",
            "~ foundation policies/sandbox#delete-lf-x loses reaches 4",
            "- foundation policies/sandbox#delete-lf-y needs policies/sandbox#delete-lf-x loses reaches 4",
        ]
    );
}

#[test]
fn where_something_stays_the_place_is_not_unmade() {
    let mut more = assigned(&all(), "workloads");
    more["lf-x"] = json!({"definition": "/x"});
    let said =
        said(&all().saw("policies/workloads", seated(more)).made("policies/workloads"), "policies/workloads");
    assert_eq!(said[1], "~ foundation policies/workloads#delete-lf-x loses reaches 4");
}

#[test]
fn too_little_room_says_for_how_many() {
    let crowded = all().saw("policies/workloads", json!({"assigned": {}, "others": 198}));
    assert_eq!(
        said(&crowded, "policies/workloads"),
        ["`workloads` has no room for 2 of its assignments, 4 in all: \
          Azure takes at most 200 at one place, and 198 are taken"]
    );
    let full = all().saw("policies/landfall-*", json!({"definitions": {}, "others": 499}));
    assert!(said(&full, "policies/landfall-*")[0].contains("has no room for 4 of them"));
}

#[test]
fn a_tenant_only_looks_at_its_units_and_says_which_lacks_what() {
    let tenant = below(Landscape::adopted(2));
    let mut without = assigned(&tenant, "workloads");
    without.as_object_mut().unwrap().remove("lf-allowed-regions-rg");
    let open = tenant.saw("policies/workloads", seated(without));
    assert_eq!(
        said(&open, "policies/workloads"),
        ["`lf-allowed-regions-rg` is not assigned; a sweep of the organization makes it"]
    );
    assert_eq!(open.said(&InPolicies(AllowedRegions)), ["fails: `lf-allowed-regions-rg` is not assigned"]);
    assert_eq!(open.said(&ProtectBaseline), ["holds"]);
    assert_eq!(open.said(&InPolicies(DeniedServices)), ["holds"]);
    let blind = open.with("policies/workloads", Seen::Unreadable("denied".into()));
    assert_eq!(blind.said(&InPolicies(AllowedRegions)), ["unknown: denied"]);
}

#[test]
fn what_only_the_tenant_asks_it_carries_itself() {
    let own = format!("policies/{}", subscription(4));
    let whole = below(Landscape::adopted(4));
    assert_eq!(whole.said(&InPolicies(DeniedServices)), ["holds"]);
    assert_eq!(whole.addresses(&InPolicies(DeniedServices)), [own.clone(), format!("{own}/exemptions")]);
    let open = |landscape: Landscape| said(&below(landscape).saw(&own, seated(json!({}))), &own);
    let change = format!("+ baseline {own}#create-lf-denied-services");
    assert_eq!(
        open(Landscape::adopted(4)),
        ["`lf-denied-services` is not assigned".to_owned(), format!("{change} reaches 1")]
    );
    assert_eq!(open(Landscape::new(4))[1], change, "nobody works in a new one");
}

#[test]
fn a_control_of_tenants_elsewhere_is_carried_unless_it_is_only_looked_at() {
    let moded = |mode: Mode| {
        let mut tenant = below(Landscape::adopted(2));
        for asked in &mut tenant.desired.asked {
            if matches!(asked.control, ControlKind::BlockPublicStorage | ControlKind::AllowedRegions) {
                asked.mode = mode;
            }
        }
        (tenant.said(&BlockPublicStorage), tenant.said(&InPolicies(AllowedRegions)))
    };
    let not = |mode: &str| vec![format!("fails: its mode is `{mode}`, so no policy is made of it")];
    let holds = vec!["holds".to_owned()];
    assert_eq!(moded(Mode::Repair), (holds.clone(), not("repair")));
    assert_eq!(moded(Mode::Prevent), (holds.clone(), holds));
    assert_eq!(moded(Mode::Detect), (not("detect"), not("detect")));
}
