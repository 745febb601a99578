//! Microsoft's own clients drive the simulator of Azure Resource Manager through every operation, and get what they expect.
//!
//! There is no other emulator to compare it with: what its answers may hold, the packages say; which errors there are, Microsoft's pages.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};

use landfall_simulator::azure::{AzureOptions, AzureSimulator};
use landfall_tests::judges::{Verdict, python};
use serde_json::{Value, json};

/// Where an answer of the simulator is not what the packages describe: part of what is said, and why the answer is right all the same.
const BESIDE_THE_PACKAGES: [(&str, &str); 0] = [];

/// What the script gets wrong on purpose, as the judge of requests says it.
const ON_PURPOSE: [&str; 1] = ["`properties.level` has the unknown value `Never`"];

fn driven(simulator: &AzureSimulator) -> (Verdict, Vec<Value>) {
    let verdict = python("drive_arm.py", &[&simulator.url()], "");
    let lines = verdict.said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (verdict, lines)
}

fn simulator() -> AzureSimulator {
    AzureSimulator::start(AzureOptions { subscriptions: 4, ..AzureOptions::default() }).unwrap()
}

#[test]
fn microsofts_own_clients_get_what_they_expect() {
    let simulator = simulator();
    let (verdict, lines) = driven(&simulator);
    let (last, steps) = lines.split_last().unwrap_or_else(|| panic!("{}", verdict.complained));
    let surprises: Vec<String> =
        steps.iter().filter(|step| step.get("expected").is_some()).map(ToString::to_string).collect();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert!(verdict.content, "{}", verdict.complained);

    // Raw answers have nothing that the packages do not know, and all that they do.
    let mut wrong = Vec::new();
    let mut beside: BTreeSet<&str> = BESIDE_THE_PACKAGES.iter().map(|(part, _)| *part).collect();
    for step in steps {
        for problem in step.get("wrong").and_then(Value::as_array).into_iter().flatten() {
            let problem = problem.as_str().unwrap();
            match BESIDE_THE_PACKAGES.iter().find(|(part, _)| problem.contains(part)) {
                Some((part, _)) => {
                    beside.remove(part);
                }
                None => wrong.push(format!("{}: {problem}", step["step"])),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(beside.is_empty(), "no longer needed: {beside:?}");
    let judged: BTreeMap<String, u64> = serde_json::from_value(last["judged"].clone()).unwrap();
    let skipped: BTreeMap<String, u64> = serde_json::from_value(last["skipped"].clone()).unwrap();
    println!(
        "{} steps; {} answers of {} operations were judged:",
        steps.len(),
        judged.values().sum::<u64>(),
        judged.len()
    );
    for (operation, count) in &judged {
        println!("{count:6} {operation}");
    }
    for (reason, count) in &skipped {
        println!("{count} answers not judged: {reason}");
    }

    // What Microsoft's own clients send is right by the judge of requests, or the judge is wrong.
    let log: String =
        simulator.calls().iter().map(|call| serde_json::to_string(call).unwrap() + "\n").collect();
    let verdict = python("check_arm.py", &["-"], &log);
    let (known, others): (Vec<&str>, Vec<&str>) =
        verdict.said.lines().partition(|line| ON_PURPOSE.iter().any(|mistake| line.contains(mistake)));
    assert!(others.is_empty(), "{}\n{}", others.join("\n"), verdict.complained);
    assert!(ON_PURPOSE.iter().all(|mistake| known.iter().any(|line| line.contains(mistake))), "{known:?}");
}

/// What an answer is, which part of it is disturbed, and what the judge has to say; nothing where it is right.
type Case = (&'static str, Value, &'static str);

fn answer(method: &str, path: &str, version: &str, status: u16, body: Value) -> Value {
    let headers = json!({"x-ms-request-id": "1", "content-type": "application/json; charset=utf-8"});
    json!({"method": method, "path": path, "query": format!("api-version={version}"), "status": status, "headers": headers, "body": body})
}

fn subscription(status: u16, body: Value) -> Value {
    answer("GET", SUBSCRIPTION, "2022-12-01", status, body)
}

fn budget(properties: Value) -> Value {
    let path = format!("{SUBSCRIPTION}/providers/Microsoft.Consumption/budgets/b");
    answer("GET", &path, "2024-08-01", 200, json!({"id": path, "name": "b", "properties": properties}))
}

fn without(mut answer: Value, header: &str) -> Value {
    answer["headers"].as_object_mut().unwrap().remove(header);
    answer
}

const SUBSCRIPTION: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";

fn cases() -> Vec<Case> {
    let group = "/providers/Microsoft.Management/managementGroups/acme";
    let roles = format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/roleAssignments");
    let refused = json!({"error": {"code": "AuthorizationFailed", "message": "no"}});
    let spent = json!({"category": "Cost", "amount": 1, "timeGrain": "Monthly", "timePeriod": {"startDate": "2026-11-01T00:00:00Z"},
        "currentSpend": {"amount": 0.5, "unit": "EUR"}});
    let mut costly = spent.clone();
    costly["amount"] = json!("1");
    let mut unnamed = spent.clone();
    unnamed.as_object_mut().unwrap().remove("timeGrain");
    vec![
        ("a right one", subscription(200, json!({"id": SUBSCRIPTION, "state": "Enabled", "tags": {}})), ""),
        (
            "a right one of the older generator",
            answer(
                "GET",
                &roles,
                "2022-04-01",
                200,
                json!({"value": [{"id": "a", "properties": {"scope": "s", "principalId": "p", "roleDefinitionId": "r", "condition": null}}]}),
            ),
            "",
        ),
        ("a right one with what is read-only", budget(spent), ""),
        ("a right refusal", subscription(403, refused.clone()), ""),
        (
            "a member too many",
            subscription(200, json!({"id": SUBSCRIPTION, "name": "x"})),
            "unknown member `name`",
        ),
        (
            "a member too many, in a page",
            answer("GET", &roles, "2022-04-01", 200, json!({"value": [{"id": "a", "scope": "s"}]})),
            "unknown member `value[0].scope`",
        ),
        ("a wrong type", budget(costly), "`properties.amount` is `1`, expected a number"),
        ("a member too few", budget(unnamed), "required member `properties.timeGrain` is missing"),
        (
            "an unknown value",
            subscription(200, json!({"state": "Active"})),
            "`state` has the unknown value `Active`",
        ),
        (
            "a page without its list",
            answer("GET", "/subscriptions", "2022-12-01", 200, json!({"nextLink": "x"})),
            "required member `value` is missing",
        ),
        (
            "a page that is a list",
            answer("GET", "/subscriptions", "2022-12-01", 200, json!([])),
            "is a list, expected an object",
        ),
        ("no body", subscription(200, Value::Null), "no body, expected a `Subscription`"),
        (
            "a body where there is none",
            answer("DELETE", &format!("{group}/settings/default"), "2023-04-01", 200, json!({"id": group})),
            "answers none",
        ),
        (
            "a body without content",
            answer(
                "DELETE",
                &format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/locks/l"),
                "2020-05-01",
                204,
                json!({}),
            ),
            "a body with status 204",
        ),
        (
            "another status",
            answer("PUT", &format!("{group}{SUBSCRIPTION}"), "2023-04-01", 201, json!({})),
            "status 201, expected 200",
        ),
        ("nowhere to ask", answer("PUT", group, "2023-04-01", 202, json!({})), "says where to ask"),
        (
            "an error without its frame",
            subscription(403, refused["error"].clone()),
            "expected an object with `error` alone",
        ),
        (
            "an error without its message",
            subscription(403, json!({"error": {"code": "x"}})),
            "required member `error.message` is missing",
        ),
        ("no time to wait", subscription(429, refused), "without the seconds to wait"),
        (
            "no id of the request",
            without(subscription(200, json!({})), "x-ms-request-id"),
            "no `x-ms-request-id`",
        ),
        ("no JSON", without(subscription(200, json!({})), "content-type"), "expected JSON"),
    ]
}

#[test]
fn the_judge_of_answers_can_fail() {
    let cases = cases();
    let log: String = cases.iter().map(|(_, answer, _)| format!("{answer}\n")).collect();
    let verdict = python("check_arm_answers.py", &["-"], &log);
    assert!(!verdict.content && verdict.complained.is_empty(), "{}", verdict.complained);
    for (number, (what, _, said)) in cases.iter().enumerate() {
        let at = format!("line {}: ", number + 1);
        let found: Vec<&str> = verdict.said.lines().filter(|line| line.starts_with(&at)).collect();
        let right =
            if said.is_empty() { found.is_empty() } else { found.iter().any(|line| line.contains(said)) };
        assert!(right, "{what}: expected `{said}`, said {found:?}");
    }
}
