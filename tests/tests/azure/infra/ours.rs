//! What we ask of our own templates beside what Azure does: closed doors, kept evidence, settings that the function reads.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use landfall_azure::permissions::needed;
use landfall_engine::config::Config;
use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_engine::trust::Footing;
use landfall_function_azure::config::FORMS;
use landfall_tests::judges::root;
use serde_json::Value;

/// What a template comes to, as the checker says it.
struct Deployed<'a>(&'a Value);

/// What we have against it.
pub(super) fn against(result: &Value, environment: &str) -> Vec<String> {
    let deployed = Deployed(result);
    let mut found = Vec::new();
    deployed.doors(&mut found);
    deployed.directory(&mut found);
    if deployed.of("Microsoft.Web/sites").next().is_some() {
        deployed.evidence(&mut found);
        deployed.settings(&mut found);
        deployed.identities(&mut found);
        deployed.alerts(&mut found);
    }
    if environment != "AzureCloud" {
        let text = result.to_string();
        let public = ["core.windows.net", "servicebus.windows.net", "microsoftonline.com", "azure.com"];
        let named = public.iter().filter(|suffix| text.contains(**suffix));
        found.extend(named.map(|suffix| format!("names the public cloud's `{suffix}`")));
    }
    found
}

impl<'a> Deployed<'a> {
    fn of(&self, kind: &str) -> impl Iterator<Item = &'a Value> {
        let kind = kind.to_owned();
        self.0["resources"].as_array().into_iter().flatten().filter(move |one| one["type"] == kind.as_str())
    }

    /// Who wants in shows who they are, and nobody has a key.
    fn doors(&self, found: &mut Vec<String>) {
        for account in self.of("Microsoft.Storage/storageAccounts") {
            let (id, is) = (name(account), &account["body"]["properties"]);
            let doors = [
                (is["allowSharedKeyAccess"] == false, "takes shared keys"),
                (is["allowBlobPublicAccess"] == false, "may have public blobs"),
                (is["minimumTlsVersion"] == "TLS1_2", "takes an old TLS"),
                (is["supportsHttpsTrafficOnly"] == true, "can be spoken to without TLS"),
            ];
            let open = doors.iter().filter(|(closed, _)| !closed);
            found.extend(open.map(|(_, why)| format!("`{id}` {why}")));
        }
        let sends = self.of("Microsoft.EventHub/namespaces/authorizationRules").next().is_some();
        for hub in self.of("Microsoft.EventHub/namespaces") {
            if !sends && hub["body"]["properties"]["disableLocalAuth"] != true {
                found.push(format!("`{}` has keys on that nobody needs", name(hub)));
            }
        }
        for site in self.of("Microsoft.Web/sites") {
            let is = &site["body"]["properties"];
            if is["httpsOnly"] != true || is["siteConfig"]["minTlsVersion"] != "1.2" {
                found.push("the function app takes an old TLS or none".to_owned());
            }
            let no = self.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies");
            if no.filter(|one| one["body"]["properties"]["allow"] == false).count() < 2 {
                found.push("the function app can be deployed to with a password".to_owned());
            }
        }
        for kind in ["Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components"] {
            for logs in self.of(kind) {
                let is = &logs["body"]["properties"];
                if is["DisableLocalAuth"] != true && is["features"]["disableLocalAuth"] != true {
                    found.push(format!("`{}` takes logs from whoever has a key", name(logs)));
                }
            }
        }
    }

    /// The account that the store is in has versions, and a lock.
    fn evidence(&self, found: &mut Vec<String>) {
        let set = self.environment();
        // On another cloud it is that cloud's to keep.
        let account = set.get("LANDFALL_STORE").and_then(|store| store.strip_prefix("az://"));
        let Some(account) = account.and_then(|store| store.split('/').next()) else { return };
        let inside = format!("/storageAccounts/{account}/");
        let versions = self
            .of("Microsoft.Storage/storageAccounts/blobServices")
            .filter(|one| one["body"]["properties"]["isVersioningEnabled"] == true);
        if versions.filter(|one| text(&one["id"]).contains(&inside)).count() == 0 {
            found.push(format!("`{account}` keeps no versions"));
        }
        let locks = self.of("Microsoft.Authorization/locks");
        if locks.filter(|one| text(&one["id"]).contains(&inside)).count() == 0 {
            found.push(format!("`{account}` has no lock"));
        }
    }

    fn environment(&self) -> BTreeMap<&'a str, &'a str> {
        let site = self.of("Microsoft.Web/sites").next().unwrap_or(&Value::Null);
        let settings = site["body"]["properties"]["siteConfig"]["appSettings"].as_array();
        settings.into_iter().flatten().map(|one| (text(&one["name"]), text(&one["value"]))).collect()
    }

    /// What the function's files and the function itself read is set, and nothing else of ours is.
    fn settings(&self, found: &mut Vec<String>) {
        let set = self.environment();
        // The log's level is read by `run` itself, the other two where the store is on another cloud.
        let mut read: BTreeSet<String> =
            ["LANDFALL_LOG", "LANDFALL_STORE_AUDIENCE", "LANDFALL_STORE_IDENTITY"].map(str::to_owned).into();
        for binding in bindings() {
            for value in binding.as_object().into_iter().flatten().map(|(_, value)| text(value)) {
                if let Some(variable) = value.strip_prefix('%').and_then(|value| value.strip_suffix('%')) {
                    read.insert(variable.to_owned());
                }
            }
            let connection = text(&binding["connection"]);
            match text(&binding["type"]) {
                "queueTrigger" => drop(read.insert(format!("{connection}__queueServiceUri"))),
                "eventHubTrigger" => drop(read.insert(format!("{connection}__fullyQualifiedNamespace"))),
                other => {
                    assert!(connection.is_empty(), "`{other}` has a connection that this test does not know")
                }
            }
        }
        let asked = RefCell::new(BTreeSet::new());
        let variable = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            set.get(name).map(|value| (*value).to_owned())
        };
        if let Err(wrong) = Config::read(variable, Footing::Real, &FORMS) {
            found.push(wrong.to_string());
        }
        read.append(&mut asked.borrow_mut());
        let missing = read.iter().filter(|name| !set.contains_key(name.as_str()));
        found.extend(missing.map(|name| format!("`{name}` is not set")));
        let ours = set.keys().filter(|name| name.to_lowercase().starts_with("landfall"));
        let spare = ours.filter(|name| !read.contains(**name) && !name.ends_with("__credential"));
        found.extend(spare.map(|name| format!("nobody reads `{name}`")));

        let said = |name: &str| set.get(name).copied().unwrap_or_default();
        let queue = said("LANDFALL_QUEUE_NAME");
        if said("LANDFALL_QUEUE") != format!("{}/{queue}", said("LandfallStorage__queueServiceUri")) {
            found.push("the host listens to another queue than the function writes to".to_owned());
        }
        let queues: BTreeSet<&str> =
            self.of("Microsoft.Storage/storageAccounts/queueServices/queues").map(name).collect();
        for needed in ["landfall-work", "landfall-work-poison"] {
            if !queues.contains(needed) {
                found.push(format!("there is no queue `{needed}`"));
            }
        }
    }

    /// Both identities are the function app's.
    fn identities(&self, found: &mut Vec<String>) {
        let site = self.of("Microsoft.Web/sites").next().unwrap_or(&Value::Null);
        let identity = &site["body"]["identity"];
        if !text(&identity["type"]).contains("SystemAssigned") {
            found.push("the function app has no identity of its own".to_owned());
        }
        for one in self.of("Microsoft.ManagedIdentity/userAssignedIdentities") {
            if identity["userAssignedIdentities"].get(text(&one["id"])).is_none() {
                found.push(format!("`{}` is no identity of the function app", name(one)));
            }
        }
    }

    fn alerts(&self, found: &mut Vec<String>) {
        let mut queries = String::new();
        for alert in self.of("Microsoft.Insights/scheduledQueryRules") {
            let is = &alert["body"]["properties"];
            if is["actions"]["actionGroups"].as_array().is_none_or(Vec::is_empty) {
                found.push(format!("`{}` tells nobody", name(alert)));
            }
            queries.push_str(text(&is["criteria"]["allOf"][0]["query"]));
        }
        for (what, asked) in [
            ("sweeps that are closed", "'sweep closed'"),
            ("queue `landfall-work-poison`", "/landfall-work-poison/"),
        ] {
            if !queries.contains(asked) {
                found.push(format!("no alert asks for the {what}"));
            }
        }
        // What is left out of the telemetry can't be counted.
        let host = std::fs::read_to_string(root().join("functions/azure/app/host.json")).unwrap();
        let host: Value = serde_json::from_str(&host).unwrap();
        let whole = &host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"];
        assert!(text(whole).split(';').any(|one| one == "Trace"), "{whole}");
    }

    /// Roles name single actions, those that the controls declare, and what only reads changes nothing.
    fn directory(&self, found: &mut Vec<String>) {
        for role in self.of("Microsoft.Authorization/roleDefinitions") {
            let is = &role["body"]["properties"];
            let called = text(&is["roleName"]);
            let permissions = &is["permissions"][0];
            // https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-limits
            if permissions.get("dataActions").is_some() {
                found.push(format!("`{called}` has rights on data, which a management group can't give"));
            }
            let actions: Vec<&str> =
                permissions["actions"].as_array().into_iter().flatten().map(text).collect();
            if !actions.is_sorted() {
                found.push(format!("`{called}`: its actions are not in order"));
            }
            // Any provider may have to be registered in a new subscription.
            let many = actions.iter().filter(|one| one.contains('*') && **one != "*/register/action");
            found.extend(many.map(|one| format!("`{one}` is not one action")));
            let purpose = if called.ends_with("reader") { Purpose::Plan } else { Purpose::Apply };
            let needed = needed(purpose, &whole_catalog());
            let declared: BTreeSet<&str> = needed.permissions().collect();
            let missing = declared.iter().filter(|one| !actions.contains(one));
            found.extend(missing.map(|one| format!("`{called}` lacks `{one}`, which a control declares")));
            let spare = actions.iter().filter(|one| !declared.contains(*one));
            found.extend(spare.map(|one| format!("`{called}` has `{one}`, which no control declares")));
            if purpose == Purpose::Plan {
                // Asked by a POST, and only read all the same.
                let asks = "Microsoft.PolicyInsights/policyStates/queryResults/action";
                let writes = actions.iter().filter(|one| !one.ends_with("/read") && **one != asks);
                found.extend(writes.map(|one| format!("`{one}` changes something")));
            }
            let given = self.of("Microsoft.Authorization/roleAssignments");
            if given.filter(|one| one["body"]["properties"]["roleDefinitionId"] == role["id"]).count() != 1 {
                found.push(format!("`{called}` is given to nobody, or to several"));
            }
        }
    }
}

/// Every binding of every function of the app.
fn bindings() -> Vec<Value> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("functions/azure/app")).unwrap() {
        let path = entry.unwrap().path().join("function.json");
        if path.exists() {
            let mut function: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            found.append(function["bindings"].as_array_mut().unwrap());
        }
    }
    assert!(!found.is_empty());
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn name(resource: &Value) -> &str {
    text(&resource["id"]).rsplit('/').next().unwrap_or_default()
}
