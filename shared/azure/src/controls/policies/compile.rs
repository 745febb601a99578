//! From what is asked to policy assignments. Pure.
//!
//! What Azure has a built-in definition for is assigned as it is: Microsoft mends those, and auditors know them. Ids, parameters and
//! effects: <https://github.com/Azure/azure-policy>, built-in-policies/policyDefinitions, April 2026; the file is named beside each. The
//! effect is said only where it is not the one that holds anyway, because a cloud apart may have an older version without it.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use landfall_model::catalog::policies::{At, Point};
use landfall_model::catalog::{
    ControlKind, allowed_regions, block_public_storage, denied_services, encrypt_by_default,
    standards_assessment,
};
use landfall_model::desired::Desired;
use landfall_model::manifest::AzureCloud;

use super::assignment::{Acts, Assignment};
use super::initiatives::Initiative;
use super::{definition, initiatives, ours};

/// General/AllowedLocations_Deny.json: all but resource groups, and resources whose location is `global`.
const ALLOWED_LOCATIONS: &str = "e56962a6-4747-49cd-b67b-bf8b01975c4c";
/// General/ResourceGroupAllowedLocations_Deny.json.
const ALLOWED_GROUP_LOCATIONS: &str = "e765b5de-1225-4ba3-bd56-1ac6695af988";
/// General/InvalidResourceTypes_Deny.json.
const DENIED_TYPES: &str = "6c112d4e-5bc7-47ae-a041-ea2d9dccd749";
/// Storage/ASC_Storage_DisallowPublicBlobAccess_Audit.json: audits unless told to deny.
const PUBLIC_BLOBS: &str = "4fa4b6c0-31ca-4c0d-b10d-24b96f62a751";
/// Storage/StorageAccountDisablePublicBlobAccess_Modify.json: modifies unless told otherwise, those that say `true`.
const CLOSES_BLOBS: &str = "13502221-8df0-4414-9937-de9c5c4e396b";
/// The role that it names: <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage>.
pub(super) const STORAGE_ACCOUNT_CONTRIBUTOR: &str = "17d1049b-9a84-46fb-8f53-869881c3d3ab";
/// Compute/HostBasedEncryptionRequired_Deny.json: audits unless told to deny, which nobody tells it.
const ENCRYPTION_AT_HOST: &str = "fc4d8e41-e223-45ea-9bf5-eada37891d87";
/// Compute/ManagedDiskEncryptionSetsAllowed_Deny.json: audits unless told to deny.
const ENCRYPTION_SETS: &str = "d461a302-a187-421a-89ac-84acdb4edc04";
/// Compute/Disks_ExportLimitNetworkAccess_Audit.json: audits unless told to deny.
const PUBLIC_DISKS: &str = "8405fdab-1faf-48aa-b702-999c9c172094";
/// Security Center/ASC_RemoveGuestAccountsWithOwnerPermissions_Audit.json: can only audit.
const GUEST_OWNERS: &str = "339353f6-2387-4a45-abe4-7f529d121046";
/// Security Center/ASC_RemoveGuestAccountsWithWritePermissions_Audit.json: can only audit.
const GUEST_WRITERS: &str = "94e1c2ac-cbbe-4cac-a2b5-389c812dee87";

/// What a key's id has in it when it is one of Azure's.
const ENCRYPTION_SET: &str = "/providers/microsoft.compute/diskencryptionsets/";

/// The assignments of one place, in catalog order.
pub(super) fn assignments(point: &Point, ground: &AzureCloud) -> Result<Vec<Assignment>, String> {
    let mut all = Vec::new();
    for (kind, settings) in &point.asks {
        let of = Maker { kind: *kind, ground };
        match kind {
            ControlKind::AllowedRegions => all.extend(of.regions(&read(*kind, settings)?)),
            ControlKind::DeniedServices => all.extend(of.services(&read(*kind, settings)?)),
            ControlKind::ProtectBaseline => all.push(of.custom(
                "lf-protect-baseline",
                ours::PROTECT_BASELINE,
                "the baseline can't be deleted",
                "The organization's baseline rests on this. It can't be deleted from inside the subscription.",
            )),
            ControlKind::BlockPublicStorage => all.extend(of.storage(&read(*kind, settings)?)?),
            ControlKind::EncryptByDefault => all.extend(of.encryption(&read(*kind, settings)?, &point.at)),
            ControlKind::BlockPublicSnapshots => {
                let message = "Disks and snapshots must not be exportable over public networks: set \
                               `networkAccessPolicy` to DenyAll or AllowPrivate.";
                all.push(of.custom("lf-public-snapshots", ours::PUBLIC_SNAPSHOTS, "no public snapshots", message));
                all.push(of.denied("lf-public-disks", PUBLIC_DISKS, "no public disks", message));
            }
            ControlKind::BlockPublicImages => all.push(of.custom(
                "lf-public-images",
                ours::PUBLIC_IMAGES,
                "no community galleries",
                "Galleries must not be shared with the community.",
            )),
            ControlKind::HardenedInstances => all.push(of.custom(
                "lf-linux-passwords",
                ours::LINUX_PASSWORDS,
                "no passwords on Linux machines",
                "Linux machines must not let people in by password: set `disablePasswordAuthentication` to true.",
            )),
            ControlKind::ExternalAccessAnalysis => {
                let message = "A guest of the directory holds rights here that only its own people should hold.";
                all.push(of.built_in("lf-guest-owners", GUEST_OWNERS, "guests who are owners", message));
                all.push(of.built_in("lf-guest-writers", GUEST_WRITERS, "guests who may write", message));
            }
            ControlKind::StandardsAssessment => all.extend(of.standards(&read(*kind, settings)?)),
            ControlKind::Units
            | ControlKind::Placement
            | ControlKind::QuarantineGate
            | ControlKind::Access
            | ControlKind::EnabledServices
            | ControlKind::Policies
            | ControlKind::OrganizationPolicies
            | ControlKind::BillingAccount
            | ControlKind::ResourceTags
            | ControlKind::ResourceLocks
            | ControlKind::AuditLog
            | ControlKind::ConfigurationRecording
            | ControlKind::ThreatDetection
            | ControlKind::ServiceAlerts
            | ControlKind::AccountAlias
            | ControlKind::Tags
            | ControlKind::SecurityContacts
            | ControlKind::Budget
            | ControlKind::PasswordPolicy
            | ControlKind::NoRootKeys
            | ControlKind::RootMfa
            | ControlKind::DefaultServiceAccounts
            | ControlKind::ServiceAccounts
            | ControlKind::Federation
            | ControlKind::NoDefaultNetwork
            | ControlKind::ClosedDefaultSecurityGroups
            | ControlKind::AccessApproval
            | ControlKind::RegionOptIn => return Err(format!("`{kind}` can't be made into a policy")),
        }
    }
    Ok(all)
}

/// Those that are asked for by now. A subscription's own assignments that act wait until it is handed over: its gate denies roles for
/// whomever the manifest does not name, as their identities are, and what is new has nothing that would have to be changed.
pub(super) fn due(point: &Point, desired: &Desired, ground: &AzureCloud) -> Result<Vec<Assignment>, String> {
    let mut all = assignments(point, ground)?;
    if matches!(point.at, At::Tenant(_)) && desired.standing.before_handover() {
        all.retain(|one| one.acts.is_none());
    }
    Ok(all)
}

fn read<T: DeserializeOwned>(kind: ControlKind, settings: &Value) -> Result<T, String> {
    serde_json::from_value(settings.clone())
        .map_err(|error| format!("the settings of `{kind}` can't be read: {error}"))
}

/// Makes the assignments of one control.
struct Maker<'a> {
    kind: ControlKind,
    ground: &'a AzureCloud,
}

impl Maker<'_> {
    /// A built-in definition, as it is.
    fn built_in(
        &self,
        name: &'static str,
        id: &str,
        title: &'static str,
        message: &'static str,
    ) -> Assignment {
        Assignment {
            name: name.into(),
            title: title.into(),
            message,
            definition: format!("/providers/Microsoft.Authorization/policyDefinitions/{id}"),
            parameters: BTreeMap::new(),
            control: Some(self.kind),
            acts: None,
        }
    }

    /// A built-in definition that only audits unless it is told to deny.
    fn denied(&self, name: &'static str, id: &str, title: &'static str, message: &'static str) -> Assignment {
        with(self.built_in(name, id, title, message), "effect", json!("Deny"))
    }

    /// A definition of our own.
    fn custom(
        &self,
        name: &'static str,
        definition: &str,
        title: &'static str,
        message: &'static str,
    ) -> Assignment {
        Assignment {
            definition: definition::id(self.ground, definition),
            parameters: ours::parameters(definition, self.ground),
            ..self.built_in(name, "", title, message)
        }
    }

    fn regions(&self, want: &allowed_regions::Settings) -> Vec<Assignment> {
        let Some(locations) = want.azure.as_ref().filter(|locations| !locations.is_empty()) else {
            return Vec::new();
        };
        let locations = list(locations);
        let message = "The organization does not allow this location.";
        [
            ("lf-allowed-regions", ALLOWED_LOCATIONS, "only in the locations that are allowed"),
            (
                "lf-allowed-regions-rg",
                ALLOWED_GROUP_LOCATIONS,
                "resource groups only in the locations that are allowed",
            ),
        ]
        .into_iter()
        .map(|(name, id, title)| {
            with(self.built_in(name, id, title, message), "listOfAllowedLocations", locations.clone())
        })
        .collect()
    }

    fn services(&self, want: &denied_services::Settings) -> Option<Assignment> {
        let one = self.built_in(
            "lf-denied-services",
            DENIED_TYPES,
            "resource types that are not wanted",
            "The organization does not want resources of this type.",
        );
        (!want.azure.is_empty()).then(|| with(one, "listOfResourceTypesNotAllowed", list(&want.azure)))
    }

    /// What is written is denied; what is there already is changed only where that is asked, because whoever changes it has to hold a
    /// role that reaches further.
    fn storage(&self, want: &block_public_storage::Settings) -> Result<Vec<Assignment>, String> {
        let mut all = vec![self.denied(
            "lf-block-public-storage",
            PUBLIC_BLOBS,
            "no public storage",
            "Storage accounts must not allow anonymous access: set `allowBlobPublicAccess` to false.",
        )];
        if want.also_existing {
            let location = self.ground.locations.first();
            let location = location.ok_or("its identity needs a location, and no location is governed")?;
            let acts = Acts {
                role: STORAGE_ACCOUNT_CONTRIBUTOR,
                role_name: "Storage Account Contributor",
                location: location.to_string(),
            };
            let one = self.built_in(
                "lf-close-public-storage",
                CLOSES_BLOBS,
                "public storage is closed",
                "This storage account allows anonymous access, which a remediation task switches off.",
            );
            all.push(Assignment { acts: Some(acts), ..one });
        }
        Ok(all)
    }

    /// Each standard once, however it is named.
    fn standards(&self, want: &standards_assessment::Settings) -> Vec<Assignment> {
        let all: BTreeMap<String, Initiative> = want
            .azure
            .iter()
            .map(|standard| initiatives::named(standard))
            .map(|initiative| (initiative.assigned.to_string(), initiative))
            .collect();
        let assigned = |Initiative { assigned, title, id }| Assignment {
            name: assigned,
            title,
            message: "The organization is assessed by a standard that this does not meet.",
            definition: format!("/providers/Microsoft.Authorization/policySetDefinitions/{id}"),
            parameters: BTreeMap::new(),
            control: Some(self.kind),
            acts: None,
        };
        all.into_values().map(assigned).collect()
    }

    /// Managed disks are always encrypted at rest; caches and temporary disks only at the host, which is audited and not denied: where
    /// the feature `Microsoft.Compute/EncryptionAtHost` is not registered, Azure refuses every machine that asks for it, and nothing
    /// could be made any more (<https://learn.microsoft.com/azure/virtual-machines/disks-enable-host-based-encryption-portal>).
    fn encryption(&self, want: &encrypt_by_default::Settings, at: &At) -> Vec<Assignment> {
        let host = self.built_in(
            "lf-encryption-at-host",
            ENCRYPTION_AT_HOST,
            "machines that are not encrypted at their host",
            "Caches and temporary disks of this machine are not encrypted: set `securityProfile.encryptionAtHost` to true.",
        );
        let set = want.key.as_ref().filter(|key| is_of(key, at)).map(|key| {
            let one = self.denied(
                "lf-disk-encryption-sets",
                ENCRYPTION_SETS,
                "disks are encrypted by the organization's key",
                "Disks must be encrypted by the disk encryption set that the organization names.",
            );
            with(one, "allowedEncryptionSets", json!([key]))
        });
        std::iter::once(host).chain(set).collect()
    }
}

/// Whether a key is a disk encryption set that disks at a place can use: only those of its own subscription can, so that as the only
/// one that is allowed it would stop every other (<https://learn.microsoft.com/azure/virtual-machines/disk-encryption>, "Restrictions").
/// A key that is no disk encryption set is another cloud's.
fn is_of(key: &str, at: &At) -> bool {
    let At::Tenant(tenant) = at else { return false };
    let key = key.to_ascii_lowercase();
    let subscription = format!("/subscriptions/{}/", tenant.native().to_ascii_lowercase());
    key.starts_with(&subscription) && key.contains(ENCRYPTION_SET)
}

fn with(mut assignment: Assignment, parameter: &str, value: Value) -> Assignment {
    assignment.parameters.insert(parameter.to_owned(), value);
    assignment
}

/// A list in which nothing stands twice, in an order of its own.
fn list(texts: &[String]) -> Value {
    Value::from_iter(texts.iter().collect::<BTreeSet<_>>().into_iter().cloned())
}

#[cfg(test)]
mod tests;
