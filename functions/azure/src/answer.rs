//! The envelope: what the Functions host needs to hear, whatever the answer is.
//!
//! The host completes an invocation only by a JSON object with a JSON content type; a status that is no success fails it, and then the
//! host's own retries act. An HTTP function's client sees nothing but `Outputs.res`, and of a failed invocation only a 500, so the
//! console's failures are said there. The client's body is text, with indentation of our own, since the portal and `curl` show it as it
//! comes: an object would be written by the host with its fields in another order and its times in another form.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use landfall_model::answer::Answer;
use landfall_reports::json::{self, Spoken};
use serde_json::{Value, json};

use crate::trigger::{Function, Handshake};

/// The host writes them into the log one by one; a batch may have a thousand.
const LINES: usize = 20;

/// What is answered to the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Whether the invocation succeeded.
    pub status: StatusCode,
    /// What an HTTP function's client gets.
    pub response: Option<Value>,
    /// For the log.
    pub lines: Vec<String>,
}

impl Envelope {
    /// What came of an event.
    pub fn of(function: Function, answers: &[Answer]) -> Self {
        let mut lines: Vec<String> = answers.iter().take(LINES).map(json::line).collect();
        if answers.len() > LINES {
            lines.push(format!("and {} more", answers.len() - LINES));
        }
        let response = (function == Function::Console).then(|| console(answers));
        let done = answers.iter().all(|answer| is_done(function, answer));
        let status = if done { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
        Envelope { status, response, lines }
    }

    /// The event could not be answered; it comes again where its trigger brings it again.
    pub fn failed(function: Function, why: &str) -> Self {
        let lines = vec![format!("failed: {why}")];
        match function {
            Function::Console => Envelope {
                status: StatusCode::OK,
                response: Some(response(500, Spoken::of("error", why).pretty())),
                lines,
            },
            Function::Timer | Function::Queue | Function::Activity | Function::Grid => {
                Envelope { status: StatusCode::INTERNAL_SERVER_ERROR, response: None, lines }
            }
        }
    }

    /// Nobody here takes this.
    pub fn unknown(status: StatusCode, why: String) -> Self {
        Envelope { status, response: None, lines: vec![why] }
    }

    /// Yes, this endpoint is meant.
    pub fn shaken(handshake: &Handshake) -> Self {
        let response = match handshake {
            Handshake::Code(code) => response(200, json!({"validationResponse": code}).to_string()),
            Handshake::Origin(origin) => json!({
                "statusCode": 200,
                "headers": {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"},
                "body": "",
            }),
        };
        let lines = vec!["Event Grid asked whether this endpoint is meant, and was told so".to_owned()];
        Envelope { status: StatusCode::OK, response: Some(response), lines }
    }

    /// A webhook's sender is told that the event arrived; what became of it is none of his business.
    #[must_use]
    pub fn to_webhook(self) -> Self {
        let code = self.status.as_u16();
        Envelope { response: Some(json!({"statusCode": code, "headers": {}, "body": ""})), ..self }
    }
}

impl IntoResponse for Envelope {
    fn into_response(self) -> Response {
        let outputs = self.response.map_or_else(|| json!({}), |response| json!({"res": response}));
        let body = json!({"Outputs": outputs, "Logs": self.lines, "ReturnValue": null});
        (self.status, axum::Json(body)).into_response()
    }
}

/// A message that failed must come again, and so must one that nobody could read: in the end the host sets it aside. Every other
/// event is done with once it was looked at, because it would be the same the next time.
fn is_done(function: Function, answer: &Answer) -> bool {
    match answer {
        Answer::Worked { failed } => failed.is_empty(),
        Answer::Refused { .. } => function != Function::Queue,
        Answer::Reconciled(_)
        | Answer::Swept { .. }
        | Answer::Left(_)
        | Answer::Told(_)
        | Answer::Status(_)
        | Answer::CreationFailed { .. }
        | Answer::Ignored { .. } => true,
    }
}

fn console(answers: &[Answer]) -> Value {
    let refused = answers.iter().any(|answer| matches!(answer, Answer::Refused { .. }));
    // A request is one trigger, and has one answer.
    let body = answers.first().map(json::answer).unwrap_or_default();
    response(if refused { 400 } else { 200 }, body.pretty())
}

fn response(status: u16, body: String) -> Value {
    json!({
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Answer {
        Answer::Refused { why: "nonsense".to_owned(), recorded: Some("refused/r".to_owned()) }
    }

    #[test]
    fn a_message_that_failed_or_can_t_be_read_comes_again() {
        let failed = Answer::Worked { failed: vec!["1".to_owned()] };
        assert_eq!(Envelope::of(Function::Queue, &[failed]).status, 500);
        assert_eq!(Envelope::of(Function::Queue, &[refused()]).status, 500);
        assert_eq!(Envelope::of(Function::Queue, &[Answer::Worked { failed: Vec::new() }]).status, 200);
        assert_eq!(Envelope::of(Function::Activity, &[refused()]).status, 200);
    }

    #[test]
    fn a_person_is_told_what_went_wrong_and_not_only_that() {
        let envelope = Envelope::failed(Function::Console, "the store is away");
        assert_eq!(envelope.status, 200, "or the host answers a bare 500");
        let response = envelope.response.unwrap();
        assert_eq!(response["statusCode"], 500);
        assert_eq!(response["body"], "{\n  \"error\": \"the store is away\"\n}\n");
        let response = Envelope::of(Function::Console, &[refused()]).response.unwrap();
        assert_eq!(response["statusCode"], 400);
    }

    #[test]
    fn a_long_batch_does_not_fill_the_log() {
        let answers = vec![Answer::Ignored { why: "x".to_owned() }; 30];
        let lines = Envelope::of(Function::Activity, &answers).lines;
        assert_eq!(lines.len(), 21);
        assert_eq!(lines[20], "and 10 more");
    }
}
