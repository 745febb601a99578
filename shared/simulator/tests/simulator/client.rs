//! The smallest client that will do: one request, one connection, one answer.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests: what fails here fails the test"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use landfall_simulator::{Options, Simulator};
use serde_json::{Value, json};

pub(crate) const MEMBER: &str = "222222222222";

/// A simulator with `accounts` sample accounts.
pub(crate) fn simulator(accounts: usize) -> Simulator {
    Simulator::start(Options { accounts, ..Options::default() }).unwrap()
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

    /// The error code, however this protocol writes it.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        match json.get("__type").and_then(Value::as_str) {
            Some(kind) => kind.rsplit('#').next().unwrap().to_owned(),
            None => self.between("<Code>", "</Code>"),
        }
    }

    pub(crate) fn between(&self, from: &str, to: &str) -> String {
        let rest = self.body.split_once(from).map(|(_, rest)| rest).unwrap_or_default();
        rest.split_once(to).map(|(found, _)| found.to_owned()).unwrap_or_default()
    }
}

pub(crate) struct Client {
    address: SocketAddr,
    key: String,
}

impl Client {
    /// With the controller's own credentials.
    pub(crate) fn new(simulator: &Simulator) -> Self {
        Self { address: simulator.address(), key: "AKIACONTROLLER".to_owned() }
    }

    /// With those of a role in an account.
    pub(crate) fn assume(&self, account: &str, role: &str) -> Self {
        let answer = self.assume_role(account, role, None);
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self { address: self.address, key: answer.between("<AccessKeyId>", "</AccessKeyId>") }
    }

    pub(crate) fn assume_role(&self, account: &str, role: &str, external_id: Option<&str>) -> Answer {
        let mut form = format!("RoleArn=arn:aws:iam::{account}:role/{role}&RoleSessionName=landfall");
        if let Some(external_id) = external_id {
            form.push_str(&format!("&ExternalId={external_id}"));
        }
        self.query("sts", "us-east-1", "AssumeRole", &form)
    }

    pub(crate) fn organizations(&self, operation: &str, body: &Value) -> Answer {
        self.json("organizations", "AWSOrganizationsV20161128", "us-east-1", operation, body)
    }

    pub(crate) fn sqs(&self, operation: &str, body: &Value) -> Answer {
        self.json("sqs", "AmazonSQS", "us-east-1", operation, body)
    }

    pub(crate) fn iam(&self, operation: &str, form: &str) -> Answer {
        self.query("iam", "us-east-1", operation, form)
    }

    pub(crate) fn json(
        &self,
        service: &str,
        prefix: &str,
        region: &str,
        operation: &str,
        body: &Value,
    ) -> Answer {
        let target = format!("x-amz-target: {prefix}.{operation}\r\n");
        self.send("POST", "/", service, region, &target, &body.to_string()).unwrap()
    }

    pub(crate) fn query(&self, service: &str, region: &str, operation: &str, form: &str) -> Answer {
        let body = format!("Action={operation}&{form}");
        self.send("POST", "/", service, region, "", &body).unwrap()
    }

    pub(crate) fn rest(&self, method: &str, path: &str, service: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, service, "us-east-1", "", &body).unwrap()
    }

    /// Every page of an Organizations list, and how many there were.
    pub(crate) fn pages(&self, operation: &str, key: &str, mut body: Value) -> (Vec<Value>, usize) {
        let (mut all, mut pages) = (Vec::new(), 0);
        loop {
            let answer = self.organizations(operation, &body).json();
            all.extend(answer[key].as_array().unwrap().iter().cloned());
            pages += 1;
            match answer.get("NextToken") {
                Some(token) => body["NextToken"] = token.clone(),
                None => return (all, pages),
            }
        }
    }

    /// `None` when the connection was cut before an answer.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        service: &str,
        region: &str,
        headers: &str,
        body: &str,
    ) -> Option<Answer> {
        let Self { address, key } = self;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, Signature=0\r\n\
             {headers}content-length: {}\r\n\r\n{body}",
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
        self.send(method, &format!("/_landfall/{path}"), "none", "us-east-1", "", body).unwrap()
    }
}

/// An SCP of about `size` characters.
pub(crate) fn document(size: usize) -> String {
    let padding = "x".repeat(size.saturating_sub(90));
    json!({"Version": "2012-10-17", "Statement": [{"Sid": padding, "Effect": "Deny", "Action": "*", "Resource": "*"}]}).to_string()
}
