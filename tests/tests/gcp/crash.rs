//! A process that ends at any call of a baseline on Google Cloud: nobody is stranded, nobody is let in before the handover, and nothing is
//! left of the gate.

#![expect(clippy::unwrap_used, reason = "test harness: a failure here is a failed test")]

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use landfall_engine::reconcile::{Order, reconcile};
use landfall_model::record::Life;
use landfall_model::trigger::Cause;
use landfall_reports::text;
use landfall_simulator::gcp::GcpSimulator;
use landfall_simulator::{Call, Faults};
use landfall_tests::crash::{self, Cut as _};
use landfall_tests::properties::Ground as _;
use landfall_tests::real::Real as _;
use landfall_tests::spine::{bring, told};
use landfall_tests::stage::{Stage, tenant};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_at_any_call_strands_nobody_and_lets_nobody_in() {
    crash::a_process_that_ends_at_any_call_strands_nobody_and_lets_nobody_in::<GcpSimulator>().await;
}

/// How a process loses sight of what it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// It ends before it can write down what came of its call.
    Process,
    /// It lives on: the answer is lost, and so is that of all it asks then.
    Answers,
}

type Policies = BTreeMap<String, Value>;

/// The project's own policies on constraints: what each says.
fn policies(stage: &Stage<GcpSimulator>, id: &str) -> Policies {
    let kept = stage.simulator.read(|world| world.project(id).unwrap().governance.org_policies.clone());
    kept.into_iter()
        .map(|(constraint, policy)| (constraint, policy.get("spec").cloned().unwrap_or_default()))
        .collect()
}

/// Whether a call closes the gate or opens it.
fn is_of_gate(call: &Call) -> bool {
    let named = (call.service.as_str(), call.operation.as_str());
    matches!(
        named,
        ("orgpolicy", "projects.policies.create" | "projects.policies.delete")
            | ("iam", "policies.denypolicies.create" | "policies.denypolicies.delete")
    )
}

/// A baseline in which one call took effect and nobody was told, and whatever comes after it.
async fn lost_at(stage: &Stage<GcpSimulator>, id: &str, k: u64, lost: Lost) {
    stage.simulator.set_faults(Faults { cut_at: Some(k), ..Faults::default() });
    let engine = GcpSimulator::another(stage).await;
    let order = Order::new(tenant(id), Cause::Created, stage.deadline());
    let run = tokio::spawn(async move { drop(reconcile(&engine, &order).await) });
    match lost {
        Lost::Answers => run.await.unwrap(),
        Lost::Process => {
            while !run.is_finished() && (stage.simulator.calls().len() as u64) < k {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            run.abort();
            drop(run.await);
        }
    }
    stage.simulator.set_faults(Faults::default());
    // The dead run's lease ends.
    stage.clock.pass(jiff::SignedDuration::from_mins(6));
}

/// Only the ledger tells the gate's own policies from those that a person set to the same: what it meant to write, and what a look says
/// came of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_nobody_was_told_is_closed_is_opened_whole_and_what_was_there_before_stays() {
    let (beginning, id) = GcpSimulator::beginning().await;
    // By the lease's end whatever the dead run began is over, and here no time passes for it.
    beginning.simulator.edit(|world| world.settings.operation_polls = 0);
    let enforced = json!({"rules": [{"enforce": true}]});
    let theirs = Policies::from([("iam.disableServiceAccountKeyUpload".to_owned(), enforced.clone())]);
    for before in [Policies::new(), theirs] {
        beginning.simulator.edit(|world| {
            let held = &mut world.project_mut(&id).unwrap().governance.org_policies;
            held.extend(before.iter().map(|(name, spec)| (name.clone(), json!({"spec": spec}))));
        });
        let undisturbed = beginning.copy_in_gcp().await;
        undisturbed.simulator.clear_calls();
        assert_eq!(bring(&undisturbed, &id).await, Life::HandedOver, "{}", told(&undisturbed, &id).await);
        assert_eq!(policies(&undisturbed, &id), before);
        let calls: Vec<u64> = (1..)
            .zip(undisturbed.simulator.calls())
            .filter(|(_, call)| is_of_gate(call))
            .map(|(k, _)| k)
            .collect();
        assert_eq!(calls.len(), 2 * (5 - before.len()), "{calls:?}");
        let lost = calls.iter().flat_map(|k| [(*k, Lost::Process), (*k, Lost::Answers)]);
        let (beginning, before, id) = (&beginning, &before, id.as_str());
        futures_util::stream::iter(lost)
            .for_each_concurrent(4, async |(k, lost)| {
                let at = format!("{lost:?} lost at call {k}, beside {before:?}");
                let stage = beginning.copy_in_gcp().await;
                stage.simulator.clear_calls();
                lost_at(&stage, id, k, lost).await;
                let closed = policies(&stage, id);
                let report = stage.reconcile(id, Cause::Created).await;
                for constraint in closed.keys().filter(|one| !before.contains_key(*one)) {
                    let open = format!("quarantine-gate/constraints/{constraint}#open");
                    let planned = report.changes.iter().any(|change| change.id.to_string() == open);
                    assert!(planned, "{at}: {}", text::report(&report));
                }
                assert_eq!(bring(&stage, id).await, Life::HandedOver, "{at}: {}", told(&stage, id).await);
                assert_eq!(policies(&stage, id), *before, "{at}: {}", told(&stage, id).await);
                assert!(!stage.simulator.is_gated(id), "{at}: {}", told(&stage, id).await);
                assert!(stage.history_is_whole(id).await, "{at}");
                let made = stage.record(id).await.unwrap().made;
                let left: Vec<String> = made.iter().map(ToString::to_string).collect();
                assert!(!left.iter().any(|one| one.starts_with("quarantine-gate/")), "{at}: {left:?}");
            })
            .await;
    }
}
