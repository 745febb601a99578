"""Checks raw answers of Azure Resource Manager against Microsoft's own client packages: what their clients would silently leave out, or
never look at, is a problem here.

    check_arm_answers.py LOG...        (`-` is standard input)

`Watch(problems, …)` is a policy for every client: it reports statuses, members, types and headers that the packages do not describe.
A log has one JSON object a line: method, path and query of the call, status, headers and body of the answer.
"""

import json
import re
import sys
from collections import Counter

from azure.core.pipeline.policies import SansIOHTTPPolicy

import arm_models
import call_log
import check_arm

# Of a page, which the generator of 2026 reads without a model.
PAGE = {"value": arm_models.Member("anything", required=True), "nextLink": arm_models.Member("text")}

# https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/common-api-details.md#error-response-content
ERROR = arm_models.Structure("ErrorDetail", {})
ERROR.members = {
    "code": arm_models.Member("text", required=True),
    "message": arm_models.Member("text", required=True),
    "target": arm_models.Member("text"),
    "details": arm_models.Member(arm_models.Listed(ERROR)),
    "additionalInfo": arm_models.Member("anything"),
}


class Watch(SansIOHTTPPolicy):
    """Says what is wrong with each answer, and counts the operations that answered."""

    def __init__(self, problems, judged, skipped):
        self.problems, self.judged, self.skipped = problems, judged, skipped

    def on_response(self, request, response):
        asked, told = request.http_request, response.http_response
        # Of a long-running call the client reads the answer later.
        if hasattr(told, "read"):
            told.read()
        path, _, query = re.sub(r"^https?://[^/]+", "", asked.url).partition("?")
        call = {"method": asked.method, "path": path, "query": query, "parameters": body(asked)}
        for problem in check(call, told.status_code, dict(told.headers), told.text(), self.judged, self.skipped):
            self.problems.append(f"{asked.method} {path}: {problem}")


def body(asked):
    content = asked.content if hasattr(asked, "content") else asked.data
    return json.loads(content) if content else None


def check(call, status, headers, text, judged=None, skipped=None):
    """Yields what is wrong with an answer."""
    headers = {name.lower(): value for name, value in headers.items()}
    judged, skipped = Counter() if judged is None else judged, Counter() if skipped is None else skipped
    if not headers.get("x-ms-request-id"):
        yield "the answer has no `x-ms-request-id`"
    value = None
    if text:
        if not headers.get("content-type", "").startswith("application/json"):
            yield f"the answer is `{headers.get('content-type')}`, expected JSON"
        value = json.loads(text)
    if status == 202 or (status == 201 and "azure-asyncoperation" in headers):
        yield from check_accepted(headers)
    if status >= 400:
        yield from check_error(call, status, headers, value)
        return
    try:
        operation, _ = check_arm.problems(call)
    except call_log.NotDescribed as reason:
        skipped[str(reason)] += 1
        return
    if operation is None:
        # Said by whoever judges the requests.
        return
    judged[operation.label()] += 1
    if operation.statuses and status not in operation.statuses and operation.method != "HEAD":
        yield f"status {status}, expected {' or '.join(str(known) for known in operation.statuses)}"
    if status in (202, 204):
        if status == 204 and text:
            yield "a body with status 204"
        return
    if operation.answer is None:
        if value not in (None, {}):
            yield f"a body, and the operation `{operation.builder}` answers none"
    elif value is None:
        yield f"no body, expected a `{operation.answer}`"
    elif operation.answer.startswith("["):
        yield from arm_models.check(value, arm_models.Structure("page", PAGE), "", answer=True)
        if isinstance(value, dict) and "value" in value:
            items = arm_models.shape(operation.models(), operation.answer)
            yield from arm_models.check(value["value"], items, "value", answer=True)
    else:
        yield from arm_models.check(value, arm_models.shape(operation.models(), operation.answer), "", answer=True)


def check_accepted(headers):
    """Where a long-running call is asked for again."""
    places = [headers[name] for name in ("azure-asyncoperation", "location") if name in headers]
    if not places:
        yield "the call goes on, and neither `Azure-AsyncOperation` nor `Location` says where to ask"
    for place in places:
        if not re.match(r"https?://[^/]+/", place):
            yield f"`{place}` is no absolute address"


def check_error(call, status, headers, value):
    if call["method"] == "HEAD":
        return
    if not isinstance(value, dict) or set(value) != {"error"}:
        yield f"status {status} with {json.dumps(value)[:120]}, expected an object with `error` alone"
        return
    yield from arm_models.check(value["error"], ERROR, "error", answer=True)
    if status == 429 and not re.fullmatch(r"\d+", headers.get("retry-after", "")):
        yield "status 429 without the seconds to wait in `Retry-After`"


def main(arguments):
    wrong = 0
    for number, line in enumerate(call_log.lines(arguments), 1):
        call = json.loads(line)
        body = call.get("body")
        for problem in check(call, call["status"], call["headers"], "" if body is None else json.dumps(body)):
            wrong += 1
            print(f"line {number}: {call['method']} {call['path']}: {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
