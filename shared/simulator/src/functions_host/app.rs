//! The app's folder: `host.json`, and one `function.json` in a folder of each function's name.
//!
//! Follows `HttpWorkerOptionsSetup.cs`, `HttpWorkerDescription.cs`, `ScriptJobHostOptionsSetup.cs` and `Utility.cs` of the host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// `ScriptJobHostOptionsSetup.cs`: where host.json says nothing, on every plan but Consumption.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// `QueuesOptions.cs`: attempts before a message is set aside.
const DEFAULT_DEQUEUES: u32 = 5;

/// An app that the host would not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A file can't be read.
    #[error("could not read `{0}`")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// A file is no JSON of the right shape.
    #[error("`{0}` has the wrong shape")]
    Shape(PathBuf, #[source] serde_json::Error),
    /// What a file says can't be.
    #[error("`{0}`: {1}")]
    Wrong(PathBuf, String),
}

/// The app as its files describe it.
#[derive(Debug)]
pub(super) struct App {
    pub(super) folder: PathBuf,
    pub(super) handler: Description,
    pub(super) functions: BTreeMap<String, Function>,
    /// How long one invocation may take; without end where host.json says `-1`.
    pub(super) timeout: Option<Duration>,
    pub(super) max_dequeue_count: u32,
    pub(super) encoding: MessageEncoding,
    pub(super) route_prefix: String,
}

/// host.json's `customHandler.description`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
    #[serde(default)]
    pub(super) default_executable_path: String,
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    pub(super) working_directory: Option<PathBuf>,
}

/// How queue messages lie in the queue. Base64 unless host.json says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum MessageEncoding {
    Base64,
    None,
}

/// One function.
#[derive(Debug, Clone)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) trigger: Binding,
    pub(super) outputs: Vec<Binding>,
    pub(super) retry: Option<Retry>,
}

/// One binding of a function.json.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Binding {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    direction: String,
    pub(super) auth_level: Option<String>,
    pub(super) methods: Option<Vec<String>>,
    pub(super) route: Option<String>,
    pub(super) queue_name: Option<String>,
    event_hub_name: Option<String>,
    schedule: Option<String>,
    pub(super) cardinality: Option<String>,
    pub(super) data_type: Option<String>,
}

/// A retry policy; function.json's counts before host.json's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retry {
    strategy: String,
    /// `-1`: without end.
    pub(super) max_retry_count: i64,
    delay_interval: Option<String>,
    minimum_interval: Option<String>,
    maximum_interval: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HostFile {
    version: String,
    custom_handler: Option<CustomHandler>,
    extension_bundle: Option<serde_json::Value>,
    function_timeout: Option<String>,
    retry: Option<Retry>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomHandler {
    description: Option<Description>,
    #[serde(default)]
    enable_forwarding_http_request: bool,
    #[serde(default)]
    enable_proxying_http_request: bool,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    queues: Queues,
    #[serde(default)]
    http: Http,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queues {
    max_dequeue_count: Option<u32>,
    message_encoding: Option<MessageEncoding>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    route_prefix: Option<String>,
}

#[derive(Deserialize)]
struct FunctionFile {
    bindings: Vec<Binding>,
    #[serde(default)]
    disabled: bool,
    retry: Option<Retry>,
}

impl App {
    /// Reads the app's folder. `setting` answers what `%NAME%` stands for.
    pub(super) fn read(folder: &Path, setting: impl Fn(&str) -> Option<String>) -> Result<Self, AppError> {
        let path = folder.join("host.json");
        let wrong = |why: &str| AppError::Wrong(path.clone(), why.to_owned());
        let file: HostFile = json(&path)?;
        if file.version != "2.0" {
            return Err(wrong("`version` must be `2.0`"));
        }
        let handler = file.custom_handler.ok_or_else(|| wrong("there is no `customHandler`"))?;
        if handler.enable_forwarding_http_request || handler.enable_proxying_http_request {
            return Err(wrong("forwarding of HTTP requests is not simulated"));
        }
        let description = handler.description.ok_or_else(|| wrong("missing worker `description`"))?;
        if description.default_executable_path.is_empty() {
            return Err(wrong("`defaultExecutablePath` cannot be empty"));
        }
        let timeout = match file.function_timeout.as_deref() {
            None => Some(DEFAULT_TIMEOUT),
            Some("-1") => None,
            Some(text) => Some(span(text).ok_or_else(|| wrong("`functionTimeout` is no time span"))?),
        };
        let mut functions = BTreeMap::new();
        let entries =
            std::fs::read_dir(folder).map_err(|error| AppError::Unreadable(folder.to_owned(), error))?;
        for entry in entries.flatten() {
            let path = entry.path().join("function.json");
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !path.is_file() {
                continue;
            }
            if let Some(function) = function(&path, &name, file.retry.as_ref(), &setting)? {
                // `Utility.cs`: bindings that are not the host's own come by the extension bundle.
                let known = matches!(function.trigger.kind.as_str(), "timerTrigger" | "httpTrigger");
                if !known && file.extension_bundle.is_none() {
                    let kind = &function.trigger.kind;
                    return Err(AppError::Wrong(
                        path,
                        format!("the binding type `{kind}` is not registered"),
                    ));
                }
                functions.insert(name, function);
            }
        }
        Ok(App {
            folder: folder.to_owned(),
            handler: description,
            functions,
            timeout,
            max_dequeue_count: file.extensions.queues.max_dequeue_count.unwrap_or(DEFAULT_DEQUEUES),
            encoding: file.extensions.queues.message_encoding.unwrap_or(MessageEncoding::Base64),
            route_prefix: file.extensions.http.route_prefix.unwrap_or_else(|| "api".to_owned()),
        })
    }
}

impl Retry {
    /// How long to wait before the attempt of this number, counted from 1. `FixedDelayRetryAttribute.cs` and
    /// `ExponentialBackoffRetryAttribute.cs`, without the latter's randomness.
    pub(super) fn delay(&self, attempt: u32) -> Duration {
        let read = |text: &Option<String>| text.as_deref().and_then(span).unwrap_or_default();
        if self.strategy.eq_ignore_ascii_case("fixedDelay") {
            return read(&self.delay_interval);
        }
        let growth = 2_u32.saturating_pow(attempt.saturating_sub(1));
        read(&self.minimum_interval).saturating_mul(growth).min(read(&self.maximum_interval))
    }

    fn check(&self) -> Result<(), String> {
        let known = |name: &str, text: &Option<String>| match text.as_deref().map(span) {
            Some(Some(_)) => Ok(()),
            Some(None) => Err(format!("`{name}` is no time span")),
            None => Err(format!("the retry policy has no `{name}`")),
        };
        match self.strategy.to_ascii_lowercase().as_str() {
            "fixeddelay" => known("delayInterval", &self.delay_interval),
            "exponentialbackoff" => known("minimumInterval", &self.minimum_interval)
                .and_then(|()| known("maximumInterval", &self.maximum_interval)),
            other => Err(format!("the retry strategy `{other}` is unknown")),
        }
    }
}

fn function(
    path: &Path,
    name: &str,
    host: Option<&Retry>,
    setting: impl Fn(&str) -> Option<String>,
) -> Result<Option<Function>, AppError> {
    let wrong = |why: String| AppError::Wrong(path.to_owned(), why);
    let file: FunctionFile = json(path)?;
    if file.disabled {
        return Ok(None);
    }
    let letters = |text: &str, more: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.len() <= 128
            && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !letters(name, "_-") || name.eq_ignore_ascii_case("host") {
        return Err(wrong(format!("`{name}` is no name of a function")));
    }
    let mut triggers = Vec::new();
    let mut outputs = Vec::new();
    for mut binding in file.bindings {
        if binding.name != "$return" && !letters(&binding.name, "") {
            return Err(wrong(format!("`{}` is no name of a binding", binding.name)));
        }
        let texts = [&mut binding.queue_name, &mut binding.event_hub_name, &mut binding.schedule];
        for text in texts.into_iter().flatten() {
            *text = resolve(text, &setting).map_err(wrong)?;
        }
        match (binding.direction.to_ascii_lowercase().as_str(), is_trigger(&binding.kind)) {
            ("in", true) => triggers.push(binding),
            ("out", false) => outputs.push(binding),
            ("in", false) => return Err(wrong(format!("the input `{}` is not simulated", binding.name))),
            (direction, _) => {
                return Err(wrong(format!("`{}` has the direction `{direction}`", binding.name)));
            }
        }
    }
    let trigger = match (triggers.pop(), triggers.is_empty()) {
        (Some(trigger), true) => trigger,
        (Some(_), false) => return Err(wrong("multiple trigger bindings defined".to_owned())),
        (None, _) => return Err(wrong("no trigger binding specified".to_owned())),
    };
    let retry = file.retry.or_else(|| host.cloned());
    if let Some(retry) = &retry {
        retry.check().map_err(wrong)?;
    }
    Ok(Some(Function { name: name.to_owned(), trigger, outputs, retry }))
}

fn is_trigger(kind: &str) -> bool {
    kind.to_ascii_lowercase().ends_with("trigger")
}

/// Puts app settings in the place of `%NAME%`; one that is not set keeps the function from starting.
fn resolve(text: &str, setting: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut resolved = String::new();
    for (place, part) in text.split('%').enumerate() {
        if place % 2 == 0 {
            resolved.push_str(part);
        } else {
            let value = setting(part).ok_or_else(|| format!("`%{part}%` does not resolve to a value"))?;
            resolved.push_str(&value);
        }
    }
    Ok(resolved)
}

/// .NET's time span: `[d.]hh:mm:ss`.
fn span(text: &str) -> Option<Duration> {
    let (days, rest) = match text.split_once('.') {
        Some((days, rest)) if !days.contains(':') => (days.parse::<u64>().ok()?, rest),
        _ => (0, text),
    };
    let parts: Vec<u64> = rest.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    Some(Duration::from_secs(((days * 24 + hours) * 60 + minutes) * 60 + seconds))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, AppError> {
    let bytes = std::fs::read(path).map_err(|error| AppError::Unreadable(path.to_owned(), error))?;
    serde_json::from_slice(&bytes).map_err(|error| AppError::Shape(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_read_as_dotnet_reads_them() {
        assert_eq!(span("00:10:00"), Some(Duration::from_secs(600)));
        assert_eq!(span("1.00:00:01"), Some(Duration::from_secs(86_401)));
        assert_eq!(span("ten minutes"), None);
        assert_eq!(span("10"), None);
    }

    #[test]
    fn settings_stand_between_percent_signs() {
        let setting = |name: &str| (name == "QUEUE").then(|| "landfall-work".to_owned());
        assert_eq!(resolve("%QUEUE%", setting).unwrap(), "landfall-work");
        assert_eq!(resolve("plain", setting).unwrap(), "plain");
        assert_eq!(resolve("%OTHER%", setting).unwrap_err(), "`%OTHER%` does not resolve to a value");
    }

    #[test]
    fn a_retry_policy_says_how_long_to_wait() {
        let fixed: Retry = serde_json::from_str(
            r#"{"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:03"}"#,
        )
        .unwrap();
        assert_eq!(fixed.delay(2), Duration::from_secs(3));
        let growing: Retry = serde_json::from_str(
            r#"{"strategy": "exponentialBackoff", "maxRetryCount": 5, "minimumInterval": "00:00:02", "maximumInterval": "00:00:07"}"#,
        )
        .unwrap();
        let delays: Vec<u64> = (1..=3).map(|attempt| growing.delay(attempt).as_secs()).collect();
        assert_eq!(delays, [2, 4, 7]);
        let lacking: Retry =
            serde_json::from_str(r#"{"strategy": "fixedDelay", "maxRetryCount": 2}"#).unwrap();
        assert!(lacking.check().is_err());
    }
}
