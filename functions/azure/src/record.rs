//! What one record of the activity log means for a subscription.
//!
//! An operation writes a record when it starts, often one when it is accepted, and one at its end, in this order or another. Only an
//! end that succeeded counts. Nothing but the operation, its result and the ids is read: `level` is a number or a word, `identity`
//! text or an object, and the case of names and ids is anybody's guess.

use landfall_model::id::{Provider, TenantId};
use landfall_model::trigger::Trigger;
use serde_json::Value;

use crate::trigger::Malformed;

/// Ids are looked for this deep in a record's properties; the service's answer lies in them as text.
const DEEPEST: usize = 5;

/// How an operation stands.
enum Ending {
    Succeeded,
    UnderWay(String),
    Failed(String),
}

/// Reads a record as a diagnostic setting streams it (`resultType`), or as the API answers it (`status.value`).
pub(crate) fn read(record: &Value) -> Result<Trigger, Malformed> {
    let operation = word(field(record, "operationName"))
        .ok_or_else(|| Malformed("the record has no `operationName`".to_owned()))?;
    let result = word(field(record, "resultType")).or_else(|| word(field(record, "status")));
    let signature = word(field(record, "resultSignature"));
    let ending = result.or_else(|| signature?.split('.').next()).map(|result| {
        match result.to_ascii_lowercase().as_str() {
            "success" | "succeeded" => Ending::Succeeded,
            "start" | "started" | "accept" | "accepted" | "in progress" => {
                Ending::UnderWay(result.to_owned())
            }
            _ => Ending::Failed(signature.unwrap_or(result).to_owned()),
        }
    });
    let empty = Value::Null;
    let resource = word(field(record, "resourceId")).unwrap_or_default();
    tell(operation, ending, resource, field(record, "properties").unwrap_or(&empty), record)
}

/// Reads the data of an Event Grid event; how it ended is the end of its type.
pub(crate) fn resource_event(kind: &str, data: &Value, subject: &str) -> Result<Trigger, Malformed> {
    let operation = word(field(data, "operationName"))
        .ok_or_else(|| Malformed(format!("the event `{kind}` has no `data.operationName`")))?;
    let ending = if kind.to_ascii_lowercase().ends_with("success") {
        Ending::Succeeded
    } else {
        Ending::Failed(word(field(data, "status")).unwrap_or(kind).to_owned())
    };
    let resource = word(field(data, "resourceUri")).unwrap_or(subject);
    // `data.subscriptionId` is where the event was sent from; an alias's own subscription is nowhere in it.
    tell(operation, Some(ending), resource, &Value::Null, data)
}

/// What an operation that succeeded means for its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Created,
    Joined,
    Moved,
    Closed,
}

impl Meaning {
    fn of(operation: &str) -> Option<Self> {
        match operation.to_ascii_lowercase().as_str() {
            "microsoft.subscription/aliases/write" => Some(Meaning::Created),
            // New below a group, or moved from another: the record does not say which.
            "microsoft.management/managementgroups/subscriptions/write"
            | "microsoft.subscription/enable/action"
            | "microsoft.subscription/subscriptions/acceptownership/action" => Some(Meaning::Joined),
            // Out of its group means back below the directory's topmost one.
            "microsoft.management/managementgroups/subscriptions/delete" => Some(Meaning::Moved),
            "microsoft.subscription/cancel/action" => Some(Meaning::Closed),
            _ => None,
        }
    }

    /// Whoever is not named is found by looking at everybody.
    fn trigger(self, tenant: Option<TenantId>) -> Trigger {
        let Some(tenant) = tenant else { return Trigger::Joined { tenant: None } };
        match self {
            Meaning::Created => Trigger::Created { tenant },
            Meaning::Joined => Trigger::Joined { tenant: Some(tenant) },
            Meaning::Moved => Trigger::Moved { tenant },
            Meaning::Closed => Trigger::Closed { tenant },
        }
    }
}

fn tell(
    operation: &str,
    ending: Option<Ending>,
    resource: &str,
    properties: &Value,
    record: &Value,
) -> Result<Trigger, Malformed> {
    let Some(meaning) = Meaning::of(operation) else {
        return Ok(Trigger::Ignored { why: format!("nothing here listens to `{operation}`") });
    };
    match ending {
        None => Err(Malformed(format!("the record of `{operation}` has no `resultType`"))),
        Some(Ending::UnderWay(result)) => {
            Ok(Trigger::Ignored { why: format!("`{operation}` is under way (`{result}`); its end counts") })
        }
        Some(Ending::Failed(why)) if meaning == Meaning::Created => Ok(Trigger::CreationFailed { why }),
        Some(Ending::Failed(why)) => {
            Ok(Trigger::Ignored { why: format!("`{operation}` ended with `{why}`, so nothing happened") })
        }
        Some(Ending::Succeeded) => {
            let id = match meaning {
                // An alias is no subscription: whose it is stands in what the service answered, if anywhere.
                Meaning::Created => inside(properties, DEEPEST),
                Meaning::Joined | Meaning::Moved | Meaning::Closed => named(resource, properties, record),
            };
            Ok(meaning.trigger(id.as_deref().map(tenant).transpose()?))
        }
    }
}

/// The subscription that a record is about: in its resource, in `entity` of the hierarchy's own records, or in the scope that was
/// asked for.
fn named(resource: &str, properties: &Value, record: &Value) -> Option<String> {
    let pointers = ["/identity/authorization/scope", "/authorization/scope"];
    let scope = pointers.into_iter().find_map(|pointer| record.pointer(pointer)).and_then(Value::as_str);
    let places = [Some(resource), word(field(properties, "entity")), scope];
    places.into_iter().flatten().find_map(subscription).map(str::to_owned)
}

/// The part of a path that follows the last `subscriptions`: a management group may have that name too.
fn subscription(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').collect();
    let place = parts.iter().rposition(|part| part.eq_ignore_ascii_case("subscriptions"))?;
    parts.get(place + 1).copied().filter(|id| !id.is_empty())
}

/// The first `subscriptionId` anywhere inside, also in text that is JSON.
fn inside(value: &Value, deep: usize) -> Option<String> {
    if deep == 0 {
        return None;
    }
    match value {
        Value::Object(fields) => match word(field(value, "subscriptionId")) {
            Some(id) => Some(subscription(id).unwrap_or(id).to_owned()),
            None => fields.values().find_map(|value| inside(value, deep - 1)),
        },
        Value::Array(items) => items.iter().find_map(|value| inside(value, deep - 1)),
        Value::String(text) => inside(&serde_json::from_str(text).ok()?, deep - 1),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn tenant(id: &str) -> Result<TenantId, Malformed> {
    TenantId::new(Provider::Azure, &id.to_ascii_lowercase()).map_err(|error| Malformed(error.to_string()))
}

/// A field by its name, in whatever case.
fn field<'a>(value: &'a Value, wanted: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// A word, or the `value` of a word that comes with a translation. An empty one is none.
fn word(value: Option<&Value>) -> Option<&str> {
    let value = value?;
    value.as_str().or_else(|| field(value, "value")?.as_str()).filter(|word| !word.is_empty())
}
