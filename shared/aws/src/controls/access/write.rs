//! Permission sets and assignments, made and taken away. Identity Center works on its own after it has answered: it is asked a few
//! times how far it is, and what is still under way then is looked at again later.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use landfall_engine::cloud::Made;
use landfall_model::plan::Change;

use super::{KIND, MARK, PermissionSet, is_marked};
use crate::client::protocol::Reply;
use crate::client::service::SSO_ADMIN;
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

/// What means "come back in a moment": what was written before has not spread yet, or something else is under way.
const CONFLICT: &[&str] = &["ConflictException"];

/// The same, for what may have been made a moment ago.
const EARLY: &[&str] = &["ConflictException", "ResourceNotFoundException"];

fn is_one_of(codes: &[&str], error: &CallError) -> bool {
    error.code().is_some_and(|code| codes.contains(&code))
}

/// Calls until the answer is none of these, or waiting takes too long.
async fn patiently<T, F>(again: &[&str], mut call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let mut waits = WAITS.into_iter();
    loop {
        match (call().await, waits.next()) {
            (Err(error), Some(wait)) if is_one_of(again, &error) => tokio::time::sleep(wait).await,
            (answer, _) => return answer,
        }
    }
}

/// What UpdatePermissionSet is told. What it is not told it clears.
fn updated(set: &PermissionSet) -> Value {
    let said = [
        ("PermissionSetArn", Some(&set.permission_set)),
        ("SessionDuration", Some(&set.session)),
        ("Description", set.description.as_ref()),
        ("RelayState", set.relay_state.as_ref()),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
}

/// Where a set is brought up to date: in all accounts that have it where it was changed just now, in this one where somebody else
/// had changed it already, who sees to the others.
fn provisioning(set: &str, account: &str, changed: bool) -> Value {
    match changed {
        true => json!({"PermissionSetArn": set, "TargetType": "ALL_PROVISIONED_ACCOUNTS"}),
        false => json!({"PermissionSetArn": set, "TargetType": "AWS_ACCOUNT", "TargetId": account}),
    }
}

/// A way to Identity Center, as one who may write.
struct Center<'a> {
    session: &'a Session,
    instance: Instance,
}

pub(super) async fn write(session: &Session, change: &Change, made: &Made) -> Result<Value, CallError> {
    let home = session.home();
    let Some(instance) = session.directory.instance(home, &session.ground.management_account).await? else {
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
        let asked = |name: &str| after.and_then(|after| after.get(name));
        let body = json!({"Name": role, "Description": MARK, "SessionDuration": asked("Session")});
        let answer = self.call("CreatePermissionSet", body).await;
        directory.forget_permission_sets().await;
        let arn = match answer {
            Ok(reply) => reply.json::<Created>()?.permission_set.permission_set_arn,
            // Made meanwhile, for another tenant, or by a call whose answer was lost; or by somebody else, and then it stays theirs.
            Err(error) if is_one_of(CONFLICT, &error) => match self.made_meanwhile(role).await? {
                Some(arn) => arn,
                None => return Err(error),
            },
            Err(error) => return Err(error),
        };
        let policies = asked("Policies").and_then(Value::as_array);
        for policy in policies.into_iter().flatten().filter_map(Value::as_str) {
            self.attach(&arn, policy).await?;
        }
        Ok(json!({"PermissionSet": arn}))
    }

    /// The set of this name, where Landfall made it.
    async fn made_meanwhile(&self, role: &str) -> Result<Option<String>, CallError> {
        let (directory, home) = (&self.session.directory, self.session.home());
        let sets = directory.permission_sets(home, &self.instance).await?;
        let Some(arn) = sets.get(role) else { return Ok(None) };
        let described = directory.permission_set(home, &self.instance, arn).await?;
        Ok(is_marked(described.description.as_deref()).then(|| arn.clone()))
    }

    /// Attaches a policy; says whether that changed anything. A conflict means that it is attached already, or that it is too early:
    /// the set itself tells which.
    async fn attach(&self, set: &str, policy: &str) -> Result<bool, CallError> {
        let (directory, home) = (&self.session.directory, self.session.home());
        let attach = || async {
            let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": policy});
            let Err(error) = self.call("AttachManagedPolicyToPermissionSet", body).await else {
                return Ok(true);
            };
            if is_one_of(CONFLICT, &error)
                && let Ok(there) = directory.managed_policies(home, &self.instance, set).await
                && there.contains(policy)
            {
                return Ok(false);
            }
            Err(error)
        };
        patiently(EARLY, attach).await
    }

    /// Detaches a policy; says whether that changed anything.
    async fn detach(&self, set: &str, policy: &str) -> Result<bool, CallError> {
        let body = json!({"PermissionSetArn": set, "ManagedPolicyArn": policy});
        let detach = || self.call("DetachManagedPolicyFromPermissionSet", body.clone());
        match patiently(CONFLICT, detach).await {
            Ok(_) => Ok(true),
            Err(error) if is_one_of(&["ResourceNotFoundException"], &error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Brings a set to what is asked, and the accounts that have it up to date: without that they keep the old one. What is too much
    /// goes first, so that there is room for what is missing.
    async fn update(&self, change: &Change) -> Result<Value, CallError> {
        let read =
            |value: &Option<Value>| -> Option<PermissionSet> { serde_json::from_value(value.clone()?).ok() };
        // INVARIANT: both come from the same judge, which writes what it reads.
        let (Some(before), Some(after)) = (read(&change.before), read(&change.after)) else {
            return Err(CallError::NothingToWrite(KIND));
        };
        let set = &after.permission_set;
        let mut changed = false;
        for policy in before.policies.difference(&after.policies) {
            changed |= self.detach(set, policy).await?;
        }
        for policy in after.policies.difference(&before.policies) {
            changed |= self.attach(set, policy).await?;
        }
        if before.session != after.session || before.description != after.description {
            let body = updated(&after);
            patiently(CONFLICT, || self.call("UpdatePermissionSet", body.clone())).await?;
            changed = true;
        }
        self.provision(set, changed).await?;
        Ok(json!({"PermissionSet": set}))
    }

    async fn provision(&self, set: &str, changed: bool) -> Result<(), CallError> {
        const OPERATION: &str = "ProvisionPermissionSet";
        let body = provisioning(set, &self.session.account, changed);
        match patiently(CONFLICT, || self.call(OPERATION, body.clone())).await {
            Ok(reply) => {
                let (ask, by) =
                    ("DescribePermissionSetProvisioningStatus", "ProvisionPermissionSetRequestId");
                self.wait(reply, OPERATION, ask, by).await
            }
            // Whoever changed the set is at it, or the account does not have the set yet and gets it as it is.
            Err(error) if !changed && is_one_of(EARLY, &error) => Ok(()),
            Err(error) => Err(error),
        }
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
        // A set that was just made, or an account whose last assignment is under way, is refused for a moment.
        let assign = || self.call(OPERATION, self.assignment(set, group));
        let reply = patiently(EARLY, assign).await?;
        let ask = "DescribeAccountAssignmentCreationStatus";
        self.wait(reply, OPERATION, ask, "AccountAssignmentCreationRequestId").await?;
        Ok(Value::Null)
    }

    async fn remove(&self, set: &str, group: &str) -> Result<Value, CallError> {
        const OPERATION: &str = "DeleteAccountAssignment";
        let remove = || self.call(OPERATION, self.assignment(set, group));
        match patiently(CONFLICT, remove).await {
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SET: &str = "arn:aws:sso:::permissionSet/ssoins-1/ps-1";

    fn refused(code: &str) -> CallError {
        CallError::Api {
            service: SSO_ADMIN.about.name,
            operation: "ProvisionPermissionSet",
            status: 400,
            code: code.to_owned(),
            message: String::new(),
            request_id: None,
        }
    }

    #[tokio::test]
    async fn a_conflict_is_asked_again_and_a_denial_is_not() {
        for (codes, again, asked, expected) in [
            (&[][..], CONFLICT, 1, None),
            (&["ConflictException"], CONFLICT, 2, None),
            (&["AccessDeniedException"], CONFLICT, 1, Some("AccessDeniedException")),
            (&["ResourceNotFoundException"], CONFLICT, 1, Some("ResourceNotFoundException")),
            (&["ResourceNotFoundException"], EARLY, 2, None),
        ] {
            let calls = Cell::new(0);
            let call = || async {
                let now = calls.replace(calls.get() + 1);
                codes.get(now).map_or(Ok(()), |code| Err(refused(code)))
            };
            let code = patiently(again, call).await.err().map(|error| error.code().unwrap().to_owned());
            assert_eq!((calls.get(), code.as_deref()), (asked, expected), "{codes:?}");
        }
    }

    #[test]
    fn accounts_are_brought_up_to_date_where_it_is_needed() {
        for (changed, expected) in [
            (true, json!({"PermissionSetArn": SET, "TargetType": "ALL_PROVISIONED_ACCOUNTS"})),
            (
                false,
                json!({"PermissionSetArn": SET, "TargetType": "AWS_ACCOUNT", "TargetId": "222222222222"}),
            ),
        ] {
            assert_eq!(provisioning(SET, "222222222222", changed), expected);
        }
    }

    #[test]
    fn an_update_says_again_what_it_would_clear() {
        for more in [
            json!({}),
            json!({"Description": MARK}),
            json!({"Description": MARK, "RelayState": "https://console.aws.amazon.com/ec2"}),
        ] {
            let mut kept = json!({"PermissionSet": SET, "Policies": [], "Session": "PT8H"});
            let mut expected = json!({"PermissionSetArn": SET, "SessionDuration": "PT8H"});
            for object in [&mut kept, &mut expected] {
                object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            }
            assert_eq!(updated(&serde_json::from_value(kept).unwrap()), expected);
        }
    }
}
