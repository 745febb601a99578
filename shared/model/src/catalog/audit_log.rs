//! `audit-log`: who did what in a tenant is written down, where nobody in the tenant can change it.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::AuditLog,
    title: "administrative actions are logged to the central place",
    manual: "\
What it asks: every administrative action in the tenant is written to the place that is named for its cloud. The place itself
belongs to the platform team and is not made here. It can't be exempted.

Why: what nobody wrote down can neither be proven nor reconstructed, and a log that lies in the tenant can be deleted by whoever
broke into it.

AWS: a trail of the organization (cloudtrail:CreateTrail with IsOrganizationTrail) in all regions with log file validation, to
the named bucket, made once in the management account; each account is looked at: the organization's trail is there and logs. Where
no bucket is named, any organization trail that logs will do. CloudTrail needs trusted access to the organization
(cloudtrail.amazonaws.com in enabled-services), and the bucket a policy that lets it write for the organization. The trail is
called landfall-audit; another one that does all of this will do, and those of others are never changed. What a trail's event
selectors leave out is not judged.
Azure: a diagnostic setting of the subscription (Microsoft.Insights/diagnosticSettings, a preview API) sends the activity log's
eight categories to the named Log Analytics workspace, storage account or event hub; another one on the root management group,
made once, sends what happens to the tree. Azure sends a category to one place once only: what settings of others send there
already counts, and ours sends the rest. At most five settings are allowed for each; where others have made five, that is
reported. Those of others are left alone. Where no place is named, it does not apply.
Google Cloud: a sink of the organization, landfall-audit, made once, sends the audit logs of everything below it to the named
bucket, dataset, topic or project (logging v2, sinks with includeChildren). Another sink that does all of this, without a filter
of its own, will do; those of others are never changed. Google makes an identity for the sink, which the finding names: whoever
owns the destination has to let it write there, and nothing arrives before. Each project is looked at: the organization's sink
is there and sends. With `data-access` the organization's IAM policy also says that reads and writes of data are logged, for all
services (auditConfigs with ADMIN_READ, DATA_READ and DATA_WRITE); members that somebody exempted, and what is said of single
services, stay. Such logs are many, and are paid for. How long logs are kept is the destination's business. Where no place is
named, it does not apply.

References: AWS CloudTrail user guide, Creating a trail for an organization; Azure Monitor, Diagnostic settings, Activity log;
Cloud Logging, Collate and route organization-level logs, Enable Data Access audit logs.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[
        Parameter {
            name: "aws",
            form: Form::Text,
            combine: Combine::Replace,
            default: None,
            help: "name of the bucket that the organization's trail writes to",
        },
        Parameter {
            name: "azure",
            form: Form::Text,
            combine: Combine::Replace,
            default: None,
            help: "resource id of a Log Analytics workspace, a storage account or an event hub's authorization rule",
        },
        Parameter {
            name: "gcp",
            form: Form::Text,
            combine: Combine::Replace,
            default: None,
            help: "destination of the sink, such as `logging.googleapis.com/projects/acme-logs/locations/eu/buckets/audit`",
        },
        Parameter {
            name: "data-access",
            form: Form::Switch,
            combine: Combine::Any,
            default: Some("false"),
            help: "on Google Cloud, whether reads and writes of data are logged as well, for all services",
        },
    ],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The bucket of the organization's trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<String>,
    /// The Azure resource that the activity log goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azure: Option<String>,
    /// The destination of the organization's sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcp: Option<String>,
    /// On Google Cloud, whether reads and writes of data are logged as well.
    #[serde(default)]
    pub data_access: bool,
}
