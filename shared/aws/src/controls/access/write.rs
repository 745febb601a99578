//! Permission sets and assignments, made and taken away. Identity Center works on its own after it has answered: it is asked a few
//! times how far it is, and what is still under way then is looked at again later.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use landfall_engine::cloud::Made;
use landfall_model::plan::Change;

use super::{KIND, PermissionSet};
use crate::client::protocol::Reply;
use crate::client::service::SSO_ADMIN;
use crate::controls::done;
use crate::directory::Instance;
use crate::error::CallError;
use crate::session::Session;

/// Waits between two questions. Assignments take one to a few seconds; who waits longer holds everybody else up.
const WAITS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
];

/// A way to Identity Center, as one who may write.
struct Center<'a> {
    session: &'a Session,
    instance: Instance,
}

pub(super) async fn write(session: &Session, change: &Change, made: &Made) -> Result<Value, CallError> {
    let home = session.home();
    let Some(instance) = session.directory.instance(home).await? else {
        return Err(CallError::NothingToWrite(KIND));
    };
    let center = Center { session, instance };
    let named = |name: &str| change.with.as_ref()?.get(name)?.as_str();
    let new = || change.needs.iter().find_map(|need| made.get(need)?.get("PermissionSet")?.as_str());
    let set = named("PermissionSet").or_else(new).unwrap_or_default();
    let group = named("Group").unwrap_or_default();
    match change.verb.as_str() {
        "create" => center.create(&change.address.resource, change.after.as_ref()).await,
        "update" => center.update(change).await,
        "assign" => center.assign(set, group).await,
        "remove" => center.remove(set, group).await,
        _ => Err(CallError::NothingToWrite(KIND)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    permission_set: CreatedSet,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreatedSet {
    permission_set_arn: String,
}

/// How far a work is, under whichever name the operation gives it.
#[derive(Deserialize)]
struct Answer {
    #[serde(
        alias = "AccountAssignmentCreationStatus",
        alias = "AccountAssignmentDeletionStatus",
        alias = "PermissionSetProvisioningStatus"
    )]
    work: Work,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Work {
    #[serde(default)]
    status: String,
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    failure_reason: Option<String>,
}

impl Center<'_> {
    async fn call(&self, operation: &'static str, mut body: Value) -> Result<Reply, CallError> {
        if let Value::Object(body) = &mut body {
            body.insert("InstanceArn".to_owned(), json!(self.instance.arn));
        }
        self.session.organization.json(&SSO_ADMIN, self.session.home(), operation, body).await
    }

    /// Makes a permission set with its policies. The session's length is always said: without it AWS takes an hour.
    async fn create(&self, role: &str, after: Option<&Value>) -> Result<Value, CallError> {
        let directory = &self.session.directory;
        let body = json!({"Name": role, "SessionDuration": after.and_then(|after| after.get("Session"))});
        let answer = self.call("CreatePermissionSet", body).await;
        directory.forget_permission_sets().await;
        let arn = match answer {
            Ok(reply) => reply.json::<Created>()?.permission_set.permission_set_arn,
            // Made meanwhile, for another tenant, or by a call whose answer was lost.
            Err(error) if error.code() == Some("ConflictException") => {
                let sets = directory.permission_sets(self.session.home(), &self.instance).await?;
                match sets.get(role) {
                    Some(arn) => arn.clone(),
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        let policies = after.and_then(|after| after.get("Policies")).and_then(Value::as_array);
        for policy in policies.into_iter().flatten().filter_map(Value::as_str) {
            self.attach(&arn, policy).await?;
        }
        Ok(json!({"PermissionSet": arn}))
    }

    async fn attach(&self, set: &str, policy: &str) -> Result<(), CallError> {
        let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": policy});
        done(self.call("AttachManagedPolicyToPermissionSet", body).await, &["ConflictException"])
    }

    /// Adds what is missing, and brings the accounts that have the set up to date: without that they keep the old one.
    async fn update(&self, change: &Change) -> Result<Value, CallError> {
        let read =
            |value: &Option<Value>| -> Option<PermissionSet> { serde_json::from_value(value.clone()?).ok() };
        // INVARIANT: both come from the same judge, which writes what it reads.
        let (Some(before), Some(after)) = (read(&change.before), read(&change.after)) else {
            return Err(CallError::NothingToWrite(KIND));
        };
        let set = &after.permission_set;
        for policy in after.policies.difference(&before.policies) {
            self.attach(set, policy).await?;
        }
        if before.session != after.session {
            let body = json!({"PermissionSetArn": set, "SessionDuration": after.session});
            self.call("UpdatePermissionSet", body).await?;
        }
        let body = json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"});
        match self.call("ProvisionPermissionSet", body).await {
            Ok(reply) => {
                let (ask, by) =
                    ("DescribePermissionSetProvisioningStatus", "ProvisionPermissionSetRequestId");
                self.wait(reply, "ProvisionPermissionSet", ask, by).await?;
            }
            // Somebody else is at it.
            Err(error) if error.code() == Some("ConflictException") => {}
            Err(error) => return Err(error),
        }
        Ok(json!({"PermissionSet": set}))
    }

    fn assignment(&self, set: &str, group: &str) -> Value {
        json!({
            "TargetId": self.session.account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": set,
            "PrincipalType": "GROUP",
            "PrincipalId": group,
        })
    }

    async fn assign(&self, set: &str, group: &str) -> Result<Value, CallError> {
        const OPERATION: &str = "CreateAccountAssignment";
        let mut answer = self.call(OPERATION, self.assignment(set, group)).await;
        for wait in WAITS {
            // A set that was just made, or an account whose last assignment is under way, is refused for a moment.
            let early = |error: &CallError| {
                matches!(error.code(), Some("ConflictException" | "ResourceNotFoundException"))
            };
            if !answer.as_ref().is_err_and(early) {
                break;
            }
            tokio::time::sleep(wait).await;
            answer = self.call(OPERATION, self.assignment(set, group)).await;
        }
        let ask = "DescribeAccountAssignmentCreationStatus";
        self.wait(answer?, OPERATION, ask, "AccountAssignmentCreationRequestId").await?;
        Ok(Value::Null)
    }

    async fn remove(&self, set: &str, group: &str) -> Result<Value, CallError> {
        const OPERATION: &str = "DeleteAccountAssignment";
        match self.call(OPERATION, self.assignment(set, group)).await {
            Ok(reply) => {
                let ask = "DescribeAccountAssignmentDeletionStatus";
                self.wait(reply, OPERATION, ask, "AccountAssignmentDeletionRequestId").await?;
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => {}
            Err(error) => return Err(error),
        }
        Ok(Value::Null)
    }

    /// Waits a little for a work to end. One that goes on is no failure; one that failed says why.
    async fn wait(
        &self,
        mut reply: Reply,
        operation: &'static str,
        ask: &'static str,
        by: &str,
    ) -> Result<(), CallError> {
        let mut waits = WAITS.into_iter();
        loop {
            let Answer { work: Work { status, request_id, failure_reason } } = reply.json()?;
            if status == "FAILED" {
                return Err(CallError::Api {
                    service: SSO_ADMIN.about.name,
                    operation,
                    status: 200,
                    code: status,
                    message: crate::error::tidy(&failure_reason.unwrap_or_default()),
                    request_id: reply.request_id,
                });
            }
            if status != "IN_PROGRESS" {
                return Ok(());
            }
            let Some(wait) = waits.next() else { return Ok(()) };
            tokio::time::sleep(wait).await;
            reply = self.call(ask, json!({ by: request_id })).await?;
        }
    }
}
