//! Management groups, what is in them, and where subscriptions are born.

use serde_json::{Value, json};

use crate::client::{Answer, Client, DIRECTORY, FIRST, SECOND, group, simulator};

fn below(parent: &str) -> Value {
    json!({"properties": {"displayName": "Teams", "details": {"parent": {"id": group(parent)}}}})
}

#[test]
fn a_group_is_made_by_a_long_running_operation() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let begun = client.put(&group("acme-teams"), &below("acme"));
    assert_eq!((begun.status, begun.json()["status"].as_str()), (202, Some("NotStarted")));
    let status = begun.header("azure-asyncoperation").unwrap().to_owned();
    let location = begun.header("location").unwrap().to_owned();
    let state =
        |answer: &Answer| (answer.status, answer.json()["status"].as_str().unwrap_or_default().to_owned());
    let first = client.follow(&status);
    assert_eq!(state(&first), (200, "Running".to_owned()), "HTTP 200 does not mean that it is done");
    assert!(first.header("retry-after").is_some());
    assert!(simulator.read(|world| world.group("acme-teams").is_none()));
    assert_eq!(state(&client.follow(&status)), (200, "Succeeded".to_owned()));
    assert_eq!(client.follow(&location).json()["properties"]["displayName"], "Teams");
    let found = client.get(&group("ACME-teams")).json();
    assert_eq!(found["name"], "acme-teams");
    assert_eq!(found["properties"]["tenantId"], DIRECTORY);
    assert_eq!(found["properties"]["details"]["parent"]["id"], group("acme"));
    assert_eq!(found["properties"]["details"]["managementGroupAncestors"], json!(["acme", DIRECTORY]));
}

#[test]
fn polls_by_location_are_202_until_it_is_done_and_their_number_can_be_set() {
    let simulator = simulator(0);
    simulator.edit(|world| world.settings.operation_polls = 2);
    let client = Client::new(&simulator);
    let begun = client.put(&group("g"), &below("acme"));
    let location = begun.header("location").unwrap().to_owned();
    let statuses: Vec<u16> = (0..3).map(|_| client.follow(&location).status).collect();
    assert_eq!(statuses, [202, 202, 200]);
    // Who lost the address finds the group by looking for it.
    client.put(&group("h"), &below("g"));
    let statuses: Vec<u16> = (0..3).map(|_| client.get(&group("h")).status).collect();
    assert_eq!(statuses, [404, 404, 200]);
    // Who begins again does no harm.
    client.put(&group("i"), &below("g"));
    assert_eq!(client.put(&group("i"), &below("g")).status, 202);
    simulator.edit(landfall_simulator::azure::AzureWorld::finish_operations);
    assert_eq!(client.get(&group("i")).status, 200);
    let deleted = client.delete(&group("i"));
    assert_eq!(deleted.status, 202);
    let location = deleted.header("location").unwrap().to_owned();
    let statuses: Vec<u16> = (0..3).map(|_| client.follow(&location).status).collect();
    assert_eq!(statuses, [202, 202, 204]);
    assert_eq!(client.delete(&group("i")).status, 204);
}

#[test]
fn the_tree_has_its_limits() {
    let simulator = simulator(0);
    simulator.edit(|world| world.settings.operation_polls = 0);
    let client = Client::new(&simulator);
    // `acme` is the first level below the tenant root group.
    let mut parent = "acme".to_owned();
    for level in 2..=6 {
        let id = format!("level-{level}");
        assert_eq!(client.put(&group(&id), &below(&parent)).status, 202);
        assert_eq!(client.get(&group(&id)).status, 200, "{level}");
        parent = id;
    }
    let told = |id: &str, body: &Value| client.put(&group(id), body).told();
    assert_eq!(told("level-7", &below("level-6")), "400 ManagementGroupHierarchyDepthExceeded");
    assert_eq!(told("level-2", &below("level-4")), "400 InvalidParent");
    assert_eq!(told("x", &below("nowhere")), "404 NotFound");
    assert_eq!(told(&"x".repeat(91), &below("acme")), "400 InvalidGroupId");
    assert_eq!(told("x", &json!({"name": "y"})), "400 BadRequest");
    assert_eq!(client.delete(&group("level-5")).told(), "400 GroupNotEmpty");
    assert_eq!(client.delete(&group(DIRECTORY)).told(), "400 GroupNotEmpty");
    let patched = client.call(
        "PATCH",
        &group("level-6"),
        &json!({"displayName": "Six", "parentGroupId": group("acme")}),
    );
    assert_eq!(patched.json()["properties"]["details"]["parent"]["name"], "acme");
    assert_eq!(patched.json()["properties"]["displayName"], "Six");
    let nobody = client.put(&group("orphan"), &Value::Null);
    assert_eq!(nobody.told(), "400 InvalidRequestContent");
    client.put(&group("orphan"), &json!({}));
    let orphan = client.get(&group("orphan")).json();
    assert_eq!(orphan["properties"]["details"]["parent"]["name"], DIRECTORY);
    assert_eq!(orphan["properties"]["displayName"], "orphan");
}

#[test]
fn descendants_and_children_show_the_tree() {
    let simulator = simulator(2);
    simulator.edit(|world| {
        world.directory.add_group("acme-teams", "Teams", Some("acme"));
        "ACME-TEAMS".clone_into(&mut world.subscription_mut(SECOND).unwrap().parent);
    });
    let client = Client::new(&simulator);
    let all = client.get(&format!("{}/descendants", group(DIRECTORY)));
    assert_eq!(all.listed("/name"), [FIRST, SECOND, "acme", "acme-teams"]);
    assert_eq!(all.listed("/type")[0], "/subscriptions");
    assert_eq!(all.listed("/type")[3], "Microsoft.Management/managementGroups");
    assert_eq!(all.json()["value"][3]["properties"]["parent"]["id"], group("acme"));
    let some = client.get(&format!("{}/descendants", group("acme")));
    assert_eq!(some.listed("/name"), [SECOND, "acme-teams"]);
    let expanded = client.get(&format!("{}?$expand=children&$recurse=true", group(DIRECTORY))).json();
    let children = &expanded["properties"]["children"];
    assert_eq!(children[0]["children"][0]["children"][0]["name"], SECOND);
    assert_eq!(client.get("/providers/Microsoft.Management/managementGroups").listed("/name").len(), 3);
}

#[test]
fn a_subscription_is_put_into_a_group_and_asked_for_there() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let place = |group_id: &str| format!("{}/subscriptions/{FIRST}", group(group_id));
    assert_eq!(client.get(&place("acme")).told(), "404 NotFound");
    let put = client.put(&place("acme"), &Value::Null);
    assert_eq!((put.status, put.json()["properties"]["parent"]["id"].clone()), (200, json!(group("acme"))));
    assert_eq!(client.get(&place("acme")).json()["properties"]["state"], "Active");
    assert_eq!(client.get(&place(DIRECTORY)).status, 404);
    let events = simulator.take_events();
    assert_eq!(events.len(), 2, "started and succeeded");
    assert_eq!(events[1]["operationName"], "MICROSOFT.MANAGEMENT/MANAGEMENTGROUPS/SUBSCRIPTIONS/WRITE");
    assert_eq!(events[1]["resourceId"], place("acme").to_uppercase());
    client.put(&place("acme"), &Value::Null);
    assert!(simulator.take_events().is_empty(), "nothing moved");
    assert_eq!(client.put(&place("nowhere"), &Value::Null).told(), "404 NotFound");
    assert_eq!(client.delete(&place("acme")).status, 200);
    assert_eq!(client.delete(&place("acme")).status, 204);
    assert_eq!(simulator.read(|world| world.subscription(FIRST).unwrap().parent.clone()), DIRECTORY);
}

#[test]
fn hierarchy_settings_say_where_subscriptions_are_born() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let settings = format!("{}/settings/default", group(DIRECTORY));
    let body = |id: &str| json!({"properties": {"defaultManagementGroup": group(id), "requireAuthorizationForGroupCreation": true}});
    assert_eq!(client.get(&settings).told(), "404 NotFound");
    assert_eq!(client.call("PATCH", &settings, &body("acme")).told(), "404 NotFound");
    assert_eq!(client.put(&settings, &body("nowhere")).told(), "404 NotFound");
    assert_eq!(client.put(&settings, &body("acme")).status, 200);
    let got = client.get(&settings).json();
    assert_eq!(got["properties"]["defaultManagementGroup"], group("acme"));
    assert_eq!(got["properties"]["requireAuthorizationForGroupCreation"], true);
    assert_eq!(client.get(&format!("{}/settings/default", group("acme"))).told(), "400 BadRequest");
    assert_eq!(client.delete(&group("acme")).told(), "400 BadRequest", "subscriptions are born there");
    let born = simulator.edit(|world| world.add_subscription("newborn"));
    assert_eq!(simulator.read(|world| world.subscription(&born).unwrap().parent.clone()), "acme");
    assert_eq!(client.delete(&settings).status, 200);
    let other = simulator.edit(|world| world.add_subscription("other"));
    assert_eq!(simulator.read(|world| world.subscription(&other).unwrap().parent.clone()), DIRECTORY);
}

#[test]
fn a_new_subscription_announces_itself_and_belongs_to_its_creator() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let id = simulator.edit(|world| world.add_subscription("newborn"));
    let events = simulator.take_events();
    let told: Vec<String> = events
        .iter()
        .map(|event| {
            format!("{} {}", event["operationName"].as_str().unwrap(), event["resultType"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            "MICROSOFT.SUBSCRIPTION/ALIASES/WRITE Start",
            "MICROSOFT.SUBSCRIPTION/ALIASES/WRITE Success",
            "MICROSOFT.MANAGEMENT/MANAGEMENTGROUPS/SUBSCRIPTIONS/WRITE Start",
            "MICROSOFT.MANAGEMENT/MANAGEMENTGROUPS/SUBSCRIPTIONS/WRITE Success",
        ]
    );
    assert!(events[3]["resourceId"].as_str().unwrap().ends_with(&id.to_uppercase()));
    assert_eq!(events[3]["category"], "Administrative");
    let path = format!(
        "/subscriptions/{id}/providers/Microsoft.Authorization/roleAssignments?$filter=atExactScope()"
    );
    let owners = client.get(&path).json();
    assert_eq!(owners["value"][0]["properties"]["principalId"], landfall_simulator::azure::CREATOR);
    assert_eq!(owners["value"][0]["properties"]["principalType"], "User");
    let alias = "/providers/Microsoft.Subscription/aliases/by-alias";
    let made = client.put(alias, &json!({"properties": {"displayName": "by-alias"}}));
    assert_eq!((made.status, client.put(alias, &json!({"properties": {}})).status), (201, 200));
    let id = made.json()["properties"]["subscriptionId"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&format!("/subscriptions/{id}")).json()["displayName"], "by-alias");
}

#[test]
fn the_lockbox_is_the_directorys() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let path = |id: &str| {
        format!("/providers/Microsoft.CustomerLockbox/tenantOptedIn/{id}?api-version=2018-02-28-preview")
    };
    let enable = "/providers/Microsoft.CustomerLockbox/enableLockbox?api-version=2018-02-28-preview";
    assert_eq!(client.get(&path(DIRECTORY)).json(), json!({"isOptedIn": false}));
    assert_eq!(client.get(&path(FIRST)).told(), "404 NotFound");
    for _ in 0..2 {
        assert_eq!(client.call("POST", enable, &json!({})).status, 200);
        assert_eq!(client.get(&path(DIRECTORY)).json(), json!({"isOptedIn": true}));
    }
}

#[test]
fn the_directory_says_whether_subscriptions_may_leave() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let path = "/providers/Microsoft.Subscription/policies/default";
    assert_eq!(client.get(path).json()["properties"]["blockSubscriptionsLeavingTenant"], false);
    let body = json!({"blockSubscriptionsLeavingTenant": true, "blockSubscriptionsIntoTenant": true, "exemptedPrincipals": ["a"]});
    assert_eq!(client.put(path, &body).status, 200);
    let got = client.get(path).json();
    assert_eq!(got["properties"]["blockSubscriptionsLeavingTenant"], true);
    assert_eq!(got["properties"]["exemptedPrincipals"], json!(["a"]));
    assert_eq!(client.put(path, &json!({"properties": {}})).told(), "400 InvalidRequestContent");
    let rename = format!("/subscriptions/{FIRST}/providers/Microsoft.Subscription/rename");
    let renamed = client.call("POST", &rename, &json!({"subscriptionName": "core"}));
    assert_eq!((renamed.status, renamed.json()), (200, json!({"subscriptionId": FIRST})));
    assert_eq!(client.get(&format!("/subscriptions/{FIRST}")).json()["displayName"], "core");
    assert_eq!(
        client.call("POST", &rename, &json!({"subscriptionName": ""})).told(),
        "400 InvalidSubscriptionName"
    );
}
