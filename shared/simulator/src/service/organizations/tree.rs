//! The tree: root, organizational units, parents and children.

use serde_json::{Value, json};

use super::{Answered, invalid};
use crate::ask::Ask;
use crate::event;
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::{Organization, Root, Unit, World};

/// Deeper nesting than this is refused: root, then five levels of units.
const DEEPEST: usize = 5;

pub(super) fn list_roots(world: &World, ask: &Ask) -> Answered {
    let roots = std::iter::once(&world.organization.root).map(|root| root_json(&world.organization, root));
    page(world, ask, ORGANIZATIONS, "Roots", roots).map(Value::Object)
}

pub(super) fn root_json(organization: &Organization, root: &Root) -> Value {
    let types: Vec<Value> =
        root.policy_types.iter().map(|kind| json!({"Type": kind, "Status": "ENABLED"})).collect();
    json!({
        "Id": root.id,
        "Arn": organization.arn("root", &root.id),
        "Name": root.name,
        "PolicyTypes": types,
    })
}

fn unit_json(organization: &Organization, unit: &Unit) -> Value {
    json!({"Id": unit.id, "Arn": organization.arn("ou", &unit.id), "Name": unit.name})
}

pub(super) fn no_parent() -> Refusal {
    Refusal::new("ParentNotFoundException", "You specified parent that doesn't exist.")
}

fn no_unit() -> Refusal {
    Refusal::new(
        "OrganizationalUnitNotFoundException",
        "You specified an organizational unit that doesn't exist.",
    )
}

/// The parent an ask names, when it is in the tree.
pub(super) fn parent<'a>(world: &World, ask: &'a Ask) -> Result<&'a str, Refusal> {
    let id = ask.need("ParentId")?;
    if !(id.starts_with("r-") || id.starts_with("ou-")) {
        return Err(invalid(
            "INVALID_PATTERN",
            "You provided a value that does not match the required pattern.",
        ));
    }
    if world.organization.is_parent(id) { Ok(id) } else { Err(no_parent()) }
}

pub(super) fn list_units(world: &World, ask: &Ask) -> Answered {
    let parent = parent(world, ask)?;
    let organization = &world.organization;
    let units = organization.units.values().filter(|unit| unit.parent == parent);
    page(world, ask, ORGANIZATIONS, "OrganizationalUnits", units.map(|unit| unit_json(organization, unit)))
        .map(Value::Object)
}

pub(super) fn describe_unit(world: &World, ask: &Ask) -> Answered {
    let unit = world.organization.units.get(ask.need("OrganizationalUnitId")?).ok_or_else(no_unit)?;
    Ok(json!({"OrganizationalUnit": unit_json(&world.organization, unit)}))
}

pub(super) fn create_unit(world: &mut World, ask: &Ask) -> Answered {
    let parent = parent(world, ask)?.to_owned();
    let name = unit_name(ask)?;
    free_name(&world.organization, &parent, name, None)?;
    if depth(&world.organization, &parent) >= DEEPEST {
        return Err(Refusal::new(
            "ConstraintViolationException",
            "You have exceeded the maximum depth of organizational units.",
        )
        .reason("OU_DEPTH_LIMIT_EXCEEDED"));
    }
    let id = world.organization.add_unit(name, &parent);
    super::tags::store(world, &id, ask.array("Tags"));
    let answer = match world.organization.units.get(&id) {
        Some(unit) => json!({"OrganizationalUnit": unit_json(&world.organization, unit)}),
        None => return Err(no_unit()),
    };
    let request = json!({"parentId": parent, "name": name});
    event::api_call(world, ask, &request, &json!({"organizationalUnit": {"id": id, "name": name}}));
    Ok(answer)
}

pub(super) fn update_unit(world: &mut World, ask: &Ask) -> Answered {
    let id = ask.need("OrganizationalUnitId")?;
    let parent = world.organization.units.get(id).ok_or_else(no_unit)?.parent.clone();
    if ask.text("Name").is_some() {
        let name = unit_name(ask)?;
        free_name(&world.organization, &parent, name, Some(id))?;
        if let Some(unit) = world.organization.units.get_mut(id) {
            unit.name = name.to_owned();
        }
    }
    describe_unit(world, ask)
}

fn unit_name(ask: &Ask) -> Result<&str, Refusal> {
    let name = ask.need("Name")?;
    if name.chars().count() > 128 {
        return Err(invalid(
            "MAX_LENGTH_EXCEEDED",
            "You provided a string parameter that is longer than allowed.",
        ));
    }
    Ok(name)
}

/// Siblings may not share a name; cousins may.
fn free_name(
    organization: &Organization,
    parent: &str,
    name: &str,
    except: Option<&str>,
) -> Result<(), Refusal> {
    let mut siblings = organization.units.values().filter(|unit| unit.parent == parent);
    if siblings.any(|unit| unit.name == name && Some(unit.id.as_str()) != except) {
        return Err(Refusal::new(
            "DuplicateOrganizationalUnitException",
            "An OU with the same name already exists.",
        ));
    }
    Ok(())
}

/// How many units lie between the root and `id`, itself included.
fn depth(organization: &Organization, id: &str) -> usize {
    let up = |id: &&str| organization.units.get(*id).map(|unit| unit.parent.as_str());
    std::iter::successors(Some(id), up).take_while(|id| *id != organization.root.id).count()
}

pub(super) fn list_children(world: &World, ask: &Ask) -> Answered {
    let parent = parent(world, ask)?;
    let kind = ask.need("ChildType")?;
    let organization = &world.organization;
    let of = |id: &str| json!({"Id": id, "Type": kind});
    let children = match kind {
        "ACCOUNT" => {
            let members = organization.members.values().filter(|member| member.parent == parent);
            page(world, ask, ORGANIZATIONS, "Children", members.map(|member| of(&member.id)))
        }
        "ORGANIZATIONAL_UNIT" => {
            let units = organization.units.values().filter(|unit| unit.parent == parent);
            page(world, ask, ORGANIZATIONS, "Children", units.map(|unit| of(&unit.id)))
        }
        _ => return Err(invalid("INVALID_ENUM", "You specified an invalid value for ChildType.")),
    };
    children.map(Value::Object)
}

pub(super) fn list_parents(world: &World, ask: &Ask) -> Answered {
    let child = ask.need("ChildId")?;
    let organization = &world.organization;
    let member = organization.members.get(child).map(|member| &member.parent);
    let parent = member.or_else(|| organization.units.get(child).map(|unit| &unit.parent));
    let Some(parent) = parent else {
        return Err(Refusal::new("ChildNotFoundException", "You specified a child that doesn't exist."));
    };
    let kind = if *parent == organization.root.id { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
    let parents = std::iter::once(json!({"Id": parent, "Type": kind}));
    page(world, ask, ORGANIZATIONS, "Parents", parents).map(Value::Object)
}
