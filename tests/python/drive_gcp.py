"""Drives Google Cloud's management APIs on this machine with Google's own client, and checks what it gets.

    drive_gcp.py URL

It takes a simulator with four sample projects. One JSON object a line: step, what the client got, and, where that is not what was
expected, `expected`; `wrong`: what the discovery documents say against the raw answers. The last line counts what was judged.
"""

import json
import sys
import time
import urllib.parse
from collections import Counter

import httplib2
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

import call_log
import check_gcp

ORGANIZATION = "organizations/123456789012"
LEGACY = "folders/300000000001"
PROJECT = "team-0001"
OTHER = "team-0002"
BILLING = "billingAccounts/01AB23-45CD67-89EF01"

PROBLEMS, JUDGED = [], Counter()
FAILED = []


class Watched(httplib2.Http):
    """Google's own transport, with a bearer token, and an eye on the raw answers."""

    def __init__(self, url, token):
        super().__init__(timeout=30)
        self.url, self.token = url, token

    def request(self, uri, method="GET", body=None, headers=None, **more):
        headers = dict(headers or {})
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        response, content = super().request(uri, method, body=body, headers=headers, **more)
        path, _, query = uri.removeprefix(self.url).partition("?")
        call = {"method": method, "path": path, "query": query, "parameters": json.loads(body) if body else None}
        value = json.loads(content) if content else None
        try:
            operation, said = check_gcp.problems(call)
        except call_log.NotDescribed:
            return response, content
        JUDGED[operation.label() if operation else "no operation"] += 1
        for problem in [*said, *check_gcp.check_answer(call, response.status, value)]:
            PROBLEMS.append(f"{method} {path}: {problem}")
        return response, content


class Clients:
    """Google's client for each API, as one identity."""

    def __init__(self, url, token="landfall-write"):
        def client(name, version, folder=""):
            endpoint = f"{url}/{name}.googleapis.com/{folder}"
            return build(
                name, version, http=Watched(url, token), static_discovery=True, cache_discovery=False,
                client_options={"api_endpoint": endpoint},
            )

        self.resources = client("cloudresourcemanager", "v3")
        self.policies = client("orgpolicy", "v2")
        self.iam = client("iam", "v1")
        self.deny = client("iam", "v2")
        self.services = client("serviceusage", "v1")
        self.billing = client("cloudbilling", "v1")
        self.budgets = client("billingbudgets", "v1")
        self.contacts = client("essentialcontacts", "v1")
        self.logging = client("logging", "v2")
        self.assets = client("cloudasset", "v1")
        self.compute = client("compute", "v1", "compute/v1/")
        self.monitoring = client("monitoring", "v3")
        self.approval = client("accessapproval", "v1")


def step(name, request, expected):
    """Executes a request, or calls a function; `expected` is a value, a refusal such as `404`, or a question to the answer."""
    PROBLEMS.clear()
    try:
        got = request() if callable(request) else request.execute(num_retries=0)
        told = got
    except HttpError as error:
        got, told = error.resp.status, {"refused": error.resp.status, "why": error.reason}
    right = expected(got) if callable(expected) else got == expected
    line = {"step": name, "got": told}
    if not right:
        FAILED.append(name)
        line["expected"] = "something else" if callable(expected) else expected
    if PROBLEMS:
        line["wrong"] = list(PROBLEMS)
    print(json.dumps(line, default=str))
    return got


def finished(collection, request):
    """Waits for a long-running operation; answers what came of it."""

    def run():
        operation = request.execute(num_retries=0)
        for _ in range(50):
            if operation.get("done"):
                return operation.get("response", operation.get("error"))
            time.sleep(0.01)
            operation = collection.get(name=operation["name"]).execute(num_retries=0)
        return "never done"

    return run


def has(**members):
    return lambda got: isinstance(got, dict) and all(got.get(name) == value for name, value in members.items())


def resources(clients):
    api = clients.resources
    operations = api.operations()
    step("an organization", api.organizations().get(name=ORGANIZATION), has(name=ORGANIZATION, state="ACTIVE"))
    step("a project", api.projects().get(name=f"projects/{PROJECT}"), has(projectId=PROJECT, state="ACTIVE"))
    step("a project that nobody has", api.projects().get(name="projects/nobody-has-this"), 403)
    step("all projects", api.projects().search(), lambda got: len(got["projects"]) >= 5)
    first = step("a page of projects", api.projects().search(pageSize=2), lambda got: len(got["projects"]) == 2 and got["nextPageToken"])
    step("its next page", api.projects().search(pageSize=2, pageToken=first["nextPageToken"]), lambda got: got["projects"])
    step("a folder that was there", api.folders().get(name=LEGACY), has(name=LEGACY, state="ACTIVE"))
    body = {"displayName": "workloads", "parent": ORGANIZATION}
    made = step("a folder is made", finished(operations, api.folders().create(body=body)), has(displayName="workloads"))
    step("its twin is refused", finished(operations, api.folders().create(body=body)), lambda got: got == 409 or got.get("code") == 9)
    name = made["name"]
    step("folders of the organization", api.folders().list(parent=ORGANIZATION), lambda got: any(f["name"] == name for f in got["folders"]))
    step("all folders", api.folders().search(), lambda got: any(f["name"] == name for f in got["folders"]))
    patch = api.folders().patch(name=name, updateMask="displayName", body={"displayName": "workload"})
    step("a folder is renamed", finished(operations, patch), has(displayName="workload"))
    move = api.projects().move(name=f"projects/{PROJECT}", body={"destinationParent": name})
    step("a project is moved", finished(operations, move), has(parent=name))
    step("it stands there", api.projects().get(name=f"projects/{PROJECT}"), has(parent=name))
    step("it can't go where nothing is", api.projects().move(name=f"projects/{PROJECT}", body={"destinationParent": "folders/1"}),
         lambda got: got in (400, 403, 404))
    patch = api.projects().patch(name=f"projects/{PROJECT}", updateMask="labels", body={"labels": {"team": "payments"}})
    step("labels are replaced", finished(operations, patch), has(labels={"team": "payments"}))
    stale = api.projects().patch(name=f"projects/{PROJECT}", updateMask="labels", body={"labels": {}, "etag": "W/\"stale\""})
    step("an old etag is refused", stale, 409)
    wrong = api.projects().patch(name=f"projects/{PROJECT}", updateMask="labels", body={"labels": {"Team": "Payments"}})
    step("capital letters are refused", wrong, 400)
    number = api.projects().get(name=f"projects/{PROJECT}").execute()["name"]
    body = {"parent": number, "restrictions": ["resourcemanager.projects.delete"], "origin": "landfall", "reason": "it stays"}
    lien = step("a lien", api.liens().create(body=body), has(origin="landfall"))
    step("liens", api.liens().list(parent=number), lambda got: [one["name"] for one in got["liens"]] == [lien["name"]])
    step("a project with a lien is not deleted", api.projects().delete(name=f"projects/{PROJECT}"), 400)
    step("the lien is taken away", api.liens().delete(name=lien["name"]), {})
    step("it is gone", api.liens().get(name=lien["name"]), lambda got: got in (403, 404))


def access(clients):
    api = clients.resources.projects()
    name = f"projects/{PROJECT}"
    three = {"options": {"requestedPolicyVersion": 3}}
    policy = step("who may what", api.getIamPolicy(resource=name, body=three), lambda got: got.get("etag"))
    member = {"role": "roles/viewer", "members": ["group:auditors@acme.example"]}
    policy["bindings"] = [*policy.get("bindings", []), member]
    policy["version"] = 3
    ours = step("a member is added", api.setIamPolicy(resource=name, body={"policy": policy}), lambda got: member in got["bindings"])
    step("an old etag is refused", api.setIamPolicy(resource=name, body={"policy": policy}), 409)
    condition = {**member, "condition": {"title": "t", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}}
    low = {**ours, "version": 1, "bindings": [condition]}
    step("a condition needs version 3", api.setIamPolicy(resource=name, body={"policy": low}), 400)
    high = {**ours, "version": 3, "bindings": [*ours["bindings"], condition]}
    kept = step("with it, it is kept", api.setIamPolicy(resource=name, body={"policy": high}), lambda got: condition in got["bindings"])
    audits = [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]
    silent = {"policy": {**kept, "auditConfigs": audits}}
    step("audit configs are not written unless the mask names them", api.setIamPolicy(resource=name, body=silent),
         lambda got: "auditConfigs" not in got)
    now = api.getIamPolicy(resource=name, body=three).execute()
    named = {"policy": {**now, "auditConfigs": audits}, "updateMask": "bindings,etag,auditConfigs"}
    step("named, they are", api.setIamPolicy(resource=name, body=named), has(auditConfigs=audits))
    step("a member that is none", api.setIamPolicy(resource=name, body={"policy": {"bindings": [{"role": "roles/viewer", "members": ["ada"]}]}}), 400)


def policies(clients):
    api = clients.policies.projects().policies()
    parent = f"projects/{PROJECT}"
    name = f"{parent}/policies/gcp.resourceLocations"
    rules = [{"values": {"allowedValues": ["in:europe-west1-locations"]}}]
    body = {"name": name, "spec": {"rules": rules}}
    step("a policy that is not there", api.get(name=name), 404)
    step("a policy", api.create(parent=parent, body=body), lambda got: got["spec"]["rules"] == rules)
    step("a second one on the same constraint", api.create(parent=parent, body=body), 409)
    made = step("it is there", api.get(name=name), lambda got: got["spec"]["etag"] and got["spec"]["rules"] == rules)
    step("policies", api.list(parent=parent), lambda got: len(got["policies"]) == 1)
    step("in force", api.getEffectivePolicy(name=name), lambda got: got["spec"]["rules"][0]["values"]["allowedValues"] == rules[0]["values"]["allowedValues"])
    elsewhere = [{"values": {"allowedValues": ["in:europe-west3-locations"]}}]
    other = {"name": name, "spec": {"etag": made["spec"]["etag"], "rules": elsewhere}}
    step("it is changed", api.patch(name=name, body=other), lambda got: got["spec"]["etag"] != made["spec"]["etag"])
    step("an old etag is refused", api.patch(name=name, body=other), 409)
    step("an unknown constraint", api.create(parent=parent, body={"name": f"{parent}/policies/gcp.noSuchThing", "spec": {"rules": rules}}),
         lambda got: got in (400, 404))
    step("it is deleted", api.delete(name=name), {})
    step("it is gone", api.get(name=name), 404)
    custom = clients.policies.organizations().customConstraints()
    constraint = {
        "name": f"{ORGANIZATION}/customConstraints/custom.autoUpgrade", "resourceTypes": ["container.googleapis.com/NodePool"],
        "methodTypes": ["CREATE"], "condition": "resource.management.autoUpgrade == false", "actionType": "DENY", "displayName": "upgrades",
    }
    step("a constraint of our own", custom.create(parent=ORGANIZATION, body=constraint), has(name=constraint["name"]))
    step("it is there", custom.get(name=constraint["name"]), has(actionType="DENY"))
    step("it is deleted", custom.delete(name=constraint["name"]), {})


def denials(clients):
    api = clients.deny.policies()
    point = f"policies/{urllib.parse.quote(f'cloudresourcemanager.googleapis.com/projects/{OTHER}', safe='')}/denypolicies"
    name = f"{point}/landfall-quarantine"
    rule = {"deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": ["compute.googleapis.com/instances.create"]}
    body = {"displayName": "closed", "rules": [{"denyRule": rule}]}
    step("a denial that is not there", api.get(name=name), 404)
    create = api.createPolicy(parent=point, policyId="landfall-quarantine", body=body)
    step("a denial", finished(api.operations(), create), lambda got: got["rules"][0]["denyRule"]["deniedPermissions"] == rule["deniedPermissions"])
    step("a second one of its name", api.createPolicy(parent=point, policyId="landfall-quarantine", body=body), 409)
    made = step("it is there", api.get(name=name), lambda got: got["etag"])
    step("denials", api.listPolicies(parent=point), lambda got: len(got["policies"]) == 1)
    step("it is deleted", finished(api.operations(), api.delete(name=name, etag=made["etag"])), lambda got: not isinstance(got, int))
    step("it is gone", api.get(name=name), 404)


def roles(clients):
    api = clients.iam.organizations().roles()
    body = {"roleId": "landfall_auditor", "role": {"title": "auditor", "includedPermissions": ["storage.buckets.get"], "stage": "GA"}}
    name = f"{ORGANIZATION}/roles/landfall_auditor"
    step("a role that is not there", api.get(name=name), 404)
    step("a role", api.create(parent=ORGANIZATION, body=body), has(name=name))
    step("a second one of its name", api.create(parent=ORGANIZATION, body=body), 409)
    patch = api.patch(name=name, updateMask="includedPermissions", body={"includedPermissions": ["storage.buckets.list"]})
    step("it may something else", patch, has(includedPermissions=["storage.buckets.list"]))
    step("it is deleted", api.delete(name=name), has(deleted=True))
    step("and restored", api.undelete(name=name, body={}), lambda got: not got.get("deleted"))
    accounts = clients.iam.projects().serviceAccounts()
    step("service accounts", accounts.list(name=f"projects/{PROJECT}"), lambda got: isinstance(got.get("accounts", []), list))


def strangers_trusted(clients):
    pools = clients.iam.projects().locations().workloadIdentityPools()
    providers = pools.providers()
    parent = f"projects/{PROJECT}/locations/global"
    pool = f"{parent}/workloadIdentityPools/ci-systems"
    github = f"{pool}/providers/github"
    right = lambda **members: lambda got: isinstance(got, dict) and "code" not in got and all(got.get(key) == value for key, value in members.items())
    step("a pool that is not there", pools.get(name=pool), 404)
    step("a pool", finished(pools.operations(), pools.create(parent=parent, workloadIdentityPoolId="ci-systems", body={"displayName": "ci"})),
         right(state="ACTIVE"))
    body = {"attributeMapping": {"google.subject": "assertion.sub"}, "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}}
    made = {"parent": pool, "workloadIdentityPoolProviderId": "github"}
    step("everybody's issuer without a condition", providers.create(body=body, **made), 400)
    body["attributeCondition"] = "assertion.repository_owner_id == '1234567'"
    step("a provider", finished(providers.operations(), providers.create(body=body, **made)), right(state="ACTIVE"))
    step("a second one of its name", providers.create(body=body, **made), 409)
    patch = providers.patch(name=github, updateMask="disabled,oidc.allowedAudiences", body={"disabled": True, "oidc": {"allowedAudiences": ["a"]}})
    step("it is disabled", finished(providers.operations(), patch), right(disabled=True))
    step("its issuer stays", providers.get(name=github), lambda got: got["oidc"]["issuerUri"] == body["oidc"]["issuerUri"])
    step("it is deleted", finished(providers.operations(), providers.delete(name=github)), right(state="DELETED"))
    step("and still seen", providers.get(name=github), has(state="DELETED"))
    step("but not changed", providers.patch(name=github, updateMask="disabled", body={"disabled": False}), 400)
    step("and restored", finished(providers.operations(), providers.undelete(name=github, body={})), right(state="ACTIVE"))
    step("the pool is deleted", finished(pools.operations(), pools.delete(name=pool)), right(state="DELETED"))
    step("its name stays taken", pools.create(parent=parent, workloadIdentityPoolId="ci-systems", body={}), 409)
    step("the pool is restored", finished(pools.operations(), pools.undelete(name=pool, body={})), right(state="ACTIVE"))


def services(clients):
    api = clients.services.services()
    parent = f"projects/{PROJECT}"
    operations = clients.services.operations()
    many = {"serviceIds": [f"api{number}.googleapis.com" for number in range(21)]}
    step("21 APIs at once", api.batchEnable(parent=parent, body=many), 400)
    enable = api.batchEnable(parent=parent, body={"serviceIds": ["compute.googleapis.com", "logging.googleapis.com"]})
    step("two APIs", finished(operations, enable), lambda got: isinstance(got, dict))
    step("one is on", api.get(name=f"{parent}/services/compute.googleapis.com"), has(state="ENABLED"))
    step("what is on", api.list(parent=parent, filter="state:ENABLED"),
         lambda got: "compute.googleapis.com" in [one["config"]["name"] for one in got["services"]])


def money(clients):
    api = clients.billing.projects()
    step("who pays", api.getBillingInfo(name=f"projects/{PROJECT}"), lambda got: got["projectId"] == PROJECT)
    step("somebody pays", api.updateBillingInfo(name=f"projects/{PROJECT}", body={"billingAccountName": BILLING}),
         has(billingAccountName=BILLING, billingEnabled=True))
    budgets = clients.budgets.billingAccounts().budgets()
    number = clients.resources.projects().get(name=f"projects/{PROJECT}").execute()["name"]
    body = {
        "displayName": "landfall", "budgetFilter": {"projects": [number]},
        "amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "2000"}}, "thresholdRules": [{"thresholdPercent": 0.5}],
    }
    made = step("a budget", budgets.create(parent=BILLING, body=body), has(displayName="landfall"))
    step("it is there", budgets.get(name=made["name"]), lambda got: got["amount"]["specifiedAmount"]["units"] == "2000")
    step("budgets", budgets.list(parent=BILLING), lambda got: made["name"] in [one["name"] for one in got["budgets"]])
    foreign = {**body, "amount": {"specifiedAmount": {"currencyCode": "JPY", "units": "2000"}}}
    step("another currency", budgets.create(parent=BILLING, body=foreign), 400)
    patch = budgets.patch(name=made["name"], updateMask="amount", body={"amount": {"specifiedAmount": {"currencyCode": "EUR", "units": "3000"}}})
    step("it is raised", patch, lambda got: got["amount"]["specifiedAmount"]["units"] == "3000")
    step("it is deleted", budgets.delete(name=made["name"]), {})


def people(clients):
    api = clients.contacts.projects().contacts()
    parent = f"projects/{PROJECT}"
    body = {"email": "security@acme.example", "notificationCategorySubscriptions": ["SECURITY"], "languageTag": "en"}
    made = step("a contact", api.create(parent=parent, body=body), has(email=body["email"]))
    step("contacts", api.list(parent=parent), lambda got: made["name"] in [one["name"] for one in got["contacts"]])
    patch = api.patch(name=made["name"], updateMask="notificationCategorySubscriptions", body={"notificationCategorySubscriptions": ["ALL"]})
    step("it is told of everything", patch, has(notificationCategorySubscriptions=["ALL"]))
    step("it is deleted", api.delete(name=made["name"]), {})


def logs(clients):
    api = clients.logging.organizations().sinks()
    body = {"name": "landfall", "destination": "storage.googleapis.com/acme-logs", "includeChildren": True}
    step("a sink", api.create(parent=ORGANIZATION, uniqueWriterIdentity=True, body=body), lambda got: got["writerIdentity"])
    step("it is there", api.get(sinkName=f"{ORGANIZATION}/sinks/landfall"), has(includeChildren=True))
    step("sinks", api.list(parent=ORGANIZATION), lambda got: "landfall" in [one["name"] for one in got["sinks"]])
    step("a second one of its name", api.create(parent=ORGANIZATION, body=body), 409)
    step("it is deleted", api.delete(sinkName=f"{ORGANIZATION}/sinks/landfall"), {})


def machines(clients):
    api = clients.compute.projects()
    before = step("a project's metadata", api.get(project=PROJECT), lambda got: got["commonInstanceMetadata"]["fingerprint"])
    items = [{"key": "enable-oslogin", "value": "TRUE"}]
    stale = {"fingerprint": "c3RhbGU=", "items": items}
    step("an old fingerprint is refused", api.setCommonInstanceMetadata(project=PROJECT, body=stale), 412)
    fresh = {"fingerprint": before["commonInstanceMetadata"]["fingerprint"], "items": items}
    begun = step("it is set", api.setCommonInstanceMetadata(project=PROJECT, body=fresh), lambda got: got["kind"] == "compute#operation")
    step("that takes a while", clients.compute.globalOperations().wait(project=PROJECT, operation=begun["name"]), has(status="DONE"))
    step("it is there", api.get(project=PROJECT), lambda got: got["commonInstanceMetadata"].get("items") == items)
    networks = clients.compute.networks()
    step("the default network", networks.list(project=PROJECT), lambda got: [one["name"] for one in got["items"]] == ["default"])
    step("a project without Compute", clients.compute.networks().list(project=OTHER), 403)
    step("it is in use by its rules", networks.delete(project=PROJECT, network="default"), lambda got: got in (400, 409) or "error" in got)
    step("its instances", clients.compute.instances().aggregatedList(project=PROJECT), lambda got: got["items"])
    rules = clients.compute.firewalls()
    names = step("its rules", rules.list(project=PROJECT), lambda got: len(got["items"]) == 4)["items"]
    for name in (rule["name"] for rule in names):
        begun = step(f"{name} goes", rules.delete(project=PROJECT, firewall=name), has(operationType="delete"))
        step("it is gone", clients.compute.globalOperations().wait(project=PROJECT, operation=begun["name"]), has(status="DONE"))
    begun = step("the network goes", networks.delete(project=PROJECT, network="default"), has(operationType="delete"))
    step("soon", clients.compute.globalOperations().get(project=PROJECT, operation=begun["name"]), has(name=begun["name"]))
    step("it is gone", clients.compute.globalOperations().wait(project=PROJECT, operation=begun["name"]), has(status="DONE"))
    step("no network is left", networks.list(project=PROJECT), lambda got: "items" not in got)


def alerts(clients):
    parent = f"projects/{PROJECT}"
    buckets = clients.logging.projects().locations().buckets()
    step("where logs are kept", buckets.list(parent=f"{parent}/locations/-"), lambda got: len(got["buckets"]) == 2)
    longer = buckets.patch(name=f"{parent}/locations/global/buckets/_Default", updateMask="retentionDays", body={"retentionDays": 365})
    step("they are kept longer", longer, has(retentionDays=365))
    step("what is locked stays", buckets.patch(name=f"{parent}/locations/global/buckets/_Required", updateMask="retentionDays",
         body={"retentionDays": 30}), 400)
    metrics = clients.logging.projects().metrics()
    metric = {"name": "landfall/owners", "filter": "protoPayload.methodName=\"SetIamPolicy\""}
    channels = clients.monitoring.projects().notificationChannels()
    channel = {"type": "email", "displayName": "landfall", "labels": {"email_address": "security@acme.example"}}
    told = step("who is told", channels.create(name=parent, body=channel), lambda got: got["name"])
    policies = clients.monitoring.projects().alertPolicies()
    threshold = {"filter": "metric.type=\"logging.googleapis.com/user/landfall/owners\"", "comparison": "COMPARISON_GT", "duration": "0s"}
    policy = {
        "displayName": "owners", "combiner": "OR", "notificationChannels": [told["name"]],
        "conditions": [{"displayName": "owners", "conditionThreshold": threshold}],
    }
    step("an alert on a metric that is not there", policies.create(name=parent, body=policy), 404)
    step("a metric", metrics.create(parent=parent, body=metric), has(name=metric["name"]))
    step("it is there", metrics.get(metricName=f"{parent}/metrics/landfall%2Fowners"), has(filter=metric["filter"]))
    made = step("an alert", policies.create(name=parent, body=policy), has(enabled=True))
    step("alerts", policies.list(name=parent), lambda got: len(got["alertPolicies"]) == 1)
    step("it is off", policies.patch(name=made["name"], updateMask="enabled", body={"enabled": False}), has(enabled=False))
    step("its channel is in use", channels.delete(name=told["name"]), 400)
    step("it is deleted", policies.delete(name=made["name"]), {})


def watchers(clients):
    feed = {
        "name": "", "assetTypes": ["cloudresourcemanager.googleapis.com/Project"], "contentType": "RESOURCE",
        "feedOutputConfig": {"pubsubDestination": {"topic": "projects/acme-landfall/topics/landfall-events"}},
    }
    feeds = clients.assets.feeds()
    made = step("a feed", feeds.create(parent=ORGANIZATION, body={"feedId": "landfall", "feed": feed}), lambda got: got["name"])
    step("feeds", feeds.list(parent=ORGANIZATION), lambda got: [one["name"] for one in got["feeds"]] == [made["name"]])
    body = {"feed": {"name": made["name"], "assetTypes": [*feed["assetTypes"], "storage.googleapis.com/Bucket"]}, "updateMask": "assetTypes"}
    step("it tells of more", feeds.patch(name=made["name"], body=body), lambda got: len(got["assetTypes"]) == 2 and got["contentType"] == "RESOURCE")
    step("a second one of its name", feeds.create(parent=ORGANIZATION, body={"feedId": "landfall", "feed": feed}), 409)
    step("it is deleted", feeds.delete(name=made["name"]), {})
    approval, name = clients.approval, f"projects/{PROJECT}/accessApprovalSettings"
    step("nobody has to ask", approval.projects().getAccessApprovalSettings(name=name), 404)
    body = {"enrolledServices": [{"cloudProduct": "all", "enrollmentLevel": "BLOCK_ALL"}]}
    patch = approval.projects().updateAccessApprovalSettings(name=name, updateMask="enrolledServices", body=body)
    step("Google has to ask", patch, lambda got: got["enrolledServices"])
    step("that stays", approval.projects().getAccessApprovalSettings(name=name), lambda got: got["enrolledServices"])
    body = {
        "notificationEmails": ["security@acme.example"],
        "approvalPolicy": {"justificationBasedApprovalPolicy": "JUSTIFICATION_BASED_APPROVAL_NOT_ENABLED"},
    }
    patch = approval.projects().updateAccessApprovalSettings(name=name, updateMask="approvalPolicy,notificationEmails", body=body)
    step("somebody is told, and nothing is approved by itself", patch,
         lambda got: got["enrolledServices"] and got["notificationEmails"] and got["effectiveApprovalPolicy"] == body["approvalPolicy"])


def strangers(url):
    nobody, reader = Clients(url, token=None), Clients(url, token="landfall-read")
    step("nobody", nobody.resources.projects().get(name=f"projects/{PROJECT}"), 401)
    step("who only reads", reader.resources.projects().get(name=f"projects/{PROJECT}"), has(projectId=PROJECT))
    patch = reader.resources.projects().patch(name=f"projects/{PROJECT}", updateMask="labels", body={"labels": {}})
    step("does not write", patch, 403)


def main(url):
    clients = Clients(url)
    for part in (resources, access, policies, denials, roles, strangers_trusted, services, money, people, logs, machines, alerts, watchers):
        part(clients)
    strangers(url)
    print(json.dumps({"judged": JUDGED, "failed": FAILED}, sort_keys=True))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
