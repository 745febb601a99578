//! The gate, closed and opened. A second write is the same as the first.

use serde_json::{Value, json};

use landfall_model::observed::{Seen, shows};
use landfall_model::plan::Change;

use super::{Constrained, Gate, KIND, NAME, constraint, deny_policies, look_deny_policy};
use crate::client::Reply;
use crate::client::service::{DENY, POLICY};
use crate::error::CallError;
use crate::session::Session;

pub(super) async fn write(session: &Session, change: &Change) -> Result<Value, CallError> {
    match constraint(&change.address) {
        Some(constraint) => constrain(session, change, constraint).await?,
        None => deny(session, change).await?,
    }
    Ok(Value::Null)
}

async fn deny(session: &Session, change: &Change) -> Result<(), CallError> {
    let Session { client, project, .. } = session;
    let all = deny_policies(project);
    let answer = match (change.verb.as_str(), &change.with) {
        ("close", Some(document)) => client.post(&DENY, &format!("{all}?policyId={NAME}"), document).await,
        ("restore", Some(document)) => client.put(&DENY, &format!("{all}/{NAME}"), document).await,
        ("open", _) => {
            return match client.delete(&DENY, &format!("{all}/{NAME}")).await? {
                Some(reply) => client.finish(reply).await.map(drop),
                None => Ok(()),
            };
        }
        // INVARIANT: the changes are ours, and each says what it writes.
        _ => return Err(CallError::NothingToWrite(KIND)),
    };
    match finished(session, answer).await {
        // A lost answer leaves our own policy behind, and anybody else's is no gate: what is there has to say the same.
        Err(error) if error.is_there_already() || error.is_conflict() => {
            let (policy, _) = look_deny_policy(session).await?;
            let gate = Seen::present(&Gate { number: String::new(), policy });
            if shows(&gate, change.after.as_ref()) { Ok(()) } else { Err(error) }
        }
        // One permission that deny policies don't know, and the whole of it is refused.
        Err(error) if error.number() == Some(400) => Err(error.explained(
            "IAM refused the gate's deny policy, so that nobody is denied anything: what it names in its answer is not denied any more",
        )),
        other => other,
    }
}

async fn finished(session: &Session, answer: Result<Reply, CallError>) -> Result<(), CallError> {
    session.client.finish(answer?).await.map(drop)
}

async fn constrain(session: &Session, change: &Change, constraint: &str) -> Result<(), CallError> {
    let Session { client, project, .. } = session;
    let all = format!("projects/{project}/policies");
    let one = format!("{all}/{constraint}");
    let body = |change: &Change| {
        let spec = change.after.as_ref().and_then(|after| after.get("spec"));
        json!({"name": one, "spec": spec})
    };
    let answer = match change.verb.as_str() {
        "close" => client.post(&POLICY, &all, &body(change)).await,
        "restore" => client.patch(&POLICY, &format!("{one}?updateMask=policy.spec"), &body(change)).await,
        "open" => return client.delete(&POLICY, &one).await.map(drop),
        _ => return Err(CallError::NothingToWrite(KIND)),
    };
    match answer {
        Err(error) if error.is_there_already() || error.is_conflict() => {
            let there: Constrained = client.get(&POLICY, &one).await?.json()?;
            if shows(&Seen::present(&there), change.after.as_ref()) { Ok(()) } else { Err(error) }
        }
        other => other.map(drop),
    }
}
