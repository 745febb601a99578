//! Policies as documents: created, changed, read, deleted.

use serde_json::{Value, json};

use super::{Answered, invalid, policies};
use crate::ask::Ask;
use crate::event;
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::{Organization, Policy, World, limits};

pub(super) fn summary(organization: &Organization, policy: &Policy) -> Value {
    let kind = policy.kind.to_lowercase();
    let arn = if policy.aws_managed {
        format!("arn:aws:organizations::aws:policy/{kind}/{}", policy.id)
    } else {
        let management = &organization.management_account;
        format!("arn:aws:organizations::{management}:policy/{}/{kind}/{}", organization.id, policy.id)
    };
    json!({
        "Id": policy.id,
        "Arn": arn,
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.kind,
        "AwsManaged": policy.aws_managed,
    })
}

fn whole(organization: &Organization, policy: &Policy) -> Value {
    json!({"Policy": {"PolicySummary": summary(organization, policy), "Content": policy.content}})
}

/// The policy an ask names.
pub(super) fn named<'a>(world: &'a World, ask: &Ask) -> Result<&'a Policy, Refusal> {
    world
        .organization
        .policies
        .get(ask.need("PolicyId")?)
        .ok_or_else(|| Refusal::new("PolicyNotFoundException", "You specified a policy that doesn't exist."))
}

pub(super) fn create(world: &mut World, ask: &Ask) -> Answered {
    let kind = policies::kind(ask, "Type")?;
    let name = ask.need("Name")?;
    let content = checked(kind, ask.need("Content")?)?;
    free_name(world, kind, name, None)?;
    let policy = Policy {
        id: world.next_id("p-", 8),
        name: name.to_owned(),
        description: ask.text("Description").unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        content: content.to_owned(),
        aws_managed: false,
    };
    let answer = whole(&world.organization, &policy);
    super::tags::store(world, &policy.id, ask.array("Tags"));
    let response = json!({"policy": {"policySummary": {"id": policy.id, "name": policy.name, "type": kind}}});
    world.organization.policies.insert(policy.id.clone(), policy);
    event::api_call(world, ask, &json!({"name": name, "type": kind}), &response);
    Ok(answer)
}

pub(super) fn update(world: &mut World, ask: &Ask) -> Answered {
    let policy = changeable(named(world, ask)?)?;
    let (id, kind) = (policy.id.clone(), policy.kind.clone());
    let content = ask.text("Content").map(|content| checked(&kind, content)).transpose()?;
    if let Some(name) = ask.text("Name") {
        free_name(world, &kind, name, Some(&id))?;
    }
    if let Some(policy) = world.organization.policies.get_mut(&id) {
        let replace = |field: &mut String, text: Option<&str>| text.map(|text| text.clone_into(field));
        replace(&mut policy.content, content);
        replace(&mut policy.name, ask.text("Name"));
        replace(&mut policy.description, ask.text("Description"));
    }
    event::api_call(world, ask, &json!({"policyId": id}), &Value::Null);
    Ok(whole(&world.organization, named(world, ask)?))
}

pub(super) fn describe(world: &World, ask: &Ask) -> Answered {
    Ok(whole(&world.organization, named(world, ask)?))
}

pub(super) fn delete(world: &mut World, ask: &Ask) -> Answered {
    let id = changeable(named(world, ask)?)?.id.clone();
    if world.organization.attachments.iter().any(|attachment| attachment.policy == id) {
        return Err(Refusal::new(
            "PolicyInUseException",
            "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.",
        ));
    }
    world.organization.policies.remove(&id);
    world.organization.tags.remove(&id);
    event::api_call(world, ask, &json!({"policyId": id}), &Value::Null);
    Ok(Value::Null)
}

pub(super) fn list(world: &World, ask: &Ask) -> Answered {
    let kind = policies::kind(ask, "Filter")?;
    let organization = &world.organization;
    let found = organization.policies.values().filter(|policy| policy.kind == kind);
    page(world, ask, ORGANIZATIONS, "Policies", found.map(|policy| summary(organization, policy)))
        .map(Value::Object)
}

fn changeable(policy: &Policy) -> Result<&Policy, Refusal> {
    if policy.aws_managed {
        return Err(invalid(
            "IMMUTABLE_POLICY",
            "You specified a policy that is managed by AWS and can't be modified.",
        ));
    }
    Ok(policy)
}

fn free_name(world: &World, kind: &str, name: &str, except: Option<&str>) -> Result<(), Refusal> {
    let mut others = world.organization.policies.values().filter(|policy| Some(policy.id.as_str()) != except);
    if others.any(|policy| policy.kind == kind && policy.name == name) {
        return Err(Refusal::new("DuplicatePolicyException", "A policy with the same name already exists."));
    }
    Ok(())
}

/// The two checks AWS makes that a compiler of policies can fail: size in characters, and being a policy at all.
fn checked<'a>(kind: &str, content: &'a str) -> Result<&'a str, Refusal> {
    let (most, _) = limits(kind).unwrap_or((10_000, 10));
    if content.chars().count() > most {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You have exceeded the maximum policy size.",
        )
        .reason("POLICY_CONTENT_LIMIT_EXCEEDED"));
    }
    let malformed = || {
        Refusal::new(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy type.",
        )
    };
    let document: Value = serde_json::from_str(content).map_err(|_| malformed())?;
    let Some(members) = document.as_object() else { return Err(malformed()) };
    let statements = matches!(kind, "SERVICE_CONTROL_POLICY" | "RESOURCE_CONTROL_POLICY");
    if statements && !members.get("Statement").is_some_and(is_statements) {
        return Err(malformed());
    }
    Ok(content)
}

/// Statements have an effect, actions and something they apply to.
fn is_statements(statements: &Value) -> bool {
    let one = |statement: &Value| {
        let has = |names: &[&str]| names.iter().any(|name| statement.get(*name).is_some());
        let effect = statement.get("Effect").and_then(Value::as_str);
        matches!(effect, Some("Allow" | "Deny"))
            && has(&["Action", "NotAction"])
            && has(&["Resource", "NotResource"])
    };
    match statements.as_array() {
        Some(statements) => !statements.is_empty() && statements.iter().all(one),
        None => statements.is_object() && one(statements),
    }
}
