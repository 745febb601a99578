//! A process that ends at any call of a baseline on Azure: nobody is stranded, and nobody is let in before the handover.

use landfall_simulator::azure::AzureSimulator;
use landfall_tests::crash;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_at_any_call_strands_nobody_and_lets_nobody_in() {
    crash::a_process_that_ends_at_any_call_strands_nobody_and_lets_nobody_in::<AzureSimulator>().await;
}
