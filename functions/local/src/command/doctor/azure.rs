//! What the doctor looks at on Azure.

use std::collections::BTreeSet;

use landfall_azure::doctor::{
    Caller, Group, Hierarchy, Way, directory, hierarchy, root, subscription, whoami,
};
use landfall_azure::{Azure, AzureOrganization, CallError};
use landfall_engine::control::chain;
use landfall_model::id::Name;
use landfall_model::manifest::{AzureCloud, Manage};

use super::{Examination, a_few};

/// The identities, the directory and its tree, where subscriptions are born, and a few of them.
pub(super) async fn cloud(
    azure: &Azure,
    name: &Name,
    ground: &AzureCloud,
    named: &BTreeSet<String>,
    seen: &mut Examination,
) {
    seen.good("credentials on Azure", azure.means());
    let ways: &[Way] = match ground.manage {
        Manage::Full => &[Way::Read, Way::Write],
        Manage::Observe => &[Way::Read],
    };
    for way in ways {
        if !identity(azure, name, ground, *way, seen).await {
            return;
        }
    }
    if ground.manage == Manage::Observe {
        seen.good("the identity that writes", "not needed: the manifest says `manage: observe`");
    }
    if !tree(azure, name, ground, seen).await {
        return;
    }
    let help = "let the identity that reads list the directory: `Reader` on its own group";
    let organization = match AzureOrganization::new(azure, name.clone(), ground.clone()) {
        Ok(organization) => organization,
        Err(error) => return seen.bad("the subscriptions", chain(&error), help),
    };
    for id in a_few(&organization, "subscription", help, named, seen).await {
        for way in ways {
            enter(azure, name, ground, &id, *way, seen).await;
        }
    }
}

/// Who one of the identities is; says whether there is any.
async fn identity(azure: &Azure, name: &Name, ground: &AzureCloud, way: Way, seen: &mut Examination) -> bool {
    let what = format!("the identity that {}", verb(way));
    let caller = match whoami(azure, ground, way).await {
        Ok(Some(caller)) => caller,
        Ok(None) => {
            seen.good(what, "its token does not say who it is");
            return true;
        }
        Err(error) => {
            let help = if unheard(&error) {
                "check the network, the proxy, and the authority host where one is set".to_owned()
            } else {
                format!("`az login`, or a managed identity with the client id of `clouds.{name}.identities`")
            };
            seen.bad(what, chain(&error), help);
            return false;
        }
    };
    let Caller { directory, object, application, name: person } = caller;
    let who = person.or(application).unwrap_or_else(|| "somebody".to_owned());
    let object = object.map(|object| format!(", object {object}")).unwrap_or_default();
    match directory {
        Some(directory) if !directory.eq_ignore_ascii_case(&ground.directory) => {
            seen.bad(
                what,
                format!(
                    "{who}{object} is of the directory `{directory}`, the manifest says `{}`",
                    ground.directory
                ),
                format!("`az login --tenant {}`, or correct `clouds.{name}.directory`", ground.directory),
            );
            false
        }
        Some(_) | None => {
            seen.good(what, format!("{who}{object}"));
            true
        }
    }
}

/// The directory, the group of the manifest, and where subscriptions are born; says whether the tree can be read.
async fn tree(azure: &Azure, name: &Name, ground: &AzureCloud, seen: &mut Examination) -> bool {
    match directory(azure, ground).await {
        Ok(Group { id, name }) => seen.good("the directory", format!("{id} ({name})")),
        Err(error) => {
            let help = if unheard(&error) {
                "check the network, the proxy, and `LANDFALL_AZURE_ENDPOINT` where it is set".to_owned()
            } else {
                format!(
                    "give the identity that reads `Reader` on the management group `{}`, or correct `clouds.{name}.directory`",
                    ground.directory
                )
            };
            seen.bad("the directory", chain(&error), help);
            return false;
        }
    }
    match root(azure, ground).await {
        Ok(Some(Group { id, name })) => seen.good("the root group", format!("{id} ({name})")),
        Ok(None) => seen
            .good("the root group", format!("`{}` is not there yet: the first sweep makes it", ground.root)),
        Err(error) => {
            seen.bad(
                "the root group",
                chain(&error),
                format!("correct `clouds.{name}.root`, or grant `Reader` on it"),
            );
        }
    }
    match hierarchy(azure, ground).await {
        Ok(Some(Hierarchy { birthplace: Some(group), .. }))
            if group.eq_ignore_ascii_case(&ground.quarantine) =>
        {
            seen.good("new subscriptions", format!("are born in `{group}`, behind the gate"));
        }
        Ok(settings) => {
            let birthplace = settings.and_then(|Hierarchy { birthplace, .. }| birthplace);
            let birthplace = birthplace.as_deref().unwrap_or("the directory's own group").to_owned();
            let sweep = match ground.manage {
                Manage::Full => format!("the first sweep makes it `{}`", ground.quarantine),
                Manage::Observe => "nothing is changed here".to_owned(),
            };
            seen.good("new subscriptions", format!("are born in {birthplace}: {sweep}"));
        }
        Err(error) => seen.bad(
            "new subscriptions",
            chain(&error),
            "let the identity that reads see the hierarchy's settings: `Reader` on the directory's own group",
        ),
    }
    true
}

/// Whether one of the identities sees a subscription.
async fn enter(azure: &Azure, name: &Name, ground: &AzureCloud, id: &str, way: Way, seen: &mut Examination) {
    let what = match way {
        Way::Read => format!("read {id}"),
        // Rights to write are shown by writing only.
        Way::Write => format!("reach {id} to write"),
    };
    match subscription(azure, ground, id, way).await {
        Ok(found)
            if !found.tenant_id.is_empty() && !found.tenant_id.eq_ignore_ascii_case(&ground.directory) =>
        {
            seen.bad(
                what,
                format!("{} is of the directory `{}`", found.display_name, found.tenant_id),
                format!("take it out of `clouds.{name}`"),
            );
        }
        // What does not work is reported by every sweep, and is nothing that rights would change.
        Ok(found) => seen.good(what, format!("{}, {}", found.display_name, found.state.to_ascii_lowercase())),
        Err(error) => seen.bad(
            what,
            chain(&error),
            match way {
                Way::Read => "give the identity that reads `Reader` on the directory's own group",
                Way::Write => {
                    "give the identity that writes its roles on the directory's own group: infra/azure/README.md"
                }
            },
        ),
    }
}

fn verb(way: Way) -> &'static str {
    match way {
        Way::Read => "reads",
        Way::Write => "writes",
    }
}

/// Nobody answered, so no right would help.
fn unheard(error: &CallError) -> bool {
    matches!(error, CallError::Timeout { .. } | CallError::Unreachable { .. } | CallError::Unreadable { .. })
}
