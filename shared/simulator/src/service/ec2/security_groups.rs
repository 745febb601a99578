//! Security groups: described, and their rules revoked.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::filter::{Kind, Shown, describe as describe_kind};
use super::{Answered, region};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Region, Rule, World};

const SECURITY_GROUPS: Kind = Kind {
    set: "securityGroupInfo",
    ids: "GroupId",
    missing: "InvalidGroup.NotFound",
    filters: &["vpc-id", "group-name", "group-id", "description", "owner-id"],
};

pub(super) fn describe(world: &mut World, ask: &Ask) -> Answered {
    let owner = &ask.caller.account;
    let names = ask.numbered("GroupName");
    let groups = region(world, ask)?.security_groups.values();
    let groups =
        groups.filter(|group| names.is_empty() || names.contains(&group.name.as_str())).map(|group| Shown {
            id: group.id.clone(),
            facts: vec![
                ("vpc-id", group.vpc.clone()),
                ("group-name", group.name.clone()),
                ("group-id", group.id.clone()),
                ("description", group.description.clone()),
                ("owner-id", owner.clone()),
            ],
            value: json!({
                "groupId": group.id,
                "groupName": group.name,
                "groupDescription": group.description,
                "vpcId": group.vpc,
                "ownerId": owner,
                "securityGroupArn": format!("arn:aws:ec2:{}:{owner}:security-group/{}", ask.region, group.id),
                "ipPermissions": permissions(&group.rules, false, owner),
                "ipPermissionsEgress": permissions(&group.rules, true, owner),
                "tagSet": [],
            }),
        });
    let groups = groups.collect();
    describe_kind(world, ask, &SECURITY_GROUPS, groups)
}

/// A protocol and a range of ports.
type Reach<'a> = (&'a str, Option<(i64, i64)>);

/// Rules as the API shows them: one permission for each protocol and port range, with everybody it lets in.
fn permissions(rules: &[Rule], egress: bool, owner: &str) -> Value {
    let mut grouped: BTreeMap<Reach, Vec<&Rule>> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.egress == egress) {
        grouped.entry((&rule.protocol, rule.ports)).or_default().push(rule);
    }
    let permission = |((protocol, ports), rules): (&Reach, &Vec<&Rule>)| {
        let each = |member: &str, of: fn(&Rule) -> Option<&String>| -> Value {
            rules.iter().filter_map(|rule| of(rule)).map(|text| json!({ member: text })).collect()
        };
        let groups = rules.iter().filter_map(|rule| rule.group.as_ref());
        let groups: Value = groups.map(|id| json!({"groupId": id, "userId": owner})).collect();
        let mut shown = Map::from_iter([
            ("ipProtocol".to_owned(), json!(protocol)),
            ("groups".to_owned(), groups),
            ("ipRanges".to_owned(), each("cidrIp", |rule| rule.cidr.as_ref())),
            ("ipv6Ranges".to_owned(), each("cidrIpv6", |rule| rule.cidr6.as_ref())),
            ("prefixListIds".to_owned(), json!([])),
        ]);
        if let Some((from, to)) = ports {
            shown.insert("fromPort".to_owned(), json!(from));
            shown.insert("toPort".to_owned(), json!(to));
        }
        Value::Object(shown)
    };
    grouped.iter().map(permission).collect()
}

/// Revokes by rule id or by value; in a VPC, a rule that is not there is an error.
pub(super) fn revoke(region: &mut Region, ask: &Ask, egress: bool) -> Answered {
    let id = ask.need("GroupId")?;
    let group = region.security_groups.get_mut(id).ok_or_else(|| {
        Refusal::new("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
    })?;
    let ids = ask.numbered("SecurityGroupRuleId");
    let asked = asked(ask)?;
    if ids.is_empty() && asked.is_empty() {
        return Err(Refusal::new(
            "MissingParameter",
            "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
        ));
    }
    for id in &ids {
        if !group.rules.iter().any(|rule| rule.id == **id && rule.egress == egress) {
            return Err(Refusal::new(
                "InvalidSecurityGroupRuleId.NotFound",
                format!("The security group rule ID '{id}' does not exist"),
            ));
        }
    }
    let is = |rule: &Rule, wanted: &Rule| Rule { id: String::new(), egress, ..rule.clone() } == *wanted;
    let wanted: Vec<Rule> = asked.into_iter().map(|rule| Rule { egress, ..rule }).collect();
    if wanted.iter().any(|wanted| !group.rules.iter().any(|rule| rule.egress == egress && is(rule, wanted))) {
        return Err(Refusal::new(
            "InvalidPermission.NotFound",
            "The specified rule does not exist in this security group.",
        ));
    }
    let goes = |rule: &Rule| {
        rule.egress == egress
            && (ids.contains(&rule.id.as_str()) || wanted.iter().any(|wanted| is(rule, wanted)))
    };
    let revoked: Vec<Value> =
        group.rules.iter().filter(|rule| goes(rule)).map(|rule| revoked_json(id, rule)).collect();
    group.rules.retain(|rule| !goes(rule));
    Ok(json!({"return": true, "revokedSecurityGroupRuleSet": revoked}))
}

fn revoked_json(group: &str, rule: &Rule) -> Value {
    json!({
        "securityGroupRuleId": rule.id,
        "groupId": group,
        "isEgress": rule.egress,
        "ipProtocol": rule.protocol,
        "fromPort": rule.ports.map_or(-1, |(from, _)| from),
        "toPort": rule.ports.map_or(-1, |(_, to)| to),
        "cidrIpv4": rule.cidr,
        "cidrIpv6": rule.cidr6,
        "referencedGroupId": rule.group,
    })
}

/// `IpPermissions.N` flattened into single rules.
fn asked(ask: &Ask) -> Result<Vec<Rule>, Refusal> {
    let mut rules = Vec::new();
    for n in 1.. {
        let at = format!("IpPermissions.{n}");
        let Some(protocol) = ask.text(&format!("{at}.IpProtocol")) else { break };
        let from = ask.number(&format!("{at}.FromPort"))?;
        let ports = from.zip(ask.number(&format!("{at}.ToPort"))?).filter(|_| protocol != "-1");
        let rule = |cidr: Option<&str>, cidr6: Option<&str>, group: Option<&str>| Rule {
            id: String::new(),
            egress: false,
            protocol: protocol.to_owned(),
            ports,
            cidr: cidr.map(str::to_owned),
            cidr6: cidr6.map(str::to_owned),
            group: group.map(str::to_owned),
        };
        let each = |list: &str, member: &str| -> Vec<&str> {
            (1..).map_while(|m: usize| ask.text(&format!("{at}.{list}.{m}.{member}"))).collect()
        };
        rules.extend(each("IpRanges", "CidrIp").into_iter().map(|cidr| rule(Some(cidr), None, None)));
        rules.extend(each("Ipv6Ranges", "CidrIpv6").into_iter().map(|cidr| rule(None, Some(cidr), None)));
        rules.extend(each("Groups", "GroupId").into_iter().map(|group| rule(None, None, Some(group))));
    }
    Ok(rules)
}
