"""A log of calls, one JSON object a line, and the verdict on it."""

import json
import re
import sys
from collections import Counter, defaultdict


class NotDescribed(Exception):
    """Nothing that is known of the API says anything about the call."""


def lines(paths):
    for path in paths:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as log:
            yield from (line for line in log if line.strip())


def parted(found):
    """Returns the operation that a call is, if it is one, and what is wrong with it, of what was found in any order."""
    said = list(found)
    operation = next((part for part in said if not isinstance(part, str)), None)
    return operation, [part for part in said if isinstance(part, str)]


def skip(call, not_described, flags=0):
    """Raises where the call is one of those of which it is known that nothing describes them, and why."""
    for pattern, reason in not_described:
        if re.fullmatch(pattern, f"{call['method']} {call['path']}", flags):
            raise NotDescribed(reason)


def main(arguments, usage, problems):
    """Judges every call of the logs: `problems` returns a call's operation and what is wrong with it."""
    summary = "--summary" in arguments
    paths = [argument for argument in arguments if argument != "--summary"]
    if not paths:
        print(usage, file=sys.stderr)
        return 2
    judged, skipped, total = Counter(), defaultdict(Counter), 0
    wrong = 0
    for number, line in enumerate(lines(paths), 1):
        call = json.loads(line)
        total += 1
        try:
            operation, found = problems(call)
        except NotDescribed as reason:
            skipped[str(reason)][f"{call['method']} {call['path']}"] += 1
            continue
        judged[operation.label() if operation else "no operation"] += 1
        for problem in found:
            wrong += 1
            print(f"line {number}: {call['method']} {call['path']}: {problem}")
    if not total:
        print("the log is empty: nothing was checked")
        return 1
    if summary:
        print(json.dumps({"judged": judged, "skipped": skipped}, sort_keys=True))
    return 1 if wrong else 0
