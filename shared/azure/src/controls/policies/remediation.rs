//! Remediation tasks, row Z10: what a policy that acts would change in a subscription, and the task that changes it.
//!
//! Azure's compliance view says what does not comply, minutes to a day late; a task is started only where it names something, and has a
//! name of its own for each assignment. A task that is over is started again by the same write ("restart a previously created Remediation
//! that is in a terminal state", Az.PolicyInsights, Start-AzPolicyRemediation), and one at work refuses it
//! (<https://github.com/Azure/azure-policy/issues/1234>).
//!
//! <https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources>,
//! <https://learn.microsoft.com/azure/governance/policy/concepts/remediation-structure>

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::Sighting;
use landfall_engine::control::{Permissions, kept};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Desired;
use landfall_model::judgement::{Judgement, Verdict};
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, Deed, Stage};

use super::assignment::Assignment;
use super::look::Seated;
use super::{carried, scope};
use crate::client::service::REMEDIATIONS;
use crate::controls::access::derived;
use crate::controls::{ground, registration, reported};
use crate::error::CallError;
use crate::session::Session;

/// Which setting of a control this is.
const RESOURCE: &str = "existing";

/// Most states that are asked for: beyond that, there are many.
const MOST: usize = 100;

/// Most resources that a finding names; the evidence has up to [`MOST`].
const TOLD: usize = 5;

const REGISTER: &str = "register";
const START: &str = "start";

/// What is there already, in the eyes of an assignment that acts.
pub(in crate::controls) struct Remediation(pub(in crate::controls) ControlKind);

/// What Azure says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct There {
    /// The subscription is not registered for what compares and repairs, so nothing was compared.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unregistered: bool,
    /// The ids of resources that do not comply.
    wrong: BTreeSet<String>,
    /// Those that did not comply before the last task succeeded, and were not compared since.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    before_the_task: BTreeSet<String>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Task>,
}

/// A task as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Task {
    /// The id of the assignment, in lower case.
    assignment: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<Timestamp>,
    /// How many resources it changes, and how many it could not.
    total: u64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// How far a task is. Azure's words: Accepted, Evaluating, InProgress, Cancelling, Canceled, Failed, Complete, Succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    AtWork,
    Succeeded,
    Failed,
    Canceled,
}

impl Task {
    fn progress(&self) -> Progress {
        match self.state.to_ascii_lowercase().as_str() {
            "succeeded" | "complete" => Progress::Succeeded,
            "failed" => Progress::Failed,
            "canceled" | "cancelled" => Progress::Canceled,
            // What Azure may add is not over as long as it does not say so by one of these.
            _ => Progress::AtWork,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    policy_assignment_id: String,
    provisioning_state: String,
    last_updated_on: Option<Timestamp>,
    deployment_status: Deployments,
    status_message: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Deployments {
    total_deployments: u64,
    failed_deployments: u64,
}

#[derive(Deserialize)]
struct States {
    #[serde(default)]
    value: Vec<State>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct State {
    timestamp: Option<Timestamp>,
    resource_id: String,
    policy_assignment_id: String,
    compliance_state: String,
}

/// The path of the task of an assignment.
fn task(session: &Session, assignment: &str) -> String {
    // Ids have no case; `derived` sees to that.
    let name = format!("landfall-{}", derived(&[assignment]));
    format!("{}/providers/Microsoft.PolicyInsights/remediations/{name}", session.scope())
}

impl Remediation {
    pub(in crate::controls) const PERMISSIONS: Permissions = Permissions {
        read: &[
            // Asking is a POST, which `*/read` does not cover.
            "Microsoft.PolicyInsights/policyStates/queryResults/action",
            "Microsoft.PolicyInsights/policyStates/queryResults/read",
            "Microsoft.PolicyInsights/remediations/read",
        ],
        write: &["Microsoft.PolicyInsights/register/action", "Microsoft.PolicyInsights/remediations/write"],
    };

    /// Its address.
    pub(in crate::controls) fn address(&self) -> Address {
        Address::global(self.0, RESOURCE)
    }

    /// Where it is looked at: nowhere, where no policy of the control acts.
    pub(in crate::controls) fn addresses(&self, desired: &Desired) -> Option<Address> {
        carried::acting(self.0, desired).map(|_| self.address())
    }

    /// The id of the assignment that acts.
    fn assignment(&self, desired: &Desired) -> Option<String> {
        let (point, one) = carried::acting(self.0, desired)?;
        Some(one.id(&scope(&point.at, desired, ground(desired)?)))
    }

    pub(in crate::controls) async fn look(
        &self,
        session: &Session,
        desired: &Desired,
    ) -> Result<Sighting, CallError> {
        let Some(assignment) = self.assignment(desired) else {
            return Ok(Sighting { seen: Seen::Absent, request: None });
        };
        let mut there = There::default();
        match session.client.get(&REMEDIATIONS, &task(session, &assignment)).await {
            Ok(reply) => {
                let Answer { properties } = reply.json()?;
                there.task = Some(properties.into());
            }
            Err(error) if registration::is_missing(&error) || error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        // Azure writes ids in its states in lower case. The newest come first.
        let assignment = assignment.to_ascii_lowercase();
        let filter = format!("PolicyAssignmentId eq '{assignment}' and ComplianceState eq 'NonCompliant'");
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("$filter", &filter)
            .append_pair("$orderby", "Timestamp desc")
            .append_pair("$top", &MOST.to_string())
            .finish();
        let path = format!(
            "{}/providers/Microsoft.PolicyInsights/policyStates/latest/queryResults?{query}",
            session.scope()
        );
        let reply = match session.client.post(&REMEDIATIONS, &path, None).await {
            Ok(reply) => reply,
            Err(error) if registration::is_missing(&error) => {
                there.unregistered = true;
                let request = error.request_id().map(str::to_owned);
                return Ok(Sighting { seen: Seen::present(&there), request });
            }
            Err(error) => return Err(error),
        };
        let States { value } = reply.json()?;
        there.sort(value, &assignment);
        Ok(Sighting { seen: Seen::present(&there), request: reply.request_id })
    }

    pub(in crate::controls) async fn write(
        &self,
        session: &Session,
        change: &Change,
    ) -> Result<Value, CallError> {
        if change.verb == REGISTER {
            return registration::register(session, REMEDIATIONS.namespace).await.map(|()| Value::Null);
        }
        let with = change.with.as_ref();
        // INVARIANT: the changes are ours, and each says which assignment it is about.
        let Some(assignment) = with.and_then(|with| with.get("policyAssignmentId")?.as_str()) else {
            return Err(CallError::NothingToWrite(self.0));
        };
        let body = json!({"properties": with});
        match registration::put(session, &REMEDIATIONS, &task(session, assignment), &body).await {
            Ok(_) => Ok(Value::Null),
            // Somebody started it a moment ago: it is at work.
            Err(error) if error.code() == Some("InvalidUpdateRemediationRequest") => Ok(Value::Null),
            Err(error) => Err(error),
        }
    }

    /// What is said of what is there already; nothing where no policy of the control acts.
    pub(in crate::controls) fn judge(&self, desired: &Desired, observed: &Observed) -> Option<Judgement> {
        let (point, one) = carried::acting(self.0, desired)?;
        let id = self.assignment(desired)?;
        let address = self.address();
        Some(Judgement::of(self.0, &address, observed, |there| {
            let there: There = match kept(there) {
                Ok(there) => there.unwrap_or_default(),
                Err(unknown) => return unknown,
            };
            let place = super::address(&point.at);
            there.compare(&address, &id, ready(&place, &one, observed), &place)
        }))
    }
}

/// Since when an assignment can act: it is there, has an identity, and that holds its role. Nothing where it can't.
fn ready(place: &Address, one: &Assignment, observed: &Observed) -> Option<Option<Timestamp>> {
    let Seen::Present(value) = observed.seen(place) else { return None };
    let seated: Seated = serde_json::from_value(value).ok()?;
    seated.acting(one).map(|(_, given)| given.since)
}

impl From<Properties> for Task {
    fn from(properties: Properties) -> Self {
        let Properties {
            policy_assignment_id,
            provisioning_state,
            last_updated_on,
            deployment_status,
            status_message,
        } = properties;
        let Deployments { total_deployments, failed_deployments } = deployment_status;
        Task {
            assignment: policy_assignment_id.to_ascii_lowercase(),
            state: provisioning_state,
            updated: last_updated_on,
            total: total_deployments,
            failed: failed_deployments,
            message: status_message.filter(|message| !message.is_empty()),
        }
    }
}

impl There {
    /// Sorts what does not comply by whether it was compared since the last task succeeded: what was not says nothing of now.
    fn sort(&mut self, states: Vec<State>, assignment: &str) {
        let succeeded = self.task.as_ref().filter(|task| task.progress() == Progress::Succeeded);
        let end = succeeded.and_then(|task| task.updated);
        for State { timestamp, resource_id, policy_assignment_id, compliance_state } in states {
            let about = policy_assignment_id.eq_ignore_ascii_case(assignment)
                && compliance_state.eq_ignore_ascii_case("NonCompliant");
            if !about {
                continue;
            }
            let old = end.is_some_and(|end| timestamp.is_some_and(|at| at <= end));
            if old { &mut self.before_the_task } else { &mut self.wrong }
                .insert(resource_id.to_ascii_lowercase());
        }
    }

    fn compare(
        &self,
        address: &Address,
        assignment: &str,
        ready: Option<Option<Timestamp>>,
        place: &Address,
    ) -> Verdict {
        let There { unregistered, wrong, before_the_task, task } = self;
        if *unregistered {
            let reason = format!(
                "the subscription is not registered for `{}`, so Azure compares nothing in it",
                REMEDIATIONS.namespace
            );
            let change = Change::new(address, REGISTER, Deed::Update, reason);
            let after = json!({"unregistered": null});
            return Verdict::fails(
                change.before(Some(crate::controls::json(self))).after(after).at(Stage::Foundation),
            );
        }
        // It settles as long as it is at work. Nothing is written meanwhile: Azure would refuse it.
        if let Some(task) = task.as_ref().filter(|task| task.progress() == Progress::AtWork) {
            return reported(format!(
                "a remediation task is at work ({}), {}",
                task.state,
                match task.total {
                    0 => "and does not say yet on how many resources".to_owned(),
                    total => format!("on {total} resources, of which {} failed", task.failed),
                }
            ));
        }
        let Some(first) = wrong.first() else {
            return match before_the_task.len() {
                0 => Verdict::Holds,
                count => reported(format!(
                    "the remediation task succeeded, and Azure has not compared {count} of its resources since"
                )),
            };
        };
        let what = match wrong.len() {
            1 => format!("Azure finds that `{first}` does not comply"),
            count => {
                let more = if count >= MOST { " or more" } else { "" };
                let told: Vec<String> = wrong.iter().take(TOLD).map(|id| format!("`{id}`")).collect();
                let rest = if count > TOLD { ", …" } else { "" };
                format!("Azure finds that {count}{more} resources do not comply: {}{rest}", told.join(", "))
            }
        };
        let Some(since) = ready else {
            return reported(format!(
                "{what}; a remediation task is started once `{place}` is as it should be"
            ));
        };
        // What went wrong goes wrong again, unless who acts is another since.
        let newer = |task: &Task| since.zip(task.updated).is_some_and(|(since, end)| since > end);
        let failed = task.as_ref().map(|task| (task, task.progress())).filter(|(task, _)| !newer(task));
        let reason = match failed {
            Some((task, Progress::Failed)) => {
                let Task { total, failed, message, .. } = task;
                let why = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                return reported(format!(
                    "{what}; the remediation task failed on {failed} of {total} resources{why}; it is not started again by itself: \
                     delete it when the cause is gone, and the next run starts another"
                ));
            }
            Some((_, Progress::Canceled)) => {
                return reported(format!(
                    "{what}; somebody canceled the remediation task; delete it, and the next run starts another"
                ));
            }
            Some((_, Progress::AtWork | Progress::Succeeded)) | None => what,
        };
        let change = Change::new(address, START, Deed::Update, reason)
            .before(Some(crate::controls::json(self)))
            .after(json!({"task": {"assignment": assignment.to_ascii_lowercase()}}))
            .with(json!({"policyAssignmentId": assignment, "resourceDiscoveryMode": "ExistingNonCompliant"}));
        Verdict::fails(change)
    }
}

#[cfg(test)]
mod tests;
