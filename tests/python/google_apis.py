"""What Google's discovery documents say of its APIs: operations, what may stand in their paths, queries and bodies.

The documents come with google-api-python-client (`googleapiclient/discovery_cache/documents`), one for each API and version.
"""

import functools
import importlib.resources
import json
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One method of an API."""

    api: str
    id: str
    method: str
    template: str
    pattern: re.Pattern
    parameters: dict
    request: str | None
    response: str | None

    def label(self):
        return f"{self.method} {self.api}/{self.template}"


@functools.cache
def document(host, version):
    """The document of an API, by its host and version; nothing where there is none."""
    name = host.removesuffix(".googleapis.com")
    file = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents" / f"{name}.{version}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def split(path):
    """`/orgpolicy.googleapis.com/v2/projects/a` is the API's host, its version, and the path at the host."""
    host, _, rest = path.removeprefix("/").partition("/")
    version = re.search(r"(?:^|/)(v\d+\w*)/", rest)
    return host, version and version.group(1), rest


@functools.cache
def operations(host, version):
    """Every operation of an API."""
    said = document(host, version)
    found = []

    def walk(node):
        for method in node.get("methods", {}).values():
            path = said.get("servicePath", "") + method.get("flatPath", method["path"])
            parts = [re.escape(part) for part in re.split(r"\{[^}]*\}", path)]
            found.append(Operation(
                api=host, id=method["id"], method=method["httpMethod"], template=path,
                pattern=re.compile("([^/:]+)".join(parts)), parameters=method.get("parameters", {}),
                request=method.get("request", {}).get("$ref"), response=method.get("response", {}).get("$ref"),
            ))
        for child in node.get("resources", {}).values():
            walk(child)

    walk(said)
    return found


# -- values ----------------------------------------------------------------------------------------------------------------


def check(value, schema, schemas, at="", answer=False):
    """Yields what is wrong with a value: of a request, or of an answer, which may hold what only Google writes."""
    if "$ref" in schema:
        schema = {**schemas[schema["$ref"]], **{key: said for key, said in schema.items() if key != "$ref"}}
    here = f"`{at}`" if at else "the body"
    kind = schema.get("type")
    if kind == "object":
        if not isinstance(value, dict):
            yield f"{here} is {a(value)}, expected an object"
            return
        members, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            below = f"{at}.{name}" if at else name
            if name in members:
                if not answer and is_output_only(members[name]):
                    yield f"`{below}` is written by Google alone"
                yield from check(inner, members[name], schemas, below, answer)
            elif others is not None:
                yield from check(inner, others, schemas, below, answer)
            else:
                yield f"unknown member `{below}`"
    elif kind == "array":
        if not isinstance(value, list):
            yield f"{here} is {a(value)}, expected a list"
            return
        for number, inner in enumerate(value):
            yield from check(inner, schema["items"], schemas, f"{at}[{number}]", answer)
    elif kind == "any":
        return
    else:
        yield from check_plain(value, schema, here)


def is_output_only(schema):
    # Some documents say it in words alone; of an etag they say so too, and that it may be sent.
    said = schema.get("description", "")
    if "may be sent on update" in said:
        return False
    return schema.get("readOnly", False) or said.startswith("Output only") or said.startswith("[Output Only]")


def check_plain(value, schema, here):
    kind, form = schema.get("type"), schema.get("format", "")
    right = {
        "string": lambda: isinstance(value, str),
        "boolean": lambda: isinstance(value, bool),
        "integer": lambda: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda: isinstance(value, (int, float)) and not isinstance(value, bool),
    }[kind]()
    if not right:
        yield f"{here} is {a(value)}, expected {'an' if kind == 'integer' else 'a'} {kind}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{here} has the unknown value `{value}`"
    elif form in ("int64", "uint64") and kind == "string" and not re.fullmatch(r"-?\d+", value):
        yield f"{here} is `{value}`, expected a whole number"
    elif form in ("google-datetime", "date-time") and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        yield f"{here} is `{value}`, expected a moment"
    elif form == "google-duration" and not re.fullmatch(r"-?\d+(\.\d+)?s", value):
        yield f"{here} is `{value}`, expected a duration"
    elif form == "byte" and not re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", value):
        yield f"{here} is not in base64"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{here} is `{value}`, which is not `{schema['pattern']}`"


def check_mask(mask, schema, schemas):
    """Yields what is wrong with a field mask: every part of it is a member that somebody may write."""
    for path in mask.split(","):
        at = schema
        for name in path.split("."):
            while "$ref" in at:
                at = schemas[at["$ref"]]
            member = at.get("properties", {}).get(name) or at.get("additionalProperties")
            if path == "*" or at.get("type") == "any":
                break
            if member is None:
                yield f"the mask names `{path}`, which is no member"
                break
            if is_output_only(member):
                yield f"the mask names `{path}`, which is written by Google alone"
                break
            at = member


def a(value):
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "nothing")
