//! How addresses look in this function's environment, and how long the host lets it run.

use jiff::{SignedDuration, Timestamp};
use landfall_engine::config::{Forms, Wrong};

use crate::trigger::Function;

/// Azure's.
pub const FORMS: Forms = Forms {
    scheme: "az://",
    bundle: "az://account/container/bundle.json",
    store: "az://account/container/folder",
    queue: "https://acmelandfall.queue.core.windows.net/landfall-work",
    sqlite: cfg!(feature = "sqlite"),
};

/// Where the host says on which port it expects its handler.
pub const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";

/// `functionTimeout` of `app/host.json`, after which the host ends the process; a test keeps both equal.
pub const TIMEOUT: SignedDuration = SignedDuration::from_mins(10);

/// A caller over HTTP is cut off after 230 seconds, whatever the timeout is:
/// <https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout>.
const CALLER: SignedDuration = SignedDuration::from_secs(230);

/// What it takes to end a run, write its report and answer.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);

/// When a run of this function has to be over.
pub fn deadline(function: Function, now: Timestamp) -> Timestamp {
    let whole = match function {
        Function::Console => CALLER,
        Function::Timer | Function::Queue | Function::Activity | Function::Grid => TIMEOUT,
    };
    now + (whole - MARGIN)
}

/// The port, as the host said it.
pub fn port(said: Option<&str>) -> Result<u16, Wrong> {
    let wrong = |why: String| Wrong { variable: PORT, why };
    let said = said.filter(|said| !said.is_empty());
    let said =
        said.ok_or_else(|| wrong("is not set; expected the port that the Functions host gives".to_owned()))?;
    said.parse().map_err(|_| wrong(format!("`{said}` is not a port")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_s_own_timeout_is_the_one_that_is_counted_with() {
        let host: serde_json::Value = serde_json::from_str(include_str!("../app/host.json")).unwrap();
        assert_eq!(host["functionTimeout"], "00:10:00");
        assert_eq!(TIMEOUT.as_secs(), 600);
    }

    #[test]
    fn a_caller_is_answered_before_he_is_cut_off() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(deadline(Function::Console, now).as_second(), 215);
        assert_eq!(deadline(Function::Queue, now).as_second(), 585);
    }
}
