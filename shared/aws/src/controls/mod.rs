//! What AWS does about each control of the catalog: one file each, one table line each.
//!
//! Every file has one unit type that implements the engine's `Control` (which settings it looks at, how it looks, one call for one
//! setting, and how it writes) and `Compare` or `Judge` (what it says of what it saw). `password_policy.rs` is the model to follow.

mod access;
mod account_alias;
mod allowed_regions;
mod audit_log;
mod block_public_images;
mod block_public_snapshots;
mod block_public_storage;
mod budget;
mod closed_default_security_groups;
mod configuration_recording;
mod denied_services;
mod ec2;
mod enabled_services;
mod encrypt_by_default;
mod external_access_analysis;
mod federation;
mod hardened_instances;
#[cfg(test)]
mod landscape;
mod no_default_network;
mod no_root_keys;
mod password_policy;
mod placement;
mod policies;
mod protect_baseline;
mod quarantine_gate;
mod region_opt_in;
mod root_mfa;
#[cfg(test)]
mod scenario;
mod security_contacts;
mod standards_assessment;
mod tags;
mod threat_detection;
mod units;
#[cfg(test)]
mod wire;

pub use policies::{Compiled, Document, compiled};

use landfall_engine::cloud::Sighting;
use landfall_engine::control::{Permissions, Platform, json, kept, reported, unasked};
use landfall_engine::offer::{self, Offer};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Desired;
use landfall_model::id::{Provider, Region};
use landfall_model::manifest::{AwsCloud, Cloud};
use landfall_model::observed::{Address, Seen};
use serde::Serialize;
use serde_json::Value;

use crate::client::protocol::Reply;
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// AWS, where the controls of this folder act.
pub(crate) enum Aws {}

impl Platform for Aws {
    const PROVIDER: Provider = Provider::Aws;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn offer(kind: ControlKind) -> Offer<Self> {
        offer(kind)
    }
}

/// The table.
fn offer(kind: ControlKind) -> Offer<Aws> {
    use Offer::{Control, NotOffered};
    use policies::InPolicies;
    match kind {
        ControlKind::Units => Control(&units::Units),
        ControlKind::Placement => Control(&placement::Placement),
        ControlKind::QuarantineGate => Control(&quarantine_gate::QuarantineGate),
        ControlKind::Access => Control(&access::Access),
        ControlKind::EnabledServices => Control(&enabled_services::EnabledServices),
        ControlKind::Policies => Control(&policies::Policies),
        ControlKind::AllowedRegions => Control(&InPolicies(allowed_regions::AllowedRegions)),
        ControlKind::DeniedServices => Control(&InPolicies(denied_services::DeniedServices)),
        ControlKind::BillingAccount => {
            NotOffered("the organization's management account pays for every account in it")
        }
        ControlKind::ResourceTags => NotOffered("an account has one kind of tags, which `tags` sets"),
        ControlKind::DefaultServiceAccounts => {
            NotOffered("an account has no default identities: nothing runs with rights that nobody gave it")
        }
        ControlKind::ServiceAccounts => {
            NotOffered("AWS has no service accounts: workloads take roles, whose trust policies say who may")
        }
        ControlKind::Federation => Control(&federation::Federation),
        ControlKind::OrganizationPolicies => NotOffered(
            "AWS has no constraints to choose from: its policies are made of the other controls, denied-services for any action",
        ),
        ControlKind::ProtectBaseline => Control(&InPolicies(protect_baseline::ProtectBaseline)),
        ControlKind::ResourceLocks => {
            NotOffered("AWS has no locks on resources; protect-baseline denies closing the account")
        }
        ControlKind::AuditLog => Control(&audit_log::AuditLog),
        ControlKind::ConfigurationRecording => Control(&configuration_recording::ConfigurationRecording),
        ControlKind::ThreatDetection => Control(&threat_detection::ThreatDetection),
        // AWS User Notifications user guide, "AWS managed notifications".
        ControlKind::ServiceAlerts => {
            NotOffered("AWS Health writes to the account's contacts by itself, which security-contacts keeps")
        }
        ControlKind::StandardsAssessment => Control(&standards_assessment::StandardsAssessment),
        ControlKind::AccountAlias => Control(&account_alias::AccountAlias),
        ControlKind::Tags => Control(&tags::Tags),
        ControlKind::SecurityContacts => Control(&security_contacts::SecurityContacts),
        ControlKind::Budget => Control(&budget::Budget),
        ControlKind::PasswordPolicy => Control(&password_policy::PasswordPolicy),
        ControlKind::NoRootKeys => Control(&no_root_keys::NoRootKeys),
        ControlKind::RootMfa => Control(&root_mfa::RootMfa),
        ControlKind::ExternalAccessAnalysis => Control(&external_access_analysis::ExternalAccessAnalysis),
        ControlKind::BlockPublicStorage => Control(&block_public_storage::BlockPublicStorage),
        ControlKind::EncryptByDefault => Control(&encrypt_by_default::EncryptByDefault),
        ControlKind::BlockPublicSnapshots => Control(&block_public_snapshots::BlockPublicSnapshots),
        ControlKind::BlockPublicImages => Control(&block_public_images::BlockPublicImages),
        ControlKind::HardenedInstances => Control(&hardened_instances::HardenedInstances),
        ControlKind::NoDefaultNetwork => Control(&no_default_network::NoDefaultNetwork),
        ControlKind::ClosedDefaultSecurityGroups => {
            Control(&closed_default_security_groups::ClosedDefaultSecurityGroups)
        }
        // AWS, Data privacy FAQ; The Security Design of the AWS Nitro System, "No AWS operator access".
        ControlKind::AccessApproval => NotOffered(
            "AWS has no requests that could be approved: its operators have no way to what is stored or computed in an account",
        ),
        ControlKind::RegionOptIn => Control(&region_opt_in::RegionOptIn),
    }
}

/// The API permissions of a control on AWS.
pub fn permissions(kind: ControlKind) -> Option<Permissions> {
    offer::permissions::<Aws>(kind)
}

/// What was seen, with the number of the answer that showed it.
fn seen(reply: &Reply, value: &impl Serialize) -> Sighting {
    Sighting { seen: Seen::present(value), request: reply.request_id.clone() }
}

/// It is not there: the cloud said so by an error code that means just that.
fn absent(error: &CallError) -> Sighting {
    Sighting { seen: Seen::Absent, request: error.request_id().map(str::to_owned) }
}

/// The members of a value as the parameters of a Query call: the value uses the API's own names.
fn form(value: Option<&Value>) -> Vec<(&str, String)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| match value {
            Value::String(text) => Some((name.as_str(), text.clone())),
            Value::Bool(_) | Value::Number(_) => Some((name.as_str(), value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

impl From<CallError> for Seen {
    /// No answer, or a refusal, means that we could not look; it is never taken for "nothing there".
    fn from(error: CallError) -> Self {
        match error.code() {
            Some("AWSOrganizationsNotInUseException") => {
                Seen::NotOffered("the account is in no organization".to_owned())
            }
            _ => Seen::Unreadable(landfall_engine::control::chain(&error)),
        }
    }
}

/// It is not there: the cloud's answer is an empty one.
fn nothing(reply: &Reply) -> Sighting {
    Sighting { seen: Seen::Absent, request: reply.request_id.clone() }
}

/// The cloud as the manifest says; nothing where the target is not on AWS, which these controls are never asked about.
fn ground(desired: &Desired) -> Option<&AwsCloud> {
    match &desired.ground {
        Cloud::Aws(aws) => Some(aws),
        Cloud::Azure(_) | Cloud::Gcp(_) => None,
    }
}

/// A setting in each governed region.
fn each_region(kind: ControlKind, desired: &Desired, resource: &str) -> Vec<Address> {
    let regions: &[Region] = ground(desired).map_or(&[], |aws| &aws.regions);
    regions.iter().map(|region| Address::regional(kind, region, resource)).collect()
}

/// A write that found its work done already is done.
fn done(answer: Result<Reply, CallError>, already: &[&str]) -> Result<(), CallError> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(|code| already.contains(&code)) => Ok(()),
        Err(error) => Err(error),
    }
}
