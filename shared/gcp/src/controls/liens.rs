//! Liens: what keeps a project from being deleted until somebody takes it away, row G25. `protect-baseline` and `resource-locks` place
//! one each, told apart by its origin; those of others are left alone.
//!
//! A lien can't be changed, and has a name that Google gives: one that is not as it should be is joined by one that is.
//! <https://cloud.google.com/resource-manager/docs/project-liens>

use serde::{Deserialize, Serialize};
use serde_json::json;

use landfall_engine::cloud::Sighting;
use landfall_model::judgement::Verdict;
use landfall_model::observed::Address;
use landfall_model::plan::{Change, Deed};

use super::{json, nothing, seen};
use crate::client::Reply;
use crate::client::service::RESOURCES;
use crate::error::CallError;
use crate::session::Session;

/// The one restriction that liens on projects have.
const DELETE: &str = "resourcemanager.projects.delete";

/// To look.
pub(super) const READ: &[&str] = &["resourcemanager.projects.get"];

/// To place one, after a look whether it is there.
pub(super) const WRITE: &[&str] = &["resourcemanager.projects.get", "resourcemanager.projects.updateLiens"];

/// A lien, in Google's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lien {
    #[serde(default)]
    origin: String,
    #[serde(default)]
    restrictions: Vec<String>,
}

impl Lien {
    fn of(origin: &str) -> Self {
        Lien { origin: origin.to_owned(), restrictions: vec![DELETE.to_owned()] }
    }
}

/// Whether the project has the lien of this origin.
async fn find(session: &Session, origin: &str) -> Result<(Reply, Option<Lien>), CallError> {
    let path = format!("liens?parent={}", session.numbered().await?);
    let (reply, all) = session.client.list(&RESOURCES, &path, "liens").await?;
    for value in all {
        let lien: Lien = serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
        if lien.origin == origin && lien.restrictions.iter().any(|one| one == DELETE) {
            return Ok((reply, Some(lien)));
        }
    }
    Ok((reply, None))
}

pub(super) async fn look(session: &Session, origin: &str) -> Result<Sighting, CallError> {
    let (reply, lien) = find(session, origin).await?;
    Ok(lien.map_or_else(|| nothing(&reply), |lien| seen(&reply, &lien)))
}

/// Places the lien, unless it is there: Google takes any number of the same.
pub(super) async fn place(session: &Session, origin: &str) -> Result<(), CallError> {
    let (_, there) = find(session, origin).await?;
    if there.is_none() {
        let Lien { origin, restrictions } = Lien::of(origin);
        let body = json!({
            "parent": session.numbered().await?, "origin": origin, "restrictions": restrictions,
            "reason": "The organization's manifest asks for this lien; Landfall puts it back.",
        });
        session.client.post(&RESOURCES, "liens", &body).await?;
    }
    Ok(())
}

pub(super) fn compare(address: &Address, origin: &str, there: Option<&Lien>) -> Verdict {
    match there {
        Some(_) => Verdict::Holds,
        None => {
            let reason = format!("no lien of `{origin}` keeps the project from being deleted");
            Verdict::fails(Change::new(address, "place", Deed::Create, reason).after(json(&Lien::of(origin))))
        }
    }
}
