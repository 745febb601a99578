"""Judges a Terraform configuration by the schema of Google's provider where there is no Terraform to do it, and for what it lets pass.

    check_terraform.py SCHEMA.json FOLDER

Every resource and data source: is its type known, each attribute and block of it, is nothing set that only the provider sets, is nothing
missing that has to be there, does no block stand more often or less often than it may, is a plain value of the kind that is wanted. Every
reference: is there such a variable, local value, resource or data source, and such an attribute of it. Every variable, local value and data
source: does anybody use it.

The configuration is read by `python-hcl2`, which nobody here wrote. Prints one line a problem, ends with 1 where there are some; the last
line is JSON: how much was judged, and the names of the environment that the function is given.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import hcl2

from google_schema import SOURCE

META = {"count", "for_each", "depends_on", "provider", "lifecycle", "provisioner", "connection"}
NOISE = {"__is_block__", "__comments__", "__inline_comments__"}
CHAIN = re.compile(r"(?<![\w.\]-])([A-Za-z_][\w-]*)((?:\.[A-Za-z_*][\w-]*|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*)")
STEP = re.compile(r"\.([A-Za-z_*][\w-]*)|\[((?:[^\[\]]|\[[^\[\]]*\])*)\]")
NAME = re.compile(r"^[A-Z][A-Z0-9_]+$")


class Configuration:
    """What all the files of a folder say together."""

    def __init__(self, folder):
        self.resources, self.data, self.variables, self.locals, self.others = {}, {}, {}, {}, []
        for path in sorted(Path(folder).glob("*.tf")):
            for kind, blocks in hcl2.loads(path.read_text(encoding="utf-8")).items():
                for one in [] if kind in NOISE else blocks:
                    self.add(kind, one)

    def add(self, kind, one):
        if kind in ("resource", "data"):
            for resource, named in items(one):
                for name, body in items(named):
                    (self.resources if kind == "resource" else self.data)[unquote(resource), unquote(name)] = body
        elif kind == "variable":
            self.variables |= {unquote(name): body for name, body in items(one)}
        elif kind == "locals":
            self.locals |= dict(items(one))
        else:
            self.others.append((kind, one))

    def everything(self):
        """Each part with its address."""
        for (resource, name), body in self.resources.items():
            yield f"{resource}.{name}", body
        for (resource, name), body in self.data.items():
            yield f"data.{resource}.{name}", body
        for name, body in self.variables.items():
            yield f"var.{name}", body
        for name, body in self.locals.items():
            yield f"local.{name}", body
        for kind, body in self.others:
            yield kind, body


def items(one):
    return [(key, value) for key, value in one.items() if key not in NOISE]


def unquote(text):
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def is_block(value):
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) and one.get("__is_block__") for one in value)


# References ---------------------------------------------------------------------------------------------------------------


def texts(value):
    """Every expression within a value."""
    if isinstance(value, dict):
        for key, inner in items(value):
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def code(text):
    """An expression without the words of its strings: what stands in `${…}` is kept."""
    if text.startswith("${") and text.endswith("}"):
        text = text[2:-1]
    elif not text.startswith('"') and not text.startswith("<<"):
        # A name or a keyword: an attribute's key, a type.
        return
    yield from (_template(text, 0, None)[0] if text.startswith("<<") else _code(text, 0, None)[0])


def _code(text, at, end):
    out, inside, depth = [], [], 0
    while at < len(text):
        char = text[at]
        if char == '"':
            found, at = _template(text, at + 1, '"')
            inside += found
            out.append('"…"')
            continue
        if end and char == end and depth == 0:
            return ["".join(out), *inside], at + 1
        depth += (char == "{") - (char == "}")
        out.append(char)
        at += 1
    return ["".join(out), *inside], at


def _template(text, at, end):
    found = []
    while at < len(text):
        if end and text[at] == "\\":
            at += 2
        elif text.startswith(("$${", "%%{"), at):
            at += 3
        elif text.startswith(("${", "%{"), at):
            inner, at = _code(text, at + 2, "}")
            found += inner
        elif end and text[at] == end:
            return found, at + 1
        else:
            at += 1
    return found, at


def references(body):
    """`(head, steps)` of every chain of names: `google_x.y["…"].email` is `google_x` and `[".y", "[…]", ".email"]`."""
    for text in texts(body):
        for part in code(text):
            yield from chains(part)


def chains(part):
    for head, rest in CHAIN.findall(part):
        steps = [name or "[]" for name, _ in STEP.findall(rest)]
        yield head, steps
        for _, index in STEP.findall(rest):
            if index:
                yield from chains(index)


def check_references(configuration, known, used):
    for where, body in configuration.everything():
        for head, steps in references(body):
            name = steps[0] if steps else None
            if head == "var" and name:
                # In its own validation everybody is.
                used.add(("var", name) if where != f"var.{name}" else None)
                if name not in configuration.variables:
                    yield f"{where}: there is no variable `{name}`"
            elif head == "local" and name:
                used.add(("local", name))
                if name not in configuration.locals:
                    yield f"{where}: there is no local value `{name}`"
            elif head == "data" and len(steps) > 1:
                used.add(("data", steps[0], steps[1]))
                yield from check_one(where, f"data.{steps[0]}.{steps[1]}", configuration.data, known["data_source_schemas"], steps)
            elif head.startswith("google_") and name:
                yield from check_one(where, f"{head}.{name}", configuration.resources, known["resource_schemas"], [head, *steps])


def check_one(where, address, there, schemas, steps):
    resource, name, *rest = steps
    if (resource, name) not in there:
        yield f"{where}: there is no `{address}`"
        return
    block = schemas.get(resource, {}).get("block")
    for step in rest:
        if step in ("[]", "*"):
            continue
        if block is None:
            return
        if step in block.get("block_types", {}):
            block = block["block_types"][step]["block"]
        elif step in block.get("attributes", {}):
            # What is in an object that the provider fills is not looked into.
            return
        else:
            yield f"{where}: `{address}` has no `{step}`"
            return


# Blocks -------------------------------------------------------------------------------------------------------------------


def check_block(where, body, block, meta=frozenset()):
    attributes, blocks = block.get("attributes", {}), block.get("block_types", {})
    there, dynamic_ones = Counter(), set()
    for name, value in items(body):
        if name in meta:
            continue
        if name == "dynamic":
            for one in value:
                for label, dynamic in items(one):
                    label = unquote(label)
                    there[label] += 1
                    dynamic_ones.add(label)
                    if label not in blocks:
                        yield f"{where}: unknown block `{label}`"
                    for content in dynamic.get("content", []):
                        if label in blocks:
                            yield from check_block(f"{where}.{label}", content, blocks[label]["block"])
        elif is_block(value):
            there[name] += len(value)
            if name in attributes:
                yield f"{where}: `{name}` is an attribute, not a block"
            elif name not in blocks:
                yield f"{where}: unknown block `{name}`"
            else:
                for one in value:
                    yield from check_block(f"{where}.{name}", one, blocks[name]["block"])
        elif name in blocks:
            yield f"{where}: `{name}` is a block, not an attribute"
        elif name not in attributes:
            yield f"{where}: unknown attribute `{name}`"
        elif not (attributes[name].get("optional") or attributes[name].get("required")):
            yield f"{where}: `{name}` is set by the provider alone"
        else:
            yield from check_value(f"{where}.{name}", value, attributes[name]["type"])
    for name, said in attributes.items():
        if said.get("required") and name not in body:
            yield f"{where}: `{name}` is missing"
    for name, said in blocks.items():
        if there[name] < said.get("min_items", 0):
            yield f"{where}: block `{name}` is missing"
        # How often a dynamic one stands there nobody knows here.
        if name not in dynamic_ones and "max_items" in said and there[name] > said["max_items"]:
            yield f"{where}: block `{name}` is there {there[name]} times, expected {said['max_items']} at most"


def check_value(where, value, kind):
    """A plain value; what an expression comes to nobody knows here."""
    if isinstance(value, str) and not value.startswith('"') and not value.startswith("<<"):
        return
    word = kind if isinstance(kind, str) else kind[0]
    # A template: only text without `${` says what it is.
    text = unquote(value) if isinstance(value, str) else None
    if text is not None and "${" in text:
        if word not in ("string", "number", "bool", "dynamic"):
            yield f"{where}: text, expected {word}"
    elif word == "bool" and not (isinstance(value, bool) or text in ("true", "false")):
        yield f"{where}: `{value}`, expected true or false"
    elif word == "number" and not is_number(value, text):
        yield f"{where}: `{value}`, expected a number"
    elif word == "string" and isinstance(value, (list, dict)):
        yield f"{where}: no text, expected a string"
    elif word in ("list", "set"):
        if not isinstance(value, list):
            yield f"{where}: expected a {word}"
        else:
            for one in value:
                yield from check_value(where, one, kind[1])
    elif word == "map":
        if not isinstance(value, dict):
            yield f"{where}: expected a map"
        else:
            for _, one in items(value):
                yield from check_value(where, one, kind[1])


def is_number(value, text):
    if text is not None:
        return bool(re.fullmatch(r"-?\d+(\.\d+)?", text))
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def problems(configuration, known):
    for kind, there, schemas in (
        ("", configuration.resources, known["resource_schemas"]),
        ("data.", configuration.data, known["data_source_schemas"]),
    ):
        for (resource, name), body in there.items():
            where = f"{kind}{resource}.{name}"
            if resource not in schemas:
                yield f"{where}: unknown type `{resource}`"
            else:
                yield from check_block(where, body, schemas[resource]["block"], META)
    used = set()
    yield from check_references(configuration, known, used)
    for name in configuration.variables:
        if ("var", name) not in used:
            yield f"var.{name}: nobody uses it"
    for name in configuration.locals:
        if ("local", name) not in used:
            yield f"local.{name}: nobody uses it"
    for resource, name in configuration.data:
        if ("data", resource, name) not in used:
            yield f"data.{resource}.{name}: nobody uses it"


def environment(configuration):
    """The names that stand as keys in the local values that the function's environment is made of."""
    found = set()
    for name in ("environment", "callers"):
        for text in texts(configuration.locals.get(name, "")):
            found |= {unquote(key) for key in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", text) if NAME.match(unquote(key))}
    return sorted(found)


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        known = json.load(file)["provider_schemas"][SOURCE]
    configuration = Configuration(arguments[1])
    if not configuration.resources:
        print(f"{arguments[1]} has no resources: nothing was checked")
        return 1
    found = sorted(set(problems(configuration, known)))
    for problem in found:
        print(problem)
    parts = {
        "resources": len(configuration.resources),
        "data": len(configuration.data),
        "variables": len(configuration.variables),
        "references": sum(
            head in ("var", "local", "data") or head.startswith("google_")
            for _, body in configuration.everything()
            for head, _ in references(body)
        ),
        "environment": environment(configuration),
    }
    print(json.dumps(parts))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
