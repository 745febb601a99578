//! What the organization has, looked up once for a sweep, and anew for every run of its own: its tree of folders and its projects.
//!
//! What is remembered here only finds things; whether a setting holds is always judged by a look of its own.

mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use landfall_engine::cloud::{LookError, Page, Surveyed};
use landfall_engine::control::{Permissions, chain};
use landfall_engine::permissions::Errand;
use landfall_engine::remembered::{NAMES, Remembered};
use landfall_model::catalog::ControlKind;
use landfall_model::facts::{Facts, Origin, State};
use landfall_model::id::{Provider, TenantId};
use landfall_model::manifest::GcpCloud;
use landfall_model::observed::{Address, Look, Observed, Seen};

use crate::client::Client;
use crate::client::service::RESOURCES;
use crate::error::CallError;

/// What the directory calls for everybody; what it looks up for a control is that control's.
///
/// Searching shows what may be seen, <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>,
/// <https://cloud.google.com/resource-manager/reference/rest/v3/folders/search>.
pub(crate) const ERRAND: Errand = Errand {
    name: "directory",
    needs: Permissions { read: &["resourcemanager.folders.get", "resourcemanager.projects.get"], write: &[] },
};

/// Projects in one page of a sweep: small enough that a record of them is read quickly by each of their workers.
const PAGE: usize = 50;

/// The organization, as one identity that can only look.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    client: Client,
    /// `organizations/<number>`.
    root: String,
    tree: Remembered<Arc<Tree>>,
    roles: roles::Roles,
}

/// The organization's folders and projects.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// `organizations/<number>`.
    pub(crate) root: String,
    /// Folders by their names, such as `folders/345678901234`.
    pub(crate) folders: BTreeMap<String, Folder>,
    /// Projects by their ids.
    pub(crate) projects: BTreeMap<String, Project>,
}

/// A folder as Resource Manager knows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Folder {
    /// `folders/345678901234`.
    pub(crate) name: String,
    /// The folder or organization it is in.
    #[serde(default)]
    pub(crate) parent: String,
    #[serde(default)]
    pub(crate) display_name: String,
    #[serde(default)]
    pub(crate) state: String,
}

/// A project as Resource Manager knows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Project {
    /// `projects/415104041262`: its number.
    pub(crate) name: String,
    /// The folder or organization it is in.
    #[serde(default)]
    pub(crate) parent: String,
    pub(crate) project_id: String,
    #[serde(default)]
    pub(crate) display_name: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) create_time: Option<Timestamp>,
    #[serde(default)]
    pub(crate) etag: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

impl Project {
    /// The number alone, by which some APIs name projects.
    pub(crate) fn number(&self) -> &str {
        self.name.strip_prefix("projects/").unwrap_or(&self.name)
    }

    fn facts(&self) -> Facts {
        Facts {
            name: if self.display_name.is_empty() {
                self.project_id.clone()
            } else {
                self.display_name.clone()
            },
            state: match self.state.as_str() {
                "ACTIVE" => State::Active,
                "DELETE_REQUESTED" => State::Closing,
                // What Google may add: nothing is written where we don't know.
                _ => State::Unclear,
            },
            // A project that was moved in from elsewhere keeps the time of its creation, by which it is told from a new one.
            origin: Origin::Created,
            joined: self.create_time,
        }
    }
}

impl Tree {
    /// The folder of this name, unless it is being deleted.
    pub(crate) fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.get(name).filter(|folder| folder.state != "DELETE_REQUESTED")
    }

    /// The folder of this display name in a folder or the organization.
    pub(crate) fn child(&self, parent: &str, display_name: &str) -> Option<&Folder> {
        self.folders.values().find(|folder| {
            folder.parent == parent
                && folder.display_name == display_name
                && folder.state != "DELETE_REQUESTED"
        })
    }

    /// How many projects are in a folder or the organization, and in everything below it.
    pub(crate) fn projects_below(&self, name: &str) -> u32 {
        let below = self.projects.values().filter(|project| self.is_below(&project.parent, name)).count();
        u32::try_from(below).unwrap_or(u32::MAX)
    }

    /// Whether `name` is `above`, or somewhere below it.
    pub(crate) fn is_below(&self, name: &str, above: &str) -> bool {
        let mut at = name;
        // Deeper than any tree may be: a circle ends here as well.
        for _ in 0..20 {
            if at == above {
                return true;
            }
            match self.folders.get(at) {
                Some(folder) => at = &folder.parent,
                None => return false,
            }
        }
        false
    }
}

impl Directory {
    pub(crate) fn new(client: Client, ground: &GcpCloud) -> Self {
        let root = format!("organizations/{}", ground.organization);
        Directory { client, root, tree: Remembered::new(NAMES), roles: roles::Roles::default() }
    }

    /// `organizations/<number>`.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The tree below the organization, read once. Who changed it forgets it.
    pub(crate) async fn tree(&self) -> Result<Arc<Tree>, CallError> {
        self.tree.get(async { self.read().await.map(Arc::new) }).await
    }

    /// The next who asks for the tree reads it anew.
    pub(crate) async fn forget_tree(&self) {
        self.tree.forget().await;
    }

    /// Everything is looked up anew.
    pub(crate) async fn forget_all(&self) {
        self.tree.forget().await;
        self.roles.forget().await;
    }

    /// Whether a role lets its holders out of a project's gate; nothing where it could not be read.
    pub(crate) async fn ways_out(&self, role: &str) -> Result<Option<bool>, CallError> {
        self.roles.ways_out(&self.client, role).await
    }

    async fn read(&self) -> Result<Tree, CallError> {
        let (reply, folders) = self.client.list(&RESOURCES, "folders:search?pageSize=300", "folders").await?;
        let read =
            |value: Value| serde_json::from_value::<Folder>(value).map_err(|error| reply.unreadable(error));
        let mut tree = Tree { root: self.root.clone(), ..Tree::default() };
        for folder in folders {
            let folder = read(folder)?;
            tree.folders.insert(folder.name.clone(), folder);
        }
        let (reply, projects) =
            self.client.list(&RESOURCES, "projects:search?pageSize=500", "projects").await?;
        for value in projects {
            let project: Project = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            // Somebody else's, that we were given rights on, is none of this organization.
            if tree.is_below(&project.parent, &self.root) {
                tree.projects.insert(project.project_id.clone(), project);
            }
        }
        Ok(tree)
    }

    /// What Resource Manager says of one project, asked anew.
    pub(crate) async fn project(&self, id: &str) -> Result<Project, CallError> {
        self.client.get(&RESOURCES, &format!("projects/{id}")).await?.json()
    }

    /// What the organization's directory says of a tenant; nothing when it is not one of its projects.
    pub(crate) async fn facts(&self, tenant: &TenantId) -> Result<Option<Facts>, LookError> {
        const DOING: &str = "ask what a project is";
        let project = match self.project(tenant.native()).await {
            Ok(project) => project,
            // Google does not tell one that is not there from one that may not be seen; the list says which it is.
            Err(error) if error.is_not_found() || error.is_denied() => {
                let tree = self.tree().await.map_err(|error| unseen(DOING, &error))?;
                if tree.projects.contains_key(tenant.native()) {
                    return Err(unseen(DOING, &error));
                }
                return Ok(None);
            }
            Err(error) => return Err(unseen(DOING, &error)),
        };
        let tree = self.tree().await.map_err(|error| unseen(DOING, &error))?;
        if !tree.is_below(&project.parent, &self.root) {
            // A folder that was made since the tree was read.
            self.forget_tree().await;
            let tree = self.tree().await.map_err(|error| unseen(DOING, &error))?;
            return Ok(tree.is_below(&project.parent, &self.root).then(|| project.facts()));
        }
        Ok(Some(project.facts()))
    }

    /// One page of projects, by their ids; the cursor is the last one of the page before.
    pub(crate) async fn page(&self, cursor: Option<&str>) -> Result<Page, LookError> {
        if cursor.is_none() {
            self.tree.forget().await;
        }
        let tree = self.tree().await.map_err(|error| unseen("list the projects", &error))?;
        let at = Timestamp::now();
        let ids: BTreeSet<&String> = tree.projects.keys().collect();
        let mut rest = ids.into_iter().filter(|id| cursor.is_none_or(|last| id.as_str() > last));
        let mut tenants = Vec::new();
        let mut last = None;
        for id in rest.by_ref().take(PAGE) {
            last = Some(id.clone());
            let (Ok(tenant), Some(project)) = (TenantId::new(Provider::Gcp, id), tree.projects.get(id))
            else {
                continue;
            };
            let mut seen = Observed::default();
            let look = Look { seen: Seen::Present(json!({"parent": project.parent})), at, request: None };
            seen.0.insert(Address::global(ControlKind::Placement, "project"), look);
            tenants.push(Surveyed { tenant, facts: project.facts(), seen });
        }
        let next = rest.next().and(last);
        Ok(Page { tenants, next })
    }
}

fn unseen(doing: &str, error: &CallError) -> LookError {
    LookError { doing: doing.to_owned(), why: chain(error) }
}

#[cfg(test)]
pub(crate) mod tests;
