//! `service-accounts`: the identities that a project's workloads run as, and who may act as them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::ServiceAccounts,
    title: "the service accounts that are asked for exist, and those who are named may act as them",
    manual: "\
What it asks: the listed service accounts exist in the project and are not disabled, and each member that is listed with one may
act as it, without a key.

Why: a workload or a pipeline with an identity of its own needs neither a default service account nor a key that somebody can lose.
Who may act as it is access, and belongs where access is reviewed.

AWS, Azure: there are no service accounts. Workloads take roles on AWS, whose trust policies say who may; on Azure, managed
identities are resources of the workload, in its resource groups.
Google Cloud: a service account for each name (iam v1, serviceAccounts.create), and members of bindings in its own IAM policy:
roles/iam.workloadIdentityUser for `principal://` and `principalSet://`, which are identities from elsewhere, and
roles/iam.serviceAccountTokenCreator for everybody else. A member that Landfall made is taken out when nobody asks for it any
more, by its ledger; members of others and conditions stay. An account that is no longer asked for is left as it is, because a
workload may run as it. A disabled one is enabled again. What the account itself may do is given elsewhere: it gets no role here.

References: IAM documentation, Create service accounts, Service account impersonation; Workload Identity Federation.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "gcp",
        form: Form::TextLists,
        combine: Combine::Union,
        default: Some("{}"),
        help: "who may act as each account, by the account's name: `{ deployer: [\"group:payments@acme.example\"] }`",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Who may act as each account, by the account's name.
    pub gcp: BTreeMap<String, Vec<String>>,
}
