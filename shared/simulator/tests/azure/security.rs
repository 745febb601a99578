//! Defender for Cloud.

use serde_json::{Value, json};

use crate::client::{Client, FIRST, simulator, subscription};

#[test]
fn plans_are_bought_one_by_one_with_what_belongs_to_them() {
    let simulator = simulator(1);
    simulator.edit(|world| world.subscription_mut(FIRST).unwrap().register("Microsoft.Security"));
    let client = Client::new(&simulator);
    let list = format!("{}/providers/Microsoft.Security/pricings", subscription(FIRST));
    let at = |plan: &str| format!("{list}/{plan}");
    let all = client.get(&list);
    assert!(all.listed("/name").len() >= 12 && all.json().get("nextLink").is_none());
    assert!(all.listed("/properties/pricingTier").iter().all(|tier| tier == "Free"));
    let put = |plan: &str, properties: Value| client.put(&at(plan), &json!({ "properties": properties }));
    let servers = put("virtualmachines", json!({"pricingTier": "Standard"})).json();
    assert_eq!(
        (&servers["name"], &servers["properties"]["subPlan"]),
        (&json!("VirtualMachines"), &json!("P2"))
    );
    assert!(servers["properties"]["enablementTime"].is_string());
    simulator.edit(|world| world.settings.failing_extensions = vec!["SensitiveDataDiscovery".to_owned()]);
    let extensions = json!([
        {"name": "OnUploadMalwareScanning", "isEnabled": "True", "additionalExtensionProperties": {"CapGBPerMonthPerStorageAccount": "10"}},
        {"name": "SensitiveDataDiscovery", "isEnabled": "True"},
    ]);
    let storage = put(
        "StorageAccounts",
        json!({"pricingTier": "Standard", "subPlan": "DefenderForStorageV2", "extensions": extensions}),
    );
    assert_eq!(storage.status, 200, "although one of them failed");
    let got = storage.json();
    let statuses: Vec<&str> = (0..2)
        .map(|n| got["properties"]["extensions"][n]["operationStatus"]["code"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["Succeeded", "Failed"]);
    let table = [
        (put("VirtualMachines", json!({"pricingTier": "Gold"})), "400 InvalidPricingTier"),
        (put("VirtualMachines", json!({"pricingTier": "Standard", "subPlan": "P9"})), "400 InvalidSubPlan"),
        (
            put(
                "KeyVaults",
                json!({"pricingTier": "Standard", "extensions": [{"name": "X", "isEnabled": "True"}]}),
            ),
            "400 InvalidExtension",
        ),
        (put("Teapots", json!({"pricingTier": "Standard"})), "404 ResourceNotFound"),
        (put("VirtualMachines", json!({"pricingTier": "Free"})), "200"),
    ];
    for (answer, expected) in table {
        assert_eq!(answer.told(), expected);
    }
    assert_eq!(client.get(&at("VirtualMachines")).json()["properties"].get("subPlan"), None);
}

#[test]
fn there_is_one_security_contact() {
    let simulator = simulator(1);
    simulator.edit(|world| world.subscription_mut(FIRST).unwrap().register("Microsoft.Security"));
    let client = Client::new(&simulator);
    let list = format!("{}/providers/Microsoft.Security/securityContacts", subscription(FIRST));
    let path = format!("{list}/default");
    assert_eq!(client.get(&list).json()["value"], json!([]));
    assert_eq!(client.get(&path).status, 404);
    let right = json!({"emails": "a@example.com;b@example.com", "isEnabled": true,
        "notificationsByRole": {"state": "On", "roles": ["Owner"]},
        "notificationsSources": [{"sourceType": "Alert", "minimalSeverity": "Medium"}, {"sourceType": "AttackPath", "minimalRiskLevel": "High"}]});
    let with = |name: &str, value: Value| {
        let mut properties = right.clone();
        properties[name] = value;
        client.put(&path, &json!({ "properties": properties })).told()
    };
    assert_eq!(with("phone", json!("")), "201");
    assert_eq!(with("phone", json!("+49 30 1")), "200");
    assert_eq!(with("emails", json!("nobody")), "400 InvalidSecurityContact");
    assert_eq!(
        with("notificationsByRole", json!({"state": "Sometimes", "roles": []})),
        "400 InvalidSecurityContact"
    );
    assert_eq!(
        with("notificationsByRole", json!({"state": "On", "roles": ["Everybody"]})),
        "400 InvalidSecurityContact"
    );
    assert_eq!(with("notificationsSources", json!([{"sourceType": "Alert"}])), "400 InvalidSecurityContact");
    assert_eq!(client.get(&list).listed("/name"), ["default"]);
    let other = format!("{list}/other");
    assert_eq!(client.put(&other, &json!({ "properties": right })).told(), "400 InvalidSecurityContactName");
    assert_eq!(
        client.get(&format!("{path}?api-version=2020-01-01-preview")).told(),
        "400 NoRegisteredProviderFound"
    );
}
