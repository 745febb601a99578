//! From what is asked to constraints. Pure.
//!
//! Names and values: <https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints>, November 2026.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use landfall_model::catalog::{
    ControlKind, allowed_regions, denied_services, encrypt_by_default, organization_policies,
};
use landfall_model::manifest::GcpCloud;

use super::force::Force;

/// What constraints force, by their names; or why that can't be said.
pub(super) type Forces = BTreeMap<String, Result<Force, String>>;

/// What some controls ask together.
pub(super) fn forces(asks: &BTreeMap<ControlKind, Value>, ground: &GcpCloud) -> Forces {
    let mut all = Forces::new();
    for (kind, settings) in asks {
        // What a control lacks is told by the control itself.
        for (constraint, force) in constraints(*kind, settings, ground).unwrap_or_default() {
            let force = match all.get(&constraint) {
                None => Ok(force),
                Some(Err(why)) => Err(why.clone()),
                Some(Ok(other)) => force.meet(other).and_then(|both| match both.is_empty() {
                    true => {
                        Err("what is asked by several controls leaves no value that is allowed".to_owned())
                    }
                    false => Ok(both),
                }),
            };
            all.insert(constraint, force);
        }
    }
    all
}

/// What one control asks, or what it lacks.
pub(super) fn constraints(
    kind: ControlKind,
    settings: &Value,
    ground: &GcpCloud,
) -> Result<Vec<(String, Force)>, String> {
    let on = |constraint: &str| (constraint.to_owned(), Force::Enforced);
    Ok(match kind {
        ControlKind::AllowedRegions => {
            let allowed_regions::Settings { gcp, .. } = read(kind, settings)?;
            let locations = gcp.filter(|locations| !locations.is_empty());
            let listed = |locations: Vec<String>| {
                let locations = locations.iter().map(|location| with_its_zones(location));
                ("gcp.resourceLocations".to_owned(), Force::allow(locations))
            };
            locations.map(listed).into_iter().collect()
        }
        ControlKind::DeniedServices => {
            let denied_services::Settings { gcp, .. } = read(kind, settings)?;
            let denied = (!gcp.is_empty()).then(|| ("gcp.restrictServiceUsage".to_owned(), Force::deny(gcp)));
            denied.into_iter().collect()
        }
        ControlKind::OrganizationPolicies => any(read(kind, settings)?)?,
        ControlKind::BlockPublicStorage => vec![on("storage.publicAccessPrevention")],
        // Both are used by whoever was given a right on them; the constraint says in which projects.
        ControlKind::BlockPublicSnapshots | ControlKind::BlockPublicImages => {
            let within = format!("under:organizations/{}", ground.organization);
            vec![("compute.storageResourceUseRestrictions".to_owned(), Force::allow([within]))]
        }
        ControlKind::ExternalAccessAnalysis => match &ground.customer {
            Some(customer) => {
                vec![("iam.allowedPolicyMemberDomains".to_owned(), Force::allow([customer.clone()]))]
            }
            None => {
                return Err("the manifest does not say whose directory it is: give the cloud its `customer`, such as C0abc12de"
                    .to_owned());
            }
        },
        ControlKind::EncryptByDefault => encryption(&read(kind, settings)?)?,
        ControlKind::HardenedInstances => {
            vec![on("compute.disableSerialPortAccess"), on("compute.requireOsLogin")]
        }
        ControlKind::NoDefaultNetwork => vec![on("compute.skipDefaultNetworkCreation")],
        ControlKind::Units
        | ControlKind::Placement
        | ControlKind::QuarantineGate
        | ControlKind::Access
        | ControlKind::EnabledServices
        | ControlKind::Policies
        | ControlKind::BillingAccount
        | ControlKind::ResourceTags
        | ControlKind::ProtectBaseline
        | ControlKind::ResourceLocks
        | ControlKind::AuditLog
        | ControlKind::DefaultServiceAccounts
        | ControlKind::ServiceAccounts
        | ControlKind::ConfigurationRecording
        | ControlKind::Federation
        | ControlKind::ThreatDetection
        | ControlKind::ServiceAlerts
        | ControlKind::StandardsAssessment
        | ControlKind::AccountAlias
        | ControlKind::Tags
        | ControlKind::SecurityContacts
        | ControlKind::Budget
        | ControlKind::PasswordPolicy
        | ControlKind::NoRootKeys
        | ControlKind::RootMfa
        | ControlKind::ClosedDefaultSecurityGroups
        | ControlKind::AccessApproval
        | ControlKind::RegionOptIn => return Err(format!("no constraint says what `{kind}` asks")),
    })
}

fn read<T: DeserializeOwned>(kind: ControlKind, settings: &Value) -> Result<T, String> {
    serde_json::from_value(settings.clone())
        .map_err(|error| format!("the settings of `{kind}` can't be read: {error}"))
}

/// A region alone does not allow what is in its zones: "Allowing or denying a region does not imply that all included sub-locations
/// should also be allowed or denied". What has a prefix is taken as it is: `is:europe-west1` is the region without its zones.
fn with_its_zones(location: &str) -> String {
    let region = location.contains('-') && location.ends_with(|letter: char| letter.is_ascii_digit());
    match location.strip_prefix("is:") {
        Some(alone) => alone.to_owned(),
        None if region && !location.contains(':') => format!("in:{location}-locations"),
        None => location.to_owned(),
    }
}

/// Disks, images and snapshots need a key of the project that holds the named one; which of its keys can't be said. A key that is none of
/// Cloud KMS's is another cloud's (<https://cloud.google.com/kms/docs/cmek-org-policy>).
fn encryption(want: &encrypt_by_default::Settings) -> Result<Vec<(String, Force)>, String> {
    let Some(key) = want.key.as_deref().filter(|key| key.starts_with("projects/")) else {
        return Ok(Vec::new());
    };
    let Some(project) = project_of(key) else {
        return Err(format!(
            "`{key}` is no key of Cloud KMS, such as projects/acme-keys/locations/europe-west1/keyRings/disks/cryptoKeys/main"
        ));
    };
    Ok(vec![
        ("gcp.restrictCmekCryptoKeyProjects".to_owned(), Force::allow([format!("under:projects/{project}")])),
        ("gcp.restrictNonCmekServices".to_owned(), Force::deny(["compute.googleapis.com"])),
    ])
}

/// The project of `projects/acme-keys/locations/europe-west1/keyRings/disks/cryptoKeys/main`.
fn project_of(key: &str) -> Option<&str> {
    let (project, rest) = key.strip_prefix("projects/")?.split_once('/')?;
    rest.contains("/cryptoKeys/").then_some(project)
}

/// What people ask by the names of constraints.
fn any(want: organization_policies::Settings) -> Result<Vec<(String, Force)>, String> {
    let organization_policies::Settings { enforce, allow, deny, custom: _ } = want;
    let enforced = enforce.into_iter().map(|constraint| (constraint, Force::Enforced));
    let allowed = allow.into_iter().map(|(constraint, values)| (constraint, Force::allow(values)));
    let denied = deny.into_iter().map(|(constraint, values)| (constraint, Force::deny(values)));
    let mut all: BTreeMap<String, Force> = BTreeMap::new();
    for (constraint, force) in enforced.chain(allowed).chain(denied) {
        // Google's documents name them both ways.
        let constraint = constraint.strip_prefix("constraints/").unwrap_or(&constraint).to_owned();
        if !is_name(&constraint) {
            return Err(format!(
                "`{constraint}` is no name of a constraint, such as `compute.vmExternalIpAccess`"
            ));
        }
        let force = match all.get(&constraint) {
            Some(other) => force.meet(other).map_err(|why| format!("`{constraint}`: {why}"))?,
            None => force,
        };
        if force.is_empty() {
            return Err(format!("`{constraint}` is left without any value that is allowed"));
        }
        all.insert(constraint, force);
    }
    all.retain(|_, force| *force != Force::Free);
    Ok(all.into_iter().collect())
}

/// A name becomes a part of a path.
fn is_name(text: &str) -> bool {
    text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::spec::Spec;
    use super::*;
    use crate::controls::landscape::Landscape;

    fn said(kind: ControlKind, settings: Value) -> Value {
        let desired = Landscape::organization().desired;
        let ground = crate::controls::ground(&desired).unwrap();
        match constraints(kind, &settings, ground) {
            Ok(all) => all.iter().map(|(name, force)| (name.clone(), json!(Spec::from(force)))).collect(),
            Err(why) => json!(why),
        }
    }

    #[test]
    fn each_control_says_its_constraints() {
        use ControlKind as K;
        let on = || json!({"rules": [{"enforce": true}]});
        let allow = |values: &[&str]| json!({"rules": [{"values": {"allowedValues": values}}]});
        let deny = |values: &[&str]| json!({"inheritFromParent": true, "rules": [{"values": {"deniedValues": values}}]});
        let key = "projects/acme-keys/locations/europe-west1/keyRings/disks/cryptoKeys/main";
        let table = [
            (
                K::AllowedRegions,
                json!({"gcp": ["europe-west1", "in:eu-locations", "is:us-east1", "eu"]}),
                json!({"gcp.resourceLocations":
                    allow(&["eu", "in:eu-locations", "in:europe-west1-locations", "us-east1"])}),
            ),
            (K::AllowedRegions, json!({"aws": ["eu-west-1"]}), json!({})),
            (
                K::DeniedServices,
                json!({"aws": [], "azure": [], "gcp": ["sqladmin.googleapis.com"]}),
                json!({"gcp.restrictServiceUsage": deny(&["sqladmin.googleapis.com"])}),
            ),
            (K::DeniedServices, json!({"aws": ["x"], "azure": [], "gcp": []}), json!({})),
            (K::BlockPublicStorage, json!({}), json!({"storage.publicAccessPrevention": on()})),
            (
                K::BlockPublicImages,
                json!({}),
                json!({"compute.storageResourceUseRestrictions": allow(&["under:organizations/123456789012"])}),
            ),
            (
                K::ExternalAccessAnalysis,
                json!({"unused-access": false, "unused-days": 90}),
                json!({"iam.allowedPolicyMemberDomains": allow(&["C0acme123"])}),
            ),
            (K::EncryptByDefault, json!({}), json!({})),
            (K::EncryptByDefault, json!({"key": "alias/disks"}), json!({})),
            (
                K::EncryptByDefault,
                json!({ "key": key }),
                json!({"gcp.restrictCmekCryptoKeyProjects": allow(&["under:projects/acme-keys"]),
                    "gcp.restrictNonCmekServices": deny(&["compute.googleapis.com"])}),
            ),
            (
                K::HardenedInstances,
                json!({"require-tokens": true, "hop-limit": 2}),
                json!({"compute.disableSerialPortAccess": on(), "compute.requireOsLogin": on()}),
            ),
            (K::NoDefaultNetwork, json!({}), json!({"compute.skipDefaultNetworkCreation": on()})),
            (
                K::OrganizationPolicies,
                json!({
                    "enforce": ["constraints/iam.disableServiceAccountKeyCreation", "custom.onlyE2"],
                    "allow": {"compute.vmExternalIpAccess": ["projects/p/zones/z/instances/i"]},
                    "deny": {"gcp.restrictServiceUsage": ["run.googleapis.com"]},
                }),
                json!({
                    "compute.vmExternalIpAccess": allow(&["projects/p/zones/z/instances/i"]),
                    "custom.onlyE2": on(),
                    "gcp.restrictServiceUsage": deny(&["run.googleapis.com"]),
                    "iam.disableServiceAccountKeyCreation": on(),
                }),
            ),
            (
                K::OrganizationPolicies,
                json!({"enforce": ["a.b"], "deny": {"a.b": ["x"]}}),
                json!("`a.b`: it is taken for on or off here, and for a list of values there"),
            ),
            (
                K::OrganizationPolicies,
                json!({"enforce": ["../../x"]}),
                json!("`../../x` is no name of a constraint, such as `compute.vmExternalIpAccess`"),
            ),
            (
                K::OrganizationPolicies,
                json!({"allow": {"a.b": []}}),
                json!("`a.b` is left without any value that is allowed"),
            ),
        ];
        for (kind, settings, expected) in table {
            assert_eq!(said(kind, settings.clone()), expected, "{kind} {settings}");
        }
    }

    #[test]
    fn without_the_directory_s_id_it_is_said_what_is_missing() {
        let mut ground = crate::controls::ground(&Landscape::organization().desired).unwrap().clone();
        ground.customer = None;
        let settings = json!({"unused-access": false, "unused-days": 90});
        let why = constraints(ControlKind::ExternalAccessAnalysis, &settings, &ground).unwrap_err();
        assert!(why.contains("`customer`"), "{why}");
    }

    #[test]
    fn what_several_controls_ask_of_one_constraint_holds_all_at_once() {
        let desired = Landscape::organization().desired;
        let ground = crate::controls::ground(&desired).unwrap();
        let denied = json!({"aws": [], "azure": [], "gcp": ["sqladmin.googleapis.com"]});
        let mut asks = BTreeMap::from([
            (ControlKind::DeniedServices, denied),
            (
                ControlKind::OrganizationPolicies,
                json!({"deny": {"gcp.restrictServiceUsage": ["run.googleapis.com"]}}),
            ),
        ]);
        let both = Force::deny(["sqladmin.googleapis.com", "run.googleapis.com"]);
        assert_eq!(forces(&asks, ground)["gcp.restrictServiceUsage"], Ok(both));
        asks.insert(ControlKind::AllowedRegions, json!({"gcp": ["europe-west1"]}));
        let elsewhere = json!({"allow": {"gcp.resourceLocations": ["in:us-locations"]}});
        asks.insert(ControlKind::OrganizationPolicies, elsewhere);
        assert!(forces(&asks, ground)["gcp.resourceLocations"].is_err());
    }
}
