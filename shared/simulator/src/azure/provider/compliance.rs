//! Policy compliance: <https://learn.microsoft.com/rest/api/policyinsights/policy-states>
//!
//! Answered from what is there now; the real states lag by minutes to a day, and here by the `lag` fault.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::answer::{Answered, Good, bad, no_method};
use super::super::policy::{InForce, in_force, subjects};
use super::super::request::Request;
use super::super::scope::Scope;
use super::super::world::{AzureWorld, Subscription};

/// A policy as states are counted: assignment, initiative, definition, reference, effect.
type Counted = (String, Option<String>, String, Option<String>, String);

pub(super) fn answer(world: &mut AzureWorld, request: &Request) -> Answered {
    if request.method != http::Method::POST {
        return Err(no_method(request));
    }
    if !request.first_name().eq_ignore_ascii_case("latest") {
        return Err(bad("InvalidPolicyStatesResource", "Only the latest states are known here."));
    }
    let inside = |one: &&Subscription| {
        if let Scope::Group(group) = &request.scope {
            let way = world.directory.way_up(&one.parent);
            return way.iter().any(|above| above.id.eq_ignore_ascii_case(group));
        }
        request.scope.subscription().is_some_and(|id| id == one.id)
    };
    let of = request.query("$filter").and_then(of_assignment);
    let mut states: Vec<(Counted, String, String, bool)> = Vec::new();
    for subscription in world.subscriptions.values().filter(inside) {
        for (scope, subject) in subjects(subscription) {
            for policy in in_force(world, &scope, request.now) {
                if of.as_ref().is_some_and(|of| !policy.assignment_id.eq_ignore_ascii_case(of)) {
                    continue;
                }
                // What only acts on writes has no states of its own.
                if matches!(policy.effect.as_str(), "deny" | "audit" | "modify") {
                    let wrong = policy.hits(&subject);
                    states.push((counted(&policy), subject.id.clone(), subject.kind.clone(), wrong));
                }
            }
        }
    }
    if request.types.ends_with("queryResults") {
        return Ok(Good::ok(rows(request, &states)));
    }
    Ok(Good::ok(summary(request, &states)))
}

/// `PolicyAssignmentId eq '…'`, beside whatever else a filter says.
fn of_assignment(filter: &str) -> Option<String> {
    const WORD: &str = "policyassignmentid eq '";
    let lower = filter.to_ascii_lowercase();
    let at = lower.find(WORD)? + WORD.len();
    lower.get(at..)?.split('\'').next().map(str::to_owned)
}

fn counted(policy: &InForce<'_>) -> Counted {
    let InForce { assignment_id, set_id, definition_id, reference, effect, .. } = policy;
    (assignment_id.clone(), set_id.clone(), definition_id.clone(), reference.clone(), effect.clone())
}

fn rows(request: &Request, states: &[(Counted, String, String, bool)]) -> Value {
    let only_wrong = request.filters("NonCompliant");
    // A state is as old as the look that it comes from.
    let lag = SignedDuration::try_from(request.lag).unwrap_or_default();
    let evaluated = request.now.checked_sub(lag).unwrap_or(request.now);
    let rows: Vec<Value> = states
        .iter()
        .filter(|(.., wrong)| *wrong || !only_wrong)
        .map(|((assignment, set, definition, reference, effect), resource, kind, wrong)| {
            json!({
                "timestamp": evaluated.to_string(), "resourceId": resource, "resourceType": kind,
                "policyAssignmentId": assignment, "policyDefinitionId": definition, "policySetDefinitionId": set,
                "policyDefinitionReferenceId": reference, "policyDefinitionAction": effect,
                "isCompliant": !wrong, "complianceState": if *wrong { "NonCompliant" } else { "Compliant" },
            })
        })
        .collect();
    // With `@odata.context` and `@odata.count` at Azure, of which the packages know nothing in a page.
    json!({"value": rows})
}

fn summary(request: &Request, states: &[(Counted, String, String, bool)]) -> Value {
    let mut by_policy: BTreeMap<&Counted, (usize, usize)> = BTreeMap::new();
    for (policy, _, _, wrong) in states {
        let counts = by_policy.entry(policy).or_default();
        if *wrong { counts.0 += 1 } else { counts.1 += 1 }
    }
    let wrong = |resources: usize, policies: usize| {
        json!({"queryResultsUri": request.path.replace("summarize", "queryResults"), "nonCompliantResources": resources,
            "nonCompliantPolicies": policies, "resourceDetails": [], "policyDetails": [], "policyGroupDetails": []})
    };
    let resources_of = |assignment: Option<&str>| {
        let mine = states.iter().filter(|(policy, .., wrong)| {
            *wrong && assignment.is_none_or(|assignment| policy.0 == assignment)
        });
        mine.map(|(_, resource, ..)| resource).collect::<std::collections::BTreeSet<_>>().len()
    };
    let mut assignments: BTreeMap<&str, (Option<&str>, Vec<Value>, usize)> = BTreeMap::new();
    for ((assignment, set, definition, reference, effect), (bad, _)) in &by_policy {
        let entry = assignments.entry(assignment).or_insert_with(|| (set.as_deref(), Vec::new(), 0));
        entry.1.push(json!({
            "policyDefinitionId": definition, "policyDefinitionReferenceId": reference, "policyDefinitionGroupNames": [],
            "effect": effect, "results": wrong(*bad, usize::from(*bad > 0)),
        }));
        entry.2 += usize::from(*bad > 0);
    }
    let policies = by_policy.values().filter(|(bad, _)| *bad > 0).count();
    let assignments: Vec<Value> = assignments
        .into_iter()
        .map(|(assignment, (set, definitions, bad))| {
            json!({
                "policyAssignmentId": assignment, "policySetDefinitionId": set.unwrap_or_default(),
                "policyDefinitions": definitions, "policyGroups": [],
                "results": wrong(resources_of(Some(assignment)), bad),
            })
        })
        .collect();
    let results = wrong(resources_of(None), policies);
    let id = request.scope.id();
    json!({
        "@odata.context": "#summary", "@odata.count": 1,
        "value": [{"@odata.id": id, "@odata.context": "#summary/$entity", "results": results, "policyAssignments": assignments}],
    })
}
