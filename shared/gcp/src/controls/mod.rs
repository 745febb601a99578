//! What Google Cloud does about each control of the catalog: one file each, one table line each.
//!
//! Every file has one unit type that implements the engine's `Control` (which settings it looks at, how it looks, one call for one
//! setting, and how it writes) and `Compare` or `Judge` (what it says of what it saw). `tags.rs` is the model to follow.

mod access;
mod access_approval;
mod account_alias;
mod allowed_regions;
mod audit_log;
mod billing_account;
mod block_public_images;
mod block_public_snapshots;
mod block_public_storage;
mod budget;
mod configuration_recording;
mod default_service_accounts;
mod denied_services;
mod enabled_services;
mod encrypt_by_default;
mod external_access_analysis;
mod federation;
mod hardened_instances;
mod iam_policy;
#[cfg(test)]
mod landscape;
mod liens;
mod no_default_network;
mod organization_policies;
mod placement;
mod policies;
mod protect_baseline;
mod quarantine_gate;
mod resource_locks;
mod resource_tags;
mod security_contacts;
mod service_accounts;
mod service_alerts;
mod standards_assessment;
mod tags;
mod threat_detection;
mod units;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod wire_iam;
#[cfg(test)]
mod wire_policy;
#[cfg(test)]
mod wire_watch;

use landfall_engine::cloud::Sighting;
use landfall_engine::control::{Permissions, Platform, json, or_default, reported, unasked};
use landfall_engine::offer::{self, Offer};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Desired;
use landfall_model::id::Provider;
use landfall_model::manifest::{Cloud, GcpCloud};
use landfall_model::observed::Seen;
use serde::Serialize;

use crate::client::Reply;
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// Google Cloud, where the controls of this folder act.
pub(crate) enum Gcp {}

impl Platform for Gcp {
    const PROVIDER: Provider = Provider::Gcp;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn offer(kind: ControlKind) -> Offer<Self> {
        offer(kind)
    }
}

/// The table.
fn offer(kind: ControlKind) -> Offer<Gcp> {
    use Offer::{Control, NotOffered};
    use policies::InPolicies;
    match kind {
        ControlKind::Units => Control(&units::Units),
        ControlKind::Placement => Control(&placement::Placement),
        ControlKind::QuarantineGate => Control(&quarantine_gate::QuarantineGate),
        ControlKind::Access => Control(&access::Access),
        ControlKind::AuditLog => Control(&audit_log::AuditLog),
        ControlKind::DefaultServiceAccounts => Control(&default_service_accounts::DefaultServiceAccounts),
        ControlKind::ServiceAccounts => Control(&service_accounts::ServiceAccounts),
        ControlKind::ConfigurationRecording => Control(&configuration_recording::ConfigurationRecording),
        ControlKind::Federation => Control(&federation::Federation),
        ControlKind::ThreatDetection => Control(&threat_detection::ThreatDetection),
        ControlKind::StandardsAssessment => Control(&standards_assessment::StandardsAssessment),
        ControlKind::ServiceAlerts => Control(&service_alerts::ServiceAlerts),
        ControlKind::Policies => Control(&policies::Policies),
        ControlKind::AllowedRegions => Control(&InPolicies(allowed_regions::AllowedRegions)),
        ControlKind::DeniedServices => Control(&InPolicies(denied_services::DeniedServices)),
        ControlKind::OrganizationPolicies => Control(&organization_policies::OrganizationPolicies),
        ControlKind::ExternalAccessAnalysis => {
            Control(&InPolicies(external_access_analysis::ExternalAccessAnalysis))
        }
        ControlKind::BlockPublicStorage => Control(&InPolicies(block_public_storage::BlockPublicStorage)),
        ControlKind::EncryptByDefault => Control(&InPolicies(encrypt_by_default::EncryptByDefault)),
        ControlKind::BlockPublicSnapshots => {
            Control(&InPolicies(block_public_snapshots::BlockPublicSnapshots))
        }
        ControlKind::BlockPublicImages => Control(&InPolicies(block_public_images::BlockPublicImages)),
        ControlKind::HardenedInstances => Control(&hardened_instances::HardenedInstances),
        ControlKind::NoDefaultNetwork => Control(&no_default_network::NoDefaultNetwork),
        ControlKind::EnabledServices => Control(&enabled_services::EnabledServices),
        ControlKind::SecurityContacts => Control(&security_contacts::SecurityContacts),
        ControlKind::ProtectBaseline => Control(&protect_baseline::ProtectBaseline),
        ControlKind::ResourceLocks => Control(&resource_locks::ResourceLocks),
        ControlKind::BillingAccount => Control(&billing_account::BillingAccount),
        ControlKind::ResourceTags => Control(&resource_tags::ResourceTags),
        ControlKind::Budget => Control(&budget::Budget),
        ControlKind::AccessApproval => Control(&access_approval::AccessApproval),
        ControlKind::AccountAlias => Control(&account_alias::AccountAlias),
        ControlKind::Tags => Control(&tags::Tags),
        ControlKind::PasswordPolicy => {
            NotOffered("a project has no passwords: they belong to the directory, Cloud Identity")
        }
        ControlKind::NoRootKeys | ControlKind::RootMfa => NotOffered(
            "a project has no root user; the organization's administrators are people of Cloud Identity",
        ),
        ControlKind::ClosedDefaultSecurityGroups => NotOffered(
            "a network has no default security group; what comes in is denied unless a rule allows it",
        ),
        ControlKind::RegionOptIn => NotOffered("Google Cloud's locations need no switch"),
    }
}

/// The API permissions of a control on Google Cloud, as its roles name them.
pub fn permissions(kind: ControlKind) -> Option<Permissions> {
    offer::permissions::<Gcp>(kind)
}

/// What was seen, with the number of the answer that showed it.
fn seen(reply: &Reply, value: &impl Serialize) -> Sighting {
    Sighting { seen: Seen::present(value), request: reply.request_id.clone() }
}

/// It is not there: Google said so by an answer that means just that.
fn absent(error: &CallError) -> Sighting {
    Sighting { seen: Seen::Absent, request: error.request_id().map(str::to_owned) }
}

/// It is not there: Google's answer is an empty one.
fn nothing(reply: &Reply) -> Sighting {
    Sighting { seen: Seen::Absent, request: reply.request_id.clone() }
}

/// The cloud as the manifest says; nothing where the target is not on Google Cloud, which these controls are never asked about.
fn ground(desired: &Desired) -> Option<&GcpCloud> {
    match &desired.ground {
        Cloud::Gcp(gcp) => Some(gcp),
        Cloud::Aws(_) | Cloud::Azure(_) => None,
    }
}
