//! A subscription's own settings: tags, budgets, where its log goes, locks, resource groups and what is in them.

use serde_json::{Map, Value, json};

use crate::client::{Client, FIRST, group, simulator, subscription};

#[test]
fn tags_are_merged_replaced_and_deleted() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let path = format!("{}/providers/Microsoft.Resources/tags/default", subscription(FIRST));
    let patch = |operation: &str, tags: Value| {
        client.call("PATCH", &path, &json!({"operation": operation, "properties": {"tags": tags}}))
    };
    let now = || client.get(&path).json()["properties"]["tags"].clone();
    assert_eq!(now(), json!({}));
    assert_eq!(patch("Merge", json!({"Team": "a", "cost": "1"})).status, 200);
    assert_eq!(patch("Merge", json!({"team": "b"})).status, 200);
    assert_eq!(now(), json!({"Team": "b", "cost": "1"}), "names have no case");
    assert_eq!(patch("Delete", json!({"COST": "1"})).status, 200);
    assert_eq!(patch("Replace", json!({"x": "y"})).status, 200);
    assert_eq!(now(), json!({"x": "y"}));
    assert_eq!(client.get(&subscription(FIRST)).json()["tags"], json!({"x": "y"}));
    let many: Map<String, Value> = (0..51).map(|n| (format!("t{n}"), json!(""))).collect();
    let table = [
        (patch("Merge", Value::Object(many)), "400 TagsLimitExceeded"),
        (patch("Merge", json!({"x".repeat(513): ""})), "400 InvalidTagName"),
        (patch("Merge", json!({"x": "x".repeat(257)})), "400 InvalidTagValueLength"),
        (patch("Merge", json!({"a<b": ""})), "400 InvalidTagName"),
        (patch("Add", json!({})), "400 InvalidRequestContent"),
        (client.put(&path, &json!({"tags": {}})), "400 InvalidRequestContent"),
        (client.put(&path, &json!({"properties": {"tags": {"only": "this"}}})), "200"),
        (client.delete(&path), "200"),
    ];
    for (answer, expected) in table {
        assert_eq!(answer.told(), expected);
    }
    assert_eq!(now(), json!({}));
}

fn budget(amount: u32) -> Value {
    json!({"properties": {
        "category": "Cost", "amount": amount, "timeGrain": "Monthly", "timePeriod": {"startDate": "2026-11-01T00:00:00Z"},
        "notifications": {"half": {"enabled": true, "operator": "GreaterThan", "threshold": 50, "thresholdType": "Actual", "contactEmails": ["a@example.com"]}},
    }})
}

#[test]
fn a_budget_is_changed_by_who_has_seen_it_last() {
    let simulator = simulator(1);
    let client = Client::new(&simulator);
    let path = format!("{}/providers/Microsoft.Consumption/budgets/monthly", subscription(FIRST));
    assert_eq!(client.get(&path).status, 404);
    assert_eq!(client.put(&path, &budget(100)).status, 201);
    let got = client.get(&path).json();
    assert_eq!(got["properties"]["currentSpend"], json!({"amount": 0.0, "unit": "EUR"}));
    assert_eq!(
        got["properties"]["timePeriod"]["endDate"], "2036-11-01T00:00:00Z",
        "ten years unless it says otherwise"
    );
    assert_eq!(client.put(&path, &budget(200)).status, 409, "without an eTag");
    let with = |tag: &Value, change: &dyn Fn(&mut Value)| {
        let mut body = budget(200);
        body["eTag"] = tag.clone();
        change(&mut body["properties"]);
        client.put(&path, &body).status
    };
    let tag = got["eTag"].clone();
    assert_eq!(with(&json!("\"old\""), &|_| ()), 409);
    assert_eq!(
        with(&tag, &|properties| properties["timePeriod"]["startDate"] = json!("2026-12-01T00:00:00Z")),
        400
    );
    assert_eq!(with(&tag, &|properties| properties["timeGrain"] = json!("Annually")), 400);
    assert_eq!(with(&tag, &|_| ()), 200);
    assert_eq!(with(&tag, &|_| ()), 409, "it has a new one");
    let list = format!("{}/providers/Microsoft.Consumption/budgets", subscription(FIRST));
    assert_eq!(client.get(&list).listed("/name"), ["monthly"]);
    assert_eq!([client.delete(&path).status, client.delete(&path).status], [200, 404]);
    let fresh = |change: &dyn Fn(&mut Value)| {
        let mut body = budget(1);
        change(&mut body["properties"]);
        client.put(&path, &body).status
    };
    let six: Map<String, Value> =
        (0..6).map(|n| (format!("n{n}"), budget(1)["properties"]["notifications"]["half"].clone())).collect();
    assert_eq!(fresh(&|properties| properties["notifications"] = Value::Object(six.clone())), 400);
    assert_eq!(
        fresh(&|properties| properties["timePeriod"]["startDate"] = json!("2026-11-02T00:00:00Z")),
        400
    );
    assert_eq!(fresh(&|properties| properties["amount"] = json!(0)), 400);
    assert_eq!(fresh(&|properties| properties["notifications"]["half"]["operator"] = json!("More")), 400);
    assert_eq!(fresh(&|properties| properties["notifications"]["half"]["contactEmails"] = json!([])), 400);
    assert_eq!(fresh(&|properties| properties["category"] = json!("Time")), 400);
}

#[test]
fn logs_go_to_five_places_at_most() {
    let simulator = simulator(1);
    simulator.edit(|world| world.subscription_mut(FIRST).unwrap().register("Microsoft.Insights"));
    let client = Client::new(&simulator);
    let at =
        |scope: &str, name: &str| format!("{scope}/providers/Microsoft.Insights/diagnosticSettings/{name}");
    let body = |sink: &str, category: &str| json!({"properties": {"workspaceId": sink, "logs": [{"category": category, "enabled": true}]}});
    let own = subscription(FIRST);
    let first = client.put(&at(&own, "s0"), &body("/w0", "administrative"));
    assert_eq!(first.status, 200);
    assert_eq!(first.json()["properties"]["logs"].as_array().unwrap().len(), 8, "every category is shown");
    assert_eq!(
        client.put(&at(&own, "x"), &body("/W0", "Administrative")).told(),
        "409 Conflict",
        "same place, same category"
    );
    assert_eq!(client.put(&at(&own, "s1"), &body("/w0", "Policy")).status, 200);
    assert_eq!(client.put(&at(&own, "x"), &body("/w", "Nonsense")).told(), "400 BadRequest");
    assert_eq!(client.put(&at(&own, "x"), &json!({"properties": {"logs": []}})).told(), "400 BadRequest");
    for n in 2..5 {
        assert_eq!(client.put(&at(&own, &format!("s{n}")), &body(&format!("/w{n}"), "Security")).status, 200);
    }
    assert_eq!(client.put(&at(&own, "s5"), &body("/w5", "Alert")).told(), "409 Conflict");
    assert_eq!(client.put(&at(&own, "S4"), &body("/w4", "Alert")).status, 200, "replacing is no more");
    let list = format!("{own}/providers/Microsoft.Insights/diagnosticSettings");
    assert_eq!(client.get(&list).listed("/name").len(), 5);
    let above = at(&group("acme"), "s");
    assert_eq!(
        client.put(&format!("{above}?api-version=2020-01-01-preview"), &body("/w", "Policy")).status,
        200
    );
    assert_eq!(
        client.put(&format!("{above}?api-version=2020-01-01-preview"), &body("/w", "Security")).told(),
        "400 BadRequest"
    );
    assert_eq!(
        client.get(&format!("{list}?api-version=2020-01-01-preview")).told(),
        "400 NoRegisteredProviderFound"
    );
    assert_eq!([client.delete(&at(&own, "s0")).status, client.delete(&at(&own, "s0")).status], [200, 204]);
}

#[test]
fn locks_stop_deletions_below_them() {
    let simulator = simulator(1);
    simulator.edit(|world| {
        let found = world.subscription_mut(FIRST).unwrap();
        found.register("Microsoft.Storage");
        let properties = json!({});
        found.add_resource_group("rg", "westeurope").add_resource(
            "Microsoft.Storage/storageAccounts",
            "acct",
            "westeurope",
            &properties,
        );
    });
    let client = Client::new(&simulator);
    let rg = format!("{}/resourceGroups/rg", subscription(FIRST));
    let account = format!("{rg}/providers/Microsoft.Storage/storageAccounts/acct");
    let lock = |scope: &str| format!("{scope}/providers/Microsoft.Authorization/locks/keep");
    let level = |level: &str| json!({"properties": {"level": level, "notes": "why"}});
    assert_eq!(client.put(&lock(&rg), &level("cannotdelete")).json()["properties"]["level"], "CanNotDelete");
    assert_eq!(client.put(&lock(&rg), &level("CanNotDelete")).status, 200);
    assert_eq!(client.delete(&account).told(), "409 ScopeLocked");
    assert_eq!(client.delete(&rg).told(), "409 ScopeLocked");
    assert_eq!(client.call("PATCH", &account, &json!({"properties": {"a": 1}})).status, 200);
    assert_eq!(client.put(&lock(&rg), &level("ReadOnly")).status, 200);
    assert_eq!(client.call("PATCH", &account, &json!({"properties": {"a": 2}})).told(), "409 ScopeLocked");
    assert_eq!(client.delete(&lock(&rg)).status, 200, "a lock does not hold itself");
    assert_eq!(client.put(&lock(&account), &level("CanNotDelete")).status, 201);
    assert_eq!(client.delete(&account).told(), "409 ScopeLocked");
    assert_eq!(client.delete(&lock(&account)).status, 200);
    assert_eq!([client.delete(&account).status, client.delete(&account).status], [200, 204]);
    assert_eq!(client.put(&lock(&rg), &level("Sometimes")).told(), "400 InvalidRequestContent");
    assert_eq!(
        client.put(&lock(&rg), &json!({"properties": {"level": "ReadOnly", "reason": "x"}})).told(),
        "400 InvalidRequestContent"
    );
    assert_eq!(client.get(&lock(&rg)).told(), "404 LockNotFound");
    assert_eq!(client.delete(&rg).status, 200);
}

#[test]
fn resources_are_what_was_put() {
    let simulator = simulator(1);
    simulator.edit(|world| {
        world.subscription_mut(FIRST).unwrap().register("Microsoft.Network");
        world.subscription_mut(FIRST).unwrap().register("Microsoft.Insights");
    });
    let client = Client::new(&simulator);
    let rg = format!("{}/resourceGroups/rg", subscription(FIRST));
    let place = json!({"location": "westeurope", "tags": {"a": "b"}});
    assert_eq!([client.put(&rg, &place).status, client.put(&rg, &place).status], [201, 200]);
    assert_eq!(client.put(&rg, &json!({"location": "eastus"})).told(), "409 InvalidResourceGroupLocation");
    assert_eq!(
        client.put(&format!("{rg}2"), &json!({"location": "mars"})).told(),
        "400 LocationNotAvailableForResourceGroup"
    );
    assert_eq!(client.put(&format!("{rg}2"), &json!({})).told(), "400 LocationRequired");
    assert_eq!(client.call("HEAD", &rg, &Value::Null).status, 204);
    let net = format!("{rg}/providers/Microsoft.Network/virtualNetworks/net");
    let body = json!({"location": "West Europe", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}});
    assert_eq!(client.get(&net).told(), "404 ResourceNotFound");
    assert_eq!([client.put(&net, &body).status, client.put(&net, &body).status], [201, 200]);
    let got = client.get(&net.to_uppercase()).json();
    assert_eq!((&got["id"], &got["location"]), (&json!(net), &json!("westeurope")));
    assert_eq!(got["properties"]["provisioningState"], "Succeeded");
    let subnet = format!("{net}/subnets/inner");
    assert_eq!(client.put(&subnet, &json!({"properties": {"addressPrefix": "10.1.0.0/16"}})).status, 201);
    assert_eq!(client.put(&format!("{net}2/subnets/inner"), &json!({})).told(), "404 ParentResourceNotFound");
    assert_eq!(client.call("PATCH", &net, &json!({"tags": {"x": "y"}})).json()["tags"], json!({"x": "y"}));
    let actions = format!("{rg}/providers/microsoft.insights/actiongroups/oncall");
    let hears = json!({"location": "Global", "properties": {"groupShortName": "oncall", "enabled": true}});
    assert_eq!(client.put(&actions, &hears).status, 201);
    assert_eq!(
        client.get(&format!("{actions}?api-version=1999-01-01")).told(),
        "400 NoRegisteredProviderFound"
    );
    assert_eq!(client.get(&format!("{net}?api-version=today")).told(), "400 InvalidApiVersionParameter");
    let listed = client.get(&format!("{rg}/resources"));
    assert_eq!(
        listed.listed("/type"),
        [
            "Microsoft.Insights/actionGroups",
            "Microsoft.Network/virtualNetworks",
            "Microsoft.Network/virtualNetworks/subnets"
        ]
    );
    let only = client.get(&format!(
        "{}/resources?$filter=resourceType eq 'microsoft.network/virtualnetworks'",
        subscription(FIRST)
    ));
    assert_eq!(only.listed("/name"), ["net"]);
    assert_eq!(client.delete(&net).status, 200);
    assert_eq!(client.get(&subnet).status, 404, "what was inside is gone too");
}
