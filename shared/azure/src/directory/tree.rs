//! The tree of management groups, and which subscription stands in which.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Client;
use crate::client::service::GROUPS;
use crate::error::CallError;

/// One management group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its id, as Azure writes it.
    pub(crate) id: String,
    /// What people read.
    pub(crate) name: String,
    /// The id of the group above; empty for the directory's root group.
    pub(crate) parent: String,
}

/// The groups and subscriptions of a directory. Ids of groups are compared without case, as Azure does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tree {
    groups: BTreeMap<String, Group>,
    /// The id of the group that each subscription stands in.
    pub(crate) subscriptions: BTreeMap<String, String>,
    /// What each subscription is called.
    pub(super) names: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Descendant {
    #[serde(rename = "type", default)]
    kind: String,
    name: String,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    display_name: String,
    parent: Parent,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Parent {
    id: String,
}

impl Tree {
    /// Everything below the directory's root group, in as few calls as Azure's pages allow.
    pub(super) async fn read(client: &Client, directory: &str) -> Result<Self, CallError> {
        let path = format!("{}/descendants", group_path(directory));
        let (reply, values) = client.list(&GROUPS, &path).await?;
        let mut tree = Tree::default();
        tree.add(Group { id: directory.to_owned(), name: String::new(), parent: String::new() });
        for value in values {
            let Descendant { kind, name, properties } =
                serde_json::from_value(value).map_err(|error| reply.unreadable(error))?;
            let Properties { display_name, parent } = properties;
            let parent = parent.id.rsplit('/').next().unwrap_or_default().to_owned();
            // Azure writes the kind of a subscription in more than one way.
            if kind.to_ascii_lowercase().ends_with("/subscriptions") {
                tree.names.insert(name.to_ascii_lowercase(), display_name);
                tree.subscriptions.insert(name.to_ascii_lowercase(), parent);
            } else {
                tree.add(Group { id: name, name: display_name, parent });
            }
        }
        Ok(tree)
    }

    fn add(&mut self, group: Group) {
        self.groups.insert(group.id.to_ascii_lowercase(), group);
    }

    /// The group of this id.
    pub(crate) fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(&id.to_ascii_lowercase())
    }

    /// How many subscriptions stand in a group or anywhere below it.
    pub(crate) fn below(&self, id: &str) -> u32 {
        let all = self.subscriptions.values().filter(|parent| self.is_at_or_below(parent, id)).count();
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// Whether one group is another, or stands below it.
    pub(crate) fn is_at_or_below(&self, group: &str, other: &str) -> bool {
        let mut next = Some(group);
        // Azure nests six deep; more would be a circle.
        for _ in 0..16 {
            let Some(id) = next else { return false };
            if id.eq_ignore_ascii_case(other) {
                return true;
            }
            next = self.group(id).map(|group| group.parent.as_str()).filter(|parent| !parent.is_empty());
        }
        false
    }
}

/// A management group as a scope.
pub(crate) fn group_path(id: &str) -> String {
    format!("/providers/Microsoft.Management/managementGroups/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_below_whom_does_not_depend_on_case() {
        let mut tree = Tree::default();
        let group = |id: &str, parent: &str| Group {
            id: id.to_owned(),
            name: String::new(),
            parent: parent.to_owned(),
        };
        tree.add(group("directory", ""));
        tree.add(group("Acme", "directory"));
        tree.add(group("acme.workloads", "ACME"));
        tree.subscriptions.insert("one".to_owned(), "acme.Workloads".to_owned());
        tree.subscriptions.insert("two".to_owned(), "directory".to_owned());
        assert_eq!(tree.below("acme"), 1);
        assert_eq!(tree.below("directory"), 2);
        assert!(!tree.is_at_or_below("acme", "acme.workloads"));
        assert_eq!(tree.group("acme").unwrap().id, "Acme");
    }
}
