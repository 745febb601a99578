"""Says which actions of Azure RBAC stand for no operation of Microsoft's own client packages.

    check_actions.py        (standard input: ["Microsoft.Resources/tags/read", ...])

An action is a resource type and what is done to it: a GET reads, a PUT or a PATCH writes, a DELETE deletes, and a POST is an action by its
own name (https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations). Each action that no operation has is
one line of output and makes the exit code 1. What no package describes is told on standard error, with the reason.
"""

import json
import re
import sys

import arm_operations

VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}

# Actions that are no operation of theirs, or of providers whose packages are not installed.
NOT_DESCRIBED = [
    (r"\*/register/action", "registering whatever provider the manifest lists"),
    (r"microsoft\.customerlockbox/(enablelockbox/action|tenantoptedin/read)", "Microsoft publishes no package of Customer Lockbox"),
    (
        r"microsoft\.authorization/policyassignments/exempt/action",
        "asked of whoever exempts from an assignment: Azure Policy, Exemption structure, Required permissions",
    ),
    (
        r"microsoft\.policyinsights/policystates/queryresults/read",
        "what Azure lists beside the POST's own action",
    ),
    (r"microsoft\.(eventhub|operationalinsights|storage)/.*/action", "no package of this provider is installed"),
]


def actions(operation):
    """What an operation may be called among the actions."""
    parts = operation.template.strip("/").split("/")
    places = [n for n, part in enumerate(parts) if part.lower() == "providers"]
    rest = parts[places[-1] + 2 :] if places else []
    if rest and not parts[places[-1] + 1].startswith("{"):
        owner = parts[places[-1] + 1]
    elif parts[0].lower() == "subscriptions":
        # What ARM itself has in a subscription, providers among it.
        owner, rest = "Microsoft.Resources", parts
    else:
        return
    types = rest[0::2]
    # A name that is always the same may count as a part of the type.
    literal = [part for part in rest if not part.startswith("{")]
    for kind in (types, literal):
        if any(part.startswith("{") for part in kind):
            continue
        if operation.method == "POST":
            yield f"{owner}/{'/'.join(kind)}/action"
            yield f"{owner}/{'/'.join(literal)}/action"
        else:
            yield f"{owner}/{'/'.join(kind)}/{VERBS[operation.method]}"


def known():
    packages = {package for some in arm_operations.PACKAGES.values() for package in some}
    found = [operation for package in sorted(packages) for operation in arm_operations.operations(package)]
    return {action.lower() for operation in found for action in actions(operation)}


def main():
    all_known = known()
    wrong = False
    for action in json.load(sys.stdin):
        name = action.lower()
        if name in all_known:
            continue
        # POST /subscriptions/{id}/providers/{namespace}/register is the namespace's own action.
        provider, _, rest = name.partition("/")
        if rest == "register/action" and provider in arm_operations.PACKAGES:
            continue
        reason = next((why for pattern, why in NOT_DESCRIBED if re.fullmatch(pattern, name)), None)
        if reason:
            print(f"{action}: {reason}", file=sys.stderr)
        else:
            wrong = True
            print(action)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
