//! What is tried again, and what is not.

use std::time::Instant;

use super::*;

const BUSY: &str = r#"{"error":{"code":"TooManyRequests","message":"later"}}"#;

#[tokio::test]
async fn what_passes_is_tried_again_reads_and_writes_alike() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::start(move |_, _, before| match before {
            0 | 1 => say(status, "<html>gateway</html>"),
            _ => say(200, "{}"),
        });
        let body = json!({"properties": {"x": 1}});
        client(&server).put(&ROLES, ONE, &body).await.unwrap();
        let sent = server.requests();
        assert_eq!(sent.len(), 3, "{status}");
        let body = body.to_string();
        assert!(sent.iter().all(|seen| seen.body == body), "{status}");
    }
}

#[tokio::test]
async fn what_stays_is_told_at_once() {
    for status in [400, 401, 403, 404, 409, 412, 422, 501] {
        let server = Server::start(move |_, _, _| say(status, r#"{"error":{"code":"No","message":"no"}}"#));
        let error = client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap_err();
        assert_eq!((error.status(), server.requests().len()), (Some(status), 1));
    }
}

#[tokio::test]
async fn who_is_told_to_wait_waits() {
    let server = Server::start(|_, _, before| match before {
        0 => Answer::Say(429, vec![("Retry-After", "1".to_owned())], BUSY.to_owned()),
        _ => say(200, "{}"),
    });
    let since = Instant::now();
    client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap();
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
}

#[tokio::test]
async fn who_would_have_to_wait_longer_than_a_run_can_is_told() {
    for later in ["3600", "Fri, 01 Jan 2125 00:00:10 GMT"] {
        let server = Server::start(move |_, _, _| {
            Answer::Say(429, vec![("Retry-After", later.to_owned())], BUSY.to_owned())
        });
        let since = Instant::now();
        let error = client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap_err();
        assert_eq!((error.code(), server.requests().len()), (Some("TooManyRequests"), 1), "{later}");
        assert!(since.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn trying_ends_and_what_was_said_last_is_told() {
    let server =
        Server::start(|_, _, _| say(503, r#"{"error":{"code":"ServerUnavailable","message":"later"}}"#));
    let error = client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap_err();
    assert_eq!((error.code(), server.requests().len()), (Some("ServerUnavailable"), 6));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = Server::start(|_, _, before| match before {
        0 => Answer::Cut,
        _ => say(200, r#"{"value":[1]}"#),
    });
    let (_, all) = client(&server).list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap();
    assert_eq!((all, server.requests().len()), (vec![json!(1)], 2));
}

#[tokio::test]
async fn nobody_there_is_told_as_that() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Azure::here(&url, None, Patience::SHORT).unwrap().client(&Who::Read(None)).unwrap();
    let error = client.get(&SUBSCRIPTIONS, ONE).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    assert_eq!(error.to_string(), format!("could not reach Resource Manager for `GET {ONE}`"));
    assert!(matches!(
        landfall_model::observed::Seen::from(error),
        landfall_model::observed::Seen::Unreadable(_)
    ));
}

#[tokio::test]
async fn where_few_calls_are_left_each_answer_is_held_back() {
    let server = Server::start(|_, _, _| {
        let left = |name| (name, "14".to_owned());
        let headers = vec![
            left("x-ms-ratelimit-remaining-subscription-reads"),
            ("x-ms-ratelimit-remaining-tenant-reads", "11999".to_owned()),
            ("x-ms-ratelimit-remaining-subscription-writes", "0".to_owned()),
        ];
        Answer::Say(200, headers, "{}".to_owned())
    });
    let since = Instant::now();
    client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap();
    let took = since.elapsed();
    // Six below the reserve; the writes that are left are no matter of a read.
    assert!((Duration::from_millis(300)..Duration::from_millis(900)).contains(&took), "{took:?}");
}
