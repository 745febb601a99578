//! What is said of places, from agreement on, with one disturbance each.

use landfall_model::exemption::{Category, Exemption};
use serde_json::json;

use super::*;
use crate::controls::allowed_regions::AllowedRegions;
use crate::controls::block_public_storage::BlockPublicStorage;
use crate::controls::denied_services::DeniedServices;
use crate::controls::landscape::Landscape;

const REGIONS: &str = "policies/workloads/gcp.resourceLocations";
const STORAGE: &str = "policies/workloads/storage.publicAccessPrevention";
const NO_SQL: &str = "policies/workloads/production/gcp.restrictServiceUsage";

fn europe() -> Value {
    allowed(&["in:europe-west1-locations", "in:europe-west3-locations"])
}

fn allowed(values: &[&str]) -> Value {
    json!({"rules": [{"values": {"allowedValues": values}}]})
}

fn denied(values: &[&str]) -> Value {
    json!({"inheritFromParent": true, "rules": [{"values": {"deniedValues": values}}]})
}

fn enforced() -> Value {
    json!({"rules": [{"enforce": true}]})
}

fn own(spec: Value) -> Value {
    json!({ "own": spec })
}

/// Everything as asked, and made by us.
fn agreement() -> Landscape {
    Landscape::organization()
        .saw("units//", json!({"name": "organizations/123456789012", "projects": 9}))
        .saw("units/legacy", json!({"name": "folders/300000000001", "projects": 1}))
        .saw("units/workloads", json!({"name": "folders/22", "projects": 5}))
        .saw("units/workloads/production", json!({"name": "folders/23", "projects": 2}))
        .saw(REGIONS, own(europe()))
        .saw(STORAGE, own(enforced()))
        .saw(NO_SQL, own(denied(&["sqladmin.googleapis.com"])))
        .made(REGIONS)
        .made(STORAGE)
        .made(NO_SQL)
}

/// What is said of one address.
fn at(landscape: &Landscape, address: &str) -> String {
    let judged = landscape.judged(&Policies);
    let said = landscape.said(&Policies);
    let place = judged.iter().position(|one| one.address.to_string() == address);
    said[place.unwrap_or_else(|| panic!("nothing is said of {address}: {judged:#?}"))].clone()
}

#[test]
fn what_is_set_as_asked_needs_nothing() {
    assert_eq!(agreement().addresses(&Policies), [REGIONS, STORAGE, NO_SQL]);
    assert_eq!(agreement().said(&Policies), ["holds"; 3]);
}

#[test]
fn what_is_missing_is_set_and_says_whom_it_reaches() {
    assert_eq!(
        at(&agreement().saw(NO_SQL, json!({})), NO_SQL),
        "fails: `gcp.restrictServiceUsage` is not set\n\
         + foundation policies/workloads/production/gcp.restrictServiceUsage#create \
         {\"own\":{\"inheritFromParent\":true,\"rules\":[{\"values\":{\"deniedValues\":[\"sqladmin.googleapis.com\"]}}]}} \
         with {\"constraint\":\"gcp.restrictServiceUsage\",\"place\":\"folders/23\",\
         \"spec\":{\"inheritFromParent\":true,\"rules\":[{\"values\":{\"deniedValues\":[\"sqladmin.googleapis.com\"]}}]}} \
         reaches 2"
    );
}

#[test]
fn what_somebody_changed_in_ours_is_put_back() {
    let table = [
        allowed(&["in:europe-west1-locations", "in:europe-west3-locations", "in:us-locations"]),
        allowed(&["in:europe-west1-locations"]),
        json!({"rules": [{"allowAll": true}]}),
        json!({"reset": true}),
        json!({"inheritFromParent": true, "rules": europe()["rules"]}),
        json!({"rules": [europe()["rules"][0], {"allowAll": true, "condition": {"expression": "resource.matchTag('1/a', 'b')"}}]}),
    ];
    for spec in table {
        let said = at(&agreement().saw(REGIONS, own(spec.clone())), REGIONS);
        assert!(
            said.starts_with("fails: `gcp.resourceLocations` does not say what it should\n~ foundation"),
            "{spec}: {said}"
        );
        assert!(said.ends_with("reaches 5"), "{said}");
    }
    let off = json!({"rules": [{"enforce": false}]});
    assert!(at(&agreement().saw(STORAGE, own(off)), STORAGE).contains("#update"));
}

#[test]
fn a_folder_that_is_not_there_yet_is_waited_for() {
    let said = at(&agreement().saw_nothing("units/workloads/production").saw(NO_SQL, json!({})), NO_SQL);
    assert!(said.contains("with {\"constraint\""), "{said}");
    assert!(said.ends_with("needs units/workloads/production#create"), "{said}");
    let unknown = agreement().with("units/workloads/production", Seen::Unreadable("denied".into()));
    assert_eq!(at(&unknown.saw(NO_SQL, json!({})), NO_SQL), "unknown: denied");
}

/// What somebody set before us at the folder itself.
fn found(constraint: &str, seated: Value) -> String {
    let mut landscape = agreement().saw(constraint, seated);
    landscape.desired.record.made.clear();
    at(&landscape, constraint)
}

#[test]
fn somebody_else_s_policy_that_holds_what_is_asked_stays() {
    for spec in [allowed(&["europe-west1-b"]), json!({"rules": [{"denyAll": true}]}), europe()] {
        assert_eq!(found(REGIONS, own(spec.clone())), "holds", "{spec}");
    }
    assert_eq!(found(NO_SQL, own(denied(&["run.googleapis.com", "sqladmin.googleapis.com"]))), "holds");
}

#[test]
fn somebody_else_s_policy_that_is_too_loose_is_made_stricter_and_never_looser() {
    let table = [
        (
            REGIONS,
            own(allowed(&["in:europe-west1-locations", "in:us-locations"])),
            allowed(&["in:europe-west1-locations"]),
        ),
        (REGIONS, own(json!({"rules": [{"allowAll": true}]})), europe()),
        (
            NO_SQL,
            own(denied(&["run.googleapis.com"])),
            denied(&["run.googleapis.com", "sqladmin.googleapis.com"]),
        ),
        // Where only some services are allowed, the others are denied already; Google takes no policy that does both.
        (
            NO_SQL,
            own(allowed(&["run.googleapis.com", "sqladmin.googleapis.com"])),
            allowed(&["run.googleapis.com"]),
        ),
    ];
    for (address, seated, expected) in table {
        let said = found(address, seated.clone());
        assert!(said.contains("does not hold what is asked"), "{said}");
        assert!(said.contains(&format!("#update {{\"own\":{expected}}}")), "{seated}: {said}");
    }
}

#[test]
fn somebody_else_s_policy_with_conditions_is_reported() {
    let conditional = json!({"rules": [europe()["rules"][0],
        {"allowAll": true, "condition": {"expression": "resource.matchTag('1/a', 'b')"}}]});
    let said = found(REGIONS, own(conditional));
    assert!(said.contains("conditions on tags") && !said.contains('\n'), "{said}");
}

#[test]
fn what_is_stricter_above_is_never_loosened() {
    let mut narrow = agreement().saw(REGIONS, json!({"above": [allowed(&["europe-west1-b", "us-east1"])]}));
    narrow.desired.record.made.clear();
    assert!(
        at(&narrow, REGIONS)
            .contains("{\"own\":{\"rules\":[{\"values\":{\"allowedValues\":[\"europe-west1-b\"]}}]}}")
    );

    let enough = [
        (REGIONS, allowed(&["europe-west1-b"])),
        (REGIONS, json!({"rules": [{"denyAll": true}]})),
        (STORAGE, enforced()),
        (NO_SQL, json!({"rules": [{"values": {"deniedValues": ["sqladmin.googleapis.com"]}}]})),
        (NO_SQL, allowed(&["run.googleapis.com"])),
    ];
    for (address, above) in enough {
        assert_eq!(at(&agreement().saw(address, json!({"above": [above]})), address), "holds", "{above}");
    }

    let none = at(&agreement().saw(REGIONS, json!({"above": [allowed(&["in:us-locations"])]})), REGIONS);
    assert!(none.contains("never loosened") && !none.contains('\n'), "{none}");

    // Ours would replace what somebody set above since.
    let since =
        json!({"own": europe(), "above": [allowed(&["in:europe-west3-locations", "in:us-locations"])]});
    let said = at(&agreement().saw(REGIONS, since), REGIONS);
    assert!(said.contains("~ foundation") && said.contains("[\"in:europe-west3-locations\"]"), "{said}");
}

#[test]
fn what_nothing_asks_for_any_more_goes_only_where_we_made_it() {
    let old = "policies/workloads/compute.requireOsLogin";
    let landscape = agreement().made(old).saw(old, own(enforced()));
    assert_eq!(
        at(&landscape, old),
        "fails: nothing asks for `compute.requireOsLogin` any more\n\
         - foundation policies/workloads/compute.requireOsLogin#delete {\"own\":null} with \
         {\"constraint\":\"compute.requireOsLogin\",\"place\":\"folders/22\",\"was\":{\"rules\":[{\"enforce\":true}]}} \
         loses reaches 5"
    );
    let kept = agreement().made(old).saw(old, json!({"own": enforced(), "dryRun": true}));
    assert!(at(&kept, old).contains("keeps a dry run"));
    let gone = agreement().made(old).saw(old, json!({}));
    assert!(at(&gone, old).starts_with("not applicable"));
    assert!(
        !agreement().addresses(&Policies).iter().any(|address| address == old),
        "others' are not looked at"
    );
}

#[test]
fn where_another_tool_owns_the_policies_they_are_reported() {
    let mut landscape = agreement();
    let mut settings: Settings = landscape.desired.asked(KIND).unwrap().want().unwrap();
    for point in &mut settings.points {
        point.owner = Some("terraform".to_owned());
    }
    landscape.ask(KIND, json!(settings));
    let said = at(&landscape.saw(STORAGE, json!({})), STORAGE);
    assert!(said.ends_with("owned by terraform: reported, not touched"), "{said}");
}

const PROJECT: &str = "acme-checkout-dev";
const OWN: &str = "policies/acme-checkout-dev/gcp.restrictServiceUsage";

#[test]
fn a_project_that_asks_for_more_than_its_unit_has_a_policy_of_its_own() {
    let project = || Landscape::adopted(PROJECT);
    assert_eq!(project().addresses(&Policies), [OWN]);
    let held = project().saw(OWN, own(denied(&["dataproc.googleapis.com"]))).made(OWN);
    assert_eq!(held.said(&Policies), ["holds"]);
    let said = at(&project().saw(OWN, json!({})), OWN);
    assert!(
        said.contains("+ baseline") && said.contains("\"place\":\"projects/acme-checkout-dev\""),
        "{said}"
    );
    assert!(said.ends_with("reaches 1"), "{said}");
}

#[test]
fn a_project_that_asks_for_nothing_more_is_not_looked_at() {
    let landscape = Landscape::adopted("acme-landfall");
    assert_eq!(landscape.addresses(&Policies), Vec::<String>::new());
    assert_eq!(landscape.said(&Policies), [format!("not applicable: {NOTHING}")]);
}

fn exempt(landscape: &mut Landscape, control: ControlKind, expires: &str) {
    landscape.desired.exemptions.push(Exemption {
        control,
        tenant: landscape.desired.target.tenant().unwrap().clone(),
        category: Category::Waiver,
        reason: "Pictures of the shop are public.".to_owned(),
        requested_by: "Ada".to_owned(),
        approved_by: "Grace".to_owned(),
        expires: expires.parse().unwrap(),
    });
}

const PICTURES: &str = "policies/acme-checkout-dev/storage.publicAccessPrevention";

#[test]
fn an_exemption_is_a_policy_of_the_project_s_own_as_long_as_it_holds() {
    // Everything was looked at in 1970.
    let project = |expires: &str| {
        let mut landscape =
            Landscape::adopted(PROJECT).saw(OWN, own(denied(&["dataproc.googleapis.com"]))).made(OWN);
        exempt(&mut landscape, ControlKind::BlockPublicStorage, expires);
        landscape
    };
    let lifted = || json!({"own": {"reset": true}, "effective": {"rules": [{"enforce": false}]}});
    let on = || json!({"effective": enforced()});
    let said = at(&project("1970-01-01").saw(PICTURES, on()), PICTURES);
    assert!(said.contains("+ baseline") && said.contains("{\"own\":{\"reset\":true}}"), "{said}");
    assert_eq!(at(&project("1970-01-01").saw(PICTURES, lifted()).made(PICTURES), PICTURES), "holds");
    let carried = project("1970-01-01").saw(PICTURES, lifted()).said(&InPolicies(BlockPublicStorage));
    assert_eq!(
        carried,
        [
            "fails: `storage.publicAccessPrevention`: it is not enforced; the tenant is exempt until 1970-01-01"
        ]
    );
    // What others hold above is not lifted by an exemption from ours.
    let mut above = on();
    above["above"] = json!([enforced()]);
    let said = at(&project("1970-01-01").saw(PICTURES, above), PICTURES);
    assert!(said.contains("{\"own\":{\"rules\":[{\"enforce\":true}]}}"), "{said}");

    let over = at(&project("1969-12-31").saw(PICTURES, lifted()).made(PICTURES), PICTURES);
    assert!(over.contains("- baseline") && !over.contains("loses"), "{over}");
    assert!(at(&project("1969-12-31").saw(PICTURES, on()), PICTURES).starts_with("not applicable"));
    let theirs = at(&project("1970-01-01").saw(PICTURES, own(enforced())), PICTURES);
    assert!(theirs.contains("somebody else's policy") && !theirs.contains('\n'), "{theirs}");
}

#[test]
fn an_exemption_from_one_of_two_controls_leaves_the_other() {
    let mut landscape = Landscape::adopted("acme-checkout-prod");
    landscape.ask(
        ControlKind::OrganizationPolicies,
        json!({"deny": {"gcp.restrictServiceUsage": ["run.googleapis.com"]}}),
    );
    let mut settings: Settings = landscape.desired.asked(KIND).unwrap().want().unwrap();
    let unit = settings
        .points
        .iter_mut()
        .find(|point| point.asks.contains_key(&ControlKind::DeniedServices))
        .unwrap();
    unit.asks.insert(
        ControlKind::OrganizationPolicies,
        json!({"deny": {"gcp.restrictServiceUsage": ["run.googleapis.com"]}}),
    );
    landscape.ask(KIND, json!(settings));
    exempt(&mut landscape, ControlKind::DeniedServices, "1970-01-01");
    let address = "policies/acme-checkout-prod/gcp.restrictServiceUsage";
    let said = at(&landscape.saw(address, json!({})), address);
    // What it says must not add to what it is exempt from.
    assert!(said.contains("run.googleapis.com") && !said.contains("sqladmin"), "{said}");
    assert!(!said.contains("inheritFromParent"), "{said}");
}

#[test]
fn what_is_in_force_on_the_project_is_what_counts() {
    let regions = |effective: Value| {
        Landscape::adopted(PROJECT)
            .saw("policies/acme-checkout-dev/gcp.resourceLocations", json!({ "effective": effective }))
            .said(&InPolicies(AllowedRegions))
            .join("\n")
    };
    assert_eq!(regions(europe()), "holds");
    assert_eq!(regions(allowed(&["europe-west3-a"])), "holds");
    assert_eq!(
        regions(json!({"rules": [{"allowAll": true}]})),
        "fails: `gcp.resourceLocations`: everything is allowed; `policies` sets what carries it"
    );
    assert_eq!(
        regions(allowed(&["in:europe-west1-locations", "us-east1"])),
        "fails: `gcp.resourceLocations`: `us-east1` is allowed as well; `policies` sets what carries it"
    );
    let denied_by = |effective: Value| {
        Landscape::adopted(PROJECT)
            .saw(OWN, json!({ "effective": effective }))
            .said(&InPolicies(DeniedServices))
            .join("\n")
    };
    assert_eq!(
        denied_by(json!({"rules": [{"values": {"deniedValues": ["dataproc.googleapis.com"]}}]})),
        "holds"
    );
    assert_eq!(
        denied_by(json!({})),
        "fails: `gcp.restrictServiceUsage`: everything is allowed; `policies` sets what carries it"
    );
}

#[test]
fn the_gate_leaves_alone_what_a_project_says_by_itself() {
    let constraints = |landscape: &Landscape| of_its_own(&landscape.desired).into_iter().collect::<Vec<_>>();
    assert_eq!(constraints(&Landscape::new(PROJECT)), ["gcp.restrictServiceUsage"]);
    assert_eq!(constraints(&Landscape::new("acme-landfall")), Vec::<String>::new());
}
