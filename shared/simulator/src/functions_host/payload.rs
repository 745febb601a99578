//! What the host sends: `{"Data": {<binding>: <value>}, "Metadata": {…}}`.
//!
//! Follows `ScriptInvocationContextExtensions.cs` (what is encoded how), `WorkerFunctionInvoker.cs` and `Utility.cs` (metadata from a
//! message that is itself JSON) and `HttpRequestExtensions.cs` of the host; `QueueTriggerBinding.cs`, `TimerInfo.cs`,
//! `EventHubTriggerBindingStrategy.cs`, `EventGridTriggerAttributeBindingProvider.cs` and `HttpTriggerAttributeBindingProvider.cs` of
//! the extensions for what each trigger says about itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::app::{Function, Retry};
use super::http::Asked;

/// A value as the host writes it: an object stays one, everything else is JSON a second time, inside a string.
/// `GetHttpScriptInvocationContextValue`.
fn encoded(value: &Value) -> Value {
    match value {
        Value::Object(_) => value.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Value::String(value.to_string())
        }
    }
}

/// `TimerInfo.cs`: the status is null where the timer has no monitor.
pub(super) fn timer(function: &Function, now: Timestamp, status: bool, past_due: bool) -> Value {
    let hour = SignedDuration::from_hours(1);
    let status = status.then(|| json!({"Last": now - hour, "Next": now, "LastUpdated": now - hour}));
    let value = json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": status, "IsPastDue": past_due});
    envelope(function, &value, Map::new(), now)
}

/// `QueueTriggerBinding.cs`. Times are written with their offset, and what else is no object as text, the count too.
pub(super) fn queue(function: &Function, id: &str, text: &str, dequeue_count: u32, now: Timestamp) -> Value {
    let offset = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    let mut metadata = Map::new();
    metadata.insert("DequeueCount".to_owned(), encoded(&json!(dequeue_count)));
    metadata.insert("ExpirationTime".to_owned(), json!(offset(now + SignedDuration::from_hours(168))));
    metadata.insert("Id".to_owned(), encoded(&json!(id)));
    metadata.insert("InsertionTime".to_owned(), json!(offset(now)));
    metadata.insert("NextVisibleTime".to_owned(), json!(offset(now + SignedDuration::from_mins(10))));
    metadata.insert("PopReceipt".to_owned(), encoded(&json!("AgAAAAMAAAAAAAAAexample=")));
    metadata.extend(members(text));
    envelope(function, &json!(text), metadata, now)
}

/// `EventHubTriggerBindingStrategy.cs`, many at once or one. With `dataType` `string` each event is a string; without one it is read
/// as JSON (`PocoTriggerArgumentBinding.cs`), and one that is none never reaches the function.
pub(super) fn event_hub(function: &Function, events: &[String], now: Timestamp) -> Result<Value, String> {
    let read = |event: &String| match function.trigger.data_type.as_deref() {
        Some("string") => Ok(json!(event)),
        Some("binary") => Ok(json!(STANDARD.encode(event))),
        Some(other) => Err(format!("the data type `{other}` is not simulated")),
        None => serde_json::from_str(event)
            .map_err(|error| format!("binding parameters to complex objects uses JSON: {error}")),
    };
    let values: Vec<Value> = events.iter().map(read).collect::<Result<_, _>>()?;
    let mut metadata = Map::new();
    metadata.insert(
        "PartitionContext".to_owned(),
        json!({
            "FullyQualifiedNamespace": "landfall.servicebus.windows.net",
            "EventHubName": "activity",
            "ConsumerGroup": "$Default",
            "PartitionId": "0",
        }),
    );
    let places = |place: usize| {
        let system = json!({"SequenceNumber": place, "Offset": place * 64, "PartitionKey": null, "EnqueuedTimeUtc": now});
        [
            ("PartitionKey", Value::Null),
            ("Offset", json!((place * 64).to_string())),
            ("SequenceNumber", json!(place)),
            ("EnqueuedTimeUtc", json!(now)),
            ("Properties", json!({})),
            ("SystemProperties", system),
        ]
    };
    let many = function.trigger.cardinality.as_deref().is_some_and(|many| many.eq_ignore_ascii_case("many"));
    if many {
        for (column, (name, _)) in places(0).into_iter().enumerate() {
            let values: Vec<Value> = (0..events.len())
                .filter_map(|place| places(place).into_iter().nth(column).map(|(_, value)| value))
                .collect();
            metadata.insert(format!("{name}Array"), encoded(&Value::Array(values)));
        }
        return Ok(envelope(function, &Value::Array(values), metadata, now));
    }
    // One by one: whoever invokes hands over one event at a time.
    for (name, value) in places(0) {
        if !value.is_null() {
            let time = name == "EnqueuedTimeUtc";
            metadata.insert(name.to_owned(), if time { value } else { encoded(&value) });
        }
    }
    if let Some(event) = events.first() {
        metadata.extend(members(event));
    }
    let value = values.into_iter().next().unwrap_or_default();
    Ok(envelope(function, &value, metadata, now))
}

/// `EventGridTriggerAttributeBindingProvider.cs`: the event is an object and stays one; its `data` is metadata too.
pub(super) fn event_grid(function: &Function, event: &Value, now: Timestamp) -> Value {
    let mut metadata = Map::new();
    if let Some(data) = event.get("data").filter(|data| !data.is_null()) {
        metadata.insert("data".to_owned(), encoded(data));
    }
    envelope(function, event, metadata, now)
}

/// `GetRequestAsJObject`: the key stands in `Query` and `Url`, as the client sent it. A body of no bytes is left out.
pub(super) fn http(function: &Function, url: &str, asked: &Asked, now: Timestamp) -> Value {
    let query: Map<String, Value> =
        asked.query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let headers: Map<String, Value> =
        asked.headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let mut request = json!({
        "Url": url,
        "Method": asked.method,
        "Query": query,
        "Headers": headers,
        "Params": {},
        "Identities": [{
            "AuthenticationType": "WebJobsAuthLevel",
            "IsAuthenticated": true,
            "Actor": null,
            "BootstrapContext": null,
            "Claims": [],
            "Label": null,
            "Name": null,
            "NameClaimType": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
            "RoleClaimType": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
        }],
    });
    let text = String::from_utf8_lossy(&asked.body);
    if let Some(request) = request.as_object_mut().filter(|_| !asked.body.is_empty()) {
        request.insert("Body".to_owned(), json!(text));
    }
    let mut metadata = members(&text);
    for (name, value) in asked.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("code")) {
        metadata.insert(name.clone(), encoded(&json!(value)));
    }
    metadata.insert("Query".to_owned(), Value::Object(query));
    let headers: Map<String, Value> =
        asked.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    metadata.insert("Headers".to_owned(), Value::Object(headers));
    envelope(function, &request, metadata, now)
}

/// `SetRetryContext`: only functions with a retry policy see it.
pub(super) fn retry(payload: &mut Value, policy: &Retry, attempt: u32, failed: Option<&str>) {
    if let Some(metadata) = payload.get_mut("Metadata").and_then(Value::as_object_mut) {
        let exception = failed.map(|why| json!({"Message": why}));
        let context =
            json!({"RetryCount": attempt, "MaxRetryCount": policy.max_retry_count, "Exception": exception});
        metadata.insert("RetryContext".to_owned(), context);
    }
}

fn envelope(function: &Function, value: &Value, mut metadata: Map<String, Value>, now: Timestamp) -> Value {
    let system = json!({"MethodName": function.name, "UtcNow": now, "RandGuid": "00000000-0000-4000-8000-00000000f00d"});
    metadata.insert("sys".to_owned(), system);
    let name = function.trigger.name.clone();
    json!({"Data": {name: encoded(value)}, "Metadata": metadata})
}

/// `ApplyBindingData`: what a message that is a JSON object holds at its top is metadata of its own. Lists and nulls are left out,
/// other values become text first, and names that end in `trigger` are skipped.
fn members(text: &str) -> Map<String, Value> {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(text) else { return Map::new() };
    fields
        .into_iter()
        .filter(|(name, _)| !name.to_ascii_lowercase().ends_with("trigger"))
        .filter_map(|(name, value)| {
            let value = match value {
                Value::Null | Value::Array(_) => return None,
                Value::Object(_) => value,
                Value::Bool(true) => encoded(&json!("True")),
                Value::Bool(false) => encoded(&json!("False")),
                Value::Number(number) => encoded(&json!(number.to_string())),
                Value::String(_) => encoded(&value),
            };
            Some((name, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_stay_objects() {
        assert_eq!(encoded(&json!({"a": [1]})), json!({"a": [1]}));
        assert_eq!(encoded(&json!("stringTest")), json!("\"stringTest\""));
        assert_eq!(encoded(&json!([{"a": 1}])), json!("[{\"a\":1}]"));
        assert_eq!(encoded(&json!(1)), json!("1"));
        assert_eq!(encoded(&Value::Null), json!("null"));
    }

    #[test]
    fn a_message_that_is_an_object_is_metadata_too() {
        let members = members(
            r#"{"work": "close", "n": 1, "on": true, "list": [], "none": null, "cause": {"a": 1}, "MyTrigger": "x"}"#,
        );
        let expected = json!({"work": "\"close\"", "n": "\"1\"", "on": "\"True\"", "cause": {"a": 1}});
        assert_eq!(Value::Object(members), expected);
    }
}
