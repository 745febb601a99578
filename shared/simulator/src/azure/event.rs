//! Activity-log records as a diagnostic setting sends them to an event hub: several for one operation, names in capitals.
//!
//! <https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema#schema-from-storage-account-and-event-hubs>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{AzureWorld, CREATOR, group};
use crate::world::uuid;

/// A subscription was made by its alias and put into a group.
pub(crate) fn subscription_made(world: &mut AzureWorld, id: &str, name: &str, parent: &str, now: Timestamp) {
    let alias = format!("/providers/Microsoft.Subscription/aliases/{name}");
    let place = format!("{}/subscriptions/{id}", group::arm_id(parent));
    let made = correlation(world, "alias");
    for (result, signature) in [("Start", "Started."), ("Success", "Succeeded.Created")] {
        let record =
            record(world, &alias, "Microsoft.Subscription/aliases/write", result, signature, &made, now);
        world.events.push(record);
    }
    subscription_moved_as(world, &place, now);
}

/// A subscription was put into a group.
pub(crate) fn subscription_moved(world: &mut AzureWorld, id: &str, group: &str, now: Timestamp) {
    let place = format!("{}/subscriptions/{id}", group::arm_id(group));
    subscription_moved_as(world, &place, now);
}

fn subscription_moved_as(world: &mut AzureWorld, place: &str, now: Timestamp) {
    let moved = correlation(world, "move");
    let operation = "Microsoft.Management/managementGroups/subscriptions/write";
    for (result, signature) in [("Start", "Started."), ("Success", "Succeeded.OK")] {
        let record = record(world, place, operation, result, signature, &moved, now);
        world.events.push(record);
    }
}

fn correlation(world: &mut AzureWorld, what: &str) -> String {
    world.issued += 1;
    uuid(&format!("correlation {what} {}", world.issued))
}

fn record(
    world: &AzureWorld,
    resource: &str,
    operation: &str,
    result: &str,
    signature: &str,
    correlation: &str,
    now: Timestamp,
) -> Value {
    json!({
        "RoleLocation": "global",
        "time": now.to_string(),
        "resourceId": resource.to_ascii_uppercase(),
        "operationName": operation.to_ascii_uppercase(),
        "category": "Administrative",
        "resultType": result,
        "resultSignature": signature,
        "durationMs": "0",
        "callerIpAddress": "127.0.0.1",
        "correlationId": correlation,
        "identity": {
            "authorization": {
                "scope": resource,
                "action": operation,
                "evidence": {"role": "Owner", "roleAssignmentScope": "/", "principalId": CREATOR, "principalType": "User"},
            },
            "claims": {"http://schemas.microsoft.com/identity/claims/objectidentifier": CREATOR},
        },
        "level": "Information",
        "properties": {
            "eventCategory": "Administrative",
            "entity": resource,
            "message": operation,
            "hierarchy": world.directory.id,
        },
        "tenantId": world.directory.id,
    })
}
