//! `service-alerts`: people are told of what the cloud announces, and of dangerous changes.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ServiceAlerts,
    title: "people are told of outages, maintenance and advisories",
    manual: "\
What it asks: mail goes out when the cloud has an outage, plans a maintenance or has a security advisory that concerns the
tenant, and, where the cloud offers such an alert by itself, when somebody takes a dangerous administrative action. The
manifest's contacts for operations and security are told; addresses that others put there stay.

Why: the cloud announces what will stop or endanger a tenant to whoever asked to be told. Nobody reads a dashboard every day,
and a deprecation that nobody read of becomes an outage on a known date.

It tells; it stops nothing.

AWS: nothing is set up, because AWS Health writes to the account's contacts by itself, of what concerns the account:
`security-contacts` keeps them. What it does not write of are events that are public and concern no account, and actions of
people.
Azure: in a resource group `landfall`, which is made where it is missing, an action group `landfall-operations` and alerts
on the activity log (Microsoft.Insights/activityLogAlerts): one for Service Health, and one for each action of the CIS
benchmark, which are writing and deleting policy assignments, network security groups, security solutions, firewall rules of
SQL servers and public IP addresses. Landfall's own writes are told of too. Who ended the mails to themselves is reported: only
they can have them again. Action groups and alerts of other names are left alone; receivers of other kinds than mail in the
action group are lost when it is repaired, which counts as a deletion.
Google Cloud: in the project, an e-mail notification channel of Cloud Monitoring for each recipient, and alerting policies on
log entries: one for what Personalized Service Health writes of incidents, and one for each change that the CIS benchmark
names, which are those of owners of the project, audit configuration, custom roles, VPC firewall rules, routes and networks,
IAM policies of buckets, and Cloud SQL instances. An alert sends at most one mail in five minutes unless people choose
otherwise. Landfall's own writes are told of too. They watch the project's own log: what happens to the folder or the
organization above is not in it. Alerts are on the entries themselves, so that tools that look for log-based metrics don't
find them. Logging, Monitoring and Service Health have to be enabled in the project, which `enabled-services` sees to. Planned
maintenance is not told of by Service Health, and advisories go to the contacts of `security-contacts`. An alert that Google
calls invalid and a channel that it calls unverified are reported. Channels and policies of other names and labels are left
alone, and so are snoozes, and channels that others put to an alert of ours.

References: AWS User Notifications user guide, AWS managed notifications; Azure Service Health, Create activity log alerts; CIS
Microsoft Azure Foundations Benchmark, Ensure that activity log alerts exist; Personalized Service Health, Configure alerts;
Cloud Logging, Configure log-based alerting policies; CIS Google Cloud Platform Foundation Benchmark, Logging and Monitoring.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "location",
        form: Form::Text,
        combine: Combine::Replace,
        default: None,
        help: "Azure: where the resource group `landfall` is made; the first governed location, by the alphabet, where nobody says",
    }],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Where Azure keeps the resource group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Mail addresses of those who are told, sorted.
    pub recipients: Vec<String>,
}
