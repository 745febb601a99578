use landfall_model::manifest::Mode;
use serde_json::{Value, json};

use super::super::compile::{self, STORAGE_ACCOUNT_CONTRIBUTOR};
use super::super::{definitions_at, ours, points, resource};
use super::*;
use crate::controls::block_public_storage::BlockPublicStorage;
use crate::controls::landscape::{Landscape, closing, subscription};

const NAME: &str = "lf-close-public-storage";
const ASSIGNMENT: &str = "/providers/Microsoft.Management/managementGroups/acme.workloads/providers/\
                          Microsoft.Authorization/policyAssignments/lf-close-public-storage";
const ACCOUNT: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002/resourcegroups/website/providers/\
                       microsoft.storage/storageaccounts/website";
const IDENTITY: &str = "1de00000-0000-4000-8000-000000000001";

/// A subscription whose unit carries everything, and that nobody is exempt in; the role is of the 21st.
fn below(landscape: Landscape, existing: &Value) -> Landscape {
    let mut below = closing(landscape, true);
    let desired = below.desired.clone();
    for point in points(&desired) {
        let all = compile::assignments(&point, ground(&desired).unwrap()).unwrap();
        let mut assigned = json!({});
        for one in all {
            assigned[&*one.name] = json!(one.held());
            if one.acts.is_some() {
                assigned[&*one.name]["identity"] = json!({"principal": IDENTITY});
            }
        }
        let role = json!({"role": STORAGE_ACCOUNT_CONTRIBUTOR, "principal": IDENTITY, "ours": true, "since": "2026-11-21T12:00:00Z"});
        let seated = json!({"assigned": assigned, "others": 0, "roles": {"r": role}});
        below = below.saw(&format!("policies/{}", resource(&point.at)), seated);
    }
    let all: std::collections::BTreeMap<&str, _> =
        ours::ours().iter().map(|one| (one.name, one.digest())).collect();
    below
        .saw(&definitions_at().to_string(), json!({"definitions": all, "others": 0}))
        .saw(
            &format!("policies/{}/exemptions", subscription(2)),
            json!({"ours": {}, "others": {}, "inAll": 0}),
        )
        .saw("block-public-storage/existing", existing.clone())
}

fn said(landscape: &Landscape) -> String {
    landscape.said(&BlockPublicStorage).pop().unwrap()
}

fn task(state: &str) -> Value {
    json!({"assignment": ASSIGNMENT.to_lowercase(), "state": state, "updated": "2026-11-21T13:00:00Z", "total": 3, "failed": 0})
}

#[test]
fn it_is_looked_at_only_where_it_is_asked_and_a_policy_acts() {
    let asked = closing(Landscape::adopted(2), true);
    let all = asked.addresses(&BlockPublicStorage);
    assert_eq!(all.last().unwrap(), "block-public-storage/existing");
    let silent = Landscape::adopted(2);
    assert!(!silent.addresses(&BlockPublicStorage).contains(&"block-public-storage/existing".to_owned()));
    let mut seen_only = closing(Landscape::adopted(2), true);
    for asked in &mut seen_only.desired.asked {
        asked.mode = Mode::Detect;
    }
    assert!(!seen_only.addresses(&BlockPublicStorage).contains(&"block-public-storage/existing".to_owned()));
}

#[test]
fn a_task_is_started_where_something_does_not_comply_and_none_is_at_work_or_failed() {
    let found = format!("Azure finds that `{ACCOUNT}` does not comply");
    let start = format!(
        "fails: {found}\n~ baseline block-public-storage/existing#start {{\"task\":{{\"assignment\":\"{}\"}}}} \
         with {{\"policyAssignmentId\":\"{ASSIGNMENT}\",\"resourceDiscoveryMode\":\"ExistingNonCompliant\"}}",
        ASSIGNMENT.to_lowercase()
    );
    let failed = |message: Value| {
        let mut task = task("Failed");
        task["failed"] = json!(2);
        task["message"] = message;
        task
    };
    let stays = "it is not started again by itself: delete it when the cause is gone, and the next run starts another";
    let many: Vec<String> = (0..120).map(|n| format!("/{n:03}")).collect();
    let table: Vec<(&str, Value, String)> = vec![
        ("agreement", json!({"wrong": []}), "holds".to_owned()),
        ("repaired", json!({"wrong": [], "task": task("Succeeded")}), "holds".to_owned()),
        ("a failure of long ago", json!({"wrong": [], "task": task("Failed")}), "holds".to_owned()),
        ("public", json!({"wrong": [ACCOUNT]}), start.clone()),
        ("public again", json!({"wrong": [ACCOUNT], "task": task("Complete")}), start),
        (
            "at work",
            json!({"wrong": [ACCOUNT], "task": task("Evaluating")}),
            "fails: a remediation task is at work (Evaluating), on 3 resources, of which 0 failed".to_owned(),
        ),
        (
            "just begun",
            json!({"wrong": [ACCOUNT], "task": {"assignment": ASSIGNMENT, "state": "Accepted"}}),
            "fails: a remediation task is at work (Accepted), and does not say yet on how many resources".to_owned(),
        ),
        (
            "not compared since",
            json!({"wrong": [], "beforeTheTask": [ACCOUNT], "task": task("Succeeded")}),
            "fails: the remediation task succeeded, and Azure has not compared 1 of its resources since".to_owned(),
        ),
        (
            "failed",
            json!({"wrong": [ACCOUNT], "task": failed(json!("The client may not."))}),
            format!("fails: {found}; the remediation task failed on 2 of 3 resources: The client may not.; {stays}"),
        ),
        (
            "failed without a word",
            json!({"wrong": [ACCOUNT], "task": failed(Value::Null)}),
            format!("fails: {found}; the remediation task failed on 2 of 3 resources; {stays}"),
        ),
        (
            "canceled",
            json!({"wrong": [ACCOUNT], "task": task("Canceled")}),
            format!("fails: {found}; somebody canceled the remediation task; delete it, and the next run starts another"),
        ),
        (
            "many",
            json!({"wrong": many, "task": task("Canceled")}),
            "fails: Azure finds that 120 or more resources do not comply: `/000`, `/001`, `/002`, `/003`, `/004`, …; \
             somebody canceled the remediation task; delete it, and the next run starts another"
                .to_owned(),
        ),
        (
            "not registered",
            json!({"unregistered": true}),
            "fails: the subscription is not registered for `Microsoft.PolicyInsights`, so Azure compares nothing in it\n\
             ~ foundation block-public-storage/existing#register {\"unregistered\":null}"
                .to_owned(),
        ),
    ];
    for (situation, existing, expected) in table {
        assert_eq!(said(&below(Landscape::adopted(2), &existing)), expected, "{situation}");
    }
}

/// What went wrong because nobody held the role is tried again when somebody does.
#[test]
fn a_failed_task_is_started_again_where_the_role_is_newer_than_it() {
    let mut before = task("Failed");
    before["updated"] = json!("2026-11-21T11:59:00Z");
    let said = said(&below(Landscape::adopted(2), &json!({"wrong": [ACCOUNT], "task": before})));
    assert!(said.contains("block-public-storage/existing#start"), "{said}");
}

#[test]
fn no_task_is_started_by_who_could_do_nothing() {
    let place = "policies/workloads";
    let disturbances: [fn(&mut Value); 3] = [
        |seated| seated["roles"] = json!({}),
        |seated| drop(seated["assigned"][NAME].as_object_mut().unwrap().remove("identity")),
        |seated| drop(seated["assigned"].as_object_mut().unwrap().remove(NAME)),
    ];
    for disturb in disturbances {
        let landscape = below(Landscape::adopted(2), &json!({"wrong": [ACCOUNT]}));
        let Seen::Present(mut seated) = landscape.observed.seen(&place.parse().unwrap()) else { panic!() };
        disturb(&mut seated);
        let landscape = landscape.saw(place, seated);
        let expected = format!(
            "fails: Azure finds that `{ACCOUNT}` does not comply; a remediation task is started once `{place}` is as it should be"
        );
        assert_eq!(said(&landscape), expected);
        // The control does not hold either way, and says where.
        assert!(landscape.said(&BlockPublicStorage)[0].starts_with("fails: "));
    }
}

#[test]
fn only_states_that_are_newer_than_a_task_that_succeeded_say_something_of_now() {
    let state = |id: &str, at: &str, about: &str, what: &str| State {
        timestamp: Some(at.parse().unwrap()),
        resource_id: id.to_owned(),
        policy_assignment_id: about.to_owned(),
        compliance_state: what.to_owned(),
    };
    let states = || {
        vec![
            state("/New", "2026-11-21T13:00:01Z", ASSIGNMENT, "NonCompliant"),
            state("/old", "2026-11-21T13:00:00Z", ASSIGNMENT, "NonCompliant"),
            state("/other", "2026-11-21T14:00:00Z", "/x", "NonCompliant"),
            state("/fine", "2026-11-21T14:00:00Z", ASSIGNMENT, "Compliant"),
        ]
    };
    let sorted = |state: Option<&str>| {
        let task = state.map(|state| serde_json::from_value(task(state)).unwrap());
        let mut there = There { task, ..There::default() };
        there.sort(states(), &ASSIGNMENT.to_lowercase());
        (Vec::from_iter(there.wrong), Vec::from_iter(there.before_the_task))
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(sorted(Some("Succeeded")), (texts(&["/new"]), texts(&["/old"])));
    assert_eq!(sorted(Some("Failed")), (texts(&["/new", "/old"]), texts(&[])));
    assert_eq!(sorted(None), (texts(&["/new", "/old"]), texts(&[])));
}
