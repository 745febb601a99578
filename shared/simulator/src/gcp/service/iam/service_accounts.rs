//! Service accounts and their keys: <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts>

use serde_json::{Value, json};

use crate::gcp::access;
use crate::gcp::answer::{Answered, bad, not_found, there_already};
use crate::gcp::gate::forbidden;
use crate::gcp::page::page;
use crate::gcp::request::Request;
use crate::gcp::service::iam_policy;
use crate::gcp::world::{GcpWorld, IamPolicy, etag};
use crate::refusal::Refusal;

const ACCOUNTS: &str = "iam/serviceAccounts";
const POLICIES: &str = "iam/serviceAccountPolicies";
const KEYS: &str = "iam/serviceAccountKeys";

pub(super) fn answer(world: &mut GcpWorld, request: &Request) -> Answered {
    let (method, parts, verb) = request.asked();
    let (project, account) = whose(world, request)?;
    match (method, parts.get(3..).unwrap_or_default(), verb) {
        ("GET", [], "") => {
            let all = world.governance(&project).ok_or_else(|| forbidden(request))?.things(ACCOUNTS);
            page(world, request, "accounts", all.values().cloned(), 100)
        }
        ("POST", [], "") => create(world, request, &project),
        ("GET", [_], "") => one(world, &project, &account).cloned(),
        ("POST", [_], "disable" | "enable") => {
            let disabled = verb == "disable";
            change(world, &project, &account, |kept| {
                if disabled {
                    kept.insert("disabled".to_owned(), json!(true));
                } else {
                    kept.remove("disabled");
                }
            })?;
            Ok(Value::Null)
        }
        ("PATCH", [_], "") => {
            let asked = request.body.get("serviceAccount").cloned().unwrap_or_default();
            change(world, &project, &account, |kept| {
                for field in ["displayName", "description"] {
                    if let Some(value) = asked.get(field) {
                        kept.insert(field.to_owned(), value.clone());
                    }
                }
            })
        }
        ("DELETE", [_], "") => {
            one(world, &project, &account)?;
            if let Some(found) = world.at(&project) {
                found.things_mut(ACCOUNTS).remove(&account);
                found.things_mut(POLICIES).remove(&account);
            }
            Ok(Value::Null)
        }
        ("POST", [_], "getIamPolicy") => {
            one(world, &project, &account)?;
            iam_policy::get(&policy(world, &project, &account), request)
        }
        ("POST", [_], "setIamPolicy") => {
            one(world, &project, &account)?;
            let mut policy = policy(world, &project, &account);
            let shown = iam_policy::set(&mut policy, request)?;
            if let Some(found) = world.at(&project) {
                found.things_mut(POLICIES).insert(account, json!(policy));
            }
            Ok(shown)
        }
        ("POST", [_], "testIamPermissions") => Ok(access::tested(world, request)),
        ("GET", [_, "keys"], "") => {
            one(world, &project, &account)?;
            let all = world.governance(&project).map(|found| found.things(KEYS).clone()).unwrap_or_default();
            let of = format!("/serviceAccounts/{account}/");
            let wanted: Vec<&str> = request.queries("keyTypes").collect();
            let keys: Vec<Value> = all
                .into_values()
                .filter(|key| text(key, "name").contains(&of))
                .filter(|key| wanted.is_empty() || wanted.contains(&text(key, "keyType")))
                .collect();
            Ok(if keys.is_empty() { Value::Null } else { json!({ "keys": keys }) })
        }
        ("POST", [_, "keys"], "" | "upload") => {
            one(world, &project, &account)?;
            make_key(world, request, &project, &account)
        }
        ("DELETE", [_, "keys", id], "") => {
            let gone = world.at(&project).and_then(|found| found.things_mut(KEYS).remove(*id));
            gone.map(|_| Value::Null).ok_or_else(|| missing(id))
        }
        _ => Err(request.unknown()),
    }
}

fn text<'a>(thing: &'a Value, name: &str) -> &'a str {
    thing.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn missing(what: &str) -> Refusal {
    not_found(format!("Unknown service account: {what} does not exist."))
}

/// The project and the account's address. `projects/-` leaves the project to the address.
fn whose(world: &GcpWorld, request: &Request) -> Result<(String, String), Refusal> {
    let account = request.part(3);
    let holds = |id: &str| {
        let found = world.projects.get(id)?.governance.things(ACCOUNTS);
        let named = |one: &&Value| text(one, "email") == account || text(one, "uniqueId") == account;
        found.values().find(named).map(|one| text(one, "email").to_owned())
    };
    if request.part(1) == "-" {
        let found = world.projects.keys().find_map(|id| Some((format!("projects/{id}"), holds(id)?)));
        return found.ok_or_else(|| missing(account));
    }
    let id = world.project(request.part(1)).ok_or_else(|| forbidden(request))?.id.clone();
    let account = holds(&id).unwrap_or_else(|| account.to_owned());
    Ok((format!("projects/{id}"), account))
}

fn one<'a>(world: &'a GcpWorld, project: &str, account: &str) -> Result<&'a Value, Refusal> {
    let found = world.governance(project).and_then(|found| found.things(ACCOUNTS).get(account));
    found.ok_or_else(|| missing(account))
}

fn change(
    world: &mut GcpWorld,
    project: &str,
    account: &str,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> Answered {
    let found = world.at(project).and_then(|found| found.things_mut(ACCOUNTS).get_mut(account));
    let found = found.ok_or_else(|| missing(account))?;
    if let Some(members) = found.as_object_mut() {
        change(members);
    }
    Ok(found.clone())
}

fn policy(world: &GcpWorld, project: &str, account: &str) -> IamPolicy {
    let kept = world.governance(project).and_then(|found| found.things(POLICIES).get(account));
    kept.and_then(|kept| serde_json::from_value(kept.clone()).ok()).unwrap_or_default()
}

fn create(world: &mut GcpWorld, request: &Request, project: &str) -> Answered {
    let id = request.needs("accountId")?;
    let plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let starts = id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.ends_with('-');
    if !plain || !starts || !(6..=30).contains(&id.len()) {
        return Err(bad("Account id must be 6 to 30 lowercase letters, digits and hyphens."));
    }
    let home = project.strip_prefix("projects/").unwrap_or(project).to_owned();
    let email = format!("{id}@{home}.iam.gserviceaccount.com");
    if one(world, project, &email).is_ok() {
        return Err(there_already(format!("Service account {id} already exists within project {project}.")));
    }
    let mut made = world.service_account(project, id).unwrap_or_default();
    for field in ["displayName", "description"] {
        let value = request.text(&format!("serviceAccount.{field}"));
        if let (false, Some(members)) = (value.is_empty(), made.as_object_mut()) {
            members.insert(field.to_owned(), json!(value));
        }
    }
    if let Some(found) = world.at(project) {
        found.things_mut(ACCOUNTS).insert(email, made.clone());
    }
    Ok(made)
}

impl GcpWorld {
    /// A service account that is just there, as IAM shows it.
    fn service_account(&mut self, project: &str, id: &str) -> Option<Value> {
        let number = format!("1{:020}", self.number());
        let home = project.strip_prefix("projects/")?;
        let email = format!("{id}@{home}.iam.gserviceaccount.com");
        let made = json!({
            "name": format!("projects/{home}/serviceAccounts/{email}"), "projectId": home, "uniqueId": number,
            "email": email, "oauth2ClientId": number, "etag": etag(&email),
        });
        let found = self.at(project)?;
        found.things_mut(ACCOUNTS).insert(email, made.clone());
        Some(made)
    }

    /// A service account that is just there. Answers its address.
    pub fn add_service_account(&mut self, project: &str, id: &str) -> String {
        let made = self.service_account(&format!("projects/{project}"), id).unwrap_or_default();
        text(&made, "email").to_owned()
    }
}

/// A key that signs nothing.
fn make_key(world: &mut GcpWorld, request: &Request, project: &str, account: &str) -> Answered {
    let id = crate::world::hex(&format!("service account key {}", world.number()), 40);
    let home = project.strip_prefix("projects/").unwrap_or(project);
    let uploaded = request.verb == "upload";
    let key = json!({
        "name": format!("projects/{home}/serviceAccounts/{account}/keys/{id}"), "keyAlgorithm": "KEY_ALG_RSA_2048",
        "keyOrigin": if uploaded { "USER_PROVIDED" } else { "GOOGLE_PROVIDED" }, "keyType": "USER_MANAGED",
        "validAfterTime": request.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "validBeforeTime": "9999-12-31T23:59:59Z",
    });
    if let Some(found) = world.at(project) {
        found.things_mut(KEYS).insert(id, key.clone());
    }
    let mut shown = key;
    if let (false, Some(members)) = (uploaded, shown.as_object_mut()) {
        // `{}`: nobody's key.
        members.insert("privateKeyData".to_owned(), json!("e30="));
        members.insert("privateKeyType".to_owned(), json!("TYPE_GOOGLE_CREDENTIALS_FILE"));
    }
    Ok(shown)
}
