//! Networks described.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::filter::{Kind, Shown, describe};
use super::{Answered, region};
use crate::ask::Ask;
use crate::world::World;

const VPCS: Kind = Kind {
    set: "vpcSet",
    ids: "VpcId",
    missing: "InvalidVpcID.NotFound",
    filters: &["is-default", "isDefault", "vpc-id", "cidr", "state", "owner-id"],
};
const SUBNETS: Kind = Kind {
    set: "subnetSet",
    ids: "SubnetId",
    missing: "InvalidSubnetID.NotFound",
    filters: &["vpc-id", "subnet-id", "default-for-az", "availability-zone", "state"],
};
const INTERNET_GATEWAYS: Kind = Kind {
    set: "internetGatewaySet",
    ids: "InternetGatewayId",
    missing: "InvalidInternetGatewayID.NotFound",
    filters: &["attachment.vpc-id", "attachment.state", "internet-gateway-id"],
};
const ROUTE_TABLES: Kind = Kind {
    set: "routeTableSet",
    ids: "RouteTableId",
    missing: "InvalidRouteTableID.NotFound",
    filters: &["vpc-id", "route-table-id", "association.main"],
};
const NETWORK_ACLS: Kind = Kind {
    set: "networkAclSet",
    ids: "NetworkAclId",
    missing: "InvalidNetworkAclID.NotFound",
    filters: &["vpc-id", "network-acl-id", "default"],
};
const NETWORK_INTERFACES: Kind = Kind {
    set: "networkInterfaceSet",
    ids: "NetworkInterfaceId",
    missing: "InvalidNetworkInterfaceID.NotFound",
    filters: &["vpc-id", "subnet-id", "network-interface-id", "status", "interface-type", "group-id"],
};

pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

pub(super) fn vpcs(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let vpcs = region(world, ask)?.vpcs.values().map(|vpc| Shown {
        id: vpc.id.clone(),
        facts: vec![
            ("is-default", vpc.is_default.to_string()),
            ("isDefault", vpc.is_default.to_string()),
            ("vpc-id", vpc.id.clone()),
            ("cidr", vpc.cidr.clone()),
            ("state", "available".to_owned()),
            ("owner-id", owner.clone()),
        ],
        value: json!({
            "vpcId": vpc.id,
            "ownerId": owner,
            "state": "available",
            "cidrBlock": vpc.cidr,
            "dhcpOptionsId": "dopt-0123456789abcdef0",
            "instanceTenancy": "default",
            "isDefault": vpc.is_default,
            "tagSet": tag_set(&vpc.tags),
        }),
    });
    let vpcs = vpcs.collect();
    describe(world, ask, &VPCS, vpcs)
}

pub(super) fn subnets(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let subnets = region(world, ask)?.subnets.values().map(|subnet| Shown {
        id: subnet.id.clone(),
        facts: vec![
            ("vpc-id", subnet.vpc.clone()),
            ("subnet-id", subnet.id.clone()),
            ("default-for-az", subnet.default_for_az.to_string()),
            ("availability-zone", subnet.zone.clone()),
            ("state", "available".to_owned()),
        ],
        value: json!({
            "subnetId": subnet.id,
            "subnetArn": format!("arn:aws:ec2:{}:{owner}:subnet/{}", ask.region, subnet.id),
            "vpcId": subnet.vpc,
            "ownerId": owner,
            "state": "available",
            "cidrBlock": subnet.cidr,
            "availabilityZone": subnet.zone,
            "availableIpAddressCount": 4091,
            "defaultForAz": subnet.default_for_az,
            "mapPublicIpOnLaunch": subnet.default_for_az,
        }),
    });
    let subnets = subnets.collect();
    describe(world, ask, &SUBNETS, subnets)
}

pub(super) fn internet_gateways(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let gateways = region(world, ask)?.internet_gateways.values().map(|gateway| {
        let mut facts = vec![("internet-gateway-id", gateway.id.clone())];
        if let Some(vpc) = &gateway.vpc {
            facts.push(("attachment.vpc-id", vpc.clone()));
            facts.push(("attachment.state", "available".to_owned()));
        }
        // The API says `available` for an attachment that its own model calls `attached`.
        let attachments: Vec<Value> =
            gateway.vpc.iter().map(|vpc| json!({"vpcId": vpc, "state": "available"})).collect();
        Shown {
            id: gateway.id.clone(),
            facts,
            value: json!({
                "internetGatewayId": gateway.id,
                "ownerId": owner,
                "attachmentSet": attachments,
                "tagSet": [],
            }),
        }
    });
    let gateways = gateways.collect();
    describe(world, ask, &INTERNET_GATEWAYS, gateways)
}

pub(super) fn route_tables(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let tables = region(world, ask)?.route_tables.values().map(|table| {
        let routes: Vec<Value> = table
            .routes
            .iter()
            .map(|(to, through)| {
                let origin = if through == "local" { "CreateRouteTable" } else { "CreateRoute" };
                json!({"destinationCidrBlock": to, "gatewayId": through, "state": "active", "origin": origin})
            })
            .collect();
        let main = json!({
            "routeTableAssociationId": table.id.replace("rtb-", "rtbassoc-"),
            "routeTableId": table.id,
            "main": true,
        });
        Shown {
            id: table.id.clone(),
            facts: vec![
                ("vpc-id", table.vpc.clone()),
                ("route-table-id", table.id.clone()),
                ("association.main", table.main.to_string()),
            ],
            value: json!({
                "routeTableId": table.id,
                "vpcId": table.vpc,
                "ownerId": owner,
                "routeSet": routes,
                "associationSet": if table.main { vec![main] } else { Vec::new() },
                "tagSet": [],
            }),
        }
    });
    let tables = tables.collect();
    describe(world, ask, &ROUTE_TABLES, tables)
}

pub(super) fn network_acls(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let acls = region(world, ask)?.network_acls.values().map(|acl| {
        let entries: Vec<Value> = [(false, 100, "allow"), (false, 32_767, "deny"), (true, 100, "allow"), (true, 32_767, "deny")]
            .iter()
            .map(|(egress, number, action)| {
                json!({"cidrBlock": "0.0.0.0/0", "egress": egress, "protocol": "-1", "ruleAction": action, "ruleNumber": number})
            })
            .collect();
        Shown {
            id: acl.id.clone(),
            facts: vec![
                ("vpc-id", acl.vpc.clone()),
                ("network-acl-id", acl.id.clone()),
                ("default", acl.is_default.to_string()),
            ],
            value: json!({
                "networkAclId": acl.id,
                "vpcId": acl.vpc,
                "ownerId": owner,
                "default": acl.is_default,
                "entrySet": entries,
                "associationSet": [],
                "tagSet": [],
            }),
        }
    });
    let acls = acls.collect();
    describe(world, ask, &NETWORK_ACLS, acls)
}

pub(super) fn network_interfaces(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let interfaces = region(world, ask)?.network_interfaces.values().map(|interface| Shown {
        id: interface.id.clone(),
        facts: vec![
            ("vpc-id", interface.vpc.clone()),
            ("subnet-id", interface.subnet.clone()),
            ("network-interface-id", interface.id.clone()),
            ("status", interface.status.clone()),
            ("interface-type", interface.kind.clone()),
        ],
        value: json!({
            "networkInterfaceId": interface.id,
            "vpcId": interface.vpc,
            "subnetId": interface.subnet,
            "ownerId": owner,
            "description": interface.description,
            "interfaceType": interface.kind,
            "status": interface.status,
            "requesterManaged": false,
            "tagSet": [],
        }),
    });
    let interfaces = interfaces.collect();
    describe(world, ask, &NETWORK_INTERFACES, interfaces)
}
