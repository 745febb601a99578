//! A server in this process that says what a test wants to hear, for the tests of every provider's client.
//!
//! Each request has a connection of its own. It speaks as much HTTP as the clients' tests need, and can fail as the wire does.
#![expect(
    clippy::expect_used,
    reason = "a test's server is a part of tests; it lives here so that every provider can use it"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// `GET`, `PUT`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// By their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its text.
    pub body: String,
}

impl Seen {
    /// One header; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// What it is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status, headers and a body.
    Say(u16, Vec<(&'static str, String)>, String),
    /// Hangs up in the middle of the answer.
    Cut,
    /// Says nothing, until the client hangs up.
    Silence,
}

/// An answer without headers of its own.
pub fn say(status: u16, body: impl Into<String>) -> Answer {
    Answer::Say(status, Vec::new(), body.into())
}

/// The server; it runs until the test's process ends.
#[derive(Debug)]
pub struct Server {
    /// Where it is.
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// `answer` is given the server's own address, the request, and how many came before it.
    pub fn start(answer: impl Fn(&str, &Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its own address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (own, shared) = (url.clone(), Arc::clone(&seen));
        let answer = Arc::new(move |seen: &Seen, before| answer(&own, seen, before));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&shared));
                std::thread::spawn(move || serve(&stream.expect("a connection"), &*answer, &seen));
            }
        });
        Server { url, seen }
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panicked with it").clone()
    }

    /// Method and path of each request.
    pub fn paths(&self) -> Vec<String> {
        self.requests().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Seen, usize) -> Answer, all: &Mutex<Vec<Seen>>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut seen = Seen {
        method: words.next().expect("a method"),
        path: words.next().expect("a path"),
        ..Seen::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        seen.headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; seen.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).expect("the whole body");
    seen.body = String::from_utf8(body).expect("a body of text");
    let before = {
        let mut all = all.lock().expect("no test panicked with it");
        all.push(seen.clone());
        all.len() - 1
    };
    let text = match answer(&seen, before) {
        Answer::Silence => {
            drop(reader.read(&mut [0]));
            return;
        }
        Answer::Say(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
            // A 204 has no body, and says no length.
            if status != 204 {
                text += &format!("content-length: {}\r\n", body.len());
            }
            for (name, value) in headers {
                text += &format!("{name}: {value}\r\n");
            }
            format!("{text}\r\n{body}")
        }
        Answer::Cut => {
            "HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: 100\r\n\r\n{\"value\":".to_owned()
        }
    };
    drop((&*stream).write_all(text.as_bytes()));
}
