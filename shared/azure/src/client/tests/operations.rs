//! Operations that go on after their answer.

use super::*;

const GROUP: &str = "/providers/Microsoft.Management/managementGroups/acme";

/// Answers a write with a number and a header that says where to ask, and the polls with these.
fn server(status: u16, header: &'static str, polls: &'static [(u16, &'static str)]) -> Server {
    Server::start(move |own, seen, before| {
        let link = format!("{own}/providers/x/operations/1?api-version=then");
        match (seen.method.as_str(), polls.get(before.saturating_sub(1)).or(polls.last())) {
            ("GET", Some((status, body))) => {
                Answer::Say(*status, vec![("Retry-After", "0".to_owned())], (*body).to_owned())
            }
            _ => Answer::Say(status, vec![(header, link)], r#"{"id":"first"}"#.to_owned()),
        }
    })
}

async fn put(server: &Server) -> Result<Value, CallError> {
    client_as(server, &Who::Write(None)).put(&GROUPS, GROUP, &json!({})).await?.value()
}

#[tokio::test]
async fn an_operation_is_over_when_its_status_says_so_not_its_number() {
    for status in [200, 201, 202] {
        let server = server(
            status,
            "Azure-AsyncOperation",
            &[(202, ""), (200, r#"{"status":"Running"}"#), (200, r#"{"status":"succeeded"}"#)],
        );
        assert_eq!(put(&server).await.unwrap(), json!({"id": "first"}));
        let poll = "GET /providers/x/operations/1?api-version=then";
        assert_eq!(server.paths()[1..], [poll, poll, poll], "{status}");
        assert!(server.requests().iter().all(|seen| seen.header("authorization") == "Bearer landfall-write"));
    }
}

#[tokio::test]
async fn an_operation_with_a_location_is_over_when_its_number_says_so() {
    let server = server(202, "Location", &[(202, ""), (202, r#"{"status":"x"}"#), (204, "")]);
    put(&server).await.unwrap();
    assert_eq!(server.requests().len(), 4);
    // What was made has an address as well; nobody waits for that.
    let made = self::server(201, "Location", &[(202, "")]);
    put(&made).await.unwrap();
    assert_eq!(made.requests().len(), 1);
}

#[tokio::test]
async fn what_a_poll_says_of_itself_counts_before_its_number_and_its_number_where_it_says_nothing() {
    type Said = (u16, &'static str);
    const RUNNING: Said = (200, r#"{"status":"Running"}"#);
    const PLAIN: Said = (200, r#"{"id":"first"}"#);
    let table: [(&str, &'static [Said], usize); 6] = [
        ("Location", &[RUNNING, (200, r#"{"status":"InProgress"}"#), (200, r#"{"status":"Succeeded"}"#)], 4),
        ("Location", &[RUNNING, PLAIN], 3),
        ("Location", &[(200, r#"{"status":"of the resource"}"#)], 2),
        ("Azure-AsyncOperation", &[RUNNING, PLAIN], 3),
        ("Azure-AsyncOperation", &[(202, "{}"), (200, "{}")], 3),
        ("Azure-AsyncOperation", &[(204, "")], 2),
    ];
    for (header, polls, requests) in table {
        let server = server(202, header, polls);
        put(&server).await.unwrap();
        assert_eq!(server.requests().len(), requests, "{header} {polls:?}");
    }
    let failed =
        server(202, "Location", &[(200, r#"{"status":"Failed","error":{"code":"ParentNotFound"}}"#)]);
    assert_eq!(put(&failed).await.unwrap_err().code(), Some("ParentNotFound"));
}

#[tokio::test]
async fn a_removal_goes_on_as_well() {
    let server = server(202, "Location", &[(202, ""), (200, "")]);
    client(&server).delete(&GROUPS, GROUP).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_operation_that_fails_says_why() {
    let failed = server(
        202,
        "Azure-AsyncOperation",
        &[(200, r#"{"status":"Failed","error":{"code":"ParentNotFound","message":"no\nparent"}}"#)],
    );
    let error = put(&failed).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("Resource Manager answered `PUT {GROUP}` with `ParentNotFound` (200): no parent")
    );
    let canceled = server(202, "Azure-AsyncOperation", &[(200, r#"{"status":"Canceled"}"#)]);
    assert_eq!(put(&canceled).await.unwrap_err().code(), Some("Canceled"));
    let refused = server(202, "Location", &[(409, r#"{"error":{"code":"Conflict","message":"meanwhile"}}"#)]);
    assert_eq!(put(&refused).await.unwrap_err().code(), Some("Conflict"));
    let garbled = server(202, "Azure-AsyncOperation", &[(200, "<html>")]);
    assert!(matches!(put(&garbled).await.unwrap_err(), CallError::Unreadable { .. }));
}

#[tokio::test]
async fn an_operation_that_goes_on_is_left_for_a_later_look() {
    let server = server(202, "Azure-AsyncOperation", &[(200, r#"{"status":"InProgress"}"#)]);
    let error = put(&server).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`PUT {GROUP}` still goes on after 200ms"));
    assert!(server.requests().len() > 2);
}

#[tokio::test]
async fn nobody_is_asked_after_it_elsewhere() {
    let elsewhere = Server::start(|_, _, _| say(200, r#"{"status":"Succeeded"}"#));
    for header in ["Azure-AsyncOperation", "Location"] {
        let link = elsewhere.url.clone();
        let server =
            Server::start(move |_, _, _| Answer::Say(202, vec![(header, link.clone())], "{}".to_owned()));
        let error = put(&server).await.unwrap_err();
        assert!(matches!(error, CallError::ForeignLink { .. }), "{error}");
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_poll_is_tried_again_like_any_other_call() {
    let server =
        server(202, "Azure-AsyncOperation", &[(503, ""), (429, ""), (200, r#"{"status":"Succeeded"}"#)]);
    put(&server).await.unwrap();
    assert_eq!(server.requests().len(), 4);
}
