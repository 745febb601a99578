//! What is tried again, and what is not.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn what_passes_is_tried_again_reads_and_repeatable_writes_alike() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::start(move |_, _, before| match before {
            0 | 1 => say(status, "<html>gateway</html>"),
            _ => say(200, "{}"),
        });
        let body = json!({"policy": {"etag": "x"}});
        client(&server).post(&RESOURCES, &format!("{ONE}:setIamPolicy"), &body).await.unwrap();
        let sent = server.requests();
        assert_eq!(sent.len(), 3, "{status}");
        let body = body.to_string();
        assert!(sent.iter().all(|seen| seen.body == body), "{status}");
    }
}

#[tokio::test]
async fn what_stays_is_told_at_once() {
    for status in [400, 401, 403, 404, 409, 412, 422, 501] {
        let server = Server::start(move |_, _, _| say(status, refusal(status, "NO", "no")));
        let error = client(&server).get(&RESOURCES, ONE).await.unwrap_err();
        assert_eq!((error.number(), server.requests().len()), (Some(status), 1));
    }
}

#[tokio::test]
async fn an_api_that_is_not_enabled_is_told_as_that_and_not_tried_again() {
    let body = json!({"error": {
        "code": 403, "status": "PERMISSION_DENIED", "message": "Budget API has not been used in project 1 before or it is disabled",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "reason": "not this one"},
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com"},
        ],
    }});
    let server = Server::start(move |_, _, _| say(403, body.to_string()));
    let error = client(&server).get(&RESOURCES, ONE).await.unwrap_err();
    assert!(error.is_service_disabled() && error.is_denied(), "{error}");
    assert_eq!((error.reason(), server.requests().len()), (Some("SERVICE_DISABLED"), 1));
}

#[tokio::test]
async fn too_many_calls_pass_though_compute_says_it_like_a_missing_right() {
    let body =
        json!({"error": {"code": 403, "message": "slower", "errors": [{"reason": "rateLimitExceeded"}]}});
    let server = Server::start(move |_, _, before| match before {
        0 => say(403, body.to_string()),
        _ => say(200, "{}"),
    });
    client(&server).get(&COMPUTE, &format!("{ONE}/global/networks")).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

/// A lien, a budget or an alerting policy whose creation was sent twice would be there twice.
#[tokio::test]
async fn what_google_names_is_made_again_only_where_nothing_was_made() {
    let word = |status: u16| match status {
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    for (status, attempts) in [(429, 2), (503, 2), (500, 1), (502, 1), (504, 1), (408, 1)] {
        let server = Server::start(move |_, _, before| match before {
            0 => say(status, refusal(status, word(status), "later")),
            _ => say(200, "{}"),
        });
        let made = client(&server).post(&RESOURCES, "liens", &json!({})).await;
        assert_eq!((made.is_ok(), server.requests().len()), (attempts == 2, attempts), "{status}");
    }
    let cut = Server::start(|_, _, _| Answer::Cut);
    assert!(client(&cut).post(&RESOURCES, "liens", &json!({})).await.is_err());
    assert_eq!(cut.requests().len(), 1);
    let page = Server::start(|_, _, _| say(503, "<html>"));
    assert!(client(&page).post(&RESOURCES, "liens", &json!({})).await.is_err());
    assert_eq!(page.requests().len(), 1);
}

#[tokio::test]
async fn who_is_told_to_wait_waits() {
    for body in [refusal(429, "RESOURCE_EXHAUSTED", "later"), "<html>".to_owned()] {
        let server = Server::start(move |_, _, before| match before {
            0 => Answer::Say(429, vec![("Retry-After", "1".to_owned())], body.clone()),
            _ => say(200, "{}"),
        });
        let since = Instant::now();
        client(&server).get(&RESOURCES, ONE).await.unwrap();
        assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn who_would_have_to_wait_longer_than_a_run_can_is_told() {
    for later in ["3600", "Mon, 01 Jan 2125 00:00:10 GMT", "19"] {
        let server = Server::start(move |_, _, _| {
            let body = refusal(429, "RESOURCE_EXHAUSTED", "later");
            Answer::Say(429, vec![("Retry-After", later.to_owned())], body)
        });
        let since = Instant::now();
        let error = client(&server).get(&RESOURCES, ONE).await.unwrap_err();
        assert_eq!((error.status(), server.requests().len()), (Some("RESOURCE_EXHAUSTED"), 1), "{later}");
        assert!(since.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn trying_ends_and_what_was_said_last_is_told() {
    let server = Server::start(|_, _, before| say(503, refusal(503, "UNAVAILABLE", &format!("no {before}"))));
    let error = client(&server).get(&RESOURCES, ONE).await.unwrap_err();
    assert!(error.to_string().ends_with("UNAVAILABLE (503): no 5"), "{error}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = Server::start(|_, _, before| match before {
        0 => Answer::Cut,
        _ => say(200, r#"{"projects":[1]}"#),
    });
    let (_, all) = client(&server).list(&RESOURCES, "projects:search", "projects").await.unwrap();
    assert_eq!((all, server.requests().len()), (vec![json!(1)], 2));
}

#[tokio::test]
async fn nobody_there_is_told_as_that() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = patient(&url).client(&Who::Read(None)).unwrap();
    let error = client.get(&RESOURCES, ONE).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }) && error.is_without_effect(), "{error}");
    assert_eq!(
        error.to_string(),
        format!("could not reach Google Cloud for `GET cloudresourcemanager/v3/{ONE}`")
    );
    assert!(matches!(Seen::from(error), Seen::Unreadable(_)));
}
