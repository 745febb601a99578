"""Checks raw answers against AWS's own service models: what AWS's client would silently leave out is a problem here.

`watch(session, problems)` makes every client of a boto3 session report: members or elements that the model does not know, required
ones that are missing, types that do not fit, error codes that come with another HTTP status than the model says.
"""

import json
import re
import xml.etree.ElementTree as ElementTree

from check_calls import check_text, check_value, join


def watch(session, problems):
    def after(http_response, model, parsed, **_):
        for problem in check(model, http_response.status_code, http_response.content, parsed):
            problems.append(f"{model.service_model.service_name}:{model.name}: {problem}")

    session.events.register("after-call", after)


def check(operation, status, body, parsed):
    if status >= 300:
        yield from check_error(operation, status, parsed)
        return
    shape = operation.output_shape
    protocol = operation.service_model.metadata["protocol"]
    if protocol in ("json", "rest-json"):
        value = json.loads(body) if body.strip() else {}
        if shape is None:
            if value:
                yield f"answers {value}, and the operation answers nothing"
            return
        if shape.serialization.get("payload"):
            return
        yield from (problem for problem in check_value(value, Body(shape), "") if "which its pattern" not in problem)
    elif not body.strip():
        if shape is not None and shape.required_members:
            yield "answers nothing"
    else:
        yield from check_xml(operation, protocol, shape, ElementTree.fromstring(body))


class Body:
    """An output shape without what travels in headers."""

    type_name = "structure"
    is_document_type = False
    is_tagged_union = False

    def __init__(self, shape):
        self.members = {key: member for key, member in shape.members.items() if "location" not in member.serialization}
        self.required_members = [key for key in shape.required_members if key in self.members]
        self.metadata = shape.metadata


def check_error(operation, status, parsed):
    code = parsed.get("Error", {}).get("Code", "")
    for shape in operation.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            expected = shape.metadata.get("error", {}).get("httpStatusCode")
            if expected is not None and expected != status:
                yield f"`{code}` comes with status {status}, expected {expected}"


def tag(element):
    return re.sub(r"^\{.*\}", "", element.tag)


def check_xml(operation, protocol, shape, root):
    if protocol == "query":
        if tag(root) != f"{operation.name}Response":
            yield f"the answer is a `{tag(root)}`, expected `{operation.name}Response`"
        if not any(tag(child) == "ResponseMetadata" for child in root):
            yield "the answer has no `ResponseMetadata`"
        wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
        inner = [child for child in root if tag(child) != "ResponseMetadata"]
        if wrapper is None:
            if inner:
                yield f"unknown element `{tag(inner[0])}`"
            return
        found = [child for child in inner if tag(child) == wrapper]
        if len(found) != 1 or len(inner) != 1:
            yield f"expected exactly one `{wrapper}`, found {[tag(child) for child in inner]}"
            return
        yield from check_elements(list(found[0]), shape, "", protocol)
    elif protocol == "ec2":
        if tag(root) != f"{operation.name}Response":
            yield f"the answer is a `{tag(root)}`, expected `{operation.name}Response`"
        inner = [child for child in root if tag(child) != "requestId"]
        if shape is None:
            # Operations without an answer say <return>true</return>.
            yield from (f"unknown element `{tag(child)}`" for child in inner if tag(child) != "return")
            return
        yield from check_elements(inner, shape, "", protocol)
    else:
        payload = shape.serialization.get("payload") if shape is not None else None
        yield from check_elements(list(root), shape.members[payload] if payload else shape, "", protocol)


def check_elements(children, shape, where, protocol):
    wire = {}
    for key, member in shape.members.items():
        name = member.serialization.get("name", key)
        if member.type_name == "list" and member.serialization.get("flattened"):
            name = member.member.serialization.get("name", name)
        wire[name] = (key, member)
    seen = {}
    for child in children:
        name = tag(child)
        if name not in wire:
            yield f"unknown element `{join(where, name)}`"
            continue
        key, member = wire[name]
        at = join(where, key)
        if key in seen and not member.serialization.get("flattened"):
            yield f"`{at}` is there twice"
        seen[key] = True
        yield from check_element(child, member, at, protocol)
    for key in shape.required_members:
        if key not in seen:
            yield f"required element `{join(where, key)}` is missing"


def check_element(element, shape, at, protocol):
    if shape.type_name == "structure":
        yield from check_elements(list(element), shape, at, protocol)
    elif shape.type_name == "list" and not shape.serialization.get("flattened"):
        name = shape.member.serialization.get("name", "item" if protocol == "ec2" else "member")
        for n, child in enumerate(element):
            if tag(child) != name:
                yield f"`{at}` has a `{tag(child)}`, expected `{name}`"
            else:
                yield from check_element(child, shape.member, f"{at}[{n}]", protocol)
    elif shape.type_name == "list":
        yield from check_element(element, shape.member, at, protocol)
    elif shape.type_name != "map":
        yield from check_text(element.text or "", shape, at)
