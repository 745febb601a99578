//! The controls Landfall knows: one file each, one table line each.
//!
//! A catalog control is cloud-neutral: what is asked, why, which parameters it takes and how two askings combine.
//! How a cloud holds it is written in that cloud's crate. The catalog lists what is built, not what is hoped for.

mod parameter;

pub use parameter::{Combine, Form, Parameter, Weakened};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{IdError, Provider};

/// Where a control takes hold, and who asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A preventive policy on a unit, or on the tenant itself where only the tenant asks for it.
    Policy,
    /// A setting of the organization, made once.
    Organization,
    /// A setting of each tenant.
    Tenant,
    /// Follows from the manifest's shape (units, access, the gate) and is never listed under `controls`.
    Implied,
}

/// What Landfall can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// A deny that stops the deviation before it happens.
    Prevents,
    /// A setting that is written and put back when it drifts.
    Repairs,
    /// Nothing can be written: it can fail, never be remediated.
    Detects,
}

/// One control of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Which one.
    pub kind: ControlKind,
    /// In a few words.
    pub title: &'static str,
    /// The manual page: what it asks, why it matters, what each cloud does, references.
    pub manual: &'static str,
    /// Where it takes hold.
    pub place: Place,
    /// What Landfall can do about it.
    pub effect: Effect,
    /// What may be set under `with`.
    pub parameters: &'static [Parameter],
}

impl Entry {
    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

/// The table: one line a control. A new line does not compile until every cloud says what it does about it.
macro_rules! catalog {
    ($($kind:ident $module:ident $id:literal,)*) => {
        $(pub mod $module;)*

        /// The name of a catalog control.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ControlKind {
            $(#[doc = concat!("`", $id, "`")] $kind,)*
        }

        impl ControlKind {
            /// Every control, in catalog order.
            pub const ALL: &'static [ControlKind] = &[$(ControlKind::$kind),*];

            /// The id people write: it reads well after "exempt from".
            pub const fn id(self) -> &'static str {
                match self { $(ControlKind::$kind => $id),* }
            }

            /// What the catalog says of it.
            pub const fn entry(self) -> &'static Entry {
                match self { $(ControlKind::$kind => &$module::ENTRY),* }
            }
        }
    };
}

catalog! {
    // the organization and the life of a tenant
    Units                        units                           "units",
    Placement                    placement                       "placement",
    QuarantineGate               quarantine_gate                 "quarantine-gate",
    Access                       access                          "access",
    EnabledServices              enabled_services                "enabled-services",
    // preventive policies, and what they compile to
    Policies                     policies                        "policies",
    AllowedRegions               allowed_regions                 "allowed-regions",
    DeniedServices               denied_services                 "denied-services",
    OrganizationPolicies         organization_policies           "organization-policies",
    ProtectBaseline              protect_baseline                "protect-baseline",
    ResourceLocks                resource_locks                  "resource-locks",
    // what is seen of what happens
    AuditLog                     audit_log                       "audit-log",
    ConfigurationRecording       configuration_recording         "configuration-recording",
    ThreatDetection              threat_detection                "threat-detection",
    ServiceAlerts                service_alerts                  "service-alerts",
    StandardsAssessment          standards_assessment            "standards-assessment",
    // who and what a tenant is
    AccountAlias                 account_alias                   "account-alias",
    Tags                         tags                            "tags",
    ResourceTags                 resource_tags                   "resource-tags",
    SecurityContacts             security_contacts               "security-contacts",
    BillingAccount               billing_account                 "billing-account",
    Budget                       budget                          "budget",
    // identity
    PasswordPolicy               password_policy                 "password-policy",
    NoRootKeys                   no_root_keys                    "no-root-keys",
    RootMfa                      root_mfa                        "root-mfa",
    ExternalAccessAnalysis       external_access_analysis        "external-access-analysis",
    AccessApproval               access_approval                 "access-approval",
    DefaultServiceAccounts       default_service_accounts        "default-service-accounts",
    ServiceAccounts              service_accounts                "service-accounts",
    Federation                   federation                      "federation",
    // data
    BlockPublicStorage           block_public_storage            "block-public-storage",
    EncryptByDefault             encrypt_by_default              "encrypt-by-default",
    BlockPublicSnapshots         block_public_snapshots          "block-public-snapshots",
    BlockPublicImages            block_public_images             "block-public-images",
    // compute and network
    HardenedInstances            hardened_instances              "hardened-instances",
    NoDefaultNetwork             no_default_network              "no-default-network",
    ClosedDefaultSecurityGroups  closed_default_security_groups  "closed-default-security-groups",
    RegionOptIn                  region_opt_in                   "region-opt-in",
}

impl ControlKind {
    /// Where it takes hold on a cloud: what is a setting of each tenant on one may be a policy on another.
    pub const fn place_on(self, provider: Provider) -> Place {
        match (self, provider) {
            // Customer Lockbox is one switch for the whole directory.
            (ControlKind::AccessApproval, Provider::Azure) => Place::Organization,
            // One feed of the organization reaches every project.
            (ControlKind::ConfigurationRecording, Provider::Gcp) => Place::Organization,
            // Nothing is switched on for a whole directory or for all projects at once.
            (ControlKind::EnabledServices, Provider::Azure | Provider::Gcp) => Place::Tenant,
            // A subscription has no such switches; Azure Policy denies what goes against them.
            (
                ControlKind::BlockPublicStorage
                | ControlKind::EncryptByDefault
                | ControlKind::BlockPublicSnapshots
                | ControlKind::BlockPublicImages
                | ControlKind::HardenedInstances
                | ControlKind::ExternalAccessAnalysis
                | ControlKind::StandardsAssessment,
                Provider::Azure,
            )
            // Constraints of the organization policy deny what goes against them.
            | (
                ControlKind::BlockPublicStorage
                | ControlKind::EncryptByDefault
                | ControlKind::BlockPublicSnapshots
                | ControlKind::BlockPublicImages
                | ControlKind::HardenedInstances
                | ControlKind::ExternalAccessAnalysis,
                Provider::Gcp,
            ) => Place::Policy,
            // New networks are not made where a constraint says so; the one that is there is deleted in each project.
            (ControlKind::NoDefaultNetwork, Provider::Gcp) => Place::Policy,
            // The others carry nothing for a constraint of Google's.
            (ControlKind::OrganizationPolicies, Provider::Aws | Provider::Azure) => Place::Tenant,
            // A project is protected by a lien of its own.
            (ControlKind::ProtectBaseline, Provider::Gcp) => Place::Tenant,
            _ => self.entry().place,
        }
    }

    /// Whether a part of it is made once, in the organization's own target.
    pub const fn is_made_once_on(self, provider: Provider) -> bool {
        matches!(
            (self, provider),
            (ControlKind::EnabledServices, Provider::Aws)
                | (ControlKind::ProtectBaseline | ControlKind::AccessApproval, Provider::Azure)
                | (
                    ControlKind::OrganizationPolicies
                        | ControlKind::ResourceTags
                        | ControlKind::ConfigurationRecording,
                    Provider::Gcp
                )
                | (ControlKind::AuditLog, Provider::Aws | Provider::Azure | Provider::Gcp)
        )
    }

    /// How long a write's effect may take to show before it counts as not having happened. The clouds say "seconds to minutes"; where
    /// one says more of a setting, that counts.
    pub const fn settling_on(self, provider: Provider) -> jiff::SignedDuration {
        match (self, provider) {
            // EC2 API reference, EnableImageBlockPublicAccess: up to ten minutes, in which the old state is shown.
            (ControlKind::BlockPublicImages, Provider::Aws)
            // Azure portal, Rename subscription: up to ten minutes. A resource provider is registered region by region.
            | (ControlKind::AccountAlias | ControlKind::EnabledServices, Provider::Azure)
            // An API that is called too early refuses with "if you enabled this API recently, wait a few minutes".
            | (ControlKind::EnabledServices, Provider::Gcp) => {
                jiff::SignedDuration::from_mins(10)
            }
            // Azure Policy, Get compliance data: a change shows in the compliance states after about 15 minutes; a remediation task may
            // go on for longer, over up to 50,000 resources.
            (ControlKind::BlockPublicStorage, Provider::Azure) => jiff::SignedDuration::from_mins(30),
            // Azure management groups, Manage: what Resource Manager keeps of the tree, and of rights in it, lives up to 30 minutes.
            (
                ControlKind::Units | ControlKind::Placement | ControlKind::Policies | ControlKind::Access,
                Provider::Azure,
            ) => jiff::SignedDuration::from_mins(30),
            // Organization policies, Creating and managing: up to 15 minutes until they bind, and until what is in force is shown.
            (
                ControlKind::Policies | ControlKind::OrganizationPolicies,
                Provider::Gcp,
            ) => jiff::SignedDuration::from_mins(15),
            _ => jiff::SignedDuration::from_secs(60),
        }
    }
}

impl fmt::Display for ControlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for ControlKind {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        ControlKind::ALL.iter().copied().find(|kind| kind.id() == text).ok_or_else(|| IdError {
            found: text.to_owned(),
            expected: "a control of the catalog (`landfall controls` lists them)",
        })
    }
}

impl Serialize for ControlKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for ControlKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_filed_under_its_own_name_and_explains_itself() {
        for kind in ControlKind::ALL {
            let entry = kind.entry();
            assert_eq!(entry.kind, *kind);
            assert!(entry.manual.len() > 200, "{kind}: the manual page says too little");
            assert!(!entry.title.ends_with('.'), "{kind}");
            for parameter in entry.parameters {
                assert!(!parameter.help.is_empty(), "{kind}.{}", parameter.name);
                if let Some(default) = parameter.default {
                    let value: serde_json::Value = serde_json::from_str(default).unwrap();
                    assert_eq!(parameter.form.check(&value), Ok(()), "{kind}.{}", parameter.name);
                }
            }
        }
    }

    #[test]
    fn ids_are_names_and_none_is_used_twice() {
        let mut ids: Vec<&str> = ControlKind::ALL.iter().map(|kind| kind.id()).collect();
        assert!(ids.iter().all(|id| crate::id::is_name(id)));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ControlKind::ALL.len());
    }
}
