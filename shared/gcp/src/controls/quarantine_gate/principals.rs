//! Principals as deny policies write them: IAM's second version has names of its own.
//!
//! Source: <https://cloud.google.com/iam/docs/principal-identifiers>.

use std::collections::BTreeSet;

use landfall_model::desired::Desired;
use landfall_model::manifest::GcpIdentities;

use crate::controls::ground;

/// Everybody, signed in or not.
pub(super) const EVERYBODY: &str = "principalSet://goog/public:all";

/// Google's own accounts in a project, through which its services act there. Who may tell them what to do is denied that.
pub(super) fn service_agents(number: &str) -> String {
    format!("principalSet://cloudresourcemanager.googleapis.com/projects/{number}/type/ServiceAgent")
}

/// A service account.
fn service_account(email: &str) -> String {
    format!("principal://iam.googleapis.com/projects/-/serviceAccounts/{}", email.to_ascii_lowercase())
}

/// A member of IAM policies as deny policies name it; nothing where they have no name for it.
fn named(member: &str) -> Option<String> {
    match member.split_once(':') {
        // Identities of other providers are named alike in both versions.
        Some(("principal" | "principalSet", _)) => Some(member.to_owned()),
        Some(("user", email)) => Some(format!("principal://goog/subject/{}", email.to_ascii_lowercase())),
        Some(("group", email)) => Some(format!("principalSet://goog/group/{}", email.to_ascii_lowercase())),
        Some(("serviceAccount", email)) => Some(service_account(email)),
        Some(_) | None => None,
    }
}

/// Whom the gate spares, or why it can't be closed.
pub(super) fn spared(desired: &Desired) -> Result<BTreeSet<String>, String> {
    let Some(ground) = ground(desired) else { return Err("this is not Google Cloud".to_owned()) };
    let GcpIdentities { read: _, write, bootstrap } = &ground.identities;
    let Some(write) = write else {
        return Err(
            "`identities.write` names nobody: behind the gate nobody could set the project up".to_owned()
        );
    };
    let mut spared = BTreeSet::from([service_account(write)]);
    for member in bootstrap.iter().chain(&desired.break_glass) {
        let Some(name) = named(member) else {
            return Err(format!(
                "a deny policy can't spare `{member}`: name it as `user:`, `group:`, `serviceAccount:`, `principal://` or `principalSet://`"
            ));
        };
        spared.insert(name);
    }
    Ok(spared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_another_name_in_deny_policies() {
        let account = "principal://iam.googleapis.com/projects/-/serviceAccounts/factory@acme-seed.iam.gserviceaccount.com";
        let pool = "principalSet://iam.googleapis.com/locations/global/workforcePools/acme/group/admins";
        for (member, expected) in [
            ("user:Ada@acme.example", Some("principal://goog/subject/ada@acme.example")),
            ("group:break-glass@acme.example", Some("principalSet://goog/group/break-glass@acme.example")),
            ("serviceAccount:factory@acme-seed.iam.gserviceaccount.com", Some(account)),
            (pool, Some(pool)),
            ("domain:acme.example", None),
            ("allUsers", None),
        ] {
            assert_eq!(named(member).as_deref(), expected, "{member}");
        }
    }
}
