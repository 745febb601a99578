//! `closed-default-security-groups` on AWS: the default group of each VPC in each governed region has no rules, row A14.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::closed_default_security_groups::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed, Stage};

use super::{Aws, each_region, ec2, json, kept, reported, seen};
use crate::client::service::EC2;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct ClosedDefaultSecurityGroups;

/// The default groups of one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Groups {
    groups: Vec<Group>,
}

/// One VPC's default group, in the names of the EC2 API, which its writes take as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    group_id: String,
    #[serde(default)]
    vpc_id: String,
    ip_permissions: Vec<Rule>,
    ip_permissions_egress: Vec<Rule>,
    /// How many have the group; only looked at where it has rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network_interfaces: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    ip_protocol: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_port: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_port: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Pair>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ip_ranges: Vec<Range>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ipv6_ranges: Vec<Range6>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    prefix_list_ids: Vec<Prefix>,
}

/// Another group that a rule lets in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pair {
    #[serde(alias = "groupId")]
    group_id: String,
    #[serde(alias = "userId", default, skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    #[serde(alias = "cidrIp")]
    cidr_ip: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range6 {
    #[serde(alias = "cidrIpv6")]
    cidr_ipv6: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Prefix {
    #[serde(alias = "prefixListId")]
    prefix_list_id: String,
}

/// The group as EC2 writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    group_id: String,
    #[serde(default)]
    vpc_id: String,
    #[serde(default)]
    ip_permissions: ec2::Set<WireRule>,
    #[serde(default)]
    ip_permissions_egress: ec2::Set<WireRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRule {
    ip_protocol: String,
    from_port: Option<i64>,
    to_port: Option<i64>,
    #[serde(default)]
    groups: ec2::Set<Pair>,
    #[serde(default)]
    ip_ranges: ec2::Set<Range>,
    #[serde(default)]
    ipv6_ranges: ec2::Set<Range6>,
    #[serde(default)]
    prefix_list_ids: ec2::Set<Prefix>,
}

impl From<Wire> for Group {
    fn from(wire: Wire) -> Self {
        let Wire { group_id, vpc_id, ip_permissions, ip_permissions_egress } = wire;
        Group {
            group_id,
            vpc_id,
            ip_permissions: ec2::sorted(ip_permissions.item.into_iter().map(Rule::from)),
            ip_permissions_egress: ec2::sorted(ip_permissions_egress.item.into_iter().map(Rule::from)),
            network_interfaces: None,
        }
    }
}

impl From<WireRule> for Rule {
    fn from(wire: WireRule) -> Self {
        let WireRule { ip_protocol, from_port, to_port, groups, ip_ranges, ipv6_ranges, prefix_list_ids } =
            wire;
        Rule {
            ip_protocol,
            from_port,
            to_port,
            groups: ec2::sorted(groups.item.into_iter()),
            ip_ranges: ec2::sorted(ip_ranges.item.into_iter()),
            ipv6_ranges: ec2::sorted(ipv6_ranges.item.into_iter()),
            prefix_list_ids: ec2::sorted(prefix_list_ids.item.into_iter()),
        }
    }
}

impl Group {
    fn is_closed(&self) -> bool {
        self.ip_permissions.is_empty() && self.ip_permissions_egress.is_empty()
    }

    /// The group without its rules.
    fn closed(&self) -> Group {
        Group {
            ip_permissions: Vec::new(),
            ip_permissions_egress: Vec::new(),
            network_interfaces: None,
            ..self.clone()
        }
    }
}

#[async_trait]
impl Control for ClosedDefaultSecurityGroups {
    const KIND: ControlKind = ControlKind::ClosedDefaultSecurityGroups;
    const PERMISSIONS: Permissions = Permissions {
        read: &["ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"],
        write: &["ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(Self::KIND, desired, "groups")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let region = session.region(address.region.as_ref());
        let (wire, reply): (Vec<Wire>, _) =
            ec2::items(session, region, "DescribeSecurityGroups", ("group-name", "default")).await?;
        let mut groups = ec2::sorted(wire.into_iter().map(Group::from));
        for group in groups.iter_mut().filter(|group| !group.is_closed()) {
            let (interfaces, _): (Vec<ec2::NetworkInterface>, _) =
                ec2::items(session, region, "DescribeNetworkInterfaces", ("group-id", &group.group_id))
                    .await?;
            group.network_interfaces = Some(interfaces.len());
        }
        Ok(seen(&reply, &Groups { groups }))
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        let Ok(Some(Groups { groups })) = kept(change.with.as_ref()) else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        for Group { group_id, ip_permissions, ip_permissions_egress, .. } in groups {
            revoke(session, region, "RevokeSecurityGroupIngress", &group_id, &ip_permissions).await?;
            revoke(session, region, "RevokeSecurityGroupEgress", &group_id, &ip_permissions_egress).await?;
        }
        Ok(Value::Null)
    }
}

impl Compare for ClosedDefaultSecurityGroups {
    type There = Groups;

    fn compare(&self, _: &Settings, desired: &Desired, address: &Address, there: Option<Groups>) -> Verdict {
        let groups = there.map(|there| there.groups).unwrap_or_default();
        // Nobody else can have put anything into the account yet, so nothing that is in use is lost.
        let ours = desired.standing.before_handover();
        let may_close = |group: &Group| !group.is_closed() && (ours || group.network_interfaces == Some(0));
        let open = groups.iter().filter(|group| !group.is_closed()).count();
        if open == 0 {
            return Verdict::Holds;
        }
        let in_use: Vec<&str> = groups
            .iter()
            .filter(|group| !group.is_closed() && !may_close(group))
            .map(|group| group.group_id.as_str())
            .collect();
        let stay = match in_use.as_slice() {
            [] => String::new(),
            in_use => format!("; in use, so they stay as they are: {}", in_use.join(", ")),
        };
        let why = match open {
            1 => format!("1 default security group has rules{stay}"),
            n => format!("{n} default security groups have rules{stay}"),
        };
        if in_use.len() == open {
            return reported(why);
        }
        let close: Vec<Group> = groups.iter().filter(|group| may_close(group)).cloned().collect();
        let after = groups.iter().map(|group| if may_close(group) { group.closed() } else { group.clone() });
        // One stage before a default network is deleted: that takes its group with it, and a setting that is no longer as the plan
        // saw it is left alone until the next run.
        let change = Change::new(address, "close", Deed::Update, &why)
            .at(Stage::Foundation)
            .after(json(&Groups { groups: after.collect() }))
            .with(json(&Groups { groups: close }));
        Verdict::Fails { why, changes: vec![change] }
    }
}

/// Takes exactly these rules away. A group or a rule that is gone is no error.
async fn revoke(
    session: &Session,
    region: &str,
    operation: &'static str,
    group: &str,
    rules: &[Rule],
) -> Result<(), CallError> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut form = Vec::new();
    ec2::flatten("IpPermissions", &json(&rules), &mut form);
    let mut params = vec![("GroupId", group.to_owned())];
    params.extend(form.iter().map(|(name, value)| (name.as_str(), value.clone())));
    ec2::gone(session.tenant.query(&EC2, region, operation, &params).await)
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::said;
    use super::*;

    const WIRE: &str = "<item><ownerId>222222222222</ownerId><groupId>sg-1</groupId><groupName>default</groupName>\
        <vpcId>vpc-1</vpcId><ipPermissions><item><ipProtocol>-1</ipProtocol><groups><item>\
        <userId>222222222222</userId><groupId>sg-1</groupId></item></groups><ipRanges/><ipv6Ranges/>\
        <prefixListIds/></item></ipPermissions><ipPermissionsEgress><item><ipProtocol>tcp</ipProtocol>\
        <fromPort>0</fromPort><toPort>443</toPort><groups/><ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item><item>\
        <cidrIp>0.0.0.0/0</cidrIp><description>all</description></item></ipRanges></item></ipPermissionsEgress>\
        </item>";

    fn group() -> Value {
        let wire: Wire = quick_xml::de::from_str(WIRE).unwrap();
        json(&Group::from(wire))
    }

    #[test]
    fn the_answer_is_read_and_its_rules_are_sent_back_as_they_were() {
        assert_eq!(
            group(),
            json!({
                "GroupId": "sg-1", "VpcId": "vpc-1",
                "IpPermissions": [
                    {"IpProtocol": "-1", "Groups": [{"GroupId": "sg-1", "UserId": "222222222222"}]}
                ],
                "IpPermissionsEgress": [{
                    "IpProtocol": "tcp", "FromPort": 0, "ToPort": 443,
                    "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}],
                }],
            })
        );
        let mut form = Vec::new();
        ec2::flatten("IpPermissions", &group()["IpPermissionsEgress"], &mut form);
        let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            form,
            [
                "IpPermissions.1.FromPort=0",
                "IpPermissions.1.IpProtocol=tcp",
                "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
                "IpPermissions.1.IpRanges.2.CidrIp=10.0.0.0/8",
                "IpPermissions.1.ToPort=443",
            ]
        );
    }

    #[test]
    fn rules_go_where_nothing_is_attached() {
        let closed =
            json!({"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [], "IpPermissionsEgress": []});
        let open = |interfaces: u32| {
            let mut group = group();
            group["NetworkInterfaces"] = json!(interfaces);
            group
        };
        let other = |mut group: Value| {
            group["GroupId"] = json!("sg-2");
            group
        };
        let one = "fails: 1 default security group has rules";
        let close = format!("\n~ close {}", json!({"Groups": [closed]}));
        let table = [
            (Standing::Adopted, json!([]), "holds".to_owned()),
            (Standing::Adopted, json!([closed]), "holds".to_owned()),
            (Standing::Adopted, json!([open(0)]), format!("{one}{close}")),
            (Standing::New, json!([open(2)]), format!("{one}{close}")),
            (
                Standing::HandedOver,
                json!([open(2)]),
                format!("{one}; in use, so they stay as they are: sg-1"),
            ),
            (
                Standing::HandedOver,
                json!([open(0), other(open(2))]),
                format!(
                    "fails: 2 default security groups have rules; in use, so they stay as they are: sg-2\n~ close {}",
                    json!({"Groups": [closed, other(open(2))]})
                ),
            ),
        ];
        for (standing, groups, expected) in table {
            let there = Seen::Present(json!({"Groups": groups}));
            let saw = [("closed-default-security-groups@eu-west-1/groups", there)];
            let said = said(&ClosedDefaultSecurityGroups, json!({}), standing, &saw);
            assert_eq!(said, [expected], "{groups}");
        }
    }
}
