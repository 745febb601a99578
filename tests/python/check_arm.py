"""Checks every call of a log to Azure Resource Manager against Microsoft's own client packages.

    check_arm.py [--summary] LOG...        (`-` is standard input)

A log has one JSON object a line: method, path, query, and the body as `parameters`. Each problem is one line of output, `line N:
METHOD path: what is wrong`, and makes the exit code 1. With --summary one more line says, as JSON, which operations were judged how
often, and what could not be judged and why. Nothing here knows Landfall: what a right call is, only the packages say.
"""

import re
import sys
import urllib.parse

import arm_models
import arm_operations
import call_log

# What no package describes, and why: counted, and said. Everything else that is not described is a problem.
NOT_DESCRIBED = [
    (
        r"GET .*/(operationResults|operationStatuses|asyncOperations?)/.*",
        "an address that an answer gave: the packages follow it as it is",
    ),
    (
        r"(GET /providers/Microsoft.CustomerLockbox/tenantOptedIn/[0-9a-f-]{36}|POST /providers/Microsoft.CustomerLockbox/enableLockbox)",
        "Customer Lockbox, of which Microsoft publishes a description and no package",
    ),
]


def problems(call):
    """Returns the operation that a call is, if it is one, and what is wrong with it."""
    return call_log.parted(find(call))


def find(call):
    """Yields the operation, and what is wrong with the call."""
    method, path = call["method"], call["path"]
    call_log.skip(call, NOT_DESCRIBED, re.IGNORECASE)
    query = urllib.parse.parse_qsl(call.get("query") or "", keep_blank_values=True)
    versions = [value for name, value in query if name.lower() == "api-version"]
    if not versions:
        yield "the query has no `api-version`"
    here = [operation for operation in arm_operations.of(path) if operation.pattern.fullmatch(path)]
    if not here:
        yield "unknown path"
        return
    # The one that says most of the path; `{scope}` and `{resourceId}` are last.
    here.sort(key=lambda operation: operation.static, reverse=True)
    versioned = [operation for operation in here if operation.version in (None, *versions)]
    if versions and not versioned:
        known = sorted({operation.version for operation in here})
        yield f"unknown api-version `{versions[0]}`, expected {' or '.join(known)}"
    same = [operation for operation in versioned or here if operation.method == method]
    if not same:
        known = sorted({operation.method for operation in versioned or here})
        yield f"method `{method}`, expected {' or '.join(known)}"
        return
    operation = same[0]
    yield operation
    yield from check_path(path, operation)
    yield from check_query(query, operation)
    yield from check_body(call.get("parameters"), operation)


def check_path(path, operation):
    for name, value in operation.pattern.fullmatch(path).groupdict().items():
        if value is not None:
            value = urllib.parse.unquote(value)
            yield from arm_models.check_limits(value, operation.path.get(name, {}), f"`{name}` in the path")


def check_query(query, operation):
    known = {name.lower(): said for name, said in operation.query.items()}
    # What a page's link adds to the question it continues.
    if operation.pages:
        known.setdefault("$skiptoken", {})
    names = [name.lower() for name, _ in query]
    for name, value in query:
        if name.lower() not in known:
            yield f"unknown query `{name}`"
        elif names.count(name.lower()) > 1:
            yield f"query `{name}` is there more than once"
        else:
            said = known[name.lower()]
            if said.get("type") == "int":
                if not re.fullmatch(r"-?\d+", value):
                    yield f"query `{name}` is `{value}`, expected a whole number"
                    continue
                value = int(value)
            elif said.get("type") == "bool" and value not in ("true", "false"):
                yield f"query `{name}` is `{value}`, expected true or false"
            yield from arm_models.check_limits(value, said, f"query `{name}`")
    for name in operation.required:
        # A missing api-version has been said.
        if name.lower() not in names and name != "api-version":
            yield f"required query `{name}` is missing"


def check_body(body, operation):
    if operation.body is None:
        # `{}` is what some clients send where nothing is to be said.
        if body not in (None, {}):
            yield "a body, and the operation takes none"
    elif body is None:
        if operation.body_required:
            yield f"no body, expected a `{operation.body}`"
    else:
        shape = arm_models.shape(operation.models(), operation.body)
        yield from arm_models.check(body, shape, "", answer=False)


if __name__ == "__main__":
    sys.exit(call_log.main(sys.argv[1:], __doc__, problems))
