//! What is answered: a status that the sender acts on, and JSON that a person can read.
//!
//! Any 2xx acknowledges. On anything else Pub/Sub, Cloud Tasks and Cloud Scheduler send the same again, as often as they were told to:
//! what nobody can read is answered by 4xx and ends where the subscription sets it aside.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use landfall_model::answer::Answer;
use landfall_reports::json::{self, Spoken};

use crate::caller::Stopped;
use crate::trigger::Duty;

/// What goes back.
pub type Reply = Response<Full<Bytes>>;

/// The function is there.
pub fn ready() -> Reply {
    reply(StatusCode::OK, &Spoken::of("ready", true))
}

/// What came of it. A person gets the whole, a service one line, which is all that its log keeps.
pub fn done(duty: Duty, answer: &Answer) -> Reply {
    let status = match answer {
        Answer::Worked { failed } if !failed.is_empty() => StatusCode::INTERNAL_SERVER_ERROR,
        Answer::Refused { .. } => StatusCode::BAD_REQUEST,
        Answer::Worked { .. }
        | Answer::Reconciled(_)
        | Answer::Swept { .. }
        | Answer::Left(_)
        | Answer::Told(_)
        | Answer::Status(_)
        | Answer::CreationFailed { .. }
        | Answer::Ignored { .. } => StatusCode::OK,
    };
    let body = match (duty, answer) {
        (Duty::Console, _) | (_, Answer::Refused { .. } | Answer::Ignored { .. }) => json::answer(answer),
        (Duty::Events | Duty::Sweep | Duty::Work, _) => Spoken::of("summary", json::line(answer)),
    };
    reply(status, &body)
}

/// It could not be done now, and is worth another try.
pub fn failed(why: &str) -> Reply {
    reply(StatusCode::INTERNAL_SERVER_ERROR, &Spoken::of("error", why))
}

/// Nobody here takes it, and why.
pub fn refused(status: StatusCode, why: &str, recorded: Option<&str>) -> Reply {
    let body = Spoken::of("refused", why);
    let body = match recorded {
        Some(recorded) => body.and("recorded", recorded),
        None => body,
    };
    let mut reply = reply(status, &body);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    reply
}

/// Nobody who may.
pub fn stopped(stopped: &Stopped) -> Reply {
    let why = stopped.to_string();
    match stopped {
        Stopped::Unknown(_) => {
            let mut reply = refused(StatusCode::UNAUTHORIZED, &why, None);
            reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            reply
        }
        Stopped::Forbidden(_) => refused(StatusCode::FORBIDDEN, &why, None),
        Stopped::Later(_) => reply(StatusCode::SERVICE_UNAVAILABLE, &Spoken::of("error", why)),
    }
}

/// With indentation: `curl` shows what comes as it is.
fn reply(status: StatusCode, body: &Spoken) -> Reply {
    let mut reply = Response::new(Full::from(body.pretty()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_comes_again_and_what_nobody_can_read_is_said_to_be_so() {
        let status = |answer: Answer| done(Duty::Work, &answer).status();
        assert_eq!(status(Answer::Worked { failed: vec!["1".to_owned()] }), 500);
        assert_eq!(status(Answer::Worked { failed: Vec::new() }), 200);
        assert_eq!(status(Answer::Refused { why: "nonsense".to_owned(), recorded: None }), 400);
        assert_eq!(status(Answer::CreationFailed { why: "quota".to_owned() }), 200);
        assert_eq!(failed("the store is away").status(), 500);
    }

    #[test]
    fn who_is_not_known_is_asked_for_a_token() {
        let reply = stopped(&Stopped::Unknown("no token".to_owned()));
        assert_eq!(
            (reply.status(), reply.headers()[WWW_AUTHENTICATE].as_bytes()),
            (StatusCode::UNAUTHORIZED, &b"Bearer"[..])
        );
        assert_eq!(stopped(&Stopped::Forbidden(String::new())).status(), 403);
        assert_eq!(stopped(&Stopped::Later(String::new())).status(), 503);
    }
}
