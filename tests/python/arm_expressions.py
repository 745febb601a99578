"""The expressions in Azure Resource Manager's templates: read, looked through, and worked out as Resource Manager would, with ids that
follow from names and without a cloud.

Source: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions and …/template-functions.
"""

import re
import uuid
from dataclasses import dataclass


class Wrong(Exception):
    """Resource Manager would refuse the template."""


@dataclass
class Call:
    """A function and what it is called with; members of what it gives are `member` calls."""

    name: str
    arguments: list


TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(-?\d+)|([A-Za-z_]\w*)|(.))")


def read(text):
    """A value of the template: `[…]` is an expression, `[[` is a bracket, everything else is itself."""
    if not isinstance(text, str) or not (text.startswith("[") and text.endswith("]")) or text.startswith("[["):
        return text[1:] if isinstance(text, str) and text.startswith("[[") else text
    tokens = [match for match in TOKEN.finditer(text[1:-1]) if match.group(0).strip()]
    parsed, rest = one(tokens, text)
    if rest:
        raise Wrong(f"`{text}` goes on after its end")
    return parsed


def one(tokens, text):
    if not tokens:
        raise Wrong(f"`{text}` ends too early")
    quoted, number, name, other = tokens[0].groups()
    rest = tokens[1:]
    if quoted is not None:
        parsed = quoted[1:-1].replace("''", "'")
    elif number is not None:
        parsed = int(number)
    elif name is not None and starts(rest, "("):
        arguments, rest = between(rest[1:], text)
        parsed = Call(name, arguments)
    else:
        raise Wrong(f"`{text}` has `{name or other}` where a value is expected")
    while starts(rest, ".") or starts(rest, "["):
        if starts(rest, "."):
            if len(rest) < 2 or rest[1].group(3) is None:
                raise Wrong(f"`{text}` has a dot before no name")
            parsed, rest = Call("member", [parsed, rest[1].group(3)]), rest[2:]
        else:
            which, rest = one(rest[1:], text)
            if not starts(rest, "]"):
                raise Wrong(f"`{text}` has a bracket that is not closed")
            parsed, rest = Call("member", [parsed, which]), rest[1:]
    return parsed, rest


def between(tokens, text):
    arguments = []
    while not starts(tokens, ")"):
        argument, tokens = one(tokens, text)
        arguments.append(argument)
        if starts(tokens, ","):
            tokens = tokens[1:]
        elif not starts(tokens, ")"):
            raise Wrong(f"`{text}` has a parenthesis that is not closed")
    return arguments, tokens[1:]


def starts(tokens, sign):
    return bool(tokens) and tokens[0].group(4) == sign


def calls(value):
    """Every call in a part of a template, however deep, names of members included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from calls(name)
            yield from calls(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from calls(inner)
    elif isinstance(value, str):
        yield from within(read(value))


def within(parsed):
    if isinstance(parsed, Call):
        yield parsed
        for argument in parsed.arguments:
            yield from within(argument)


# -------------------------------------------------------------------------------------------------------------------------


def text(value):
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (str, int)):
        return str(value)
    if hasattr(value, "text"):
        return value.text()
    raise Wrong(f"{value} is no text")


def form(pattern, *values):
    if len({found for found in re.findall(r"\{(\d+)\}", pattern)}) != len(values):
        raise Wrong(f"`{pattern}` has {len(values)} values")
    return re.sub(r"\{(\d+)\}", lambda found: text(values[int(found.group(1))]), pattern)


def member(value, which):
    if hasattr(value, "member"):
        return value.member(which)
    if isinstance(value, list) and isinstance(which, int) and which < len(value):
        return value[which]
    if isinstance(value, dict) and which in value:
        return value[which]
    raise Wrong(f"there is no `{which}` in {value}")


def named(kind, names):
    """`Microsoft.Web/sites/config` and two names: `Microsoft.Web/sites/a/config/b`."""
    provider, *types = kind.split("/")
    if not types or len(types) != len(names):
        raise Wrong(f"`{kind}` takes {len(types)} names, and has {len(names)}")
    return "/".join([provider] + [part for pair in zip(types, map(text, names)) for part in pair])


SPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def guid(*values):
    return str(uuid.uuid5(SPACE, "-".join(map(text, values))))


# What depends on nothing but its arguments.
PURE = {
    "createobject": lambda *pairs: dict(zip(pairs[::2], pairs[1::2])),
    "empty": lambda value: value is None or len(value) == 0,
    "equals": lambda one, other: one == other,
    "false": lambda: False,
    "format": form,
    "greater": lambda one, other: one > other,
    "guid": guid,
    "length": len,
    "max": max,
    "member": member,
    "not": lambda value: not value,
    "null": lambda: None,
    "split": lambda value, sign: text(value).split(sign),
    "true": lambda: True,
    # Thirteen signs of which nobody knows how Azure finds them.
    "uniquestring": lambda *values: uuid.uuid5(SPACE, "/".join(map(text, values))).hex[:13],
}

# What depends on where and with what the template is deployed.
PLACED = {
    "copyindex", "environment", "extensionresourceid", "if", "managementgroup", "parameters", "reference", "resourcegroup",
    "resourceid", "subscriptionresourceid", "variables",
}

# https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment
ENVIRONMENTS = {
    "AzureCloud": {
        "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
        "suffixes": {"storage": "core.windows.net"},
    },
    "AzureUSGovernment": {
        "authentication": {"loginEndpoint": "https://login.microsoftonline.us/"},
        "suffixes": {"storage": "core.usgovcloudapi.net"},
    },
    "AzureChinaCloud": {
        "authentication": {"loginEndpoint": "https://login.chinacloudapi.cn/"},
        "suffixes": {"storage": "core.chinacloudapi.cn"},
    },
}

# Where Service Bus is, which `environment()` does not say.
BUSES = {
    "AzureCloud": "servicebus.windows.net",
    "AzureUSGovernment": "servicebus.usgovcloudapi.net",
    "AzureChinaCloud": "servicebus.chinacloudapi.cn",
}
