//! Networks: what DeleteVpc and its neighbours look at, and the default network every account starts with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::hex;
use super::region::Region;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vpc {
    pub id: String,
    pub cidr: String,
    pub is_default: bool,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subnet {
    pub id: String,
    pub vpc: String,
    pub cidr: String,
    pub zone: String,
    pub default_for_az: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InternetGateway {
    pub id: String,
    /// The VPC it is attached to, if any.
    pub vpc: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouteTable {
    pub id: String,
    pub vpc: String,
    pub main: bool,
    /// Destination and target, such as `0.0.0.0/0` and an internet gateway.
    pub routes: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkAcl {
    pub id: String,
    pub vpc: String,
    pub is_default: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SecurityGroup {
    pub id: String,
    pub vpc: String,
    pub name: String,
    pub description: String,
    pub rules: Vec<Rule>,
}

/// One security group rule: one protocol and port range to or from one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub id: String,
    pub egress: bool,
    /// `-1` for all.
    pub protocol: String,
    pub ports: Option<(i64, i64)>,
    pub cidr: Option<String>,
    pub cidr6: Option<String>,
    /// The other group's id.
    pub group: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkInterface {
    pub id: String,
    pub vpc: String,
    pub subnet: String,
    pub description: String,
    pub kind: String,
    pub status: String,
}

/// The network AWS makes in every region of a new account: 172.31.0.0/16, open to the internet.
pub(crate) fn add_default(region: &mut Region, account: &str, name: &str) {
    let id = |prefix: &str| format!("{prefix}-{}", hex(&format!("{account}/{name}/{prefix}"), 17));
    let (vpc, gateway, group) = (id("vpc"), id("igw"), id("sg"));
    for (letter, third) in [('a', 0), ('b', 16), ('c', 32)] {
        let id = format!("subnet-{}", hex(&format!("{account}/{name}/subnet/{letter}"), 17));
        let subnet = Subnet {
            id: id.clone(),
            vpc: vpc.clone(),
            cidr: format!("172.31.{third}.0/20"),
            zone: format!("{name}{letter}"),
            default_for_az: true,
        };
        region.subnets.insert(id, subnet);
    }
    let rule = |egress: bool| Rule {
        id: id(if egress { "sgr-egress" } else { "sgr-ingress" })
            .replace("-egress", "")
            .replace("-ingress", ""),
        egress,
        protocol: "-1".to_owned(),
        ports: None,
        cidr: egress.then(|| "0.0.0.0/0".to_owned()),
        cidr6: None,
        group: (!egress).then(|| group.clone()),
    };
    let security_group = SecurityGroup {
        id: group.clone(),
        vpc: vpc.clone(),
        name: "default".to_owned(),
        description: "default VPC security group".to_owned(),
        rules: vec![rule(false), rule(true)],
    };
    let table = RouteTable {
        id: id("rtb"),
        vpc: vpc.clone(),
        main: true,
        routes: vec![
            ("172.31.0.0/16".to_owned(), "local".to_owned()),
            ("0.0.0.0/0".to_owned(), gateway.clone()),
        ],
    };
    let acl = NetworkAcl { id: id("acl"), vpc: vpc.clone(), is_default: true };
    region.security_groups.insert(group.clone(), security_group);
    region.route_tables.insert(table.id.clone(), table);
    region.network_acls.insert(acl.id.clone(), acl);
    region.internet_gateways.insert(gateway.clone(), InternetGateway { id: gateway, vpc: Some(vpc.clone()) });
    let default =
        Vpc { id: vpc.clone(), cidr: "172.31.0.0/16".to_owned(), is_default: true, tags: BTreeMap::new() };
    region.vpcs.insert(vpc, default);
}
