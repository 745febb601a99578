//! What the doctor looks at on Azure.

use std::collections::BTreeSet;

use landfall_azure::{Azure, AzureOrganization};
use landfall_engine::cloud::Cloud as _;
use landfall_engine::control::chain;
use landfall_model::id::Name;
use landfall_model::manifest::AzureCloud;

use super::Examination;

/// The directory, its tree, and a few subscriptions.
pub(super) async fn cloud(
    azure: &Azure,
    name: &Name,
    ground: &AzureCloud,
    _: &BTreeSet<String>,
    seen: &mut Examination,
) {
    seen.good("credentials on Azure", azure.means());
    let organization = match AzureOrganization::new(azure, name.clone(), ground.clone()) {
        Ok(organization) => organization,
        Err(error) => {
            seen.bad("credentials on Azure", chain(&error), "`az login`, or a managed identity");
            return;
        }
    };
    match organization.page(None).await {
        Ok(page) => {
            seen.good("the directory", format!("{}: {} subscriptions", ground.directory, page.tenants.len()))
        }
        Err(error) => seen.bad(
            "the directory",
            chain(&error),
            "give the reading identity `Reader` on the directory's root management group",
        ),
    }
}
