use super::*;
use crate::controls::allowed_regions::AllowedRegions;
use crate::controls::denied_services::DeniedServices;
use crate::controls::landscape::{Landscape, MANIFEST};
use crate::controls::policies::{InPolicies, Policies, compiled};
use crate::controls::protect_baseline::ProtectBaseline;

const TENANT: &str = "222222222222";
const RICHER: &str = "555555555555";

/// The documents of a place, as a look shows them when they are attached.
fn held(landscape: &Landscape, place: &str) -> Value {
    let documents = compiled(&landscape.desired).places.remove(place).unwrap().unwrap();
    let mut held = serde_json::Map::new();
    for (at, document) in documents.iter().enumerate() {
        let one = json!({"Id": format!("p-{}", at + 1), "Document": document.digest(), "Size": document.content.len()});
        held.insert(document.name.clone(), one);
    }
    Value::Object(held)
}

fn seated(attached: Value) -> Value {
    json!({"Attached": attached, "Detached": {}, "Others": 1})
}

/// An organization in which everything is as it should be.
fn all() -> Landscape {
    let mut all = Landscape::organization().saw(
        "enabled-services/policy-types",
        json!({"Id": "r-ab12", "PolicyTypes": ["SERVICE_CONTROL_POLICY"]}),
    );
    for path in ["legacy", "sandbox", "workloads", "workloads/production"] {
        let attached = held(&all, path);
        all = all
            .saw(&format!("policies/{path}"), seated(attached))
            .saw(&format!("units/{path}"), json!({"Id": format!("ou-{path}"), "Name": path, "Accounts": 4}));
    }
    all
}

/// A tenant whose units carry everything.
fn below(account: &str) -> Landscape {
    let mut below = Landscape::adopted(account);
    for place in compiled(&below.desired).places.keys() {
        let attached = held(&below, place);
        below = below.saw(&format!("policies/{place}"), seated(attached));
    }
    below
}

fn workloads(landscape: &Landscape) -> String {
    landscape.said(&Policies)[2].clone()
}

#[test]
fn what_is_in_force_needs_nothing() {
    assert_eq!(all().said(&Policies), ["holds"; 4]);
    assert_eq!(below(TENANT).said(&Policies), ["holds", "holds"]);
    assert_eq!(below(TENANT).addresses(&Policies), ["policies/workloads", "policies/workloads/production"]);
}

#[test]
fn where_no_policy_is_asked_at_all_the_report_says_so() {
    let text = MANIFEST.replace("unit: legacy }", "unit: sandbox }");
    let none = Landscape::of(&text, "aws/444444444444");
    assert_eq!(none.said(&Policies), ["not applicable: nothing is asked of it beyond what its units ask"]);
    assert!(none.addresses(&Policies).is_empty());
    let left = Landscape::of(&text, "aws/444444444444").made("policies/444444444444");
    assert_eq!(left.addresses(&Policies), ["policies/444444444444"], "what we made is looked after");
}

#[test]
fn a_policy_that_does_not_exist_is_made_and_attached() {
    let said = workloads(&all().saw("policies/workloads", seated(json!({}))));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "fails: `landfall-workloads-1` is not attached");
    assert!(
        lines[1]
            .starts_with("+ foundation policies/workloads#create-1 {\"Detached\":{\"landfall-workloads-1\"")
    );
    assert!(lines[1].ends_with("with {\"Content\":\"…\",\"Name\":\"landfall-workloads-1\"}"), "{}", lines[1]);
    assert!(lines[2].ends_with(
        "with {\"MadeBy\":\"policies/workloads#create-1\",\"Name\":\"landfall-workloads-1\",\"TargetId\":\"ou-workloads\"} \
         needs policies/workloads#create-1 reaches 4"
    ), "{}", lines[2]);
}

#[test]
fn a_policy_that_was_detached_is_attached_again() {
    let whole = held(&all(), "workloads");
    let said =
        workloads(&all().saw("policies/workloads", json!({"Attached": {}, "Detached": whole, "Others": 1})));
    assert!(said.lines().nth(1).unwrap().starts_with("+ foundation policies/workloads#attach-1"));
    assert_eq!(said.lines().count(), 2);
    assert!(said.contains("\"Id\":\"p-1\""));
}

#[test]
fn a_policy_that_was_edited_is_put_right() {
    let mut whole = held(&all(), "workloads");
    whole["landfall-workloads-1"]["Document"] = json!(landfall_model::id::Digest::of(b"{}"));
    let said = workloads(&all().saw("policies/workloads", seated(whole)));
    assert!(said.starts_with(
        "fails: `landfall-workloads-1` does not say what it should\n~ foundation policies/workloads#update-1"
    ));
    assert!(said.ends_with("reaches 4"));
}

#[test]
fn a_unit_that_does_not_exist_is_made_first() {
    let said = workloads(&all().saw("policies/workloads", seated(json!({}))).saw_nothing("units/workloads"));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[1].ends_with("needs units/workloads#create"), "{}", lines[1]);
    assert!(lines[2].contains("\"TargetMadeBy\":\"units/workloads#create\""));
    assert!(
        lines[2].ends_with("needs policies/workloads#create-1 needs units/workloads#create"),
        "{}",
        lines[2]
    );
}

#[test]
fn an_attachment_waits_until_policies_are_switched_on() {
    let off = json!({"Id": "r-ab12", "PolicyTypes": []});
    let said = workloads(
        &all().saw("policies/workloads", seated(json!({}))).saw("enabled-services/policy-types", off),
    );
    let lines: Vec<&str> = said.lines().collect();
    assert!(!lines[1].contains("#enable"));
    assert!(lines[2].contains(" needs enabled-services/policy-types#enable"), "{}", lines[2]);
}

#[test]
fn who_owns_the_policies_of_a_unit_is_not_disturbed() {
    let said = all().saw("policies/legacy", seated(json!({}))).said(&Policies);
    assert_eq!(
        said[0],
        "fails: `landfall-legacy-1` is not attached; \
         the policies of `legacy` are owned by control-tower: reported, not touched"
    );
}

#[test]
fn a_policy_that_nothing_asks_for_goes_only_when_landfall_made_it() {
    let stray = || {
        let one = json!({"Id": "p-9", "Document": landfall_model::id::Digest::of(b"{}"), "Size": 2});
        all().saw("policies/sandbox", seated(json!({"landfall-sandbox-1": one})))
    };
    assert_eq!(
        stray().said(&Policies)[1],
        "fails: `landfall-sandbox-1` is attached, and nothing asks for it; \
         it stays, because the ledger does not show that Landfall made it"
    );
    assert_eq!(
        stray().made("policies/sandbox").said(&Policies)[1],
        "fails: `landfall-sandbox-1` is attached, and nothing asks for it\n\
         ~ foundation policies/sandbox#detach-1 {\"Attached\":{\"landfall-sandbox-1\":null}} \
         with {\"Id\":\"p-9\",\"Name\":\"landfall-sandbox-1\",\"TargetId\":\"ou-sandbox\"} loses reaches 4\n\
         - foundation policies/sandbox#delete-1 \
         {\"Attached\":{\"landfall-sandbox-1\":null},\"Detached\":{\"landfall-sandbox-1\":null}} \
         with {\"Id\":\"p-9\",\"Name\":\"landfall-sandbox-1\"} needs policies/sandbox#detach-1"
    );
}

#[test]
fn a_policy_of_another_place_is_taken_off_and_not_deleted() {
    let one = json!({"Id": "p-9", "Document": landfall_model::id::Digest::of(b"{}"), "Size": 2});
    let moved =
        all().saw("policies/sandbox", seated(json!({"landfall-old-1": one}))).made("policies/sandbox");
    let said = moved.said(&Policies)[1].clone();
    assert!(said.contains("policies/sandbox#detach-landfall-old-1") && !said.contains("#delete"), "{said}");
}

#[test]
fn too_few_slots_say_by_how_many() {
    let crowded = all().saw("policies/workloads", json!({"Attached": {}, "Detached": {}, "Others": 10}));
    assert_eq!(
        workloads(&crowded),
        "fails: `workloads` has no slot for 1 of its policies, 1 in all: \
         AWS attaches at most 10 to one place, and 10 are taken"
    );
}

#[test]
fn a_policy_that_is_too_large_says_by_how_much() {
    let regions: Vec<String> = (0..900).map(|n| format!("eu-central-{n}")).collect();
    let text = MANIFEST
        .replace("aws: [eu-central-1, eu-west-1] } }", &format!("aws: [{}] }} }}", regions.join(", ")));
    let huge = Landscape::of(&text, "organization/aws").saw("policies/workloads", seated(json!({})));
    let said = workloads(&huge);
    assert!(
        said.starts_with("fails: its policies can't be made: the statement `AllowedRegions` takes"),
        "{said}"
    );
    assert!(said.contains("more than the 10240 that AWS takes"), "{said}");
}

#[test]
fn a_tenant_only_looks_at_its_units_and_says_which_lacks_what() {
    let open = below(TENANT).saw("policies/workloads", seated(json!({})));
    assert_eq!(
        open.said(&Policies)[0],
        "fails: `landfall-workloads-1` is not attached; a sweep of the organization makes it"
    );
    assert_eq!(open.said(&InPolicies(AllowedRegions)), ["fails: `landfall-workloads-1` is not attached"]);
    assert_eq!(open.said(&InPolicies(ProtectBaseline)), ["fails: `landfall-workloads-1` is not attached"]);
    assert_eq!(open.said(&InPolicies(DeniedServices)), ["holds"]);
}

#[test]
fn what_only_the_tenant_asks_it_carries_itself() {
    let whole = below(RICHER);
    assert_eq!(whole.said(&Policies), ["holds", "holds"]);
    assert_eq!(whole.said(&InPolicies(DeniedServices)), ["holds"]);
    assert_eq!(whole.addresses(&InPolicies(DeniedServices)), ["policies/555555555555"]);
    let open = whole.saw("policies/555555555555", seated(json!({})));
    let said = open.said(&Policies)[1].clone();
    assert!(said.contains("+ baseline policies/555555555555#create-1"), "{said}");
    assert!(said.contains("\"TargetId\":\"555555555555\""), "{said}");
    assert_eq!(open.said(&InPolicies(DeniedServices)), ["fails: `landfall-555555555555-1` is not attached"]);
}

#[test]
fn a_policy_of_its_own_reaches_a_tenant_only_where_somebody_works() {
    let edited = |landscape: Landscape| {
        let mut whole = held(&landscape, RICHER);
        whole["landfall-555555555555-1"]["Document"] = json!(landfall_model::id::Digest::of(b"{}"));
        let at = format!("policies/{RICHER}");
        let bare = landscape.saw(&at, seated(json!({})));
        let attach = bare.said(&Policies)[1].clone();
        let update = bare.saw(&at, seated(whole)).said(&Policies)[1].clone();
        [attach, update].map(|said| said.lines().last().unwrap().to_owned())
    };
    for works in [Landscape::adopted(RICHER), Landscape::adopted(RICHER).handed_over()] {
        for change in edited(works) {
            assert!(change.ends_with(" reaches 1") && !change.contains(" loses"), "{change}");
        }
    }
    for change in edited(Landscape::new(RICHER)) {
        assert!(!change.contains("reaches"), "{change}");
    }
}

#[test]
fn the_controls_that_policies_carry_hold_with_them_and_are_unknown_with_them() {
    assert_eq!(below(TENANT).said(&InPolicies(AllowedRegions)), ["holds"]);
    assert_eq!(below(TENANT).said(&InPolicies(ProtectBaseline)), ["holds"]);
    assert_eq!(below(TENANT).addresses(&InPolicies(AllowedRegions)), ["policies/workloads"]);
    let blind = below(TENANT).with("policies/workloads", Seen::Unreadable("denied".into()));
    assert_eq!(blind.said(&InPolicies(AllowedRegions)), ["unknown: denied"]);
}

#[test]
fn a_control_that_asks_nothing_or_is_only_looked_at_makes_no_policy() {
    let of = |text: &str| Landscape::of(text, &format!("aws/{TENANT}"));
    let detect = MANIFEST.replace("{ control: allowed-regions,", "{ control: allowed-regions, mode: detect,");
    assert_eq!(
        of(&detect).said(&InPolicies(AllowedRegions)),
        ["fails: its mode is `detect`, so no policy is made of it"]
    );
    let none =
        MANIFEST.replace("with: { aws: [eu-central-1, eu-west-1] } }", "with: { gcp: [europe-west3] } }");
    assert_eq!(of(&none).said(&InPolicies(AllowedRegions)), ["not applicable: no regions are named for aws"]);
    assert!(of(&none).addresses(&InPolicies(AllowedRegions)).is_empty());
}

#[test]
fn the_management_account_is_bound_by_none_of_them() {
    let management = below("111111111111");
    assert_eq!(
        management.said(&InPolicies(AllowedRegions)),
        ["not applicable: service control policies do not bind the management account"]
    );
    assert_eq!(management.said(&Policies).last().unwrap().split(':').next(), Some("not applicable"));
}
