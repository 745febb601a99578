//! Ways to break an account by name, so that another process or a demonstration can cause drift.

use std::str::FromStr;

use crate::world::{PasswordPolicy, World};

/// One way to break an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// Deletes the password policy.
    PasswordPolicy,
    /// Replaces the password policy by AWS's weak default.
    WeakPasswordPolicy,
    /// Turns EBS encryption by default off.
    EbsEncryption,
    /// Deletes the S3 public access block.
    PublicAccessBlock,
    /// Gives the root user access keys.
    RootKeys,
    /// Takes the root user's MFA away.
    RootMfa,
    /// Deletes the alternate contacts.
    AlternateContacts,
    /// Makes the default network again where it is gone.
    DefaultVpc,
    /// Puts a network interface into the default VPC.
    NetworkInterface,
    /// Allows sharing snapshots publicly.
    SnapshotBlock,
    /// Allows sharing images publicly.
    ImageBlock,
    /// Forgets the instance metadata defaults.
    MetadataDefaults,
    /// Deletes the access analyzers.
    AccessAnalyzer,
    /// Deletes the GuardDuty detectors.
    Detector,
    /// Deletes AWS Config's recorders and delivery channels.
    Recorder,
    /// Switches Security Hub off.
    Standards,
    /// Deletes the account's trails; those of the organization are the management account's.
    Trail,
    /// Deletes the budgets.
    Budgets,
    /// Removes the account alias.
    Alias,
    /// Deletes `landfall-read` and `landfall-write`.
    Roles,
    /// Moves the account to the root of the tree.
    Placement,
    /// Detaches every policy from the account itself, except the one that allows everything.
    Policies,
    /// Suspends the account.
    Suspended,
}

const NAMES: [(&str, Breakage); 23] = [
    ("password-policy", Breakage::PasswordPolicy),
    ("weak-password-policy", Breakage::WeakPasswordPolicy),
    ("ebs-encryption", Breakage::EbsEncryption),
    ("public-access-block", Breakage::PublicAccessBlock),
    ("root-keys", Breakage::RootKeys),
    ("root-mfa", Breakage::RootMfa),
    ("alternate-contacts", Breakage::AlternateContacts),
    ("default-vpc", Breakage::DefaultVpc),
    ("network-interface", Breakage::NetworkInterface),
    ("snapshot-block", Breakage::SnapshotBlock),
    ("image-block", Breakage::ImageBlock),
    ("metadata-defaults", Breakage::MetadataDefaults),
    ("access-analyzer", Breakage::AccessAnalyzer),
    ("detector", Breakage::Detector),
    ("recorder", Breakage::Recorder),
    ("standards", Breakage::Standards),
    ("trail", Breakage::Trail),
    ("budgets", Breakage::Budgets),
    ("alias", Breakage::Alias),
    ("roles", Breakage::Roles),
    ("placement", Breakage::Placement),
    ("policies", Breakage::Policies),
    ("suspended", Breakage::Suspended),
];

/// Why nothing was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BreakError {
    #[error("`{0}` can't be broken, expected one of {names}", names = NAMES.map(|(name, _)| name).join(", "))]
    Unknown(String),
    #[error("there is no account `{0}`")]
    NoAccount(String),
    #[error("there is no region `{0}`")]
    NoRegion(String),
}

impl FromStr for Breakage {
    type Err = BreakError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, breakage)| *breakage).ok_or_else(|| BreakError::Unknown(text.to_owned()))
    }
}

impl Breakage {
    /// Every way, with its name.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.into_iter()
    }
}

/// Breaks one account, in one region or in all of them where the matter is regional.
pub(crate) fn perform(
    world: &mut World,
    id: &str,
    what: Breakage,
    only: Option<&str>,
) -> Result<(), BreakError> {
    let regions: Vec<String> = match only {
        Some(name) if !world.settings.regions.iter().any(|region| region == name) => {
            return Err(BreakError::NoRegion(name.to_owned()));
        }
        Some(name) => vec![name.to_owned()],
        None => world.settings.regions.clone(),
    };
    let root = world.organization.root.id.clone();
    let Some(account) = world.accounts.get_mut(id) else { return Err(BreakError::NoAccount(id.to_owned())) };
    match what {
        Breakage::PasswordPolicy => account.password_policy = None,
        Breakage::WeakPasswordPolicy => account.password_policy = Some(PasswordPolicy::default()),
        Breakage::PublicAccessBlock => account.public_access_block = None,
        Breakage::RootKeys => account.root_keys = true,
        Breakage::RootMfa => account.root_mfa = false,
        Breakage::AlternateContacts => account.alternate_contacts.clear(),
        Breakage::Budgets => account.budgets.clear(),
        Breakage::Alias => account.alias = None,
        Breakage::Roles => account.roles.retain(|name, _| !name.starts_with("landfall-")),
        Breakage::EbsEncryption
        | Breakage::DefaultVpc
        | Breakage::NetworkInterface
        | Breakage::SnapshotBlock
        | Breakage::ImageBlock
        | Breakage::MetadataDefaults
        | Breakage::AccessAnalyzer
        | Breakage::Detector
        | Breakage::Recorder
        | Breakage::Standards => {
            for name in &regions {
                account.region(name).damage(what, id, name);
            }
        }
        Breakage::Trail => world.organization.trails.retain(|_, trail| trail.account != id),
        Breakage::Placement => {
            if let Some(member) = world.organization.members.get_mut(id) {
                member.parent = root;
            }
        }
        Breakage::Policies => {
            let allows_all = |policy: &str| policy.ends_with("FullAWSAccess");
            world.organization.attachments.retain(|one| one.target != id || allows_all(&one.policy));
        }
        Breakage::Suspended => {
            if let Some(member) = world.organization.members.get_mut(id) {
                member.state = "SUSPENDED".to_owned();
            }
        }
    }
    Ok(())
}
