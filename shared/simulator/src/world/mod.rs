//! The state of the simulated cloud: plain public fields, so that a test can break anything by hand.

mod account;
mod identity_center;
mod ids;
mod network;
mod organization;
mod queue;
mod region;
mod sample;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use account::{
    Account, AlternateContact, Budget, Notification, OidcProvider, PasswordPolicy, PublicAccessBlock, Role,
    SamlProvider,
};
pub use identity_center::{Assignment, Group, IdentityCenter, PermissionSet};
pub(crate) use identity_center::{Kind, Work};
pub(crate) use ids::{bytes, hex, request_id, unit_interval, uuid};
pub use network::{
    InternetGateway, NetworkAcl, NetworkInterface, RouteTable, Rule, SecurityGroup, Subnet, Vpc,
};
pub use organization::{Attachment, CreateRequest, Joined, Member, Organization, Policy, Root, Trail, Unit};
pub(crate) use organization::{full_access_of, limits};
pub use queue::{Message, Queue};
pub use region::{Analyzer, Config, Detector, Hub, MetadataDefaults, Region};

use crate::ask::Caller;
use crate::permit::{Grants, Taken};

/// The account that owns the organization, and by default the controller's.
pub const MANAGEMENT_ACCOUNT: &str = "111111111111";
/// The organization's id.
pub const ORGANIZATION: &str = "o-a1b2c3d4e5";
/// The root of its tree.
pub const ROOT: &str = "r-ab12";
/// The role of whoever calls with a key that AssumeRole did not hand out.
pub const CONTROLLER_ROLE: &str = "controller";

/// How this cloud behaves; a test may change any of it while the simulator runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Regions that every account has without asking; the first is where new things are shown first.
    pub regions: Vec<String>,
    /// Regions that exist but are off until an account enables them.
    pub opt_in_regions: Vec<String>,
    /// What the trust policies of `landfall-read` and `landfall-write` ask for.
    pub external_id: Option<String>,
    /// The account whose own credentials every unknown access key is.
    pub controller_account: String,
    /// What roles are granted: anything else is denied to them.
    pub grants: Grants,
    /// Whether the controller's own credentials may do more than sts and sqs.
    pub open: bool,
    /// Whether lists begin every second page with an empty one.
    pub empty_pages: bool,
    /// How many DescribeCreateAccountStatus calls still answer IN_PROGRESS.
    pub create_account_polls: u32,
    /// How many status calls of Identity Center still answer IN_PROGRESS.
    pub assignment_polls: u32,
    /// How long the roles of a new account can't be assumed yet.
    pub role_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            regions: owned(&["us-east-1", "eu-central-1", "eu-west-1"]),
            opt_in_regions: owned(&["eu-central-2", "me-central-1"]),
            external_id: None,
            grants: Grants::new(),
            controller_account: MANAGEMENT_ACCOUNT.to_owned(),
            open: true,
            empty_pages: false,
            create_account_polls: 1,
            assignment_polls: 1,
            role_delay: Duration::ZERO,
        }
    }
}

/// Everything the simulator knows.
#[derive(Debug, Clone, Serialize)]
pub struct World {
    pub settings: Settings,
    /// Every account's inside, by id. What the organization says about an account is in `organization.members`.
    pub accounts: BTreeMap<String, Account>,
    pub organization: Organization,
    pub identity_center: IdentityCenter,
    /// Temporary access keys and whom they stand for.
    #[serde(skip)]
    pub(crate) sessions: BTreeMap<String, Caller>,
    /// The permissions that calls took, of roles that are granted some.
    #[serde(skip)]
    pub taken: Taken,
    #[serde(skip)]
    pub(crate) events: Vec<Value>,
    pub(crate) issued: u64,
    /// Where the simulator listens; queue URLs begin with it.
    #[serde(skip)]
    pub(crate) endpoint: String,
}

impl World {
    /// An organization with its management account and nothing else.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let mut world = Self {
            organization: Organization::new(),
            identity_center: IdentityCenter::new(),
            accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            taken: Taken::default(),
            events: Vec::new(),
            issued: 0,
            endpoint: String::new(),
            settings,
        };
        let joined_at = Timestamp::from_second(1_577_836_800).unwrap_or(Timestamp::UNIX_EPOCH);
        world.enter(MANAGEMENT_ACCOUNT, "management", "aws@example.com", Joined::Invited, joined_at);
        world
    }

    /// `accounts` deterministic accounts, some of which violate a baseline in different ways; see `world/sample.rs`.
    #[must_use]
    pub fn sample(accounts: usize) -> Self {
        Self::sample_with(accounts, Settings::default())
    }

    #[must_use]
    pub fn sample_with(accounts: usize, settings: Settings) -> Self {
        sample::build(accounts, settings)
    }

    /// Adds an account under the root as if it had always been there: no event, roles ready at once.
    pub fn add_account(&mut self, name: &str, joined: Joined) -> String {
        let id = self.free_id();
        let email = format!("aws+{name}@example.com");
        self.enter(&id, name, &email, joined, Timestamp::now());
        id
    }

    /// Creates an account as CreateAccount would: its roles may lag, and a `CreateAccountResult` event is emitted.
    pub fn create_account(&mut self, name: &str) -> String {
        let request = self.next_id("car-", 32);
        self.born_of(&request, name, &format!("aws+{name}@example.com"), None, Timestamp::now())
    }

    /// The end of a creation request: an account whose roles may not be ready, and the event that tells of it.
    pub(crate) fn born_of(
        &mut self,
        request: &str,
        name: &str,
        email: &str,
        role: Option<&str>,
        now: Timestamp,
    ) -> String {
        let id = self.free_id();
        self.enter(&id, name, email, Joined::Created, now);
        let delay = jiff::SignedDuration::try_from(self.settings.role_delay).unwrap_or_default();
        let ready = now.checked_add(delay).unwrap_or(now);
        if let Some(account) = self.accounts.get_mut(&id) {
            if let Some(usual) = role.and_then(|_| account.roles.remove("OrganizationAccountAccessRole")) {
                account.roles.insert(role.unwrap_or_default().to_owned(), usual);
            }
            account.roles.values_mut().for_each(|role| role.available_at = Some(ready));
        }
        crate::event::account_created(self, request, Ok(&id), now);
        id
    }

    pub(crate) fn enter(&mut self, id: &str, name: &str, email: &str, joined: Joined, at: Timestamp) {
        let external_id = self.settings.external_id.clone();
        self.accounts.insert(id.to_owned(), Account::new(id, name, external_id, id != MANAGEMENT_ACCOUNT));
        self.organization.admit(id, name, email, joined, at);
    }

    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }

    pub fn account_mut(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.get_mut(id)
    }

    /// An account id nobody has: deterministic in the number of accounts there were.
    fn free_id(&mut self) -> String {
        loop {
            self.issued += 1;
            let id =
                format!("{:012}", 200_000_000_000 + hex_number("account", self.issued) % 700_000_000_000);
            if !self.accounts.contains_key(&id) {
                return id;
            }
        }
    }

    /// A fresh id in AWS's shape: a prefix and lower-case hex digits.
    pub(crate) fn next_id(&mut self, prefix: &str, digits: usize) -> String {
        self.issued += 1;
        format!("{prefix}{}", hex(&format!("{prefix}{}", self.issued), digits))
    }

    /// Finishes every account creation that is still IN_PROGRESS, for tests that do not poll.
    pub fn finish_account_creations(&mut self) {
        let waiting: Vec<String> = self.organization.create_requests.keys().cloned().collect();
        waiting
            .iter()
            .for_each(|id| crate::service::organizations::finish_creation(self, id, Timestamp::now()));
    }
}

fn hex_number(kind: &str, n: u64) -> u64 {
    u64::from_str_radix(&hex(&format!("{kind}{n}"), 15), 16).unwrap_or(n)
}
