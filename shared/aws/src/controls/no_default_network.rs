//! `no-default-network` on AWS: the default VPC of each governed region is gone, row A13.
//!
//! Deleting is final. It is only done where nothing is attached, and only where all that is in the VPC was made with it: the
//! look says what is there, and the write deletes exactly that.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::no_default_network::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{Aws, done, each_region, ec2, kept, nothing, reported, seen};
use crate::client::protocol::Reply;
use crate::client::service::EC2;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

pub(super) struct NoDefaultNetwork;

/// The default VPC with what has to go before it; ids only, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Network {
    vpc_id: String,
    /// How many; what is below is only looked at where there are none.
    network_interfaces: usize,
    #[serde(default)]
    internet_gateways: Vec<String>,
    #[serde(default)]
    subnets: Vec<String>,
    /// Route tables, network access lists and security groups that people added. AWS refuses to delete the VPC while there are
    /// any, and by then its subnets would be gone.
    #[serde(default)]
    others: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vpc {
    vpc_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InternetGateway {
    internet_gateway_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subnet {
    subnet_id: String,
    /// Made with the network; the others are people's own.
    #[serde(default)]
    default_for_az: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RouteTable {
    route_table_id: String,
    #[serde(default)]
    association_set: ec2::Set<Association>,
}

#[derive(Deserialize)]
struct Association {
    #[serde(default)]
    main: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NetworkAcl {
    network_acl_id: String,
    #[serde(default)]
    default: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecurityGroup {
    group_id: String,
    group_name: String,
}

impl Network {
    /// What is in the VPC.
    async fn look(session: &Session, region: &str, vpc_id: String) -> Result<Self, CallError> {
        let here = ("vpc-id", vpc_id.as_str());
        let (interfaces, _): (Vec<ec2::NetworkInterface>, _) =
            ec2::items(session, region, "DescribeNetworkInterfaces", here).await?;
        if !interfaces.is_empty() {
            return Ok(Network { vpc_id, network_interfaces: interfaces.len(), ..Network::default() });
        }
        let attached = ("attachment.vpc-id", vpc_id.as_str());
        let (gateways, _): (Vec<InternetGateway>, _) =
            ec2::items(session, region, "DescribeInternetGateways", attached).await?;
        let (subnets, _): (Vec<Subnet>, _) = ec2::items(session, region, "DescribeSubnets", here).await?;
        let (tables, _): (Vec<RouteTable>, _) =
            ec2::items(session, region, "DescribeRouteTables", here).await?;
        let (acls, _): (Vec<NetworkAcl>, _) =
            ec2::items(session, region, "DescribeNetworkAcls", here).await?;
        let (groups, _): (Vec<SecurityGroup>, _) =
            ec2::items(session, region, "DescribeSecurityGroups", here).await?;
        let (made, added): (Vec<Subnet>, Vec<Subnet>) =
            subnets.into_iter().partition(|subnet| subnet.default_for_az);
        let added = added.into_iter().map(|subnet| subnet.subnet_id);
        let tables = tables
            .into_iter()
            .filter(|table| !table.association_set.item.iter().any(|association| association.main))
            .map(|table| table.route_table_id);
        let acls = acls.into_iter().filter(|acl| !acl.default).map(|acl| acl.network_acl_id);
        let groups =
            groups.into_iter().filter(|group| group.group_name != "default").map(|group| group.group_id);
        Ok(Network {
            network_interfaces: 0,
            internet_gateways: ec2::sorted(gateways.into_iter().map(|gateway| gateway.internet_gateway_id)),
            subnets: ec2::sorted(made.into_iter().map(|subnet| subnet.subnet_id)),
            others: ec2::sorted(tables.chain(acls).chain(groups).chain(added)),
            vpc_id,
        })
    }
}

#[async_trait]
impl Control for NoDefaultNetwork {
    const KIND: ControlKind = ControlKind::NoDefaultNetwork;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "ec2:DescribeInternetGateways",
            "ec2:DescribeNetworkAcls",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        write: &[
            "ec2:DeleteInternetGateway",
            "ec2:DeleteSubnet",
            "ec2:DeleteVpc",
            "ec2:DetachInternetGateway",
        ],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, _: &Settings, desired: &Desired) -> Vec<Address> {
        each_region(Self::KIND, desired, "vpc")
    }

    async fn look(&self, reader: &Reader, _: &Desired, address: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        let region = session.region(address.region.as_ref());
        let (vpcs, reply): (Vec<Vpc>, _) =
            ec2::items(session, region, "DescribeVpcs", ("is-default", "true")).await?;
        match vpcs.into_iter().next() {
            None => Ok(nothing(&reply)),
            Some(Vpc { vpc_id }) => Ok(seen(&reply, &Network::look(session, region, vpc_id).await?)),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let session = &writer.0;
        let region = session.region(change.address.region.as_ref());
        let Ok(Some(network)) = kept::<Network>(change.before.as_ref()) else {
            return Err(CallError::NothingToWrite(Self::KIND));
        };
        let Network { vpc_id, network_interfaces: _, internet_gateways, subnets, others: _ } = network;
        // Subnets first: AWS refuses to delete one that something has moved into since the look, and then the way to the internet
        // is still there.
        for subnet in subnets {
            ec2::gone(ask(session, region, "DeleteSubnet", &[("SubnetId", subnet)]).await)?;
        }
        for gateway in internet_gateways {
            let attachment = [("InternetGatewayId", gateway.clone()), ("VpcId", vpc_id.clone())];
            let detached = ask(session, region, "DetachInternetGateway", &attachment).await;
            done(detached, &["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"])?;
            let gateway = [("InternetGatewayId", gateway)];
            ec2::gone(ask(session, region, "DeleteInternetGateway", &gateway).await)?;
        }
        ec2::gone(ask(session, region, "DeleteVpc", &[("VpcId", vpc_id)]).await)?;
        Ok(Value::Null)
    }
}

impl Compare for NoDefaultNetwork {
    type There = Network;

    fn compare(&self, _: &Settings, desired: &Desired, address: &Address, there: Option<Network>) -> Verdict {
        let Some(Network { vpc_id, network_interfaces, others, .. }) = there else { return Verdict::Holds };
        match (network_interfaces, others.as_slice()) {
            (0, []) => {
                let reason =
                    format!("the default network `{vpc_id}` is there, and nothing is attached to it");
                let mut change = Change::new(address, "delete", Deed::Delete, reason);
                change.loses = !desired.standing.before_handover();
                Verdict::fails(change)
            }
            (0, others) => reported(format!(
                "the default network `{vpc_id}` holds more than was made with it, so it stays: {}",
                others.join(", ")
            )),
            (1, _) => {
                reported(format!("the default network `{vpc_id}` is in use: 1 network interface is in it"))
            }
            (n, _) => reported(format!(
                "the default network `{vpc_id}` is in use: {n} network interfaces are in it"
            )),
        }
    }
}

async fn ask(
    session: &Session,
    region: &str,
    operation: &'static str,
    params: &[(&str, String)],
) -> Result<Reply, CallError> {
    session.tenant.query(&EC2, region, operation, params).await
}

#[cfg(test)]
mod tests {
    use landfall_model::desired::Standing;
    use landfall_model::observed::Seen;
    use serde_json::json;

    use super::super::scenario::{addresses, said};
    use super::*;

    #[test]
    fn every_region_is_looked_at() {
        let expected = ["no-default-network@eu-central-1/vpc", "no-default-network@eu-west-1/vpc"];
        assert_eq!(addresses(&NoDefaultNetwork, json!({})), expected);
    }

    #[test]
    fn a_default_network_goes_while_nothing_is_attached() {
        let network = |interfaces: u32, others: &[&str]| {
            Seen::Present(json!({
                "VpcId": "vpc-1", "NetworkInterfaces": interfaces, "InternetGateways": ["igw-1"],
                "Subnets": ["subnet-1", "subnet-2"], "Others": others,
            }))
        };
        let delete = "fails: the default network `vpc-1` is there, and nothing is attached to it\n- delete";
        let table = [
            (Standing::New, Seen::Absent, "holds".to_owned()),
            (Standing::New, network(0, &[]), delete.to_owned()),
            (Standing::Adopted, network(0, &[]), format!("{delete} (loses)")),
            (Standing::HandedOver, network(0, &[]), format!("{delete} (loses)")),
            (
                Standing::HandedOver,
                network(3, &[]),
                "fails: the default network `vpc-1` is in use: 3 network interfaces are in it".to_owned(),
            ),
            (
                Standing::New,
                network(1, &[]),
                "fails: the default network `vpc-1` is in use: 1 network interface is in it".to_owned(),
            ),
            (
                Standing::Adopted,
                network(0, &["rtb-2", "sg-2"]),
                "fails: the default network `vpc-1` holds more than was made with it, so it stays: rtb-2, sg-2"
                    .to_owned(),
            ),
        ];
        for (standing, seen, expected) in table {
            let saw = [("no-default-network@eu-west-1/vpc", seen)];
            assert_eq!(said(&NoDefaultNetwork, json!({}), standing, &saw), [expected]);
        }
    }

    #[test]
    fn the_main_route_table_is_told_from_the_others() {
        let xml = "<item><routeTableId>rtb-1</routeTableId><associationSet><item><main>true</main></item>\
            </associationSet></item>";
        let table: RouteTable = quick_xml::de::from_str(xml).unwrap();
        assert!(table.association_set.item[0].main);
        let xml = "<item><routeTableId>rtb-2</routeTableId><associationSet/></item>";
        assert!(quick_xml::de::from_str::<RouteTable>(xml).unwrap().association_set.item.is_empty());
    }
}
