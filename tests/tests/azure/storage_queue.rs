//! The simulated Storage Queue keeps the same promises as Azurite's and Azure's: what passes here passes there.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use landfall_azure::{Azure, StorageQueue};
use landfall_engine::queue::contract::Rules;
use landfall_engine::queue::{Outbox as _, Queue as _, QueueError};
use landfall_simulator::storage_queue::StorageQueues;

/// Where nobody listens: nothing here asks Resource Manager.
const NOBODY: &str = "http://127.0.0.1:9";

fn queues() -> StorageQueues {
    StorageQueues::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap()
}

fn queue(queues: &StorageQueues, url: &str) -> StorageQueue {
    Azure::loopback_with_storage(NOBODY, &queues.url()).unwrap().queue(url).unwrap()
}

#[tokio::test]
async fn the_queue_keeps_its_contract() {
    let queues = queues();
    let visibility = Duration::from_secs(1);
    let queue = queue(&queues, &queues.create("contract")).with_rules(visibility, 3);
    let rules = Rules { visibility, delay: Duration::from_secs(1), max_receives: 3 };
    landfall_engine::queue::contract::run(&queue, &rules).await;
}

#[tokio::test]
async fn busy_servers_and_cut_connections_cost_time_and_no_message() {
    let queues = queues();
    let queue = queue(&queues, &queues.create("work"));
    queues.set_faults("throttle=0.2,5xx=0.1,seed=7".parse().unwrap());
    for number in 0..20 {
        queue.send(&number.to_string(), Duration::ZERO).await.unwrap();
    }
    assert!(queues.calls().iter().any(|call| call.status == Some(503)));
    assert_eq!(queues.due("work"), 20);
    assert_eq!(queue.receive(100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_queue_that_nobody_made_is_said_to_be_missing() {
    let queues = queues();
    let url = format!("{}/devstoreaccount1/nobody-made-it", queues.url());
    let queue = queue(&queues, &url);
    for refused in [
        queue.send("x", Duration::ZERO).await,
        queue.receive(1).await.map(drop),
        queue.next_due().await.map(drop),
    ] {
        assert!(
            matches!(&refused, Err(QueueError::NoSuchQueue { queue, .. }) if *queue == url),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_trigger_takes_what_was_sent_as_it_lies_there() {
    let queues = queues();
    let queue = queue(&queues, &queues.create("work"));
    let hidden = Duration::from_secs(30);
    queue.send("{\"sweep\":\"s\"}", Duration::ZERO).await.unwrap();
    queue.send("later", Duration::from_secs(600)).await.unwrap();
    assert_eq!((queues.due("work"), queues.later("work")), (1, 1));

    let taken = queues.take("work", 8, hidden);
    assert_eq!((taken.len(), taken[0].text.as_str(), taken[0].count), (1, "eyJzd2VlcCI6InMifQ==", 1));
    assert_eq!((queues.due("work"), queues.later("work")), (0, 2), "in flight, and held back");
    queues.again("work", &taken[0], Duration::ZERO);
    let again = queues.take("work", 8, hidden);
    assert_eq!((again[0].id.as_str(), again[0].count), (taken[0].id.as_str(), 2));
    // The first delivery is over, and its receipt with it.
    queues.done("work", &taken[0]);
    assert_eq!(queues.later("work"), 2);
    queues.done("work", &again[0]);
    assert_eq!((queues.due("work"), queues.later("work")), (0, 1));

    queues.hurry("work");
    assert_eq!(queues.due("work"), 1);
    assert_eq!(queue.receive(8).await.unwrap()[0].body, "later");
    assert!(queues.take("nobody-made-it", 8, hidden).is_empty());
}
