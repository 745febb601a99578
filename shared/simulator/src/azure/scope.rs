//! Where something is: the part of an ARM id that says whose it is.

use super::world::group;

/// A scope, with the names as they were written; comparing is the world's affair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Tenant,
    Group(String),
    Subscription(String),
    /// Subscription and name.
    ResourceGroup(String, String),
    /// Subscription, resource group, kind with its namespace, name (with its parents' names for an inner resource).
    Resource(String, String, String, String),
}

impl Scope {
    /// Reads an ARM id that names a scope.
    pub(crate) fn of(id: &str) -> Option<Self> {
        let parts: Vec<&str> = id.split('/').filter(|part| !part.is_empty()).collect();
        Self::of_parts(&parts)
    }

    pub(crate) fn of_parts(parts: &[&str]) -> Option<Self> {
        let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
        match parts {
            [] => Some(Self::Tenant),
            [providers, namespace, groups, id]
                if is(providers, "providers")
                    && is(namespace, "Microsoft.Management")
                    && is(groups, "managementGroups") =>
            {
                Some(Self::Group((*id).to_owned()))
            }
            [subscriptions, id] if is(subscriptions, "subscriptions") => {
                Some(Self::Subscription(id.to_ascii_lowercase()))
            }
            [subscriptions, id, groups, name]
                if is(subscriptions, "subscriptions") && is(groups, "resourceGroups") =>
            {
                Some(Self::ResourceGroup(id.to_ascii_lowercase(), (*name).to_owned()))
            }
            [subscriptions, id, groups, group, providers, namespace, rest @ ..]
                if is(subscriptions, "subscriptions")
                    && is(groups, "resourceGroups")
                    && is(providers, "providers")
                    && !rest.is_empty()
                    && rest.len() % 2 == 0 =>
            {
                let kinds: Vec<&str> = rest.iter().step_by(2).copied().collect();
                let names: Vec<&str> = rest.iter().skip(1).step_by(2).copied().collect();
                Some(Self::Resource(
                    id.to_ascii_lowercase(),
                    (*group).to_owned(),
                    format!("{namespace}/{}", kinds.join("/")),
                    names.join("/"),
                ))
            }
            _ => None,
        }
    }

    /// The ARM id.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Tenant => "/".to_owned(),
            Self::Group(id) => group::arm_id(id),
            Self::Subscription(id) => format!("/subscriptions/{id}"),
            Self::ResourceGroup(id, name) => format!("/subscriptions/{id}/resourceGroups/{name}"),
            Self::Resource(id, group, kind, name) => {
                super::world::resource::id(&format!("/subscriptions/{id}/resourceGroups/{group}"), kind, name)
            }
        }
    }

    /// The subscription that it is in.
    pub(crate) fn subscription(&self) -> Option<&str> {
        match self {
            Self::Tenant | Self::Group(_) => None,
            Self::Subscription(id) | Self::ResourceGroup(id, _) | Self::Resource(id, ..) => Some(id),
        }
    }

    /// Ids have no case.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.id().eq_ignore_ascii_case(&other.id())
    }
}
