"""Drives an Azure Resource Manager on this machine with Microsoft's own clients, and checks what they get.

    drive_arm.py URL

It takes a simulator with four sample subscriptions. One JSON object a line: step, what the client got, and, where that is not what was
expected, `expected`; `wrong`: what the packages say against the raw answers. The last line counts what was judged.
"""

import decimal
import json
import logging
import sys
import time
import urllib.request
from collections import Counter

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, SerializationError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.core.policies import ARMAutoResourceProviderRegistrationPolicy

import arm_operations
from check_arm_answers import Watch

DIRECTORY = "8f0c1a52-0000-4000-8000-000000000001"
SUBSCRIPTION = "3f2c0000-0000-4000-8000-000000000002"
OTHER = "3f2c0000-0000-4000-8000-000000000003"
NOBODY = "00000000-0000-4000-8000-00000000dead"
GROUPS = "/providers/Microsoft.Management/managementGroups"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
# Whom the sample knows.
PRINCIPAL = "1d000000-0000-4000-8000-00000000000a"

PROBLEMS, JUDGED, SKIPPED = [], Counter(), Counter()
FAILED = []


class Bearer(SansIOHTTPPolicy):
    """Microsoft's own refuses to send a token over plain HTTP."""

    def __init__(self, token):
        self.token = token

    def on_request(self, request):
        if self.token:
            request.http_request.headers["Authorization"] = f"Bearer {self.token}"


class Credential:
    """Never asked, as the policy above has the token already."""

    def get_token(self, *_scopes, **_options):
        return AccessToken("never-sent", int(time.time()) + 3600)


class Clients:
    """The clients of one identity."""

    def __init__(self, url, token="landfall-write", subscription=SUBSCRIPTION, retries=0):
        watched = Watch(PROBLEMS, JUDGED, SKIPPED)

        def client(package, name, of_subscription=True):
            cls = getattr(arm_operations.module(package), name)
            options = {"subscription_id": subscription} if of_subscription else {}
            return cls(
                Credential(), base_url=url, credential_scopes=["none"], authentication_policy=Bearer(token), polling_interval=0,
                retry_total=retries, per_retry_policies=[watched], **options,
            )

        self.subscriptions = client("azure.mgmt.resource.subscriptions", "SubscriptionClient", False).subscriptions
        groups = client("azure.mgmt.managementgroups", "ManagementGroupsMgmtClient", False)
        self.groups, self.hierarchy = groups.management_groups, groups.hierarchy_settings
        self.members = groups.management_group_subscriptions
        resources = client("azure.mgmt.resource.resources", "ResourceManagementClient")
        self.tags, self.providers = resources.tags, resources.providers
        self.resource_groups, self.resources = resources.resource_groups, resources.resources
        names = client("azure.mgmt.subscription", "SubscriptionClient", False)
        self.names, self.leaving = names.subscription, names.subscription_policy
        policy = client("azure.mgmt.resource.policy", "PolicyClient")
        self.definitions, self.sets = policy.policy_definitions, policy.policy_set_definitions
        self.assignments = policy.policy_assignments
        self.exemptions = client("older:azure.mgmt.resource.policy", "PolicyClient").policy_exemptions
        insights = client("azure.mgmt.policyinsights", "PolicyInsightsClient")
        self.states, self.remediations = insights.policy_states, insights.remediations
        roles = client("azure.mgmt.authorization.v2022_04_01", "AuthorizationManagementClient")
        self.roles, self.access = roles.role_definitions, roles.role_assignments
        self.locks = client("azure.mgmt.resource.locks", "ManagementLockClient").management_locks
        self.budgets = client("azure.mgmt.consumption", "ConsumptionManagementClient").budgets
        security = client("azure.mgmt.security", "SecurityManagementClient")
        self.pricings, self.contacts = security.pricings, security.security_contacts
        self.exports = client("azure.mgmt.monitor.v2021_05_01_preview", "MonitorManagementClient").subscription_diagnostic_settings
        old = client("azure.mgmt.monitor.v2020_01_01_preview", "MonitorManagementClient", False)
        self.group_exports = old.management_group_diagnostic_settings
        self.action_groups = client("azure.mgmt.monitor.v2023_01_01", "MonitorManagementClient").action_groups
        identities = client("azure.mgmt.msi.v2024_11_30", "ManagedServiceIdentityClient")
        self.identities, self.credentials = identities.user_assigned_identities, identities.federated_identity_credentials
        self.alerts = client("azure.mgmt.monitor.v2020_10_01", "MonitorManagementClient").activity_log_alerts


def plain(value):
    """What a client got, as the JSON it came from."""
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if hasattr(value, "__iter__"):
        return [plain(inner) for inner in value]
    return str(value)


def step(name, expected, call, *arguments, pick=None, **options):
    """One call, and what has to come of it: the picked part of the answer, or `409 Code`. Returns what came."""
    PROBLEMS.clear()
    line, answer = {"step": name}, None
    try:
        answer = call(*arguments, **options)
        if hasattr(answer, "result"):
            answer = answer.result()
        if hasattr(answer, "by_page"):
            answer = list(answer)
        line["got"] = plain(pick(answer) if pick else answer)
    except HttpResponseError as error:
        code = error.error.code if error.error else None
        line["got"] = f"{error.status_code} {code}"
    except SerializationError as error:
        line["got"] = f"unreadable: {error}"[:300]
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        line["got"] = f"the answer lacks something: {type(error).__name__}: {error}"
    if line["got"] != expected:
        line["expected"] = expected
        FAILED.append(name)
    if PROBLEMS:
        line["wrong"] = sorted(set(PROBLEMS))
    print(json.dumps(line, sort_keys=True, default=str), flush=True)
    return answer


def door(path, text, method="POST"):
    """The simulator's own door for tests."""
    request = urllib.request.Request(f"{URL}/_landfall/{path}", data=text.encode(), method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def main():
    # It would register a provider by itself and try again, and nothing would be seen of the refusal.
    ARMAutoResourceProviderRegistrationPolicy._check_rp_not_registered_err = staticmethod(lambda response: None)
    azure = Clients(URL)
    subscriptions(azure)
    groups(azure)
    tags(azure)
    providers(azure)
    policies(azure)
    roles(azure)
    locks(azure)
    budgets(azure)
    security(azure)
    monitor(azure)
    resources(azure)
    refusals(azure)
    print(json.dumps({"judged": JUDGED, "skipped": SKIPPED, "failed": FAILED}, sort_keys=True))
    return 1 if FAILED else 0


def subscriptions(azure):
    step("subscriptions", 4, azure.subscriptions.list, pick=len)
    step("subscription", ["Enabled", SUBSCRIPTION], azure.subscriptions.get, SUBSCRIPTION,
         pick=lambda it: [it.state, it.subscription_id])
    step("a subscription that is none", "404 SubscriptionNotFound", azure.subscriptions.get, NOBODY)
    step("renamed", SUBSCRIPTION, azure.names.rename, SUBSCRIPTION, {"subscriptionName": "checkout"},
         pick=lambda it: it.subscription_id.rsplit("/", 1)[-1])
    step("its name", "checkout", azure.subscriptions.get, SUBSCRIPTION, pick=lambda it: it.display_name)
    policy = {"blockSubscriptionsLeavingTenant": True, "blockSubscriptionsIntoTenant": True, "exemptedPrincipals": [PRINCIPAL]}
    seen = lambda it: [it.properties.block_subscriptions_leaving_tenant, it.properties.exempted_principals]
    step("subscriptions stay", [True, [PRINCIPAL]], azure.leaving.add_update_policy_for_tenant, policy, pick=seen)
    step("and are said to", [True, [PRINCIPAL]], azure.leaving.get_policy_for_tenant, pick=seen)


def groups(azure):
    parent = lambda id: {"properties": {"displayName": id, "details": {"parent": {"id": f"{GROUPS}/acme"}}}}
    step("a group", ["acme-shop", "acme"], azure.groups.begin_create_or_update, "acme-shop", parent("acme-shop"),
         pick=lambda it: [it.name, it.properties.details.parent.name])
    step("another", "acme-bank", azure.groups.begin_create_or_update, "acme-bank", parent("acme-bank"), pick=lambda it: it.name)
    step("the same once more", "acme-bank", azure.groups.begin_create_or_update, "acme-bank", parent("acme-bank"), pick=lambda it: it.name)
    step("a group below nothing", "404 NotFound", azure.groups.begin_create_or_update, "acme-x",
         {"properties": {"details": {"parent": {"id": f"{GROUPS}/nowhere"}}}})
    step("got", ["acme-shop", DIRECTORY], azure.groups.get, "acme-shop", pick=lambda it: [it.display_name, it.tenant_id])
    step("with its children", ["acme-bank", "acme-shop"], azure.groups.get, "acme", expand="children",
         pick=lambda it: sorted(child.name for child in it.properties.children))
    step("renamed and moved", ["Shop", "acme-bank"], azure.groups.update, "acme-shop",
         {"displayName": "Shop", "parentGroupId": f"{GROUPS}/acme-bank"},
         pick=lambda it: [it.display_name, it.properties.details.parent.name])
    step("a group that is none", "404 NotFound", azure.groups.get, "nowhere")
    step("no settings yet", "404 NotFound", azure.hierarchy.get, DIRECTORY)
    settings = {"properties": {"requireAuthorizationForGroupCreation": True, "defaultManagementGroup": f"{GROUPS}/acme-bank"}}
    seen = lambda it: [it.properties.require_authorization_for_group_creation, it.properties.default_management_group.rsplit("/", 1)[-1]]
    step("settings", [True, "acme-bank"], azure.hierarchy.create_or_update, DIRECTORY, settings, pick=seen)
    step("settings got", [True, "acme-bank"], azure.hierarchy.get, DIRECTORY, pick=seen)
    step("settings changed", [False, "acme-bank"], azure.hierarchy.update, DIRECTORY,
         {"properties": {"requireAuthorizationForGroupCreation": False}}, pick=seen)
    step("not in the group", "404 NotFound", azure.members.get_subscription, "acme-shop", SUBSCRIPTION)
    step("moved into it", [SUBSCRIPTION, "acme-shop"], azure.members.create, "acme-shop", SUBSCRIPTION,
         pick=lambda it: [it.name, it.parent.id.rsplit("/", 1)[-1]])
    step("in the group", SUBSCRIPTION, azure.members.get_subscription, "acme-shop", SUBSCRIPTION, pick=lambda it: it.name)
    step("who is in the group", [SUBSCRIPTION], azure.members.get_subscriptions_under_management_group, "acme-shop",
         pick=lambda it: [member.name for member in it])
    step("descendants, two a page", ["acme-bank", "acme-shop", SUBSCRIPTION], azure.groups.get_descendants, "acme", top=2,
         pick=lambda it: sorted((member.name for member in it), key=len))
    door("settings", json.dumps({"empty_pages": True}))
    step("descendants with empty pages", 7, azure.groups.get_descendants, DIRECTORY, top=1, pick=lambda it: len({one.name for one in it}))
    door("settings", json.dumps({"empty_pages": False}))
    step("a group that is not empty", "400 GroupNotEmpty", azure.groups.begin_delete, "acme-bank")
    step("moved back", "acme", azure.members.create, "acme", SUBSCRIPTION, pick=lambda it: it.parent.id.rsplit("/", 1)[-1])
    step("deleted", None, azure.groups.begin_delete, "acme-shop")
    step("gone", "404 NotFound", azure.groups.get, "acme-shop")
    step("all groups", True, azure.groups.list, pick=lambda it: {"acme", "acme-bank", DIRECTORY} <= {group.name for group in it})


def tags(azure):
    patch = lambda **named: {"operation": "Merge", "properties": {"tags": named}}
    step("no tags", {}, azure.tags.get_at_scope, SCOPE, pick=lambda it: it.properties.tags)
    step("tags", {"owner": "a", "cost": "1"}, azure.tags.begin_update_at_scope, SCOPE, patch(owner="a", cost="1"), pick=lambda it: it.properties.tags)
    step("merged", {"owner": "b", "cost": "1"}, azure.tags.begin_update_at_scope, SCOPE, patch(owner="b"), pick=lambda it: it.properties.tags)
    step("replaced", {"team": "t"}, azure.tags.begin_create_or_update_at_scope, SCOPE, {"properties": {"tags": {"team": "t"}}},
         pick=lambda it: it.properties.tags)
    many = {f"tag{n}": "x" for n in range(51)}
    answer = azure.tags.begin_update_at_scope
    step("more than fifty", True, lambda: _refused(answer, SCOPE, patch(**many)), pick=lambda it: it[0] == 400)


def _refused(call, *arguments):
    try:
        call(*arguments)
    except HttpResponseError as error:
        return error.status_code, error.error.code if error.error else None
    return 200, None


def providers(azure):
    step("not registered", "NotRegistered", azure.providers.get, "Microsoft.Security", pick=lambda it: it.registration_state)
    step("no contacts without it", "404 Subscription Not Registered", azure.contacts.list)
    step("no settings without it", "409 MissingSubscriptionRegistration", azure.exports.create_or_update, "landfall", export("Administrative"))
    for name in ("Security", "Insights", "PolicyInsights", "Network", "OperationalInsights", "ManagedIdentity"):
        namespace = f"Microsoft.{name}"
        step(f"registering {namespace}", "Registering", azure.providers.register, namespace, pick=lambda it: it.registration_state)
        for _ in range(10):
            if azure.providers.get(namespace).registration_state == "Registered":
                break
        step(f"registered {namespace}", "Registered", azure.providers.get, namespace, pick=lambda it: it.registration_state)
    step("a namespace that is none", "404 InvalidResourceNamespace", azure.providers.get, "Microsoft.Nothing")


RULE = {"if": {"field": "type", "equals": "Microsoft.Network/publicIPAddresses"}, "then": {"effect": "[parameters('effect')]"}}


def policies(azure):
    definition = {"properties": {
        "policyType": "Custom", "mode": "All", "displayName": "No public addresses", "description": "d", "metadata": {"category": "Landfall"},
        "parameters": {"effect": {"type": "String", "allowedValues": ["Deny", "Audit"], "defaultValue": "Deny"}}, "policyRule": RULE}}
    name = "landfall-no-addresses"
    at = f"{GROUPS}/acme/providers/Microsoft.Authorization/policyDefinitions/{name}"
    step("no definition", "404 PolicyDefinitionNotFound", azure.definitions.get_at_management_group, "acme", name)
    step("definition", ["Custom", at], azure.definitions.create_or_update_at_management_group, "acme", name, definition,
         pick=lambda it: [it.properties.policy_type, it.id])
    step("definition got", RULE, azure.definitions.get_at_management_group, "acme", name, pick=lambda it: it.properties.policy_rule)
    step("definition once more", name, azure.definitions.create_or_update_at_management_group, "acme", name, definition, pick=lambda it: it.name)
    step("definitions", [name], azure.definitions.list_by_management_group, "acme", filter="policyType eq 'Custom'",
         pick=lambda it: [one.name for one in it])
    broken = {"properties": {"policyType": "Custom", "mode": "All", "policyRule": {"if": {"field": "type"}, "then": {"effect": "deny"}}}}
    step("a rule that is none", "400 InvalidPolicyRule", azure.definitions.create_or_update_at_management_group, "acme", "broken", broken)
    built_in = "e56962a6-4747-49cd-b67b-bf8b01975c4c"
    step("a built-in definition", ["BuiltIn", "Allowed locations"], azure.definitions.get_built_in, built_in,
         pick=lambda it: [it.properties.policy_type, it.properties.display_name])
    together = {"properties": {"policyType": "Custom", "displayName": "Landfall", "policyDefinitions": [
        {"policyDefinitionId": at, "policyDefinitionReferenceId": "addresses", "parameters": {"effect": {"value": "Audit"}}}]}}
    step("set", "landfall", azure.sets.create_or_update_at_management_group, "acme", "landfall", together, pick=lambda it: it.name)
    step("set got", "addresses", azure.sets.get_at_management_group, "acme", "landfall",
         pick=lambda it: it.properties.policy_definitions[0].policy_definition_reference_id)

    assignment = {"properties": {"policyDefinitionId": at, "displayName": "No public addresses", "enforcementMode": "Default",
                                 "parameters": {"effect": {"value": "Deny"}}, "notScopes": []}}
    group, mine = f"{GROUPS}/acme", "lf-no-addresses"
    step("assignment", [mine, group], azure.assignments.create, group, mine, assignment, pick=lambda it: [it.name, it.properties.scope])
    step("assignment got", at, azure.assignments.get, group, mine, pick=lambda it: it.properties.policy_definition_id)
    step("of nothing", "404 PolicyDefinitionNotFound", azure.assignments.create, group, "lf-x",
         {"properties": {"policyDefinitionId": at + "-x"}})
    step("a definition in use", True, lambda: _refused(azure.definitions.delete_at_management_group, "acme", name), pick=lambda it: it[0] in (400, 409))
    step("assigned to the subscription", "lf-here", azure.assignments.create, SCOPE, "lf-here", assignment, pick=lambda it: it.name)
    step("in force there", ["lf-here", mine], azure.assignments.list, pick=lambda it: sorted(one.name for one in it if one.name.startswith("lf-")))
    step("exactly there", ["lf-here"], azure.assignments.list, filter="atExactScope()", pick=lambda it: [one.name for one in it])
    step("of the group", [mine], azure.assignments.list_for_management_group, "acme", filter="atExactScope()", pick=lambda it: [one.name for one in it])

    until = "2027-06-30T00:00:00Z"
    exemption = {"properties": {"policyAssignmentId": f"{group}/providers/Microsoft.Authorization/policyAssignments/{mine}",
                                "exemptionCategory": "Waiver", "expiresOn": until, "displayName": "until the move", "description": "d"}}
    step("exemption", ["Waiver", "lf-move"], azure.exemptions.create_or_update, SCOPE, "lf-move", exemption,
         pick=lambda it: [it.exemption_category, it.name])
    step("exemption got", until, azure.exemptions.get, SCOPE, "lf-move", pick=lambda it: it.expires_on.strftime("%Y-%m-%dT%H:%M:%SZ"))
    step("exemptions", ["lf-move"], azure.exemptions.list, filter="atExactScope()", pick=lambda it: [one.name for one in it])
    step("exemption deleted", None, azure.exemptions.delete, SCOPE, "lf-move")
    step("exemption deleted again", None, azure.exemptions.delete, SCOPE, "lf-move")
    step("no exemption", "404 PolicyExemptionNotFound", azure.exemptions.get, SCOPE, "lf-move")

    address = {"location": "westeurope", "properties": {"publicIPAllocationMethod": "Static"}}
    azure.resource_groups.create_or_update("shop", {"location": "westeurope"})
    step("what is denied", "403 RequestDisallowedByPolicy", azure.resources.begin_create_or_update, "shop", "Microsoft.Network", "",
         "publicIPAddresses", "front", address, api_version="2024-05-01")
    step("states", True, azure.states.summarize_for_subscription, SUBSCRIPTION, "latest", pick=lambda it: it.value is not None)
    step("nothing to repair with", "400 InvalidCreateRemediationRequest", azure.remediations.create_or_update_at_subscription, "lf-fix",
         {"properties": {"policyAssignmentId": exemption["properties"]["policyAssignmentId"]}})
    modify = {"location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": {"policyDefinitionId":
              "/providers/Microsoft.Authorization/policyDefinitions/13502221-8df0-4414-9937-de9c5c4e396b"}}
    step("assigned with an identity", "SystemAssigned", azure.assignments.create, SCOPE, "lf-modify", modify, pick=lambda it: it.identity.type)
    repair = {"properties": {"policyAssignmentId": f"{SCOPE}/providers/Microsoft.Authorization/policyAssignments/lf-modify",
                             "resourceDiscoveryMode": "ExistingNonCompliant"}}
    step("remediation", "Accepted", azure.remediations.create_or_update_at_subscription, "lf-fix", repair,
         pick=lambda it: it.properties.provisioning_state)
    step("one at work", "400 InvalidUpdateRemediationRequest", azure.remediations.create_or_update_at_subscription, "lf-fix", repair)
    step("remediation got", "Evaluating", azure.remediations.get_at_subscription, "lf-fix", pick=lambda it: it.properties.provisioning_state)
    step("nobody gave its identity a role", ["Failed", 1], azure.remediations.get_at_subscription, "lf-fix",
         pick=lambda it: [it.properties.provisioning_state, it.properties.deployment_status.failed_deployments])
    step("what does not comply", 1, azure.states.list_query_results_for_subscription, SUBSCRIPTION, "latest",
         filter=f"PolicyAssignmentId eq '{repair['properties']['policyAssignmentId'].lower()}' and ComplianceState eq 'NonCompliant'",
         top=100, order_by="Timestamp desc", pick=lambda it: len(list(it)))
    step("unassigned with its identity", "lf-modify", azure.assignments.delete, SCOPE, "lf-modify", pick=lambda it: it.name)
    step("unassigned here", "lf-here", azure.assignments.delete, SCOPE, "lf-here", pick=lambda it: it.name)
    step("unassigned again", None, azure.assignments.delete, SCOPE, "lf-here")
    step("unassigned", mine, azure.assignments.delete, group, mine, pick=lambda it: it.name)
    step("set deleted", None, azure.sets.delete_at_management_group, "acme", "landfall")
    step("definition deleted", None, azure.definitions.delete_at_management_group, "acme", name)


def roles(azure):
    step("a role by its name", [READER], azure.roles.list, SCOPE, filter="roleName eq 'Reader'", pick=lambda it: [role.name for role in it])
    step("a role", ["Reader", "BuiltInRole"], azure.roles.get, SCOPE, READER, pick=lambda it: [it.role_name, it.role_type])
    own = "5f0c1a52-0000-4000-8000-0000000000aa"
    custom = {"properties": {"roleName": "Landfall watcher", "type": "CustomRole", "description": "d", "assignableScopes": [f"{GROUPS}/acme"],
                             "permissions": [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}]}}
    step("a role of one's own", ["Landfall watcher", "CustomRole"], azure.roles.create_or_update, f"{GROUPS}/acme", own, custom,
         pick=lambda it: [it.role_name, it.role_type])
    name, second = "5f0c1a52-0000-4000-8000-000000000001", "5f0c1a52-0000-4000-8000-000000000002"
    role = f"{SCOPE}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    given = {"properties": {"roleDefinitionId": role, "principalId": PRINCIPAL, "principalType": "ServicePrincipal", "description": "landfall"}}
    step("given", [name, SCOPE], azure.access.create, SCOPE, name, given, pick=lambda it: [it.name, it.scope])
    step("given twice", name, azure.access.create, SCOPE, name, given, pick=lambda it: it.name)
    step("given by another name", "409 RoleAssignmentExists", azure.access.create, SCOPE, second, given)
    unknown = {"properties": {"roleDefinitionId": role, "principalId": NOBODY}}
    step("given to nobody", "400 PrincipalNotFound", azure.access.create, SCOPE, second, unknown)
    step("a name that is no GUID", True, lambda: _refused(azure.access.create, SCOPE, "reader", given), pick=lambda it: it[0] == 400)
    step("got", ["landfall", PRINCIPAL], azure.access.get, SCOPE, name, pick=lambda it: [it.description, it.principal_id])
    step("who has what here", True, azure.access.list_for_subscription, filter="atScope()",
         pick=lambda it: name in [one.name for one in it] and any(one.scope.startswith(GROUPS) for one in it))
    step("who has what, at a scope", True, azure.access.list_for_scope, f"{GROUPS}/acme", filter="atScope()", pick=lambda it: len(it) > 0)
    step("taken", name, azure.access.delete, SCOPE, name, pick=lambda it: it.name)
    step("taken again", None, azure.access.delete, SCOPE, name)
    step("not there", "404 RoleAssignmentNotFound", azure.access.get, SCOPE, name)


def locks(azure):
    lock = {"properties": {"level": "CanNotDelete", "notes": "landfall"}}
    step("locked", ["CanNotDelete", "landfall"], azure.locks.create_or_update_at_subscription_level, "landfall", lock,
         pick=lambda it: [it.level, it.notes])
    step("lock got", "landfall", azure.locks.get_by_scope, SCOPE, "landfall", pick=lambda it: it.name)
    step("locks", ["landfall"], azure.locks.list_at_subscription_level, pick=lambda it: [one.name for one in it])
    step("what is locked", "409 ScopeLocked", azure.resource_groups.begin_delete, "shop")
    step("a level that is none", True, lambda: _refused(azure.locks.create_or_update_by_scope, SCOPE, "x", {"properties": {"level": "Never"}}),
         pick=lambda it: it[0] == 400)
    step("unlocked", None, azure.locks.delete_at_subscription_level, "landfall")
    step("unlocked again", None, azure.locks.delete_at_subscription_level, "landfall")
    step("no lock", "404 LockNotFound", azure.locks.get_at_subscription_level, "landfall")


def budgets(azure):
    told = lambda threshold: {"enabled": True, "operator": "GreaterThan", "threshold": threshold, "thresholdType": "Actual", "contactEmails": ["a@example.com"]}
    start = time.strftime("%Y-%m-01T00:00:00Z", time.gmtime())
    budget = {"properties": {"category": "Cost", "amount": 100, "timeGrain": "Monthly", "timePeriod": {"startDate": start},
                             "notifications": {"lf-80": told(80)}}}
    step("no budget", 0, azure.budgets.list, SCOPE, pick=len)
    step("no such budget", "404 NotFound", azure.budgets.get, SCOPE, "landfall")
    made = step("budget", [100, "landfall"], azure.budgets.create_or_update, SCOPE, "landfall", budget,
                pick=lambda it: [it.properties.amount, it.name])
    step("budget got", [80, "Actual"], azure.budgets.get, SCOPE, "landfall",
         pick=lambda it: [it.properties.notifications["lf-80"].threshold, it.properties.notifications["lf-80"].threshold_type])
    changed = {"eTag": made.e_tag if made else None, "properties": {**budget["properties"], "amount": 200}}
    step("raised", 200, azure.budgets.create_or_update, SCOPE, "landfall", changed, pick=lambda it: it.properties.amount)
    step("by an old etag", True, lambda: _refused(azure.budgets.create_or_update, SCOPE, "landfall", changed), pick=lambda it: it[0] in (409, 412))
    six = {"properties": {**budget["properties"], "notifications": {f"n{n}": told(10 * n + 10) for n in range(6)}}}
    step("six notifications", True, lambda: _refused(azure.budgets.create_or_update, SCOPE, "six", six), pick=lambda it: it[0] == 400)
    step("budgets", ["landfall"], azure.budgets.list, SCOPE, pick=lambda it: [one.name for one in it])
    step("budget deleted", None, azure.budgets.delete, SCOPE, "landfall")


def security(azure):
    scope = SCOPE.strip("/")
    step("plans", True, azure.pricings.list, scope, pick=lambda it: {"VirtualMachines", "KeyVaults"} <= {one.name for one in it.value})
    step("plan", "Free", azure.pricings.get, scope, "VirtualMachines", pick=lambda it: it.properties.pricing_tier)
    step("bought", ["Standard", "P2"], azure.pricings.update, scope, "VirtualMachines", {"properties": {"pricingTier": "Standard", "subPlan": "P2"}},
         pick=lambda it: [it.properties.pricing_tier, it.properties.sub_plan])
    extended = {"properties": {"pricingTier": "Standard", "extensions": [{"name": "AgentlessVmScanning", "isEnabled": "True"}]}}
    step("an extension", "True", azure.pricings.update, scope, "VirtualMachines", extended,
         pick=lambda it: next(one.is_enabled for one in it.properties.extensions if one.name == "AgentlessVmScanning"))
    step("a plan that is none", True, lambda: _refused(azure.pricings.get, scope, "Nothing"), pick=lambda it: it[0] in (400, 404))
    contact = {"properties": {"emails": "a@example.com;b@example.com", "phone": "+49 30 1", "isEnabled": True,
                              "notificationsByRole": {"state": "On", "roles": ["Owner"]},
                              "notificationsSources": [{"sourceType": "Alert", "minimalSeverity": "High"},
                                                       {"sourceType": "AttackPath", "minimalRiskLevel": "Critical"}]}}
    step("no contact", "404 ResourceNotFound", azure.contacts.get, "default")
    step("contact", "a@example.com;b@example.com", azure.contacts.create, "default", contact, pick=lambda it: it.properties.emails)
    step("contact got", ["High", "Critical"], azure.contacts.get, "default",
         pick=lambda it: [it.properties.notifications_sources[0].minimal_severity, it.properties.notifications_sources[1].minimal_risk_level])
    step("contacts", ["default"], azure.contacts.list, pick=lambda it: [one.name for one in it])


def export(*categories):
    at = f"{SCOPE}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/central"
    return {"properties": {"workspaceId": at, "logs": [{"category": category, "enabled": True} for category in categories]}}


def monitor(azure):
    step("no exports", [], azure.exports.list, pick=lambda it: [one.name for one in it])
    step("export", ["Administrative", "Security"], azure.exports.create_or_update, "landfall", export("Administrative", "Security"),
         pick=lambda it: [log.category for log in it.logs if log.enabled])
    step("export got", "landfall", azure.exports.get, "landfall", pick=lambda it: it.name)
    step("a category that is none", True, lambda: _refused(azure.exports.create_or_update, "x", export("Everything")), pick=lambda it: it[0] == 400)
    step("exports", ["landfall"], azure.exports.list, pick=lambda it: [one.name for one in it])
    step("a group's export", ["Administrative", "Policy"], azure.group_exports.create_or_update, "acme", "landfall", export("Administrative", "Policy"),
         pick=lambda it: [log.category for log in it.logs if log.enabled])
    step("a group's export got", "landfall", azure.group_exports.get, "acme", "landfall", pick=lambda it: it.name)
    step("a group's exports", ["landfall"], azure.group_exports.list, "acme", pick=lambda it: [one.name for one in it])
    step("a group's export deleted", None, azure.group_exports.delete, "acme", "landfall")
    step("export deleted", None, azure.exports.delete, "landfall")
    step("no export", "404 ResourceNotFound", azure.exports.get, "landfall")


def resources(azure):
    step("a resource group", ["landfall", "Succeeded"], azure.resource_groups.create_or_update, "landfall", {"location": "westeurope", "tags": {"a": "b"}},
         pick=lambda it: [it.name, it.properties.provisioning_state])
    step("there it is", True, azure.resource_groups.check_existence, "landfall")
    step("and here none", False, azure.resource_groups.check_existence, "nowhere")
    step("resource group got", {"a": "b"}, azure.resource_groups.get, "landfall", pick=lambda it: it.tags)
    step("resource groups", True, azure.resource_groups.list, pick=lambda it: "landfall" in [one.name for one in it])
    told = {"location": "Global", "properties": {"groupShortName": "landfall", "enabled": True, "emailReceivers": [
        {"name": "team", "emailAddress": "a@example.com", "useCommonAlertSchema": True}]}}
    told["tags"] = {}
    group = step("action group", ["landfall", "a@example.com"], azure.action_groups.create_or_update, "landfall", "landfall", told,
                 pick=lambda it: [it.group_short_name, it.email_receivers[0].email_address])
    step("action group got", "Global", azure.action_groups.get, "landfall", "landfall", pick=lambda it: it.location)
    alert = {"location": "Global", "properties": {"scopes": [SCOPE], "enabled": True, "description": "d",
             "condition": {"allOf": [{"field": "category", "equals": "Policy"}]},
             "actions": {"actionGroups": [{"actionGroupId": group.id if group else "x"}]}}}
    step("alert", [SCOPE], azure.alerts.create_or_update, "landfall", "landfall", alert, pick=lambda it: it.scopes)
    step("alert got", "category", azure.alerts.get, "landfall", "landfall", pick=lambda it: it.condition.all_of[0].field)
    space = {"location": "westeurope", "properties": {"retentionInDays": 90}}
    step("workspace", "central", azure.resources.begin_create_or_update, "landfall", "Microsoft.OperationalInsights", "", "workspaces", "central",
         space, api_version="2025-02-01", pick=lambda it: it.name)
    step("workspace got", 90, azure.resources.get, "landfall", "Microsoft.OperationalInsights", "", "workspaces", "central", api_version="2025-02-01",
         pick=lambda it: it.properties["retentionInDays"])
    identities(azure)
    step("resources", True, azure.resources.list_by_resource_group, "landfall", pick=lambda it: "central" in [one.name for one in it])
    step("resource group deleted", None, azure.resource_groups.begin_delete, "landfall")
    step("resource group gone", "404 ResourceGroupNotFound", azure.resource_groups.get, "landfall")


def identities(azure):
    step("no identity", "404 ResourceNotFound", azure.identities.get, "landfall", "deployer")
    step("an identity", 36, azure.identities.create_or_update, "landfall", "deployer", {"location": "westeurope"},
         pick=lambda it: len(it.principal_id))
    trust = {"issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/shop:ref:refs/heads/main",
             "audiences": ["api://AzureADTokenExchange"]}
    body = {"properties": trust}
    step("a credential", ["github", trust["subject"]], azure.credentials.create_or_update, "landfall", "deployer", "github", body,
         pick=lambda it: [it.name, it.subject])
    step("the same trust twice", "409 Conflict", azure.credentials.create_or_update, "landfall", "deployer", "again", body)
    step("credential got", trust["audiences"], azure.credentials.get, "landfall", "deployer", "github", pick=lambda it: it.audiences)
    step("credentials", ["github"], azure.credentials.list, "landfall", "deployer", pick=lambda it: [one.name for one in it])
    step("credential deleted", None, azure.credentials.delete, "landfall", "deployer", "github")
    step("credential deleted again", None, azure.credentials.delete, "landfall", "deployer", "github")
    step("no credential", "404 ResourceNotFound", azure.credentials.get, "landfall", "deployer", "github")
    step("identity deleted", None, azure.identities.delete, "landfall", "deployer")


def refusals(azure):
    reader = Clients(URL, token="landfall-read")
    step("read with a reader's token", SUBSCRIPTION, reader.subscriptions.get, SUBSCRIPTION, pick=lambda it: it.subscription_id)
    step("written with a reader's token", "403 AuthorizationFailed", reader.tags.begin_update_at_scope, SCOPE,
         {"operation": "Merge", "properties": {"tags": {"a": "b"}}})
    door("settings", json.dumps({"hide_unknown_groups": True}))
    step("a group that nobody may know of", "403 AuthorizationFailed", azure.groups.get, "nowhere")
    door("settings", json.dumps({"hide_unknown_groups": False}))
    step("written in capitals", SUBSCRIPTION, azure.subscriptions.get, SUBSCRIPTION.upper(), pick=lambda it: it.subscription_id)
    door("break", json.dumps({"subscription": OTHER, "what": "disabled"}))
    step("disabled", "Disabled", azure.subscriptions.get, OTHER, pick=lambda it: it.state)
    step("what is disabled can be read", True, azure.tags.get_at_scope, f"/subscriptions/{OTHER}", pick=lambda it: it.properties is not None)
    step("what is disabled can't be written", "409 ReadOnlyDisabledSubscription", azure.tags.begin_update_at_scope, f"/subscriptions/{OTHER}",
         {"operation": "Merge", "properties": {"tags": {"a": "b"}}})
    nobody = Clients(URL, token=None)
    step("without a token", "401 AuthenticationFailed", nobody.subscriptions.list)
    door("faults", "throttle=1")
    step("too often", "429 TooManyRequests", azure.subscriptions.get, SUBSCRIPTION)
    door("faults", "5xx=1")
    step("out of order", "503 ServiceUnavailable", azure.subscriptions.get, SUBSCRIPTION)
    door("faults", "throttle=0.5,seed=3")
    patient = Clients(URL, retries=10)
    step("often enough", SUBSCRIPTION, patient.subscriptions.get, SUBSCRIPTION, pick=lambda it: it.subscription_id)
    door("faults", "")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    URL = sys.argv[1].rstrip("/")
    sys.exit(main())
