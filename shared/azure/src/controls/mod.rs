//! What Azure does about each control of the catalog: one file each, one table line each.
//!
//! Every file has one unit type that implements the engine's `Control` (which settings it looks at, how it looks, one call for one
//! setting, and how it writes) and `Compare` or `Judge` (what it says of what it saw). `tags.rs` is the model to follow.

mod access;
mod access_approval;
mod account_alias;
mod allowed_regions;
mod audit_log;
mod block_public_images;
mod block_public_snapshots;
mod block_public_storage;
mod budget;
mod denied_services;
mod enabled_services;
mod encrypt_by_default;
mod external_access_analysis;
mod federation;
mod hardened_instances;
#[cfg(test)]
mod landscape;
mod lifted;
mod placement;
mod policies;
mod protect_baseline;
mod quarantine_gate;
mod registration;
mod resource_locks;
mod security_contacts;
mod service_alerts;
mod standards_assessment;
mod subscription_policy;
mod tags;
mod threat_detection;
mod units;
#[cfg(test)]
mod wire;

use landfall_engine::cloud::Sighting;
use landfall_engine::control::{Permissions, Platform, json, or_default, reported, unasked};
use landfall_engine::offer::{self, Offer};
use landfall_model::catalog::ControlKind;
use landfall_model::desired::Desired;
use landfall_model::id::Provider;
use landfall_model::manifest::{AzureCloud, Cloud};
use landfall_model::observed::Seen;
use serde::Serialize;

use crate::client::Reply;
use crate::error::CallError;
use crate::session::{Reader, Writer};

/// Azure, where the controls of this folder act.
pub(crate) enum Azure {}

impl Platform for Azure {
    const PROVIDER: Provider = Provider::Azure;
    type Reader = Reader;
    type Writer = Writer;
    type Error = CallError;

    fn offer(kind: ControlKind) -> Offer<Self> {
        offer(kind)
    }
}

/// The table.
fn offer(kind: ControlKind) -> Offer<Azure> {
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
        ControlKind::BillingAccount => NotOffered(
            "who pays is kept by the billing account, under roles of its own, and by neither the subscription nor the directory",
        ),
        ControlKind::ResourceTags => NotOffered("a subscription has one kind of tags, which `tags` sets"),
        ControlKind::OrganizationPolicies => NotOffered(
            "Azure has no constraints to choose from: its policies are made of the other controls, standards-assessment for initiatives",
        ),
        ControlKind::ProtectBaseline => Control(&protect_baseline::ProtectBaseline),
        ControlKind::ResourceLocks => Control(&resource_locks::ResourceLocks),
        ControlKind::AuditLog => Control(&audit_log::AuditLog),
        // Azure Resource Graph, "Get resource changes"; Azure Monitor, "Activity log".
        ControlKind::ConfigurationRecording => NotOffered(
            "Azure keeps it itself: Resource Graph shows each change of a resource for 14 days, and the activity log who made it, which \
             audit-log sends to a place where it stays",
        ),
        ControlKind::ThreatDetection => Control(&threat_detection::ThreatDetection),
        ControlKind::ServiceAlerts => Control(&service_alerts::ServiceAlerts),
        ControlKind::StandardsAssessment => Control(&InPolicies(standards_assessment::StandardsAssessment)),
        ControlKind::AccessApproval => Control(&access_approval::AccessApproval),
        ControlKind::AccountAlias => Control(&account_alias::AccountAlias),
        ControlKind::Tags => Control(&tags::Tags),
        ControlKind::Budget => Control(&budget::Budget),
        ControlKind::SecurityContacts => Control(&security_contacts::SecurityContacts),
        ControlKind::ExternalAccessAnalysis => {
            Control(&InPolicies(external_access_analysis::ExternalAccessAnalysis))
        }
        ControlKind::BlockPublicStorage => Control(&block_public_storage::BlockPublicStorage),
        ControlKind::EncryptByDefault => Control(&InPolicies(encrypt_by_default::EncryptByDefault)),
        ControlKind::BlockPublicSnapshots => {
            Control(&InPolicies(block_public_snapshots::BlockPublicSnapshots))
        }
        ControlKind::BlockPublicImages => Control(&InPolicies(block_public_images::BlockPublicImages)),
        ControlKind::HardenedInstances => Control(&InPolicies(hardened_instances::HardenedInstances)),
        ControlKind::PasswordPolicy => {
            NotOffered("a subscription has no passwords: they belong to the directory, Microsoft Entra ID")
        }
        ControlKind::NoRootKeys | ControlKind::RootMfa => NotOffered(
            "a subscription has no root user; the directory's administrators are people of Entra ID",
        ),
        ControlKind::DefaultServiceAccounts => NotOffered(
            "a subscription has no default identities: nothing runs with rights that nobody gave it",
        ),
        ControlKind::ServiceAccounts => NotOffered(
            "Azure has no service accounts: managed identities are resources of workloads, in their resource groups",
        ),
        ControlKind::Federation => Control(&federation::Federation),
        ControlKind::NoDefaultNetwork => NotOffered("a new subscription has no network"),
        ControlKind::ClosedDefaultSecurityGroups => {
            NotOffered("an Azure network has no default security group")
        }
        ControlKind::RegionOptIn => NotOffered("Azure's locations need no switch"),
    }
}

/// The API permissions of a control on Azure, as Azure's role definitions name them.
pub fn permissions(kind: ControlKind) -> Option<Permissions> {
    offer::permissions::<Azure>(kind)
}

/// What was seen, with the number of the answer that showed it.
fn seen(reply: &Reply, value: &impl Serialize) -> Sighting {
    Sighting { seen: Seen::present(value), request: reply.request_id.clone() }
}

/// It is not there: Azure said so by an answer that means just that.
fn absent(error: &CallError) -> Sighting {
    Sighting { seen: Seen::Absent, request: error.request_id().map(str::to_owned) }
}

/// It is not there: Azure's answer is an empty one.
fn nothing(reply: &Reply) -> Sighting {
    Sighting { seen: Seen::Absent, request: reply.request_id.clone() }
}

/// The cloud as the manifest says; nothing where the target is not on Azure, which these controls are never asked about.
fn ground(desired: &Desired) -> Option<&AzureCloud> {
    match &desired.ground {
        Cloud::Azure(azure) => Some(azure),
        Cloud::Aws(_) | Cloud::Gcp(_) => None,
    }
}
