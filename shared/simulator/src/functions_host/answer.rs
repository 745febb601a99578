//! What the host makes of the handler's answer: `{"Outputs": {…}, "Logs": […], "ReturnValue": …}`.
//!
//! Follows `DefaultHttpWorkerService.cs`, `HttpScriptInvocationResultExtensions.cs` and `WorkerFunctionInvoker.cs` of the host.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::app::Function;

/// An invocation that succeeded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Completed {
    /// What each output binding was given.
    pub outputs: BTreeMap<String, Output>,
    /// `ReturnValue`.
    pub returned: Option<Output>,
    /// `Logs`.
    pub logs: Vec<String>,
}

/// A value that the handler gave to a binding.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// As it was written.
    Json(Value),
    /// A string that happens to be base64 is decoded, whatever it was meant to be.
    Bytes(Vec<u8>),
}

/// What the handler answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: http::StatusCode,
    pub(super) content_type: Option<String>,
    pub(super) body: bytes::Bytes,
}

/// What becomes of an answer.
#[derive(Debug)]
pub(super) enum Read {
    Completed(Completed),
    /// The host throws, and the invocation has failed.
    Failed(String),
    /// The host sets neither a result nor an exception: the invocation ends by its timeout.
    Never,
}

/// Reads an answer as `ProcessDefaultInvocationRequest` does.
pub(super) fn read(function: &Function, answered: &Answered) -> Read {
    let Answered { status, content_type, body } = answered;
    if !status.is_success() {
        let reason = status.canonical_reason().unwrap_or_default();
        let code = status.as_u16();
        return Read::Failed(format!("response status code does not indicate success: {code} ({reason})"));
    }
    if body.is_empty() {
        return Read::Never;
    }
    // `ReadAsAsync` has readers for JSON, XML and forms, and only the first can make the result.
    let media = content_type.as_deref().and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !matches!(media.to_ascii_lowercase().as_str(), "application/json" | "text/json") {
        return Read::Failed(format!("invalid HttpResponseMessage: no reader for the media type `{media}`"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Null) => Read::Never,
        Ok(Value::Object(fields)) => completed(function, &fields).map_or_else(Read::Failed, Read::Completed),
        Ok(_) => Read::Failed("invalid HttpResponseMessage: the answer is no object".to_owned()),
        Err(error) => Read::Failed(format!("invalid HttpResponseMessage: {error}")),
    }
}

fn completed(function: &Function, fields: &Map<String, Value>) -> Result<Completed, String> {
    // The reader does not tell upper from lower case.
    let field = |wanted: &str| {
        fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let logs = match field("Logs") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(lines)) => lines.iter().map(line).collect::<Result<_, _>>()?,
        Some(_) => return Err("invalid HttpResponseMessage: `Logs` is no list".to_owned()),
    };
    let given = match field("Outputs") {
        None | Some(Value::Null) => None,
        Some(Value::Object(outputs)) => Some(outputs),
        Some(_) => return Err("invalid HttpResponseMessage: `Outputs` is no object".to_owned()),
    };
    let mut outputs = BTreeMap::new();
    for binding in &function.outputs {
        let Some(given) = given else { continue };
        let value = given.get(&binding.name);
        let output = if binding.kind == "http" && binding.name != "$return" {
            Some(Output::Json(response(value)?))
        } else {
            value.filter(|value| !value.is_null()).map(output)
        };
        if let Some(output) = output {
            outputs.insert(binding.name.clone(), output);
        }
    }
    let returned = field("ReturnValue").filter(|value| !value.is_null());
    let names_return = function.outputs.iter().any(|binding| binding.name == "$return");
    let returned =
        returned.map(|value| if names_return { output(value) } else { Output::Json(value.clone()) });
    match &returned {
        Some(value) if names_return => {
            outputs.insert("$return".to_owned(), value.clone());
        }
        // An object that is returned counts as outputs of the same names.
        Some(Output::Json(Value::Object(fields))) => {
            let named = fields.iter().filter(|(name, value)| {
                !value.is_null() && function.outputs.iter().any(|binding| binding.name == **name)
            });
            outputs.extend(named.map(|(name, value)| (name.clone(), Output::Json(value.clone()))));
        }
        Some(_) | None => {}
    }
    Ok(Completed { outputs, returned, logs })
}

fn line(line: &Value) -> Result<String, String> {
    match line {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) => Ok(line.to_string()),
        Value::Array(_) | Value::Object(_) => {
            Err("invalid HttpResponseMessage: `Logs` holds something that is no line".to_owned())
        }
    }
}

/// `GetBindingValue`: whatever string can be base64 is taken for it, the empty one too.
fn output(value: &Value) -> Output {
    value
        .as_str()
        .and_then(|text| STANDARD.decode(text.split_ascii_whitespace().collect::<String>()).ok())
        .map_or_else(|| Output::Json(value.clone()), Output::Bytes)
}

/// `GetHttpOutputBindingResponse`: an output of the kind `http` is read into four fields; a string must be JSON itself. Without the
/// output the response is an empty object.
fn response(value: Option<&Value>) -> Result<Value, String> {
    const WRONG: &str =
        "failed while trying to deserialize to httpOutputBindingResponse; output is not in expected format";
    let Some(value) = value else { return Ok(Value::Object(Map::new())) };
    let parsed = match value.as_str() {
        Some(text) => serde_json::from_str(text).map_err(|_| WRONG.to_owned())?,
        None => value.clone(),
    };
    let Value::Object(fields) = parsed else { return Err(WRONG.to_owned()) };
    let field = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    let text = |value: Value| match value {
        Value::Number(number) => Ok(Value::String(number.to_string())),
        Value::String(_) | Value::Null => Ok(value),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(WRONG.to_owned()),
    };
    let headers = field("Headers");
    if !headers.is_null() && !headers.is_object() {
        return Err(WRONG.to_owned());
    }
    let mut response = Map::new();
    response.insert("StatusCode".to_owned(), text(field("StatusCode"))?);
    response.insert("Status".to_owned(), text(field("Status"))?);
    response.insert("Body".to_owned(), field("Body"));
    response.insert("Headers".to_owned(), headers);
    Ok(Value::Object(response))
}
