//! Networks taken apart, in the only order AWS allows: what is used can't go.

use serde_json::Value;

use super::{Answered, done};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::Region;

fn missing(code: &str, what: &str, id: &str) -> Refusal {
    Refusal::new(code, format!("The {what} ID '{id}' does not exist"))
}

fn in_use(message: String) -> Refusal {
    Refusal::new("DependencyViolation", message)
}

fn no_gateway(id: &str) -> Refusal {
    missing("InvalidInternetGatewayID.NotFound", "internetGateway", id)
}

/// Refused while something in the VPC may be reached through it; here every interface counts as mapped to an address.
pub(super) fn detach_gateway(region: &mut Region, ask: &Ask) -> Answered {
    let id = ask.need("InternetGatewayId")?;
    let vpc = ask.need("VpcId")?;
    let gateway = region.internet_gateways.get_mut(id).ok_or_else(|| no_gateway(id))?;
    if gateway.vpc.as_deref() != Some(vpc) {
        return Err(Refusal::new(
            "Gateway.NotAttached",
            format!("resource {id} is not attached to network {vpc}"),
        ));
    }
    if region.network_interfaces.values().any(|interface| interface.vpc == vpc) {
        return Err(in_use(format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        )));
    }
    gateway.vpc = None;
    Ok(done())
}

pub(super) fn gateway(region: &mut Region, ask: &Ask) -> Answered {
    let id = ask.need("InternetGatewayId")?;
    let gateway = region.internet_gateways.get(id).ok_or_else(|| no_gateway(id))?;
    if gateway.vpc.is_some() {
        return Err(in_use(format!("The internetGateway '{id}' has dependencies and cannot be deleted.")));
    }
    region.internet_gateways.remove(id);
    Ok(done())
}

pub(super) fn subnet(region: &mut Region, ask: &Ask) -> Answered {
    let id = ask.need("SubnetId")?;
    if !region.subnets.contains_key(id) {
        return Err(missing("InvalidSubnetID.NotFound", "subnet", id));
    }
    if region.network_interfaces.values().any(|interface| interface.subnet == id) {
        return Err(in_use(format!("The subnet '{id}' has dependencies and cannot be deleted.")));
    }
    region.subnets.remove(id);
    Ok(done())
}

/// Takes the main route table, the default ACL and the default security group along; everything else must be gone.
pub(super) fn vpc(region: &mut Region, ask: &Ask) -> Result<Value, Refusal> {
    let id = ask.need("VpcId")?;
    if !region.vpcs.contains_key(id) {
        return Err(missing("InvalidVpcID.NotFound", "vpc", id));
    }
    let used = region.subnets.values().any(|subnet| subnet.vpc == id)
        || region.internet_gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(id))
        || region.network_interfaces.values().any(|interface| interface.vpc == id)
        || region.security_groups.values().any(|group| group.vpc == id && group.name != "default")
        || region.route_tables.values().any(|table| table.vpc == id && !table.main)
        || region.network_acls.values().any(|acl| acl.vpc == id && !acl.is_default);
    if used {
        return Err(in_use(format!("The vpc '{id}' has dependencies and cannot be deleted.")));
    }
    region.security_groups.retain(|_, group| group.vpc != id);
    region.route_tables.retain(|_, table| table.vpc != id);
    region.network_acls.retain(|_, acl| acl.vpc != id);
    region.vpcs.remove(id);
    Ok(done())
}
