//! Long-running operations on management groups: accepted at once, done after some polls.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>; the two addresses and the status that is
//! `Running` under HTTP 200 are as recorded in <https://github.com/Azure/azure-powershell/issues/16704>.

use jiff::Timestamp;
use serde_json::json;

use super::answer::{Answered, Good, not_found};
use super::request::Request;
use super::world::resource::key;
use super::world::{AzureWorld, ManagementGroup};

/// What is still being done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    /// `create`, `update` or `delete`.
    verb: &'static str,
    group: String,
    polls: u32,
    /// The group as it will be; `None` when it is to be deleted.
    outcome: Option<ManagementGroup>,
    done: bool,
}

/// Begins one; with no polls to wait for it takes effect at once, but is answered the same.
pub(crate) fn begin(
    world: &mut AzureWorld,
    request: &Request,
    group: &str,
    outcome: Option<ManagementGroup>,
) -> Good {
    let verb = match (&outcome, world.group(group)) {
        (None, _) => "delete",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => "create",
    };
    let polls = world.settings.operation_polls;
    let operation = Operation { verb, group: group.to_owned(), polls, outcome, done: false };
    world.operations.insert(key(group), operation);
    let kind = "Microsoft.Management/managementGroups";
    let body = json!({"id": super::world::group::arm_id(group), "type": kind, "name": group, "status": "NotStarted"});
    addressed(world, request, verb, group, Good::accepted(body))
}

fn addressed(world: &AzureWorld, request: &Request, verb: &str, group: &str, good: Good) -> Good {
    let base = format!("{}/providers/Microsoft.Management/operationResults/{verb}", world.endpoint);
    let version = request.version();
    good.header(
        "azure-asyncoperation",
        format!("{base}/asyncOperation/status/managementGroups/{group}?api-version={version}"),
    )
    .header("location", format!("{base}/managementGroups/{group}?api-version={version}"))
    .header("retry-after", world.settings.retry_after.to_string())
}

/// A look at an operation: each one brings it nearer to its end.
pub(crate) fn poll(world: &mut AzureWorld, request: &Request) -> Answered {
    let group = request.name().to_owned();
    let by_status = request.types.contains("asyncOperation");
    let Some(operation) = world.operations.get(&key(&group)) else {
        return Err(not_found("NotFound", format!("There is no operation on management group '{group}'.")));
    };
    let verb = operation.verb;
    let done = step(world, &group);
    let kind = "Microsoft.Management/managementGroups";
    let id = super::world::group::arm_id(&group);
    let good = match (done, by_status) {
        (false, true) => Good::ok(json!({"id": id, "type": kind, "name": group, "status": "Running"})),
        (false, false) => Good::accepted(json!({"id": id, "type": kind, "name": group, "status": "Running"})),
        (true, by_status) => {
            let mut shown = world.group(&group).map_or_else(
                || json!({"id": id, "type": kind, "name": group}),
                |found| found.show(&world.directory),
            );
            if let (true, Some(members)) = (by_status, shown.as_object_mut()) {
                members.insert("status".to_owned(), json!("Succeeded"));
            }
            return Ok(if verb == "delete" && !by_status { Good::no_content() } else { Good::ok(shown) });
        }
    };
    Ok(addressed(world, request, verb, &group, good))
}

/// Time passes for whoever looks, at the operation or at the group itself; answers whether it is done.
pub(crate) fn step(world: &mut AzureWorld, group: &str) -> bool {
    let Some(operation) = world.operations.get_mut(&key(group)) else { return true };
    if !operation.done && operation.polls > 0 {
        operation.polls -= 1;
        return false;
    }
    finish(world, group);
    true
}

/// Ends what is going on with a group.
pub(crate) fn finish(world: &mut AzureWorld, group: &str) {
    let Some(operation) = world.operations.get_mut(&key(group)) else { return };
    if std::mem::replace(&mut operation.done, true) {
        return;
    }
    let group = operation.group.clone();
    match operation.outcome.take() {
        None => drop(world.directory.management_groups.remove(&key(&group))),
        Some(mut outcome) => {
            // What was put on the group meanwhile stays.
            if let Some(present) = world.group(&group) {
                outcome.governance = present.governance.clone();
                outcome.version = present.version + 1;
            }
            outcome.updated_at = Timestamp::now();
            world.directory.management_groups.insert(key(&group), outcome);
        }
    }
}

pub(crate) fn finish_all(world: &mut AzureWorld) {
    let groups: Vec<String> = world.operations.keys().cloned().collect();
    groups.iter().for_each(|group| finish(world, group));
}
