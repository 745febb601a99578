//! What the conformance tests of all clouds have in common: a log is judged, what was judged is counted, and each fault that is put
//! into a right call is found.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "test code")]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::judges::{Verdict, python};

/// What disturbs a call.
pub type Fault = fn(&mut Value);

/// What is disturbed, in which call, how, and what the checker has to say.
pub type Faults = Vec<(&'static str, &'static str, Fault, &'static str)>;

/// Has a program of `tests/python` judge these calls.
pub fn check(script: &str, calls: &[Value]) -> Verdict {
    let log: String = calls.iter().map(|call| format!("{call}\n")).collect();
    python(script, &["--summary", "-"], &log)
}

/// What the judge did: how often each operation was judged, and what it had to leave out, by the reason.
#[derive(Debug)]
pub struct Counted {
    /// Operations.
    pub judged: BTreeMap<String, u64>,
    /// Reasons, and calls.
    pub skipped: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Counted {
    /// As the last line of the verdict says.
    pub fn of(verdict: &Verdict) -> Self {
        let last: Value = serde_json::from_str(verdict.said.lines().last().unwrap()).unwrap();
        Counted {
            judged: serde_json::from_value(last["judged"].clone()).unwrap(),
            skipped: serde_json::from_value(last["skipped"].clone()).unwrap(),
        }
    }

    /// Every call was judged, or left out for one of these reasons: what may be skipped is listed, so that no skip comes along unnoticed.
    pub fn covers(&self, calls: usize, reasons: &[&str]) {
        let Counted { judged, skipped } = self;
        println!(
            "{} of {calls} calls were judged, of {} operations:",
            judged.values().sum::<u64>(),
            judged.len()
        );
        for (operation, count) in judged {
            println!("{count:6} {operation}");
        }
        for (reason, calls) in skipped {
            println!("{} not judged: {reason}", calls.values().sum::<u64>());
            for (call, count) in calls {
                println!("{count:6} {call}");
            }
        }
        let all = judged.values().sum::<u64>() + skipped.values().flat_map(BTreeMap::values).sum::<u64>();
        assert_eq!(all, u64::try_from(calls).unwrap(), "none was left out in silence");
        let given: Vec<&str> = skipped.keys().map(String::as_str).collect();
        assert!(given.iter().all(|reason| reasons.contains(reason)), "{given:?}");
    }

    /// Whatever else changes, these are sent.
    pub fn has(&self, operations: &[&str]) {
        for operation in operations {
            assert!(self.judged.contains_key(*operation), "`{operation}` was never sent");
        }
    }
}

/// Puts each fault into a right call, and expects the checker to name it. One run for all of them: reading what the clouds describe takes
/// longer than judging.
pub fn every_fault_is_found(script: &str, right: &BTreeMap<String, Value>, faults: Faults) {
    let (mut disturbed, mut expected) = (Vec::new(), Vec::new());
    for (what, of, fault, said) in faults {
        let mut call = right[of].clone();
        fault(&mut call);
        assert_ne!(call, right[of], "{what}: nothing was disturbed");
        disturbed.push(call);
        expected.push((what, said));
    }
    let verdict = check(script, &disturbed);
    for (number, (what, said)) in expected.iter().enumerate() {
        let at = format!("line {}: ", number + 1);
        let found: Vec<&str> = verdict.said.lines().filter(|line| line.starts_with(&at)).collect();
        assert!(found.iter().any(|line| line.contains(said)), "{what}: expected `{said}`, said {found:?}");
    }
    println!("{} faults were found", expected.len());
}

/// Breaks something through the simulator's own door, as another process would.
pub fn break_at_the_door(simulator: SocketAddr, what: &Value) {
    let body = what.to_string();
    let request = format!(
        "POST /_landfall/break HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(simulator).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{what}: {answer}");
}
