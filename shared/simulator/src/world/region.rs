//! One region of one account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::network::{
    self, InternetGateway, NetworkAcl, NetworkInterface, RouteTable, SecurityGroup, Subnet, Vpc,
};
use super::queue::Queue;
use crate::breakage::Breakage;

/// One region of one account, by default as AWS hands it over: nothing blocked, and a default network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Region {
    pub ebs_encryption: bool,
    pub ebs_key: String,
    /// `block-all-sharing`, `block-new-sharing` or `unblocked`.
    pub snapshot_block: String,
    /// `block-new-sharing` or `unblocked`.
    pub image_block: String,
    pub metadata_defaults: MetadataDefaults,
    pub vpcs: BTreeMap<String, Vpc>,
    pub subnets: BTreeMap<String, Subnet>,
    pub internet_gateways: BTreeMap<String, InternetGateway>,
    pub route_tables: BTreeMap<String, RouteTable>,
    pub network_acls: BTreeMap<String, NetworkAcl>,
    pub security_groups: BTreeMap<String, SecurityGroup>,
    pub network_interfaces: BTreeMap<String, NetworkInterface>,
    pub analyzers: BTreeMap<String, Analyzer>,
    /// AWS allows one.
    pub detector: Option<Detector>,
    /// Security Hub, where it is on.
    pub hub: Option<Hub>,
    pub config: Config,
    pub queues: BTreeMap<String, Queue>,
}

impl Default for Region {
    /// A region with no network at all.
    fn default() -> Self {
        Self {
            ebs_encryption: false,
            ebs_key: "alias/aws/ebs".to_owned(),
            snapshot_block: "unblocked".to_owned(),
            image_block: "unblocked".to_owned(),
            metadata_defaults: MetadataDefaults::default(),
            vpcs: BTreeMap::new(),
            subnets: BTreeMap::new(),
            internet_gateways: BTreeMap::new(),
            route_tables: BTreeMap::new(),
            network_acls: BTreeMap::new(),
            security_groups: BTreeMap::new(),
            network_interfaces: BTreeMap::new(),
            analyzers: BTreeMap::new(),
            detector: None,
            hub: None,
            config: Config::default(),
            queues: BTreeMap::new(),
        }
    }
}

impl Region {
    pub(crate) fn new(account: &str, name: &str) -> Self {
        let mut region = Self::default();
        network::add_default(&mut region, account, name);
        region
    }

    /// Puts a network interface into the default VPC, as a running instance would have; `None` without one.
    pub fn add_network_interface(&mut self, description: &str) -> Option<String> {
        let subnet = self.subnets.values().find(|subnet| subnet.default_for_az)?;
        let id =
            format!("eni-{}", super::hex(&format!("{}{}", subnet.id, self.network_interfaces.len()), 17));
        let interface = NetworkInterface {
            id: id.clone(),
            vpc: subnet.vpc.clone(),
            subnet: subnet.id.clone(),
            description: description.to_owned(),
            kind: "interface".to_owned(),
            status: "in-use".to_owned(),
        };
        self.network_interfaces.insert(id.clone(), interface);
        Some(id)
    }

    /// The regional ways of [`crate::Breakage`]; the others are none of a region's business.
    pub(crate) fn damage(&mut self, what: Breakage, account: &str, name: &str) {
        if what == Breakage::EbsEncryption {
            self.ebs_encryption = false;
        } else if what == Breakage::SnapshotBlock {
            self.snapshot_block = "unblocked".to_owned();
        } else if what == Breakage::ImageBlock {
            self.image_block = "unblocked".to_owned();
        } else if what == Breakage::MetadataDefaults {
            self.metadata_defaults = MetadataDefaults::default();
        } else if what == Breakage::AccessAnalyzer {
            self.analyzers.clear();
        } else if what == Breakage::Detector {
            self.detector = None;
        } else if what == Breakage::Recorder {
            self.config = Config::default();
        } else if what == Breakage::Standards {
            self.hub = None;
        } else if matches!(what, Breakage::DefaultVpc | Breakage::NetworkInterface) {
            if self.default_vpc().is_none() {
                network::add_default(self, account, name);
            }
            if what == Breakage::NetworkInterface {
                self.add_network_interface("web server");
            }
        }
    }

    /// The default VPC, while there is one.
    pub fn default_vpc(&self) -> Option<&Vpc> {
        self.vpcs.values().find(|vpc| vpc.is_default)
    }
}

/// Account-level defaults for the instance metadata service; `None` is no preference.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct MetadataDefaults {
    pub http_tokens: Option<String>,
    pub hop_limit: Option<i64>,
    pub http_endpoint: Option<String>,
    pub instance_metadata_tags: Option<String>,
    pub http_tokens_enforced: Option<String>,
}

/// An IAM Access Analyzer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analyzer {
    pub name: String,
    pub arn: String,
    /// ACCOUNT, ORGANIZATION, ACCOUNT_UNUSED_ACCESS, …
    pub kind: String,
    pub created_at: Timestamp,
    pub tags: BTreeMap<String, String>,
    /// The API's `configuration`, if one was sent.
    pub configuration: Option<Value>,
}

/// A GuardDuty detector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detector {
    pub id: String,
    pub enabled: bool,
    /// By name, whether they are on.
    pub features: BTreeMap<String, bool>,
    /// The account that manages it, if that is another: then nothing can be changed here.
    pub administrator: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// AWS Config in one region, which has one recorder and one channel.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Config {
    /// The API's `ConfigurationRecorder`, as it shows it.
    pub recorder: Option<Value>,
    /// The API's `DeliveryChannel`, as it was sent.
    pub channel: Option<Value>,
    pub recording: bool,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// The code of what keeps it from delivering, if anything does.
    pub failure: Option<String>,
}

/// Security Hub in one region.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hub {
    pub subscribed_at: Timestamp,
    /// By the ARN of the standard, its status.
    pub standards: BTreeMap<String, String>,
}
