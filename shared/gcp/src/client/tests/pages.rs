//! Lists, which come in pages.

use super::*;

#[tokio::test]
async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let server = Server::start(|_, _, before| match before {
        0 => say(200, r#"{"projects":[1,2],"nextPageToken":"a/b+c="}"#),
        1 => say(200, r#"{"nextPageToken":"d"}"#),
        2 => say(200, r#"{"projects":null,"nextPageToken":"e"}"#),
        _ => say(200, r#"{"projects":[3],"nextPageToken":""}"#),
    });
    let (_, all) = client(&server).list(&RESOURCES, "projects:search?pageSize=2", "projects").await.unwrap();
    assert_eq!(all, [json!(1), json!(2), json!(3)]);
    let search = "GET /cloudresourcemanager.googleapis.com/v3/projects:search?pageSize=2";
    assert_eq!(
        server.paths(),
        [
            search.to_owned(),
            format!("{search}&pageToken=a%2Fb%2Bc%3D"),
            format!("{search}&pageToken=d"),
            format!("{search}&pageToken=e"),
        ]
    );
    client(&server).list(&RESOURCES, "liens", "liens").await.unwrap();
}

#[tokio::test]
async fn a_path_without_a_query_gets_one() {
    let server = Server::start(|_, _, before| match before {
        0 => say(200, r#"{"liens":[],"nextPageToken":"a"}"#),
        _ => say(200, "{}"),
    });
    client(&server).list(&RESOURCES, "liens", "liens").await.unwrap();
    assert_eq!(server.paths()[1], "GET /cloudresourcemanager.googleapis.com/v3/liens?pageToken=a");
}

#[tokio::test]
async fn pages_that_lead_back_are_told() {
    let server = Server::start(|_, seen, _| {
        let next = if seen.path.ends_with("=a") { "b" } else { "a" };
        say(200, json!({"projects": [], "nextPageToken": next}).to_string())
    });
    let error = client(&server).list(&RESOURCES, "projects:search", "projects").await.unwrap_err();
    assert!(chain(&error).ends_with("it names a page again that was read already"), "{}", chain(&error));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn what_is_no_list_and_a_page_that_fails_fail_the_list() {
    let server = Server::start(|_, _, before| match before {
        0 => say(200, r#"{"projects":[1],"nextPageToken":"a"}"#),
        _ => say(403, refusal(403, "PERMISSION_DENIED", "no")),
    });
    assert!(client(&server).list(&RESOURCES, "projects:search", "projects").await.unwrap_err().is_denied());
    for body in [r#"{"projects":{}}"#, "<html>", "[]x"] {
        let server = Server::start(move |_, _, _| say(200, body));
        let error = client(&server).list(&RESOURCES, "projects:search", "projects").await.unwrap_err();
        assert!(matches!(error, CallError::Unreadable { status: 200, .. }), "{body}: {error}");
    }
}
