//! Organization policies as they work: what constraints there are, and what follows for a resource from all policies above it.
//!
//! <https://cloud.google.com/resource-manager/docs/organization-policy/understanding-hierarchy>

use serde_json::{Value, json};

use super::answer::{denied, detail, precondition};
use super::condition;
use super::request::Request;
use super::world::{GcpWorld, Project};
use crate::refusal::Refusal;

/// What a constraint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Enforced or not; without a policy it is not.
    Boolean,
    /// Values are allowed or denied; without a policy all are allowed.
    List,
}

/// The constraints that are known here, some of hundreds.
///
/// <https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints>
pub(crate) const CONSTRAINTS: [(&str, Kind); 52] = [
    ("appengine.disableCodeDownload", Kind::Boolean),
    ("bigquery.disableBQOmniAWS", Kind::Boolean),
    ("cloudbuild.allowedIntegrations", Kind::List),
    ("cloudfunctions.allowedIngressSettings", Kind::List),
    ("cloudfunctions.requireVPCConnector", Kind::Boolean),
    ("compute.disableGuestAttributesAccess", Kind::Boolean),
    ("compute.disableInternetNetworkEndpointGroup", Kind::Boolean),
    ("compute.disableNestedVirtualization", Kind::Boolean),
    ("compute.disableSerialPortAccess", Kind::Boolean),
    ("compute.disableSerialPortLogging", Kind::Boolean),
    ("compute.disableVpcExternalIpv6", Kind::Boolean),
    ("compute.requireOsLogin", Kind::Boolean),
    ("compute.requireShieldedVm", Kind::Boolean),
    ("compute.restrictCloudNATUsage", Kind::List),
    ("compute.restrictLoadBalancerCreationForTypes", Kind::List),
    ("compute.restrictNonConfidentialComputing", Kind::List),
    ("compute.restrictProtocolForwardingCreationForTypes", Kind::List),
    ("compute.restrictSharedVpcHostProjects", Kind::List),
    ("compute.restrictVpcPeering", Kind::List),
    ("compute.restrictXpnProjectLienRemoval", Kind::Boolean),
    ("compute.setNewProjectDefaultToZonalDNSOnly", Kind::Boolean),
    ("compute.skipDefaultNetworkCreation", Kind::Boolean),
    ("compute.storageResourceUseRestrictions", Kind::List),
    ("compute.trustedImageProjects", Kind::List),
    ("compute.vmCanIpForward", Kind::List),
    ("compute.vmExternalIpAccess", Kind::List),
    ("essentialcontacts.allowedContactDomains", Kind::List),
    ("essentialcontacts.managed.allowedContactDomains", Kind::Boolean),
    ("gcp.detailedAuditLoggingMode", Kind::Boolean),
    ("gcp.disableCloudLogging", Kind::Boolean),
    ("gcp.resourceLocations", Kind::List),
    ("gcp.restrictCmekCryptoKeyProjects", Kind::List),
    ("gcp.restrictNonCmekServices", Kind::List),
    ("gcp.restrictServiceUsage", Kind::List),
    ("gcp.restrictTLSVersion", Kind::List),
    ("iam.allowServiceAccountCredentialLifetimeExtension", Kind::List),
    ("iam.allowedPolicyMemberDomains", Kind::List),
    ("iam.automaticIamGrantsForDefaultServiceAccounts", Kind::Boolean),
    ("iam.disableAuditLoggingExemption", Kind::Boolean),
    ("iam.disableCrossProjectServiceAccountUsage", Kind::Boolean),
    ("iam.disableServiceAccountCreation", Kind::Boolean),
    ("iam.disableServiceAccountKeyCreation", Kind::Boolean),
    ("iam.disableServiceAccountKeyUpload", Kind::Boolean),
    ("iam.disableWorkloadIdentityClusterCreation", Kind::Boolean),
    ("iam.managed.disableServiceAccountKeyCreation", Kind::Boolean),
    ("iam.workloadIdentityPoolProviders", Kind::List),
    ("run.allowedIngress", Kind::List),
    ("run.allowedVPCEgress", Kind::List),
    ("sql.restrictAuthorizedNetworks", Kind::Boolean),
    ("sql.restrictPublicIp", Kind::Boolean),
    ("storage.publicAccessPrevention", Kind::Boolean),
    ("storage.uniformBucketLevelAccess", Kind::Boolean),
];

/// What kind a constraint is; `None` where there is no such one. Custom ones are the organization's.
pub(crate) fn kind(world: &GcpWorld, constraint: &str) -> Option<Kind> {
    if constraint.starts_with("custom.") {
        let ours = world.organization.governance.things("orgpolicy/customConstraints");
        return ours.contains_key(constraint).then_some(Kind::Boolean);
    }
    CONSTRAINTS.iter().find(|(name, _)| *name == constraint).map(|(_, kind)| *kind)
}

/// What holds for a resource in the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Effective {
    pub(crate) enforce: bool,
    pub(crate) allow_all: bool,
    pub(crate) deny_all: bool,
    pub(crate) allowed: Vec<String>,
    pub(crate) denied: Vec<String>,
    /// Of managed constraints.
    pub(crate) parameters: Option<Value>,
}

/// What follows from the policies on a resource and above it.
pub(crate) fn effective(world: &GcpWorld, name: &str, constraint: &str) -> Effective {
    let mut found = Effective::default();
    // From the root down: what is nearer replaces what is above, or adds to it.
    for up in world.way_up(name).iter().rev() {
        let policies = world.governance(up).map(|one| &one.org_policies);
        let Some(spec) = policies.and_then(|all| all.get(constraint)?.get("spec")) else { continue };
        let says = |field: &str| spec.get(field) == Some(&Value::Bool(true));
        if says("reset") || !says("inheritFromParent") {
            found = Effective::default();
        }
        let rules = spec.get("rules").and_then(Value::as_array).into_iter().flatten();
        // Rules with a condition win over the one without where it holds, so that they come last.
        let (plain, conditional): (Vec<&Value>, Vec<&Value>) =
            rules.partition(|rule| rule.get("condition").is_none());
        for rule in plain.into_iter().chain(conditional) {
            if condition::holds(world, name, rule.get("condition")) == Some(true) {
                found.add(rule);
            }
        }
    }
    found
}

impl Effective {
    fn add(&mut self, rule: &Value) {
        let says = |field: &str| rule.get(field).and_then(Value::as_bool);
        if let Some(enforce) = says("enforce") {
            self.enforce = enforce;
        }
        if let Some(parameters) = rule.get("parameters") {
            self.parameters = Some(parameters.clone());
        }
        self.allow_all |= says("allowAll") == Some(true);
        self.deny_all |= says("denyAll") == Some(true);
        for (field, into) in [("allowedValues", &mut self.allowed), ("deniedValues", &mut self.denied)] {
            let values = rule.pointer(&format!("/values/{field}")).and_then(Value::as_array);
            for value in values.into_iter().flatten().filter_map(Value::as_str) {
                if !into.iter().any(|known| known == value) {
                    into.push(value.to_owned());
                }
            }
        }
    }

    /// Whether one of the names that a thing goes by is allowed: what is denied always wins.
    pub(crate) fn allows(&self, names: &[&str]) -> bool {
        let in_list = |all: &[String]| all.iter().any(|value| names.iter().any(|name| covers(value, name)));
        !self.deny_all
            && !in_list(&self.denied)
            && (self.allowed.is_empty() || self.allow_all || in_list(&self.allowed))
    }

    /// The rules as `getEffectivePolicy` shows them: evaluated, without conditions.
    pub(crate) fn rules(&self, kind: Kind) -> Value {
        match kind {
            Kind::Boolean => match &self.parameters {
                Some(parameters) => json!([{"enforce": self.enforce, "parameters": parameters}]),
                None => json!([{"enforce": self.enforce}]),
            },
            Kind::List if self.deny_all => json!([{"denyAll": true}]),
            Kind::List if self.allowed.is_empty() && self.denied.is_empty() => json!([{"allowAll": true}]),
            Kind::List => {
                let mut values = serde_json::Map::new();
                if !self.allowed.is_empty() && !self.allow_all {
                    values.insert("allowedValues".to_owned(), json!(self.allowed));
                }
                if !self.denied.is_empty() {
                    values.insert("deniedValues".to_owned(), json!(self.denied));
                }
                if values.is_empty() {
                    return json!([{"allowAll": true}]);
                }
                json!([{ "values": values }])
            }
        }
    }
}

/// Whether a value of a policy means a name. Groups of locations are `in:eu-locations`, `in:europe-west1-locations`.
///
/// <https://cloud.google.com/resource-manager/docs/organization-policy/defining-locations#value_groups>
fn covers(value: &str, name: &str) -> bool {
    let value = value.strip_prefix("is:").unwrap_or(value);
    if let Some(group) = value.strip_prefix("in:").and_then(|group| group.strip_suffix("-locations")) {
        // The Union's own: London, Zürich and Warsaw's neighbours in name are not all in it.
        let outside = ["europe-west2", "europe-west6"];
        let is = |region: &str| name == region || name.starts_with(&format!("{region}-"));
        return match group {
            "eu" => name == "eu" || (name.starts_with("europe-") && !outside.iter().any(|region| is(region))),
            "europe" => name == "eu" || name == "europe" || name.starts_with("europe-"),
            region => is(region),
        };
    }
    value.eq_ignore_ascii_case(name)
}

/// APIs of which `gcp.restrictServiceUsage` knows nothing, because everything depends on them.
///
/// <https://cloud.google.com/resource-manager/docs/organization-policy/restricting-resources-supported-services>
const FREE: [&str; 12] = [
    "billingbudgets",
    "cloudasset",
    "cloudbilling",
    "cloudresourcemanager",
    "essentialcontacts",
    "iam",
    "logging",
    "monitoring",
    "orgpolicy",
    "securitycentermanagement",
    "serviceusage",
    "sts",
];

/// What organization policies forbid, whoever asks.
pub(crate) fn check(world: &GcpWorld, request: &Request) -> Result<(), Refusal> {
    let Some(project) = project(world, request) else { return Ok(()) };
    let name = format!("projects/{}", project.id);
    let service = request.service.name;
    if !FREE.contains(&service) {
        let host = format!("{service}.googleapis.com");
        if !effective(world, &name, "gcp.restrictServiceUsage").allows(&[&host]) {
            return Err(denied(format!(
                "Request is disallowed by organization's constraints/gcp.restrictServiceUsage constraint for {name} attempting to use service {host}."
            )));
        }
    }
    let enforced = |constraint: &str| effective(world, &name, constraint).enforce;
    match (service, request.asked()) {
        ("iam", ("POST", parts, "")) if parts.last() == Some(&"keys") => {
            let made =
                ["iam.disableServiceAccountKeyCreation", "iam.managed.disableServiceAccountKeyCreation"];
            if let Some(constraint) = made.into_iter().find(|constraint| enforced(constraint)) {
                let message = "Key creation is not allowed on this service account.";
                return Err(violated(message, constraint, &request.path));
            }
        }
        ("iam", ("POST", _, "upload")) => {
            let constraint = "iam.disableServiceAccountKeyUpload";
            if enforced(constraint) {
                let message = "Key upload is not allowed on this service account.";
                return Err(violated(message, constraint, &request.path));
            }
        }
        ("iam", ("POST", parts, "")) if parts.last() == Some(&"serviceAccounts") => {
            let constraint = "iam.disableServiceAccountCreation";
            if enforced(constraint) {
                let message = "Service account creation is not allowed on this project.";
                return Err(violated(message, constraint, &name));
            }
        }
        ("compute", ("POST", parts, "")) if parts.last() == Some(&"instances") => {
            located(world, request, &name)?;
            return addressed(world, request, project);
        }
        ("compute" | "storage", ("POST", _, "")) => return located(world, request, &name),
        _ => {}
    }
    Ok(())
}

/// The project that is asked about; Cloud Storage names it in the query, and a bucket's by the bucket.
fn project<'a>(world: &'a GcpWorld, request: &Request) -> Option<&'a Project> {
    if let Some(about) = request.about() {
        return world.project(about.strip_prefix("projects/")?);
    }
    if request.service.name != "storage" {
        return None;
    }
    if let Some(project) = request.query("project") {
        return world.project(project);
    }
    let has = |project: &&Project| project.governance.things("storage/buckets").contains_key(request.part(1));
    world.projects.values().find(has)
}

/// Where something is made must be allowed: its zone or region, or what a bucket says.
fn located(world: &GcpWorld, request: &Request, name: &str) -> Result<(), Refusal> {
    let parts = request.parts();
    let at = parts.iter().position(|part| ["zones", "regions"].contains(part));
    let place = match at.and_then(|at| parts.get(at + 1)) {
        Some(place) => (*place).to_owned(),
        None if request.service.name == "storage" && parts.len() == 1 => {
            let location = request.text("location");
            if location.is_empty() { "us".to_owned() } else { location.to_ascii_lowercase() }
        }
        None => return Ok(()),
    };
    let locations = effective(world, name, "gcp.resourceLocations");
    if locations.allows(&[&place]) {
        return Ok(());
    }
    // Cloud Storage and Compute Engine both say 412, which is not the number that goes with the word elsewhere.
    let message = format!("'{place}' violates constraint 'constraints/gcp.resourceLocations'");
    Err(precondition(message).status(412))
}

/// A machine with an address of the Internet must be allowed by its name:
/// <https://cloud.google.com/compute/docs/ip-addresses/configure-static-external-ip-address#disableexternalip>
fn addressed(world: &GcpWorld, request: &Request, project: &Project) -> Result<(), Refusal> {
    let interfaces = request.body.get("networkInterfaces").and_then(Value::as_array);
    let open =
        |interface: &Value| interface.get("accessConfigs").is_some_and(|configs| configs != &json!([]));
    if !interfaces.is_some_and(|all| all.iter().any(open)) {
        return Ok(());
    }
    let zone = request.part(3);
    let named = |of: &str| format!("projects/{of}/zones/{zone}/instances/{}", request.text("name"));
    let (by_id, by_number) = (named(&project.id), named(&project.number));
    let constraint = "constraints/compute.vmExternalIpAccess";
    let on = format!("projects/{}", project.id);
    if effective(world, &on, "compute.vmExternalIpAccess").allows(&[&by_id, &by_number]) {
        return Ok(());
    }
    let message = format!(
        "Constraint {constraint} violated for project {}. Add instance {by_id} to the constraint to use external IP with it.",
        project.number
    );
    Err(precondition(message).status(412))
}

/// <https://cloud.google.com/iam/docs/troubleshoot-org-policies>
fn violated(message: &str, constraint: &str, subject: &str) -> Refusal {
    let mut refused = precondition(message);
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
        "violations": [{"type": format!("constraints/{constraint}"), "subject": subject, "description": message}],
    });
    detail(&mut refused, info);
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_locations_mean_what_is_in_them() {
        let table = [
            ("in:eu-locations", "europe-west1", true),
            ("in:eu-locations", "eu", true),
            ("in:eu-locations", "europe-west2", false),
            ("in:europe-locations", "europe-west2-a", true),
            ("in:europe-west1-locations", "europe-west1-b", true),
            ("in:europe-west1-locations", "europe-west10-a", false),
            ("in:us-locations", "us-east1", true),
            ("is:europe-west1", "europe-west1", true),
            ("europe-west1", "europe-west1-b", false),
        ];
        for (value, name, expected) in table {
            assert_eq!(covers(value, name), expected, "{value} {name}");
        }
    }

    #[test]
    fn every_constraint_stands_once() {
        let mut names = CONSTRAINTS.map(|(name, _)| name).to_vec();
        names.dedup();
        assert_eq!(names.len(), CONSTRAINTS.len());
        assert!(names.is_sorted());
    }
}
