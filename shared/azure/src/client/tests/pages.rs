//! Lists, which come in pages.

use super::*;

#[tokio::test]
async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let server = Server::start(|own, _, before| {
        match before {
        0 => say(200, json!({"value": [1, 2], "nextLink": format!("{own}/subscriptions?api-version=x&$skiptoken=a%2Fb")}).to_string()),
        1 => say(200, json!({"value": [], "nextLink": format!("{own}/subscriptions?$skiptoken=c")}).to_string()),
        _ => say(200, r#"{"value":[3],"nextLink":""}"#),
    }
    });
    let (_, all) = client(&server).list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap();
    assert_eq!(all, [json!(1), json!(2), json!(3)]);
    assert_eq!(
        server.paths(),
        [
            "GET /subscriptions?api-version=2022-12-01",
            // As it was given.
            "GET /subscriptions?api-version=x&$skiptoken=a%2Fb",
            "GET /subscriptions?$skiptoken=c"
        ]
    );
    assert!(server.requests().iter().all(|seen| seen.header("authorization") == "Bearer landfall-read"));
}

#[tokio::test]
async fn a_link_elsewhere_is_not_followed_and_our_token_stays_here() {
    let elsewhere = Server::start(|_, _, _| say(200, r#"{"value":[]}"#));
    let port = elsewhere.url.rsplit(':').next().unwrap().to_owned();
    for link in [
        elsewhere.url.clone(),
        format!("https://management.azure.com.evil.example:{port}/"),
        format!("http://localhost:{port}/"),
        "/subscriptions?page=2".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let next = json!({"value": [], "nextLink": link}).to_string();
        let server = Server::start(move |_, _, _| say(200, next.clone()));
        let error = client(&server).list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap_err();
        assert!(matches!(error, CallError::ForeignLink { .. }), "{link}: {error}");
        assert_eq!(server.requests().len(), 1, "{link}");
    }
    assert!(elsewhere.requests().is_empty());
    let server = Server::start(|own, _, _| {
        say(200, json!({"value": [], "nextLink": own.replace("http://", "http://name:secret@")}).to_string())
    });
    let error = client(&server).list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap_err();
    assert!(matches!(error, CallError::ForeignLink { .. }), "{error}");
}

#[tokio::test]
async fn pages_that_lead_back_are_told() {
    let server = Server::start(|own, seen, _| {
        let next = if seen.path.ends_with("=a") { "b" } else { "a" };
        say(
            200,
            json!({"value": [], "nextLink": format!("{own}/subscriptions?$skiptoken={next}")}).to_string(),
        )
    });
    let error = client(&server).list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap_err();
    assert!(chain(&error).ends_with("it names a page again that was read already"), "{}", chain(&error));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let server = Server::start(|own, _, before| match before {
        0 => say(
            200,
            json!({"value": [1], "nextLink": format!("{own}/subscriptions?$skiptoken=a")}).to_string(),
        ),
        _ => say(403, r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#),
    });
    assert!(client(&server).list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap_err().is_denied());
}
