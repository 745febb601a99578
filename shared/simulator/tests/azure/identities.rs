//! User-assigned identities, and who elsewhere may become them.

use serde_json::{Value, json};

use crate::client::{Client, FIRST, simulator, subscription};

#[test]
fn an_identity_holds_credentials_that_each_let_in_somebody_else() {
    let simulator = simulator(1);
    simulator.edit(|world| {
        let first = world.subscription_mut(FIRST).unwrap();
        first.register("Microsoft.ManagedIdentity");
        first.add_resource_group("ids", "westeurope");
    });
    let client = Client::new(&simulator);
    let identity = format!(
        "{}/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/deployer",
        subscription(FIRST)
    );
    let list = format!("{identity}/federatedIdentityCredentials");
    let one = |name: &str| format!("{list}/{name}");
    let trust = |subject: &str| json!({"properties": {"issuer": "https://x.example", "subject": subject, "audiences": ["a"]}});
    let call = |method: &str, path: &str, body: &Value| {
        client.call(method, &format!("{path}?api-version=2024-11-30"), body)
    };
    let get = |path: &str| call("GET", path, &Value::Null);

    assert_eq!(get(&list).told(), "404 ResourceNotFound", "there is no identity yet");
    assert_eq!(call("PUT", &one("one"), &trust("s")).told(), "404 ParentResourceNotFound");
    let made = call("PUT", &identity, &json!({"location": "westeurope"}));
    assert_eq!(made.told(), "201");
    assert_eq!(made.json()["properties"]["principalId"].as_str().unwrap().len(), 36);
    assert_eq!(get(&list).json()["value"], json!([]));
    assert_eq!(call("PUT", &one("one"), &trust("s")).told(), "201");
    assert_eq!(call("PUT", &one("one"), &trust("t")).told(), "200");
    assert_eq!(get(&list).json()["value"][0]["name"], "one");
    assert_eq!(get(&one("one")).json()["properties"], trust("t")["properties"]);
    let mut two = trust("u");
    two["properties"]["audiences"] = json!(["a", "b"]);
    let mut odd = trust("u");
    odd["properties"]["claims"] = json!("*");
    let table = [
        ("two", trust("t"), "409 Conflict"),
        ("two", two, "400 InvalidRequestContent"),
        ("two", odd, "400 InvalidRequestContent"),
        ("x", trust("u"), "400 BadRequest"),
        ("two", trust(" u"), "400 InvalidRequestContent"),
    ];
    for (name, body, expected) in table {
        assert_eq!(call("PUT", &one(name), &body).told(), expected, "{name} {body}");
    }
    for number in 2..=20 {
        assert_eq!(call("PUT", &one(&format!("c-{number}")), &trust(&number.to_string())).told(), "201");
    }
    assert_eq!(call("PUT", &one("c-21"), &trust("21")).told(), "400 BadRequest");
    assert_eq!(call("DELETE", &one("one"), &Value::Null).told(), "200");
    assert_eq!(call("DELETE", &one("one"), &Value::Null).told(), "204");
    assert_eq!(call("DELETE", &identity, &Value::Null).told(), "200");
    assert_eq!(get(&one("c-2")).told(), "404 ResourceNotFound", "they go with it");
}
