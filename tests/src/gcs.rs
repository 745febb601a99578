//! fake-gcs-server, a Cloud Storage that nobody here wrote: a process of one's own for each test.
//!
//! object_store writes by Cloud Storage's XML API, which fake-gcs-server does not take
//! (<https://github.com/fsouza/fake-gcs-server/issues/331>), and it minds preconditions only of uploads by the JSON API in parts. So a door
//! stands before it that turns the one into the other: `PUT /bucket/object` with `x-goog-if-generation-match` becomes such an upload
//! with `ifGenerationMatch`. What is stored, which generation it has and who lost a race is fake-gcs-server's own say; everything
//! else passes as it is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test harness: a failure here is a failed test"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::judges::{installed, root};

/// A Cloud Storage in memory, on a free loopback port, stopped when dropped.
#[derive(Debug)]
pub struct Gcs {
    child: Child,
    /// fake-gcs-server itself.
    behind: String,
    door: String,
}

impl Gcs {
    /// Starts one of one's own; tests share none.
    pub fn start() -> Self {
        let python = installed("tests/.venv/bin/python", "tests/.venv/installed");
        // It has to be told its port, so a free one is looked for; somebody else may be faster.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let behind = free.local_addr().unwrap();
            drop(free);
            let mut child = Command::new(&python)
                .arg("-B")
                .arg(root().join("tests/python/fake_gcs.py"))
                .arg(behind.port().to_string())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("python starts");
            if started(&mut child) {
                let behind = behind.to_string();
                return Gcs { child, door: door(behind.clone()), behind };
            }
            drop(child.kill());
            drop(child.wait());
        }
        panic!("fake-gcs-server did not start; run `tests/setup`")
    }

    /// Where it is, as `LANDFALL_GCP_STORAGE` takes it.
    pub fn url(&self) -> &str {
        &self.door
    }

    /// Makes a bucket, and says its address as `LANDFALL_STORE` takes it.
    pub fn create_bucket(&self, name: &str) -> String {
        let body = json!({"name": name}).to_string();
        let head = "POST /storage/v1/b HTTP/1.1\r\ncontent-type: application/json\r\n";
        let (status, _) = ask(&self.behind, head, body.as_bytes());
        assert_eq!(status, 200, "bucket {name}");
        format!("gs://{name}")
    }

    /// Writes an object, over the one that was there, and says its address.
    pub fn put(&self, bucket: &str, name: &str, bytes: &[u8]) -> String {
        let (status, _) = upload(&self.behind, bucket, &escaped(name), &[], bytes);
        assert_eq!(status, 200, "object {name}");
        format!("gs://{bucket}/{name}")
    }
}

impl Drop for Gcs {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether the child said that it listens. It writes its log to either of its outputs, and both are read to the end, so that a full
/// pipe never stops it.
fn started(child: &mut Child) -> bool {
    let (tell, told) = mpsc::channel();
    let outputs: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for output in outputs {
        let tell = tell.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.contains("server started at") {
                    tell.send(()).ok();
                }
            }
        });
    }
    drop(tell);
    told.recv_timeout(Duration::from_secs(60)).is_ok()
}

/// The door: every connection is one request.
fn door(behind: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let behind = behind.clone();
            std::thread::spawn(move || pass(&stream, &behind));
        }
    });
    address
}

fn pass(stream: &TcpStream, behind: &str) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        match name.as_str() {
            "content-length" => length = value.parse().unwrap(),
            "host" | "connection" => {}
            _ => headers.push((name, value)),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let answer = match (method, path.trim_start_matches('/').split_once('/')) {
        ("PUT", Some((bucket, object))) if !path.contains('?') => {
            let (status, told) = upload(behind, &bucket.replace("%2D", "-"), object, &headers, &body);
            let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
            format!(
                "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 0\r\netag: \"{}\"\r\nx-goog-generation: {}\r\n\r\n",
                text("etag"),
                text("generation")
            )
            .into_bytes()
        }
        _ => {
            let mut head = first.clone();
            for (name, value) in &headers {
                head += &format!("{name}: {value}\r\n");
            }
            exchange(behind, &head, &body)
        }
    };
    drop((&*stream).write_all(&answer));
}

/// An upload by the JSON API in two parts, what the object is called and said to be, and what is in it:
/// <https://cloud.google.com/storage/docs/uploading-objects-from-memory>.
fn upload(
    behind: &str,
    bucket: &str,
    object: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> (u16, Value) {
    const BETWEEN: &str = "between-the-parts-of-an-upload";
    let metadata: Map<String, Value> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("x-goog-meta-")?.to_owned(), json!(value))))
        .collect();
    let condition = headers.iter().find(|(name, _)| name == "x-goog-if-generation-match");
    let condition = condition.map(|(_, value)| format!("&ifGenerationMatch={value}")).unwrap_or_default();
    let head = format!(
        "POST /upload/storage/v1/b/{bucket}/o?uploadType=multipart&name={object}{condition} HTTP/1.1\r\n\
         content-type: multipart/related; boundary={BETWEEN}\r\n"
    );
    let mut parts = format!(
        "--{BETWEEN}\r\ncontent-type: application/json\r\n\r\n{}\r\n--{BETWEEN}\r\ncontent-type: application/octet-stream\r\n\r\n",
        json!({"metadata": metadata})
    )
    .into_bytes();
    parts.extend_from_slice(body);
    parts.extend_from_slice(format!("\r\n--{BETWEEN}--\r\n").as_bytes());
    ask(behind, &head, &parts)
}

/// One request, its number and what its answer says, if that is JSON.
fn ask(behind: &str, head: &str, body: &[u8]) -> (u16, Value) {
    let answer = exchange(behind, head, body);
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer: {text}"));
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// One request and its whole answer, on a connection of its own. `head` is the first line and the headers but those that say how long it is.
fn exchange(behind: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(behind).unwrap();
    let length = body.len();
    let head = format!("{head}host: {behind}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

fn escaped(name: &str) -> String {
    name.replace('/', "%2F")
}
