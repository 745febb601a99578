"""Checks templates of Azure Resource Manager against Microsoft's own client packages, and against themselves.

    check_templates.py      (standard input: {"template", "parameters", "environment"}, one JSON object a line)

Each problem is one line of output, `line N: RESOURCE: what is wrong`, and makes the exit code 1. The last line says, as JSON, what each
template comes to: its resources with their bodies, and its outputs. Nothing here knows Landfall.
"""

import json
import sys

import arm_expressions
import arm_models
import arm_operations
import arm_templates
import check_arm

# What describes the resources that Landfall itself never calls for.
for owner, packages in {
    "microsoft.eventhub": ["azure.mgmt.eventhub.v2024_01_01"],
    "microsoft.insights": ["older:azure.mgmt.monitor", "azure.mgmt.applicationinsights.v2020_02_02"],
    "microsoft.operationalinsights": ["azure.mgmt.loganalytics"],
    "microsoft.storage": ["azure.mgmt.storage.v2023_05_01"],
    "microsoft.web": ["azure.mgmt.web.v2024_04_01"],
}.items():
    arm_operations.PACKAGES.setdefault(owner, []).extend(packages)

# Of this operation the package has no body. Microsoft's documentation has:
# https://learn.microsoft.com/azure/templates/microsoft.web/sites/extensions-onedeploy
ONE_DEPLOY = arm_models.Structure(
    "OneDeploy",
    {
        "properties": arm_models.Member(
            arm_models.Structure(
                "OneDeploy.properties",
                {"packageUri": arm_models.Member("text", required=True), "remoteBuild": arm_models.Member("boolean")},
            ),
            required=True,
        )
    },
)


def call(resource):
    """The request that Resource Manager makes of a resource."""
    return {"method": "PUT", "path": resource.id, "query": f"api-version={resource.version}", "parameters": resource.body}


def judge(resource):
    """Yields what the packages say against a resource."""
    if arm_operations.provider(resource.id) not in arm_operations.PACKAGES:
        yield "no package here describes its provider"
    elif resource.id.lower().endswith("/extensions/onedeploy"):
        _, found = check_arm.problems({**call(resource), "parameters": None})
        yield from found
        yield from arm_models.check(resource.body, ONE_DEPLOY, "", answer=False)
    else:
        yield from check_arm.problems(call(resource))[1]


class Answer:
    """What Azure will say of a resource, which nobody knows yet: its members are those that the package says there are."""

    def __init__(self, template, resource, shape, where):
        self.template, self.resource, self.shape, self.where = template, resource, shape, where

    def member(self, name):
        if not isinstance(self.shape, arm_models.Structure) or name not in self.shape.members:
            raise arm_expressions.Wrong(f"`reference` to `{arm_models.join(self.where, name)}`, which no answer has")
        return Answer(self.template, self.resource, self.shape.members[name].shape, arm_models.join(self.where, name))

    def text(self):
        if self.shape != "text":
            raise arm_expressions.Wrong(f"`{self.where}` of the answer is no text")
        last = self.where.rsplit(".", 1)[-1]
        if last in ("principalId", "clientId"):
            return arm_expressions.guid(self.resource.id, last)
        if last == "serviceBusEndpoint":
            name = self.resource.id.rsplit("/", 1)[1]
            return f"https://{name}.{arm_expressions.BUSES[self.template.environment]}:443/"
        return f"{self.where} of {self.resource.where}"


def answer(template, resource):
    operation, _ = check_arm.problems(call(resource))
    if operation is None or operation.answer is None:
        raise arm_expressions.Wrong(f"nobody says what is answered of `{resource.where}`")
    return Answer(template, resource, arm_models.shape(operation.models(), operation.answer), "")


def check(said):
    """What is wrong with a template, and what it comes to."""
    template = arm_templates.Template(said["template"], said.get("parameters", {}), said.get("environment", "AzureCloud"), answer)
    outputs = template.work_out()
    template.check_order()
    deployed = [resource for resource, _ in template.resources if resource.deployed]
    for resource in deployed:
        for problem in judge(resource):
            template.say(resource.where, problem)
    resources = [{"id": one.id, "type": one.kind, "apiVersion": one.version, "body": one.body} for one in deployed]
    return template.problems, {"resources": resources, "outputs": outputs}


def main():
    wrong, results = 0, []
    for number, line in enumerate((line for line in sys.stdin if line.strip()), 1):
        problems, result = check(json.loads(line))
        results.append(result)
        for problem in problems:
            wrong += 1
            print(f"line {number}: {problem}")
    if not results:
        print("there is no template: nothing was checked")
        return 1
    print(json.dumps(results, sort_keys=True))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
