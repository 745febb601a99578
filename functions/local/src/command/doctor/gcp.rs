//! What the doctor looks at on Google Cloud.

use std::collections::BTreeSet;

use landfall_engine::control::chain;
use landfall_gcp::doctor::{Apis, Extent, Organization, Way, apis, organization, project, tree, whoami};
use landfall_gcp::{CallError, Gcp, GcpOrganization};
use landfall_model::id::Name;
use landfall_model::manifest::{GcpCloud, Manage};

use super::{Examination, a_few};

/// The identities, the organization and its tree, the APIs that are called, and a few projects.
pub(super) async fn cloud(
    gcp: &Gcp,
    name: &Name,
    ground: &GcpCloud,
    named: &BTreeSet<String>,
    seen: &mut Examination,
) {
    seen.good("credentials on Google Cloud", gcp.means());
    let ways: &[Way] = match ground.manage {
        Manage::Full => &[Way::Read, Way::Write],
        Manage::Observe => &[Way::Read],
    };
    for way in ways {
        if !identity(gcp, name, ground, *way, seen).await {
            return;
        }
    }
    if ground.manage == Manage::Observe {
        seen.good("the account that writes", "not needed: the manifest says `manage: observe`");
    }
    if !whole(gcp, name, ground, seen).await {
        return;
    }
    enabled(gcp, ground, seen).await;
    let help = "let the account that reads see all folders and projects: infra/gcp/README.md";
    let organization = match GcpOrganization::new(gcp, name.clone(), ground.clone()) {
        Ok(organization) => organization,
        Err(error) => return seen.bad("the projects", chain(&error), help),
    };
    for id in a_few(&organization, "project", help, named, seen).await {
        for way in ways {
            enter(gcp, ground, &id, *way, seen).await;
        }
    }
}

/// Who one of the identities is; says whether there is any.
async fn identity(gcp: &Gcp, name: &Name, ground: &GcpCloud, way: Way, seen: &mut Examination) -> bool {
    let what = format!("the account that {}", verb(way));
    match whoami(gcp, ground, way).await {
        Ok(account) => {
            seen.good(
                what,
                account.unwrap_or_else(|| "whoever signed in: the manifest names none".to_owned()),
            );
            true
        }
        Err(error) => {
            let help = if unheard(&error) {
                "check the network and the proxy".to_owned()
            } else {
                format!(
                    "`gcloud auth application-default login`, and `roles/iam.serviceAccountTokenCreator` on the account of \
                     `clouds.{name}.identities`"
                )
            };
            seen.bad(what, chain(&error), help);
            false
        }
    }
}

/// The organization and its tree; says whether they can be read.
async fn whole(gcp: &Gcp, name: &Name, ground: &GcpCloud, seen: &mut Examination) -> bool {
    let what = "the organization";
    match organization(gcp, ground).await {
        Ok(Organization { display_name, directory_customer_id, state }) => {
            seen.good(
                what,
                format!("{} ({display_name}), {}", ground.organization, state.to_ascii_lowercase()),
            );
            if let Some(customer) = ground.customer.as_ref().filter(|one| **one != directory_customer_id) {
                seen.bad(
                    "its customer",
                    format!("`{directory_customer_id}`, the manifest says `{customer}`"),
                    format!("correct `clouds.{name}.customer`"),
                );
            }
        }
        Err(error) => {
            let help = if unheard(&error) {
                "check the network, the proxy, and `LANDFALL_GCP_ENDPOINT` where it is set".to_owned()
            } else {
                format!(
                    "let the account that reads see the organization, or correct `clouds.{name}.organization`"
                )
            };
            seen.bad(what, chain(&error), help);
            return false;
        }
    }
    match tree(gcp, ground).await {
        Ok(Extent { folders, projects }) => {
            seen.good("its tree", format!("{folders} folders and {projects} projects are seen"));
            true
        }
        Err(error) => {
            seen.bad(
                "its tree",
                chain(&error),
                "let the account that reads see all folders and projects: infra/gcp/README.md",
            );
            false
        }
    }
}

/// The APIs that are called, in the project that the calls are counted in.
async fn enabled(gcp: &Gcp, ground: &GcpCloud, seen: &mut Examination) {
    let what = "the APIs that are called";
    match apis(gcp, ground).await {
        Ok(None) => seen.good(what, "not looked at: the manifest names no `controller-project`"),
        Ok(Some(Apis { enabled, missing })) if missing.is_empty() => {
            seen.good(what, format!("all {enabled} are enabled"));
        }
        Ok(Some(Apis { missing, .. })) => seen.bad(
            what,
            format!("not enabled: {}", missing.join(", ")),
            format!(
                "`gcloud services enable {} --project {}`",
                missing.join(" "),
                ground.controller_project.as_deref().unwrap_or("PROJECT")
            ),
        ),
        Err(error) => seen.bad(
            what,
            chain(&error),
            "let the account that reads list them: `serviceusage.services.list`",
        ),
    }
}

/// Whether one of the identities sees a project.
async fn enter(gcp: &Gcp, ground: &GcpCloud, id: &str, way: Way, seen: &mut Examination) {
    let what = match way {
        Way::Own | Way::Read => format!("read {id}"),
        // Rights to write are shown by writing only.
        Way::Write => format!("reach {id} to write"),
    };
    match project(gcp, ground, id, way).await {
        Ok(found) => seen.good(what, format!("{}, {}", found.name, found.state.to_ascii_lowercase())),
        Err(error) => {
            seen.bad(
                what,
                chain(&error),
                format!("give the account that {} its roles: infra/gcp/README.md", verb(way)),
            );
        }
    }
}

fn verb(way: Way) -> &'static str {
    match way {
        Way::Own => "the function runs as",
        Way::Read => "reads",
        Way::Write => "writes",
    }
}

/// Nobody answered, so no right would help.
fn unheard(error: &CallError) -> bool {
    matches!(error, CallError::Timeout { .. } | CallError::Unreachable { .. } | CallError::Unreadable { .. })
}
