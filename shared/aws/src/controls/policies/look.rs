//! What is attached to a place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use landfall_engine::cloud::Sighting;
use landfall_model::catalog::units::WantedUnit;
use landfall_model::catalog::{ControlKind, placement, units};
use landfall_model::desired::Desired;
use landfall_model::id::{Digest, Provider, TenantId, UnitPath};
use landfall_model::observed::Seen;
use landfall_model::target::Target;

use super::{OURS, QUARANTINE, pack};
use crate::client::service::ORGANIZATIONS;
use crate::controls::units::find;
use crate::directory::{Listed, PAGE, Policies, REGION, organizations};
use crate::error::CallError;
use crate::session::Session;

/// The policies at a place. The same before a unit exists as just after: nothing of ours, and one that allows everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Seated {
    /// Ours, by name.
    pub(super) attached: BTreeMap<String, Held>,
    /// Ours by name and made for this place, but not attached to it.
    pub(super) detached: BTreeMap<String, Held>,
    /// How many others are attached directly. At least one: AWS keeps one that allows on everything.
    pub(super) others: usize,
}

/// One policy of ours as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::controls) struct Held {
    pub(in crate::controls) id: String,
    /// The digest of what its document says.
    pub(in crate::controls) document: Digest,
    /// Characters in its document, as AWS has it.
    pub(in crate::controls) size: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    policy: Whole,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    content: String,
}

/// A policy's document; nothing where the policy is gone.
pub(in crate::controls) async fn describe(session: &Session, id: &str) -> Result<Option<Held>, CallError> {
    match organizations(&session.organization, "DescribePolicy", json!({"PolicyId": id})).await {
        Ok(reply) => {
            let Described { policy: Whole { content } } = reply.json()?;
            let size = content.chars().count();
            Ok(Some(Held { id: id.to_owned(), document: pack::digest(&content), size }))
        }
        Err(error) if error.code() == Some("PolicyNotFoundException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// The policies attached directly to a root, unit or account, and the number of the answer; nothing where that is gone.
pub(in crate::controls) async fn attached(
    session: &Session,
    target: &str,
) -> Result<Option<(Vec<Listed>, Option<String>)>, CallError> {
    let body = json!({"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY", "MaxResults": PAGE});
    let pages = session.organization.json_pages(&ORGANIZATIONS, REGION, "ListPoliciesForTarget", body).await;
    let pages = match pages {
        Ok(pages) => pages,
        Err(error)
            if matches!(
                error.code(),
                Some("TargetNotFoundException" | "OrganizationalUnitNotFoundException")
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for page in &pages {
        let Policies { policies } = page.json()?;
        all.extend(policies);
    }
    Ok(Some((all, pages.into_iter().next_back().and_then(|page| page.request_id))))
}

/// Looks at one place: a unit's path or an account's id.
pub(super) async fn look(
    session: &Session,
    desired: &Desired,
    resource: &str,
) -> Result<Sighting, CallError> {
    let directory = &session.directory;
    let account = TenantId::new(Provider::Aws, resource).is_ok()
        && desired.target.tenant().is_some_and(|tenant| tenant.native() == resource);
    let target = if account {
        Some(resource.to_owned())
    } else {
        let path: UnitPath = match resource.parse() {
            Ok(path) => path,
            Err(error) => {
                return Ok(Sighting { seen: Seen::Unreadable(format!("{error}")), request: None });
            }
        };
        let tree = directory.tree().await?;
        find(&tree, &wanted(desired), &path).map(|node| node.id.clone())
    };
    let found = match &target {
        Some(target) => attached(session, target).await?,
        None => None,
    };
    if target.is_some() && found.is_none() {
        // Deleted since the tree was read.
        directory.forget().await;
    }
    let (listed, request) = found.unwrap_or_default();
    let mut seated = Seated::default();
    for Listed { id, name } in listed {
        if name == QUARANTINE {
            continue;
        }
        if !name.starts_with(OURS) {
            seated.others += 1;
        } else if let Some(held) = describe(session, &id).await? {
            seated.attached.insert(name, held);
        }
    }
    seated.others = seated.others.max(1);
    // Only who makes the policies of a place needs to know which are left over.
    if account || matches!(desired.target, Target::Organization(_)) {
        let base = pack::base(resource);
        for Listed { id, name } in directory.policies().await? {
            if pack::belongs(&base, &name)
                && !seated.attached.contains_key(&name)
                && let Some(held) = describe(session, &id).await?
            {
                seated.detached.insert(name, held);
            }
        }
    }
    Ok(Sighting { seen: Seen::present(&seated), request })
}

/// Which existing units the manifest's stand for: all of them for the organization, those above it for a tenant.
fn wanted(desired: &Desired) -> Vec<WantedUnit> {
    let all = desired.asked(ControlKind::Units).and_then(|asked| asked.want::<units::Settings>().ok());
    let line =
        desired.asked(ControlKind::Placement).and_then(|asked| asked.want::<placement::Settings>().ok());
    all.map(|settings| settings.units).or(line.map(|settings| settings.line)).unwrap_or_default()
}
