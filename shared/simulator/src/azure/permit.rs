//! Which actions a call takes on Azure, and whether its caller is granted them.
//!
//! A call takes the action of its own type and verb, by
//! <https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations>; what is called otherwise there, and what a
//! call takes besides, is written down here.

use http::Method;

use super::request::Request;
use super::route::Kind;
use super::world::AzureWorld;

/// The first action that a call takes and its caller is not granted.
pub(crate) fn missing(world: &AzureWorld, request: &Request) -> Option<String> {
    let granted = world.settings.grants.get(&request.caller.role)?;
    for action in actions(request) {
        if !granted.iter().any(|pattern| covers(pattern, &action)) {
            return Some(action);
        }
        world.taken.note(&action.to_ascii_lowercase());
    }
    None
}

/// What a call takes.
fn actions(request: &Request) -> Vec<String> {
    let Request { namespace, kind, operation, method, .. } = request;
    let own = match kind {
        // Whoever was let begin an operation is told how it goes.
        Kind::OperationResults => return Vec::new(),
        // Named otherwise than its type.
        Kind::SubscriptionPolicy if request.reads() => format!("{namespace}/Policies/default/read"),
        Kind::SubscriptionPolicy => format!("{namespace}/Policies/write"),
        Kind::Subscriptions
        | Kind::Rename
        | Kind::LockboxChoice
        | Kind::EnableLockbox
        | Kind::Aliases
        | Kind::Groups
        | Kind::Descendants
        | Kind::HierarchySettings
        | Kind::GroupSubscriptions
        | Kind::Tags
        | Kind::PolicyDefinitions
        | Kind::PolicySetDefinitions
        | Kind::PolicyAssignments
        | Kind::PolicyExemptions
        | Kind::PolicyStates
        | Kind::Remediations
        | Kind::RoleDefinitions
        | Kind::RoleAssignments
        | Kind::Locks
        | Kind::DiagnosticSettings
        | Kind::Budgets
        | Kind::Pricings
        | Kind::SecurityContacts
        | Kind::Providers
        | Kind::Register
        | Kind::ResourceGroups
        | Kind::Resources
        | Kind::FederatedCredentials
        | Kind::Resource => format!("{namespace}/{operation}"),
    };
    let mut actions = vec![own];
    if *method == Method::PUT {
        actions.extend(besides(request).into_iter().map(str::to_owned));
    }
    actions
}

/// What writing takes beside its own action.
fn besides(request: &Request) -> Vec<&'static str> {
    let place = |name: &str| {
        let properties = request.body.get("properties");
        properties.and_then(|all| all.get(name)).is_some_and(|place| !place.is_null())
    };
    let kind = request.kind;
    if kind == Kind::PolicyExemptions {
        // https://learn.microsoft.com/azure/governance/policy/concepts/exemption-structure, "Required permissions"
        return vec!["Microsoft.Authorization/policyAssignments/exempt/action"];
    }
    if kind == Kind::GroupSubscriptions {
        // https://learn.microsoft.com/azure/governance/management-groups/manage, "Move management groups and subscriptions"
        return vec![
            "Microsoft.Management/managementGroups/write",
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
        ];
    }
    if kind != Kind::DiagnosticSettings {
        return Vec::new();
    }
    // https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings: who names a place may write there.
    let places = [
        ("eventHubAuthorizationRuleId", "Microsoft.EventHub/namespaces/authorizationRules/listkeys/action"),
        ("workspaceId", "Microsoft.OperationalInsights/workspaces/sharedKeys/action"),
        ("storageAccountId", "Microsoft.Storage/storageAccounts/listKeys/action"),
    ];
    places.into_iter().filter_map(|(name, action)| place(name).then_some(action)).collect()
}

/// Whether a pattern of a role covers an action: `*` stands for any text, and case means nothing.
///
/// <https://learn.microsoft.com/azure/role-based-access-control/role-definitions>
fn covers(pattern: &str, action: &str) -> bool {
    crate::permit::matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_pattern_covers_what_it_says_in_whatever_case() {
        let table = [
            ("Microsoft.Resources/tags/read", "microsoft.resources/Tags/read", true),
            ("Microsoft.Resources/tags/read", "Microsoft.Resources/tags/write", false),
            ("*/register/action", "Microsoft.Insights/register/action", true),
            ("*/register/action", "Microsoft.Insights/register/read", false),
            ("Microsoft.Resources/*", "Microsoft.ResourcesX/tags/read", false),
        ];
        for (pattern, action, expected) in table {
            assert_eq!(covers(pattern, action), expected, "{pattern} {action}");
        }
    }
}
