//! `standards-assessment`: the cloud's own continuous assessment against published standards is on.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::StandardsAssessment,
    title: "the cloud assesses the tenant against published standards",
    manual: "\
What it asks: the cloud's own continuous assessment against the standards that are listed is on. A lower level can only add
standards.

Why: the cloud looks at every resource, day and night, and auditors know the standards by which it does. Whoever asks for the
state of a tenant finds it there, clause by clause.

What the assessment finds is not judged here: only that it is on. What it finds stays in the cloud, for those who work there.
Standards that others switched on stay on. An assessment costs money, by what is assessed.

AWS: Security Hub in each governed region (securityhub:EnableSecurityHub, without the standards that AWS would choose), with the
listed standards (securityhub:BatchEnableStandards), by short name or ARN. Security Hub's checks read what AWS Config records: a
standard that it can't assess for want of a recorder is reported with Security Hub's own reason.
Azure: the built-in initiatives that are listed, assigned to the unit, or to the subscription where only that asks. By short
name: cis-azure-3.0, cis-controls-8.1, dora, gdpr, hitrust-csf-11.3, iso-27001-2022, iso-27017-2015, mcsb (the Microsoft cloud
security benchmark), nis2, nist-800-53-r5 (release 5.1.1), nist-800-171-r3, nist-csf-2.0, pci-dss-4.0 and soc-2023, which only
audit; or by id. Those that would change resources as well need an identity, which they are not given: Azure refuses them.
Clouds apart have fewer. Resources are assessed within a day, after a change within minutes.
Google Cloud: Security Command Center's service Security Health Analytics, switched on for the project
(securitycentermanagement, securityCenterServices.patch) unless it is on above. It assesses against all standards that it knows, and
none can be chosen: a name that is listed is reported. Where Security Command Center is not activated, that is reported, too.

References: AWS Security Hub user guide, Standards reference; Azure Policy, Regulatory Compliance built-in initiatives; Security
Command Center, Vulnerability findings.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some(r#"["aws-foundational-security-best-practices/v/1.0.0"]"#),
            help: "Security Hub standards, such as `cis-aws-foundations-benchmark/v/3.0.0`",
        },
        Parameter {
            name: "azure",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some(r#"["mcsb"]"#),
            help: "built-in initiatives, such as `iso-27001-2022`, or their ids",
        },
        Parameter {
            name: "gcp",
            form: Form::Texts,
            combine: Combine::Union,
            default: Some("[]"),
            help: "none: Security Health Analytics knows its standards itself",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Security Hub standards.
    pub aws: Vec<String>,
    /// Built-in initiatives.
    pub azure: Vec<String>,
    /// Names that can't be held; each is reported.
    pub gcp: Vec<String>,
}
