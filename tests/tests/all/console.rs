//! However large an organization is, what a person asks is answered within what each platform lets through, and what is left out is said.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use http_body_util::BodyExt as _;
use landfall_engine::{ask, lease};
use landfall_function_azure::trigger::Function;
use landfall_function_gcp::trigger::Duty;
use landfall_model::answer::{About, Answer, Reconciled, Status};
use landfall_model::facts::{Facts, Origin, State};
use landfall_model::record::Record;
use landfall_tests::stage::{Stage, tenant};
use serde_json::Value;

/// Lambda's largest answer, and Cloud Run's over HTTP/1: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>,
/// <https://cloud.google.com/run/quotas>. The Functions host names none for answers; it is held to Cloud Run's.
const LAMBDA: usize = 6 * 1024 * 1024;
const CLOUD_RUN: usize = 32 * 1024 * 1024;

/// The answer as each platform gets it.
async fn written(answer: &Answer) -> [(&'static str, usize, String); 3] {
    let aws = serde_json::to_string(&landfall_function_aws::answer::written(answer)).unwrap();
    let envelope =
        landfall_function_azure::answer::Envelope::of(Function::Console, std::slice::from_ref(answer));
    let azure = envelope.response.unwrap()["body"].as_str().unwrap().to_owned();
    let gcp = landfall_function_gcp::answer::done(Duty::Console, answer).into_body().collect().await.unwrap();
    let gcp = String::from_utf8(gcp.to_bytes().to_vec()).unwrap();
    [("aws", LAMBDA, aws), ("azure", CLOUD_RUN, azure), ("gcp", CLOUD_RUN, gcp)]
}

/// The answer, the same on each platform.
async fn told(what: &str, answer: &Answer) -> Value {
    let mut all: Vec<Value> = Vec::new();
    for (platform, limit, text) in written(answer).await {
        assert!(text.len() < limit, "{what} on {platform}: {} bytes", text.len());
        all.push(serde_json::from_str(&text).unwrap());
    }
    assert!(all.windows(2).all(|two| two[0] == two[1]), "{what}: the platforms say different things");
    all.swap_remove(0)
}

#[tokio::test]
async fn whatever_is_asked_stays_below_each_platform_s_limit() {
    let stage = Stage::with(3).await;
    stage.sweep().await;
    let store = &*stage.engine.store;
    let account = ask::status(store).await.unwrap().targets.pop().unwrap().target;
    let record = lease::peek(store, &account).await.unwrap().unwrap();
    let report = ask::last_report(store, &account).await.unwrap().unwrap();

    for tenants in [0, 3, 1_000, 4_000, 8_000, 60_000] {
        let one = |number: usize| Record {
            target: tenant(&format!("5{number:011}")),
            facts: Some(Facts {
                name: format!("team-{number:05}-with-a-name-as-long-as-aws-lets-one-be"),
                state: State::Active,
                origin: Origin::Joined,
                joined: None,
            }),
            ..record.clone()
        };
        let targets = (0..tenants).map(one).collect();
        let status = Status { paused: None, swept: Vec::new(), partly: Vec::new(), targets };
        let status = told(&format!("the status of {tenants}"), &Answer::Status(status)).await;
        let shown = status["text"].as_array().unwrap().len();
        let left = status["more"].as_str().and_then(|more| more.split(' ').nth(1)?.parse::<usize>().ok());
        assert_eq!(shown + left.unwrap_or_default(), tenants + 1, "a line for each, and the sum");
        assert!(status["summary"].as_str().unwrap().starts_with(&format!("{tenants} targets: ")));
        assert_eq!(status.get("targets").is_some(), status.get("too-large").is_none(), "{tenants}");
        assert_eq!(status.get("targets").is_none(), tenants >= 8_000, "{tenants}");
    }

    for targets in [1, 50, 400, 1_400] {
        let about = || About::Applied(Reconciled::Done(Box::new(report.clone())));
        let answers = (0..targets).map(|number| (tenant(&format!("5{number:011}")), about())).collect();
        let told = told(&format!("{targets} reports"), &Answer::Told(answers)).await;
        let told = told.as_object().unwrap();
        let shown = told.keys().filter(|name| name.starts_with("aws/")).count();
        let left = told.get("more").and_then(|more| more.as_str()?.split(' ').nth(1)?.parse::<usize>().ok());
        assert_eq!(shown + left.unwrap_or_default(), targets);
        assert!(shown >= targets.min(1_000), "{shown} of {targets}");
        for (name, one) in told.iter().filter(|(name, _)| name.starts_with("aws/")) {
            assert!(!one["text"].as_array().unwrap().is_empty(), "{name}: {one}");
            assert!(one.get("report").is_some() || one["too-large"].is_string(), "{name}: {one}");
        }
    }
}
