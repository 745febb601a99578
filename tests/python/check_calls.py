"""Checks every call of a simulator's log against AWS's own service models, as botocore ships them.

    check_calls.py [--summary] LOG...        (`-` is standard input)

A log has one JSON object a line: service, operation, parameters, method, path. Each problem is one line of output, `line N:
service:Operation: what is wrong`, and makes the exit code 1. With --summary, the operations seen are counted on one more line,
as JSON. Nothing here knows Landfall: what a right call is, only the models say.
"""

import json
import re
import sys
from collections import Counter

import botocore.session

import call_log

SESSION = botocore.session.get_session()

# The log names services as IAM policies do; botocore names one of them otherwise.
MODELS = {"access-analyzer": "accessanalyzer"}


def model(service):
    try:
        return SESSION.get_service_model(MODELS.get(service, service))
    except botocore.exceptions.UnknownServiceError:
        return None


def check(call):
    """Yields what is wrong with one call."""
    service = model(call["service"])
    if service is None:
        yield "unknown service"
        return
    if call["operation"] not in service.operation_names:
        yield "unknown operation"
        return
    operation = service.operation_model(call["operation"])
    protocol = service.metadata["protocol"]
    yield from check_http(call, operation, protocol)
    parameters = call["parameters"]
    if not isinstance(parameters, dict):
        yield f"parameters are {kind(parameters)}, expected an object"
    elif operation.input_shape is None:
        for name in parameters:
            yield f"unknown member `{name}`: the operation takes none"
    elif protocol in ("query", "ec2"):
        yield from Flat(protocol, parameters).check(operation.input_shape)
    elif protocol == "rest-xml":
        yield from check_leaves(parameters, operation.input_shape)
    else:
        rest = protocol.startswith("rest")
        yield from check_value(parameters, operation.input_shape, "", text_of=on_the_url if rest else nothing)


# HTTP ---------------------------------------------------------------------------------------------------------------------


def check_http(call, operation, protocol):
    """Method and path, as the model's http trait says."""
    method, path = operation.http["method"], operation.http["requestUri"].split("?")[0]
    found = call["method"]
    # A Query call may also be a GET with everything on the URL.
    if found != method and not (protocol in ("query", "ec2") and found == "GET"):
        yield f"method `{found}`, expected `{method}`"
    names = re.findall(r"\{(\w+)\+?\}", path)
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.sub(r"\\\{\w+\\\+\\\}", ".+", re.escape(path)))
    trimmed = call["path"].rstrip("/") or "/"
    # SQS clients may send to the queue's own URL, whose path names account and queue.
    own_url = call["service"] == "sqs" and re.fullmatch(r"/\d{12}/[\w.-]+", trimmed)
    if not re.fullmatch(pattern.rstrip("/") or "/", trimmed) and not own_url:
        yield f"path `{call['path']}`, expected `{path}`"
    for name in names:
        members = operation.input_shape.members
        member = next((m for m, s in members.items() if s.serialization.get("name", m) == name), name)
        if member not in call["parameters"]:
            yield f"required member `{member}` is missing from the path"


def nothing(_shape):
    return False


def on_the_url(shape):
    """A member on the URL or in a header is text on the wire, whatever its type."""
    return shape.serialization.get("location") in ("uri", "querystring", "header")


# JSON ---------------------------------------------------------------------------------------------------------------------


def kind(value):
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def check_value(value, shape, where, text_of=nothing):
    """A JSON value against a shape, all the way down."""
    at = f"`{where}`" if where else "parameters"
    name = shape.type_name
    if getattr(shape, "is_document_type", False):
        return  # Any JSON at all.
    if name == "structure":
        if not isinstance(value, dict):
            yield f"{at} is {kind(value)}, expected an object"
            return
        wire = {member.serialization.get("name", key): (key, member) for key, member in shape.members.items()}
        for key in shape.required_members:
            if shape.members[key].serialization.get("name", key) not in value and key not in value:
                yield f"required member `{join(where, key)}` is missing"
        for key, inner in value.items():
            # The log uses the API's member names, which for JSON are the wire's too.
            found = wire.get(key) or ((key, shape.members[key]) if key in shape.members else None)
            if found is None:
                yield f"unknown member `{join(where, key)}`"
            elif text_of(found[1]):
                yield from check_text(inner, found[1], join(where, key))
            elif inner is not None:
                yield from check_value(inner, found[1], join(where, key))
            elif key in shape.required_members:
                yield f"required member `{join(where, key)}` is null"
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            yield f"{at} has {len(value)} members, expected exactly one"
    elif name == "list":
        if not isinstance(value, list):
            yield f"{at} is {kind(value)}, expected a list"
            return
        yield from check_length(value, shape, at)
        for n, inner in enumerate(value):
            yield from check_value(inner, shape.member, f"{where}[{n}]")
    elif name == "map":
        if not isinstance(value, dict):
            yield f"{at} is {kind(value)}, expected an object"
            return
        for key, inner in value.items():
            yield from check_value(key, shape.key, f"{where}.{key}")
            yield from check_value(inner, shape.value, f"{where}.{key}")
    elif name in ("string", "character"):
        if not isinstance(value, str):
            yield f"{at} is {kind(value)}, expected text"
            return
        yield from check_string(value, shape, at)
    elif name == "boolean":
        if not isinstance(value, bool):
            yield f"{at} is {kind(value)}, expected a boolean"
    elif name in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{at} is {kind(value)}, expected a whole number"
        else:
            yield from check_range(value, shape, at)
    elif name in ("float", "double"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{at} is {kind(value)}, expected a number"
    elif name == "timestamp":
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            yield f"{at} is {kind(value)}, expected a time"
    elif name == "blob":
        if not isinstance(value, str):
            yield f"{at} is {kind(value)}, expected base64 text"


def join(where, key):
    return f"{where}.{key}" if where else key


def check_text(value, shape, where):
    """A scalar that was written as text: Query parameters, URLs, headers, XML."""
    at = f"`{where}`"
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (int, float)):
        value = str(value)
    if not isinstance(value, str):
        yield f"{at} is {kind(value)}, expected text"
        return
    name = shape.type_name
    if name == "boolean" and value not in ("true", "false"):
        yield f"{at} is `{value}`, expected true or false"
    elif name in ("integer", "long"):
        if not re.fullmatch(r"-?\d+", value):
            yield f"{at} is `{value}`, expected a whole number"
        else:
            yield from check_range(int(value), shape, at)
    elif name in ("float", "double") and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        yield f"{at} is `{value}`, expected a number"
    elif name in ("string", "character"):
        yield from check_string(value, shape, at)
    elif name in ("structure", "list", "map"):
        yield f"{at} is text, expected a {name}"


def check_string(value, shape, at):
    if shape.enum and value not in shape.enum:
        yield f"{at} has the unknown value `{value}`, expected one of {', '.join(sorted(shape.enum))}"
    yield from check_length(value, shape, at)
    pattern = shape.metadata.get("pattern")
    if pattern:
        try:
            if not re.search(pattern.replace("\\p{L}", "\\w").replace("\\p{N}", "\\d"), value):
                yield f"{at} is `{shorten(value)}`, which its pattern `{pattern}` does not allow"
        except re.error:
            pass  # Java's and ECMAScript's patterns know classes that Python's do not: then the length has to do.


def shorten(text):
    return text if len(text) <= 60 else text[:60] + "…"


def check_length(value, shape, at):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        yield f"{at} is {len(value)} long, expected at least {low}"
    if high is not None and len(value) > high:
        yield f"{at} is {len(value)} long, expected at most {high}"


def check_range(value, shape, at):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield f"{at} is {value}, expected at least {low}"
    if high is not None and value > high:
        yield f"{at} is {value}, expected at most {high}"


# Query and EC2 ------------------------------------------------------------------------------------------------------------


class Flat:
    """`Filter.1.Value.2`: parameters whose names say where in the shape they belong."""

    def __init__(self, protocol, parameters):
        self.ec2 = protocol == "ec2"
        self.parameters = parameters

    def name(self, key, shape):
        written = shape.serialization.get("queryName") if self.ec2 else None
        if written is None:
            written = shape.serialization.get("name", key)
            if self.ec2:
                written = written[:1].upper() + written[1:]
        return written

    def prefix(self, shape):
        """What stands between a list's name and its numbers."""
        if self.ec2 or shape.serialization.get("flattened"):
            return ""
        return shape.member.serialization.get("name", "member") + "."

    def list_name(self, key, shape):
        # A flattened list of the Query protocol takes its member's name.
        if shape.type_name == "list" and not self.ec2 and shape.serialization.get("flattened"):
            return shape.member.serialization.get("name", self.name(key, shape))
        return self.name(key, shape)

    def check(self, shape):
        used = set()
        yield from self.structure(shape, "", used)
        for name in self.parameters:
            if name not in used:
                yield f"unknown member `{name}`"

    def below(self, path):
        return any(name == path or name.startswith(path + ".") for name in self.parameters)

    def structure(self, shape, path, used):
        for key, member in shape.members.items():
            inner = join(path, self.list_name(key, member))
            if self.below(inner):
                yield from self.value(member, inner, used)
            elif key in shape.required_members:
                yield f"required member `{inner}` is missing"

    def value(self, shape, path, used):
        if shape.type_name == "structure":
            yield from self.structure(shape, path, used)
        elif shape.type_name == "list":
            stem = f"{path}.{self.prefix(shape)}"
            numbers = set()
            for name in self.parameters:
                if name.startswith(stem) and (found := re.match(r"(\d+)(?=\.|$)", name[len(stem):])):
                    numbers.add(int(found.group(1)))
            if path in self.parameters and self.parameters[path] in ("", None):
                used.add(path)  # An empty list is the name alone.
            if numbers and sorted(numbers) != list(range(1, len(numbers) + 1)):
                yield f"`{path}` is numbered {sorted(numbers)}, expected 1, 2, …"
            for n in sorted(numbers):
                yield from self.value(shape.member, f"{stem}{n}", used)
        elif shape.type_name == "map":
            stem = path if shape.serialization.get("flattened") else f"{path}.entry"
            used.update(name for name in self.parameters if re.match(re.escape(stem) + r"\.\d+\.(key|value)", name))
        elif path in self.parameters:
            used.add(path)
            yield from check_text(self.parameters[path], shape, path)


# REST-XML -----------------------------------------------------------------------------------------------------------------


def check_leaves(parameters, shape):
    """The log has members of URL and headers by name, and the body as one object of its own elements."""
    for key in shape.required_members:
        if key not in parameters:
            yield f"required member `{key}` is missing"
    for key, value in parameters.items():
        member = shape.members.get(key)
        if member is None:
            yield f"unknown member `{key}`"
        elif member.type_name == "structure":
            if not isinstance(value, dict):
                yield f"`{key}` is {kind(value)}, expected elements"
                continue
            inner = {m.serialization.get("name", name): m for name, m in member.members.items()}
            for name in member.required_members:
                if member.members[name].serialization.get("name", name) not in value:
                    yield f"required member `{key}.{name}` is missing"
            for name, leaf in value.items():
                if name not in inner:
                    yield f"unknown member `{key}.{name}`"
                else:
                    yield from check_text(leaf, inner[name], f"{key}.{name}")
        else:
            yield from check_text(value, member, key)


# -------------------------------------------------------------------------------------------------------------------------


def main(arguments):
    summary = "--summary" in arguments
    paths = [argument for argument in arguments if argument != "--summary"]
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    seen, problems = Counter(), 0
    for number, line in enumerate(call_log.lines(paths), 1):
        call = json.loads(line)
        seen[f"{call['service']}:{call['operation']}"] += 1
        for problem in check(call):
            problems += 1
            print(f"line {number}: {call['service']}:{call['operation']}: {problem}")
    if not seen:
        print("the log is empty: nothing was checked")
        return 1
    if summary:
        print(json.dumps(seen, sort_keys=True))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
