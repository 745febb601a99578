//! What the two service accounts have to be permitted on Google Cloud, and the custom role that says so.
//!
//! Both are given on the organization, from which folders and projects inherit.

use std::collections::BTreeMap;

use serde_json::Value;

use landfall_engine::permissions::{Errand, Needed, Purpose};
use landfall_model::catalog::ControlKind;
use landfall_model::manifest::Mode;

use crate::{controls, directory, doctor};

/// What is done whatever the manifest asks.
pub const ERRANDS: [Errand; 2] = [directory::ERRAND, doctor::ERRAND];

/// What an account needs for controls in their modes, beside the errands.
pub fn needed(purpose: Purpose, controls: &BTreeMap<ControlKind, Mode>) -> Needed {
    Needed::of_controls::<controls::Gcp>(purpose, &ERRANDS, controls)
}

/// Permissions that a custom role of the organization does not hold: how their names begin, and the predefined roles that hold them
/// for each purpose.
///
/// Google says of each permission whether custom roles may hold it
/// (<https://cloud.google.com/iam/docs/custom-roles-permissions-support>), and refuses a role that names one which they may not as a whole.
/// Those of deny policies and of organization policies are therefore left to roles of Google's own, and those of billing are granted on
/// billing accounts (<https://cloud.google.com/billing/docs/how-to/billing-access>).
const APART: [Apart; 4] = [
    Apart {
        names: "billing.resourceAssociations.",
        on: "the billing accounts",
        plan: "roles/billing.user",
        apply: "roles/billing.user",
    },
    Apart {
        names: "billing.",
        on: "the billing accounts",
        plan: "roles/billing.viewer",
        apply: "roles/billing.costsManager",
    },
    Apart {
        names: "iam.denypolicies.",
        on: "the organization",
        plan: "roles/iam.denyReviewer",
        apply: "roles/iam.denyAdmin",
    },
    Apart {
        names: "orgpolicy.",
        on: "the organization",
        plan: "roles/orgpolicy.policyViewer",
        apply: "roles/orgpolicy.policyAdmin",
    },
];

/// Permissions that a predefined role holds.
#[derive(Debug)]
struct Apart {
    names: &'static str,
    on: &'static str,
    plan: &'static str,
    apply: &'static str,
}

impl Apart {
    fn of(permission: &str) -> Option<&'static Apart> {
        APART.iter().find(|apart| permission.starts_with(apart.names))
    }

    const fn role(&self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Plan => self.plan,
            Purpose::Apply => self.apply,
        }
    }
}

/// Those that the custom role holds.
pub fn held(needed: &Needed) -> impl Iterator<Item = &'static str> + '_ {
    needed.permissions().filter(|permission| Apart::of(permission).is_none())
}

/// The predefined roles beside it, where they are given, and the permissions that they are given for.
pub fn predefined(
    purpose: Purpose,
    needed: &Needed,
) -> BTreeMap<(&'static str, &'static str), Vec<&'static str>> {
    let mut roles: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for permission in needed.permissions() {
        if let Some(apart) = Apart::of(permission) {
            roles.entry((apart.role(purpose), apart.on)).or_default().push(permission);
        }
    }
    roles
}

/// A custom role of the organization, in the form that `gcloud iam roles create --file` reads:
/// <https://cloud.google.com/iam/docs/creating-custom-roles>. What it can't hold is said above it, with the role to give for it.
pub fn role(title: &str, description: &str, purpose: Purpose, needed: &Needed) -> String {
    let mut text = String::new();
    for ((role, on), permissions) in predefined(purpose, needed) {
        text.push_str(&format!("# Besides, {role} on {on}, for\n"));
        for permission in permissions {
            text.push_str(&format!("#   {permission}\n"));
        }
    }
    // Texts of people may hold what means something in YAML; in JSON's quotes they are YAML too.
    let (title, description) = (Value::from(title), Value::from(description));
    text.push_str(&format!("title: {title}\ndescription: {description}\nstage: GA\nincludedPermissions:\n"));
    for permission in held(needed) {
        text.push_str(&format!("- {permission}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use landfall_engine::permissions::whole_catalog;

    use super::*;

    #[test]
    fn an_account_to_look_with_can_only_look() {
        let looks = ["get", "getIamPolicy", "list", "listEffectiveTags"];
        for permission in needed(Purpose::Plan, &whole_catalog()).permissions() {
            let verb = permission.rsplit('.').next().unwrap();
            assert!(looks.contains(&verb), "{permission}");
        }
    }

    #[test]
    fn what_the_role_can_t_hold_is_said_above_it_with_the_role_that_does() {
        let of = |kind: ControlKind, purpose: Purpose| {
            let needed = needed(purpose, &BTreeMap::from([(kind, Mode::Repair)]));
            let text = role("Landfall", "To look: no more.", purpose, &needed);
            let besides: Vec<String> =
                text.lines().filter(|line| line.starts_with("# Besides")).map(str::to_owned).collect();
            for permission in needed.permissions() {
                let said = [format!("#   {permission}"), format!("- {permission}")];
                let times = text.lines().filter(|line| said.iter().any(|said| line == said)).count();
                assert_eq!(times, 1, "{permission}");
            }
            (text, besides)
        };
        let (text, besides) = of(ControlKind::Tags, Purpose::Apply);
        assert_eq!(besides, [""; 0]);
        assert!(
            text.starts_with("title: \"Landfall\"\ndescription: \"To look: no more.\"\nstage: GA\n"),
            "{text}"
        );
        assert_eq!(
            of(ControlKind::QuarantineGate, Purpose::Plan).1,
            [
                "# Besides, roles/iam.denyReviewer on the organization, for",
                "# Besides, roles/orgpolicy.policyViewer on the organization, for",
            ]
        );
        assert_eq!(
            of(ControlKind::Budget, Purpose::Apply).1,
            ["# Besides, roles/billing.costsManager on the billing accounts, for"]
        );
        assert_eq!(
            of(ControlKind::BillingAccount, Purpose::Apply).1,
            ["# Besides, roles/billing.user on the billing accounts, for"]
        );
    }
}
