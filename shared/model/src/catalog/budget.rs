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
Google Cloud: a budget of the billing account that pays for the project, of all that this project costs in a month
(billingbudgets, budgets.create), found by its name `landfall <project>`. It must be in the billing account's currency: nothing is
converted, and another one is reported. Mail goes to the manifest's contacts through notification channels of Cloud Monitoring,
which are made in the project unless it has some for these addresses, at most five a budget; and, as Google does for every budget,
to the billing account's administrators and users, unless somebody switched that off. Topics, channels and thresholds that others
put to the budget stay. It takes rights on the billing account (roles Billing Account Costs Manager, and Viewer to look), which
rights on the organization do not give where the account is of another one. A project that nobody pays for has no budget, and that
is reported. Where others put the budget to another project, it is theirs, and a new one is made.

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
