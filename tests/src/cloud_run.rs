//! Google Cloud's function as the process that Cloud Run would start, and whoever posts to it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test harness: a failure here is a failed test"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::judges::gcp_function_binary;

/// A running function.
#[derive(Debug)]
pub struct CloudRun {
    child: Child,
    address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// A port that is free now, for a function that has to know its own address before it starts.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl CloudRun {
    /// Starts it with this environment and nothing else, and waits until it listens.
    pub fn start(environment: &[(&str, String)]) -> Self {
        let mut child = Command::new(gcp_function_binary())
            .env_clear()
            .env("PORT", "0")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the function starts");
        let said = Arc::new(Mutex::new(Vec::new()));
        let (tell, told) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let read: Value = serde_json::from_str(&line).unwrap_or_default();
                if read["message"] == "listening" {
                    // Nobody listens any more where it took too long.
                    tell.send(u16::try_from(read["port"].as_u64().unwrap()).unwrap()).ok();
                }
                lines.lock().unwrap().push(line);
            }
        });
        let Ok(port) = told.recv_timeout(Duration::from_secs(30)) else {
            drop(child.kill());
            panic!("the function does not listen: {:?}", said.lock().unwrap())
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        CloudRun { child, address, said, reader: Some(reader) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every line that it wrote.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        self.ask("POST", path, headers, body)
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut stream = TcpStream::connect(self.address).expect("the function is there");
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            head += &format!("content-length: {}\r\n", body.len());
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answered { status, headers, body: serde_json::from_str(body).unwrap_or_default() }
    }

    /// Asks it to end as Cloud Run does: SIGTERM, and ten seconds. Answers how it ended, and what it wrote.
    pub fn end(mut self) -> (Option<i32>, Vec<String>) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        let late = Instant::now() + Duration::from_secs(10);
        let ended = loop {
            match self.child.try_wait().unwrap() {
                Some(ended) => break ended,
                None if Instant::now() > late => panic!("the function does not end: {:?}", self.said()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        self.reader.take().unwrap().join().unwrap();
        (ended.code(), self.said())
    }
}

impl Drop for CloudRun {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
