//! Who has which role where.

#![expect(clippy::indexing_slicing, reason = "a helper of tests: what fails here fails the test")]

use landfall_simulator::azure::{CREATOR, OWNER, Principal, READER, WRITE_IDENTITY};
use serde_json::{Value, json};

use crate::client::{Client, DIRECTORY, FIRST, group, simulator, subscription};

fn at(scope: &str, n: u32) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-{n:012}")
}

fn given(principal: &str, role: &str, more: &Value) -> Value {
    let role = format!("/subscriptions/{FIRST}/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let mut properties = json!({"roleDefinitionId": role, "principalId": principal});
    for (name, value) in more.as_object().into_iter().flatten() {
        properties[name] = value.clone();
    }
    json!({ "properties": properties })
}

#[test]
fn an_assignment_is_made_once_and_repeated_under_its_name() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let scope = subscription(FIRST);
    let newborn = "2e000000-0000-4000-8000-000000000001";
    let nobody = "2e000000-0000-4000-8000-000000000002";
    simulator.edit(|world| {
        let later = "2100-01-01T00:00:00Z".parse().unwrap();
        let principal =
            Principal { kind: "ServicePrincipal".into(), name: "new".into(), known_from: Some(later) };
        world.directory.principals.insert(newborn.to_owned(), principal);
    });
    let none = json!({});
    let table = [
        (at(&scope, 1), given(WRITE_IDENTITY, READER, &none), "201"),
        (
            at(&scope, 1),
            given(&WRITE_IDENTITY.to_uppercase(), &READER.to_uppercase(), &json!({"description": "again"})),
            "200",
        ),
        (at(&scope, 1), given(WRITE_IDENTITY, OWNER, &none), "400 RoleAssignmentUpdateNotPermitted"),
        (at(&scope, 2), given(WRITE_IDENTITY, READER, &none), "409 RoleAssignmentExists"),
        (at(&group("acme"), 2), given(WRITE_IDENTITY, READER, &none), "201"),
        (at(&scope, 3), given(CREATOR, OWNER, &none), "409 RoleAssignmentExists"),
        (at(&scope, 3), given(nobody, READER, &none), "400 PrincipalNotFound"),
        (at(&scope, 3), given(newborn, READER, &none), "400 PrincipalNotFound"),
        (
            at(&scope, 3),
            given(newborn, READER, &json!({"principalType": "User"})),
            "400 UnmatchedPrincipalType",
        ),
        (at(&scope, 3), given(newborn, READER, &json!({"principalType": "ServicePrincipal"})), "201"),
        (at(&scope, 4), given(CREATOR, nobody, &none), "404 RoleDefinitionDoesNotExist"),
        (at(&scope, 4), json!({"properties": {"principalId": CREATOR}}), "400 InvalidRoleAssignmentRequest"),
        (at(&scope, 4), json!({}), "400 InvalidRequestContent"),
        (
            format!("{scope}/providers/Microsoft.Authorization/roleAssignments/mine"),
            given(CREATOR, READER, &none),
            "400 InvalidRoleAssignmentId",
        ),
    ];
    for (path, body, expected) in table {
        assert_eq!(client.put(&path, &body).told(), expected, "{path} {body}");
    }
    let got = client.get(&at(&scope, 1)).json();
    assert_eq!(got["properties"]["scope"], scope);
    assert_eq!(got["properties"]["principalType"], "ServicePrincipal");
    assert_eq!(got["properties"]["description"], "again");
    assert_eq!([client.delete(&at(&scope, 1)).status, client.delete(&at(&scope, 1)).status], [200, 204]);
    assert_eq!(client.get(&at(&scope, 1)).told(), "404 RoleAssignmentNotFound");
}

#[test]
fn a_list_shows_what_comes_from_above_and_below() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let scope = subscription(FIRST);
    simulator.edit(|world| {
        world.subscription_mut(FIRST).unwrap().add_resource_group("rg", "westeurope");
        world.give(&format!("{scope}/resourceGroups/rg"), READER, CREATOR, "User").unwrap();
    });
    let list = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
    let scopes = |filter: &str| client.get(&format!("{list}{filter}")).listed("/properties/scope");
    let (tenant, rg) = (group(DIRECTORY), format!("{scope}/resourceGroups/rg"));
    assert_eq!(scopes("?$filter=atExactScope()"), std::slice::from_ref(&scope));
    assert_eq!(scopes("?$filter=atScope()"), [scope.clone(), tenant.clone(), tenant.clone()]);
    assert_eq!(scopes(""), [scope.clone(), tenant.clone(), tenant, rg.clone()]);
    assert_eq!(scopes(&format!("?$filter=principalId eq '{CREATOR}'")), [scope, rg]);
}

#[test]
fn roles_are_found_by_their_names_and_made() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let scope = subscription(FIRST);
    let list = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions");
    let found = client.get(&format!("{list}?$filter=roleName eq 'Owner'"));
    assert_eq!(found.listed("/name"), [OWNER]);
    assert_eq!(found.listed("/id"), [format!("{list}/{OWNER}")]);
    assert!(client.get(&list).listed("/properties/roleName").contains(&"Security Reader".to_owned()));
    let id = "90000000-0000-4000-8000-000000000001";
    let path = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{id}", group(DIRECTORY));
    let role = |name: &str, scope: &str| {
        json!({"properties": {"roleName": name, "type": "CustomRole", "assignableScopes": [scope],
            "permissions": [{"actions": ["*/read"], "notActions": []}]}})
    };
    assert_eq!(
        client.put(&path, &role("owner", &group(DIRECTORY))).told(),
        "409 RoleDefinitionWithSameNameExists"
    );
    assert_eq!(client.put(&path, &role("mine", &group("nowhere"))).told(), "400 InvalidAssignableScope");
    assert_eq!(
        client.put(&path, &json!({"properties": {"roleName": "x"}})).told(),
        "400 InvalidRoleDefinition"
    );
    assert_eq!(client.put(&path, &role("mine", &group(DIRECTORY))).status, 201);
    assert_eq!(
        client.get(&format!("{list}?$filter=type eq 'CustomRole'")).listed("/properties/roleName"),
        ["mine"]
    );
    assert_eq!(client.put(&at(&scope, 7), &given(CREATOR, id, &json!({}))).status, 201);
    assert_eq!(client.delete(&path).told(), "400 RoleDefinitionHasAssignments");
    client.delete(&at(&scope, 7));
    assert_eq!([client.delete(&path).status, client.delete(&path).status], [200, 204]);
    assert_eq!(client.get(&path).told(), "404 RoleDefinitionDoesNotExist");
}
