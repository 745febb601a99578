//! Where policies are attached, and which types of them are in force.

use serde_json::{Value, json};

use super::{Answered, documents, invalid, tree};
use crate::ask::Ask;
use crate::event;
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::{Attachment, Organization, World, full_access_of, limits};

/// A policy type an ask names, when there is such a type.
pub(super) fn kind<'a>(ask: &'a Ask, name: &str) -> Result<&'a str, Refusal> {
    let kind = ask.need(name)?;
    if limits(kind).is_some() {
        Ok(kind)
    } else {
        Err(invalid("INVALID_ENUM_POLICY_TYPE", "You specified an invalid policy type string."))
    }
}

fn target<'a>(world: &World, ask: &'a Ask) -> Result<&'a str, Refusal> {
    let id = ask.need("TargetId")?;
    if world.organization.is_target(id) {
        return Ok(id);
    }
    Err(Refusal::new("TargetNotFoundException", "You specified a target that doesn't exist."))
}

pub(super) fn for_target(world: &World, ask: &Ask) -> Answered {
    let target = target(world, ask)?;
    let kind = kind(ask, "Filter")?;
    let organization = &world.organization;
    let found = organization.attached(target).filter_map(|id| organization.policies.get(id));
    let found =
        found.filter(|policy| policy.kind == kind).map(|policy| documents::summary(organization, policy));
    page(world, ask, ORGANIZATIONS, "Policies", found).map(Value::Object)
}

pub(super) fn targets(world: &World, ask: &Ask) -> Answered {
    let policy = documents::named(world, ask)?;
    let organization = &world.organization;
    let attached = organization.attachments.iter().filter(|attachment| attachment.policy == policy.id);
    let found = attached.filter_map(|attachment| target_json(organization, &attachment.target));
    page(world, ask, ORGANIZATIONS, "Targets", found).map(Value::Object)
}

fn target_json(organization: &Organization, id: &str) -> Option<Value> {
    let (kind, path, name) = if id == organization.root.id {
        ("ROOT", "root", &organization.root.name)
    } else if let Some(unit) = organization.units.get(id) {
        ("ORGANIZATIONAL_UNIT", "ou", &unit.name)
    } else {
        ("ACCOUNT", "account", &organization.members.get(id)?.name)
    };
    Some(json!({"TargetId": id, "Arn": organization.arn(path, id), "Name": name, "Type": kind}))
}

pub(super) fn attach(world: &mut World, ask: &Ask) -> Answered {
    let policy = documents::named(world, ask)?;
    let target = target(world, ask)?;
    let organization = &world.organization;
    if !organization.root.policy_types.contains(&policy.kind) {
        return Err(Refusal::new(
            "PolicyTypeNotEnabledException",
            "This operation can be performed only for enabled policy types.",
        ));
    }
    let same_kind = |id: &&str| organization.policies.get(*id).is_some_and(|other| other.kind == policy.kind);
    let attached: Vec<&str> = organization.attached(target).filter(same_kind).collect();
    if attached.contains(&policy.id.as_str()) {
        return Err(Refusal::new(
            "DuplicatePolicyAttachmentException",
            "The selected policy is already attached to the specified target.",
        ));
    }
    let (_, most) = limits(&policy.kind).unwrap_or((10_000, 10));
    if attached.len() >= most {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You have exceeded the maximum number of policies attached to the target.",
        )
        .reason("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
    }
    let policy = policy.id.clone();
    world.organization.attach(target, &policy);
    event::api_call(world, ask, &json!({"policyId": policy, "targetId": target}), &Value::Null);
    Ok(Value::Null)
}

pub(super) fn detach(world: &mut World, ask: &Ask) -> Answered {
    let policy = documents::named(world, ask)?;
    let target = target(world, ask)?;
    let organization = &world.organization;
    let attachment = Attachment { target: target.to_owned(), policy: policy.id.clone() };
    if !organization.attachments.contains(&attachment) {
        return Err(Refusal::new(
            "PolicyNotAttachedException",
            "The policy isn't attached to the specified target in the specified root.",
        ));
    }
    // Something must always allow: an SCP type needs at least one policy everywhere.
    let same_kind = |id: &&str| organization.policies.get(*id).is_some_and(|other| other.kind == policy.kind);
    if full_access_of(&policy.kind).is_some() && organization.attached(target).filter(same_kind).count() == 1
    {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.",
        )
        .reason("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"));
    }
    let policy = attachment.policy.clone();
    world.organization.attachments.remove(&attachment);
    event::api_call(world, ask, &json!({"policyId": policy, "targetId": target}), &Value::Null);
    Ok(Value::Null)
}

fn rooted(world: &World, ask: &Ask) -> Result<(), Refusal> {
    if ask.need("RootId")? == world.organization.root.id {
        return Ok(());
    }
    Err(Refusal::new("RootNotFoundException", "You specified a root that doesn't exist."))
}

fn root_answer(organization: &Organization) -> Value {
    json!({"Root": tree::root_json(organization, &organization.root)})
}

/// Enabling a type attaches its policy that allows everything to everything, as AWS does.
pub(super) fn enable_type(world: &mut World, ask: &Ask) -> Answered {
    rooted(world, ask)?;
    let kind = kind(ask, "PolicyType")?;
    if !world.organization.root.policy_types.insert(kind.to_owned()) {
        return Err(Refusal::new(
            "PolicyTypeAlreadyEnabledException",
            "The specified policy type is already enabled.",
        ));
    }
    if let Some(full) = full_access_of(kind) {
        let organization = &mut world.organization;
        let units = organization.units.keys().cloned();
        let targets: Vec<String> =
            units.chain(organization.members.keys().cloned()).chain([organization.root.id.clone()]).collect();
        targets.iter().for_each(|target| organization.attach(target, full));
    }
    event::api_call(
        world,
        ask,
        &json!({"policyType": kind, "rootId": world.organization.root.id.clone()}),
        &Value::Null,
    );
    Ok(root_answer(&world.organization))
}

/// Disabling a type detaches every policy of it.
pub(super) fn disable_type(world: &mut World, ask: &Ask) -> Answered {
    rooted(world, ask)?;
    let kind = kind(ask, "PolicyType")?;
    let organization = &mut world.organization;
    if !organization.root.policy_types.remove(kind) {
        return Err(Refusal::new(
            "PolicyTypeNotEnabledException",
            "This operation can be performed only for enabled policy types.",
        ));
    }
    let Organization { attachments, policies, .. } = organization;
    attachments
        .retain(|attachment| policies.get(&attachment.policy).is_none_or(|policy| policy.kind != kind));
    Ok(root_answer(organization))
}
