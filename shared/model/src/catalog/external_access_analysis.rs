//! `external-access-analysis`: somebody watches what a tenant shares with the outside.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ExternalAccessAnalysis,
    title: "what is shared with the outside is found",
    manual: "\
What it asks: an analyzer watches which of the tenant's resources outsiders can reach and, where asked, which rights
nobody uses.

Why: one policy on a bucket, key or role is enough to share it with the world, and nobody sees it happen. Rights that
nobody uses are only of use to an intruder.

AWS: an IAM Access Analyzer of the account in each governed region, which costs nothing, and, where unused access is
asked, one that looks for unused rights, which is charged for each role and user a month (access-analyzer:CreateAnalyzer).
An analyzer of the right kind that is there already is enough, whatever its name.
Azure: a subscription has no such analyzer. Two built-in policies on the unit's management group, Guest accounts with owner
permissions and Guest accounts with write permissions on Azure resources should be removed, audit what guests of the directory
may. They deny nothing (AuditIfNotExists) and rest on Defender for Cloud's assessments, for which enabled-services registers
Microsoft.Security. What is held here is that they are assigned; what they find stands in Defender for Cloud and in Azure
Policy's compliance view. Unused rights are not looked for: access reviews do that in the directory, a licensed feature.
Google Cloud: a project has no such analyzer: Policy Analyzer answers on request who has access, and the IAM recommender finds
unused rights by itself, so neither parameter means anything there. What is held instead is that nothing new is shared: the
constraint iam.allowedPolicyMemberDomains, on the unit's folder, lets IAM policies name only principals of the organization's own
directory, which the manifest says as the cloud's `customer`; without it, that is reported and nothing is set. Grants that exist
stay, also those to everybody (allUsers). Partners' identities and public services need the tenant to be exempt. Nobody is spared.

References: IAM Access Analyzer API reference, CreateAnalyzer, UnusedAccessConfiguration; Microsoft Entra ID Governance,
What are access reviews; Policy Intelligence, Overview.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "unused-access",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("false"),
            help: "look for rights that nobody uses as well; the cloud may charge for it",
        },
        Parameter {
            name: "unused-days",
            form: Form::Whole { min: 1, max: 365 },
            combine: Combine::Min,
            default: Some("90"),
            help: "days after which a right counts as unused",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Rights that nobody uses are looked for as well.
    pub unused_access: bool,
    /// Days after which a right counts as unused.
    pub unused_days: u32,
}
