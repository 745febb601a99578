//! Every request the Azure provider sends is one that Microsoft's own client packages describe; and the checker that says so can fail.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;

use jiff::SignedDuration;
use landfall_model::trigger::Cause;
use landfall_simulator::azure::AzureBreakage;
use landfall_tests::azure::{ACME, AzureStage, closing};
use landfall_tests::conformance::{self, Counted, Faults, break_at_the_door};
use landfall_tests::judges::Verdict;
use serde_json::{Value, json};

const SCRIPT: &str = "check_arm.py";

fn check(calls: &[Value]) -> Verdict {
    conformance::check(SCRIPT, calls)
}

/// Everything a log says of a stage's life: a sweep, a birth, drift of every kind that has a name, and its repair.
async fn lived() -> Vec<Value> {
    let mut stage = AzureStage::on_azure(5).await;
    stage.sweep().await;
    let born = stage.simulator.edit(|world| world.add_subscription("new-shop"));
    drop(stage.reconcile(&born, Cause::Created).await);
    stage.drain().await;
    // Resource providers take their time, and the gate opens after them.
    stage.clock.pass(SignedDuration::from_hours(1));
    stage.sweep().await;
    let before = stage.simulator.calls().len();
    // Nothing can be written to a subscription that is disabled or warned.
    for (name, _) in AzureBreakage::all().filter(|(name, _)| !matches!(*name, "disabled" | "warned")) {
        break_at_the_door(stage.simulator.address(), &json!({"subscription": born, "what": name}));
    }
    stage.sweep().await;
    assert!(stage.simulator.calls().len() > before);
    // What is there already is closed, by an identity with a role of its own; then nobody asks for it any more.
    for manifest in [closing(), ACME.to_owned()] {
        stage.follow_on_azure(&manifest).await;
        for _ in 0..3 {
            stage.sweep().await;
            stage.clock.pass(SignedDuration::from_hours(1));
        }
    }
    stage.simulator.calls().iter().map(|call| serde_json::to_value(call).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_one_that_microsoft_describes() {
    let calls = lived().await;
    let verdict = check(&calls);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let counted = Counted::of(&verdict);
    counted.covers(calls.len(), &[POLLS, LOCKBOX]);
    let mut refused = BTreeMap::<String, usize>::new();
    for call in calls.iter().filter(|call| call["error"].is_string()) {
        *refused.entry(format!("{} {} {}", call["error"], call["method"], call["operation"])).or_default() +=
            1;
    }
    println!("refused: {refused:#?}");
    // The spine's own.
    counted.has(&[
        "GET /providers/Microsoft.Management/managementGroups/{groupId}/descendants 2023-04-01",
        "PUT /providers/Microsoft.Management/managementGroups/{groupId} 2023-04-01",
        "PUT /providers/Microsoft.Management/managementGroups/{groupId}/subscriptions/{subscriptionId} 2023-04-01",
        "PATCH /{scope}/providers/Microsoft.Resources/tags/default 2025-04-01",
        "PUT /{scope}/providers/Microsoft.Authorization/policyAssignments/{policyAssignmentName} 2026-06-01",
        "DELETE /{scope}/providers/Microsoft.Authorization/policyAssignments/{policyAssignmentName} 2026-06-01",
        "PUT /{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName} 2022-04-01",
        "PUT /subscriptions/{subscriptionId}/providers/Microsoft.PolicyInsights/remediations/{remediationName} 2024-10-01",
        "GET /subscriptions/{subscriptionId}/providers/Microsoft.PolicyInsights/remediations/{remediationName} 2024-10-01",
        "POST /subscriptions/{subscriptionId}/providers/Microsoft.PolicyInsights/policyStates/{policyStatesResource}/queryResults 2024-10-01",
    ]);
}

const POLLS: &str = "an address that an answer gave: the packages follow it as it is";
const LOCKBOX: &str = "Customer Lockbox, of which Microsoft publishes a description and no package";

#[test]
fn what_is_right_is_left_alone() {
    let right: Vec<Value> = right().into_values().collect();
    let verdict = check(&right);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    let counted = Counted::of(&verdict);
    assert_eq!(counted.judged.values().sum::<u64>(), u64::try_from(right.len()).unwrap());
    // Names are told by the whole path and not by its case.
    let upper: Vec<Value> = right
        .into_iter()
        .map(|mut call| {
            let path = call["path"].as_str().unwrap().to_owned();
            call["path"] =
                json!(path.replace("/subscriptions/", "/SUBSCRIPTIONS/").replace("Microsoft.", "microsoft."));
            call
        })
        .collect();
    let verdict = check(&upper);
    assert!(verdict.content, "{}{}", verdict.said, verdict.complained);
    // An address that an answer gave is counted, with the reason, and not judged.
    let poll = json!({"method": "GET", "path": "/providers/Microsoft.Management/operationResults/create/managementGroups/a",
        "query": "api-version=2023-04-01", "parameters": null});
    let verdict = check(&[poll]);
    assert!(verdict.content && Counted::of(&verdict).skipped.contains_key(POLLS), "{}", verdict.said);
    // Nothing at all is not right.
    assert!(!check(&[]).content);
}

#[test]
fn every_fault_is_found() {
    conformance::every_fault_is_found(SCRIPT, &right(), faults());
}

const SUBSCRIPTION: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";
const GROUP: &str = "/providers/Microsoft.Management/managementGroups/acme";

fn on(scope: &str, rest: &str) -> String {
    format!("{scope}/providers/Microsoft.{rest}")
}

/// One right call of each sort, by the name that the faults use.
fn right() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("../../fixtures/arm-calls.json")).unwrap()
}

/// What is disturbed, in which call, how, and what the checker has to say.
fn faults() -> Faults {
    vec![
        (
            "a wrong verb",
            "tags",
            |call| call["method"] = json!("POST"),
            "method `POST`, expected DELETE or GET or PATCH or PUT",
        ),
        (
            "a verb of another operation's path",
            "states",
            |call| call["method"] = json!("GET"),
            "method `GET`, expected POST",
        ),
        (
            "a wrong api-version",
            "tags",
            |call| call["query"] = json!("api-version=2021-04-02"),
            "unknown api-version `2021-04-02`, expected 2025-04-01",
        ),
        (
            "a sibling's api-version",
            "exemption",
            |call| call["query"] = json!("api-version=2026-06-01"),
            "unknown api-version `2026-06-01`, expected 2022-07-01-preview",
        ),
        (
            "a subscription's api-version for a group",
            "group export",
            |call| call["query"] = json!("api-version=2017-05-01-preview"),
            "unknown api-version",
        ),
        ("no api-version", "lock", |call| call["query"] = json!(""), "the query has no `api-version`"),
        (
            "a misspelt segment",
            "lock",
            |call| call["path"] = json!(on(SUBSCRIPTION, "Authorization/lock/landfall")),
            "unknown path",
        ),
        (
            "a name too few",
            "assignment",
            |call| call["path"] = json!(on(SUBSCRIPTION, "Authorization/policyAssignments")),
            "method `PUT`, expected GET",
        ),
        (
            "a name too many",
            "group",
            |call| call["path"] = json!(format!("{GROUP}/twice/thrice")),
            "unknown path",
        ),
        (
            "a namespace that is none",
            "budget",
            |call| call["path"] = json!(on(SUBSCRIPTION, "Consumptions/budgets/landfall")),
            "unknown path",
        ),
        (
            "a scope that is none",
            "contact",
            |call| call["path"] = json!(on(GROUP, "Security/securityContacts/default")),
            "unknown path",
        ),
        (
            "a setting of another name",
            "hierarchy",
            |call| call["path"] = json!(format!("{GROUP}/settings/landfall")),
            "unknown path",
        ),
        (
            "an unknown query",
            "assignments",
            |call| call["query"] = json!("api-version=2026-06-01&$filters=atScope()"),
            "unknown query `$filters`",
        ),
        (
            "a query without its dollar",
            "descendants",
            |call| call["query"] = json!("api-version=2023-04-01&top=5"),
            "unknown query `top`",
        ),
        (
            "a number that is none",
            "descendants",
            |call| call["query"] = json!("api-version=2023-04-01&%24top=all"),
            "query `$top` is `all`, expected a whole number",
        ),
        (
            "a query twice",
            "assignments",
            |call| call["query"] = json!("api-version=2026-06-01&$top=1&$top=2"),
            "query `$top` is there more than once",
        ),
        (
            "a name too long for its place",
            "lock",
            |call| {
                let group = "g".repeat(91);
                call["path"] = json!(on(
                    &format!("{SUBSCRIPTION}/resourceGroups/{group}"),
                    "Authorization/locks/landfall"
                ));
            },
            "`resourceGroupName` in the path is 91 long, expected at most 90",
        ),
        (
            "no body",
            "group",
            |call| call["parameters"] = Value::Null,
            "no body, expected a `CreateManagementGroupRequest`",
        ),
        (
            "a body where there is none",
            "move",
            |call| call["parameters"] = json!({"properties": {}}),
            "a body, and the operation takes none",
        ),
        (
            "a list for a body",
            "tags",
            |call| call["parameters"] = json!([]),
            "the body is a list, expected an object",
        ),
        (
            "a misspelt member",
            "group",
            |call| call["parameters"] = json!({"properties": {"displayname": "x"}}),
            "unknown member `properties.displayname`",
        ),
        (
            "a member in the wrong place",
            "group",
            |call| call["parameters"]["properties"]["parent"] = json!({"id": GROUP}),
            "unknown member `properties.parent`",
        ),
        (
            "members that belong below properties",
            "hierarchy",
            |call| call["parameters"] = call["parameters"]["properties"].clone(),
            "unknown member `defaultManagementGroup`",
        ),
        (
            "members above properties",
            "rename",
            |call| call["parameters"] = json!({"displayName": "x"}),
            "unknown member `displayName`",
        ),
        (
            "properties where there are none",
            "leaving",
            |call| call["parameters"] = json!({"properties": {"blockSubscriptionsLeavingTenant": true}}),
            "unknown member `properties`",
        ),
        ("what is read-only", "group", |call| call["parameters"]["id"] = json!(GROUP), "`id` is read-only"),
        (
            "what is read-only, of the older generator",
            "role",
            |call| call["parameters"]["properties"]["scope"] = json!(SUBSCRIPTION),
            "`properties.scope` is read-only",
        ),
        (
            "what is read-only, deep down",
            "budget",
            |call| call["parameters"]["properties"]["currentSpend"] = json!({"amount": 1}),
            "`properties.currentSpend` is read-only",
        ),
        (
            "what is read-only, in a list",
            "plan",
            |call| {
                call["parameters"]["properties"]["extensions"][0]["operationStatus"] =
                    json!({"code": "Succeeded"})
            },
            "`properties.extensions[0].operationStatus` is read-only",
        ),
        ("a null", "tags", |call| call["parameters"]["properties"] = Value::Null, "`properties` is null"),
        (
            "a boolean as text",
            "export",
            |call| call["parameters"]["properties"]["logs"][0]["enabled"] = json!("true"),
            "`properties.logs[0].enabled` is text, expected a boolean",
        ),
        (
            "text as a boolean",
            "plan",
            |call| call["parameters"]["properties"]["extensions"][0]["isEnabled"] = json!(true),
            "`properties.extensions[0].isEnabled` has the unknown value `True`",
        ),
        (
            "a number as text",
            "budget",
            |call| call["parameters"]["properties"]["amount"] = json!("2000"),
            "`properties.amount` is `2000`, expected a number",
        ),
        (
            "a list as text",
            "budget",
            |call| {
                call["parameters"]["properties"]["notifications"]["lf-80"]["contactEmails"] =
                    json!("ops@acme.example")
            },
            "`properties.notifications.lf-80.contactEmails` is text, expected a list",
        ),
        (
            "text as a list",
            "contact",
            |call| call["parameters"]["properties"]["emails"] = json!(["a", "b"]),
            "`properties.emails` is a list, expected text",
        ),
        (
            "a date where a time belongs",
            "exemption",
            |call| call["parameters"]["properties"]["expiresOn"] = json!("2027-06-30"),
            "`properties.expiresOn` is `2027-06-30`, expected a time",
        ),
        (
            "an unknown value",
            "tags",
            |call| call["parameters"]["operation"] = json!("Add"),
            "`operation` has the unknown value `Add`, expected one of Replace, Merge, Delete",
        ),
        (
            "an unknown value, of the older generator",
            "role",
            |call| call["parameters"]["properties"]["principalType"] = json!("Application"),
            "`properties.principalType` has the unknown value `Application`",
        ),
        (
            "a value in another case",
            "lock",
            |call| call["parameters"]["properties"]["level"] = json!("cannotdelete"),
            "`properties.level` has the unknown value `cannotdelete`",
        ),
        (
            "a list that is an object",
            "definition",
            |call| call["parameters"]["properties"]["parameters"] = json!([]),
            "`properties.parameters` is a list, expected an object",
        ),
        (
            "what an assignment's parameter is called",
            "assignment",
            |call| call["parameters"]["properties"]["parameters"]["spared"] = json!({"values": []}),
            "unknown member `properties.parameters.spared.values`",
        ),
        (
            "a source of another sort",
            "contact",
            |call| {
                call["parameters"]["properties"]["notificationsSources"][1]["minimalSeverity"] = json!("High")
            },
            "unknown member `properties.notificationsSources[1].minimalSeverity`",
        ),
        (
            "what must be there",
            "lock",
            |call| call["parameters"] = json!({"properties": {"notes": "n"}}),
            "required member `properties.level` is missing",
        ),
        (
            "what must be there, in a resource",
            "resource group",
            |call| call["parameters"] = json!({"tags": {}}),
            "required member `location` is missing",
        ),
        (
            "what must be there, of the older generator",
            "role",
            |call| call["parameters"] = json!({"properties": {"roleDefinitionId": "r"}}),
            "required member `properties.principalId` is missing",
        ),
        (
            "what must be there, in a list",
            "action group",
            |call| call["parameters"]["properties"]["emailReceivers"][0] = json!({"name": "team"}),
            "required member `properties.emailReceivers[0].emailAddress` is missing",
        ),
        (
            "a name too long",
            "action group",
            |call| call["parameters"]["properties"]["groupShortName"] = json!("landfall-of-acme"),
            "`properties.groupShortName` is 16 long, expected at most 12",
        ),
        (
            "a condition without its half",
            "alert",
            |call| call["parameters"]["properties"]["condition"] = json!({"anyOf": []}),
            "required member `properties.condition.allOf` is missing",
        ),
    ]
}
