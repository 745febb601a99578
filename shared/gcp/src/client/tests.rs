//! The client against a server in this process that says what each test wants to hear.

mod environment;
mod operations;
mod pages;
mod retries;

use std::time::Duration;

use landfall_engine::control::chain;
use landfall_engine::scripted::{self, Answer, Server, say};
use landfall_model::observed::Seen;
use serde_json::json;

use super::gcp::Local;
use super::patience::Patience;
use super::service::{COMPUTE, DENY, POLICY, RESOURCES};
use super::*;
use crate::identity::Who;

const ONE: &str = "projects/acme-checkout-prod";

/// As the identity that can only look.
fn client(server: &Server) -> Client {
    client_as(server, &Who::Read(None))
}

fn client_as(server: &Server, who: &Who) -> Client {
    patient(&server.url).client(who).unwrap()
}

fn patient(url: &str) -> Gcp {
    Gcp::here(&Local { apis: url, ..Local::default() }, Patience::SHORT).unwrap()
}

/// A refusal as Google's APIs word it.
fn refusal(number: u16, status: &str, message: &str) -> String {
    json!({"error": {"code": number, "message": message, "status": status}}).to_string()
}

#[tokio::test]
async fn requests_say_who_asks_and_go_to_the_api_that_is_meant() {
    let server = Server::start(|_, _, _| say(200, "{}"));
    let reader = client(&server);
    let query = format!("{ONE}/policies?filter={}", escape("name:\"A & B\"/ü"));
    reader.get(&POLICY, &query).await.unwrap();
    let writer = client_as(&server, &Who::Write(None));
    let body = json!({"labels": {"owner": "zoë"}});
    writer.patch(&RESOURCES, &format!("{ONE}?updateMask=labels"), &body).await.unwrap();
    reader.get(&COMPUTE, &format!("{ONE}/global/networks")).await.unwrap();
    let point = escape("cloudresourcemanager.googleapis.com/projects/acme-checkout-prod");
    reader.get(&DENY, &format!("policies/{point}/denypolicies")).await.unwrap();

    assert_eq!(
        server.paths(),
        [
            "GET /orgpolicy.googleapis.com/v2/projects/acme-checkout-prod/policies?filter=name%3A%22A%20%26%20B%22%2F%C3%BC",
            "PATCH /cloudresourcemanager.googleapis.com/v3/projects/acme-checkout-prod?updateMask=labels",
            "GET /compute.googleapis.com/compute/v1/projects/acme-checkout-prod/global/networks",
            "GET /iam.googleapis.com/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-checkout-prod/denypolicies",
        ]
    );
    let [read, write, _, _]: [scripted::Seen; 4] = server.requests().try_into().unwrap();
    assert_eq!(read.header("authorization"), "Bearer landfall-read");
    assert_eq!(read.header("user-agent"), format!("landfall/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(write.header("authorization"), "Bearer landfall-write");
    assert_eq!(write.header("content-type"), "application/json");
    assert_eq!(serde_json::from_str::<Value>(&write.body).unwrap(), body);
}

#[tokio::test]
async fn a_path_that_does_not_stay_where_it_begins_is_not_sent() {
    let server = Server::start(|_, _, _| say(200, "{}"));
    for path in
        ["", "/projects/x", "projects/../organizations/1", "projects/x#y", "projects//x", "projects/."]
    {
        let error = client(&server).get(&RESOURCES, path).await.unwrap_err();
        assert!(matches!(error, CallError::Config(_)), "{path}: {error}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_universe_of_the_credentials_is_where_calls_go() {
    let governor = std::sync::Arc::new(landfall_engine::governor::Governor::new(crate::rates::rate));
    let gcp = Gcp::of(|_| None, |_| false, governor).unwrap();
    let at = |service: Service, universe: &str| {
        let operation = Operation { verb: Verb::Get, service, path: ONE.to_owned() };
        gcp.url(&operation, universe).map(String::from)
    };
    for (service, universe, expected) in [
        (RESOURCES, UNIVERSE, "https://cloudresourcemanager.googleapis.com/v3/projects/acme-checkout-prod"),
        (COMPUTE, UNIVERSE, "https://compute.googleapis.com/compute/v1/projects/acme-checkout-prod"),
        (POLICY, "s3nsapis.fr", "https://orgpolicy.s3nsapis.fr/v2/projects/acme-checkout-prod"),
    ] {
        assert_eq!(at(service, universe).unwrap(), expected);
    }
    for wrong in ["evil.example/x", "evil.example:99", "a@evil.example", "evil.example?"] {
        assert!(at(RESOURCES, wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn refusals_are_told_in_googles_own_words() {
    let told = |status: u16, body: String| async move {
        let server = Server::start(move |_, _, _| {
            Answer::Say(status, vec![("x-goog-request-id", "r-1".to_owned())], body.clone())
        });
        client(&server).get(&RESOURCES, ONE).await.unwrap_err()
    };
    let denied =
        told(403, refusal(403, "PERMISSION_DENIED", "The caller\n does not\u{1b}[31m have permission")).await;
    assert_eq!(
        denied.to_string(),
        format!(
            "Google Cloud answered `GET cloudresourcemanager/v3/{ONE}` with PERMISSION_DENIED (403): The caller does not[31m have permission"
        )
    );
    assert_eq!(denied.request_id(), Some("r-1"));
    assert!(denied.is_denied() && !denied.is_not_found() && !denied.is_service_disabled());

    let absent = told(404, refusal(404, "NOT_FOUND", "no")).await;
    assert!(absent.is_not_found() && !absent.is_denied());
    for (status, word, conflict, there) in [
        (409, "ABORTED", true, false),
        (409, "ALREADY_EXISTS", false, true),
        (412, "FAILED_PRECONDITION", true, false),
        (400, "FAILED_PRECONDITION", false, false),
    ] {
        let error = told(status, refusal(status, word, "no")).await;
        assert_eq!((error.is_conflict(), error.is_there_already()), (conflict, there), "{word}");
    }
    // Compute's older form has no word, and a reason of its own.
    let older =
        json!({"error": {"code": 409, "message": "there is one", "errors": [{"reason": "alreadyExists"}]}});
    let there = told(409, older.to_string()).await;
    assert!(there.is_there_already() && !there.is_conflict(), "{there}");
    let older = json!({"error": {"code": 404, "message": "no", "errors": [{"reason": "notFound"}]}});
    assert_eq!(told(404, older.to_string()).await.status(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn a_page_of_somebody_else_is_not_taken_for_the_apis_word() {
    for status in [401, 403, 404] {
        for (body, why) in [
            ("", "there is no answer in it"),
            ("<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", "it is a page for people"),
            ("{}", "it is not the API's answer"),
            (r#"{"error":"invalid_grant"}"#, "it is not the API's answer"),
        ] {
            let server = Server::start(move |_, _, _| say(status, body));
            let error = client(&server).get(&RESOURCES, ONE).await.unwrap_err();
            let told = chain(&error);
            let begin =
                format!("could not read the answer to `GET cloudresourcemanager/v3/{ONE}` ({status}): {why}");
            assert!(told.starts_with(&begin), "{told}");
            assert!(!error.is_not_found() && !error.is_denied(), "{told}");
            assert!(matches!(Seen::from(error), Seen::Unreadable(_)));
        }
    }
    let server = Server::start(|_, _, _| say(200, "<html>Sign in to the hotel's network</html>"));
    let reply = client(&server).get(&RESOURCES, ONE).await.unwrap();
    assert!(matches!(reply.value(), Err(CallError::Unreadable { status: 200, .. })));
    let empty = Server::start(|_, _, _| say(200, ""));
    let reply = client(&empty).get(&RESOURCES, ONE).await.unwrap();
    assert_eq!(reply.value().unwrap(), Value::Null);
}

#[tokio::test]
async fn what_is_not_there_is_gone() {
    let gone = Server::start(|_, _, _| say(404, refusal(404, "NOT_FOUND", "no")));
    assert!(client(&gone).delete(&RESOURCES, "liens/p1").await.unwrap().is_none());
    let done = Server::start(|_, _, _| say(200, "{}"));
    assert!(client(&done).delete(&RESOURCES, "liens/p1").await.unwrap().is_some());
    // A path that no API knows is answered by a page, and nothing is gone.
    let nowhere = Server::start(|_, _, _| say(404, "<html>"));
    assert!(client(&nowhere).delete(&RESOURCES, "liens/p1").await.is_err());
}

#[tokio::test]
async fn nothing_of_ours_goes_where_an_answer_points() {
    let elsewhere = Server::start(|_, _, _| say(200, "{}"));
    let target = elsewhere.url.clone();
    let server =
        Server::start(move |_, _, _| Answer::Say(302, vec![("location", target.clone())], String::new()));
    let error = client(&server).get(&RESOURCES, ONE).await.unwrap_err();
    assert_eq!(error.number(), Some(302));
    assert!(elsewhere.requests().is_empty());
}
