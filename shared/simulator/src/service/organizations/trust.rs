//! Trusted access: which AWS services may work in the organization.

use serde_json::{Value, json};

use super::{Answered, epoch, invalid};
use crate::ask::Ask;
use crate::page::{ORGANIZATIONS, page};
use crate::refusal::Refusal;
use crate::world::World;

fn principal(ask: &Ask) -> Result<&str, Refusal> {
    let principal = ask.need("ServicePrincipal")?;
    if principal.ends_with(".amazonaws.com") {
        return Ok(principal);
    }
    Err(invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", "You specified an unrecognized service principal."))
}

/// Enabling twice is no error and keeps the first date.
pub(super) fn enable(world: &mut World, ask: &Ask) -> Answered {
    let principal = principal(ask)?;
    world.organization.service_access.entry(principal.to_owned()).or_insert(ask.now);
    Ok(Value::Null)
}

pub(super) fn disable(world: &mut World, ask: &Ask) -> Answered {
    world.organization.service_access.remove(principal(ask)?);
    Ok(Value::Null)
}

pub(super) fn list(world: &World, ask: &Ask) -> Answered {
    let enabled = world.organization.service_access.iter();
    let enabled =
        enabled.map(|(name, since)| json!({"ServicePrincipal": name, "DateEnabled": epoch(*since)}));
    page(world, ask, ORGANIZATIONS, "EnabledServicePrincipals", enabled).map(Value::Object)
}
