//! Azurite, Azure Storage as Microsoft emulates it: a process of one's own for each test.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test harness: a failure here is a failed test"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use landfall_azure::azurite::{ACCOUNT, right};

use crate::judges::installed;

/// Azurite's blobs and queues, in memory, on free loopback ports, stopped when dropped.
#[derive(Debug)]
pub struct Azurite {
    child: Child,
    blob: String,
    queue: String,
}

impl Azurite {
    /// Starts one of one's own; tests share none.
    pub fn start() -> Self {
        let program = installed(
            "tests/node/node_modules/azurite/dist/src/azurite.js",
            "tests/node/node_modules/.installed",
        );
        let mut child = Command::new("node")
            .arg(program)
            .args(["--blobPort", "0", "--queuePort", "0", "--tablePort", "0"])
            .args(["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let (tell, told) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        // Reads on to the end, so that a full pipe never stops the server.
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some((service, url)) = line.split_once(" service is successfully listening at ") {
                    drop(tell.send((service.to_owned(), url.trim().to_owned())));
                }
            }
        });
        // Port 0 is a free one, and the child itself says which: no other process can be mistaken for it.
        let (mut blob, mut queue) = (None, None);
        while blob.is_none() || queue.is_none() {
            match told.recv_timeout(Duration::from_secs(60)) {
                Ok((service, url)) if service == "Azurite Blob" => blob = Some(url),
                Ok((service, url)) if service == "Azurite Queue" => queue = Some(url),
                Ok(_) => {}
                Err(_) => {
                    drop(child.kill());
                    drop(child.wait());
                    panic!("Azurite did not start; run `tests/setup`")
                }
            }
        }
        Azurite { child, blob: blob.unwrap(), queue: queue.unwrap() }
    }

    /// Where its blobs are, as `http://127.0.0.1:PORT`: what `LANDFALL_AZURE_STORAGE` takes.
    pub fn blob(&self) -> &str {
        &self.blob
    }

    /// Where its queues are, as `http://127.0.0.1:PORT`.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// The address of a queue, as `LANDFALL_QUEUE` takes it.
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.queue)
    }

    /// Makes a container, and says its address as `LANDFALL_STORE` takes it.
    pub fn create_container(&self, name: &str) -> String {
        ask(&self.blob, "PUT", &format!("{name}?restype=container"), "", b"");
        format!("az://{ACCOUNT}/{name}")
    }

    /// Makes a queue, and says its address.
    pub fn create_queue(&self, name: &str) -> String {
        ask(&self.queue, "PUT", name, "", b"");
        self.queue_url(name)
    }

    /// Writes a blob, over the one that was there, and says its address.
    pub fn put(&self, container: &str, name: &str, bytes: &[u8]) -> String {
        ask(&self.blob, "PUT", &format!("{container}/{name}"), "x-ms-blob-type: BlockBlob\r\n", bytes);
        format!("az://{ACCOUNT}/{container}/{name}")
    }

    /// The first messages of a queue as they lie there, each with its text undecoded, in Azurite's own XML. Nothing is taken.
    pub fn peek(&self, queue: &str) -> String {
        ask(&self.queue, "GET", &format!("{queue}/messages?peekonly=true&numofmessages=32"), "", b"")
    }

    /// Puts a message into a queue as it is written here: the host's own encoding is the caller's.
    pub fn post(&self, queue: &str, text: &str) {
        let message = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        ask(&self.queue, "POST", &format!("{queue}/messages"), "", message.as_bytes());
    }
}

impl Azurite {
    /// A door before the blobs that asks for a bearer token, which Azurite itself only takes over TLS: whom `lets_in` knows goes in with a
    /// right of the account's, and everybody else gets 403.
    pub fn door(&self, lets_in: impl Fn(&str) -> bool + Send + Sync + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let behind = self.blob.strip_prefix("http://").unwrap().to_owned();
        let lets_in = Arc::new(lets_in);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (behind, lets_in) = (behind.clone(), lets_in.clone());
                std::thread::spawn(move || pass(&stream, &behind, &*lets_in));
            }
        });
        address
    }
}

/// One request through the door.
fn pass(stream: &TcpStream, behind: &str, lets_in: &dyn Fn(&str) -> bool) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let (mut headers, mut length, mut known) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => known = value.trim().strip_prefix("Bearer ").is_some_and(lets_in),
            "connection" => {}
            name => {
                if name == "content-length" {
                    length = value.trim().parse().unwrap();
                }
                headers += &line;
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut answer = b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_vec();
    if known {
        let (method, rest) = first.split_once(' ').unwrap();
        let (path, version) = rest.rsplit_once(' ').unwrap();
        let between = if path.contains('?') { '&' } else { '?' };
        let head = format!("{method} {path}{between}{} {}\r\n", signed(), version.trim_end());
        let mut there = TcpStream::connect(behind).unwrap();
        there.write_all(format!("{head}{headers}connection: close\r\n\r\n").as_bytes()).unwrap();
        there.write_all(&body).unwrap();
        answer.clear();
        there.read_to_end(&mut answer).unwrap();
    }
    drop((&*stream).write_all(&answer));
}

/// The account's right, as it stands in a query.
fn signed() -> String {
    let pairs = right().into_iter().map(|(name, value)| {
        // Only the signature has characters that mean something in a query.
        let value = value.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One request that must succeed, and the body of its answer.
fn ask(service: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
    let host = service.strip_prefix("http://").unwrap();
    let query = format!("{}{}", if path.contains('?') { "&" } else { "?" }, signed());
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} /{ACCOUNT}/{path}{query} HTTP/1.1\r\nhost: {host}\r\nx-ms-version: 2021-12-02\r\nconnection: close\r\n\
         content-type: application/xml\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    assert!(head.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
    body.to_owned()
}
