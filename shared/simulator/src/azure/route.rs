//! Which types ARM knows, where they are, and in which api-versions they are asked for.

use super::scope::Scope;
use super::world::subscription::PROVIDERS;

/// What a request is about; each has its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Subscriptions,
    Rename,
    SubscriptionPolicy,
    LockboxChoice,
    EnableLockbox,
    Aliases,
    Groups,
    Descendants,
    HierarchySettings,
    GroupSubscriptions,
    OperationResults,
    Tags,
    PolicyDefinitions,
    PolicySetDefinitions,
    PolicyAssignments,
    PolicyExemptions,
    PolicyStates,
    Remediations,
    RoleDefinitions,
    RoleAssignments,
    Locks,
    DiagnosticSettings,
    Budgets,
    Pricings,
    SecurityContacts,
    Providers,
    Register,
    ResourceGroups,
    Resources,
    /// All that is inside one identity; each of them is a resource.
    FederatedCredentials,
    Resource,
}

/// A type's namespace, its pattern (`*` is a name), its kind and the versions it is known in, newest first.
type Route = (&'static str, &'static str, Kind, &'static [&'static str]);

const AUTHORIZATION: &str = "Microsoft.Authorization";
const MANAGEMENT: &str = "Microsoft.Management";
const INSIGHTS: &str = "Microsoft.PolicyInsights";

const GROUPS: &[&str] = &["2023-04-01", "2021-04-01", "2020-10-01", "2020-05-01", "2020-02-01"];
const POLICY: &[&str] = &[
    "2026-06-01",
    "2025-11-01",
    "2025-03-01",
    "2025-01-01",
    "2024-05-01",
    "2024-04-01",
    "2023-04-01",
    "2022-06-01",
    "2021-06-01",
    "2020-09-01",
];
const EXEMPTIONS: &[&str] = &["2024-12-01-preview", "2022-07-01-preview", "2020-07-01-preview"];
const ROLES: &[&str] = &["2022-04-01", "2018-07-01", "2015-07-01"];
const LOCKS: &[&str] = &["2020-05-01", "2017-04-01", "2016-09-01"];
const BUDGETS: &[&str] = &["2024-08-01", "2023-11-01", "2023-05-01", "2023-03-01", "2021-10-01"];
const PRICINGS: &[&str] = &["2024-01-01", "2023-01-01", "2022-03-01"];
const STATES: &[&str] = &["2024-10-01", "2019-10-01", "2018-04-04"];
const REMEDIATIONS: &[&str] = &["2024-10-01", "2021-10-01", "2019-07-01"];
const SUBSCRIPTION: &[&str] = &["2021-10-01", "2020-09-01"];
const DIAGNOSTICS: &[&str] = &["2021-05-01-preview", "2017-05-01-preview"];
const GROUP_DIAGNOSTICS: &[&str] = &["2021-05-01-preview", "2020-01-01-preview"];
/// Of ARM itself: resource groups, tags, providers, resources.
const RESOURCES: &[&str] = &[
    "2025-04-01",
    "2025-03-01",
    "2024-11-01",
    "2024-07-01",
    "2024-03-01",
    "2023-07-01",
    "2022-09-01",
    "2021-04-01",
    "2020-10-01",
];
const SUBSCRIPTIONS: &[&str] = &["2022-12-01", "2022-09-01", "2021-01-01", "2020-01-01", "2016-06-01"];

const LOCKBOX: &[&str] = &["2018-02-28-preview"];
const IDENTITIES: &[&str] = &["2024-11-30", "2023-01-31"];

const ROUTES: [Route; 42] = [
    (MANAGEMENT, "managementGroups", Kind::Groups, GROUPS),
    (MANAGEMENT, "managementGroups/*", Kind::Groups, GROUPS),
    (MANAGEMENT, "managementGroups/*/descendants", Kind::Descendants, GROUPS),
    (MANAGEMENT, "managementGroups/*/settings", Kind::HierarchySettings, GROUPS),
    (MANAGEMENT, "managementGroups/*/settings/*", Kind::HierarchySettings, GROUPS),
    (MANAGEMENT, "managementGroups/*/subscriptions", Kind::GroupSubscriptions, GROUPS),
    (MANAGEMENT, "managementGroups/*/subscriptions/*", Kind::GroupSubscriptions, GROUPS),
    (MANAGEMENT, "operationResults/*/asyncOperation/*/managementGroups/*", Kind::OperationResults, GROUPS),
    (MANAGEMENT, "operationResults/*/managementGroups/*", Kind::OperationResults, GROUPS),
    (AUTHORIZATION, "policyDefinitions", Kind::PolicyDefinitions, POLICY),
    (AUTHORIZATION, "policyDefinitions/*", Kind::PolicyDefinitions, POLICY),
    (AUTHORIZATION, "policySetDefinitions", Kind::PolicySetDefinitions, POLICY),
    (AUTHORIZATION, "policySetDefinitions/*", Kind::PolicySetDefinitions, POLICY),
    (AUTHORIZATION, "policyAssignments", Kind::PolicyAssignments, POLICY),
    (AUTHORIZATION, "policyAssignments/*", Kind::PolicyAssignments, POLICY),
    (AUTHORIZATION, "policyExemptions", Kind::PolicyExemptions, EXEMPTIONS),
    (AUTHORIZATION, "policyExemptions/*", Kind::PolicyExemptions, EXEMPTIONS),
    (AUTHORIZATION, "roleDefinitions", Kind::RoleDefinitions, ROLES),
    (AUTHORIZATION, "roleDefinitions/*", Kind::RoleDefinitions, ROLES),
    (AUTHORIZATION, "roleAssignments", Kind::RoleAssignments, ROLES),
    (AUTHORIZATION, "roleAssignments/*", Kind::RoleAssignments, ROLES),
    (AUTHORIZATION, "locks", Kind::Locks, LOCKS),
    (AUTHORIZATION, "locks/*", Kind::Locks, LOCKS),
    ("Microsoft.Resources", "tags/*", Kind::Tags, RESOURCES),
    ("Microsoft.Subscription", "rename", Kind::Rename, SUBSCRIPTION),
    ("Microsoft.Subscription", "policies/*", Kind::SubscriptionPolicy, SUBSCRIPTION),
    ("Microsoft.CustomerLockbox", "tenantOptedIn/*", Kind::LockboxChoice, LOCKBOX),
    ("Microsoft.CustomerLockbox", "enableLockbox", Kind::EnableLockbox, LOCKBOX),
    ("Microsoft.Subscription", "aliases/*", Kind::Aliases, SUBSCRIPTION),
    (INSIGHTS, "policyStates/*/summarize", Kind::PolicyStates, STATES),
    (INSIGHTS, "policyStates/*/queryResults", Kind::PolicyStates, STATES),
    (INSIGHTS, "remediations", Kind::Remediations, REMEDIATIONS),
    (INSIGHTS, "remediations/*", Kind::Remediations, REMEDIATIONS),
    ("Microsoft.Consumption", "budgets", Kind::Budgets, BUDGETS),
    ("Microsoft.Consumption", "budgets/*", Kind::Budgets, BUDGETS),
    ("Microsoft.Security", "pricings", Kind::Pricings, PRICINGS),
    ("Microsoft.Security", "pricings/*", Kind::Pricings, PRICINGS),
    ("Microsoft.Security", "securityContacts", Kind::SecurityContacts, &["2023-12-01-preview"]),
    ("Microsoft.Security", "securityContacts/*", Kind::SecurityContacts, &["2023-12-01-preview"]),
    (
        "Microsoft.ManagedIdentity",
        "userAssignedIdentities/*/federatedIdentityCredentials",
        Kind::FederatedCredentials,
        IDENTITIES,
    ),
    ("Microsoft.Insights", "diagnosticSettings", Kind::DiagnosticSettings, DIAGNOSTICS),
    ("Microsoft.Insights", "diagnosticSettings/*", Kind::DiagnosticSettings, DIAGNOSTICS),
];

/// Types in resource groups whose versions are known; others take every version that looks like one.
const RESOURCE_VERSIONS: [(&str, &[&str]); 5] = [
    ("Microsoft.Insights/actionGroups", &["2023-01-01", "2022-06-01", "2021-09-01", "2019-06-01"]),
    ("Microsoft.Insights/activityLogAlerts", &["2020-10-01", "2017-04-01"]),
    ("Microsoft.ManagedIdentity/userAssignedIdentities", IDENTITIES),
    ("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials", IDENTITIES),
    ("Microsoft.OperationalInsights/workspaces", &["2025-02-01", "2023-09-01", "2022-10-01", "2021-06-01"]),
];

/// A path, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routed {
    pub(crate) scope: Scope,
    pub(crate) namespace: String,
    pub(crate) kind: Kind,
    /// The type without its namespace, in the spelling of the documentation: `managementGroups/subscriptions`.
    pub(crate) types: String,
    pub(crate) names: Vec<String>,
    /// Empty where every version that looks like one is taken.
    pub(crate) versions: &'static [&'static str],
}

/// What a path is about; `None` for one that ARM has nothing at.
pub(crate) fn route(path: &str) -> Option<Routed> {
    // Decoded before it is split: Microsoft's own clients write a scope's slashes as `%2F`.
    let decoded = percent_decoded(path);
    let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
    let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
    match parts.as_slice() {
        [first] if is(first, "subscriptions") => {
            return Some(core(Scope::Tenant, Kind::Subscriptions, "subscriptions", &[]));
        }
        [first, _] if is(first, "subscriptions") => {
            let types = "subscriptions";
            return Some(core(Scope::of_parts(&parts)?, Kind::Subscriptions, types, &[]));
        }
        [first, _, groups, names @ ..]
            if is(first, "subscriptions") && is(groups, "resourceGroups") && names.len() <= 1 =>
        {
            let scope = Scope::of_parts(parts.get(..2)?)?;
            return Some(core(scope, Kind::ResourceGroups, "subscriptions/resourceGroups", names));
        }
        [first, _, last] if is(first, "subscriptions") && is(last, "resources") => {
            return Some(core(
                Scope::of_parts(parts.get(..2)?)?,
                Kind::Resources,
                "subscriptions/resources",
                &[],
            ));
        }
        [first, _, groups, _, last]
            if is(first, "subscriptions") && is(groups, "resourceGroups") && is(last, "resources") =>
        {
            let types = "subscriptions/resourceGroups/resources";
            return Some(core(Scope::of_parts(parts.get(..4)?)?, Kind::Resources, types, &[]));
        }
        _ => {}
    }
    let at = parts.iter().rposition(|part| is(part, "providers"))?;
    let (before, after) = parts.split_at_checked(at)?;
    let scope = Scope::of_parts(before)?;
    match (after.get(1..)?, &scope) {
        ([], Scope::Subscription(_)) => Some(core(scope, Kind::Providers, "subscriptions/providers", &[])),
        ([namespace], Scope::Subscription(_)) => {
            Some(core(scope, Kind::Providers, "subscriptions/providers", &[namespace]))
        }
        ([namespace, verb], Scope::Subscription(_)) if is(verb, "register") || is(verb, "unregister") => {
            let namespace = (*namespace).to_owned();
            let types = verb.to_ascii_lowercase();
            Some(Routed {
                scope,
                namespace,
                kind: Kind::Register,
                types,
                names: Vec::new(),
                versions: RESOURCES,
            })
        }
        ([namespace, rest @ ..], _) => known(&scope, namespace, rest).or_else(|| in_group(&parts)),
        _ => None,
    }
}

fn core(scope: Scope, kind: Kind, types: &str, names: &[&str]) -> Routed {
    let versions = if kind == Kind::Subscriptions { SUBSCRIPTIONS } else { RESOURCES };
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Routed {
        scope,
        namespace: "Microsoft.Resources".to_owned(),
        kind,
        types: types.to_owned(),
        names,
        versions,
    }
}

fn known(scope: &Scope, namespace: &str, rest: &[&str]) -> Option<Routed> {
    ROUTES.iter().find_map(|(owner, pattern, kind, versions)| {
        if !owner.eq_ignore_ascii_case(namespace) || pattern.split('/').count() != rest.len() {
            return None;
        }
        let (mut types, mut names) = (Vec::new(), Vec::new());
        for (expected, part) in pattern.split('/').zip(rest) {
            if expected == "*" {
                names.push((*part).to_owned());
            } else if expected.eq_ignore_ascii_case(part) {
                types.push(expected);
            } else {
                return None;
            }
        }
        let for_groups = *kind == Kind::DiagnosticSettings && matches!(scope, Scope::Group(_));
        Some(Routed {
            scope: scope.clone(),
            namespace: (*owner).to_owned(),
            kind: *kind,
            types: types.join("/"),
            names,
            versions: if for_groups { GROUP_DIAGNOSTICS } else { versions },
        })
    })
}

/// Any resource in a resource group.
fn in_group(parts: &[&str]) -> Option<Routed> {
    let Scope::Resource(subscription, group, kind, name) = Scope::of_parts(parts)? else { return None };
    let known = RESOURCE_VERSIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&kind));
    let (kind, versions) = known.map_or((kind.as_str(), &[][..]), |(known, versions)| (*known, *versions));
    let (namespace, types) = kind.split_once('/')?;
    let namespace =
        PROVIDERS.iter().find(|known| known.eq_ignore_ascii_case(namespace)).unwrap_or(&namespace);
    Some(Routed {
        scope: Scope::ResourceGroup(subscription, group),
        namespace: (*namespace).to_owned(),
        kind: Kind::Resource,
        types: types.to_owned(),
        names: vec![name],
        versions,
    })
}

fn percent_decoded(path: &str) -> String {
    // Pluses, ampersands and equals signs mean nothing in a path, and form decoding would take them for something.
    let plain = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(plain.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_scope_type_and_names() {
        let seen = |path: &str| {
            let Routed { scope, namespace, types, names, .. } = route(path).unwrap();
            format!("{} | {namespace} | {types} | {}", scope.id(), names.join(","))
        };
        let table = [
            ("/subscriptions", "/ | Microsoft.Resources | subscriptions | "),
            ("/subscriptions/A1", "/subscriptions/a1 | Microsoft.Resources | subscriptions | "),
            (
                "/providers/microsoft.management/managementgroups/acme/Descendants",
                "/ | Microsoft.Management | managementGroups/descendants | acme",
            ),
            (
                "/providers/Microsoft.Management/managementGroups/acme/providers/Microsoft.Authorization/policyAssignments/a%20b",
                "/providers/Microsoft.Management/managementGroups/acme | Microsoft.Authorization | policyAssignments | a b",
            ),
            (
                "/%2Fsubscriptions%2Fa1/providers/Microsoft.Authorization/locks/a+b=c",
                "/subscriptions/a1 | Microsoft.Authorization | locks | a+b=c",
            ),
            (
                "/subscriptions/a1/resourcegroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
                "/subscriptions/a1/resourceGroups/rg | Microsoft.Network | virtualNetworks/subnets | v/s",
            ),
            (
                "/subscriptions/a1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/s/providers/Microsoft.Authorization/locks/l",
                "/subscriptions/a1/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/s | Microsoft.Authorization | locks | l",
            ),
            (
                "/subscriptions/a1/providers/Microsoft.Security/register",
                "/subscriptions/a1 | Microsoft.Security | register | ",
            ),
        ];
        for (path, expected) in table {
            assert_eq!(seen(path), expected);
        }
        assert_eq!(route("/nothing"), None);
        assert_eq!(route("/subscriptions/a1/providers/Microsoft.Nothing/x/y"), None);
    }
}
