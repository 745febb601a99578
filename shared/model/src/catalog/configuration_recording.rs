//! `configuration-recording`: how resources are set up is written down, with every change.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ConfigurationRecording,
    title: "every change of a resource's configuration is recorded",
    manual: "\
What it asks: the cloud writes down how each resource is set up, and each change of it, and sends that to the place that is named
for its cloud. The place itself belongs to the platform team and is not made here.

Why: the audit log tells who called what; it does not tell what a resource looked like on the day that somebody asks about.
Rules, assessments and inventories of the cloud stand on these records, too: without them Security Hub can assess little.

It costs money, by what changes.

AWS: in each governed region AWS Config's recorder, of all resource types and recording, with a delivery channel to the named
bucket (config:PutConfigurationRecorder, PutDeliveryChannel, StartConfigurationRecorder). Users, groups, roles and policies of IAM
are the same everywhere, so they are recorded in the home region only; AWS can't record them in regions that opened after February
2022, so such a home region lacks them. It records as AWS Config's service-linked role, AWSServiceRoleForConfig, which is made
where it is missing. AWS allows one recorder and one channel a region. Landfall's are called `landfall` and put right; how often
they record and where they tell of it stays as people chose. One of another name, such as Control Tower's, is never changed:
where it records everything and delivers to the named bucket it is as good, and where it does not, that is reported. Service-linked
recorders of other services are theirs and don't count. The bucket's policy has to let AWS Config write; AWS refuses a channel
where it does not. Where no bucket is named, it does not apply.
Azure: nothing is set up, because Azure keeps it itself: Resource Graph shows each change of a resource for 14 days, and the
activity log who made it for 90; `audit-log` sends the latter to a place where it is kept.
Google Cloud: a feed of Cloud Asset Inventory for the whole organization, landfall-configuration, made once, tells the named
Pub/Sub topic of every change of the listed types of assets, with the resource's whole configuration (cloudasset v1, feeds.create,
content type RESOURCE). It reaches every project there is and will be, so it is looked at in the organization's run where a unit
asks for it, and not again for each project; Google itself keeps 35 days of history besides. Types that units ask for are all in
the one feed. Another feed that does all of this will do; those of others are never changed, and types that others added to ours
stay. Google publishes to the topic as the service agent of Landfall's own project,
service-NUMBER@gcp-sa-cloudasset.iam.gserviceaccount.com: whoever owns the topic has to let it. Where no topic is named, it does
not apply.

References: AWS Config developer guide, Working with the configuration recorder, Recording AWS resources, Service-linked roles;
Azure Resource Graph, Get resource changes; Cloud Asset Inventory, Monitoring asset changes.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Text,
            combine: Combine::Replace,
            default: None,
            help: "name of the bucket that AWS Config delivers to",
        },
        Parameter {
            name: "gcp",
            form: Form::Text,
            combine: Combine::Replace,
            default: None,
            help: "the Pub/Sub topic that is told of changes, such as `projects/acme-logs/topics/assets`",
        },
        Parameter {
            name: "asset-types",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some(
                r#"["bigquery.googleapis.com/Dataset","cloudkms.googleapis.com/CryptoKey","cloudresourcemanager.googleapis.com/Folder","cloudresourcemanager.googleapis.com/Project","compute.googleapis.com/Disk","compute.googleapis.com/Firewall","compute.googleapis.com/Image","compute.googleapis.com/Instance","compute.googleapis.com/Network","compute.googleapis.com/Route","compute.googleapis.com/Snapshot","compute.googleapis.com/Subnetwork","container.googleapis.com/Cluster","iam.googleapis.com/Role","iam.googleapis.com/ServiceAccount","iam.googleapis.com/ServiceAccountKey","logging.googleapis.com/LogSink","pubsub.googleapis.com/Topic","run.googleapis.com/Service","sqladmin.googleapis.com/Instance","storage.googleapis.com/Bucket"]"#,
            ),
            help: "on Google Cloud, the types of assets whose changes are told, as Cloud Asset Inventory names them",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The bucket that AWS Config delivers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<String>,
    /// The topic that the organization's feed tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<String>,
    /// The types of assets that the feed tells of.
    pub asset_types: Vec<String>,
}
