//! `threat-detection`: the cloud's own detection of attacks is on.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ThreatDetection,
    title: "the cloud's detection of attacks is on",
    manual: "\
What it asks: the cloud's own detection is on in the tenant, with the plans that are listed. A lower level can only add plans.

Why: the cloud sees signs that no log of ours shows, such as calls to known attackers or keys used from elsewhere, and it sees
them in a tenant that nobody has looked at yet.

It costs money, by what is watched. Plans that others switched on stay on.

AWS: a GuardDuty detector in each governed region (guardduty:CreateDetector), enabled, with the listed features
(guardduty:UpdateDetector), such as S3_DATA_EVENTS. The detector alone where none are listed: what AWS switches on with a new
detector and nobody listed goes off again. One that an administrator account manages is as good, and is changed there.
Azure: the plans of Microsoft Defender for Cloud (Microsoft.Security/pricings) at their Standard tier, each a setting of its own,
with the sub-plan and extensions that Azure or others chose. Azure may accept a plan and still fail to switch on one of its
extensions: that is reported, and so is a plan that is deprecated or that this cloud does not have. The twelve usual plans where
none are listed.
Google Cloud: the listed services of Security Command Center, each a setting of its own, switched on for the project
(securitycentermanagement, securityCenterServices.patch) unless they are on above; event-threat-detection where none are listed.
Security Command Center itself is activated by people: where it is not, or its tier lacks a service, that is reported.

References: Amazon GuardDuty user guide, Features; Microsoft Defender for Cloud, Pricings REST API; Security Command Center,
Configure services.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "GuardDuty features, such as `S3_DATA_EVENTS`",
        },
        Parameter {
            name: "azure",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some(
                r#"["AI","AppServices","Arm","CloudPosture","Containers","CosmosDbs","KeyVaults","OpenSourceRelationalDatabases","SqlServerVirtualMachines","SqlServers","StorageAccounts","VirtualMachines"]"#,
            ),
            help: "plans of Defender for Cloud, such as `KeyVaults`",
        },
        Parameter {
            name: "gcp",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some(r#"["event-threat-detection"]"#),
            help: "services of Security Command Center, such as `vm-threat-detection`",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// GuardDuty features.
    pub aws: Vec<String>,
    /// Plans of Defender for Cloud.
    pub azure: Vec<String>,
    /// Services of Security Command Center.
    pub gcp: Vec<String>,
}
