//! What can be wrong with the templates, and what has to be said of it.

use serde_json::json;

use super::{Deployment, controller, directory};

pub(super) type Fault = (&'static str, fn() -> Deployment, fn(&mut Deployment), &'static str);

const SITE: &str = "Microsoft.Web/sites";
const ACCOUNT: &str = "Microsoft.Storage/storageAccounts";
const NAMESPACE: &str = "Microsoft.EventHub/namespaces";
const RULE: &str = "Microsoft.Insights/scheduledQueryRules";
const ROLE: &str = "Microsoft.Authorization/roleDefinitions";
const GIVEN: &str = "Microsoft.Authorization/roleAssignments";

/// What is disturbed, in which template, how, and what has to be said.
pub(super) fn all() -> Vec<Fault> {
    vec![
        (
            "a misspelt property",
            controller,
            |it| it.resource(ACCOUNT, "work")["properties"]["allowSharedKeysAccess"] = json!(false),
            "unknown member `properties.allowSharedKeysAccess`",
        ),
        (
            "a misspelt property, deep down",
            controller,
            |it| {
                it.resource(SITE, "")["properties"]["functionAppConfig"]["runtime"]["stack"] = json!("custom")
            },
            "unknown member `properties.functionAppConfig.runtime.stack`",
        ),
        (
            "what only Azure sets",
            controller,
            |it| it.resource(NAMESPACE, "")["properties"]["serviceBusEndpoint"] = json!("https://x"),
            "`properties.serviceBusEndpoint` is read-only",
        ),
        (
            "an api-version of another year",
            controller,
            |it| it.resource(SITE, "")["apiVersion"] = json!("2024-04-02"),
            "unknown api-version `2024-04-02`",
        ),
        (
            "a type that is none",
            controller,
            |it| it.resource("Microsoft.Web/serverfarms", "")["type"] = json!("Microsoft.Web/serverfarm"),
            "unknown path",
        ),
        (
            "a provider that nobody here describes",
            directory,
            |it| {
                it.resource("Microsoft.Insights/diagnosticSettings", "")["type"] =
                    json!("Microsoft.Insight/settings")
            },
            "no package here describes its provider",
        ),
        (
            "an unknown value",
            controller,
            |it| it.resource("Microsoft.Authorization/locks", "")["properties"]["level"] = json!("Forever"),
            "`properties.level` has the unknown value `Forever`",
        ),
        (
            "an unknown value in a list",
            controller,
            |it| {
                it.resource("Microsoft.EventHub/namespaces/authorizationRules", "")["properties"]["rights"] =
                    json!(["Write"])
            },
            "`properties.rights[0]` has the unknown value `Write`",
        ),
        (
            "a severity that is none",
            controller,
            |it| it.resource(RULE, "sweep")["properties"]["severity"] = json!("high"),
            "`properties.severity` has the unknown value `high`",
        ),
        (
            "a name too few",
            controller,
            |it| {
                it.resource("Microsoft.EventHub/namespaces/eventhubs", "")["name"] =
                    json!("[variables('hub')]")
            },
            "takes 2 names, and has 1",
        ),
        (
            "what nobody waits for",
            controller,
            |it| it.resource(RULE, "sweep")["dependsOn"] = json!(["[variables('workspaceId')]"]),
            "needs `Microsoft.Insights/actionGroups",
        ),
        (
            "a part that does not wait for its whole",
            controller,
            |it| it.resource("Microsoft.EventHub/namespaces/eventhubs", "")["dependsOn"] = json!([]),
            "needs `Microsoft.EventHub/namespaces ",
        ),
        (
            "waiting for what is not there",
            controller,
            |it| {
                it.resource(RULE, "sweep")["dependsOn"][0] =
                    json!("[resourceId('Microsoft.OperationalInsights/workspaces', 'other')]")
            },
            "which is no resource of this template",
        ),
        (
            "waiting in a circle",
            controller,
            |it| it.resource(ACCOUNT, "work")["dependsOn"] = json!(["[variables('siteId')]"]),
            "waits for itself",
        ),
        (
            "a parameter that is not there",
            controller,
            |it| it.resource(ACCOUNT, "work")["location"] = json!("[parameters('region')]"),
            "there is no `region` in parameters",
        ),
        (
            "a variable that nobody uses",
            controller,
            |it| it.template["variables"]["spare"] = json!("x"),
            "`spare` is not used",
        ),
        (
            "a function that is none",
            controller,
            |it| it.template["variables"]["queue"] = json!("[lower('landfall-work')]"),
            "there is no function `lower`",
        ),
        (
            "an expression that does not end",
            controller,
            |it| it.template["variables"]["queue"] = json!("[format('landfall-{0}', 'work']"),
            "has a parenthesis that is not closed",
        ),
        (
            "an answer's member that is not there",
            controller,
            |it| {
                it.setting("APPLICATIONINSIGHTS_CONNECTION_STRING")["value"] =
                    json!("[reference(variables('componentId'), '2020-02-02').connection]")
            },
            "`reference` to `properties.connection`, which no answer has",
        ),
        (
            "an answer before there can be one",
            controller,
            |it| {
                it.template["variables"]["hub"] =
                    json!("[reference(variables('namespaceId'), '2024-01-01').serviceBusEndpoint]")
            },
            "`reference` is known only when resources are made",
        ),
        (
            "a parameter that is not given",
            controller,
            |it| it.parameters = json!({}),
            "parameter `publicKeys`: is not given",
        ),
        (
            "a value that is not allowed",
            controller,
            |it| it.parameters["log"] = json!("trace"),
            "`trace` is not allowed",
        ),
        (
            "a function of another scope",
            directory,
            |it| {
                it.resource(ROLE, "readRole")["properties"]["assignableScopes"] =
                    json!(["[resourceGroup().id]"])
            },
            "`resourceGroup` has no meaning where this template is deployed",
        ),
        // What only we ask.
        (
            "shared keys on",
            controller,
            |it| it.resource(ACCOUNT, "evidence")["properties"]["allowSharedKeyAccess"] = json!(true),
            "takes shared keys",
        ),
        (
            "shared keys not spoken of",
            controller,
            |it| {
                it.resource(ACCOUNT, "work")["properties"]
                    .as_object_mut()
                    .unwrap()
                    .remove("allowSharedKeyAccess");
            },
            "takes shared keys",
        ),
        (
            "blobs for everybody",
            controller,
            |it| it.resource(ACCOUNT, "evidence")["properties"]["allowBlobPublicAccess"] = json!(true),
            "may have public blobs",
        ),
        (
            "an old TLS",
            controller,
            |it| it.resource(ACCOUNT, "work")["properties"]["minimumTlsVersion"] = json!("TLS1_1"),
            "takes an old TLS",
        ),
        (
            "an event hub's keys for nobody",
            controller,
            |it| {
                it.parameters["activityLog"] = json!(false);
                it.resource(NAMESPACE, "")["properties"]["disableLocalAuth"] = json!(false);
            },
            "has keys on that nobody needs",
        ),
        (
            "passwords to deploy with",
            controller,
            |it| {
                it.resource("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "scm")["properties"]["allow"] =
                    json!(true)
            },
            "can be deployed to with a password",
        ),
        (
            "evidence without versions",
            controller,
            |it| {
                it.resource("Microsoft.Storage/storageAccounts/blobServices", "default")["properties"]["isVersioningEnabled"] =
                    json!(false)
            },
            "keeps no versions",
        ),
        (
            "evidence without a lock",
            controller,
            |it| {
                it.resource("Microsoft.Authorization/locks", "")["scope"] =
                    json!("[format('Microsoft.Storage/storageAccounts/{0}', variables('work'))]");
                it.resource("Microsoft.Authorization/locks", "")["dependsOn"] =
                    json!(["[variables('workId')]"]);
            },
            "has no lock",
        ),
        (
            "a setting that is missing",
            controller,
            |it| it.setting("LANDFALL_SCHEDULE")["name"] = json!("SCHEDULE"),
            "`LANDFALL_SCHEDULE` is not set",
        ),
        (
            "a setting that nobody reads",
            controller,
            |it| it.setting("LANDFALL_CLOUD")["name"] = json!("LANDFALL_CLOUDS"),
            "nobody reads `LANDFALL_CLOUDS`",
        ),
        (
            "a setting that can't be read",
            controller,
            |it| it.setting("LANDFALL_STORE")["value"] = json!("https://account/store"),
            "LANDFALL_STORE: ",
        ),
        (
            "a connection that is missing",
            controller,
            |it| it.setting("LandfallHub__fullyQualifiedNamespace")["name"] = json!("LandfallHub__namespace"),
            "`LandfallHub__fullyQualifiedNamespace` is not set",
        ),
        (
            "a queue that is another one",
            controller,
            |it| it.setting("LANDFALL_QUEUE_NAME")["value"] = json!("work"),
            "the host listens to another queue",
        ),
        (
            "a poison queue of another name",
            controller,
            |it| {
                it.resource("Microsoft.Storage/storageAccounts/queueServices/queues", "poison")["name"] =
                    json!("[format('{0}/default/poison', variables('work'))]")
            },
            "there is no queue `landfall-work-poison`",
        ),
        (
            "the public cloud's suffix in another one",
            || Deployment { environment: "AzureUSGovernment", ..controller() },
            |it| {
                it.setting("LANDFALL_QUEUE")["value"] =
                    json!("[format('https://{0}.queue.core.windows.net/landfall-work', variables('work'))]")
            },
            "names the public cloud's `core.windows.net`",
        ),
        (
            "an identity that the app does not have",
            controller,
            |it| {
                it.resource(SITE, "")["identity"]["userAssignedIdentities"] =
                    json!({"[variables('readerId')]": {}})
            },
            "landfall-write` is no identity of the function app",
        ),
        (
            "an alert on words that nobody says",
            controller,
            |it| {
                let query = &mut it.resource(RULE, "sweep")["properties"]["criteria"]["allOf"][0]["query"];
                *query = json!(query.as_str().unwrap().replace("closed", "ended"));
            },
            "no alert asks for the sweeps that are closed",
        ),
        (
            "an alert that tells nobody",
            controller,
            |it| it.resource(RULE, "failures")["properties"]["actions"] = json!({"actionGroups": []}),
            "tells nobody",
        ),
        (
            "rights on data in the directory",
            directory,
            |it| {
                it.resource(ROLE, "writeRole")["properties"]["permissions"][0]["dataActions"] =
                    json!(["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"])
            },
            "has rights on data, which a management group can't give",
        ),
        (
            "everything that can be read",
            directory,
            |it| it.resource(ROLE, "readRole")["properties"]["permissions"][0]["actions"] = json!(["*/read"]),
            "`*/read` is not one action",
        ),
        (
            "a right to write for whoever reads",
            directory,
            |it| {
                it.resource(ROLE, "readRole")["properties"]["permissions"][0]["actions"] =
                    json!(["Microsoft.Authorization/roleAssignments/write"])
            },
            "`Microsoft.Authorization/roleAssignments/write` changes something",
        ),
        (
            "an action too few",
            directory,
            |it| {
                let actions = &mut it.resource(ROLE, "writeRole")["properties"]["permissions"][0]["actions"];
                actions.as_array_mut().unwrap().retain(|one| one != "Microsoft.Resources/tags/write");
            },
            "`Landfall writer` lacks `Microsoft.Resources/tags/write`, which a control declares",
        ),
        (
            "an action too many",
            directory,
            |it| {
                let actions = &mut it.resource(ROLE, "writeRole")["properties"]["permissions"][0]["actions"];
                actions.as_array_mut().unwrap().push(json!("Microsoft.Web/sites/delete"));
            },
            "`Landfall writer` has `Microsoft.Web/sites/delete`, which no control declares",
        ),
        (
            "actions in no order",
            directory,
            |it| {
                it.resource(ROLE, "readRole")["properties"]["permissions"][0]["actions"]
                    .as_array_mut()
                    .unwrap()
                    .reverse()
            },
            "actions are not in order",
        ),
        (
            "a role that nobody has",
            directory,
            |it| {
                it.resource(GIVEN, "writeRole")["properties"]["roleDefinitionId"] =
                    json!("[variables('readRoleId')]")
            },
            "is given to nobody",
        ),
    ]
}
