//! The smallest client that will do: one request, one connection, one answer.

#![expect(clippy::unwrap_used, reason = "a helper of tests: what fails here fails the test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use landfall_simulator::azure::{AzureOptions, AzureSimulator};
use serde_json::{Value, json};

/// The controller's subscription, and two others of the sample.
pub(crate) const FIRST: &str = "3f2c0000-0000-4000-8000-000000000001";
pub(crate) const SECOND: &str = "3f2c0000-0000-4000-8000-000000000002";
pub(crate) const THIRD: &str = "3f2c0000-0000-4000-8000-000000000003";

pub(crate) const DIRECTORY: &str = landfall_simulator::azure::DIRECTORY;

/// A simulator with `subscriptions` of the sample.
pub(crate) fn simulator(subscriptions: usize) -> AzureSimulator {
    AzureSimulator::start(AzureOptions { subscriptions, ..AzureOptions::default() }).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The error code, empty when there is none.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        json.pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Status and code, as tables write them: `404 PolicyDefinitionNotFound`.
    pub(crate) fn told(&self) -> String {
        format!("{} {}", self.status, self.code()).trim_end().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    /// The members of `value` by one of their texts.
    pub(crate) fn listed(&self, pointer: &str) -> Vec<String> {
        let all = self.json().get("value").and_then(Value::as_array).cloned().unwrap_or_default();
        all.iter().map(|one| one.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned()).collect()
    }
}

/// Every type's version in this table, so that tests say only what they are about.
const VERSIONS: [(&str, &str); 16] = [
    ("/managementgroups", "2023-04-01"),
    ("/policyexemptions", "2022-07-01-preview"),
    ("/microsoft.authorization/policy", "2026-06-01"),
    ("/microsoft.authorization/role", "2022-04-01"),
    ("/microsoft.authorization/locks", "2020-05-01"),
    ("/microsoft.policyinsights/remediations", "2024-10-01"),
    ("/microsoft.policyinsights/", "2019-10-01"),
    ("/microsoft.consumption/", "2024-08-01"),
    ("/pricings", "2024-01-01"),
    ("/securitycontacts", "2023-12-01-preview"),
    ("/diagnosticsettings", "2021-05-01-preview"),
    ("/microsoft.subscription/", "2021-10-01"),
    ("/microsoft.insights/activitylogalerts", "2020-10-01"),
    ("/microsoft.insights/actiongroups", "2023-01-01"),
    ("/microsoft.storage/", "2024-01-01"),
    ("/microsoft.network/", "2024-05-01"),
];

fn version(path: &str) -> &'static str {
    let path = path.to_ascii_lowercase();
    let tail = path.rsplit_once("/providers/").map_or("", |(_, tail)| tail);
    let tail = format!("/{tail}");
    let found = VERSIONS.iter().find(|(part, _)| tail.contains(part));
    match found {
        Some((_, version)) => version,
        None if tail == "/" && !path.contains("/resource") && !path.ends_with("/providers") => "2022-12-01",
        None => "2025-04-01",
    }
}

pub(crate) struct Client {
    address: SocketAddr,
    token: &'static str,
}

impl Client {
    pub(crate) fn new(simulator: &AzureSimulator) -> Self {
        Self { address: simulator.address(), token: "landfall-write" }
    }

    pub(crate) fn reader(simulator: &AzureSimulator) -> Self {
        Self { address: simulator.address(), token: "landfall-read" }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path, body)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &Value::Null)
    }

    /// With the version of the type, unless the path names one.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let (plain, query) = path.split_once('?').unwrap_or((path, ""));
        let path = if query.contains("api-version=") {
            path.to_owned()
        } else {
            let joint = if query.is_empty() { "" } else { "&" };
            format!("{plain}?{query}{joint}api-version={}", version(plain))
                .replace(' ', "%20")
                .replace('\'', "%27")
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authorization = format!("authorization: Bearer {}\r\n", self.token);
        self.send(method, &path, &authorization, &body).unwrap()
    }

    /// A link that an answer gave, as it is.
    pub(crate) fn follow(&self, link: &str) -> Answer {
        let path = link.strip_prefix(&format!("http://{}", self.address)).unwrap();
        self.send("GET", path, "authorization: Bearer landfall-write\r\n", "").unwrap()
    }

    /// Every page of a list, and how many there were.
    pub(crate) fn pages(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut all, mut pages) = (Vec::new(), 1);
        let mut answer = self.get(path);
        loop {
            let json = answer.json();
            all.extend(json.get("value").and_then(Value::as_array).unwrap().iter().cloned());
            match json.get("nextLink").and_then(Value::as_str) {
                None => return (all, pages),
                Some(link) => answer = self.follow(link),
            }
            pages += 1;
        }
    }

    /// `None` when the connection was cut before an answer.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let address = self.address;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, &format!("/_landfall/{path}"), "", body).unwrap()
    }
}

pub(crate) fn subscription(id: &str) -> String {
    format!("/subscriptions/{id}")
}

pub(crate) fn group(id: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{id}")
}

/// A policy object's id on a scope.
pub(crate) fn policy(scope: &str, kind: &str, name: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/{kind}/{name}")
}

/// A policy that denies what fulfils the condition.
pub(crate) fn denying(condition: &Value) -> Value {
    json!({"properties": {
        "displayName": "no", "mode": "All", "policyRule": {"if": condition, "then": {"effect": "deny"}},
    }})
}

pub(crate) fn assigning(definition: &str) -> Value {
    json!({"properties": {"policyDefinitionId": definition}})
}
