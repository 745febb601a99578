//! The store and the queue against an emulator of S3 and SQS (moto or another), found by `AWS_ENDPOINT_URL` as in production:
//!
//! `AWS_ENDPOINT_URL=http://127.0.0.1:5000 AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x cargo test -p
//! landfall-aws -- --ignored`

use landfall_engine::queue::contract::{Rules, run as run_queue};
use landfall_engine::store::contract::run as run_store;

use super::*;

static S3_REST: Service<Rest> = Service {
    about: About {
        name: "s3",
        sdk_id: "S3",
        signing_name: "s3",
        host: crate::endpoint::Host::Regional("s3"),
        account_in_host: false,
    },
    protocol: Rest { content_type: "application/xml" },
};

async fn emulator() -> Aws {
    let aws = Aws::from_env(governor()).await.unwrap();
    assert!(aws.is_loopback(), "these tests make things: never in a real account");
    aws
}

/// A name that no run before has used.
fn fresh(name: &str) -> String {
    format!("landfall-{name}-{}", jiff::Timestamp::now().as_nanosecond())
}

#[tokio::test]
#[ignore = "needs an emulator of S3 at AWS_ENDPOINT_URL"]
async fn s3_keeps_the_stores_promises() {
    let aws = emulator().await;
    let bucket = fresh("store");
    let place = format!(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
        aws.region()
    );
    let made = aws
        .own()
        .rest(&S3_REST, aws.region(), "CreateBucket", http::Method::PUT, &format!("/{bucket}"), place)
        .await;
    made.unwrap();
    run_store(&aws.store(&format!("s3://{bucket}")).unwrap()).await;
    run_store(&aws.store(&format!("s3://{bucket}/a/folder")).unwrap()).await;
}

#[tokio::test]
#[ignore = "needs an emulator of SQS at AWS_ENDPOINT_URL"]
async fn sqs_keeps_the_queues_promises() {
    #[derive(Deserialize)]
    struct Made {
        #[serde(rename = "QueueUrl")]
        url: String,
    }
    #[derive(Deserialize)]
    struct Described {
        #[serde(rename = "Attributes")]
        attributes: BTreeMap<String, String>,
    }
    let aws = emulator().await;
    let own = aws.own();
    let call = async |operation, body| own.json(&SQS, aws.region(), operation, body).await.unwrap();
    let Made { url: dead } = call("CreateQueue", json!({"QueueName": fresh("dead")})).await.json().unwrap();
    let described =
        call("GetQueueAttributes", json!({"QueueUrl": dead, "AttributeNames": ["QueueArn"]})).await;
    let Described { attributes } = described.json().unwrap();
    let rules = Rules { visibility: Duration::from_secs(2), delay: Duration::from_secs(1), max_receives: 2 };
    let policy =
        json!({"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": rules.max_receives});
    let attributes = json!({
        "VisibilityTimeout": rules.visibility.as_secs().to_string(),
        "RedrivePolicy": policy.to_string(),
    });
    let body = json!({"QueueName": fresh("work"), "Attributes": attributes});
    let Made { url } = call("CreateQueue", body).await.json().unwrap();
    run_queue(&aws.queue(&url).unwrap(), &rules).await;
}
