//! An HTTP function from its client's side: the key at the door, and the response that the output makes.
//!
//! Follows `AuthenticationLevelHandler.cs`, `FunctionInvocationMiddleware.cs`, `HttpBinding.cs` and `RawScriptResult.cs` of the host.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::{Completed, Output};
use super::app::Binding;

/// What a client asks of an HTTP function.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `GET`, `POST`, …
    pub method: String,
    /// The query, decoded.
    pub query: BTreeMap<String, String>,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body, of a known length.
    pub body: Vec<u8>,
}

/// What the client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// An answer without a body.
    pub(super) fn bare(status: u16) -> Self {
        HttpAnswer { status, headers: BTreeMap::new(), body: Vec::new() }
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Whether the request may reach the function. The header counts before the query, and `authLevel` is `function` unless said.
pub(super) fn admitted(trigger: &Binding, asked: &Asked, key: &str) -> bool {
    if trigger.auth_level.as_deref().is_some_and(|level| level.eq_ignore_ascii_case("anonymous")) {
        return true;
    }
    let header = asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-functions-key"));
    let given = header.or_else(|| asked.query.iter().find(|(name, _)| name.eq_ignore_ascii_case("code")));
    given.is_some_and(|(_, given)| !given.is_empty() && given == key)
}

/// Whether the function's route takes the method; one that it does not take is a route that is not there.
pub(super) fn routed(trigger: &Binding, asked: &Asked) -> bool {
    trigger
        .methods
        .as_ref()
        .is_none_or(|methods| methods.iter().any(|method| method.eq_ignore_ascii_case(&asked.method)))
}

/// The response of an invocation that succeeded. `Err` where the host itself would throw while it writes, which is a 500.
pub(super) fn respond(outputs: &[Binding], completed: &Completed) -> Result<HttpAnswer, String> {
    let binding = outputs.iter().find(|binding| binding.kind == "http");
    let output = binding.and_then(|binding| completed.outputs.get(&binding.name));
    let content = match output {
        // Nothing was given: an empty response.
        None => return Ok(HttpAnswer::bare(if binding.is_some() { 200 } else { 204 })),
        Some(Output::Bytes(bytes)) => {
            return Ok(HttpAnswer {
                status: 200,
                headers: BTreeMap::from([("content-type".to_owned(), "application/octet-stream".to_owned())]),
                body: bytes.clone(),
            });
        }
        Some(Output::Json(content)) => content,
    };
    // A string is read as JSON where it is some.
    let read = content.as_str().and_then(|text| serde_json::from_str(text).ok());
    let content: Value = read.unwrap_or_else(|| content.clone());
    let Some(body) = member(&content, "body") else {
        return Ok(written(200, BTreeMap::new(), &content));
    };
    let mut headers = BTreeMap::new();
    if let Some(Value::Object(given)) = member(&content, "headers") {
        for (name, value) in given {
            if value.is_null() {
                return Err(format!("the header `{name}` is null"));
            }
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            headers.insert(name.to_ascii_lowercase(), value);
        }
    }
    // `TryParseStatusCode`: where `statusCode` is there, be it null, nobody looks at `status`; and here it always is.
    let status = member(&content, "statusCode").or_else(|| member(&content, "status"));
    let text = status.and_then(|status| status.as_str().and_then(|text| text.parse().ok()));
    let number = status.and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = text.or(number).unwrap_or(200);
    Ok(written(status, headers, body))
}

/// Objects and lists are written with indentation, and nothing says that they are JSON but a header of the handler's own.
fn written(status: u16, mut headers: BTreeMap<String, String>, body: &Value) -> HttpAnswer {
    let text = match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(_) => body.to_string(),
        Value::Array(_) | Value::Object(_) => serde_json::to_string_pretty(body).unwrap_or_default(),
    };
    let media = headers.entry("content-type".to_owned()).or_insert_with(|| "text/plain".to_owned());
    if !media.contains("charset") {
        media.push_str("; charset=utf-8");
    }
    HttpAnswer { status, headers, body: text.into_bytes() }
}

fn member<'a>(content: &'a Value, wanted: &str) -> Option<&'a Value> {
    content.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}
