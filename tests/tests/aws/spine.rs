//! The whole way: an event, the gate, the baseline, the handover, a break, a sweep, and nothing left to do; and what may come
//! in its way.

use jiff::SignedDuration;
use landfall_engine::engine::Deadline;
use landfall_engine::pause;
use landfall_engine::queue::Queue as _;
use landfall_engine::reconcile::{Order, Reconciled, reconcile};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Standing;
use landfall_model::finding::Status;
use landfall_model::outcome::Done;
use landfall_model::pause::Turn;
use landfall_model::record::Life;
use landfall_model::report::Next;
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_simulator::{Faults, Joined};
use landfall_tests::spine::turns;
use landfall_tests::stage::{ACME, Stage, tenant, world};
use std::sync::Arc;
use std::time::Duration;

/// A stage after its first sweep, and a new account in it.
async fn with_a_new_account(name: &str) -> (Stage, String) {
    let stage = Stage::with(3).await;
    stage.sweep().await;
    let account = stage.simulator.edit(|world| world.create_account(name));
    stage.simulator.clear_calls();
    (stage, account)
}

#[tokio::test]
async fn a_new_account_is_gated_brought_to_its_baseline_verified_and_handed_over() {
    let (stage, account) = with_a_new_account("new-shop").await;
    let report = stage.reconcile(&account, Cause::Created).await;
    assert_eq!(report.life, Life::HandedOver, "{}", landfall_reports::text::report(&report));
    assert!(stage.history_is_whole(&account).await);
    assert!(stage.preview(&account).await.plan.changes.is_empty());
    // The gate closes before anything else is written, and opens after everything else.
    let writes = stage.writes_about(&account);
    assert_eq!(writes.first().unwrap(), "organizations:AttachPolicy", "{writes:?}");
    assert_eq!(writes.last().unwrap(), "organizations:DetachPolicy", "{writes:?}");
    let delivery = stage.engine.store.list("deliveries", None, 10).await.unwrap();
    assert_eq!(delivery.len(), 1);
}

#[tokio::test]
async fn what_is_broken_by_hand_is_found_and_repaired_by_the_next_sweep() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.run(&account, Cause::Created).await;
    stage.simulator.edit(|world| {
        let inside = world.account_mut(&account).unwrap();
        inside.password_policy = None;
        inside.public_access_block = None;
        inside.region("eu-west-1").ebs_encryption = false;
    });
    stage.simulator.clear_calls();
    stage.sweep().await;
    let mut writes = stage.writes_about(&account);
    writes.sort();
    assert_eq!(
        writes,
        [
            "ec2:EnableEbsEncryptionByDefault",
            "iam:UpdateAccountPasswordPolicy",
            "s3control:PutPublicAccessBlock"
        ]
    );
    stage.simulator.clear_calls();
    stage.sweep().await;
    assert!(stage.writes_about(&account).is_empty());
    assert!(stage.history_is_whole(&account).await);
}

#[tokio::test]
async fn an_invited_account_with_a_running_network_is_not_written_until_the_manifest_names_it() {
    let mut stage = Stage::with(3).await;
    let invited = stage.simulator.read(|world| {
        let invited = world.organization.members.values().find(|member| {
            member.joined == Joined::Invited && member.id != landfall_simulator::MANAGEMENT_ACCOUNT
        });
        invited.unwrap().id.clone()
    });
    stage.sweep().await;
    let report = stage.reconcile(&invited, Cause::Joined).await;
    assert!(matches!(report.standing, Standing::ReportOnly(_)), "{:?}", report.standing);
    assert!(stage.writes_about(&invited).is_empty());

    stage.follow(&ACME.replace("222222222222", &invited)).await;
    let report = stage.reconcile(&invited, Cause::Asked).await;
    assert_eq!(report.standing, Standing::Adopted);
    let writes = stage.writes_about(&invited);
    assert!(writes.contains(&"iam:UpdateAccountPasswordPolicy".to_owned()), "{writes:?}");
    // Its running network stays, and no gate was ever closed.
    assert!(
        !writes.iter().any(|write| write.contains("DeleteVpc") || write.contains("AttachPolicy")),
        "{writes:?}"
    );
    let network =
        report.findings.iter().find(|finding| finding.control == ControlKind::NoDefaultNetwork).unwrap();
    assert_eq!(network.status, Status::Fail, "{network:#?}");
}

#[tokio::test]
async fn while_somebody_has_paused_nothing_is_written_not_even_the_gate() {
    let (stage, account) = with_a_new_account("new-shop").await;
    let store = &*stage.engine.store;
    let now = stage.engine.clock.now();
    pause::throw(store, true, now, "ops@acme.example", "an incident").await.unwrap();
    let report = stage.reconcile(&account, Cause::Created).await;
    assert!(report.written() == 0 && !report.changes.is_empty());
    let who = |turn: Option<Turn>| turn.map(|turn| (turn.by, turn.why));
    let told = Some(("ops@acme.example".to_owned(), "an incident".to_owned()));
    assert_eq!(who(report.paused), told);
    assert_eq!(who(stage.sweep().await.paused), told);
    assert!(stage.writes_about(&account).is_empty());
    pause::throw(store, false, now, "ops@acme.example", "it is over").await.unwrap();
    assert_eq!(stage.reconcile(&account, Cause::Asked).await.life, Life::HandedOver);
    let expected = [(true, "an incident".to_owned()), (false, "it is over".to_owned())];
    assert_eq!(turns(store, &account).await, expected);
}

#[tokio::test]
async fn nothing_is_gated_before_the_first_inventory() {
    let stage = Stage::with(1).await;
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    let report = stage.reconcile(&account, Cause::Created).await;
    assert_eq!(
        report.standing,
        Standing::ReportOnly("there is no first inventory yet: the next sweep writes it".into())
    );
    assert!(stage.writes_about(&account).is_empty());
}

#[tokio::test]
async fn a_new_account_that_nobody_lets_in_stays_behind_its_gate() {
    let (stage, account) = with_a_new_account("mystery").await;
    let report = stage.reconcile(&account, Cause::Created).await;
    assert_eq!((report.life, &report.standing), (Life::Gated, &Standing::Waiting));
    assert_eq!(stage.writes_about(&account), ["organizations:AttachPolicy"]);
    // A sweep later it is still there, and nothing more was written.
    stage.sweep().await;
    assert_eq!(stage.writes_about(&account), ["organizations:AttachPolicy"]);
}

#[tokio::test]
async fn an_account_that_can_t_be_verified_stays_gated_and_the_report_says_why() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.simulator.set_faults("deny=iam:UpdateAccountPasswordPolicy".parse().unwrap());
    let report = stage.reconcile(&account, Cause::Created).await;
    assert_eq!(report.life, Life::Placed, "{}", landfall_reports::text::report(&report));
    let withheld: Vec<_> = report
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.result {
            Done::Withheld { why } => Some(why.as_str()),
            Done::Written { .. } | Done::Failed { .. } | Done::Moved { .. } => None,
        })
        .collect();
    assert!(withheld.iter().any(|why| why.contains("password-policy/account")), "{withheld:?}");
    // One broken setting costs that setting: everything else was written.
    assert!(
        report.outcomes.iter().filter(|outcome| matches!(outcome.result, Done::Failed { .. })).count() == 1
    );
    assert!(!stage.writes_about(&account).contains(&"organizations:DetachPolicy".to_owned()));
    // The right is granted, and the next look hands it over.
    stage.simulator.set_faults(Faults::default());
    stage.clock.pass(SignedDuration::from_mins(2));
    assert_eq!(stage.reconcile(&account, Cause::Asked).await.life, Life::HandedOver);
    assert!(stage.history_is_whole(&account).await);
}

#[tokio::test]
async fn could_not_look_is_unknown_and_never_a_pass() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.run(&account, Cause::Created).await;
    stage.simulator.set_faults(format!("deny=iam:GetAccountPasswordPolicy@{account}").parse().unwrap());
    let report = stage.reconcile(&account, Cause::Asked).await;
    let finding =
        report.findings.iter().find(|finding| finding.control == ControlKind::PasswordPolicy).unwrap();
    assert_eq!(finding.status, Status::Unknown);
    assert!(finding.why.contains("AccessDenied"), "{}", finding.why);
    assert!(report.changes.is_empty(), "what can't be seen is not written");
}

#[tokio::test]
async fn a_gate_that_can_t_be_closed_or_seen_stops_everything_behind_it() {
    for fault in ["deny=organizations:AttachPolicy", "deny=organizations:ListPoliciesForTarget"] {
        let (stage, account) = with_a_new_account("new-shop").await;
        stage.simulator.set_faults(fault.parse().unwrap());
        let report = stage.reconcile(&account, Cause::Created).await;
        assert_eq!(report.life, Life::Discovered, "{fault}");
        let writes = stage.writes_about(&account);
        assert!(writes.is_empty(), "{fault}: {writes:?}");
    }
}

#[tokio::test]
async fn throttling_of_a_fifth_and_slow_effects_only_cost_time() {
    for faults in ["throttle=0.2,seed=7", "5xx=0.1,seed=3", "throttle=0.2,lag=300ms,seed=11"] {
        let (stage, account) = with_a_new_account("new-shop").await;
        stage.simulator.set_faults(faults.parse().unwrap());
        drop(stage.order(tenant(&account), Cause::Created).await);
        for _ in 0..8 {
            if stage.record(&account).await.unwrap().life == Life::HandedOver {
                break;
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
            stage.clock.pass(SignedDuration::from_secs(61));
            drop(stage.order(tenant(&account), Cause::Asked).await);
        }
        assert_eq!(stage.record(&account).await.unwrap().life, Life::HandedOver, "{faults}");
        tokio::time::sleep(Duration::from_millis(400)).await;
        let left = stage.preview(&account).await;
        assert!(left.plan.changes.is_empty(), "{faults}: {}", landfall_reports::text::plan(&left.plan, None));
        assert!(stage.history_is_whole(&account).await, "{faults}");
    }
}

#[tokio::test]
async fn an_effect_that_does_not_show_yet_is_settling_and_looked_at_again() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.run(&account, Cause::Created).await;
    stage.simulator.edit(|world| world.account_mut(&account).unwrap().password_policy = None);
    stage.simulator.set_faults("lag=400ms".parse().unwrap());
    let report = stage.reconcile(&account, Cause::Asked).await;
    let finding =
        report.findings.iter().find(|finding| finding.control == ControlKind::PasswordPolicy).unwrap();
    assert_eq!(finding.status, Status::Unknown, "{finding:#?}");
    assert!(finding.settling_until.is_some());
    assert!(matches!(report.next, Next::LookAgain { .. }));
    assert!(
        stage.queue.next_due().await.unwrap().unwrap() > Duration::from_secs(5),
        "by a message, not by waiting"
    );
    // Before it shows, nobody writes it again.
    let writes = stage.writes_about(&account).len();
    let again = stage.reconcile(&account, Cause::Asked).await;
    assert!(again.changes.is_empty());
    assert_eq!(stage.writes_about(&account).len(), writes);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = stage.reconcile(&account, Cause::Asked).await;
    let finding =
        later.findings.iter().find(|finding| finding.control == ControlKind::PasswordPolicy).unwrap();
    assert_eq!(finding.status, Status::Pass);
}

#[tokio::test]
async fn a_setting_that_moved_since_the_plan_is_left_alone() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.run(&account, Cause::Created).await;
    stage.simulator.edit(|world| world.account_mut(&account).unwrap().password_policy = None);
    // Another hand puts the setting right between the look and the write.
    let engine = stage.another().await;
    let order = Order::new(tenant(&account), Cause::Asked, stage.deadline());
    stage.simulator.set_faults("latency=40ms".parse().unwrap());
    stage.simulator.clear_calls();
    let run = reconcile(&engine, &order);
    let meddle = async {
        // The plan's own look has been answered; the look before the write has not been asked for yet.
        let policies = || {
            stage
                .simulator
                .calls()
                .iter()
                .filter(|call| call.operation == "GetAccountPasswordPolicy" && call.status.is_some())
                .count()
        };
        while policies() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stage.simulator.edit(|world| {
            world.account_mut(&account).unwrap().password_policy = Some(landfall_simulator::PasswordPolicy {
                minimum_length: 20,
                ..landfall_simulator::PasswordPolicy::strong()
            });
        });
    };
    let (done, ()) = tokio::join!(run, meddle);
    let Reconciled::Done(report) = done.unwrap() else { panic!("not done") };
    let outcome =
        report.outcomes.iter().find(|outcome| outcome.address.control == ControlKind::PasswordPolicy);
    assert!(matches!(outcome.unwrap().result, Done::Moved { .. }), "{:#?}", report.outcomes);
    assert!(!stage.writes_about(&account).contains(&"iam:UpdateAccountPasswordPolicy".to_owned()));
}

#[tokio::test]
async fn a_run_without_time_says_so_and_the_next_one_goes_on() {
    let (stage, account) = with_a_new_account("new-shop").await;
    let order = Order::new(
        tenant(&account),
        Cause::Created,
        Deadline(stage.engine.clock.now() + SignedDuration::from_secs(2)),
    );
    let Reconciled::Done(report) = reconcile(&stage.engine, &order).await.unwrap() else {
        panic!("not done")
    };
    assert_eq!(report.next, Next::Resume);
    assert!(stage.writes_about(&account).is_empty());
    stage.drain().await;
    assert_eq!(stage.record(&account).await.unwrap().life, Life::HandedOver);
}

#[tokio::test]
async fn suspended_and_management_accounts_are_reported_and_not_written() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.simulator.edit(|world| {
        world.organization.members.get_mut(&account).unwrap().state = "SUSPENDED".into();
    });
    let report = stage.reconcile(&account, Cause::Created).await;
    assert_eq!(report.standing, Standing::ReportOnly("it is suspended".into()));
    let management = stage.reconcile(landfall_simulator::MANAGEMENT_ACCOUNT, Cause::Asked).await;
    assert!(matches!(management.standing, Standing::ReportOnly(_)));
    assert!(stage.writes_about(&account).is_empty());
    assert!(stage.writes_about(landfall_simulator::MANAGEMENT_ACCOUNT).is_empty());
}

#[tokio::test]
async fn a_policy_that_reaches_too_many_tenants_is_held_back_and_the_rest_is_made() {
    let manifest = ACME.replace("tenants: 50", "tenants: 2");
    let mut world = world(6);
    let unit = world.organization.add_unit("workloads", landfall_simulator::ROOT);
    for member in world.organization.members.values_mut() {
        if member.id != landfall_simulator::MANAGEMENT_ACCOUNT {
            member.parent.clone_from(&unit);
        }
    }
    let stage =
        Stage::of(world, &manifest, Arc::new(landfall_engine::store::memory::MemoryStore::new())).await;
    let done = stage.order(Target::Organization("aws".parse().unwrap()), Cause::Asked).await;
    let Reconciled::Done(report) = done else { panic!("not done") };
    let held: Vec<&str> = report.blocked.iter().map(|blocked| blocked.why.as_str()).collect();
    assert!(held.iter().any(|why| why.contains("`limits.tenants` is 2")), "{held:?}");
    assert!(report.outcomes.iter().any(|outcome| matches!(outcome.result, Done::Written { .. })));
    // Released for one run.
    let limits = landfall_model::manifest::Limits { changes: 100, deletions: 4, tenants: 6, silence: 3 };
    let engine = landfall_engine::engine::Engine { limits: Some(limits), ..stage.another().await };
    let order = Order::new(Target::Organization("aws".parse().unwrap()), Cause::Asked, stage.deadline());
    let Reconciled::Done(report) = reconcile(&engine, &order).await.unwrap() else { panic!("not done") };
    assert!(report.blocked.is_empty(), "{:#?}", report.blocked);
    assert_eq!(report.counts.fail, 0, "{}", landfall_reports::text::report(&report));
}

#[tokio::test]
async fn the_roles_of_a_fresh_account_may_need_a_minute() {
    let stage = Stage::with(1).await;
    stage.sweep().await;
    stage.simulator.edit(|world| world.settings.role_delay = Duration::from_secs(2));
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    let report = stage.reconcile(&account, Cause::Created).await;
    // It is gated and placed from the management account, and the rest is tried again by itself.
    assert_eq!(report.life, Life::Placed, "{}", landfall_reports::text::report(&report));
    assert!(matches!(report.next, Next::LookAgain { .. }), "{:?}", report.next);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    stage.run(&account, Cause::Settling(report.run)).await;
    assert_eq!(stage.record(&account).await.unwrap().life, Life::HandedOver);
}

#[tokio::test]
async fn a_write_that_never_takes_effect_is_unknown_for_a_minute_and_then_fails() {
    let (stage, account) = with_a_new_account("new-shop").await;
    stage.run(&account, Cause::Created).await;
    let policy = |report: &landfall_model::report::Report| {
        report.findings.iter().find(|finding| finding.control == ControlKind::PasswordPolicy).unwrap().clone()
    };
    stage.simulator.edit(|world| world.account_mut(&account).unwrap().password_policy = None);
    // The cloud accepts the write, and somebody takes it away again at once: it never shows.
    stage.simulator.set_faults("lag=3600s".parse().unwrap());
    let first = stage.reconcile(&account, Cause::Asked).await;
    assert_eq!(policy(&first).status, Status::Unknown);
    stage.clock.pass(SignedDuration::from_secs(61));
    let second = stage.reconcile(&account, Cause::Settling(first.run)).await;
    assert_eq!(policy(&second).status, Status::Fail, "no second minute: {:#?}", policy(&second));
    assert!(!matches!(second.next, Next::Resume));
}

#[tokio::test]
async fn another_cloud_s_target_is_refused() {
    let stage = Stage::with(1).await;
    for target in ["organization/typo", "gcp/acme-checkout-prod"] {
        let order = Order::new(target.parse().unwrap(), Cause::Asked, stage.deadline());
        let refused = reconcile(&stage.engine, &order).await.unwrap_err();
        assert!(refused.to_string().contains("is not of the cloud `aws`"), "{refused}");
    }
}

/// AWS switches most features on with a new detector, each of which costs money.
#[tokio::test]
async fn a_new_detector_has_what_was_asked_and_nothing_that_came_with_it() {
    let watched = ACME.replace(
        "control: threat-detection }",
        "control: threat-detection, with: { aws: [EKS_AUDIT_LOGS] } }",
    );
    let stage =
        Stage::of(world(3), &watched, Arc::new(landfall_engine::store::memory::MemoryStore::new())).await;
    stage.sweep().await;
    let account = stage.simulator.edit(|world| world.create_account("new-shop"));
    stage.run(&account, Cause::Created).await;
    stage.simulator.edit(|world| {
        for region in ["eu-central-1", "eu-west-1"] {
            let detector = world.account_mut(&account).unwrap().region(region).detector.clone().unwrap();
            let on: Vec<String> =
                detector.features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
            assert_eq!(on, ["EKS_AUDIT_LOGS"], "{region}");
        }
    });
    // What somebody else switches on stays on, also where ours has to be put back; who is managed is told where to go.
    stage.simulator.edit(|world| {
        let inside = world.account_mut(&account).unwrap();
        let detector = inside.region("eu-central-1").detector.as_mut().unwrap();
        detector.enabled = false;
        detector.features = [("EKS_AUDIT_LOGS", false), ("S3_DATA_EVENTS", true)]
            .map(|(name, on)| (name.to_owned(), on))
            .into();
        let managed = inside.region("eu-west-1").detector.as_mut().unwrap();
        managed.enabled = false;
        managed.administrator = Some("222222222222".to_owned());
    });
    let report = stage.reconcile(&account, Cause::Asked).await;
    let refused: Vec<String> = report
        .outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.result, Done::Written { .. }))
        .map(|outcome| format!("{} {:?}", outcome.address, outcome.result))
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused[0].contains("eu-west-1") && refused[0].contains("administrator account manages"),
        "{refused:?}"
    );
    stage.simulator.edit(|world| {
        let detector = world.account_mut(&account).unwrap().region("eu-central-1").detector.clone().unwrap();
        assert!(detector.enabled && detector.features.values().all(|on| *on), "{detector:?}");
    });
}

#[tokio::test]
async fn the_organization_s_trail_waits_for_trusted_access_and_says_so() {
    let untrusted = ACME.replace("cloudtrail.amazonaws.com, ", "");
    let memory = || Arc::new(landfall_engine::store::memory::MemoryStore::new());
    let mut stage = Stage::of(world(3), &untrusted, memory()).await;
    let organization = || Target::Organization("aws".parse().unwrap());
    let Reconciled::Done(report) = stage.order(organization(), Cause::Asked).await else {
        panic!("not done")
    };
    let of_trail = |report: &landfall_model::report::Report| {
        let trail = report.outcomes.iter().find(|outcome| outcome.address.control == ControlKind::AuditLog);
        format!("{:?}", trail.unwrap().result)
    };
    assert!(of_trail(&report).contains("add `cloudtrail.amazonaws.com`"), "{}", of_trail(&report));
    assert!(stage.simulator.read(|world| world.organization.trails.is_empty()));

    stage.follow(ACME).await;
    stage.clock.pass(SignedDuration::from_mins(5));
    let Reconciled::Done(report) = stage.order(organization(), Cause::Asked).await else {
        panic!("not done")
    };
    assert!(of_trail(&report).starts_with("Written"), "{}", of_trail(&report));
    stage.simulator.edit(|world| {
        let trail = world.organization.trails.values_mut().next().unwrap();
        assert_eq!((trail.name.as_str(), trail.bucket.as_str()), ("landfall-audit", "acme-audit"));
        assert!(trail.organization && trail.multi_region && trail.validation && trail.logging);
        // A tenant can only say that it does not log any more.
        trail.logging = false;
    });
    let preview = stage.preview("222222222222").await;
    let finding = preview.findings.iter().find(|finding| finding.control == ControlKind::AuditLog).unwrap();
    assert_eq!(finding.status, Status::Fail);
    assert!(!preview.plan.changes.iter().any(|change| change.address.control == ControlKind::AuditLog));
}
