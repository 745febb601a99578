//! Somebody else writes between Landfall's look and its write: what they wrote survives, and what Landfall asks is there in the end.
//!
//! Google keeps one document for all who have a say in a place, and an etag or a fingerprint says which one was read. Who writes with an
//! old one is refused: `409 ABORTED` (<https://cloud.google.com/iam/docs/allow-policies>, "Etags";
//! <https://cloud.google.com/resource-manager/docs/organization-policy/using-constraints>), and 412 by Compute
//! (<https://cloud.google.com/compute/docs/metadata/setting-custom-metadata>).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test harness: a failure here is a failed test"
)]

use futures_util::StreamExt as _;
use landfall_engine::history;
use landfall_engine::reconcile::Reconciled;
use landfall_model::id::Provider;
use landfall_model::target::Target;
use landfall_model::trigger::Cause;
use landfall_reports::text;
use landfall_simulator::gcp::{BILLING_ACCOUNT, GcpSimulator, GcpWorld, Governance, IamPolicy};
use landfall_tests::gcp::ORGANIZATION;
use landfall_tests::properties::{Ground as _, Seen};
use landfall_tests::spine::Way as _;
use landfall_tests::stage::tenant;
use serde_json::{Value, json};

/// One document that two write.
struct Race {
    what: &'static str,
    seen_in: Seen,
    /// What Landfall has to put right there.
    disturb: fn(&mut GcpWorld, &str),
    /// The call that comes too late, and what it is answered.
    call: (&'static str, &'static str, u16),
    /// What somebody else writes the `n`th time.
    theirs: fn(&mut GcpWorld, &str, u32),
    /// Whether that is still there.
    stands: fn(&GcpWorld, &str, u32) -> bool,
    /// How often they are faster.
    times: u32,
}

const LEAVER: &str = "user:leaver@acme.example";

fn inside<'a>(world: &'a mut GcpWorld, id: &str) -> &'a mut Governance {
    &mut world.project_mut(id).unwrap().governance
}

fn iam<'a>(world: &'a mut GcpWorld, id: &str) -> &'a mut IamPolicy {
    &mut inside(world, id).iam
}

/// What the folder of the unit holds in which the tenant stands.
fn on_unit(world: &mut GcpWorld) -> &mut Governance {
    let unit = world.folders.values_mut().find(|one| one.display_name == "workloads").unwrap();
    &mut unit.governance
}

fn policy_of_unit<'a>(world: &'a GcpWorld, constraint: &str) -> &'a Value {
    let unit = world.folders.values().find(|one| one.display_name == "workloads").unwrap();
    &unit.governance.org_policies[constraint]
}

fn newcomer(n: u32) -> String {
    format!("user:newcomer-{n}@acme.example")
}

fn dry_run(n: u32) -> Value {
    json!({"rules": [{"values": {"deniedValues": [format!("us-east{n}")]}}]})
}

fn no_grants(world: &mut GcpWorld, id: &str) {
    iam(world, id)
        .bindings
        .retain(|binding| !binding.members.iter().any(|one| one.starts_with("group:payments")));
}

fn newcomer_looks(world: &mut GcpWorld, id: &str, n: u32) {
    iam(world, id).give("roles/viewer", &newcomer(n));
}

fn newcomer_still_looks(world: &GcpWorld, id: &str, n: u32) -> bool {
    world.project(id).unwrap().governance.iam.grants("roles/viewer", &newcomer(n))
}

/// The policy of the deployer's own account, as the simulator keeps it.
fn of_deployer(world: &mut GcpWorld, id: &str) -> (String, IamPolicy) {
    let account = format!("deployer@{id}.iam.gserviceaccount.com");
    let kept = inside(world, id).things("iam/serviceAccountPolicies")[&account].clone();
    (account, serde_json::from_value(kept).unwrap())
}

fn set_of_deployer(world: &mut GcpWorld, id: &str, change: impl FnOnce(&mut IamPolicy)) {
    let (account, mut policy) = of_deployer(world, id);
    change(&mut policy);
    inside(world, id).things_mut("iam/serviceAccountPolicies").insert(account, json!(policy));
}

/// What Compute tells all machines of the project.
fn items<'a>(world: &'a mut GcpWorld, id: &str) -> &'a mut Vec<Value> {
    let own = inside(world, id).things_mut("compute/project").get_mut("self").unwrap();
    own["items"].as_array_mut().unwrap()
}

/// The project's budget: its billing account has one of each.
fn budget<'a>(world: &'a mut GcpWorld, id: &str) -> &'a mut Value {
    let account = world.billing_accounts.get_mut(BILLING_ACCOUNT).unwrap();
    let mut all = account.things_mut("billingbudgets/budgets").values_mut();
    all.find(|one| one["displayName"] == format!("landfall {id}")).unwrap()
}

fn topic(n: u32) -> String {
    format!("projects/theirs/topics/money-{n}")
}

fn races() -> Vec<Race> {
    const BINDINGS: (&str, &str, u16) = ("cloudresourcemanager", "projects.setIamPolicy", 409);
    let access = |times| Race {
        what: "somebody is let in while the team's grants are made",
        seen_in: Seen::Tenant,
        disturb: no_grants,
        call: BINDINGS,
        theirs: newcomer_looks,
        stands: newcomer_still_looks,
        times,
    };
    vec![
        access(1),
        access(3),
        Race {
            what: "somebody comes under a condition while the team's grants are made",
            theirs: |world, id, n| {
                let binding = json!({
                    "role": "roles/editor", "members": [newcomer(n)],
                    "condition": {"title": "for a while", "expression": "request.time < timestamp(\"2030-01-01T00:00:00Z\")"},
                });
                iam(world, id).bindings.push(serde_json::from_value(binding).unwrap());
            },
            stands: |world, id, n| {
                let bindings = &world.project(id).unwrap().governance.iam.bindings;
                bindings.iter().any(|one| one.condition.is_some() && one.members.contains(&newcomer(n)))
            },
            ..access(1)
        },
        Race {
            what: "somebody leaves while the team's grants are made",
            disturb: |world, id| {
                no_grants(world, id);
                iam(world, id).give("roles/viewer", LEAVER);
            },
            theirs: |world, id, _| iam(world, id).take("roles/viewer", LEAVER),
            stands: |world, id, _| !world.project(id).unwrap().governance.iam.grants("roles/viewer", LEAVER),
            ..access(1)
        },
        Race {
            what: "another service's reads are logged while those of all are",
            seen_in: Seen::Organization,
            disturb: |world, _| world.at(ORGANIZATION).unwrap().iam.audit_configs.clear(),
            call: ("cloudresourcemanager", "organizations.setIamPolicy", 409),
            theirs: |world, _, _| {
                let theirs = json!({"service": "storage.googleapis.com", "auditLogConfigs": [{"logType": "DATA_READ"}]});
                world.at(ORGANIZATION).unwrap().iam.audit_configs.push(theirs);
            },
            stands: |world, _, _| {
                let configs = &world.governance(ORGANIZATION).unwrap().iam.audit_configs;
                configs.iter().any(|one| one["service"] == "storage.googleapis.com")
            },
            times: 1,
        },
        Race {
            what: "a robot's users change while its team gets it back",
            seen_in: Seen::Tenant,
            disturb: |world, id| set_of_deployer(world, id, |policy| policy.bindings.clear()),
            call: ("iam", "projects.serviceAccounts.setIamPolicy", 409),
            theirs: |world, id, n| {
                set_of_deployer(world, id, |policy| {
                    policy.give("roles/iam.workloadIdentityUser", &newcomer(n));
                });
            },
            stands: |world, id, n| {
                of_deployer(&mut world.clone(), id).1.grants("roles/iam.workloadIdentityUser", &newcomer(n))
            },
            times: 2,
        },
        Race {
            what: "a dry run is begun while the unit's policy is put right",
            seen_in: Seen::Organization,
            disturb: |world, _| {
                on_unit(world).org_policies.get_mut("gcp.resourceLocations").unwrap()["spec"]["rules"] =
                    json!([{"allowAll": true}]);
            },
            call: ("orgpolicy", "folders.policies.patch", 409),
            theirs: |world, _, n| {
                on_unit(world).org_policies.get_mut("gcp.resourceLocations").unwrap()["dryRunSpec"] =
                    dry_run(n);
            },
            // The last one counts: a policy has one dry run.
            stands: |world, _, n| {
                n < 2
                    || policy_of_unit(world, "gcp.resourceLocations")["dryRunSpec"]["rules"]
                        == dry_run(n)["rules"]
            },
            times: 2,
        },
        Race {
            what: "somebody makes the unit's policy, with a dry run, while it is made",
            seen_in: Seen::Organization,
            disturb: |world, _| {
                on_unit(world).org_policies.remove("compute.requireOsLogin").unwrap();
            },
            call: ("orgpolicy", "folders.policies.create", 409),
            theirs: |world, _, _| {
                let enforced = json!({"rules": [{"enforce": true}]});
                let policy = json!({"spec": enforced, "dryRunSpec": enforced});
                on_unit(world).org_policies.insert("compute.requireOsLogin".to_owned(), policy);
            },
            stands: |world, _, _| policy_of_unit(world, "compute.requireOsLogin").get("dryRunSpec").is_some(),
            times: 1,
        },
        Race {
            what: "a label of the team's comes while ours are set",
            seen_in: Seen::Tenant,
            disturb: |world, id| world.project_mut(id).unwrap().labels.clear(),
            call: ("cloudresourcemanager", "projects.patch", 409),
            theirs: |world, id, n| {
                world.project_mut(id).unwrap().labels.insert(format!("theirs-{n}"), "theirs".to_owned());
            },
            stands: |world, id, n| world.project(id).unwrap().labels.contains_key(&format!("theirs-{n}")),
            times: 3,
        },
        Race {
            what: "a key for all machines is set while ours are",
            seen_in: Seen::Tenant,
            disturb: |world, id| items(world, id).clear(),
            call: ("compute", "projects.setCommonInstanceMetadata", 412),
            theirs: |world, id, n| {
                items(world, id).push(json!({"key": format!("theirs-{n}"), "value": "theirs"}));
            },
            stands: |world, id, n| {
                items(&mut world.clone(), id).iter().any(|item| item["key"] == format!("theirs-{n}"))
            },
            times: 2,
        },
        Race {
            what: "a program is told of the budget while its amount is put right",
            seen_in: Seen::Tenant,
            disturb: |world, id| budget(world, id)["amount"]["specifiedAmount"]["units"] = json!("3"),
            call: ("billingbudgets", "billingAccounts.budgets.patch", 409),
            theirs: |world, id, n| {
                budget(world, id)["notificationsRule"]["pubsubTopic"] = json!(topic(n));
                budget(world, id)["notificationsRule"]["schemaVersion"] = json!("1.0");
            },
            // The last one counts: a budget tells one program.
            stands: |world, id, n| {
                n < 2 || budget(&mut world.clone(), id)["notificationsRule"]["pubsubTopic"] == topic(n)
            },
            times: 2,
        },
    ]
}

impl Race {
    fn target(&self, id: &str) -> Target {
        match self.seen_in {
            Seen::Tenant => tenant(id),
            Seen::Organization => Target::Organization(Provider::Gcp.as_str().parse().unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_meanwhile_survives_and_what_is_asked_is_there_in_the_end() {
    let (agreement, id) = GcpSimulator::agreement().await;
    let (agreement, id) = (&agreement, id.as_str());
    let run = |race: Race| async move {
        let Race { what, disturb, call: (service, operation, status), theirs, stands, times, .. } = race;
        let (what, target) = (format!("{what} ({times})"), race.target(id));
        let stage = agreement.copy_in_gcp().await;
        stage.simulator.edit(|world| disturb(world, id));
        stage.simulator.outrun(service, operation, times, {
            let (mut n, id) = (0, id.to_owned());
            move |world| {
                n += 1;
                theirs(world, &id, n);
            }
        });
        stage.simulator.clear_calls();
        let Reconciled::Done(report) = stage.order(target.clone(), Cause::Asked).await else {
            panic!("{what}: not done")
        };
        let told = text::report(&report);
        let mut wrong = Vec::new();
        let refused = stage.simulator.calls().into_iter().filter(|call| {
            call.service == service && call.operation == operation && call.status == Some(status)
        });
        let refused = refused.count();
        if refused != times as usize {
            wrong.push(format!("{refused} calls were refused, and not {times}"));
        }
        let gone = stage.simulator.read(|world| (1..=times).find(|n| !stands(world, id, *n)));
        wrong.extend(gone.map(|n| format!("what they wrote the {n}. time is gone")));
        if report.counts.unknown > 0 {
            wrong.push("it was not done".to_owned());
        }

        // What is asked is there: nobody has anything to do any more.
        stage.simulator.clear();
        let Reconciled::Done(after) = stage.order(target.clone(), Cause::Asked).await else {
            panic!("{what}: not done")
        };
        let writes = stage.simulator.all_writes();
        if !writes.is_empty() {
            wrong.push(format!("the next run wrote {writes:?}\n{}", text::report(&after)));
        }
        let verified = history::verify(&*stage.engine.store, &target).await.unwrap();
        if (verified.broken, verified.open) != (None, 0) {
            wrong.push("its history is not whole".to_owned());
        }
        (!wrong.is_empty()).then(|| format!("{what}:\n  {}\n{told}", wrong.join("\n  ")))
    };
    let races = futures_util::stream::iter(races().into_iter().map(run)).buffer_unordered(4);
    let wrong: Vec<String> = races.filter_map(async |wrong| wrong).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Eight times are enough; then it is told, nothing of theirs is lost, and the next run does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_stops_writing_costs_that_setting_until_the_next_run() {
    let (stage, id) = GcpSimulator::agreement().await;
    stage.simulator.edit(|world| no_grants(world, &id));
    stage.simulator.outrun("cloudresourcemanager", "projects.setIamPolicy", 9, {
        let (mut n, id) = (0, id.clone());
        move |world| {
            n += 1;
            newcomer_looks(world, &id, n);
        }
    });
    let report = stage.reconcile(&id, Cause::Asked).await;
    let told = text::report(&report);
    assert!(told.contains("others kept writing the IAM policy of `projects/new-agreement`"), "{told}");
    let report = stage.reconcile(&id, Cause::Asked).await;
    assert_eq!((report.counts.fail, report.counts.unknown), (0, 0), "{}", text::report(&report));
    stage.simulator.read(|world| {
        assert!((1..=9).all(|n| newcomer_still_looks(world, &id, n)));
    });
    assert!(stage.history_is_whole(&id).await);
}

/// A policy that says something else than what the plan was made from is nobody's to overwrite: the next run plans anew, and shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_somebody_else_made_meanwhile_is_planned_for_before_it_is_replaced() {
    let (stage, id) = GcpSimulator::agreement().await;
    let constraint = "storage.publicAccessPrevention";
    let theirs = || json!({"spec": {"rules": [{"enforce": false}]}});
    stage.simulator.edit(|world| on_unit(world).org_policies.remove(constraint).unwrap());
    stage.simulator.outrun("orgpolicy", "folders.policies.create", 1, move |world| {
        on_unit(world).org_policies.insert(constraint.to_owned(), theirs());
    });
    let organization = Target::Organization(Provider::Gcp.as_str().parse().unwrap());
    let Reconciled::Done(report) = stage.order(organization.clone(), Cause::Asked).await else {
        panic!("not done")
    };
    let told = text::report(&report);
    assert!(told.contains("somebody changed the policy since it was looked at"), "{told}");
    stage.simulator.read(|world| assert_eq!(*policy_of_unit(world, constraint), theirs()));

    drop(stage.order(organization, Cause::Asked).await);
    stage.simulator.read(|world| {
        assert_eq!(policy_of_unit(world, constraint)["spec"]["rules"], json!([{"enforce": true}]));
    });
    assert_eq!(stage.reconcile(&id, Cause::Asked).await.counts.fail, 0);
}
