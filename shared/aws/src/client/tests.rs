//! The client against a server in this process that says what each test wants to hear.

mod contracts;
mod environment;
mod roles;
mod signature;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use landfall_engine::governor::{Governor, Rate};
use landfall_engine::queue::{Outbox as _, Queue as _, QueueError};
use landfall_engine::scripted::{Answer, Seen, Server, say};
use serde_json::json;

use self::signature::Signature as _;
use super::service::*;
use super::*;
use crate::error::ConfigError;
use crate::http::Connector;
use crate::identity::Access;

const SECRET: &str = "wJalrXUtnFEMI-a-secret";

fn patience() -> Patience {
    Patience {
        attempts: 5,
        first_backoff: Duration::from_millis(1),
        attempt: Duration::from_secs(5),
        operation: Duration::from_secs(10),
    }
}

/// Out of the way.
fn governor() -> Arc<Governor> {
    Arc::new(Governor::new(|_| Rate::per_second(10_000, 10_000)))
}

fn config(url: &str) -> aws_types::sdk_config::Builder {
    SdkConfig::builder().region(Region::new("eu-central-1")).endpoint_url(url).credentials_provider(
        SharedCredentialsProvider::new(Credentials::new("AKOWN", SECRET, None, None, "test")),
    )
}

fn aws_with(server: &Server, patience: Patience) -> Aws {
    Aws::new(&config(&server.url).build(), Connector::new(Duration::from_secs(5)), patience, governor())
        .unwrap()
}

fn aws(server: &Server) -> Aws {
    aws_with(server, patience())
}

fn access(account: &str) -> Access {
    Access {
        account: account.to_owned(),
        role: "landfall/reader".to_owned(),
        external_id: Some("an external id".to_owned()),
        session: "landfall run 7".to_owned(),
    }
}

fn assumed(key: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>a-token</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

async fn list_roots(aws: &Aws) -> Result<Reply, CallError> {
    aws.own().json(&ORGANIZATIONS, "eu-central-1", "ListRoots", json!({})).await
}

/// One error, said in each of the five protocols, by whichever call makes the service say it.
#[tokio::test]
async fn errors_of_all_protocols_are_understood() {
    let server = Server::start(|_, seen, _| match seen.scope().as_str() {
        "us-east-1/organizations" => Answer::Say(
            400,
            vec![("x-amzn-RequestId", "r-json11".to_owned())],
            r#"{"__type":"AccountNotFoundException","Message":"no such account"}"#.to_owned(),
        ),
        "eu-central-1/sqs" => {
            say(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}"#)
        }
        "us-east-1/account" => Answer::Say(
            404,
            vec![("x-amzn-errortype", "ResourceNotFoundException:http://x/".to_owned())],
            r#"{"message":"no contact"}"#.to_owned(),
        ),
        "us-east-1/iam" => say(
            404,
            "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no policy</Message></Error><RequestId>r-query</RequestId></ErrorResponse>",
        ),
        _ if seen.path == "/" => say(
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        ),
        _ => say(
            404,
            "<Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message></Error>",
        ),
    });
    let own = aws(&server).own();
    let region = "eu-central-1";
    let errors = [
        own.json(&ORGANIZATIONS, region, "DescribeAccount", json!({"AccountId": "1"})).await,
        own.json(&SQS, region, "SendMessage", json!({})).await,
        own.rest(&ACCOUNT, region, "GetAlternateContact", http::Method::POST, "/getAlternateContact", "{}")
            .await,
        own.query(&IAM, region, "GetAccountPasswordPolicy", &[]).await,
        own.rest(
            &S3CONTROL,
            region,
            "GetPublicAccessBlock",
            http::Method::GET,
            "/v20180820/configuration/publicAccessBlock",
            "",
        )
        .await,
    ]
    .map(Result::unwrap_err);
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "`organizations` answered `DescribeAccount` with `AccountNotFoundException` (400): no such account",
            "`sqs` answered `SendMessage` with `QueueDoesNotExist` (400): no such queue",
            "`account` answered `GetAlternateContact` with `ResourceNotFoundException` (404): no contact",
            "`iam` answered `GetAccountPasswordPolicy` with `NoSuchEntity` (404): no policy",
            "`s3control` answered `GetPublicAccessBlock` with `NoSuchPublicAccessBlockConfiguration` (404): none",
        ]
    );
    assert_eq!(errors[0].request_id(), Some("r-json11"));
    assert_eq!(errors[3].request_id(), Some("r-query"));
    assert!(errors[0].is_not_found() && errors[4].is_not_found());
    assert!(errors.iter().all(|error| !error.is_denied() && !error.is_passing()));
}

#[tokio::test]
async fn requests_are_written_as_each_protocol_wants_them() {
    let server = Server::start(|_, seen, _| match seen.body.contains("GetCallerIdentity") {
        true => say(
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        ),
        false => say(200, ""),
    });
    let own = aws(&server).own();
    let region = "eu-central-1";
    own.json(&ORGANIZATIONS, region, "ListRoots", json!({"MaxResults": 5})).await.unwrap();
    own.query(&EC2, region, "DescribeVpcs", &[("Filter.1.Name", "is default & more".to_owned())])
        .await
        .unwrap();
    let path = "/v20180820/configuration/publicAccessBlock";
    own.rest(&S3CONTROL, region, "PutPublicAccessBlock", http::Method::PUT, path, "<x/>").await.unwrap();
    own.rest(&ACCESS_ANALYZER, region, "ListAnalyzers", http::Method::GET, "/analyzer?type=ACCOUNT", "")
        .await
        .unwrap();

    let shown: Vec<String> = server
        .requests()
        .iter()
        .map(|seen| {
            let Seen { method, path, body, .. } = seen;
            let header = |name| seen.header(name);
            format!(
                "{} | {method} {path} | {} | {} | {body}",
                seen.scope(),
                header("content-type"),
                [header("x-amz-target"), header("x-amz-account-id")].concat(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            r#"us-east-1/organizations | POST / | application/x-amz-json-1.1 | AWSOrganizationsV20161128.ListRoots | {"MaxResults":5}"#,
            "eu-central-1/ec2 | POST / | application/x-www-form-urlencoded |  | Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=is+default+%26+more",
            "eu-central-1/sts | POST / | application/x-www-form-urlencoded |  | Action=GetCallerIdentity&Version=2011-06-15",
            "eu-central-1/s3 | PUT /v20180820/configuration/publicAccessBlock | application/xml | 111111111111 | <x/>",
            "eu-central-1/access-analyzer | GET /analyzer?type=ACCOUNT |  |  | ",
        ]
    );
    let agent = server.requests()[0].header("user-agent").to_owned();
    assert!(agent.contains("api/organizations/") && agent.contains("app/landfall"), "{agent}");
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let server = Server::start(|_, _, before| match before {
        0 | 1 => say(400, r#"{"__type":"TooManyRequestsException","Message":"slow down"}"#),
        _ => say(200, r#"{"Roots":[]}"#),
    });
    list_roots(&aws(&server)).await.unwrap();
    let attempts: Vec<String> =
        server.requests().iter().map(|seen| seen.header("amz-sdk-request").to_owned()).collect();
    assert_eq!(attempts, ["attempt=1; max=5", "attempt=2; max=5", "attempt=3; max=5"]);
}

#[tokio::test]
async fn throttling_that_does_not_end_is_told_as_such() {
    let server =
        Server::start(|_, _, _| say(400, r#"{"__type":"TooManyRequestsException","Message":"slow down"}"#));
    let error = list_roots(&aws(&server)).await.unwrap_err();
    assert!(error.is_throttled() && error.is_passing() && !error.is_denied());
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_web_page_with_status_503_is_tried_again_and_in_the_end_unreadable() {
    let page = "<!DOCTYPE html><html><body>Service Unavailable</body></html>";
    let server = Server::start(move |_, _, before| if before < 2 { say(503, page) } else { say(200, "{}") });
    list_roots(&aws(&server)).await.unwrap();
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(move |_, _, _| say(503, page));
    let error = list_roots(&aws(&server)).await.unwrap_err();
    assert_eq!(server.requests().len(), 5);
    assert_eq!(error.code(), None);
    assert!(error.is_passing());
    assert_eq!(error.to_string(), "could not read the answer of `organizations` to `ListRoots` (503)");
    assert_eq!(error.source().unwrap().to_string(), "it is a web page");
}

#[tokio::test]
async fn a_web_page_with_status_200_is_no_success() {
    let server = Server::start(|_, _, _| say(200, "\n<html><h1>Sign in to the guest network</h1></html>"));
    let error = list_roots(&aws(&server)).await.unwrap_err();
    assert!(matches!(error, CallError::Unreadable { status: 200, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_unreadable_and_names_the_call() {
    let server = Server::start(|_, _, _| say(200, "{\"Roots\":["));
    let error = list_roots(&aws(&server)).await.unwrap().json::<Value>().unwrap_err();
    assert_eq!(error.to_string(), "could not read the answer of `organizations` to `ListRoots` (200)");
}

#[tokio::test]
async fn a_denial_is_asked_for_once() {
    let server = Server::start(|_, _, _| {
        say(400, "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\\u001b[31m\"}")
    });
    let error = list_roots(&aws(&server)).await.unwrap_err();
    assert!(error.is_denied() && !error.is_passing());
    assert!(!error.to_string().contains('\u{1b}'));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let server = Server::start(|_, _, _| Answer::Silence);
    let short = Patience { attempts: 2, attempt: Duration::from_millis(100), ..patience() };
    let start = Instant::now();
    let error = list_roots(&aws_with(&server, short)).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(server.requests().len(), 2);

    let whole =
        Patience { attempt: Duration::from_secs(5), operation: Duration::from_millis(100), ..patience() };
    let error = list_roots(&aws_with(&server, whole)).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = config(&format!("http://{gone}")).build();
    let aws = Aws::new(&config, Connector::new(Duration::from_secs(1)), patience(), governor()).unwrap();
    let error = list_roots(&aws).await.unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error:?}");
    assert!(error.is_passing());
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_by_the_services_own() {
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&ahead).unwrap();
    let server = Server::start(move |_, _, before| match before {
        0 => Answer::Say(
            400,
            vec![("date", date.clone())],
            r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#.to_owned(),
        ),
        _ => say(200, "{}"),
    });
    list_roots(&aws(&server)).await.unwrap();
    let hours: Vec<String> =
        server.requests().iter().map(|seen| seen.header("x-amz-date")[..11].to_owned()).collect();
    assert_eq!(hours.len(), 2);
    assert_ne!(hours[0], hours[1]);
}

#[tokio::test]
async fn all_pages_are_read_even_behind_an_empty_one() {
    let server = Server::start(|_, seen, _| match seen.body.as_str() {
        body if body.contains("two") => say(200, r#"{"Accounts":[{"Id":"3"}]}"#),
        body if body.contains("one") => say(200, r#"{"Accounts":[],"NextToken":"two"}"#),
        _ => say(200, r#"{"Accounts":[{"Id":"1"}],"NextToken":"one"}"#),
    });
    let own = aws(&server).own();
    let pages =
        own.json_pages(&ORGANIZATIONS, "us-east-1", "ListAccounts", json!({"MaxResults": 20})).await.unwrap();
    assert_eq!(pages.len(), 3);
    assert!(server.requests().iter().all(|seen| seen.body.contains("\"MaxResults\":20")));

    let server = Server::start(|_, _, _| say(200, r#"{"NextToken":"again"}"#));
    let error = aws(&server)
        .own()
        .json_pages(&ORGANIZATIONS, "us-east-1", "ListAccounts", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "it names the same next page again");
}

#[tokio::test]
async fn nothing_that_is_printed_holds_a_secret() {
    let server = Server::start(|_, _, _| say(200, assumed("AKMEMBER")));
    let aws = aws(&server);
    let reply =
        aws.own().query(&STS, "eu-central-1", "AssumeRole", &[("x", SECRET.to_owned())]).await.unwrap();
    aws.0.own.identity.credentials(&aws).await.unwrap();
    let printed = format!("{aws:?} {:?} {reply:?} {:?}", aws.own(), aws.member(&access("222222222222")));
    assert!(!printed.contains(SECRET) && !printed.contains("a-token"), "{printed}");
}

#[tokio::test]
async fn an_object_is_fetched_with_a_signature_and_a_missing_one_is_missed() {
    let server = Server::start(|_, seen, _| match seen.path.as_str() {
        "/landfall-bundles/org/bundle.json" => Answer::Say(
            200,
            vec![("etag", "\"1\"".to_owned()), ("last-modified", "Tue, 01 Sep 2026 10:00:00 GMT".to_owned())],
            "the bundle".to_owned(),
        ),
        _ => say(404, "<Error><Code>NoSuchKey</Code></Error>"),
    });
    let aws = aws(&server);
    assert_eq!(aws.fetch("s3://landfall-bundles/org/bundle.json").await.unwrap(), "the bundle");
    let seen = server.requests();
    assert_eq!((seen[0].key(), seen[0].scope()), ("AKOWN".to_owned(), "eu-central-1/s3".to_owned()));
    let error = aws.fetch("s3://landfall-bundles/none").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no object `s3://landfall-bundles/none`");
    assert!(aws.fetch("s3://landfall-bundles/").await.is_err());
}

#[tokio::test]
async fn a_call_waits_for_the_share_of_its_own_account_and_family() {
    let server = Server::start(|_, seen, _| match seen.body.contains("AssumeRole") {
        true => say(200, assumed("AKMEMBER")),
        false => say(200, "{}"),
    });
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let governor = Governor::new(move |family| {
        heard.lock().unwrap().push(family.to_owned());
        Rate::per_second(1000, 1)
    });
    let connector = Connector::new(Duration::from_secs(1));
    let aws = Aws::new(&config(&server.url).build(), connector, patience(), Arc::new(governor)).unwrap();
    for _ in 0..2 {
        list_roots(&aws).await.unwrap();
        aws.member(&access("222222222222")).json(&SQS, "eu-west-1", "ListQueues", json!({})).await.unwrap();
    }
    // A bucket is made once for each account and family.
    assert_eq!(*asked.lock().unwrap(), ["organizations/ListRoots", "sqs", "sts"]);
}

#[tokio::test]
async fn a_queue_is_known_by_its_url() {
    let real = environment::aws_set(&[]).unwrap();
    let good = "https://sqs.eu-west-1.amazonaws.com/111111111111/landfall-work";
    assert!(real.queue(good).is_ok());
    assert!(real.queue("https://sqs.cn-north-1.amazonaws.com.cn/111111111111/landfall-work").is_ok());
    for bad in [
        "",
        "landfall-work",
        "http://sqs.eu-west-1.amazonaws.com/111111111111/landfall-work",
        "https://sqs.eu-west-1.example.com/111111111111/landfall-work",
        "https://sqs.eu-west-1.amazonaws.com/landfall-work",
        "https://sqs.eu-west-1.amazonaws.com/111111111111/landfall-work?x",
        "http://127.0.0.1:5000/111111111111/landfall-work",
    ] {
        assert!(real.queue(bad).is_err(), "{bad}");
    }
    // Where the endpoint is set, the URL is only a name.
    let server = Server::start(|_, _, _| say(200, r#"{"MessageId":"1"}"#));
    let aws = aws(&server);
    aws.queue(good).unwrap().send("{}", Duration::from_millis(1500)).await.unwrap();
    aws.queue("http://127.0.0.1:5000/111111111111/landfall-work")
        .unwrap()
        .send("{}", Duration::ZERO)
        .await
        .unwrap();
    let seen = server.requests();
    assert_eq!(seen[0].scope(), "eu-west-1/sqs");
    assert_eq!(seen[0].body, format!(r#"{{"DelaySeconds":2,"MessageBody":"{{}}","QueueUrl":"{good}"}}"#));
    assert_eq!(seen[1].scope(), "eu-central-1/sqs");
}

#[tokio::test]
async fn a_queue_that_is_gone_or_closed_to_us_says_so() {
    let answer = |code: &'static str| {
        Server::start(move |_, _, _| say(400, format!(r#"{{"__type":"com.amazonaws.sqs#{code}"}}"#)))
    };
    let url = "https://sqs.eu-west-1.amazonaws.com/111111111111/landfall-work";
    let send =
        async |server: &Server| aws(server).queue(url).unwrap().send("{}", Duration::ZERO).await.unwrap_err();
    assert!(matches!(send(&answer("QueueDoesNotExist")).await, QueueError::NoSuchQueue { .. }));
    assert!(matches!(send(&answer("AccessDeniedException")).await, QueueError::Denied { .. }));
    assert!(matches!(send(&answer("InternalFailure")).await, QueueError::Unavailable { .. }));
    // Done by somebody, in the meantime.
    let server = answer("ReceiptHandleIsInvalid");
    aws(&server).queue(url).unwrap().done("receipt").await.unwrap();
}

/// What `EndpointProvider` of botocore 1.44.5 resolves from each service's published `endpoint-rule-set-1` (no FIPS, no dual
/// stack, account `111111111111`), with the signing region of its auth scheme, or the region asked for where it names none.
const PUBLISHED: &str = include_str!("tests/endpoints.txt");

#[test]
fn hosts_and_signing_regions_are_those_of_the_published_rules() {
    let mut lines = 0;
    for line in PUBLISHED.lines() {
        let [service, region, host, signing] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("`{line}` has not four columns");
        };
        let about = ALL.iter().find(|about| about.name == service).unwrap();
        let address = about.host.address(region).unwrap();
        let prefix = if about.account_in_host { "111111111111." } else { "" };
        assert_eq!(
            (format!("{prefix}{}", address.host).as_str(), address.signing_region.as_str()),
            (host, signing),
            "{line}"
        );
        lines += 1;
    }
    assert_eq!(lines, ALL.len() * 9);
}
