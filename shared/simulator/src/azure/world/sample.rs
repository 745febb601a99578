//! A deterministic directory for demonstrations, tests and benchmarks.

use jiff::Timestamp;

use super::{
    AzureWorld, CONTROLLER_SUBSCRIPTION, DIRECTORY, READ_IDENTITY, ROOT_GROUP, USER_ACCESS_ADMINISTRATOR,
};
use super::{CONTRIBUTOR, OWNER, WRITE_IDENTITY};

/// 1 January 2023: old enough that nothing takes the sample for newborn.
const BIRTH: i64 = 1_672_531_200;
const DAY: i64 = 86_400;

/// Subscriptions `3f2c0000-0000-4000-8000-00000000000N` below the tenant root group, as they come: nothing configured but that some
/// have been used. The `n`th differs, by `n % 4`: 1 nothing · 2 a storage account that anybody may read · 3 an owner
/// nobody knows and a Defender plan · 0 a foreign lock and diagnostic setting.
///
/// The first is the controller's own. The write identity owns the tenant root group, the read identity reads it.
pub(super) fn build(subscriptions: usize) -> AzureWorld {
    let mut world = AzureWorld::new(ROOT_GROUP);
    let tenant = format!("/providers/Microsoft.Management/managementGroups/{DIRECTORY}");
    world.give(&tenant, OWNER, WRITE_IDENTITY, "ServicePrincipal");
    world.give(&tenant, super::READER, READ_IDENTITY, "ServicePrincipal");
    for n in 1..=subscriptions {
        let id = format!("3f2c0000-0000-4000-8000-{n:012}");
        let name = if n == 1 { "platform".to_owned() } else { format!("team-{n:04}") };
        let days = i64::try_from(n).unwrap_or_default().min(1_000);
        let at = Timestamp::from_second(BIRTH + DAY * days).unwrap_or(Timestamp::UNIX_EPOCH);
        world.enter(&id, &name, DIRECTORY, at);
        if id != CONTROLLER_SUBSCRIPTION {
            use_it(&mut world, &id, n % 4);
        }
    }
    world
}

fn use_it(world: &mut AzureWorld, id: &str, way: usize) {
    let scope = format!("/subscriptions/{id}");
    match way {
        2 => {
            if let Some(subscription) = world.subscription_mut(id) {
                subscription.register("Microsoft.Storage");
                let group = subscription.add_resource_group("website", "westeurope");
                let public =
                    serde_json::json!({"allowBlobPublicAccess": true, "minimumTlsVersion": "TLS1_0"});
                group.add_resource("Microsoft.Storage/storageAccounts", "website", "westeurope", &public);
            }
        }
        3 => {
            let forgotten = "f0600000-0000-4000-8000-000000000003";
            world.add_principal(forgotten, "ServicePrincipal", "forgotten pipeline");
            world.give(&scope, CONTRIBUTOR, forgotten, "ServicePrincipal");
            world.give(&scope, USER_ACCESS_ADMINISTRATOR, forgotten, "ServicePrincipal");
            if let Some(subscription) = world.subscription_mut(id) {
                subscription.register("Microsoft.Security");
                if let Some(plan) = subscription.pricings.get_mut("keyvaults") {
                    plan.set("pricingTier", "Standard");
                }
            }
        }
        0 => {
            let lock = serde_json::json!({"level": "CanNotDelete", "notes": "ask the team first"});
            let export = serde_json::json!({"workspaceId": format!("{scope}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/team"),
                "logs": [{"category": "Administrative", "enabled": true}]});
            if let Some(governance) = world.at(&scope) {
                governance.locks.insert("team".to_owned(), super::Resource::new("team", &lock));
                governance
                    .diagnostic_settings
                    .insert("team".to_owned(), super::Resource::new("team", &export));
            }
        }
        _ => {}
    }
}
