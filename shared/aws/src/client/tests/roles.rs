//! Who we are in an account: roles assumed once, refused, renewed, and kept apart.

use super::*;

#[tokio::test]
async fn a_role_is_assumed_once_for_many_calls() {
    let server = Server::start(|_, seen, _| match seen.body.contains("AssumeRole") {
        true => say(200, assumed("AKMEMBER")),
        false => say(200, "{}"),
    });
    let aws = aws(&server);
    let call = || async {
        aws.member(&access("222222222222")).json(&SQS, "eu-west-1", "ListQueues", json!({})).await.unwrap();
    };
    futures_util::join!(call(), call(), call());
    call().await;
    let (assumes, calls): (Vec<Seen>, Vec<Seen>) =
        server.requests().into_iter().partition(|seen| seen.body.contains("AssumeRole"));
    assert_eq!((assumes.len(), calls.len()), (1, 4));
    assert_eq!((assumes[0].key(), assumes[0].scope()), ("AKOWN".to_owned(), "eu-central-1/sts".to_owned()));
    let form: BTreeMap<String, String> =
        form_urlencoded::parse(assumes[0].body.as_bytes()).into_owned().collect();
    assert_eq!(form["RoleArn"], "arn:aws:iam::222222222222:role/landfall/reader");
    assert_eq!(form["RoleSessionName"], "landfall-run-7");
    assert_eq!(form["ExternalId"], "an external id");
    for call in calls {
        assert_eq!((call.key().as_str(), call.scope().as_str()), ("AKMEMBER", "eu-west-1/sqs"));
        assert_eq!(call.header("x-amz-security-token"), "a-token");
    }
    // Another account, and another run in the same account, are other sessions.
    let later = Access { session: "run 8".to_owned(), ..access("222222222222") };
    for access in [access("333333333333"), later] {
        aws.member(&access).json(&SQS, "eu-west-1", "ListQueues", json!({})).await.unwrap();
    }
    assert_eq!(server.requests().iter().filter(|seen| seen.body.contains("AssumeRole")).count(), 3);
}

#[tokio::test]
async fn a_role_that_can_not_be_assumed_is_told_apart_from_a_denied_call() {
    let server = Server::start(|_, _, _| {
        say(
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not yet</Message></Error></ErrorResponse>",
        )
    });
    let error = aws(&server)
        .member(&access("222222222222"))
        .json(&SQS, "eu-west-1", "ListQueues", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not assume role `landfall/reader` in account `222222222222`: `AccessDenied`: not yet"
    );
    assert!(matches!(error, CallError::AssumeRoleRefused { .. }));
}

#[tokio::test]
async fn text_that_is_no_account_never_becomes_a_host() {
    let server = Server::start(|_, _, _| say(200, ""));
    let member = aws(&server).member(&access("evil.example.com/"));
    let error = member
        .rest(&S3CONTROL, "eu-west-1", "GetPublicAccessBlock", http::Method::GET, "/x", "")
        .await
        .unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "`evil.example.com/` is not an account id of twelve digits"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn credentials_that_a_service_calls_expired_are_replaced() {
    let server = Server::start(|_, seen, before| match (seen.body.contains("AssumeRole"), before) {
        (true, _) => say(200, assumed(&format!("AK{before}"))),
        (false, 1) => say(400, r#"{"__type":"ExpiredTokenException","message":"expired"}"#),
        (false, _) => say(200, "{}"),
    });
    let member = aws(&server).member(&access("222222222222"));
    assert!(member.json(&SQS, "eu-west-1", "ListQueues", json!({})).await.is_err());
    member.json(&SQS, "eu-west-1", "ListQueues", json!({})).await.unwrap();
    assert_eq!(server.requests().last().unwrap().key(), "AK2");
}

#[tokio::test]
async fn throttling_in_one_account_leaves_the_retries_of_another_alone() {
    let server = Server::start(|_, seen, _| match seen.body.contains("AssumeRole") {
        true => say(200, assumed(if seen.body.contains("222222222222") { "AKTWO" } else { "AKTHREE" })),
        false => say(400, r#"{"__type":"ThrottlingException","message":"slow down"}"#),
    });
    let aws = aws(&server);
    let attempts = async |account: &str, key: &str| {
        let before = server.requests().iter().filter(|seen| seen.key() == key).count();
        let member = aws.member(&access(account));
        member.json(&SQS, "eu-west-1", "ListQueues", json!({})).await.unwrap_err();
        server.requests().iter().filter(|seen| seen.key() == key).count() - before
    };
    let mut last = 5;
    for _ in 0..40 {
        last = attempts("222222222222", "AKTWO").await;
    }
    assert!(last <= 2, "{last} attempts");
    assert_eq!(attempts("333333333333", "AKTHREE").await, 5);
}
