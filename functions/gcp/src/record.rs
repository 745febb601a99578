//! What one entry of the audit log means for a project.
//!
//! A call that goes on writes an entry when it begins and one at its end (`operation.first`, `operation.last`); a call that failed writes
//! one too. Only an end that succeeded counts. Nothing but the method, its status and the ids is read.
//! <https://cloud.google.com/logging/docs/audit/understanding-audit-logs>,
//! <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry>.

use landfall_engine::tidy::tidy;
use landfall_model::id::{Provider, TenantId};
use landfall_model::trigger::Trigger;
use serde_json::Value;

use crate::trigger::Malformed;

/// What a call that succeeded means for its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Created,
    Joined,
    Moved,
    Changed,
    Closed,
}

impl Meaning {
    /// Methods are named by their word in Resource Manager's first version, and by the whole name in its third: the last word says it.
    fn of(service: &str, method: &str) -> Option<Self> {
        let word = method.rsplit('.').next().unwrap_or(method);
        match (service, word) {
            ("cloudresourcemanager.googleapis.com", "CreateProject") => Some(Meaning::Created),
            ("cloudresourcemanager.googleapis.com", "UndeleteProject") => Some(Meaning::Joined),
            ("cloudresourcemanager.googleapis.com", "MoveProject") => Some(Meaning::Moved),
            ("cloudresourcemanager.googleapis.com", "DeleteProject") => Some(Meaning::Closed),
            ("cloudresourcemanager.googleapis.com", "UpdateProject" | "SetIamPolicy" | "DeleteLien")
            | ("orgpolicy.googleapis.com", "CreatePolicy" | "UpdatePolicy" | "DeletePolicy")
            | ("iam.googleapis.com", "CreatePolicy" | "UpdatePolicy" | "DeletePolicy")
            | (
                "cloudbilling.googleapis.com",
                "AssignResourceToBillingAccount" | "UpdateProjectBillingInfo",
            )
            | ("serviceusage.googleapis.com", "EnableService" | "BatchEnableServices" | "DisableService") => {
                Some(Meaning::Changed)
            }
            _ => None,
        }
    }

    /// Whoever is not named is found by looking at everybody; for one setting more or less nobody does.
    pub(crate) fn trigger(self, tenant: Option<TenantId>) -> Trigger {
        let Some(tenant) = tenant else {
            return match self {
                Meaning::Created | Meaning::Joined | Meaning::Moved | Meaning::Closed => {
                    Trigger::Joined { tenant: None }
                }
                Meaning::Changed => Trigger::Ignored {
                    why: "no project is named; the next sweep sees what was changed".to_owned(),
                },
            };
        };
        match self {
            Meaning::Created => Trigger::Created { tenant },
            Meaning::Joined => Trigger::Joined { tenant: Some(tenant) },
            Meaning::Moved => Trigger::Moved { tenant },
            Meaning::Changed => Trigger::Changed { tenant },
            Meaning::Closed => Trigger::Closed { tenant },
        }
    }
}

/// Reads an entry, as a sink exports it and as Eventarc hands it over.
pub(crate) fn read(entry: &Value) -> Result<Trigger, Malformed> {
    let ignored = |why: String| Ok(Trigger::Ignored { why });
    if !entry.is_object() {
        return Err(Malformed::new("the entry is no object".to_owned()));
    }
    let Some(payload) = entry.get("protoPayload") else {
        return ignored("the entry is of no audit log".to_owned());
    };
    let text = |name: &str| payload.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let need =
        |name| text(name).ok_or_else(|| Malformed::new(format!("the entry has no `protoPayload.{name}`")));
    let (service, method) = (tidy(need("serviceName")?), tidy(need("methodName")?));
    let Some(meaning) = Meaning::of(&service, &method) else {
        return ignored(format!("nothing here listens to `{method}` of `{service}`"));
    };
    let above = entry.pointer("/resource/type").and_then(Value::as_str);
    if let Some(above @ ("organization" | "folder")) = above {
        return ignored(format!(
            "`{method}` was called on a resource of type `{above}`; the next sweep sees it"
        ));
    }
    let operation =
        |name: &str| entry.pointer(&format!("/operation/{name}")).and_then(Value::as_bool).unwrap_or(false);
    let code = payload.pointer("/status/code").and_then(Value::as_i64).unwrap_or(0);
    if code != 0 {
        let said = payload.pointer("/status/message").and_then(Value::as_str).unwrap_or("no word of why");
        return if meaning == Meaning::Created {
            Ok(Trigger::CreationFailed { why: format!("{} ({code})", tidy(said)) })
        } else {
            ignored(format!("`{method}` failed ({code}), so nothing happened"))
        };
    }
    if entry.get("operation").is_some_and(Value::is_object) && !operation("last") {
        return ignored(format!("`{method}` is under way; its end counts"));
    }
    Ok(meaning.trigger(project(entry, payload)))
}

/// The project that an entry is about. Some name it by its number, which is no id; then another field has the id.
fn project(entry: &Value, payload: &Value) -> Option<TenantId> {
    let named = payload.get("resourceName").and_then(Value::as_str).and_then(named);
    let pointers = ["/response/projectId", "/request/project/projectId", "/request/projectId"];
    let inside = pointers.into_iter().filter_map(|pointer| payload.pointer(pointer).and_then(Value::as_str));
    let label = entry.pointer("/resource/labels/project_id").and_then(Value::as_str);
    named.into_iter().chain(inside).chain(label).find_map(id)
}

/// `X` of `projects/X`, wherever it stands: in a full name, and in an attachment point, where slashes are encoded.
pub(crate) fn named(path: &str) -> Option<&str> {
    let (_, after) = path.split_once("projects/").or_else(|| path.split_once("projects%2F"))?;
    after.split(['/', '%', '?']).next()
}

/// A project's id; its number is none.
pub(crate) fn id(text: &str) -> Option<TenantId> {
    TenantId::new(Provider::Gcp, text).ok()
}
