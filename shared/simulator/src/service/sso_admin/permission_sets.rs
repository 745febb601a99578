//! Permission sets: what they are called, allow and are tagged with.

use serde_json::{Map, Value, json};

use super::{Answered, no_set, set, set_mut};
use crate::ask::Ask;
use crate::page::{IDENTITY, page};
use crate::refusal::Refusal;
use crate::service::organizations::{epoch, parse_tags};
use crate::world::{PermissionSet, World};

/// AWS attaches at most this many managed policies by default.
const MANAGED_POLICIES: usize = 20;

fn set_json(set: &PermissionSet) -> Value {
    let mut shown = Map::from_iter([
        ("Name".to_owned(), json!(set.name)),
        ("PermissionSetArn".to_owned(), json!(set.arn)),
        ("CreatedDate".to_owned(), json!(epoch(set.created_at))),
        ("SessionDuration".to_owned(), json!(set.session_duration)),
    ]);
    let optional = [("Description", &set.description), ("RelayState", &set.relay_state)];
    for (name, value) in optional {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(shown)
}

pub(super) fn describe(world: &World, ask: &Ask) -> Answered {
    Ok(json!({"PermissionSet": set_json(set(world, ask)?)}))
}

pub(super) fn create(world: &mut World, ask: &Ask) -> Answered {
    let name = ask.need("Name")?;
    if name.chars().count() > 32 {
        return Err(ask.invalid("1 validation error detected: Value at 'name' failed to satisfy constraint: Member must have length less than or equal to 32"));
    }
    if world.identity_center.permission_sets.values().any(|set| set.name == name) {
        return Err(Refusal::new(
            "ConflictException",
            format!("PermissionSet with name {name} already exists."),
        ));
    }
    let instance = world.identity_center.instance_arn.rsplit('/').next().unwrap_or_default().to_owned();
    let set = PermissionSet {
        arn: world.next_id(&format!("arn:aws:sso:::permissionSet/{instance}/ps-"), 16),
        name: name.to_owned(),
        description: ask.text("Description").map(str::to_owned),
        session_duration: ask.text("SessionDuration").unwrap_or("PT1H").to_owned(),
        relay_state: ask.text("RelayState").map(str::to_owned),
        created_at: ask.now,
        managed_policies: Default::default(),
        inline_policy: String::new(),
        tags: parse_tags(ask.array("Tags")),
        outdated_in: Default::default(),
    };
    let answer = json!({"PermissionSet": set_json(&set)});
    world.identity_center.permission_sets.insert(set.arn.clone(), set);
    Ok(answer)
}

/// Changes a set; the accounts that have it keep the old version until it is provisioned again.
fn change(
    world: &mut World,
    ask: &Ask,
    with: impl FnOnce(&mut PermissionSet) -> Result<(), Refusal>,
) -> Answered {
    let arn = ask.need("PermissionSetArn")?;
    let having = world.identity_center.assignments.iter().filter(|one| one.permission_set == arn);
    let having: Vec<String> = having.map(|one| one.account.clone()).collect();
    let set = set_mut(world, ask)?;
    with(set)?;
    set.outdated_in.extend(having);
    Ok(json!({}))
}

pub(super) fn update(world: &mut World, ask: &Ask) -> Answered {
    change(world, ask, |set| {
        if let Some(description) = ask.text("Description") {
            set.description = Some(description.to_owned());
        }
        if let Some(duration) = ask.text("SessionDuration") {
            set.session_duration = duration.to_owned();
        }
        if let Some(state) = ask.text("RelayState") {
            set.relay_state = Some(state.to_owned());
        }
        Ok(())
    })
}

pub(super) fn list_managed(world: &World, ask: &Ask) -> Answered {
    let policies =
        set(world, ask)?.managed_policies.iter().map(|(arn, name)| json!({"Arn": arn, "Name": name}));
    page(world, ask, IDENTITY, "AttachedManagedPolicies", policies).map(Value::Object)
}

pub(super) fn attach(world: &mut World, ask: &Ask) -> Answered {
    let policy = ask.need("ManagedPolicyArn")?;
    if !policy.starts_with("arn:aws:iam::aws:policy/") {
        return Err(ask.invalid("ManagedPolicyArn must name an AWS managed policy"));
    }
    change(world, ask, |set| {
        if set.managed_policies.contains_key(policy) {
            return Err(Refusal::new(
                "ConflictException",
                format!("Policy {policy} is already attached to PermissionSet."),
            ));
        }
        if set.managed_policies.len() >= MANAGED_POLICIES {
            return Err(Refusal::new("ServiceQuotaExceededException", "You have exceeded AWS SSO limits"));
        }
        let name = policy.rsplit('/').next().unwrap_or_default();
        set.managed_policies.insert(policy.to_owned(), name.to_owned());
        Ok(())
    })
}

pub(super) fn detach(world: &mut World, ask: &Ask) -> Answered {
    let policy = ask.need("ManagedPolicyArn")?;
    change(world, ask, |set| {
        let gone = set.managed_policies.remove(policy);
        gone.map(|_| ())
            .ok_or_else(|| super::missing(&format!("Policy {policy} is not attached to PermissionSet.")))
    })
}

pub(super) fn put_inline(world: &mut World, ask: &Ask) -> Answered {
    let policy = ask.need("InlinePolicy")?;
    if !serde_json::from_str::<Value>(policy).is_ok_and(|document| document.is_object()) {
        return Err(ask.invalid("The inline policy is not a valid policy document"));
    }
    change(world, ask, |set| {
        set.inline_policy = policy.to_owned();
        Ok(())
    })
}

pub(super) fn delete_inline(world: &mut World, ask: &Ask) -> Answered {
    change(world, ask, |set| {
        set.inline_policy.clear();
        Ok(())
    })
}

pub(super) fn tag(world: &mut World, ask: &Ask) -> Answered {
    let set = world.identity_center.permission_sets.get_mut(ask.need("ResourceArn")?).ok_or_else(no_set)?;
    set.tags.extend(parse_tags(ask.array("Tags")));
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, ask: &Ask) -> Answered {
    let set = world.identity_center.permission_sets.get_mut(ask.need("ResourceArn")?).ok_or_else(no_set)?;
    set.tags.retain(|key, _| !ask.array("TagKeys").iter().any(|gone| gone.as_str() == Some(key)));
    Ok(json!({}))
}

pub(super) fn list_tags(world: &World, ask: &Ask) -> Answered {
    let set = world.identity_center.permission_sets.get(ask.need("ResourceArn")?).ok_or_else(no_set)?;
    let tags = set.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    page(world, ask, IDENTITY, "Tags", tags).map(Value::Object)
}
