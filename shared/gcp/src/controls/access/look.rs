//! What Google Cloud has: who holds which role in the project, and the definitions of the manifest's own roles.

use landfall_engine::cloud::Sighting;
use landfall_model::desired::Desired;

use super::{Definition, Held, Holder, Owners, member};
use crate::client::Client;
use crate::client::service::{IAM, RESOURCES};
use crate::controls::{absent, iam_policy, seen};
use crate::error::CallError;
use crate::session::Session;

/// How a group holds a role in the project's own policy.
pub(super) async fn grant(session: &Session, group: &str, role: &str) -> Result<Sighting, CallError> {
    let (reply, policy) = iam_policy::read(&session.client, &RESOURCES, &session.scope()).await?;
    let held = match policy.holding(role, &member(group)) {
        None => Held::default(),
        Some(holding) => Held { held: !holding.conditional, under_condition: holding.conditional },
    };
    Ok(seen(&reply, &held))
}

/// Everybody whose role lets them hand out rights on the project, or take its policies away, and everybody whose role may. As long as
/// the gate may be closed, those further up count as well.
pub(super) async fn owners(session: &Session, desired: &Desired) -> Result<Sighting, CallError> {
    let Session { client, project, directory, .. } = session;
    let here = session.scope();
    let mut owners = Owners::default();
    let request = of_place(session, &here, &mut owners).await?;
    if desired.standing.before_handover() {
        let tree = directory.tree().await?;
        let mut at = directory.project(project).await?.parent;
        loop {
            of_place(session, &at, &mut owners).await?;
            match tree.folders.get(&at) {
                Some(folder) => at.clone_from(&folder.parent),
                None if at == tree.root => break,
                // A folder that was made since the tree was read: without it nobody could say who is above.
                None => at = parent(client, &at).await?,
            }
        }
    }
    Ok(Sighting { seen: landfall_model::observed::Seen::present(&owners), request })
}

async fn parent(client: &Client, folder: &str) -> Result<String, CallError> {
    let folder: crate::directory::Folder = client.get(&RESOURCES, folder).await?.json()?;
    Ok(folder.parent)
}

/// Those of one place.
async fn of_place(session: &Session, place: &str, owners: &mut Owners) -> Result<Option<String>, CallError> {
    let (reply, policy) = iam_policy::read(&session.client, &RESOURCES, place).await?;
    for holding in policy.holdings() {
        // Who was deleted does nothing any more.
        if holding.member.starts_with("deleted:") {
            continue;
        }
        let holder = || Holder {
            member: holding.member.to_owned(),
            role: holding.role.to_owned(),
            place: place.to_owned(),
            condition: holding.conditional,
        };
        match session.directory.ways_out(holding.role).await? {
            Some(true) => owners.holders.insert(holder()),
            Some(false) => false,
            // That a role can't be read says nothing about what it lets people do.
            None => owners.unread.insert(holder()),
        };
    }
    Ok(reply.request_id)
}

/// The definition of a role of the manifest.
pub(super) async fn definition(session: &Session, name: &str) -> Result<Sighting, CallError> {
    match session.client.get(&IAM, name).await {
        Ok(reply) => Ok(seen(&reply, &reply.json::<Definition>()?)),
        Err(error) if error.is_not_found() => Ok(absent(&error)),
        Err(error) => Err(error),
    }
}
