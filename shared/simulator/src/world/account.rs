//! The inside of one account: what its own APIs show, as opposed to what the organization knows of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::region::Region;

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub alias: Option<String>,
    pub roles: BTreeMap<String, Role>,
    /// Roles of AWS's own services, by name: made by hand, or by the first setting that needs one.
    pub service_linked_roles: BTreeSet<String>,
    /// `None` means GetAccountPasswordPolicy answers NoSuchEntity.
    pub password_policy: Option<PasswordPolicy>,
    /// AccountAccessKeysPresent.
    pub root_keys: bool,
    /// AccountMFAEnabled.
    pub root_mfa: bool,
    /// AccountSigningCertificatesPresent.
    pub root_certificates: bool,
    /// By type: BILLING, OPERATIONS, SECURITY.
    pub alternate_contacts: BTreeMap<String, AlternateContact>,
    pub public_access_block: Option<PublicAccessBlock>,
    /// By the issuer without its scheme.
    pub oidc_providers: BTreeMap<String, OidcProvider>,
    /// By name.
    pub saml_providers: BTreeMap<String, SamlProvider>,
    pub budgets: BTreeMap<String, Budget>,
    /// What was asked for of opt-in regions: ENABLED or DISABLED; absent means DISABLED.
    pub region_opt: BTreeMap<String, String>,
    /// Regions that have been looked at; use [`Account::region`], which makes the others.
    pub regions: BTreeMap<String, Region>,
}

impl Account {
    pub(crate) fn new(id: &str, name: &str, external_id: Option<String>, member: bool) -> Self {
        let role =
            |external_id: Option<String>, read_only| Role { external_id, read_only, available_at: None };
        let mut roles = BTreeMap::from([
            ("landfall-read".to_owned(), role(external_id.clone(), true)),
            ("landfall-write".to_owned(), role(external_id, false)),
        ]);
        // Organizations makes this one in accounts it creates; the management account trusts nobody above it.
        if member {
            roles.insert("OrganizationAccountAccessRole".to_owned(), role(None, false));
        }
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            alias: None,
            roles,
            service_linked_roles: BTreeSet::new(),
            password_policy: None,
            root_keys: false,
            root_mfa: true,
            root_certificates: false,
            alternate_contacts: BTreeMap::new(),
            public_access_block: None,
            oidc_providers: BTreeMap::new(),
            saml_providers: BTreeMap::new(),
            budgets: BTreeMap::new(),
            region_opt: BTreeMap::new(),
            regions: BTreeMap::new(),
        }
    }

    /// The state of a region, made with its default network when first looked at.
    pub fn region(&mut self, name: &str) -> &mut Region {
        if !self.regions.contains_key(name) {
            self.regions.insert(name.to_owned(), Region::new(&self.id, name));
        }
        self.regions.entry(name.to_owned()).or_default()
    }
}

/// A role that can be assumed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Role {
    /// What the trust policy asks for, if anything.
    pub external_id: Option<String>,
    /// Whether everything but Get, List and Describe is denied.
    pub read_only: bool,
    /// Not assumable before this moment: IAM is eventually consistent.
    pub available_at: Option<Timestamp>,
}

/// An issuer of tokens that roles may trust.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OidcProvider {
    pub client_ids: BTreeSet<String>,
    pub thumbprints: Vec<String>,
    pub created_at: Timestamp,
}

/// An issuer of assertions that roles may trust.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SamlProvider {
    pub document: String,
    pub created_at: Timestamp,
}

/// The IAM password policy. [`Default`] is what AWS falls back to for values that an update leaves out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PasswordPolicy {
    pub minimum_length: i64,
    pub require_symbols: bool,
    pub require_numbers: bool,
    pub require_uppercase: bool,
    pub require_lowercase: bool,
    pub allow_users_to_change: bool,
    /// Days; 0 means that passwords do not expire.
    pub max_age: i64,
    /// 0 means that nothing is remembered.
    pub reuse_prevention: i64,
    pub hard_expiry: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 6,
            require_symbols: false,
            require_numbers: false,
            require_uppercase: false,
            require_lowercase: false,
            allow_users_to_change: false,
            max_age: 0,
            reuse_prevention: 0,
            hard_expiry: false,
        }
    }
}

impl PasswordPolicy {
    /// One that most baselines accept.
    #[must_use]
    pub fn strong() -> Self {
        Self {
            minimum_length: 14,
            require_symbols: true,
            require_numbers: true,
            require_uppercase: true,
            require_lowercase: true,
            allow_users_to_change: true,
            max_age: 90,
            reuse_prevention: 24,
            hard_expiry: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlternateContact {
    pub name: String,
    pub title: String,
    pub email: String,
    pub phone: String,
}

/// The account-wide S3 public access block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All four on.
    #[must_use]
    pub fn full() -> Self {
        Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }
}

/// A budget as it was sent, and its notifications.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Budget {
    /// The API's `Budget` structure.
    pub budget: Value,
    pub notifications: Vec<Notification>,
}

/// A notification as it was sent, and who hears of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notification {
    /// The API's `Notification` structure.
    pub notification: Value,
    /// The API's `Subscriber` structures.
    pub subscribers: Vec<Value>,
}
