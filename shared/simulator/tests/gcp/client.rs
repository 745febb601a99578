//! The smallest client that will do: one request, one connection, one answer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests: what fails here fails the test"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use landfall_simulator::gcp::{GcpOptions, GcpSimulator};
use serde_json::{Value, json};

pub(crate) const ROOT: &str = "organizations/123456789012";
pub(crate) const RESOURCES: &str = "/cloudresourcemanager.googleapis.com/v3";

/// A simulator with `projects` of the sample.
pub(crate) fn simulator(projects: usize) -> GcpSimulator {
    GcpSimulator::start(GcpOptions { projects, ..GcpOptions::default() }).unwrap()
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

    pub(crate) fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Number and word, as tables write them: `403 PERMISSION_DENIED`.
    pub(crate) fn told(&self) -> String {
        format!("{} {}", self.status, self.text("/error/status")).trim_end().to_owned()
    }

    /// `google.rpc.ErrorInfo`'s reason.
    pub(crate) fn reason(&self) -> String {
        self.text("/error/details/0/reason")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim())
    }

    /// The members of a list by one of their texts.
    pub(crate) fn listed(&self, field: &str, pointer: &str) -> Vec<String> {
        let all = self.json().get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        all.iter().map(|one| one.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned()).collect()
    }
}

pub(crate) struct Client {
    address: SocketAddr,
    token: String,
}

impl Client {
    pub(crate) fn new(simulator: &GcpSimulator) -> Self {
        Self::with(simulator, "landfall-write")
    }

    pub(crate) fn with(simulator: &GcpSimulator, token: &str) -> Self {
        Self { address: simulator.address(), token: token.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call("PATCH", path, body)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, &Value::Null)
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let authorization = format!("authorization: Bearer {}\r\n", self.token);
        self.send(method, &path.replace(' ', "%20"), &authorization, &body).unwrap()
    }

    /// Follows an operation to its end: what came of it, and how often it was looked at.
    pub(crate) fn finish(&self, api: &str, answer: &Answer) -> (Value, usize) {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let (mut operation, mut polls) = (answer.json(), 0);
        while operation["done"] != json!(true) {
            let name = operation["name"].as_str().unwrap().to_owned();
            operation = self.get(&format!("{api}/{name}")).json();
            polls += 1;
            assert!(polls < 20, "{operation}");
        }
        (operation, polls)
    }

    /// Every page of a list, and how many there were.
    pub(crate) fn pages(&self, path: &str, field: &str) -> (Vec<Value>, usize) {
        let (mut all, mut pages) = (Vec::new(), 1);
        let mut answer = self.get(path);
        loop {
            let json = answer.json();
            all.extend(json.get(field).and_then(Value::as_array).cloned().unwrap_or_default());
            match json.get("nextPageToken").and_then(Value::as_str) {
                None => return (all, pages),
                Some(token) => {
                    let joint = if path.contains('?') { '&' } else { '?' };
                    answer = self.get(&format!("{path}{joint}pageToken={token}"));
                }
            }
            pages += 1;
        }
    }

    /// `None` when the connection was cut before an answer.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let host =
            if headers.contains("host: ") { String::new() } else { format!("host: {}\r\n", self.address) };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}connection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
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
