//! A project.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::folder::mark;
use super::{BILLING_ACCOUNT, Governance};

/// What Landfall calls a tenant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    /// `acme-landfall`
    pub id: String,
    /// `415104041262`
    pub number: String,
    pub display_name: String,
    /// A folder or the organization.
    pub parent: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When its deletion was asked for: it is still there for thirty days.
    pub deleted_at: Option<Timestamp>,
    pub labels: BTreeMap<String, String>,
    /// The APIs that are enabled: `compute.googleapis.com`.
    pub services: BTreeSet<String>,
    /// Who pays: `01AB23-45CD67-89EF01`.
    pub billing_account: Option<String>,
    pub governance: Governance,
}

/// What a project made by the API or gcloud has enabled.
///
/// <https://cloud.google.com/service-usage/docs/enabled-service#default>
pub(crate) const DEFAULT_SERVICES: [&str; 14] = [
    "analyticshub.googleapis.com",
    "bigquery.googleapis.com",
    "bigquerystorage.googleapis.com",
    "cloudapis.googleapis.com",
    "cloudtrace.googleapis.com",
    "datastore.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "servicemanagement.googleapis.com",
    "serviceusage.googleapis.com",
    "sql-component.googleapis.com",
    "storage-api.googleapis.com",
    "storage-component.googleapis.com",
    "storage.googleapis.com",
];

impl Project {
    pub(crate) fn new(id: &str, number: &str, parent: &str, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            number: number.to_owned(),
            display_name: id.to_owned(),
            parent: parent.to_owned(),
            created_at: at,
            updated_at: at,
            deleted_at: None,
            labels: BTreeMap::new(),
            services: DEFAULT_SERVICES.map(str::to_owned).into_iter().collect(),
            billing_account: Some(BILLING_ACCOUNT.to_owned()),
            governance: Governance::default(),
        }
    }

    /// By its number: `projects/415104041262`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("projects/{}", self.number)
    }

    pub(crate) fn state(&self) -> &'static str {
        if self.deleted_at.is_some() { "DELETE_REQUESTED" } else { "ACTIVE" }
    }

    pub(crate) fn show(&self) -> Value {
        let mut shown = json!({
            "name": self.name(), "projectId": self.id, "parent": self.parent, "displayName": self.display_name,
            "state": self.state(), "createTime": self.created_at.to_string(), "updateTime": self.updated_at.to_string(),
        });
        if let Some(members) = shown.as_object_mut() {
            if let Some(at) = self.deleted_at {
                members.insert("deleteTime".to_owned(), json!(at.to_string()));
            }
            if !self.labels.is_empty() {
                members.insert("labels".to_owned(), json!(self.labels));
            }
        }
        mark(&mut shown);
        shown
    }
}
