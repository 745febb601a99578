//! Who looks at a project and who writes to it: two identities, two types.
//!
//! A [`Reader`] calls as the manifest's read account, a [`Writer`] as its write account. The function's own identity can impersonate
//! both and reach its store and queue, nothing else. At a desk both are the person who signed in.

use landfall_model::manifest::{GcpCloud, GcpIdentities};
use serde_json::{Value, json};

use crate::client::service::RESOURCES;
use crate::client::{Client, Gcp};
use crate::directory::{Directory, Project};
use crate::error::{CallError, ConfigError};
use crate::identity::Who;

/// The way to one target.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// The project's id; empty where the target is the organization.
    pub(crate) project: String,
    /// Calls, as this session's identity.
    pub(crate) client: Client,
    /// What the organization has, looked up once, as the identity that can only look.
    pub(crate) directory: Directory,
    /// The cloud as the manifest says.
    pub(crate) ground: GcpCloud,
}

/// Looks; its identity can't write.
#[derive(Debug, Clone)]
pub(crate) struct Reader(pub(crate) Session);

/// Writes.
#[derive(Debug, Clone)]
pub(crate) struct Writer(pub(crate) Session);

impl Session {
    /// The target as a parent of resources: `projects/<id>`, or `organizations/<number>`.
    pub(crate) fn scope(&self) -> String {
        if self.project.is_empty() {
            format!("organizations/{}", self.ground.organization)
        } else {
            format!("projects/{}", self.project)
        }
    }

    /// `projects/<number>`, by which some APIs want a project named.
    pub(crate) async fn numbered(&self) -> Result<String, CallError> {
        match self.directory.tree().await?.projects.get(&self.project) {
            Some(project) => Ok(project.name.clone()),
            // It was made since the tree was read.
            None => Ok(self.directory.project(&self.project).await?.name),
        }
    }
}

/// How often the project is read again because somebody else wrote meanwhile.
const TURNS: usize = 5;

impl Writer {
    /// Changes one member of the project to what is made of the project as it is now.
    pub(crate) async fn change_project(
        &self,
        member: &str,
        becomes: impl Fn(Project) -> Value + Send + Sync,
    ) -> Result<(), CallError> {
        let Session { client, project, directory, .. } = &self.0;
        let path = format!("projects/{project}");
        let mut turn = 0;
        loop {
            let project: Project = client.get(&RESOURCES, &path).await?.json()?;
            let etag = project.etag.clone();
            let body = json!({member: becomes(project), "etag": etag});
            match client.patch(&RESOURCES, &format!("{path}?updateMask={member}"), &body).await {
                Err(error) if error.is_conflict() && turn < TURNS => turn += 1,
                Err(error) => return Err(error),
                Ok(reply) => {
                    client.finish(reply).await?;
                    directory.forget_tree().await;
                    return Ok(());
                }
            }
        }
    }
}

/// Makes the two kinds of sessions.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    reading: Client,
    writing: Client,
    ground: GcpCloud,
    directory: Directory,
}

impl Door {
    pub(crate) fn new(gcp: &Gcp, ground: GcpCloud) -> Result<Self, ConfigError> {
        let GcpIdentities { read, write, bootstrap: _ } = &ground.identities;
        let reading = gcp.client(&Who::Read(read.clone()))?;
        let writing = gcp.client(&Who::Write(write.clone()))?;
        let directory = Directory::new(reading.clone(), &ground);
        Ok(Door { reading, writing, ground, directory })
    }

    pub(crate) const fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(crate) fn reader(&self, project: &str) -> Reader {
        Reader(self.session(project, &self.reading))
    }

    pub(crate) fn writer(&self, project: &str) -> Writer {
        Writer(self.session(project, &self.writing))
    }

    fn session(&self, project: &str, client: &Client) -> Session {
        Session {
            project: project.to_owned(),
            client: client.clone(),
            directory: self.directory.clone(),
            ground: self.ground.clone(),
        }
    }
}
