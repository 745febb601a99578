use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, simulator};

#[test]
fn a_message_is_held_then_given_up_on() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let url = |name: &str, attributes: Value| {
        client.sqs("CreateQueue", &json!({"QueueName": name, "Attributes": attributes})).json()["QueueUrl"]
            .clone()
    };
    let dead = url("dead", json!({}));
    let redrive =
        json!({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:111111111111:dead", "maxReceiveCount": 2});
    let work = url("work", json!({"VisibilityTimeout": "0", "RedrivePolicy": redrive.to_string()}));
    client.sqs("SendMessage", &json!({"QueueUrl": work, "MessageBody": "hello"}));
    let ask = json!({"QueueUrl": work, "AttributeNames": ["ApproximateReceiveCount"]});
    for count in ["1", "2"] {
        let received = client.sqs("ReceiveMessage", &ask).json();
        assert_eq!(received["Messages"][0]["Attributes"]["ApproximateReceiveCount"], count);
        assert_eq!(received["Messages"][0]["MD5OfBody"], "5d41402abc4b2a76b9719d911017c592");
    }
    assert_eq!(client.sqs("ReceiveMessage", &ask).json(), json!({}));
    let received = client.sqs("ReceiveMessage", &json!({"QueueUrl": dead})).json();
    assert_eq!(received["Messages"][0]["Body"], "hello");
    let held = client.sqs("ReceiveMessage", &json!({"QueueUrl": dead})).json();
    assert_eq!(held, json!({}), "it is in somebody's hands");
    let handle = received["Messages"][0]["ReceiptHandle"].clone();
    let deleted = client.sqs("DeleteMessage", &json!({"QueueUrl": dead, "ReceiptHandle": handle}));
    assert_eq!(deleted.status, 200);
    let left = client.sqs("GetQueueAttributes", &json!({"QueueUrl": dead, "AttributeNames": ["All"]})).json();
    assert_eq!(left["Attributes"]["ApproximateNumberOfMessagesNotVisible"], "0");
}

#[test]
fn a_long_poll_waits_and_is_woken() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let url = client.sqs("CreateQueue", &json!({"QueueName": "work"})).json()["QueueUrl"].clone();
    let receive = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    std::thread::scope(|scope| {
        let begun = Instant::now();
        let waiting = scope.spawn(|| client.sqs("ReceiveMessage", &receive).json());
        while simulator.calls().len() < 2 {
            std::thread::yield_now();
        }
        client.sqs("SendMessage", &json!({"QueueUrl": url, "MessageBody": "wake up"}));
        assert_eq!(waiting.join().unwrap()["Messages"][0]["Body"], "wake up");
        assert!(begun.elapsed() < Duration::from_secs(15));
    });
}

#[test]
fn delays_and_batches_have_their_limits() {
    let simulator = simulator(0);
    let client = Client::new(&simulator);
    let url = client.sqs("CreateQueue", &json!({"QueueName": "work"})).json()["QueueUrl"].clone();
    let entry = |id: &str, delay: i64| json!({"Id": id, "MessageBody": "x", "DelaySeconds": delay});
    let sent = client
        .sqs("SendMessageBatch", &json!({"QueueUrl": url, "Entries": [entry("a", 900), entry("b", 901)]}))
        .json();
    assert_eq!(sent["Successful"][0]["Id"], "a");
    assert_eq!(
        (&sent["Failed"][0]["Id"], &sent["Failed"][0]["Code"]),
        (&json!("b"), &json!("InvalidParameterValue"))
    );
    assert_eq!(
        client.sqs("ReceiveMessage", &json!({"QueueUrl": url})).json(),
        json!({}),
        "not before its delay"
    );
    let twice =
        client.sqs("SendMessageBatch", &json!({"QueueUrl": url, "Entries": [entry("a", 0), entry("a", 0)]}));
    assert_eq!(twice.code(), "BatchEntryIdsNotDistinct");
    let missing = client.sqs("GetQueueUrl", &json!({"QueueName": "nope"}));
    assert_eq!((missing.status, missing.code().as_str()), (400, "QueueDoesNotExist"));
    assert!(missing.head.contains("x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender"));
}
