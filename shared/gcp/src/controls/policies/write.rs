//! One policy written: read, changed, sent with its etag; what somebody else wrote meanwhile is never overwritten unseen.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::Made;
use landfall_model::plan::Change;

use super::KIND;
use super::spec::Spec;
use crate::client::service::POLICY;
use crate::error::CallError;
use crate::session::Session;

/// How often a policy is read again because somebody else wrote it meanwhile.
const TURNS: usize = 5;

/// What a write is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    /// `folders/345678901234` or `projects/acme-checkout-prod`; nothing where a change before this one makes the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    pub(super) constraint: String,
    /// What it has to say; nothing where it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spec: Option<Spec>,
    /// What it said when the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) was: Option<Spec>,
}

pub(super) async fn write(session: &Session, change: &Change, made: &Made) -> Result<Value, CallError> {
    let order: Option<Order> = change.with.clone().and_then(|with| serde_json::from_value(with).ok());
    // INVARIANT: the orders are ours, and each says what to write.
    let Some(Order { place, constraint, spec, was }) = order else {
        return Err(CallError::NothingToWrite(KIND));
    };
    let folder = || {
        let made = change.needs.iter().find_map(|need| made.get(need)?.get("name")?.as_str());
        made.map(str::to_owned)
    };
    let Some(place) = place.or_else(folder) else { return Err(CallError::NothingToWrite(KIND)) };
    let mut turn = 0;
    loop {
        match once(session, &place, &constraint, spec.as_ref(), was.as_ref()).await {
            // An old etag, or one that was made meanwhile: what is there now is looked at again.
            Err(error) if (error.is_conflict() || error.is_there_already()) && turn < TURNS => turn += 1,
            Err(error) => return Err(explained(error, &constraint)),
            Ok(()) => return Ok(json!({"name": format!("{place}/policies/{constraint}")})),
        }
    }
}

async fn once(
    session: &Session,
    place: &str,
    constraint: &str,
    spec: Option<&Spec>,
    was: Option<&Spec>,
) -> Result<(), CallError> {
    let client = &session.client;
    let name = format!("{place}/policies/{constraint}");
    let (mut policy, reply) = match client.get(&POLICY, &name).await {
        Ok(reply) => (reply.value()?, reply),
        Err(error) if error.is_not_found() => {
            if let Some(spec) = spec {
                let body = json!({"name": name, "spec": spec});
                client.post(&POLICY, &format!("{place}/policies"), &body).await?;
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let there = policy.get("spec").cloned().filter(|spec| !spec.is_null());
    let there: Option<Spec> =
        there.map(serde_json::from_value).transpose().map_err(|error| reply.unreadable(error))?;
    if let (Some(there), Some(spec)) = (&there, spec)
        && there.is_like(spec)
    {
        return Ok(());
    }
    let like = |one: Option<&Spec>, other: Option<&Spec>| match (one, other) {
        (Some(one), Some(other)) => one.is_like(other),
        (one, other) => one.is_none() == other.is_none(),
    };
    if !like(there.as_ref(), was) {
        return Err(
            reply.unreadable("somebody changed the policy since it was looked at; the next run plans anew")
        );
    }
    let Some(spec) = spec else {
        let etag = policy.get("etag").or_else(|| policy.get("spec")?.get("etag")).and_then(Value::as_str);
        let query = etag.map(|etag| {
            let etag: String = url::form_urlencoded::byte_serialize(etag.as_bytes()).collect();
            format!("?etag={etag}")
        });
        client.delete(&POLICY, &format!("{name}{}", query.unwrap_or_default())).await?;
        return Ok(());
    };
    // The whole policy is sent as it was read, with its etags: a dry run that somebody keeps in it stays.
    let etag = policy.get("spec").and_then(|spec| spec.get("etag")).cloned();
    let mut body = json!(spec);
    if let (Some(etag), Some(body)) = (etag, body.as_object_mut()) {
        body.insert("etag".to_owned(), etag);
    }
    if let Some(policy) = policy.as_object_mut() {
        policy.insert("spec".to_owned(), body);
        policy.remove("alternate");
    }
    without_output_only(&mut policy);
    client.patch(&POLICY, &name, &policy).await?;
    Ok(())
}

/// What Google only answers is not sent.
fn without_output_only(policy: &mut Value) {
    for spec in ["spec", "dryRunSpec"] {
        if let Some(spec) = policy.get_mut(spec).and_then(Value::as_object_mut) {
            spec.remove("updateTime");
        }
    }
}

/// With what a refusal means, where Google's own words do not say what to do.
fn explained(error: CallError, constraint: &str) -> CallError {
    let custom = constraint.starts_with(landfall_model::catalog::organization_policies::CUSTOM);
    match (error.is_not_found(), custom) {
        (true, true) => error.explained(format!(
            "Google does not know the custom constraint `{constraint}` there: one that was just made takes some minutes, one that nobody made has to stand under `custom` of a control that a unit lists"
        )),
        (true, false) => error.explained(format!("Google does not know the constraint `{constraint}` there")),
        (false, _) => error,
    }
}
