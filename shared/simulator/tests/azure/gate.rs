//! Deny policies are evaluated: a closed gate holds, spares what it should, and opens.

#![expect(clippy::unwrap_used, reason = "a helper of tests: what fails here fails the test")]

use landfall_simulator::azure::{AzureSimulator, CREATOR, OWNER, READER, WRITE_IDENTITY};
use serde_json::{Value, json};

use crate::client::{
    Client, DIRECTORY, FIRST, SECOND, assigning, denying, group, policy, simulator, subscription,
};

/// Denies everything but locks, diagnostic settings and role assignments to one principal.
fn gate() -> Value {
    json!({"properties": {
        "displayName": "closed", "mode": "All",
        "parameters": {
            "principals": {"type": "Array"},
            "effect": {"type": "String", "allowedValues": ["deny", "audit", "disabled"], "defaultValue": "deny"},
        },
        "policyRule": {
            "if": {"allOf": [
                {"field": "type", "notIn": ["Microsoft.Authorization/locks", "Microsoft.Resources/subscriptions/providers/diagnosticSettings",
                    "Microsoft.Authorization/policyAssignments", "Microsoft.Authorization/policyExemptions"]},
                {"not": {"allOf": [
                    {"field": "type", "equals": "Microsoft.Authorization/roleAssignments"},
                    {"field": "Microsoft.Authorization/roleAssignments/principalId", "in": "[parameters('principals')]"},
                ]}},
            ]},
            "then": {"effect": "[parameters('effect')]"},
        },
    }})
}

fn closed(simulator: &AzureSimulator) -> Client {
    simulator.edit(|world| {
        world.subscription_mut(FIRST).unwrap().register("Microsoft.Storage");
        world.subscription_mut(FIRST).unwrap().add_resource_group("old", "westeurope");
    });
    let client = Client::new(simulator);
    let definition = policy(&group(DIRECTORY), "policyDefinitions", "closed");
    assert_eq!(client.put(&definition, &gate()).status, 201);
    let body = json!({"properties": {"policyDefinitionId": definition, "parameters": {"principals": {"value": [WRITE_IDENTITY]}}}});
    assert_eq!(client.put(&policy(&subscription(FIRST), "policyAssignments", "closed"), &body).status, 201);
    client
}

fn given(principal: &str, role: &str) -> Value {
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    json!({"properties": {"roleDefinitionId": role, "principalId": principal}})
}

/// What a closed gate makes of the things a tenant may want, in the order of the table below.
fn attempts(client: &Client, id: &str) -> Vec<String> {
    let scope = subscription(id);
    let role = |n: u32| {
        format!("{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-{n:012}")
    };
    let place = json!({"location": "westeurope", "properties": {}});
    let tags = json!({"operation": "Merge", "properties": {"tags": {"a": "b"}}});
    [
        client.put(&format!("{scope}/resourceGroups/new"), &place),
        client.put(
            &format!("{scope}/resourceGroups/old/providers/Microsoft.Storage/storageAccounts/s"),
            &place,
        ),
        client.put(&role(1), &given(CREATOR, READER)),
        client.put(&role(2), &given(WRITE_IDENTITY, READER)),
        client.put(
            &format!("{scope}/providers/Microsoft.Authorization/locks/l"),
            &json!({"properties": {"level": "CanNotDelete"}}),
        ),
        client.call("PATCH", &format!("{scope}/providers/Microsoft.Resources/tags/default"), &tags),
        client.delete(&role(2)),
        client.get(&format!("{scope}/resourceGroups")),
    ]
    .iter()
    .map(crate::client::Answer::told)
    .collect()
}

const DENIED: &str = "403 RequestDisallowedByPolicy";

#[test]
fn a_closed_gate_holds_and_spares_and_opens() {
    let simulator = simulator(2);
    let client = closed(&simulator);
    assert_eq!(
        attempts(&client, FIRST),
        [DENIED, DENIED, DENIED, "201", "201", DENIED, "409 ScopeLocked", "200"]
    );
    simulator.edit(|world| world.subscription_mut(FIRST).unwrap().governance.locks.clear());
    assert_eq!(client.delete(&policy(&subscription(FIRST), "policyAssignments", "closed")).status, 200);
    let open = attempts(&client, FIRST);
    assert_eq!(open, ["201", "201", "201", "200", "201", "200", "409 ScopeLocked", "200"]);
}

#[test]
fn the_refusal_names_the_policy() {
    let simulator = simulator(2);
    let client = closed(&simulator);
    let refused = client
        .put(&format!("{}/resourceGroups/new", subscription(FIRST)), &json!({"location": "westeurope"}))
        .json();
    let error = &refused["error"];
    assert_eq!(error["target"], "new");
    let info = &error["additionalInfo"][0];
    assert_eq!(info["type"], "PolicyViolation");
    assert_eq!(info["info"]["policyAssignmentName"], "closed");
    assert_eq!(
        info["info"]["policyAssignmentId"],
        policy(&subscription(FIRST), "policyAssignments", "closed")
    );
    assert_eq!(info["info"]["policyDefinitionId"], policy(&group(DIRECTORY), "policyDefinitions", "closed"));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("Resource 'new' was disallowed by policy. Policy identifiers: '[{")
    );
}

#[test]
fn it_binds_below_its_scope_and_nowhere_else() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    simulator.edit(|world| "acme".clone_into(&mut world.subscription_mut(FIRST).unwrap().parent));
    let definition = policy(&group(DIRECTORY), "policyDefinitions", "no");
    client.put(&definition, &denying(&json!({"field": "type", "like": "Microsoft.Resources/*"})));
    let assignment = policy(&group("acme"), "policyAssignments", "no");
    let put = |id: &str| {
        client
            .put(&format!("{}/resourceGroups/x", subscription(id)), &json!({"location": "westeurope"}))
            .told()
    };
    assert_eq!(client.put(&assignment, &assigning(&definition)).status, 201);
    assert_eq!((put(FIRST), put(SECOND)), (DENIED.to_owned(), "201".to_owned()));
    // Moved in, bound; moved out, free.
    client.put(&format!("{}/subscriptions/{SECOND}", group("acme")), &Value::Null);
    assert_eq!(put(SECOND), DENIED);
    let with = |more: Value| {
        let mut body = assigning(&definition);
        for (name, value) in more.as_object().unwrap() {
            body["properties"][name] = value.clone();
        }
        client.put(&assignment, &body).told()
    };
    assert_eq!(with(json!({"notScopes": [subscription(FIRST)]})), "201");
    assert_eq!((put(FIRST), put(SECOND)), ("201".to_owned(), DENIED.to_owned()));
    assert_eq!(with(json!({"enforcementMode": "DoNotEnforce"})), "201");
    assert_eq!(put(SECOND), "200");
    assert_eq!(
        with(json!({"overrides": [{"kind": "policyEffect", "value": "Audit", "selectors": []}]})),
        "201"
    );
    assert_eq!(put(SECOND), "200");
    assert_eq!(
        with(
            json!({"resourceSelectors": [{"name": "s", "selectors": [{"kind": "resourceLocation", "in": ["eastus"]}]}]})
        ),
        "201"
    );
    assert_eq!(put(SECOND), "200");
    assert_eq!(with(json!({})), "201");
    assert_eq!(put(SECOND), DENIED);
}

#[test]
fn an_exemption_lets_through_until_it_ends() {
    let simulator = simulator(1);
    let client = closed(&simulator);
    let exemption = policy(&subscription(FIRST), "policyExemptions", "x");
    let body = |until: &str| {
        json!({"properties": {"policyAssignmentId": policy(&subscription(FIRST), "policyAssignments", "CLOSED"),
            "exemptionCategory": "Waiver", "expiresOn": until}})
    };
    let put = || {
        client
            .put(&format!("{}/resourceGroups/x", subscription(FIRST)), &json!({"location": "westeurope"}))
            .told()
    };
    assert_eq!(client.put(&exemption, &body("2020-01-01T00:00:00Z")).status, 201);
    assert_eq!(put(), DENIED);
    assert_eq!(client.put(&exemption, &body("2100-01-01T00:00:00Z")).status, 200);
    assert_eq!(put(), "201");
}

#[test]
fn conditions_mean_what_they_say() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    simulator.edit(|world| {
        world.subscription_mut(FIRST).unwrap().register("Microsoft.Storage");
        world.subscription_mut(FIRST).unwrap().add_resource_group("rg", "westeurope");
    });
    let kind = "Microsoft.Storage/storageAccounts";
    let account = format!("{}/resourceGroups/rg/providers/{kind}/acct01", subscription(FIRST));
    let body = json!({"location": "West Europe", "tags": {"Team": "a"}, "sku": {"name": "Standard_LRS"},
        "properties": {"allowBlobPublicAccess": true, "networkAcls": {"ipRules": [{"value": "1.1.1.1"}, {"value": "2.2.2.2"}]}}});
    let alias = |path: &str| format!("{kind}/{path}");
    let denies = [
        json!({"field": "type", "equals": "microsoft.storage/STORAGEACCOUNTS"}),
        json!({"field": "location", "in": ["westeurope", "northeurope"]}),
        json!({"field": "location", "notIn": ["eastus"]}),
        json!({"field": "name", "like": "acct*"}),
        json!({"field": "name", "match": "????##"}),
        json!({"field": "name", "contains": "ct0"}),
        json!({"field": "tags['team']", "equals": "A"}),
        json!({"field": "tags.cost", "exists": "false"}),
        json!({"field": "tags", "containsKey": "team"}),
        json!({"field": alias("allowBlobPublicAccess"), "equals": "true"}),
        json!({"field": alias("allowBlobPublicAccess"), "notEquals": false}),
        json!({"field": alias("minimumTlsVersion"), "exists": false}),
        json!({"field": alias("minimumTlsVersion"), "notEquals": "TLS1_2"}),
        json!({"field": alias("sku.name"), "equals": "Standard_LRS"}),
        json!({"field": alias("networkAcls.ipRules[*].value"), "notLike": "9.*"}),
        json!({"count": {"field": alias("networkAcls.ipRules[*]"), "where": {"field": alias("networkAcls.ipRules[*].value"), "equals": "2.2.2.2"}}, "equals": 1}),
        json!({"count": {"value": ["a", "b"]}, "greater": 1}),
        json!({"value": "[toLower(field('name'))]", "equals": "acct01"}),
        json!({"value": "[concat(subscription().subscriptionId, '/', resourceGroup().name)]", "equals": format!("{FIRST}/rg")}),
        json!({"value": "[length(field('tags'))]", "less": 2}),
        json!({"not": {"anyOf": [{"field": "type", "equals": "x"}, {"field": "kind", "exists": "true"}]}}),
    ];
    let spares = [
        json!({"field": "type", "equals": "Microsoft.Storage/x"}),
        json!({"field": "name", "like": "acct"}),
        json!({"field": "name", "match": "????###"}),
        json!({"field": "tags.cost", "equals": ""}),
        json!({"field": "Microsoft.Compute/virtualMachines/allowBlobPublicAccess", "equals": "true"}),
        json!({"field": alias("networkAcls.ipRules[*].value"), "equals": "1.1.1.1"}),
        json!({"field": alias("minimumTlsVersion"), "in": ["TLS1_0"]}),
        json!({"allOf": [{"field": "location", "equals": "westeurope"}, {"field": "location", "equals": "eastus"}]}),
        json!({"value": "[[parameters('x')]", "notEquals": "[[parameters('x')]"}),
    ];
    let definition = policy(&group(DIRECTORY), "policyDefinitions", "no");
    let cases = denies.iter().map(|one| (one, DENIED)).chain(spares.iter().map(|one| (one, "20")));
    for (condition, expected) in cases {
        let put = client.put(&definition, &denying(condition));
        assert_eq!(put.status, 201, "{condition} {}", put.body);
        client.put(&policy(&subscription(FIRST), "policyAssignments", "no"), &assigning(&definition));
        let told = client.put(&account, &body).told();
        assert!(told.starts_with(expected), "{condition}: {told}");
    }
}

#[test]
fn an_initiative_passes_its_parameters_on() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let set = policy(&group(DIRECTORY), "policySetDefinitions", "places");
    let locations =
        "/providers/Microsoft.Authorization/policyDefinitions/e765b5de-1225-4ba3-bd56-1ac6695af988";
    let body = json!({"properties": {
        "parameters": {"where": {"type": "Array"}},
        "policyDefinitions": [{"policyDefinitionId": locations, "policyDefinitionReferenceId": "groups",
            "parameters": {"listOfAllowedLocations": {"value": "[parameters('where')]"}}}],
    }});
    assert_eq!(client.put(&set, &body).status, 201);
    let assignment = json!({"properties": {"policyDefinitionId": set, "parameters": {"where": {"value": ["westeurope"]}}}});
    assert_eq!(client.put(&policy(&subscription(FIRST), "policyAssignments", "p"), &assignment).status, 201);
    let put = |name: &str, location: &str| {
        client
            .put(&format!("{}/resourceGroups/{name}", subscription(FIRST)), &json!({"location": location}))
            .told()
    };
    assert_eq!((put("a", "West Europe"), put("b", "eastus")), ("201".to_owned(), DENIED.to_owned()));
}

#[test]
fn what_is_there_already_shows_in_the_compliance_states() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let storage = "/providers/Microsoft.Authorization/policyDefinitions/4fa4b6c0-31ca-4c0d-b10d-24b96f62a751";
    let assignment = policy(&subscription(SECOND), "policyAssignments", "storage");
    client.put(&assignment, &assigning(storage));
    let states = format!("{}/providers/Microsoft.PolicyInsights/policyStates/latest", subscription(SECOND));
    let summary = client.call("POST", &format!("{states}/summarize"), &Value::Null).json();
    let first = &summary["value"][0];
    assert_eq!(first["results"]["nonCompliantResources"], 1, "{summary}");
    assert_eq!(first["policyAssignments"][0]["policyAssignmentId"], assignment);
    assert_eq!(first["policyAssignments"][0]["policyDefinitions"][0]["effect"], "audit");
    let rows = client.call(
        "POST",
        &format!("{states}/queryResults?$filter=complianceState eq 'NonCompliant'"),
        &Value::Null,
    );
    assert!(rows.listed("/resourceId")[0].ends_with("storageAccounts/website"));
    let task = format!("{}/providers/Microsoft.PolicyInsights/remediations/r", subscription(SECOND));
    let body = json!({"properties": {"policyAssignmentId": assignment}});
    assert_eq!(client.put(&task, &body).told(), "409 MissingSubscriptionRegistration");
    simulator.edit(|world| world.subscription_mut(SECOND).unwrap().register("Microsoft.PolicyInsights"));
    // What only audits has nothing to repair with.
    assert_eq!(client.put(&task, &body).told(), "400 InvalidCreateRemediationRequest");
}

#[test]
fn owners_are_refused_like_everybody_else() {
    let simulator = simulator(1);
    let client = closed(&simulator);
    let name = "00000000-0000-4000-8000-000000000009";
    let path = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", subscription(FIRST));
    assert_eq!(client.put(&path, &given(CREATOR, OWNER)).told(), DENIED);
}

#[test]
fn deny_action_keeps_what_is_there() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let scope = subscription(FIRST);
    let definition = policy(&group(DIRECTORY), "policyDefinitions", "keep");
    let rule = json!({"if": {"anyOf": [
        {"allOf": [{"field": "type", "equals": "Microsoft.Authorization/roleAssignments"},
            {"field": "Microsoft.Authorization/roleAssignments/principalId", "in": [CREATOR]}]},
        {"field": "type", "in": ["Microsoft.Resources/subscriptions/providers/diagnosticSettings", "Microsoft.Authorization/locks"]},
    ]}, "then": {"effect": "denyAction", "details": {"actionNames": ["delete"]}}});
    assert_eq!(
        client.put(&definition, &json!({"properties": {"mode": "All", "policyRule": rule}})).status,
        201
    );
    assert_eq!(client.put(&policy(&scope, "policyAssignments", "keep"), &assigning(&definition)).status, 201);
    let (owner, other) = simulator.edit(|world| {
        world.subscription_mut(FIRST).unwrap().register("Microsoft.Insights");
        let owner =
            world.subscription(FIRST).unwrap().governance.role_assignments.keys().next().unwrap().clone();
        (owner, world.give(&scope, READER, WRITE_IDENTITY, "ServicePrincipal").unwrap())
    });
    let role = |name: &str| format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}");
    let export = format!("{scope}/providers/Microsoft.Insights/diagnosticSettings/x");
    let lock = format!("{scope}/providers/Microsoft.Authorization/locks/x");
    let body = json!({"properties": {"workspaceId": "/w", "logs": []}});
    assert_eq!(client.put(&export, &body).status, 200, "only deleting is denied");
    client.put(&lock, &json!({"properties": {"level": "CanNotDelete"}}));
    assert_eq!(client.delete(&lock).status, 200, "locks are exempt");
    assert_eq!(client.delete(&export).told(), DENIED);
    assert_eq!(client.delete(&role(&owner)).told(), DENIED);
    assert_eq!(client.delete(&role(&other)).status, 200);
    assert_eq!(
        client.delete(&policy(&scope, "policyAssignments", "keep")).status,
        200,
        "assignments are exempt"
    );
    assert_eq!(client.delete(&export).status, 200);
}
