//! `policies` on Azure: policy definitions, assignments and exemptions, rows Z6, Z7, Z8 and Z28.
//!
//! ```text
//! what a place asks ─► assignments ─► compared with what is assigned ─► changes
//!                      compile        judge
//! ```
//!
//! What Azure's built-in definitions say is assigned as it is; what they do not is said by definitions of our own at the root group,
//! which the organization's target keeps. Ours are the assignments whose names begin with `lf-`; those of others are counted, because
//! a scope takes only so many, and never touched.

mod assignment;
mod carried;
mod compile;
mod definition;
mod drafts;
mod exemption;
mod grant;
mod initiatives;
mod judge;
mod look;
mod ours;
mod quarantine;
mod quota;
mod remediation;
#[cfg(test)]
mod wire;

pub(super) use assignment::{Assignment, Held, look_assignment};
pub(super) use carried::InPolicies;
pub(super) use definition::{Definition, look_definition};
pub(super) use quarantine::{QUARANTINE, quarantine, quarantined};
pub(super) use remediation::Remediation;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Control, Judge, Permissions};
use landfall_model::catalog::policies::{At, Point, Settings};
use landfall_model::catalog::units::{self as units_catalog, WantedUnit};
use landfall_model::catalog::{ControlKind, placement};
use landfall_model::desired::Desired;
use landfall_model::id::UnitPath;
use landfall_model::judgement::Judgement;
use landfall_model::manifest::AzureCloud;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::Change;
use landfall_model::target::Target;

use self::grant::Grant;
use super::{Azure, ground, lifted, units};
use crate::client::Reply;
use crate::client::service::{EXEMPTIONS, POLICY, ROLES};
use crate::directory::group_path;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

const KIND: ControlKind = ControlKind::Policies;

/// How the names of our assignments and exemptions begin.
const OURS: &str = "lf-";

/// What people who find one of ours read.
const DESCRIPTION: &str =
    "Made by Landfall from the organization's manifest. A change made by hand is put back.";

/// Why a tenant that asks for nothing itself carries nothing.
const NOTHING: &str = "nothing is asked of it beyond what its units ask";

pub(super) struct Policies;

/// The places that the target's own asking names.
fn points(desired: &Desired) -> Vec<Point> {
    let settings = desired.asked(KIND).and_then(|asked| asked.want::<Settings>().ok());
    settings.map(|settings| settings.points).unwrap_or_default()
}

/// What a place is called in addresses.
fn resource(at: &At) -> String {
    match at {
        At::Unit(path) => path.as_str().to_owned(),
        At::Tenant(tenant) => tenant.native().to_owned(),
    }
}

fn address(at: &At) -> Address {
    Address::global(KIND, resource(at))
}

/// The address of the definitions of our own. No unit is called so.
fn definitions_at() -> Address {
    Address::global(KIND, "landfall-*")
}

/// A place as a scope of Azure's.
fn scope(at: &At, desired: &Desired, ground: &AzureCloud) -> String {
    match at {
        At::Unit(path) => group_path(&group(path, desired, ground)),
        At::Tenant(tenant) => format!("/subscriptions/{}", tenant.native()),
    }
}

/// The id of the management group that a unit stands for.
fn group(path: &UnitPath, desired: &Desired, ground: &AzureCloud) -> String {
    units::group_id(ground, units::adopted(&units_of(desired), path), path)
}

/// Which existing groups the manifest's units stand for: all of them for the organization, those above it for a tenant.
fn units_of(desired: &Desired) -> Vec<WantedUnit> {
    let all =
        desired.asked(ControlKind::Units).and_then(|asked| asked.want::<units_catalog::Settings>().ok());
    let line =
        desired.asked(ControlKind::Placement).and_then(|asked| asked.want::<placement::Settings>().ok());
    all.map(|settings| settings.units).or(line.map(|settings| settings.line)).unwrap_or_default()
}

/// Why a place needs no look: no call is made for a tenant that asks for nothing and never carried anything of ours.
fn idle(point: &Point, desired: &Desired) -> Option<&'static str> {
    let At::Tenant(_) = &point.at else { return None };
    (point.asks.is_empty() && !desired.record.made.contains(&address(&point.at))).then_some(NOTHING)
}

/// Whether a place is asked to carry an assignment that acts.
fn acts(desired: &Desired, at: &Address) -> bool {
    let Some(ground) = ground(desired) else { return false };
    let points = points(desired);
    let mut here = points.iter().filter(|point| address(&point.at) == *at);
    here.any(|point| {
        compile::due(point, desired, ground).is_ok_and(|all| all.iter().any(|one| one.acts.is_some()))
    })
}

/// Whether a place of the target's own assigns a definition of ours.
fn rests_on_ours(point: &Point, desired: &Desired) -> bool {
    let Some(ground) = ground(desired).filter(|_| point.own) else { return false };
    let assignments = compile::assignments(point, ground).unwrap_or_default();
    assignments.iter().any(|one| ours::of(ground, &one.definition).is_some())
}

#[async_trait]
impl Control for Policies {
    const KIND: ControlKind = KIND;
    const PERMISSIONS: Permissions = Permissions {
        read: &[
            "Microsoft.Authorization/policyAssignments/read",
            "Microsoft.Authorization/policyDefinitions/read",
            "Microsoft.Authorization/policyExemptions/read",
            // Whether the identity of an assignment that acts holds its role.
            "Microsoft.Authorization/roleAssignments/read",
            "Microsoft.Management/managementGroups/descendants/read",
        ],
        write: &[
            // A lock of ours is lifted for a deletion.
            "Microsoft.Authorization/locks/delete",
            "Microsoft.Authorization/locks/read",
            "Microsoft.Authorization/locks/write",
            "Microsoft.Authorization/policyAssignments/delete",
            "Microsoft.Authorization/policyAssignments/exempt/action",
            "Microsoft.Authorization/policyAssignments/write",
            "Microsoft.Authorization/policyDefinitions/write",
            "Microsoft.Authorization/policyExemptions/delete",
            "Microsoft.Authorization/policyExemptions/write",
            // The role of an assignment that acts.
            "Microsoft.Authorization/roleAssignments/delete",
            "Microsoft.Authorization/roleAssignments/write",
        ],
    };

    type On = Azure;
    type Want = Settings;

    fn addresses(&self, want: &Settings, desired: &Desired) -> Vec<Address> {
        let looked_at = want.points.iter().filter(|point| idle(point, desired).is_none());
        let mut addresses: Vec<Address> = looked_at.map(|point| address(&point.at)).collect();
        let organization = matches!(desired.target, Target::Organization(_));
        if organization || want.points.iter().any(|point| rests_on_ours(point, desired)) {
            addresses.push(definitions_at());
        }
        addresses.extend(exemption::looked_at(desired));
        addresses
    }

    async fn look(&self, reader: &Reader, desired: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let session = &reader.0;
        if *at == definitions_at() {
            return look::definitions(session).await;
        }
        if exemption::exemptions_at(desired).as_ref() == Some(at) {
            return exemption::look(session).await;
        }
        let tenant = desired.target.tenant().filter(|tenant| tenant.native() == at.resource);
        if tenant.is_some() {
            return look::place(session, &session.scope(), None, acts(desired, at)).await;
        }
        match at.resource.parse() {
            Ok(path) => {
                let group = group(&path, desired, &session.ground);
                look::place(session, &group_path(&group), Some(&group), acts(desired, at)).await
            }
            Err(error) => Ok(Sighting { seen: Seen::Unreadable(format!("{error}")), request: None }),
        }
    }

    async fn write(&self, writer: &Writer, change: &Change, made: &Made) -> Result<Value, CallError> {
        let grant: Option<Grant> = change.with.clone().and_then(|with| serde_json::from_value(with).ok());
        match grant {
            Some(grant) => grant::give(&writer.0, &grant, made).await,
            None => write(&writer.0, change).await,
        }
    }
}

impl Judge for Policies {
    fn judge(&self, want: &Settings, desired: &Desired, observed: &Observed) -> Vec<Judgement> {
        let quiet = |point: &&Point| idle(point, desired) == Some(NOTHING);
        let (quiet, told): (Vec<&Point>, Vec<&Point>) = want.points.iter().partition(quiet);
        // That a tenant asks for nothing itself is worth a line only where there is no other.
        let told = if told.is_empty() { quiet } else { told };
        let mut all: Vec<Judgement> =
            told.into_iter().map(|point| judge::point(point, desired, observed)).collect();
        if matches!(desired.target, Target::Organization(_)) {
            all.extend(judge::definitions(desired, observed));
        }
        all.extend(exemption::judge(desired, observed));
        all
    }
}

/// What a write is told: which definition, assignment or exemption, and what it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Its whole id.
    pub(super) id: String,
    /// What is sent; nothing where it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
}

/// One write of a definition, an assignment or an exemption; `quarantine-gate` writes its own in the same way.
pub(super) async fn write(session: &Session, change: &Change) -> Result<Value, CallError> {
    let order: Option<Order> = change.with.clone().and_then(|with| serde_json::from_value(with).ok());
    // INVARIANT: the orders are ours, and each says what to write.
    let Some(Order { id, body }) = order else {
        return Err(CallError::NothingToWrite(change.address.control));
    };
    let service = match () {
        () if id.contains("/policyExemptions/") => EXEMPTIONS,
        () if id.contains("/roleAssignments/") => ROLES,
        () => POLICY,
    };
    let Some(body) = &body else {
        lifted::delete(session, &service, &id).await?;
        return Ok(json!({"id": id}));
    };
    let mut tries = 0;
    loop {
        match session.client.put(&service, &id, body).await {
            Ok(reply) => return made(&reply, &id),
            Err(error) => match not_yet(&error) {
                Some(_) if tries < TRIES => tries += 1,
                Some(why) => return Err(error.explained(why)),
                None => return Err(explained(error)),
            },
        }
        session.client.rest(PAUSE).await;
    }
}

/// What came to be: its id, and the object id of its identity where it has one.
fn made(reply: &Reply, id: &str) -> Result<Value, CallError> {
    let answer = reply.value()?;
    let principal = answer.get("identity").and_then(|identity| identity.get("principalId"));
    Ok(match principal.and_then(Value::as_str) {
        Some(principal) => json!({"id": id, "principal": principal}),
        None => json!({"id": id}),
    })
}

/// With what a refusal means, where Azure's own words do not say what to do.
fn explained(error: CallError) -> CallError {
    let why = match error.code() {
        Some("ResourceIdentityRequired") => {
            "it has policies that would change resources, for which Landfall gives no identity: name a standard that only audits"
        }
        Some("PolicySetDefinitionNotFound") => "this cloud has no such initiative",
        _ => return error,
    };
    error.explained(why)
}

/// How often, and after how long each time, an assignment is tried again whose definition is not known yet. What takes longer is done by
/// the next run.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(5);

/// Why an assignment is refused that will be taken later, for people; nothing where it is refused for good.
fn not_yet(error: &CallError) -> Option<&'static str> {
    let CallError::Api { code, message, .. } = error else { return None };
    match code.as_str() {
        // A definition that was made a moment ago is not known everywhere at once, least of all below a group that is new itself:
        // <https://github.com/Azure/azure-policy/issues/918>.
        "PolicyDefinitionNotFound" => Some(
            "Azure does not show the definition everywhere yet, which takes up to 30 minutes; the next run goes on",
        ),
        // Nor is it known at once which group holds a group or a subscription that is new or was moved:
        // <https://github.com/hashicorp/terraform-provider-azurerm/issues/19595>.
        "InvalidCreatePolicyAssignmentRequest" if message.contains("out of scope") => Some(
            "Azure needs up to 30 minutes to know that the group above holds what is new or was moved; the next run goes on",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_tried_again_only_where_azure_does_not_know_its_definition_yet() {
        let out = "The policy definition specified in policy assignment 'lf-x' is out of scope. Policy definitions should be \
                   specified only at or above the policy assignment scope.";
        let table = [
            (404, "PolicyDefinitionNotFound", "no", true),
            (400, "InvalidCreatePolicyAssignmentRequest", out, true),
            (400, "InvalidCreatePolicyAssignmentRequest", "The parameter 'effect' is not known.", false),
            (400, "InvalidPolicyParameters", out, false),
            (403, "AuthorizationFailed", "no", false),
        ];
        for (status, code, message, expected) in table {
            let error = CallError::refused(status, code, message);
            assert_eq!(not_yet(&error).is_some(), expected, "{code}: {message}");
        }
    }
}
