//! Who pays for a project: <https://cloud.google.com/billing/docs/reference/rest>

use serde_json::{Value, json};

use super::enabled;
use super::fields::{only, text};
use super::iam_policy;
use crate::gcp::answer::{Answered, bad, denied, precondition};
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::world::{GcpWorld, Governance, Project};
use crate::refusal::Refusal;

/// What is said of an account, where a test says something: `{"currencyCode": "USD", "open": false}` under `self`.
const ACCOUNT: &str = "cloudbilling/account";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    enabled::check(world, request)?;
    let (method, parts, verb) = request.asked();
    match (method, parts.as_slice(), verb) {
        ("GET", ["projects", project, "billingInfo"], "") => {
            let project = world.project(project).ok_or_else(|| request.unknown())?;
            Ok(info(world, project))
        }
        ("PUT", ["projects", project, "billingInfo"], "") => pay(world, request, project),
        ("GET", ["billingAccounts"], "") => {
            let all = world.billing_accounts.keys().map(|id| show(world, id));
            page(world, request, "billingAccounts", all, 100)
        }
        ("GET", ["billingAccounts", id], "") => {
            account(world, id)?;
            Ok(show(world, id))
        }
        ("GET", ["billingAccounts", id, "projects"], "") => {
            account(world, id)?;
            let paid =
                world.projects.values().filter(|project| project.billing_account.as_deref() == Some(id));
            page(world, request, "projectBillingInfo", paid.map(|project| info(world, project)), 100)
        }
        ("GET", ["billingAccounts", id], "getIamPolicy") => {
            iam_policy::get(&account(world, id)?.iam, request)
        }
        ("POST", ["billingAccounts", id], "setIamPolicy") => {
            account(world, id)?;
            let kept = world.billing_accounts.get_mut(*id).ok_or_else(|| request.unknown())?;
            iam_policy::set(&mut kept.iam, request)
        }
        _ => Err(request.unknown()),
    }
}

/// An account that is not there can't be told from one that may not be seen.
pub(super) fn account<'a>(world: &'a GcpWorld, id: &str) -> Result<&'a Governance, Refusal> {
    world.billing_accounts.get(id).ok_or_else(|| denied("The caller does not have permission"))
}

/// What an account is billed in.
pub(super) fn currency(account: &Governance) -> &str {
    let said = account.things(ACCOUNT).get("self").map(|said| text(said, "currencyCode"));
    said.filter(|code| !code.is_empty()).unwrap_or("EUR")
}

fn is_open(account: &Governance) -> bool {
    account.things(ACCOUNT).get("self").and_then(|said| said.get("open")) != Some(&Value::Bool(false))
}

fn show(world: &GcpWorld, id: &str) -> Value {
    let Some(account) = world.billing_accounts.get(id) else { return Value::Null };
    json!({
        "name": format!("billingAccounts/{id}"), "open": is_open(account), "displayName": "acme.example",
        "currencyCode": currency(account), "parent": world.organization.name(),
    })
}

fn info(world: &GcpWorld, project: &Project) -> Value {
    let mut info = json!({"name": format!("projects/{}/billingInfo", project.id), "projectId": project.id});
    let paid = project.billing_account.as_ref();
    if let (Some(id), Some(members)) = (paid, info.as_object_mut()) {
        members.insert("billingAccountName".to_owned(), json!(format!("billingAccounts/{id}")));
        if world.billing_accounts.get(id).is_some_and(is_open) {
            members.insert("billingEnabled".to_owned(), json!(true));
        }
    }
    info
}

fn pay(world: &mut GcpWorld, request: &Request, project: &str) -> Answered {
    only(&request.body, "", &["name", "projectId", "billingAccountName", "billingEnabled"])?;
    let name = request.text("billingAccountName");
    let id = match name {
        "" => None,
        _ => {
            let id = name
                .strip_prefix("billingAccounts/")
                .ok_or_else(|| bad(format!("Invalid billing account name: {name}")))?;
            if !is_open(account(world, id)?) {
                return Err(precondition(format!("Billing account {id} is not open.")));
            }
            Some(id.to_owned())
        }
    };
    let found = world.project_mut(project).ok_or_else(|| request.unknown())?;
    found.billing_account = id;
    let found = found.clone();
    Ok(info(world, &found))
}
