//! The service on Cloud Run, killed in the middle of a baseline, and woken three times at once: what follows ends it, once.

use landfall_simulator::gcp::GcpSimulator;
use landfall_tests::killed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_in_the_middle_of_a_baseline_is_followed_by_one_that_ends_it() {
    killed::a_process_killed_in_the_middle_of_a_baseline_is_followed_by_one_that_ends_it::<GcpSimulator>()
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_deliveries_at_once_to_two_processes_are_one_baseline() {
    killed::three_deliveries_at_once_to_two_processes_are_one_baseline::<GcpSimulator>().await;
}
