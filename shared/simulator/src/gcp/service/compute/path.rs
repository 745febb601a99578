//! Compute's paths: scopes without a name stand between a project and its collections, and actions behind a slash.

/// Collection and method as the discovery document names them: `networks` and `list`.
pub(crate) fn method(method: &str, parts: &[&str]) -> (String, String) {
    let rest = parts.get(2..).unwrap_or_default();
    let plain = |named: bool| match (method, named) {
        ("GET" | "HEAD", false) => "list",
        ("GET" | "HEAD", true) => "get",
        ("POST", _) => "insert",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        _ => "options",
    };
    let (scope, rest) = match rest {
        [] => return ("projects".to_owned(), "get".to_owned()),
        [action] => return ("projects".to_owned(), (*action).to_owned()),
        ["aggregated", collection, ..] => return ((*collection).to_owned(), "aggregatedList".to_owned()),
        ["regions", _, rest @ ..] => ("region", rest),
        ["zones", _, rest @ ..] => ("zone", rest),
        [_, rest @ ..] => ("global", rest),
    };
    let collection = match rest.first() {
        // Operations have a collection in each scope.
        Some(&"operations") => format!("{scope}Operations"),
        other => other.copied().unwrap_or("resources").to_owned(),
    };
    let action = rest.get(2).copied().unwrap_or_else(|| plain(rest.len() > 1));
    (collection, action.to_owned())
}

/// The permission that a method needs, without the service's name: `networks.delete`.
pub(crate) fn permission(verb: &str, parts: &[&str]) -> String {
    let (collection, verb) = method(verb, parts);
    let verb = match verb.as_str() {
        "insert" => "create",
        "aggregatedList" => "list",
        "patch" => "update",
        "wait" => "get",
        verb => verb,
    };
    format!("{collection}.{verb}")
}

#[cfg(test)]
mod tests {
    use super::method;

    #[test]
    fn methods_are_named_as_in_the_discovery_document() {
        let named = |verb: &str, path: &str| {
            let parts: Vec<&str> = path.split('/').collect();
            let (collection, name) = method(verb, &parts);
            format!("{collection}.{name}")
        };
        assert_eq!(named("GET", "projects/p"), "projects.get");
        assert_eq!(
            named("POST", "projects/p/setCommonInstanceMetadata"),
            "projects.setCommonInstanceMetadata"
        );
        assert_eq!(named("GET", "projects/p/global/networks"), "networks.list");
        assert_eq!(named("DELETE", "projects/p/global/networks/default"), "networks.delete");
        assert_eq!(named("POST", "projects/p/global/firewalls"), "firewalls.insert");
        assert_eq!(named("GET", "projects/p/aggregated/instances"), "instances.aggregatedList");
        assert_eq!(named("GET", "projects/p/global/operations/o"), "globalOperations.get");
        assert_eq!(named("POST", "projects/p/zones/z/operations/o/wait"), "zoneOperations.wait");
        assert_eq!(named("GET", "projects/p/regions/r/subnetworks/s"), "subnetworks.get");
    }
}
