"""Checks every call of a log to Google Cloud against Google's own discovery documents.

    check_gcp.py [--summary] LOG...        (`-` is standard input)

A log has one JSON object a line: method, path (which begins with the API's host), query, and the body as `parameters`. Each problem is
one line of output, `line N: METHOD path: what is wrong`, and makes the exit code 1. With --summary one more line says, as JSON, which
operations were judged how often, and what could not be judged and why. Nothing here knows Landfall: what a right call is, only the
documents say.
"""

import json
import re
import sys
import urllib.parse

import call_log
import google_apis

# What no document describes, and why: counted, and said. Everything else that is not described is a problem.
NOT_DESCRIBED = [
    (
        r"GET /iam\.googleapis\.com/v2/policies/[^/]+/denypolicies/[^/]+/operations/.*",
        "an operation of a deny policy, by the name that the answer gave",
    ),
    (
        r"\w+ /securitycentermanagement\.googleapis\.com/.*",
        "Security Command Center's management, of which the client has no discovery document",
    ),
]


def problems(call):
    """Returns the operation that a call is, if it is one, and what is wrong with it."""
    return call_log.parted(find(call))


def find(call):
    """Yields the operation, and what is wrong with the call."""
    method, path = call["method"], call["path"]
    call_log.skip(call, NOT_DESCRIBED)
    host, version, rest = google_apis.split(path)
    if not host.endswith(".googleapis.com"):
        yield f"`{host}` is no host of Google's APIs"
        return
    if version is None or google_apis.document(host, version) is None:
        yield f"`{host}` has no version `{version}`"
        return
    here = [operation for operation in google_apis.operations(host, version) if operation.pattern.fullmatch(rest)]
    same = [operation for operation in here if operation.method == method]
    if not same:
        if here:
            yield f"method `{method}`, expected {' or '.join(sorted({operation.method for operation in here}))}"
        else:
            yield "unknown path"
        return
    # The one that says most of the path.
    operation = max(same, key=lambda operation: len(re.sub(r"\{[^}]*\}", "", operation.template)))
    yield operation
    said = google_apis.document(host, version)
    yield from check_query(call, operation, said)
    yield from check_body(call.get("parameters"), operation, said["schemas"])


def check_query(call, operation, said):
    query = urllib.parse.parse_qsl(call.get("query") or "", keep_blank_values=True)
    own = {name: spec for name, spec in operation.parameters.items() if spec.get("location") == "query"}
    names = [name for name, _ in query]
    for name, value in query:
        spec = own.get(name) or said.get("parameters", {}).get(name)
        if spec is None:
            yield f"unknown query `{name}`"
        elif names.count(name) > 1 and not spec.get("repeated"):
            yield f"query `{name}` is there more than once"
        elif spec["type"] == "integer" and not re.fullmatch(r"-?\d+", value):
            yield f"query `{name}` is `{value}`, expected a whole number"
        elif spec["type"] == "boolean" and value not in ("true", "false"):
            yield f"query `{name}` is `{value}`, expected true or false"
        elif "enum" in spec and value not in spec["enum"]:
            yield f"query `{name}` has the unknown value `{value}`"
        elif name == "updateMask" and operation.request:
            yield from google_apis.check_mask(value, {"$ref": operation.request}, said["schemas"])
    for name, spec in own.items():
        if spec.get("required") and name not in names:
            yield f"required query `{name}` is missing"


def check_body(body, operation, schemas):
    if operation.request is None:
        if body is not None:
            yield "a body, and the operation takes none"
    elif body is None:
        yield f"no body, expected a `{operation.request}`"
    else:
        yield from google_apis.check(body, {"$ref": operation.request}, schemas)
        # A mask that stands in the body names members of the resource beside it, of which the document does not say which.
        if isinstance(body, dict) and operation.request == "SetIamPolicyRequest" and body.get("updateMask"):
            yield from google_apis.check_mask(body["updateMask"], {"$ref": "Policy"}, schemas)


def check_answer(call, status, value):
    """Yields what is wrong with an answer: members, types and refusals that the documents do not describe."""
    if status >= 400:
        error = value.get("error") if isinstance(value, dict) else None
        if not isinstance(error, dict) or error.get("code") != status or not isinstance(error.get("message"), str):
            yield f"a refusal that is not Google's: {json.dumps(value)}"
        return
    try:
        operation, _ = problems(call)
    except call_log.NotDescribed:
        return
    if operation is None:
        return
    host, version, _ = google_apis.split(call["path"])
    if operation.response is None:
        if value not in (None, {}):
            yield "an answer, and the operation has none"
        return
    schemas = google_apis.document(host, version)["schemas"]
    yield from google_apis.check(value, {"$ref": operation.response}, schemas, answer=True)


if __name__ == "__main__":
    sys.exit(call_log.main(sys.argv[1:], __doc__, problems))
