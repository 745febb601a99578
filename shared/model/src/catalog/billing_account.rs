//! `billing-account`: it is settled who pays for a tenant.

use serde::{Deserialize, Serialize};

use super::{Combine, ControlKind, Effect, Entry, Form, Parameter, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::BillingAccount,
    title: "the account that pays is the one that was agreed",
    manual: "\
What it asks: the tenant is paid for by the billing account that is named.

Why: whoever makes a project may link it to any billing account that they can use, a private one as well. Then its costs are
in nobody's report, its budget watches the wrong account, and it ends when that account is closed.

AWS: the organization's management account pays for every account in it; there is nothing to choose.
Azure: who pays is kept by the billing account that a subscription was made in, as its invoice section or enrollment account.
Neither the subscription nor the directory has such a setting: moving the charges is an operation of the billing account
(Microsoft.Billing, billingSubscriptions/move), under roles that no role of the directory gives, and not under every agreement.
Google Cloud: the billing account that the project is linked to (cloudbilling, projects.updateBillingInfo): a name of the
manifest's billing-accounts, or an id. It is linked before APIs are enabled, some of which ask for it. It needs the role Billing
Account User on the billing account, which rights on the organization do not give where the account is of another one. Costs
that were not reported yet may go to the new account. Of a project that was there before and is paid for by another account,
the change counts as a loss: credits, contracts and exports may hang on the old one. A closed billing account is reported: with
one linked, everything that costs money in the project is shut down.

References: AWS Billing user guide, Consolidating billing for AWS Organizations; Microsoft billing REST API, Billing
Subscriptions; Cloud Billing, Enable, disable, or change billing for a project.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[Parameter {
        name: "account",
        form: Form::Text,
        combine: Combine::Replace,
        default: None,
        help: "Google Cloud: a name of the manifest's billing-accounts, or an id such as `01AB23-45CD67-89EF01`",
    }],
};

/// What must hold, combined over all levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// A name of the cloud's billing accounts, or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}
