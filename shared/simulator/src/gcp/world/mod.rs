//! The state of the simulated organization: plain public fields, so that a test can break anything by hand.

mod folder;
mod governance;
mod iam_policy;
mod project;
mod sample;
pub(crate) mod tag;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use folder::{Folder, Organization};
pub use governance::{Governance, Things};
pub use iam_policy::{Binding, IamPolicy};
pub use project::Project;

use super::event;
use super::operation::Operation;
use crate::permit::Taken;
use crate::world::hex;

/// The organization's number.
pub const ORGANIZATION: &str = "123456789012";
/// Its customer id in Cloud Identity.
pub const CUSTOMER: &str = "C0acme123";
/// The project that Landfall runs in.
pub const CONTROLLER_PROJECT: &str = "acme-landfall";
/// The sample's one folder, which was there before Landfall.
pub const LEGACY_FOLDER: &str = "folders/300000000001";
/// The billing account that pays for every project.
pub const BILLING_ACCOUNT: &str = "01AB23-45CD67-89EF01";
/// A user who makes projects, and owns them.
pub const CREATOR: &str = "user:founder@acme.example";
/// The identity of whoever calls with a token that begins with `landfall-read`.
pub const READ_IDENTITY: &str = "serviceAccount:landfall-read@acme-landfall.iam.gserviceaccount.com";
/// The identity of whoever calls with a token that begins with `landfall-write` or `landfall-own`.
pub const WRITE_IDENTITY: &str = "serviceAccount:landfall-write@acme-landfall.iam.gserviceaccount.com";

/// How this cloud behaves; a test may change any of it while the simulator runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GcpSettings {
    /// How many polls of a long-running operation still answer that it is not done; with none the first answer has the outcome.
    pub operation_polls: u32,
    /// How many looks it takes until an API that was enabled shows, and may be used.
    pub activation_looks: u32,
    /// Whether lists begin every second page with an empty one.
    pub empty_pages: bool,
    /// How many things a page holds at most, where the API does not say fewer.
    pub page_size: usize,
    /// Whether reads and writes of deny policies are counted: five of each a minute.
    pub deny_quota: bool,
    /// Permissions that deny policies don't know, beside those that are not written as permissions.
    pub undeniable: BTreeSet<String>,
    /// The permissions that Landfall's identities hold, by the members that they are: anything else is denied to them. One that is not
    /// here may do whatever it could without.
    pub grants: BTreeMap<String, BTreeSet<String>>,
    /// Seconds that `Retry-After` asks to wait when calls are throttled; most of Google's APIs don't say.
    pub retry_after: Option<u32>,
}

impl Default for GcpSettings {
    fn default() -> Self {
        Self {
            operation_polls: 1,
            activation_looks: 0,
            empty_pages: false,
            page_size: 1_000,
            deny_quota: false,
            undeniable: BTreeSet::new(),
            grants: BTreeMap::new(),
            retry_after: None,
        }
    }
}

/// Everything the simulator knows.
#[derive(Debug, Clone, Serialize)]
pub struct GcpWorld {
    pub settings: GcpSettings,
    pub organization: Organization,
    /// By their names: `folders/300000000001`.
    pub folders: BTreeMap<String, Folder>,
    /// By their ids: `acme-landfall`.
    pub projects: BTreeMap<String, Project>,
    /// What billing accounts hold, by their ids.
    pub billing_accounts: BTreeMap<String, Governance>,
    /// Whom a bearer token stands for, beside Landfall's own: `ada` is `user:ada@acme.example`. What they may do is said by IAM.
    pub tokens: BTreeMap<String, String>,
    /// Who is in which group: `group:break-glass@acme.example` has `user:ada@acme.example`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Long-running operations by API and name.
    #[serde(skip)]
    pub(crate) operations: BTreeMap<String, Operation>,
    /// Those that are not done.
    #[serde(skip)]
    pub(crate) pending: BTreeSet<String>,
    /// When deny policies were read (`true`) and written, by the resource they hang on.
    #[serde(skip)]
    pub(crate) deny_calls: BTreeMap<(String, bool), Vec<Timestamp>>,
    /// The permissions that calls took, of identities that are granted some.
    #[serde(skip)]
    pub taken: Taken,
    #[serde(skip)]
    pub(crate) events: Vec<Value>,
    pub(crate) issued: u64,
    /// Where the simulator listens; links in answers begin with it.
    #[serde(skip)]
    pub(crate) endpoint: String,
}

/// The part of a world that lags.
#[derive(Debug, Clone)]
pub(crate) struct Estate {
    organization: Organization,
    folders: BTreeMap<String, Folder>,
    projects: BTreeMap<String, Project>,
    billing_accounts: BTreeMap<String, Governance>,
}

impl GcpWorld {
    /// An organization with one billing account and nothing else.
    #[must_use]
    pub fn new() -> Self {
        Self {
            settings: GcpSettings::default(),
            organization: Organization::new(ORGANIZATION, "acme.example", CUSTOMER),
            folders: BTreeMap::new(),
            projects: BTreeMap::new(),
            billing_accounts: BTreeMap::from([(BILLING_ACCOUNT.to_owned(), Governance::default())]),
            tokens: BTreeMap::new(),
            groups: BTreeMap::new(),
            operations: BTreeMap::new(),
            pending: BTreeSet::new(),
            deny_calls: BTreeMap::new(),
            taken: Taken::default(),
            events: Vec::new(),
            issued: 0,
            endpoint: String::new(),
        }
    }

    /// Landfall's own project, a folder that was there before, and `projects` more right below the organization: `team-0001`, … See
    /// the file for what they have.
    #[must_use]
    pub fn sample(projects: usize) -> Self {
        sample::build(projects)
    }

    /// A project by its id, or by its number.
    #[must_use]
    pub fn project(&self, named: &str) -> Option<&Project> {
        self.projects.get(named).or_else(|| self.projects.values().find(|project| project.number == named))
    }

    pub fn project_mut(&mut self, named: &str) -> Option<&mut Project> {
        let id = self.project(named)?.id.clone();
        self.projects.get_mut(&id)
    }

    /// What an organization, a folder, a project or a billing account holds, by its name: `projects/acme-landfall`.
    #[must_use]
    pub fn governance(&self, name: &str) -> Option<&Governance> {
        let (kind, id) = name.split_once('/')?;
        match kind {
            "organizations" => (self.organization.number == id).then_some(&self.organization.governance),
            "folders" => self.folders.get(name).map(|folder| &folder.governance),
            "projects" => self.project(id).map(|project| &project.governance),
            "billingAccounts" => self.billing_accounts.get(id),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn at(&mut self, name: &str) -> Option<&mut Governance> {
        let (kind, id) = name.split_once('/')?;
        match kind {
            "organizations" => (self.organization.number == id).then_some(&mut self.organization.governance),
            "folders" => self.folders.get_mut(name).map(|folder| &mut folder.governance),
            "projects" => self.project_mut(id).map(|project| &mut project.governance),
            "billingAccounts" => self.billing_accounts.get_mut(id),
            _ => None,
        }
    }

    /// A resource's name as Google answers it: projects by their numbers.
    pub(crate) fn canonical(&self, name: &str) -> String {
        match name.split_once('/') {
            Some(("projects", id)) => self.project(id).map_or_else(|| name.to_owned(), Project::name),
            _ => name.to_owned(),
        }
    }

    /// The resource itself and everything above it, nearest first; names as they are kept, projects by their ids.
    pub(crate) fn way_up(&self, name: &str) -> Vec<String> {
        let mut way = Vec::new();
        let mut at = name.to_owned();
        // Deeper than any tree may be: a circle ends here as well.
        for _ in 0..20 {
            let parent = match at.split_once('/') {
                Some(("projects", id)) => self.project(id).map(|project| project.parent.clone()),
                Some(("folders", _)) => self.folders.get(&at).map(|folder| folder.parent.clone()),
                _ => None,
            };
            way.push(at);
            match parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        way
    }

    /// Whether projects and folders can be put there.
    pub(crate) fn is_parent(&self, name: &str) -> bool {
        name == self.organization.name()
            || self.folders.get(name).is_some_and(|folder| folder.deleted_at.is_none())
    }

    /// A project of this id in a folder or the organization, as if somebody had just made it: a creation event tells of it. Answers
    /// its number.
    pub fn create_project(&mut self, id: &str, parent: &str) -> String {
        let number = self.add_project(id, parent, Timestamp::now());
        self.give(&format!("projects/{id}"), "roles/owner", CREATOR);
        event::project_made(self, id, CREATOR);
        number
    }

    /// What the audit log says at the end of a project's creation, as Eventarc sends it; see [`event`].
    #[must_use]
    pub fn creation_event(&self, project: &str) -> Option<Value> {
        self.project(project).map(|project| event::cloud_event(&event::creation(project, CREATOR)))
    }

    /// A project that is just there. Answers its number.
    pub fn add_project(&mut self, id: &str, parent: &str, at: Timestamp) -> String {
        let number = self.number().to_string();
        let project = Project::new(id, &number, parent, at);
        self.projects.insert(id.to_owned(), project);
        number
    }

    /// A folder that is just there. Answers its name.
    pub fn add_folder(&mut self, display_name: &str, parent: &str) -> String {
        let name = format!("folders/{}", self.number());
        self.folders.insert(name.clone(), Folder::new(&name, display_name, parent, Timestamp::now()));
        name
    }

    /// Binds a role to a member in a resource's IAM policy.
    pub fn give(&mut self, name: &str, role: &str, member: &str) {
        if let Some(governance) = self.at(name) {
            governance.iam.give(role, member);
        }
    }

    /// A number that nothing else has: twelve digits, as projects and folders have.
    pub(crate) fn number(&mut self) -> u64 {
        self.issued += 1;
        415_104_041_000 + self.issued
    }

    pub(crate) fn estate(&self) -> Estate {
        Estate {
            organization: self.organization.clone(),
            folders: self.folders.clone(),
            projects: self.projects.clone(),
            billing_accounts: self.billing_accounts.clone(),
        }
    }

    pub(crate) fn swap(&mut self, estate: &mut Estate) {
        let Estate { organization, folders, projects, billing_accounts } = estate;
        std::mem::swap(&mut self.organization, organization);
        std::mem::swap(&mut self.folders, folders);
        std::mem::swap(&mut self.projects, projects);
        std::mem::swap(&mut self.billing_accounts, billing_accounts);
    }
}

impl Default for GcpWorld {
    fn default() -> Self {
        Self::new()
    }
}

/// A checksum of something, as etags are: base64 of eight bytes. What did not change keeps its etag.
pub(crate) fn etag(of: &str) -> String {
    use base64::Engine as _;
    let digits = hex(of, 16);
    let bytes = digits.as_bytes().chunks(2).filter_map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    base64::engine::general_purpose::STANDARD.encode(bytes.collect::<Vec<u8>>())
}
