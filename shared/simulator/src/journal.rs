//! What every simulated cloud keeps of its calls: their count, their fate, their log.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::call::Call;
use crate::encode::Answer;
use crate::fault::{Fate, Faults};
use crate::options::StartError;
use crate::server::Reply;

/// The faults in force and the calls so far.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) faults: Faults,
    /// Calls since the start, and since the faults were set.
    received: u64,
    since_faults: u64,
    calls: Vec<Call>,
    keep_calls: bool,
    log: Option<File>,
}

impl Journal {
    pub(crate) fn open(faults: Faults, keep_calls: bool, log: Option<&Path>) -> Result<Self, StartError> {
        let open = |path: &Path| {
            let opened = File::options().create(true).append(true).open(path);
            opened.map_err(|cause| StartError::Log { path: path.to_owned(), cause })
        };
        let log = log.map(open).transpose()?;
        Ok(Self { faults, received: 0, since_faults: 0, calls: Vec::new(), keep_calls, log })
    }

    /// Counts one more call: its number since the start, and what is to become of it.
    pub(crate) fn next(&mut self) -> (u64, Fate) {
        self.received += 1;
        self.since_faults += 1;
        (self.received, self.faults.fate(self.since_faults))
    }

    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub(crate) fn clear_calls(&mut self) {
        self.calls.clear();
    }

    pub(crate) fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.since_faults = 0;
    }

    /// The end of a call: it is written down, and answered unless it is cut.
    pub(crate) fn close<W>(&mut self, mut call: Call, fate: Fate, answer: Answer) -> Reply<W> {
        if matches!(fate, Fate::CutAfter | Fate::CutBefore) {
            self.write(call);
            return Reply::Cut;
        }
        call.status = Some(answer.status().as_u16());
        self.write(call);
        Reply::Answer(answer)
    }

    pub(crate) fn write(&mut self, call: Call) {
        if let Some(log) = &mut self.log
            && let Ok(mut line) = serde_json::to_vec(&call)
        {
            line.push(b'\n');
            // One write per line, so that whoever tails the file never sees half of one. A full disk costs the
            // log, not the call.
            drop(log.write_all(&line));
        }
        if self.keep_calls {
            self.calls.push(call);
        }
    }
}
