//! `enabled-services` on AWS: the type of policy that all our denies are, and trusted access for services, row O12.
//!
//! Only switches on. What others have switched on is neither listed nor judged.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use landfall_engine::cloud::{Made, Sighting};
use landfall_engine::control::{Compare, Control, Permissions};
use landfall_model::catalog::ControlKind;
use landfall_model::catalog::enabled_services::Settings;
use landfall_model::desired::Desired;
use landfall_model::judgement::Verdict;
use landfall_model::observed::{Address, Observed, Seen};
use landfall_model::plan::{Change, ChangeId, Deed, Stage};

use super::{Aws, done, json, kept, seen};
use crate::directory::organizations;
use crate::error::CallError;
use crate::session::{Reader, Session, Writer};

/// The setting that says which types of policy are in force; the others are service principals, which have dots.
const TYPES: &str = "policy-types";

/// The one type that everything else of ours needs.
const NEEDED: &str = "SERVICE_CONTROL_POLICY";

pub(super) struct EnabledServices;

/// The types of policy that are in force at the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Root {
    id: String,
    policy_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    roots: Vec<AnswerRoot>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerRoot {
    id: String,
    #[serde(default)]
    policy_types: Vec<AnswerType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerType {
    r#type: String,
    #[serde(default)]
    status: String,
}

fn types() -> Address {
    Address::global(EnabledServices::KIND, TYPES)
}

/// The change that switches service control policies on, where they were seen to be off.
pub(super) fn missing(observed: &Observed) -> Option<ChangeId> {
    let Seen::Present(value) = observed.seen(&types()) else { return None };
    let root: Root = serde_json::from_value(value).ok()?;
    (!root.policy_types.iter().any(|kind| kind == NEEDED)).then(|| ChangeId(format!("{}#enable", types())))
}

#[async_trait]
impl Control for EnabledServices {
    const KIND: ControlKind = ControlKind::EnabledServices;
    const PERMISSIONS: Permissions = Permissions {
        read: &["organizations:ListAWSServiceAccessForOrganization", "organizations:ListRoots"],
        write: &["organizations:EnableAWSServiceAccess", "organizations:EnablePolicyType"],
    };

    type On = Aws;
    type Want = Settings;

    fn addresses(&self, want: &Settings, _: &Desired) -> Vec<Address> {
        let services = want.aws.iter().map(|service| Address::global(Self::KIND, service));
        std::iter::once(types()).chain(services).collect()
    }

    async fn look(&self, reader: &Reader, _: &Desired, at: &Address) -> Result<Sighting, CallError> {
        let Session { organization, directory, .. } = &reader.0;
        if at.resource == TYPES {
            let reply = organizations(organization, "ListRoots", json!({})).await?;
            let Answer { roots } = reply.json()?;
            let Some(AnswerRoot { id, policy_types }) = roots.into_iter().next() else {
                return Ok(super::nothing(&reply));
            };
            let on = policy_types.into_iter().filter(|kind| kind.status == "ENABLED");
            let mut policy_types: Vec<String> = on.map(|kind| kind.r#type).collect();
            policy_types.sort_unstable();
            return Ok(seen(&reply, &Root { id, policy_types }));
        }
        let enabled = directory.services().await?.contains(&at.resource);
        let seen =
            if enabled { Seen::Present(json!({"ServicePrincipal": at.resource})) } else { Seen::Absent };
        Ok(Sighting { seen, request: None })
    }

    async fn write(&self, writer: &Writer, change: &Change, _: &Made) -> Result<Value, CallError> {
        let Session { organization, directory, .. } = &writer.0;
        if change.address.resource == TYPES {
            let id = change.after.as_ref().and_then(|after| after.get("Id")).cloned();
            let body = json!({"RootId": id, "PolicyType": NEEDED});
            let answer = organizations(organization, "EnablePolicyType", body).await;
            done(answer, &["PolicyTypeAlreadyEnabledException"])?;
        } else {
            let body = json!({"ServicePrincipal": change.address.resource});
            organizations(organization, "EnableAWSServiceAccess", body).await?;
            directory.forget_services().await;
        }
        Ok(Value::Null)
    }
}

impl Compare for EnabledServices {
    type There = Value;

    fn compare(&self, _: &Settings, _: &Desired, address: &Address, there: Option<Value>) -> Verdict {
        match (address.resource.as_str(), there) {
            (TYPES, there) => of_types(address, there),
            (_, Some(_)) => Verdict::Holds,
            (service, None) => Verdict::fails(
                Change::new(
                    address,
                    "enable",
                    Deed::Create,
                    format!("`{service}` has no trusted access to the organization"),
                )
                .after(json!({"ServicePrincipal": service}))
                .at(Stage::Foundation),
            ),
        }
    }
}

fn of_types(address: &Address, there: Option<Value>) -> Verdict {
    let root: Root = match kept(there.as_ref()) {
        Ok(Some(root)) => root,
        Ok(None) => return Verdict::Unknown { why: "the organization shows no root".to_owned() },
        Err(unknown) => return unknown,
    };
    if root.policy_types.iter().any(|kind| kind == NEEDED) {
        return Verdict::Holds;
    }
    let mut after = root;
    after.policy_types.push(NEEDED.to_owned());
    after.policy_types.sort_unstable();
    Verdict::fails(
        Change::new(address, "enable", Deed::Update, "service control policies are not switched on")
            .after(json(&after))
            .at(Stage::Foundation),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::landscape::Landscape;

    fn on() -> Landscape {
        Landscape::organization()
            .saw(
                "enabled-services/policy-types",
                json!({"Id": "r-ab12", "PolicyTypes": ["SERVICE_CONTROL_POLICY", "TAG_POLICY"]}),
            )
            .saw("enabled-services/sso.amazonaws.com", json!({"ServicePrincipal": "sso.amazonaws.com"}))
    }

    #[test]
    fn what_is_on_needs_nothing() {
        assert_eq!(on().said(&EnabledServices), ["holds", "holds"]);
        assert_eq!(missing(&on().observed), None);
    }

    #[test]
    fn the_type_of_our_policies_is_switched_on_beside_the_others() {
        let off =
            on().saw("enabled-services/policy-types", json!({"Id": "r-ab12", "PolicyTypes": ["TAG_POLICY"]}));
        assert_eq!(
            off.said(&EnabledServices)[0],
            "fails: service control policies are not switched on\n\
             ~ foundation enabled-services/policy-types#enable \
             {\"Id\":\"r-ab12\",\"PolicyTypes\":[\"SERVICE_CONTROL_POLICY\",\"TAG_POLICY\"]}"
        );
        assert_eq!(missing(&off.observed).unwrap().to_string(), "enabled-services/policy-types#enable");
    }

    #[test]
    fn a_service_that_is_asked_gets_trusted_access() {
        assert_eq!(
            on().saw_nothing("enabled-services/sso.amazonaws.com").said(&EnabledServices)[1],
            "fails: `sso.amazonaws.com` has no trusted access to the organization\n\
             + foundation enabled-services/sso.amazonaws.com#enable {\"ServicePrincipal\":\"sso.amazonaws.com\"}"
        );
    }
}
