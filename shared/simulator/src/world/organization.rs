//! The organization: tree, members, policies and what is attached where.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{MANAGEMENT_ACCOUNT, ORGANIZATION, ROOT};

/// The SCP that allows everything, attached to everything by AWS.
pub(crate) const FULL_ACCESS: &str = "p-FullAWSAccess";
const SERVICE_CONTROL_POLICY: &str = "SERVICE_CONTROL_POLICY";

/// The organization as its management account sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Organization {
    /// `false` makes every call answer AWSOrganizationsNotInUseException.
    pub in_use: bool,
    pub id: String,
    pub management_account: String,
    pub email: String,
    /// ALL or CONSOLIDATED_BILLING.
    pub feature_set: String,
    pub root: Root,
    /// Organizational units by id.
    pub units: BTreeMap<String, Unit>,
    /// Accounts by id, closed ones included.
    pub members: BTreeMap<String, Member>,
    pub policies: BTreeMap<String, Policy>,
    pub attachments: BTreeSet<Attachment>,
    /// Tags of accounts, units, the root and policies, by resource id.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Service principals with trusted access, and since when.
    pub service_access: BTreeMap<String, Timestamp>,
    pub create_requests: BTreeMap<String, CreateRequest>,
    /// CloudTrail's trails of all accounts by ARN: those of the organization show in each.
    pub trails: BTreeMap<String, Trail>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Root {
    pub id: String,
    pub name: String,
    /// The enabled policy types.
    pub policy_types: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unit {
    pub id: String,
    pub name: String,
    /// The root's or another unit's id.
    pub parent: String,
}

/// How an account came into the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Joined {
    Created,
    Invited,
}

impl Joined {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Invited => "INVITED",
        }
    }
}

/// What the organization knows of an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    pub id: String,
    pub name: String,
    pub email: String,
    /// PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE or CLOSED; the older `Status` is derived from it.
    pub state: String,
    pub joined: Joined,
    pub joined_at: Timestamp,
    pub parent: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    pub id: String,
    pub name: String,
    pub description: String,
    pub kind: String,
    pub content: String,
    pub aws_managed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Attachment {
    pub target: String,
    pub policy: String,
}

/// A CloudTrail trail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trail {
    pub arn: String,
    pub name: String,
    /// The account that made it.
    pub account: String,
    pub home_region: String,
    pub bucket: String,
    pub multi_region: bool,
    /// Whether it is the organization's.
    pub organization: bool,
    pub global_events: bool,
    pub validation: bool,
    pub logging: bool,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
}

/// A CreateAccount under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreateRequest {
    pub id: String,
    pub name: String,
    pub email: String,
    pub tags: BTreeMap<String, String>,
    /// The role CreateAccount was told to make, if not the usual one.
    pub role: Option<String>,
    pub requested_at: Timestamp,
    pub polls_left: u32,
    pub completed_at: Option<Timestamp>,
    pub account: Option<String>,
    /// Such as EMAIL_ALREADY_EXISTS.
    pub failure: Option<String>,
}

impl Organization {
    pub(crate) fn new() -> Self {
        let mut organization = Self {
            in_use: true,
            id: ORGANIZATION.to_owned(),
            management_account: MANAGEMENT_ACCOUNT.to_owned(),
            email: "aws@example.com".to_owned(),
            feature_set: "ALL".to_owned(),
            root: Root {
                id: ROOT.to_owned(),
                name: "Root".to_owned(),
                policy_types: BTreeSet::from([SERVICE_CONTROL_POLICY.to_owned()]),
            },
            units: BTreeMap::new(),
            members: BTreeMap::new(),
            policies: BTreeMap::new(),
            attachments: BTreeSet::new(),
            tags: BTreeMap::new(),
            service_access: BTreeMap::new(),
            create_requests: BTreeMap::new(),
            trails: BTreeMap::new(),
        };
        for (id, name, kind, principal) in [
            (FULL_ACCESS, "FullAWSAccess", SERVICE_CONTROL_POLICY, ""),
            ("p-RCPFullAWSAccess", "RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY", r#""Principal":"*","#),
        ] {
            let content = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{principal}"Action":"*","Resource":"*"}}]}}"#
            );
            let policy = Policy {
                id: id.to_owned(),
                name: name.to_owned(),
                description: "Allows access to every operation".to_owned(),
                kind: kind.to_owned(),
                content,
                aws_managed: true,
            };
            organization.policies.insert(id.to_owned(), policy);
        }
        organization.attach(ROOT, FULL_ACCESS);
        organization
    }

    /// Adds a unit as CreateOrganizationalUnit would, without its checks.
    pub fn add_unit(&mut self, name: &str, parent: &str) -> String {
        let label = format!("{parent}/{name}/{}", self.units.len());
        let id = format!("ou-{}-{}", self.root.id.trim_start_matches("r-"), super::hex(&label, 8));
        self.units
            .insert(id.clone(), Unit { id: id.clone(), name: name.to_owned(), parent: parent.to_owned() });
        self.attach_defaults(&id);
        id
    }

    pub(crate) fn admit(&mut self, id: &str, name: &str, email: &str, joined: Joined, at: Timestamp) {
        let member = Member {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            state: "ACTIVE".to_owned(),
            joined,
            joined_at: at,
            parent: self.root.id.clone(),
        };
        self.members.insert(id.to_owned(), member);
        self.attach_defaults(id);
    }

    pub(crate) fn attach(&mut self, target: &str, policy: &str) {
        self.attachments.insert(Attachment { target: target.to_owned(), policy: policy.to_owned() });
    }

    /// Whatever is new gets the policies that allow everything, or it could do nothing.
    pub(crate) fn attach_defaults(&mut self, target: &str) {
        let full: Vec<&str> = self.root.policy_types.iter().filter_map(|kind| full_access_of(kind)).collect();
        for policy in full {
            self.attachments.insert(Attachment { target: target.to_owned(), policy: policy.to_owned() });
        }
    }

    /// Ids of the policies attached to `target` itself; inherited ones do not count.
    pub fn attached(&self, target: &str) -> impl Iterator<Item = &str> {
        let from = Attachment { target: target.to_owned(), policy: String::new() };
        let target = target.to_owned();
        self.attachments
            .range(from..)
            .take_while(move |attachment| attachment.target == target)
            .map(|attachment| attachment.policy.as_str())
    }

    pub(crate) fn is_parent(&self, id: &str) -> bool {
        id == self.root.id || self.units.contains_key(id)
    }

    /// Whether something of this id is in the tree.
    pub(crate) fn is_target(&self, id: &str) -> bool {
        self.is_parent(id) || self.members.contains_key(id)
    }

    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:organizations::{}:{kind}/{}/{id}", self.management_account, self.id)
    }
}

/// The policy of a type that allows everything, for the types that have one.
pub(crate) fn full_access_of(kind: &str) -> Option<&'static str> {
    match kind {
        SERVICE_CONTROL_POLICY => Some(FULL_ACCESS),
        "RESOURCE_CONTROL_POLICY" => Some("p-RCPFullAWSAccess"),
        _ => None,
    }
}

/// Characters per document and policies per target; `None` for a type that does not exist.
///
/// Source: the Organizations quota page, November 2026. Inherited policies do not count, FullAWSAccess does.
pub(crate) fn limits(kind: &str) -> Option<(usize, usize)> {
    Some(match kind {
        SERVICE_CONTROL_POLICY => (10_240, 10),
        "RESOURCE_CONTROL_POLICY" => (5_120, 5),
        "DECLARATIVE_POLICY_EC2"
        | "BACKUP_POLICY"
        | "TAG_POLICY"
        | "CHATBOT_POLICY"
        | "SECURITYHUB_POLICY" => (10_000, 10),
        "AISERVICES_OPT_OUT_POLICY" => (2_500, 5),
        _ => return None,
    })
}
