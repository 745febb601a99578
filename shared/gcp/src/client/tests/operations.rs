//! Operations that go on after their answer.

use super::*;

/// Answers a write with an operation, and the polls with these.
fn server(first: &'static str, polls: &'static [(u16, &'static str)]) -> Server {
    Server::start(move |_, seen, before| {
        match (seen.method.as_str(), polls.get(before.saturating_sub(1)).or(polls.last())) {
            ("GET", Some((status, body))) => say(*status, *body),
            _ => say(200, first),
        }
    })
}

async fn follow(server: &Server, service: &Service, path: &str) -> Result<Value, CallError> {
    let client = client_as(server, &Who::Write(None));
    let reply = client.post(service, path, &json!({})).await?;
    client.finish(reply).await
}

#[tokio::test]
async fn an_operation_is_followed_below_the_version_that_gave_it() {
    const POINT: &str = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme/denypolicies";
    for (service, path, first, asked) in [
        (
            RESOURCES,
            "folders",
            r#"{"name":"operations/cf.123"}"#,
            "GET /cloudresourcemanager.googleapis.com/v3/operations/cf.123",
        ),
        (
            DENY,
            POINT,
            r#"{"name":"policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme/denypolicies/gate/operations/0a-1"}"#,
            "GET /iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme/denypolicies/gate/operations/0a-1",
        ),
        (
            super::super::service::SERVICES,
            "projects/acme/services:batchEnable",
            r#"{"name":"operations/acf.p2-1-x","done":false}"#,
            "GET /serviceusage.googleapis.com/v1/operations/acf.p2-1-x",
        ),
    ] {
        let server = server(
            first,
            &[
                (200, r#"{"name":"operations/x"}"#),
                (503, ""),
                (200, r#"{"name":"operations/x","done":true,"response":{"id":1}}"#),
            ],
        );
        // The second poll asks by the name that the first one told.
        let value = follow(&server, &service, path).await.unwrap();
        assert_eq!(value, json!({"id": 1}));
        assert_eq!(server.paths()[1], asked);
        assert!(server.requests().iter().all(|seen| seen.header("authorization") == "Bearer landfall-write"));
    }
}

#[tokio::test]
async fn one_that_is_over_at_once_is_not_asked_after() {
    let over = server(r#"{"name":"operations/noop","done":true,"response":{"name":"tagKeys/1"}}"#, &[]);
    assert_eq!(follow(&over, &RESOURCES, "tagKeys").await.unwrap(), json!({"name": "tagKeys/1"}));
    // What a removal gives is nothing.
    let empty = server(r#"{"done":true}"#, &[]);
    assert_eq!(follow(&empty, &RESOURCES, "liens").await.unwrap(), Value::Null);
    assert_eq!((over.requests().len(), empty.requests().len()), (1, 1));
}

#[tokio::test]
async fn computes_operations_are_asked_after_in_their_project() {
    const NETWORK: &str = "projects/acme/global/networks";
    const DONE: (u16, &str) = (200, r#"{"name":"operation-1","status":"DONE","targetLink":"https://x"}"#);
    for (first, asked) in [
        (r#"{"name":"operation-1","status":"PENDING"}"#, "projects/acme/global/operations/operation-1"),
        (
            r#"{"name":"operation-1","status":"RUNNING","region":"https://www.googleapis.com/compute/v1/projects/acme/regions/europe-west1"}"#,
            "projects/acme/regions/europe-west1/operations/operation-1",
        ),
        (
            r#"{"name":"operation-1","status":"RUNNING","zone":"https://www.googleapis.com/compute/v1/projects/acme/zones/europe-west1-b"}"#,
            "projects/acme/zones/europe-west1-b/operations/operation-1",
        ),
    ] {
        let server = server(first, &[DONE]);
        let value = follow(&server, &COMPUTE, NETWORK).await.unwrap();
        assert_eq!(value["targetLink"], "https://x");
        assert_eq!(server.paths()[1], format!("GET /compute.googleapis.com/compute/v1/{asked}"));
    }
    let failed = server(
        r#"{"name":"operation-1","status":"RUNNING"}"#,
        &[(
            200,
            r#"{"name":"operation-1","status":"DONE","httpErrorStatusCode":400,"error":{"errors":[{"code":"RESOURCE_IN_USE_BY_ANOTHER_RESOURCE","message":"used by\n a firewall"}]}}"#,
        )],
    );
    let error = follow(&failed, &COMPUTE, NETWORK).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`POST compute/v1/projects/acme/global/networks` failed later with RESOURCE_IN_USE_BY_ANOTHER_RESOURCE: used by a firewall"
    );
    assert_eq!(error.status(), Some("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"));
}

#[tokio::test]
async fn an_operation_that_fails_says_why() {
    let failed = server(
        r#"{"name":"operations/cf.1"}"#,
        &[(
            200,
            r#"{"name":"operations/cf.1","done":true,"error":{"code":6,"message":"there is\n such a folder"}}"#,
        )],
    );
    let error = follow(&failed, &RESOURCES, "folders").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`POST cloudresourcemanager/v3/folders` failed later with ALREADY_EXISTS: there is such a folder"
    );
    assert!(error.is_there_already() && !error.is_conflict());
    let aborted = server(r#"{"done":true,"error":{"code":10,"message":"meanwhile"}}"#, &[]);
    assert!(follow(&aborted, &RESOURCES, "folders").await.unwrap_err().is_conflict());
}

#[tokio::test]
async fn an_operation_that_nobody_knows_any_more_is_told_as_that() {
    let gone =
        server(r#"{"name":"operations/cf.1"}"#, &[(404, r#"{"error":{"code":404,"status":"NOT_FOUND"}}"#)]);
    let error = follow(&gone, &RESOURCES, "folders").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`POST cloudresourcemanager/v3/folders` went on as `operations/cf.1`, which Google Cloud no longer knows"
    );
    // Whether what it should make is there is another question.
    assert!(!error.is_not_found() && error.status().is_none());
}

#[tokio::test]
async fn an_operation_that_goes_on_is_left_for_a_later_look() {
    let server = server(r#"{"name":"operations/cf.1"}"#, &[(200, r#"{"name":"operations/cf.1"}"#)]);
    let error = follow(&server, &RESOURCES, "folders").await.unwrap_err();
    assert_eq!(error.to_string(), "`POST cloudresourcemanager/v3/folders` still goes on after 200ms");
    assert!(server.requests().len() > 2);
}

#[tokio::test]
async fn what_is_no_operation_is_not_followed() {
    for first in [
        "{}",
        r#"{"name":"folders/1"}"#,
        r#"{"name":"operations/../../v1/projects/x"}"#,
        r#"{"name":"operations/1?x=y"}"#,
        r#"{"name":"operations/1#x"}"#,
        r#"{"name":"//evil.example/operations/1"}"#,
    ] {
        let server = server(first, &[(200, r#"{"done":true}"#)]);
        let error = follow(&server, &RESOURCES, "folders").await.unwrap_err();
        assert!(
            chain(&error).ends_with("it is no operation that could be followed"),
            "{first}: {}",
            chain(&error)
        );
        assert_eq!(server.requests().len(), 1, "{first}");
    }
}
