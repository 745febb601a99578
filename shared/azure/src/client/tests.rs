//! The client against a server in this process that says what each test wants to hear.

mod environment;
mod operations;
mod pages;
mod retries;

use serde_json::json;

use super::service::{GROUPS, RESOURCES, ROLES, SUBSCRIPTIONS};
use super::*;
use crate::identity::Who;
use landfall_engine::control::chain;
use landfall_engine::scripted::{Answer, Server, say};

const ONE: &str = "/subscriptions/3f2c0000-0000-4000-8000-000000000002";

/// As the identity that can only look.
fn client(server: &Server) -> Client {
    client_as(server, &Who::Read(None))
}

fn client_as(server: &Server, who: &Who) -> Client {
    Azure::here(&server.url, None, Patience::SHORT).unwrap().client(who).unwrap()
}

#[tokio::test]
async fn requests_say_who_asks_and_which_version_is_meant() {
    let server = Server::start(|_, _, _| say(200, "{}"));
    let path =
        format!("{ONE}/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName+eq+%27A+%26+B%27");
    client(&server).get(&ROLES, &path).await.unwrap();
    let body = json!({"operation": "Merge", "properties": {"tags": {"owner": "Zoë"}}});
    let tags = format!("{ONE}/providers/Microsoft.Resources/tags/default");
    let writer = client_as(&server, &Who::Write(None));
    writer.patch(&RESOURCES, &tags, &body).await.unwrap();
    writer.post(&RESOURCES, &format!("{ONE}/providers/Microsoft.Security/register"), None).await.unwrap();
    let group = "/providers/Microsoft.Management/managementGroups/acme";
    client(&server).get(&GROUPS, group).await.unwrap();
    let [role, tag, register, read] = server.requests().try_into().unwrap();

    let query = role.path.split_once('?').unwrap().1;
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(query, [pair("api-version", "2022-04-01"), pair("$filter", "roleName eq 'A & B'")]);
    assert_eq!(role.header("authorization"), "Bearer landfall-read");
    assert!(role.header("user-agent").starts_with("landfall "), "{}", role.header("user-agent"));
    assert!(!role.header("x-ms-client-request-id").is_empty());
    assert_eq!((role.header("cache-control"), read.header("cache-control")), ("", "no-cache"));

    assert_eq!((tag.method.as_str(), tag.path.clone()), ("PATCH", format!("{tags}?api-version=2025-04-01")));
    assert_eq!(tag.header("authorization"), "Bearer landfall-write");
    assert_eq!(tag.header("content-type"), "application/json");
    assert_eq!(serde_json::from_str::<Value>(&tag.body).unwrap(), body);
    assert_eq!((register.method.as_str(), register.header("content-length")), ("POST", "0"));
}

#[tokio::test]
async fn refusals_are_told_in_azures_own_words() {
    let told = |status: u16, body: &'static str| async move {
        let server = Server::start(move |_, _, _| {
            Answer::Say(status, vec![("x-ms-request-id", "r-1".to_owned())], body.to_owned())
        });
        client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap_err()
    };
    let refused = told(
        403,
        "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'x'\\n does not\\u001b[31m have authorization\"}}",
    )
    .await;
    assert_eq!(
        refused.to_string(),
        format!(
            "Resource Manager answered `GET {ONE}` with `AuthorizationFailed` (403): The client 'x' does not[31m have authorization"
        )
    );
    assert_eq!(refused.request_id(), Some("r-1"));
    assert!(refused.is_denied() && !refused.is_not_found());

    let absent = told(404, r#"{"error":{"code":"SubscriptionNotFound","message":"no"}}"#).await;
    assert!(absent.is_not_found() && absent.code() == Some("SubscriptionNotFound"));
    // A proxy, or a HEAD.
    let wordless = told(404, "").await;
    assert!(wordless.is_not_found(), "{wordless}");
    assert_eq!(wordless.code(), Some("Http404"));
    // What is no refusal of Resource Manager says nothing about what is there.
    for body in ["<html>not here</html>", "{}", r#"{"error":{}}"#, "[]", r#"{"error":"no"}"#] {
        let error = told(404, body).await;
        assert!(
            !error.is_not_found() && matches!(error, CallError::Unreadable { status: 404, .. }),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_taken_for_nothing() {
    let server = Server::start(|_, _, _| say(200, "<html>Sign in to the hotel's network</html>"));
    let client = client(&server);
    let reply = client.get(&SUBSCRIPTIONS, ONE).await.unwrap();
    assert!(matches!(reply.value(), Err(CallError::Unreadable { status: 200, .. })));
    let error = client.list(&SUBSCRIPTIONS, "/subscriptions").await.unwrap_err();
    assert!(
        chain(&error).starts_with("could not read the answer to `GET /subscriptions` (200): "),
        "{error}"
    );
    let empty = Server::start(|_, _, _| say(204, ""));
    let reply = self::client(&empty).get(&SUBSCRIPTIONS, ONE).await.unwrap();
    assert_eq!(reply.value().unwrap(), Value::Null);
}

#[tokio::test]
async fn what_is_not_there_is_gone() {
    let answers = |status: u16, code: &'static str| {
        Server::start(move |_, _, _| say(status, format!(r#"{{"error":{{"code":"{code}"}}}}"#)))
    };
    let gone = answers(404, "RoleAssignmentNotFound");
    client(&gone).delete(&ROLES, ONE).await.unwrap();
    let none = Server::start(|_, _, _| say(204, ""));
    client(&none).delete(&ROLES, ONE).await.unwrap();
    let locked = answers(409, "ScopeLocked");
    let error = client(&locked).delete(&ROLES, ONE).await.unwrap_err();
    assert_eq!(error.code(), Some("ScopeLocked"));
}

#[tokio::test]
async fn nothing_of_ours_goes_where_an_answer_points() {
    let elsewhere = Server::start(|_, _, _| say(200, "{}"));
    let target = elsewhere.url.clone();
    let server =
        Server::start(move |_, _, _| Answer::Say(302, vec![("location", target.clone())], String::new()));
    let error = client(&server).get(&SUBSCRIPTIONS, ONE).await.unwrap_err();
    assert_eq!(error.status(), Some(302));
    assert!(elsewhere.requests().is_empty());
}
