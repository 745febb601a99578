//! Policies that Microsoft defines, those that landing zones meet.
//!
//! Ids are the published ones. The rules say what the published ones do, written anew for the part of the language that is
//! evaluated here; definitions without a rule of their own audit nothing.
//!
//! <https://learn.microsoft.com/azure/governance/policy/samples/built-in-policies>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::resource::{Resource, Resources};

pub(super) fn all() -> Resources {
    policies().into_iter().map(|policy| (policy.name.clone(), policy)).collect()
}

fn policies() -> Vec<Resource> {
    let list = |name: &str, about: &str, strong: Option<&str>| {
        let mut metadata = json!({"displayName": about, "description": about});
        if let (Some(strong), Some(members)) = (strong, metadata.as_object_mut()) {
            members.insert("strongType".to_owned(), json!(strong));
        }
        json!({ name: {"type": "Array", "metadata": metadata} })
    };
    let locations = list("listOfAllowedLocations", "Allowed locations", Some("location"));
    let allowed_types = list("listOfResourceTypesAllowed", "Allowed resource types", Some("resourceTypes"));
    let denied_types =
        list("listOfResourceTypesNotAllowed", "Not allowed resource types", Some("resourceTypes"));
    let encryption_sets = list("allowedEncryptionSets", "Allowed disk encryption set", None);
    let tag = json!({"tagName": {"type": "String", "metadata": {"displayName": "Tag Name"}}});
    vec![
        policy(
            "e56962a6-4747-49cd-b67b-bf8b01975c4c",
            "Allowed locations",
            "General",
            "Indexed",
            &locations,
            &json!({"allOf": [
                {"field": "location", "notIn": "[parameters('listOfAllowedLocations')]"},
                {"field": "location", "notEquals": "global"},
                {"field": "type", "notEquals": "Microsoft.AzureActiveDirectory/b2cDirectories"},
            ]}),
            "deny",
        ),
        policy(
            "e765b5de-1225-4ba3-bd56-1ac6695af988",
            "Allowed locations for resource groups",
            "General",
            "All",
            &locations,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Resources/subscriptions/resourceGroups"},
                {"field": "location", "notIn": "[parameters('listOfAllowedLocations')]"},
            ]}),
            "deny",
        ),
        policy(
            "a08ec900-254a-4555-9bf5-e42af04b5c5c",
            "Allowed resource types",
            "General",
            "Indexed",
            &allowed_types,
            &json!({"not": {"field": "type", "in": "[parameters('listOfResourceTypesAllowed')]"}}),
            "deny",
        ),
        chosen(
            "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
            "Not allowed resource types",
            "General",
            "All",
            Some(&denied_types),
            &json!({"allOf": [
                {"field": "type", "in": "[parameters('listOfResourceTypesNotAllowed')]"},
                {"value": "[field('type')]", "exists": true},
            ]}),
            "Deny",
        ),
        chosen(
            "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751",
            "Storage account public access should be disallowed",
            "Storage",
            "Indexed",
            None,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                {"not": {"field": "Microsoft.Storage/storageAccounts/allowBlobPublicAccess", "equals": "false"}},
            ]}),
            "Audit",
        ),
        modifies(
            chosen(
                "13502221-8df0-4414-9937-de9c5c4e396b",
                "Configure your Storage account public access to be disallowed",
                "Storage",
                "Indexed",
                None,
                &json!({"allOf": [
                    {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                    {"field": "Microsoft.Storage/storageAccounts/allowBlobPublicAccess", "equals": "true"},
                ]}),
                "Modify",
            ),
            super::STORAGE_ACCOUNT_CONTRIBUTOR,
            &json!([{
                "operation": "addOrReplace",
                "field": "Microsoft.Storage/storageAccounts/allowBlobPublicAccess",
                "value": false,
            }]),
        ),
        chosen(
            "fc4d8e41-e223-45ea-9bf5-eada37891d87",
            "Virtual machines and virtual machine scale sets should have encryption at host enabled",
            "Compute",
            "Indexed",
            None,
            &json!({"anyOf": [
                {"allOf": [
                    {"field": "type", "equals": "Microsoft.Compute/virtualMachines"},
                    {"field": "Microsoft.Compute/virtualMachines/securityProfile.encryptionAtHost", "notEquals": "true"},
                ]},
                {"allOf": [
                    {"field": "type", "equals": "Microsoft.Compute/virtualMachineScaleSets"},
                    {"field": "Microsoft.Compute/virtualMachineScaleSets/virtualMachineProfile.securityProfile.encryptionAtHost", "notEquals": "true"},
                ]},
            ]}),
            "Audit",
        ),
        chosen(
            "d461a302-a187-421a-89ac-84acdb4edc04",
            "Managed disks should use a specific set of disk encryption sets for the customer-managed key encryption",
            "Compute",
            "Indexed",
            Some(&encryption_sets),
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Compute/disks"},
                {"field": "Microsoft.Compute/disks/encryption.diskEncryptionSetId", "notIn": "[parameters('allowedEncryptionSets')]"},
            ]}),
            "Audit",
        ),
        chosen(
            "8405fdab-1faf-48aa-b702-999c9c172094",
            "Managed disks should disable public network access",
            "Compute",
            "Indexed",
            None,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Compute/disks"},
                {"field": "Microsoft.Compute/disks/networkAccessPolicy", "notIn": ["DenyAll", "AllowPrivate"]},
                {"field": "Microsoft.Compute/disks/publicNetworkAccess", "notEquals": "Disabled"},
            ]}),
            "Audit",
        ),
        chosen(
            "339353f6-2387-4a45-abe4-7f529d121046",
            "Guest accounts with owner permissions on Azure resources should be removed",
            "Security Center",
            "All",
            None,
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "AuditIfNotExists",
        ),
        chosen(
            "94e1c2ac-cbbe-4cac-a2b5-389c812dee87",
            "Guest accounts with write permissions on Azure resources should be removed",
            "Security Center",
            "All",
            None,
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "AuditIfNotExists",
        ),
        chosen(
            "404c3081-a854-4457-ae30-26a93ef643f9",
            "Secure transfer to storage accounts should be enabled",
            "Storage",
            "Indexed",
            None,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                {"field": "Microsoft.Storage/storageAccounts/supportsHttpsTrafficOnly", "notEquals": "true"},
            ]}),
            "Audit",
        ),
        chosen(
            "b2982f36-99f2-4db5-8eff-283140c09693",
            "Storage accounts should disable public network access",
            "Storage",
            "Indexed",
            None,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                {"field": "Microsoft.Storage/storageAccounts/publicNetworkAccess", "notEquals": "Disabled"},
            ]}),
            "Audit",
        ),
        chosen(
            "34c877ad-507e-4c82-993e-3452a6e0ad3c",
            "Storage accounts should restrict network access",
            "Storage",
            "Indexed",
            None,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
                {"field": "Microsoft.Storage/storageAccounts/networkAcls.defaultAction", "notEquals": "Deny"},
            ]}),
            "Audit",
        ),
        policy(
            "83a86a26-fd1f-447c-b59d-e51f44264114",
            "Network interfaces should not have public IPs",
            "Network",
            "Indexed",
            &json!({}),
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Network/networkInterfaces"},
                {"not": {"field": "Microsoft.Network/networkInterfaces/ipconfigurations[*].publicIpAddress.id", "notLike": "*"}},
            ]}),
            "deny",
        ),
        policy(
            "871b6d14-10aa-478d-b590-94f262ecfa99",
            "Require a tag on resources",
            "Tags",
            "Indexed",
            &tag,
            &json!({"field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false"}),
            "deny",
        ),
        policy(
            "96670d01-0a4d-4649-9c89-2d3abc0a5025",
            "Require a tag on resource groups",
            "Tags",
            "All",
            &tag,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Resources/subscriptions/resourceGroups"},
                {"field": "[concat('tags[', parameters('tagName'), ']')]", "exists": "false"},
            ]}),
            "deny",
        ),
        chosen(
            "a451c1ef-c6ca-483d-87ed-f49761e3ffb5",
            "Audit usage of custom RBAC roles",
            "General",
            "All",
            None,
            &json!({"allOf": [
                {"field": "type", "equals": "Microsoft.Authorization/roleDefinitions"},
                {"field": "Microsoft.Authorization/roleDefinitions/type", "equals": "CustomRole"},
            ]}),
            "Audit",
        ),
        chosen(
            "09024ccc-0c5f-475e-9457-b7c0d9ed487b",
            "There should be more than one owner assigned to your subscription",
            "Security Center",
            "All",
            None,
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "AuditIfNotExists",
        ),
        chosen(
            "4f11b553-d42e-4e3a-89be-32ca364cad4c",
            "A maximum of 3 owners should be designated for your subscription",
            "Security Center",
            "All",
            None,
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "AuditIfNotExists",
        ),
        chosen(
            "4f4f78b8-e367-4b10-a341-d9a4ad5cf1c7",
            "Subscriptions should have a contact email address for security issues",
            "Security Center",
            "All",
            None,
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "AuditIfNotExists",
        ),
        policy(
            "331e8ea8-378a-410f-a2e5-ae22f38bb0da",
            "Deploy the Linux Guest Configuration extension to enable Guest Configuration assignments on Linux VMs",
            "Guest Configuration",
            "Indexed",
            &json!({}),
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "deployIfNotExists",
        ),
        chosen(
            "2465583e-4e78-4c15-b6be-a36cbc7c8b0f",
            "Configure Azure Activity logs to stream to specified Log Analytics workspace",
            "Monitoring",
            "All",
            Some(
                &json!({"logAnalytics": {"type": "String", "metadata": {"displayName": "Primary Log Analytics workspace"}}}),
            ),
            &json!({"field": "type", "equals": "Microsoft.Resources/none"}),
            "DeployIfNotExists",
        ),
    ]
}

fn policy(
    id: &str,
    name: &str,
    category: &str,
    mode: &str,
    parameters: &Value,
    rule: &Value,
    effect: &str,
) -> Resource {
    let properties = json!({
        "displayName": name, "policyType": "BuiltIn", "mode": mode, "description": name,
        "metadata": {"version": "1.0.0", "category": category}, "version": "1.0.0", "versions": ["1.0.0"],
        "parameters": parameters, "policyRule": {"if": rule, "then": {"effect": effect}},
    });
    Resource::made(id, properties.as_object().cloned().unwrap_or_default(), Timestamp::UNIX_EPOCH)
}

/// A policy whose effect is a parameter with this default.
fn chosen(
    id: &str,
    name: &str,
    category: &str,
    mode: &str,
    parameters: Option<&Value>,
    rule: &Value,
    effect: &str,
) -> Resource {
    let allowed = match effect {
        "AuditIfNotExists" | "DeployIfNotExists" | "Modify" => json!([effect, "Disabled"]),
        _ => json!(["Audit", "Deny", "Disabled"]),
    };
    let mut parameters = parameters.cloned().unwrap_or_else(|| json!({}));
    if let Some(members) = parameters.as_object_mut() {
        let about =
            json!({"displayName": "Effect", "description": "Enable or disable the execution of the policy"});
        let parameter =
            json!({"type": "String", "metadata": about, "allowedValues": allowed, "defaultValue": effect});
        members.insert("effect".to_owned(), parameter);
    }
    policy(id, name, category, mode, &parameters, rule, "[parameters('effect')]")
}

/// A policy that changes what it hits, by an identity that needs this role:
/// <https://learn.microsoft.com/azure/governance/policy/concepts/effect-modify>
fn modifies(mut policy: Resource, role: &str, operations: &Value) -> Resource {
    let details = json!({
        "conflictEffect": "audit",
        "roleDefinitionIds": [format!("/providers/microsoft.authorization/roleDefinitions/{role}")],
        "operations": operations,
    });
    let then = policy.properties.get_mut("policyRule").and_then(|rule| rule.get_mut("then"));
    if let Some(then) = then.and_then(Value::as_object_mut) {
        then.insert("details".to_owned(), details);
    }
    policy
}
