//! What ARM asks of every request, whatever it is about.

use serde_json::{Value, json};

use crate::client::{Client, DIRECTORY, FIRST, SECOND, group, simulator, subscription};

#[test]
fn the_front_door_refuses_in_arms_own_words() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let no_version = "?api-version=";
    let nobody = "00000000-0000-4000-8000-000000000000";
    let table = [
        (subscription(FIRST), "200"),
        (subscription(&FIRST.to_uppercase()), "200"),
        (format!("/SUBSCRIPTIONS/{FIRST}/RESOURCEGROUPS"), "200"),
        (format!("{}{no_version}", subscription(FIRST)), "400 MissingApiVersionParameter"),
        (format!("{}?api-version=1999-01-01", subscription(FIRST)), "400 InvalidApiVersionParameter"),
        (
            format!("{}/providers/Microsoft.Authorization/locks?api-version=2050-01-01", subscription(FIRST)),
            "400 NoRegisteredProviderFound",
        ),
        (subscription(nobody), "404 SubscriptionNotFound"),
        (subscription("team-one"), "400 InvalidSubscriptionId"),
        (format!("{}/resourceGroups/none", subscription(FIRST)), "404 ResourceGroupNotFound"),
        (
            format!(
                "{}/resourceGroups/none/providers/Microsoft.Storage/storageAccounts/x",
                subscription(FIRST)
            ),
            "404 ResourceGroupNotFound",
        ),
        (
            format!("{}/providers/Microsoft.Authorization/teapots/x", subscription(FIRST)),
            "404 InvalidResourceType",
        ),
        ("/teapots".to_owned(), "404 InvalidRequestUri"),
        (group("nowhere"), "404 NotFound"),
        (format!("{}/descendants", group("nowhere")), "404 NotFound"),
    ];
    for (path, expected) in table {
        assert_eq!(client.get(&path).told(), expected, "{path}");
    }
    let wrong = client.get(&format!(
        "{}/providers/Microsoft.Authorization/locks?api-version=2050-01-01",
        subscription(FIRST)
    ));
    assert!(wrong.body.contains("2020-05-01"), "it says which are supported: {}", wrong.body);
    simulator.edit(|world| world.settings.hide_unknown_groups = true);
    assert_eq!(client.get(&group("nowhere")).told(), "403 AuthorizationFailed");
}

#[test]
fn a_token_is_needed_and_says_who_calls() {
    let simulator = simulator(1);
    let writer = Client::new(&simulator);
    let reader = Client::reader(&simulator);
    let path = format!("{}?api-version=2022-12-01", subscription(FIRST));
    let none = writer.send("GET", &path, "", "").unwrap();
    assert_eq!(none.told(), "401 AuthenticationFailed");
    assert!(none.header("www-authenticate").unwrap().starts_with("Bearer "));
    assert_eq!(reader.get(&subscription(FIRST)).status, 200);
    let tags = format!("{}/providers/Microsoft.Resources/tags/default", subscription(FIRST));
    let body = json!({"operation": "Merge", "properties": {"tags": {"team": "a"}}});
    assert_eq!(reader.call("PATCH", &tags, &body).told(), "403 AuthorizationFailed");
    let summarize =
        format!("{}/providers/Microsoft.PolicyInsights/policyStates/latest/summarize", subscription(FIRST));
    assert_eq!(reader.call("POST", &summarize, &Value::Null).status, 200, "a question, though it is a POST");
    assert_eq!(writer.call("PATCH", &tags, &body).status, 200);
    let roles: Vec<String> = simulator.calls().into_iter().map(|call| call.role).collect();
    assert_eq!(roles, ["", "landfall-read", "landfall-read", "landfall-read", "landfall-write"]);
}

#[test]
fn every_answer_has_an_id_and_says_how_many_more_may_come() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let read = client.get(&subscription(FIRST));
    assert_eq!(read.header("x-ms-ratelimit-remaining-subscription-reads"), Some("249"));
    assert!(read.header("x-ms-request-id").is_some());
    let listed = client.get("/subscriptions");
    assert_eq!(listed.header("x-ms-ratelimit-remaining-tenant-reads"), Some("249"));
    assert_ne!(read.header("x-ms-request-id"), listed.header("x-ms-request-id"));
    let lock = format!("{}/providers/Microsoft.Authorization/locks/x", subscription(FIRST));
    let deleted = client.delete(&lock);
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    assert_eq!(deleted.header("x-ms-ratelimit-remaining-subscription-deletes"), Some("199"));
}

#[test]
fn the_log_names_provider_permission_and_whom_it_is_about() {
    let simulator = simulator(2);
    let client = Client::new(&simulator);
    let scope = subscription(SECOND);
    client.get("/subscriptions");
    client.get(&format!("{}/descendants?$top=5", group(DIRECTORY)));
    client.put(&format!("{}/subscriptions/{SECOND}", group("acme")), &Value::Null);
    client
        .get(&format!("{scope}/providers/microsoft.authorization/POLICYASSIGNMENTS?$filter=atExactScope()"));
    client
        .put(&format!("{}/providers/Microsoft.Authorization/policyAssignments/x", group("acme")), &json!({}));
    client.call(
        "POST",
        &format!("{scope}/providers/Microsoft.Subscription/rename"),
        &json!({"subscriptionName": "new"}),
    );
    client.call("POST", &format!("{scope}/providers/Microsoft.Security/register"), &Value::Null);
    client.put(&format!("{scope}/resourceGroups/rg"), &json!({"location": "westeurope"}));
    client.get(&format!("{scope}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/s"));
    let seen: Vec<String> = simulator
        .calls()
        .iter()
        .map(|call| format!("{}:{}@{}", call.service, call.operation, call.account))
        .collect();
    let expected = [
        format!("Microsoft.Resources:subscriptions/read@{DIRECTORY}"),
        format!("Microsoft.Management:managementGroups/descendants/read@{DIRECTORY}"),
        format!("Microsoft.Management:managementGroups/subscriptions/write@{SECOND}"),
        format!("Microsoft.Authorization:policyAssignments/read@{SECOND}"),
        "Microsoft.Authorization:policyAssignments/write@acme".to_owned(),
        format!("Microsoft.Subscription:rename/action@{SECOND}"),
        format!("Microsoft.Security:register/action@{SECOND}"),
        format!("Microsoft.Resources:subscriptions/resourceGroups/write@{SECOND}"),
        format!("Microsoft.Storage:storageAccounts/read@{SECOND}"),
    ];
    assert_eq!(seen, expected);
    let calls = simulator.calls();
    assert_eq!(calls[1].api_version().as_deref(), Some("2023-04-01"));
    assert!(calls[3].query.contains("atExactScope"));
    assert_eq!(calls[5].parameters, json!({"subscriptionName": "new"}));
    assert_eq!((calls[4].status, calls[4].error.as_deref()), (Some(400), Some("InvalidRequestContent")));
}

#[test]
fn a_subscription_that_is_not_active_shows_and_deletes_only() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let lock = format!("{}/providers/Microsoft.Authorization/locks/x", subscription(FIRST));
    let body = json!({"properties": {"level": "CanNotDelete"}});
    let table = [
        ("Enabled", "201"),
        ("PastDue", "201"),
        ("Warned", "409 ReadOnlyDisabledSubscription"),
        ("Disabled", "409 ReadOnlyDisabledSubscription"),
        ("Deleted", "404 SubscriptionNotFound"),
    ];
    for (state, expected) in table {
        simulator.edit(|world| {
            let found = world.subscription_mut(FIRST).unwrap();
            state.clone_into(&mut found.state);
            found.governance.locks.clear();
        });
        assert_eq!(client.put(&lock, &body).told(), expected, "{state}");
        if state != "Deleted" {
            assert_eq!(client.get(&subscription(FIRST)).json()["state"], state);
            assert!(matches!(client.delete(&lock).status, 200 | 204), "{state}");
        }
    }
    assert_eq!(client.get("/subscriptions").json()["value"], json!([]));
}

#[test]
fn resource_providers_have_to_be_registered_first() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let scope = subscription(FIRST);
    let export = format!("{scope}/providers/Microsoft.Insights/diagnosticSettings/x");
    let body = json!({"properties": {"workspaceId": "/w", "logs": [{"category": "Administrative", "enabled": true}]}});
    let plans = format!("{scope}/providers/Microsoft.Security/pricings");
    assert_eq!(client.put(&export, &body).told(), "409 MissingSubscriptionRegistration");
    assert_eq!(client.get(&plans).told(), "404 Subscription Not Registered", "Defender answers for itself");
    let provider = format!("{scope}/providers/Microsoft.Insights");
    let state =
        |answer: &crate::client::Answer| answer.json()["registrationState"].as_str().unwrap().to_owned();
    assert_eq!(state(&client.get(&provider)), "NotRegistered");
    let register = format!("{provider}/register?api-version=2025-04-01");
    assert_eq!(state(&client.call("POST", &register, &Value::Null)), "Registering");
    assert_eq!(client.put(&export, &body).told(), "409 MissingSubscriptionRegistration");
    let looks: Vec<String> = (0..3).map(|_| state(&client.get(&provider))).collect();
    assert_eq!(looks, ["Registering", "Registered", "Registered"]);
    assert_eq!(client.put(&export, &body).status, 200);
    assert_eq!(
        state(&client.call("POST", &register, &Value::Null)),
        "Registered",
        "asking twice does no harm"
    );
    assert_eq!(
        client.get(&format!("{scope}/providers/Microsoft.Teapot")).told(),
        "404 InvalidResourceNamespace"
    );
    assert_eq!(
        client.put(&format!("{scope}/resourceGroups/rg"), &json!({"location": "westeurope"})).status,
        201
    );
    let teapot =
        format!("{scope}/resourceGroups/rg/providers/Microsoft.Teapot/pots/x?api-version=2024-01-01");
    assert_eq!(
        client.put(&teapot, &json!({"location": "westeurope"})).told(),
        "404 InvalidResourceNamespace"
    );
}

#[test]
fn pages_are_followed_by_absolute_links_and_may_be_empty() {
    let simulator = simulator(7);
    let client = Client::new(&simulator);
    let path = format!("{}/descendants?$top=3", group(DIRECTORY));
    let first = client.get(&path).json();
    assert_eq!(first["value"].as_array().unwrap().len(), 3);
    assert!(first["nextLink"].as_str().unwrap().starts_with(&simulator.url()));
    let (all, pages) = client.pages(&path);
    assert_eq!((all.len(), pages), (8, 3), "seven subscriptions and the organization's root group");
    simulator.edit(|world| world.settings.empty_pages = true);
    assert_eq!(client.get(&path).json()["value"], json!([]));
    let (again, pages) = client.pages(&path);
    assert_eq!(again, all);
    assert_eq!(pages, 5);
    simulator.edit(|world| world.settings.page_size = 2);
    assert_eq!(client.pages("/subscriptions").0.len(), 7);
    assert_eq!(client.get(&format!("{}/descendants?$top=none", group(DIRECTORY))).status, 400);
}
