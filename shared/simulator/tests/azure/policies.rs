//! Definitions, initiatives, assignments and exemptions: what can be written, and what is refused.

use serde_json::{Value, json};

use crate::client::{Client, DIRECTORY, FIRST, assigning, denying, group, policy, simulator, subscription};

const LOCATIONS: &str =
    "/providers/Microsoft.Authorization/policyDefinitions/e56962a6-4747-49cd-b67b-bf8b01975c4c";

fn everything() -> Value {
    denying(&json!({"field": "type", "exists": "true"}))
}

#[test]
fn definitions_are_checked_when_they_are_put() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let path = |name: &str| policy(&group("acme"), "policyDefinitions", name);
    let put = |properties: Value| client.put(&path("x"), &json!({ "properties": properties })).told();
    let rule = |condition: Value| json!({"policyRule": {"if": condition, "then": {"effect": "deny"}}});
    let table = [
        (rule(json!({"field": "type", "equals": "a"})), "201"),
        (rule(json!({"field": "type", "equals": "b"})), "201"),
        (rule(json!({"field": "type"})), "400 InvalidPolicyRule"),
        (rule(json!({"equals": "b"})), "400 InvalidPolicyRule"),
        (rule(json!({"allOf": [{"not": {"field": "type", "isLike": "b"}}]})), "400 InvalidPolicyRule"),
        (rule(json!({"value": "[concat('a', ]", "equals": "b"})), "400 InvalidPolicyRule"),
        (rule(json!({"field": "type", "in": "[parameters('types')]"})), "400 InvalidPolicyParameters"),
        (
            json!({"policyRule": {"if": {"field": "type", "equals": "a"}, "then": {"effect": "forbid"}}}),
            "400 InvalidPolicyRule",
        ),
        (json!({"displayName": "x"}), "400 InvalidRequestContent"),
        (json!({"policyType": "BuiltIn", "policyRule": {}}), "400 InvalidPolicyDefinitionType"),
        (json!({"dipslayName": "x", "policyRule": {}}), "400 InvalidRequestContent"),
    ];
    for (properties, expected) in table {
        assert_eq!(put(properties.clone()), expected, "{properties}");
    }
    let got = client.get(&path("X")).json();
    assert_eq!(got["id"], path("x"));
    assert_eq!(got["properties"]["policyType"], "Custom");
    assert_eq!(got["properties"]["mode"], "Indexed");
    assert_eq!(got["properties"]["policyRule"]["if"]["equals"], "b");
    assert_eq!(client.put(&path(&"x".repeat(65)), &everything()).told(), "400 InvalidPolicyDefinitionName");
    assert_eq!(client.get(&path("y")).told(), "404 PolicyDefinitionNotFound");
    assert_eq!((client.delete(&path("x")).status, client.delete(&path("x")).status), (200, 204));
}

#[test]
fn microsofts_own_definitions_are_there_and_can_not_be_changed() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    for (id, name) in [
        ("e56962a6-4747-49cd-b67b-bf8b01975c4c", "Allowed locations"),
        ("6C112D4E-5bc7-47ae-a041-ea2d9dccd749", "Not allowed resource types"),
        ("4fa4b6c0-31ca-4c0d-b10d-24b96f62a751", "Storage account public access should be disallowed"),
        (
            "fc4d8e41-e223-45ea-9bf5-eada37891d87",
            "Virtual machines and virtual machine scale sets should have encryption at host enabled",
        ),
    ] {
        let got = client.get(&policy("", "policyDefinitions", id)).json();
        assert_eq!(
            (&got["properties"]["displayName"], &got["properties"]["policyType"]),
            (&json!(name), &json!("BuiltIn"))
        );
    }
    let unknown = policy("", "policyDefinitions", "00000000-0000-4000-8000-000000000000");
    assert_eq!(client.get(&unknown).told(), "404 PolicyDefinitionNotFound");
    let set = policy("", "policySetDefinitions", "1f3afdf9-d0c9-4c3d-847f-89da613e70a8");
    assert_eq!(client.get(&set).status, 200);
    assert_eq!(client.put(LOCATIONS, &everything()).status, 400);
    let listed =
        client.get(&format!("{}/providers/Microsoft.Authorization/policyDefinitions", subscription(FIRST)));
    assert!(listed.listed("/properties/policyType").contains(&"BuiltIn".to_owned()));
    let custom = format!(
        "{}/providers/Microsoft.Authorization/policyDefinitions?$filter=policyType eq 'Custom'",
        group("acme")
    );
    assert_eq!(client.get(&custom).json()["value"], json!([]));
}

#[test]
fn assignments_are_checked_when_they_are_put() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    client.put(&policy(&group("acme"), "policyDefinitions", "no"), &everything());
    let own = policy(&group("acme"), "policyDefinitions", "no");
    let at = |scope: &str, name: &str| policy(scope, "policyAssignments", name);
    let given = |parameters: Value| json!({"properties": {"policyDefinitionId": LOCATIONS, "parameters": parameters}});
    let acme = group("acme");
    let long = "x".repeat(25);
    let table = [
        (at(&acme, "a"), assigning(&own), "201"),
        (at(&acme, "a"), assigning(&own), "201"),
        (at(&acme, &"x".repeat(24)), assigning(&own), "201"),
        (at(&acme, &long), assigning(&own), "400 InvalidPolicyAssignmentName"),
        (
            at(&acme, "b"),
            assigning(&policy(&acme, "policyDefinitions", "none")),
            "404 PolicyDefinitionNotFound",
        ),
        (
            at(&acme, "b"),
            assigning(&policy(&acme, "policySetDefinitions", "none")),
            "404 PolicySetDefinitionNotFound",
        ),
        (at(&acme, "b"), json!({"properties": {}}), "400 InvalidCreatePolicyAssignmentRequest"),
        (at(&group(DIRECTORY), "b"), assigning(&own), "400 InvalidCreatePolicyAssignmentRequest"),
        (at(&subscription(FIRST), "b"), assigning(&own), "400 InvalidCreatePolicyAssignmentRequest"),
        (at(&acme, "b"), assigning(LOCATIONS), "400 MissingPolicyParameter"),
        (
            at(&acme, "b"),
            given(json!({"listOfAllowedLocations": {"value": "westeurope"}})),
            "400 InvalidPolicyParameterType",
        ),
        (
            at(&acme, "b"),
            given(json!({"listOfAllowedLocations": {"value": []}, "x": {"value": 1}})),
            "400 UndefinedPolicyParameter",
        ),
        (at(&acme, "b"), given(json!({"listOfAllowedLocations": {"value": ["westeurope"]}})), "201"),
        (
            at(&acme, "c"),
            json!({"properties": {"policyDefinitionId": own, "enforcementMode": "Sometimes"}}),
            "400 InvalidCreatePolicyAssignmentRequest",
        ),
        (
            at(&acme, "c"),
            json!({"properties": {"policyDefinitionId": own}, "colour": "red"}),
            "400 InvalidRequestContent",
        ),
        (
            at(&acme, "c"),
            json!({"properties": {"policyDefinitionId": own}, "identity": {"type": "SystemAssigned"}}),
            "400 MissingLocation",
        ),
    ];
    for (path, body, expected) in table {
        assert_eq!(client.put(&path, &body).told(), expected, "{path} {body}");
    }
    let elsewhere = client
        .put(&at(&subscription(FIRST), &long), &given(json!({"listOfAllowedLocations": {"value": []}})));
    assert_eq!(elsewhere.status, 201, "names are longer on subscriptions");
    let got = client.get(&at(&acme, "A")).json();
    assert_eq!(got["properties"]["scope"], acme);
    assert_eq!(got["properties"]["enforcementMode"], "Default");
    assert_eq!(got["properties"]["notScopes"], json!([]));
    assert_eq!(got["properties"]["definitionVersion"], "1.*.*");
    let managed = json!({"properties": {"policyDefinitionId": own}, "location": "westeurope", "identity": {"type": "SystemAssigned"}});
    let identity =
        client.put(&at(&acme, "c"), &managed).json()["identity"]["principalId"].as_str().unwrap().to_owned();
    assert!(simulator.read(|world| world.directory.principals.contains_key(&identity)));
    assert_eq!(client.get(&at(&acme, "none")).told(), "404 PolicyAssignmentNotFound");
    assert_eq!((client.delete(&at(&acme, "a")).status, client.delete(&at(&acme, "a")).status), (200, 204));
}

#[test]
fn a_definition_in_use_stays() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let definition = policy(&group("acme"), "policyDefinitions", "no");
    let set = policy(&group("acme"), "policySetDefinitions", "all");
    let assignment = policy(&group("acme"), "policyAssignments", "a");
    client.put(&definition, &everything());
    let members = json!({"properties": {"policyDefinitions": [{"policyDefinitionId": definition}]}});
    let told = client.put(&set, &members);
    assert_eq!((told.status, client.put(&set, &members).status), (201, 200));
    assert_eq!(told.json()["properties"]["policyDefinitions"][0]["policyDefinitionReferenceId"], "no_1");
    assert_eq!(client.put(&assignment, &assigning(&set)).status, 201);
    assert_eq!(client.delete(&definition).told(), "400 PolicyDefinitionInUse");
    assert_eq!(client.delete(&set).told(), "400 PolicySetDefinitionInUse");
    assert_eq!([&assignment, &set, &definition].map(|path| client.delete(path).status), [200, 200, 200]);
    let missing = json!({"properties": {"policyDefinitions": [{"policyDefinitionId": definition}]}});
    assert_eq!(client.put(&set, &missing).told(), "404 PolicyDefinitionNotFound");
}

#[test]
fn a_list_without_a_filter_holds_what_is_inherited() {
    let simulator = simulator(1);
    simulator.edit(|world| "acme".clone_into(&mut world.subscription_mut(FIRST).unwrap().parent));
    let client = Client::new(&simulator);
    let types = "/providers/Microsoft.Authorization/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114";
    client.put(&policy(&group("acme"), "policyAssignments", "above"), &assigning(types));
    client.put(&policy(&subscription(FIRST), "policyAssignments", "own"), &assigning(types));
    let list = format!("{}/providers/Microsoft.Authorization/policyAssignments", subscription(FIRST));
    assert_eq!(client.get(&list).listed("/name"), ["own", "above"]);
    assert_eq!(client.get(&format!("{list}?$filter=atScope()")).listed("/name"), ["own", "above"]);
    assert_eq!(client.get(&format!("{list}?$filter=atExactScope()")).listed("/name"), ["own"]);
    assert_eq!(
        client.get(&format!("{list}?$filter=policyDefinitionId eq '{LOCATIONS}'")).listed("/name").len(),
        0
    );
    assert_eq!(client.pages(&format!("{list}?$top=1")).1, 2);
}

#[test]
fn a_scope_takes_two_hundred_assignments() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let types = "/providers/Microsoft.Authorization/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114";
    simulator.edit(|world| {
        let all = &mut world.subscription_mut(FIRST).unwrap().governance.policy_assignments;
        for n in 0..200 {
            let name = format!("a{n}");
            let body = json!({"policyDefinitionId": types});
            all.insert(name.clone(), landfall_simulator::azure::Resource::new(&name, &body));
        }
    });
    let put = |name: &str| {
        client.put(&policy(&subscription(FIRST), "policyAssignments", name), &assigning(types)).told()
    };
    assert_eq!(put("one-more"), "400 PolicyAssignmentQuotaExceeded");
    assert_eq!(put("a7"), "201", "replacing is no more");
}

#[test]
fn exemptions_name_an_assignment_that_reaches_them() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let types = "/providers/Microsoft.Authorization/policyDefinitions/83a86a26-fd1f-447c-b59d-e51f44264114";
    let above = policy(&group(DIRECTORY), "policyAssignments", "above");
    let beside = policy(&group("acme"), "policyAssignments", "beside");
    client.put(&above, &assigning(types));
    client.put(&beside, &assigning(types));
    let path = policy(&subscription(FIRST), "policyExemptions", "x");
    let body = |assignment: &str, category: &str, until: Value| json!({"properties": {"policyAssignmentId": assignment, "exemptionCategory": category, "expiresOn": until}});
    let table = [
        (body(&above, "Waiver", Value::Null), "201"),
        (body(&above, "Mitigated", json!("2030-01-01T00:00:00Z")), "200"),
        (body(&above, "Sometimes", Value::Null), "400 InvalidCreatePolicyExemptionRequest"),
        (body(&above, "Waiver", json!("soon")), "400 InvalidCreatePolicyExemptionRequest"),
        (body(&beside, "Waiver", Value::Null), "400 InvalidCreatePolicyExemptionRequest"),
        (
            body(&policy(&group("acme"), "policyAssignments", "none"), "Waiver", Value::Null),
            "404 PolicyAssignmentNotFound",
        ),
    ];
    for (body, expected) in table {
        assert_eq!(client.put(&path, &body).told(), expected, "{body}");
    }
    let list = format!(
        "{}/providers/Microsoft.Authorization/policyExemptions?$filter=atExactScope()",
        subscription(FIRST)
    );
    assert_eq!(client.get(&list).listed("/properties/exemptionCategory"), ["Mitigated"]);
    assert_eq!((client.delete(&path).status, client.delete(&path).status), (200, 204));
    assert_eq!(client.get(&path).told(), "404 PolicyExemptionNotFound");
    let stable = format!("{path}?api-version=2026-06-01");
    assert_eq!(client.get(&stable).told(), "400 NoRegisteredProviderFound", "only previews exist");
}
