//! One call to an API of Google's, understood: what it is about, on whose behalf, with which body.

use http::Method;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{bad, not_found};
use super::route::Routed;
use super::service::{Service, compute};
use super::world::{GcpWorld, READ_IDENTITY, WRITE_IDENTITY};
use crate::refusal::Refusal;
use crate::wire::Wire;

/// Whom a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The beginning of the token's text, which says nothing secret here.
    pub(crate) role: String,
    /// As IAM writes members: `user:ada@acme.example`.
    pub(crate) principal: String,
    pub(crate) right: Right,
}

/// What a caller may do, before deny policies are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// It may look at everything.
    Look,
    Everything,
    /// What IAM policies say.
    Granted,
}

impl Caller {
    /// `None` for a token that nobody knows.
    pub(crate) fn of(world: &GcpWorld, token: &str) -> Option<Self> {
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let role = token.chars().take(32).take_while(plain).collect();
        let (principal, right) = match world.tokens.get(token) {
            Some(principal) => (principal.clone(), Right::Granted),
            None if token.starts_with("landfall-read") => (READ_IDENTITY.to_owned(), Right::Look),
            None if token.starts_with("landfall-write") || token.starts_with("landfall-own") => {
                (WRITE_IDENTITY.to_owned(), Right::Everything)
            }
            None => return None,
        };
        Some(Self { role, principal, right })
    }
}

/// A request that has been routed.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) service: &'static Service,
    pub(crate) version: String,
    /// The path behind the version, its parts decoded, without the custom verb.
    pub(crate) path: String,
    parts: Vec<String>,
    pub(crate) verb: String,
    query: Vec<(String, String)>,
    /// Null where there is none, or none that can be read.
    pub(crate) body: Value,
    pub(crate) caller: Caller,
    pub(crate) now: Timestamp,
}

impl Request {
    pub(crate) fn new(wire: &Wire, routed: Routed, caller: Caller, now: Timestamp) -> Self {
        let Routed { service, version, parts, verb } = routed;
        let query = form_urlencoded::parse(wire.uri.query().unwrap_or_default().as_bytes());
        Self {
            method: wire.method.clone(),
            service,
            version,
            path: parts.join("/"),
            parts,
            verb,
            query: query.into_owned().collect(),
            body: serde_json::from_slice(&wire.body).unwrap_or_default(),
            caller,
            now,
        }
    }

    /// Method, parts of the path and custom verb, for a `match`.
    pub(crate) fn asked(&self) -> (&str, Vec<&str>, &str) {
        (self.method.as_str(), self.parts(), &self.verb)
    }

    pub(crate) fn parts(&self) -> Vec<&str> {
        self.parts.iter().map(String::as_str).collect()
    }

    /// One part of the path, empty when there are fewer.
    pub(crate) fn part(&self, at: usize) -> &str {
        self.parts.get(at).map_or("", String::as_str)
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that may be given more than once.
    pub(crate) fn queries<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// A text of the body, empty when there is none; a dotted name goes down.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = name.split('.').try_fold(&self.body, |value, name| value.get(name));
        found.and_then(Value::as_str).unwrap_or_default()
    }

    /// The fields that `updateMask` names, in the spelling of JSON; without one, those that the body has.
    pub(crate) fn mask(&self) -> Vec<String> {
        let mask = self.query("updateMask").filter(|mask| !mask.is_empty());
        match mask {
            Some(mask) => mask.split(',').map(|field| camel(field.trim())).collect(),
            None => self.body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default(),
        }
    }

    /// Whether it only looks: GET, and the questions that are asked by POST.
    pub(crate) fn reads(&self) -> bool {
        const QUESTIONS: [&str; 9] =
            ["get", "list", "search", "test", "query", "batchGet", "analyze", "lookup", "fetch"];
        match self.method.as_str() {
            "GET" | "HEAD" => true,
            "POST" => {
                !self.verb.is_empty() && QUESTIONS.iter().any(|question| self.verb.starts_with(question))
            }
            _ => false,
        }
    }

    /// Whether it is one of those that show a write only after a while: lists and searches, and all of IAM's own.
    pub(crate) fn lags(&self) -> bool {
        if self.service.name == "compute" {
            let operation = self.operation();
            return [".list", ".aggregatedList"].iter().any(|list| operation.ends_with(list));
        }
        let one = !self.is_list() && self.verb.is_empty();
        self.reads() && (self.service.name == "iam" || !(one || self.verb.ends_with("IamPolicy")))
    }

    /// The method as the discovery document names it, without the service: `projects.serviceAccounts.list`.
    pub(crate) fn operation(&self) -> String {
        if self.service.name == "compute" {
            let (collection, verb) = compute::method(self.method.as_str(), &self.parts());
            return format!("{collection}.{verb}");
        }
        let types: Vec<&str> = self.parts.iter().step_by(2).map(String::as_str).collect();
        let verb = if self.verb.is_empty() { self.plain_verb() } else { &self.verb };
        format!("{}.{verb}", types.join("."))
    }

    /// Whether the path ends with a collection, and not with a name or with something that there is once only.
    fn is_list(&self) -> bool {
        const ALONE: [&str; 4] = ["accessApprovalSettings", "billingInfo", "serviceAccount", "settings"];
        !self.parts.len().is_multiple_of(2) && !ALONE.contains(&self.name())
    }

    /// What a method without a custom verb does.
    pub(crate) fn plain_verb(&self) -> &'static str {
        match self.method.as_str() {
            "GET" | "HEAD" if self.is_list() => "list",
            "GET" | "HEAD" => "get",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ => "options",
        }
    }

    /// The project, folder or organization that the call is about, as it was named.
    pub(crate) fn about(&self) -> Option<String> {
        let of_path = |at: usize| match (self.part(at), self.part(at + 1)) {
            (kind @ ("projects" | "folders" | "organizations" | "billingAccounts"), id)
                if !id.is_empty() && id != "-" =>
            {
                Some(format!("{kind}/{id}"))
            }
            _ => None,
        };
        // Deny policies hang on what stands in their second part: `policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme`.
        let attached = || {
            let point = self.parts.get(1).filter(|_| self.part(0) == "policies")?;
            point.strip_prefix("cloudresourcemanager.googleapis.com/").map(str::to_owned)
        };
        of_path(0).or_else(attached)
    }

    /// There is no such method.
    pub(crate) fn unknown(&self) -> Refusal {
        not_found("Method not found.")
    }

    /// A field that is needed and not there.
    pub(crate) fn needs<'a>(&'a self, name: &str) -> Result<&'a str, Refusal> {
        match self.text(name) {
            "" => Err(bad(format!("Required field `{name}` is missing."))),
            text => Ok(text),
        }
    }
}

/// `display_name` as `displayName`: both spellings are taken in field masks.
pub(crate) fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        all.push_str(&word.get(..1).unwrap_or_default().to_ascii_uppercase());
        all.push_str(word.get(1..).unwrap_or_default());
        all
    })
}
