//! `budget`: people hear of it before a tenant spends more than was agreed.

use serde::{Deserialize, Serialize};

use super::{ControlKind, Effect, Entry, Place};

/// What the catalog says.
pub const ENTRY: Entry = Entry {
    kind: ControlKind::Budget,
    title: "people hear of spending before it is too much",
    manual: "\
What it asks: the tenant has a monthly budget of the amount its project names, and mail goes out when spending reaches
each of the percentages. Where the project names no budget, it does not apply.

Why: an unexpected bill is often the first sign of a stolen key, and always the dearest way to learn of a mistake.

It tells; it stops nothing. Costs are known hours late. Budgets that others made are left alone.

AWS: a monthly cost budget in the account with a notification for each percentage of actual spending
(budgets:CreateBudget). AWS's reference gives five notifications a budget in one place and ten in another, and ten mail
addresses for each. The amount must be in a currency that AWS Budgets takes for the account, usually US dollars: nothing
is converted, and a refusal is reported.
Azure: a budget on the subscription (Microsoft.Consumption/budgets), in the currency it is billed in, with at most five
notifications of actual spending. The amount is sent as it is and nothing is converted: where Azure shows another currency
than the manifest's, that is reported. Addresses and notifications that others put to the budget stay.
Google Cloud: a budget of the billing account, filtered by project (billingbudgets, budgets.create), in the billing
account's currency. Mail goes to the billing account's administrators and to notification channels of Cloud Monitoring,
not to any address.

References: AWS Billing and Cost Management API reference, CreateBudget; Microsoft Cost Management, Create and manage
budgets; Cloud Billing, Create, edit, or delete budgets and budget alerts.",
    place: Place::Tenant,
    effect: Effect::Repairs,
    parameters: &[],
};

/// What must hold, filled in from the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// The amount, and when to tell people.
    pub budget: crate::manifest::Budget,
    /// Mail addresses of those who are told, sorted.
    pub recipients: Vec<String>,
}
