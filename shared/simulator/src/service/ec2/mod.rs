//! EC2, as far as an account's baseline goes: account-wide settings of a region, and the default network.

mod delete;
mod filter;
mod network;
mod security_groups;
mod settings;

use serde_json::{Value, json};

use super::{Answered, unknown};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Region, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    if ask.flag("DryRun").or_else(|| ask.flag("dryRun")) == Some(true) {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Refusal::new("DryRunOperation", message).status(412));
    }
    match ask.operation.as_str() {
        "DescribeRegions" => describe_regions(world, ask),
        "DescribeVpcs" => network::vpcs(world, ask),
        "DescribeSubnets" => network::subnets(world, ask),
        "DescribeInternetGateways" => network::internet_gateways(world, ask),
        "DescribeRouteTables" => network::route_tables(world, ask),
        "DescribeNetworkAcls" => network::network_acls(world, ask),
        "DescribeNetworkInterfaces" => network::network_interfaces(world, ask),
        "DescribeSecurityGroups" => security_groups::describe(world, ask),
        "RevokeSecurityGroupIngress" => security_groups::revoke(region(world, ask)?, ask, false),
        "RevokeSecurityGroupEgress" => security_groups::revoke(region(world, ask)?, ask, true),
        "DetachInternetGateway" => delete::detach_gateway(region(world, ask)?, ask),
        "DeleteInternetGateway" => delete::gateway(region(world, ask)?, ask),
        "DeleteSubnet" => delete::subnet(region(world, ask)?, ask),
        "DeleteVpc" => delete::vpc(region(world, ask)?, ask),
        _ => {
            let account = ask.caller.account.clone();
            settings::answer(region(world, ask)?, ask, &account)
                .unwrap_or_else(|| Err(unknown(Some(ask.service), &ask.operation)))
        }
    }
}

/// The caller's region; one that is not enabled does not know the caller's credentials.
fn region<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Region, Refusal> {
    let always = world.settings.regions.contains(&ask.region);
    let account = world.accounts.get_mut(&ask.caller.account);
    let enabled = |account: &&mut crate::world::Account| {
        always || account.region_opt.get(&ask.region).is_some_and(|status| status == "ENABLED")
    };
    match account.filter(enabled) {
        Some(account) => Ok(account.region(&ask.region)),
        None => {
            Err(Refusal::new("AuthFailure", "AWS was not able to validate the provided access credentials"))
        }
    }
}

/// The regions the account may use, and with `AllRegions` those it may not use yet.
fn describe_regions(world: &mut World, ask: &Ask) -> Answered {
    let wanted = ask.numbered("RegionName");
    let opted =
        world.accounts.get(&ask.caller.account).map(|account| account.region_opt.clone()).unwrap_or_default();
    let all = ask.flag("AllRegions") == Some(true);
    let standard = world.settings.regions.iter().map(|name| (name, "opt-in-not-required"));
    let optional = world.settings.opt_in_regions.iter().map(|name| {
        (
            name,
            if opted.get(name).is_some_and(|status| status == "ENABLED") {
                "opted-in"
            } else {
                "not-opted-in"
            },
        )
    });
    let shown = standard.chain(optional).filter(|(name, status)| {
        (all || *status != "not-opted-in") && (wanted.is_empty() || wanted.contains(&name.as_str()))
    });
    let shown = shown.map(|(name, status)| filter::Shown {
        id: name.clone(),
        facts: vec![("opt-in-status", status.to_owned()), ("region-name", name.clone())],
        value: json!({
            "regionName": name,
            "regionEndpoint": format!("ec2.{name}.amazonaws.com"),
            "optInStatus": status,
        }),
    });
    let shown = shown.collect();
    filter::describe(world, ask, &filter::REGIONS, shown)
}

/// What EC2 answers when something went well and there is nothing to say.
fn done() -> Value {
    json!({"return": true})
}
