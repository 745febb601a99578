//! Every request the Google Cloud provider sends is one that Google's discovery documents describe; and the checker that says so can
//! fail.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;

use jiff::SignedDuration;
use landfall_model::trigger::Cause;
use landfall_simulator::gcp::GcpBreakage;
use landfall_tests::conformance::{self, Counted, Faults};
use landfall_tests::gcp::{GcpStage, ORGANIZATION};
use landfall_tests::judges::Verdict;
use serde_json::{Value, json};

const SCRIPT: &str = "check_gcp.py";

fn check(calls: &[Value]) -> Verdict {
    conformance::check(SCRIPT, calls)
}

/// Everything a log says of a stage's life: sweeps, a birth, drift of every kind that has a name, and its repair.
async fn lived() -> Vec<Value> {
    let stage = GcpStage::on_gcp(5).await;
    stage.sweep().await;
    stage.simulator.edit(|world| world.create_project("new-shop", ORGANIZATION));
    drop(stage.reconcile("new-shop", Cause::Created).await);
    stage.drain().await;
    stage.clock.pass(SignedDuration::from_hours(1));
    stage.sweep().await;
    let before = stage.simulator.calls().len();
    // Nothing can be written to a project that is being deleted.
    let breakages = GcpBreakage::all().filter(|(_, how)| *how != GcpBreakage::Deleted);
    for (_, how) in breakages {
        stage.simulator.edit(|world| world.damage("team-0001", how)).unwrap();
    }
    stage.sweep().await;
    assert!(stage.simulator.calls().len() > before);
    stage.simulator.calls().iter().map(|call| serde_json::to_value(call).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_one_that_google_describes() {
    let calls = lived().await;
    let verdict = check(&calls);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let counted = Counted::of(&verdict);
    counted.covers(calls.len(), &NOT_JUDGED);
    // The spine's own.
    counted.has(&[
        "GET cloudresourcemanager.googleapis.com/v3/projects:search",
        "POST cloudresourcemanager.googleapis.com/v3/folders",
        "POST cloudresourcemanager.googleapis.com/v3/projects/{projectsId}:move",
        "POST cloudresourcemanager.googleapis.com/v3/projects/{projectsId}:setIamPolicy",
        "POST orgpolicy.googleapis.com/v2/folders/{foldersId}/policies",
        "POST serviceusage.googleapis.com/v1/{v1Id}/{v1Id1}/services:batchEnable",
    ]);
}

const NOT_JUDGED: [&str; 2] = [
    "an operation of a deny policy, by the name that the answer gave",
    "Security Command Center's management, of which the client has no discovery document",
];

#[test]
fn what_is_right_is_left_alone() {
    let right: Vec<Value> = right().into_values().collect();
    let verdict = check(&right);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    assert_eq!(Counted::of(&verdict).judged.values().sum::<u64>(), u64::try_from(right.len()).unwrap());
    // Nothing at all is not right.
    assert!(!check(&[]).content);
}

#[test]
fn every_fault_is_found() {
    conformance::every_fault_is_found(SCRIPT, &right(), faults());
}

/// One right call of each sort, by the name that the faults use.
fn right() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("../../fixtures/gcp-calls.json")).unwrap()
}

fn path(call: &mut Value, from: &str, to: &str) {
    call["path"] = json!(call["path"].as_str().unwrap().replace(from, to));
}

/// What is disturbed, in which call, how, and what the checker has to say.
fn faults() -> Faults {
    vec![
        ("a wrong verb", "labels", |call| call["method"] = json!("PUT"), "method `PUT`, expected"),
        (
            "a verb for an action",
            "enable",
            |call| call["method"] = json!("GET"),
            "method `GET`, expected POST",
        ),
        (
            "a host that is none",
            "labels",
            |call| path(call, "googleapis.com", "example"),
            "is no host of Google's APIs",
        ),
        (
            "an API that is none",
            "labels",
            |call| path(call, "cloudresource", "cloudresources"),
            "has no version `v3`",
        ),
        ("a version that is none", "labels", |call| path(call, "/v3/", "/v4/"), "has no version `v4`"),
        ("an older version", "folder", |call| path(call, "/v3/", "/v1/"), "unknown path"),
        ("a misspelt collection", "project", |call| path(call, "/projects/", "/project/"), "unknown path"),
        ("a misspelt action", "move", |call| path(call, ":move", ":moved"), "unknown path"),
        (
            "an action by a slash",
            "effective",
            |call| path(call, ":getEffectivePolicy", "/getEffectivePolicy"),
            "unknown path",
        ),
        ("an attachment point that is not encoded", "deny", |call| path(call, "%2F", "/"), "unknown path"),
        ("a name too many", "billing", |call| path(call, "billingInfo", "billingInfo/more"), "unknown path"),
        (
            "the path without Compute's own folder",
            "network",
            |call| path(call, "/compute/v1", "/v1"),
            "unknown path",
        ),
        (
            "an unknown query",
            "liens",
            |call| call["query"] = json!("parents=projects%2F1"),
            "unknown query `parents`",
        ),
        (
            "a query twice",
            "liens",
            |call| call["query"] = json!("parent=a&parent=b"),
            "is there more than once",
        ),
        (
            "a number that is none",
            "search",
            |call| call["query"] = json!("pageSize=all"),
            "expected a whole number",
        ),
        (
            "a switch that is none",
            "sink",
            |call| call["query"] = json!("uniqueWriterIdentity=yes"),
            "expected true or false",
        ),
        (
            "a mask of nothing there",
            "labels",
            |call| call["query"] = json!("updateMask=label"),
            "the mask names `label`",
        ),
        (
            "a mask in snake case",
            "role",
            |call| call["query"] = json!("updateMask=included_permissions"),
            "the mask names",
        ),
        (
            "a mask of what Google writes",
            "labels",
            |call| call["query"] = json!("updateMask=createTime"),
            "written by Google alone",
        ),
        (
            "a mask in the body of nothing there",
            "iam",
            |call| call["parameters"]["updateMask"] = json!("binding"),
            "the mask names `binding`",
        ),
        ("no body", "folder", |call| call["parameters"] = Value::Null, "no body, expected a `Folder`"),
        (
            "a body where there is none",
            "network",
            |call| call["parameters"] = json!({}),
            "a body, and the operation takes none",
        ),
        (
            "a list for a body",
            "labels",
            |call| call["parameters"] = json!([]),
            "the body is a list, expected an object",
        ),
        (
            "a misspelt member",
            "folder",
            |call| call["parameters"]["displayname"] = json!("x"),
            "unknown member `displayname`",
        ),
        (
            "a member in the wrong place",
            "iam",
            |call| call["parameters"]["bindings"] = json!([]),
            "unknown member `bindings`",
        ),
        (
            "a member below a wrong one",
            "policy",
            |call| call["parameters"]["spec"]["rules"][0]["allowedValues"] = json!([]),
            "unknown member `spec.rules[0].allowedValues`",
        ),
        (
            "what Google writes: a time",
            "folder",
            |call| call["parameters"]["createTime"] = json!("2026-01-01T00:00:00Z"),
            "`createTime` is written by Google alone",
        ),
        (
            "what Google writes: a name",
            "labels",
            |call| call["parameters"]["name"] = json!("projects/1"),
            "`name` is written by Google alone",
        ),
        (
            "what Google writes: a state",
            "contact",
            |call| call["parameters"]["name"] = json!(7),
            "expected a string",
        ),
        (
            "a text for a list",
            "lien",
            |call| call["parameters"]["restrictions"] = json!("resourcemanager.projects.delete"),
            "`restrictions` is a text, expected a list",
        ),
        (
            "a number for a text",
            "lien",
            |call| call["parameters"]["reason"] = json!(1),
            "`reason` is a number, expected a string",
        ),
        (
            "a text for a number",
            "iam",
            |call| call["parameters"]["policy"]["version"] = json!("3"),
            "expected an integer",
        ),
        (
            "a text for a switch",
            "sink",
            |call| call["parameters"]["includeChildren"] = json!("true"),
            "expected a boolean",
        ),
        (
            "an object for a map of texts",
            "labels",
            |call| call["parameters"]["labels"]["team"] = json!({}),
            "`labels.team` is an object",
        ),
        (
            "money as a number",
            "budget",
            |call| call["parameters"]["amount"]["specifiedAmount"]["units"] = json!(2000),
            "expected a string",
        ),
        (
            "money that is no number",
            "budget",
            |call| call["parameters"]["amount"]["specifiedAmount"]["units"] = json!("2k"),
            "expected a whole number",
        ),
        (
            "an unknown word",
            "contact",
            |call| call["parameters"]["notificationCategorySubscriptions"] = json!(["SECURITIES"]),
            "has the unknown value `SECURITIES`",
        ),
        (
            "an unknown word for an action",
            "constraint",
            |call| call["parameters"]["actionType"] = json!("REFUSE"),
            "has the unknown value `REFUSE`",
        ),
        (
            "a moment that is none",
            "task",
            |call| call["parameters"]["task"]["scheduleTime"] = json!("tomorrow"),
            "expected a moment",
        ),
        (
            "bytes that are none",
            "task",
            |call| call["parameters"]["task"]["httpRequest"]["body"] = json!("{}"),
            "is not in base64",
        ),
        (
            "a misspelt member of a task",
            "task",
            |call| call["parameters"]["task"]["httpRequest"]["uri"] = json!("x"),
            "unknown member",
        ),
    ]
}
