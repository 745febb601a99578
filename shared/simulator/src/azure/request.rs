//! One call to ARM, understood: what it is about, on whose behalf, with which body.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::answer::bad;
use super::route::{Kind, Routed};
use super::scope::Scope;
use super::world::{READ_IDENTITY, WRITE_IDENTITY};
use crate::refusal::Refusal;
use crate::wire::Wire;

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The beginning of the token's text, which says nothing secret here.
    pub(crate) role: String,
    pub(crate) object: &'static str,
    pub(crate) read_only: bool,
}

impl Caller {
    /// Tokens are not checked: one that begins with `landfall-read` may only look, every other may do everything.
    pub(crate) fn of(token: &str) -> Self {
        let read_only = token.starts_with("landfall-read");
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let role = token.chars().take(32).take_while(plain).collect();
        Self { role, object: if read_only { READ_IDENTITY } else { WRITE_IDENTITY }, read_only }
    }
}

/// A request that has been routed.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) kind: Kind,
    pub(crate) scope: Scope,
    pub(crate) namespace: String,
    /// Without its namespace: `policyAssignments`.
    pub(crate) types: String,
    pub(crate) names: Vec<String>,
    pub(crate) versions: &'static [&'static str],
    /// ARM's permission without the namespace: `policyAssignments/write`.
    pub(crate) operation: String,
    pub(crate) path: String,
    /// By name in lower case.
    pub(crate) query: BTreeMap<String, String>,
    /// Null where there is none, or none that can be read.
    pub(crate) body: Value,
    pub(crate) caller: Caller,
    pub(crate) now: Timestamp,
    /// How long a policy takes until it binds.
    pub(crate) lag: Duration,
}

impl Request {
    pub(crate) fn new(wire: &Wire, routed: Routed, caller: Caller, now: Timestamp, lag: Duration) -> Self {
        let Routed { scope, namespace, kind, types, names, versions } = routed;
        let operation = operation(&wire.method, kind, &types);
        let query = wire.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned()))
            .collect();
        Self {
            method: wire.method.clone(),
            kind,
            scope,
            namespace,
            types,
            names,
            versions,
            operation,
            path: wire.uri.path().to_owned(),
            query,
            body: serde_json::from_slice(&wire.body).unwrap_or_default(),
            caller,
            now,
            lag,
        }
    }

    /// Whether it only looks: GET, HEAD, and the two questions that are asked by POST.
    pub(crate) fn reads(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD") || self.kind == Kind::PolicyStates
    }

    /// The type with its namespace.
    pub(crate) fn full_type(&self) -> String {
        format!("{}/{}", self.namespace, self.types)
    }

    /// The last name in the path, empty for a list.
    pub(crate) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    pub(crate) fn first_name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    pub(crate) fn version(&self) -> &str {
        self.query.get("api-version").map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// `$filter=atScope()`, or another word, in whatever case.
    pub(crate) fn filters(&self, word: &str) -> bool {
        let plain = |text: &str| text.to_ascii_lowercase().replace(' ', "");
        self.query("$filter").is_some_and(|filter| plain(filter).contains(&plain(word)))
    }

    /// The subscription or management group that the call is about; the directory for the rest.
    pub(crate) fn about(&self, directory: &str) -> String {
        let on_group = matches!(
            self.kind,
            Kind::Groups | Kind::Descendants | Kind::HierarchySettings | Kind::GroupSubscriptions
        );
        if self.kind == Kind::GroupSubscriptions && self.names.len() == 2 {
            return self.name().to_ascii_lowercase();
        }
        if on_group && !self.names.is_empty() {
            return self.first_name().to_owned();
        }
        if self.kind == Kind::OperationResults {
            return self.name().to_owned();
        }
        if let Scope::Group(id) = &self.scope {
            return id.clone();
        }
        self.scope.subscription().unwrap_or(directory).to_owned()
    }

    /// The body as an object.
    ///
    /// # Errors
    /// 400 InvalidRequestContent for everything else.
    pub(crate) fn object(&self) -> Result<&Map<String, Value>, Refusal> {
        self.body.as_object().ok_or_else(|| {
            invalid("The request content was invalid and could not be deserialized: 'Unexpected end when reading JSON.'")
        })
    }

    /// The body's `properties`, which most types require.
    pub(crate) fn properties(&self) -> Result<&Map<String, Value>, Refusal> {
        self.object()?.get("properties").and_then(Value::as_object).ok_or_else(|| {
            invalid("The request content was invalid and could not be deserialized: 'Required property 'properties' not found in JSON. Path '', line 1.'")
        })
    }
}

pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    bad("InvalidRequestContent", message)
}

/// Refuses members that the type does not have, as ARM's own providers do; what is read-only is let through and ignored.
pub(crate) fn only(
    members: &Map<String, Value>,
    at: &str,
    kind: &str,
    known: &[&str],
) -> Result<(), Refusal> {
    let unknown = members.keys().find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)));
    match unknown {
        None => Ok(()),
        Some(name) => Err(invalid(format!(
            "The request content was invalid and could not be deserialized: 'Could not find member '{name}' on object of type '{kind}'. Path '{at}{name}', line 1, position 1.'"
        ))),
    }
}

/// The envelope that every resource has; the first four are read-only.
pub(crate) const ENVELOPE: [&str; 5] = ["id", "name", "type", "systemData", "properties"];

fn operation(method: &Method, kind: Kind, types: &str) -> String {
    let verb = match method.as_str() {
        "GET" | "HEAD" => "read",
        "PUT" | "PATCH" => "write",
        "DELETE" => "delete",
        _ => "action",
    };
    // The permission to list what a subscription holds is one; resources of any type are read by their own.
    if kind == Kind::Resources {
        return "subscriptions/resources/read".to_owned();
    }
    format!("{types}/{verb}")
}
