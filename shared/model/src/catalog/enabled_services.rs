//! `enabled-services`: the cloud's services that the organization relies on are switched on.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::EnabledServices,
    title: "services the organization relies on are switched on",
    manual: "\
What it asks: the services that are listed may work across the organization, and the kinds of policy that other controls
need are switched on.

Why: a policy whose kind is not enabled can't be attached, and a service without trusted access sees one account instead
of all. Both fail late and far from the cause.

What others have switched on is left alone: switching a service off may delete what it made in every account.

AWS: trusted access for a service principal (organizations:EnableAWSServiceAccess), once for the organization, and the
policy types that the controls in use need (organizations:EnablePolicyType). Some services ask to be switched on from
their own console or API, because that makes further roles and resources: for these, the call here is not enough.
Azure: nothing is switched on for the whole directory. A resource provider, such as Microsoft.Security, is registered in
each subscription (its register action), before anything that stands on it: those that are listed, and those that other
controls need there (Microsoft.Security, Microsoft.Insights, Microsoft.PolicyInsights). It takes minutes, in which the
control is unknown. Where nobody asks for this control, a setting that needs a resource provider registers it by itself.
Google Cloud: nothing is switched on for the whole organization. An API, such as logging.googleapis.com, is enabled in
each project (serviceusage, services.batchEnable), at most 20 a call: those that are listed, and those that other controls
keep something in (logging, monitoring and servicehealth for service-alerts, monitoring for budget). It may take minutes, in
which the control is unknown. Most APIs that Landfall calls have to be enabled in its own project only. Enabling compute.googleapis.com makes the default
network where no organization policy keeps it away, so it is enabled where it is listed and never because of another control.

References: AWS Organizations user guide, Using AWS Organizations with other AWS services, Enabling a policy type; Azure
Resource Manager, Resource providers and types; Service Usage documentation, Enabling and disabling services.",
    place: Place::Organization,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "service principals with trusted access, such as `sso.amazonaws.com`",
        },
        Parameter {
            name: "azure",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "resource provider namespaces, such as `Microsoft.Security`",
        },
        Parameter {
            name: "gcp",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "APIs, such as `logging.googleapis.com`",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Service principals with trusted access.
    pub aws: Vec<String>,
    /// Resource provider namespaces.
    pub azure: Vec<String>,
    /// APIs.
    pub gcp: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value};

    use crate::catalog::*;

    /// What stands under `with` where nobody says anything.
    fn defaults(kind: ControlKind) -> Map<String, Value> {
        let parameters = kind.entry().parameters.iter();
        let said = parameters.filter_map(|one| Some((one.name.to_owned(), one.default?.parse().unwrap())));
        said.collect()
    }

    fn reads<S: DeserializeOwned>(kind: ControlKind) {
        let mut with = defaults(kind);
        assert!(S::deserialize(Value::from(with.clone())).is_ok(), "{kind}: {with:?}");
        with.insert("nobody-knows-this".to_owned(), Value::Null);
        assert!(S::deserialize(Value::from(with)).is_err(), "{kind}: reads what it does not know");
    }

    #[test]
    fn settings_that_come_from_parameters_alone_need_nobody_to_say_anything() {
        reads::<enabled_services::Settings>(ControlKind::EnabledServices);
        reads::<allowed_regions::Settings>(ControlKind::AllowedRegions);
        reads::<denied_services::Settings>(ControlKind::DeniedServices);
        reads::<organization_policies::Settings>(ControlKind::OrganizationPolicies);
        reads::<federation::Settings>(ControlKind::Federation);
        reads::<protect_baseline::Settings>(ControlKind::ProtectBaseline);
        reads::<resource_locks::Settings>(ControlKind::ResourceLocks);
        reads::<audit_log::Settings>(ControlKind::AuditLog);
        reads::<threat_detection::Settings>(ControlKind::ThreatDetection);
        reads::<standards_assessment::Settings>(ControlKind::StandardsAssessment);
        reads::<billing_account::Settings>(ControlKind::BillingAccount);
        reads::<resource_tags::Settings>(ControlKind::ResourceTags);
        reads::<account_alias::Settings>(ControlKind::AccountAlias);
        reads::<password_policy::Settings>(ControlKind::PasswordPolicy);
        reads::<no_root_keys::Settings>(ControlKind::NoRootKeys);
        reads::<root_mfa::Settings>(ControlKind::RootMfa);
        reads::<external_access_analysis::Settings>(ControlKind::ExternalAccessAnalysis);
        reads::<default_service_accounts::Settings>(ControlKind::DefaultServiceAccounts);
        reads::<service_accounts::Settings>(ControlKind::ServiceAccounts);
        reads::<block_public_storage::Settings>(ControlKind::BlockPublicStorage);
        reads::<encrypt_by_default::Settings>(ControlKind::EncryptByDefault);
        reads::<block_public_snapshots::Settings>(ControlKind::BlockPublicSnapshots);
        reads::<block_public_images::Settings>(ControlKind::BlockPublicImages);
        reads::<hardened_instances::Settings>(ControlKind::HardenedInstances);
        reads::<no_default_network::Settings>(ControlKind::NoDefaultNetwork);
        reads::<closed_default_security_groups::Settings>(ControlKind::ClosedDefaultSecurityGroups);
        reads::<region_opt_in::Settings>(ControlKind::RegionOptIn);
    }
}
