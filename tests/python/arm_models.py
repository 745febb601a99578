"""What bodies of Azure Resource Manager may hold, read from the models of Microsoft's client packages: those of the generator of 2022
(`_attribute_map`, `_validation`) and those of the one of 2026 (`rest_field`) become one kind of shape.
"""

import datetime
import decimal
import enum
import re
import typing
from dataclasses import dataclass, field


@dataclass
class Member:
    shape: object
    required: bool = False
    read_only: bool = False
    limits: dict = field(default_factory=dict)


@dataclass
class Structure:
    name: str
    members: dict
    # The shape of members that have no name, where such may be.
    others: object = None
    # The member that says which subtype it is, and the subtypes.
    discriminator: str | None = None
    subtypes: dict = field(default_factory=dict)


@dataclass
class Listed:
    item: object


@dataclass
class Mapped:
    value: object


@dataclass
class Enumerated:
    values: list


# Scalars are their name: text, boolean, whole number, number, time, date, duration, anything.
SCALARS = {
    "str": "text", "bool": "boolean", "int": "a whole number", "long": "a whole number", "float": "a number", "decimal": "a number",
    "object": "anything", "iso-8601": "a time", "rfc-1123": "text", "date": "a date", "duration": "a duration", "time": "text",
    "bytearray": "text", "IO": "anything", "JSON": "anything",
}
TYPES = {
    str: "text", bool: "boolean", int: "a whole number", float: "a number", decimal.Decimal: "a number", typing.Any: "anything",
    datetime.datetime: "a time", datetime.date: "a date", datetime.timedelta: "a duration", datetime.time: "text", bytes: "text",
    object: "anything", type(None): "anything",
}

SHAPES = {}


def shape(models, said):
    """The shape of what the source calls `Budget` or `[Budget]` or `{str}`."""
    said = said.strip("'\"")
    if said.startswith("["):
        return Listed(shape(models, said[1:-1]))
    if said.startswith("{"):
        return Mapped(shape(models, said[1:-1]))
    if said in SCALARS:
        return SCALARS[said]
    return of(models, getattr(models, said))


def of(models, cls):
    """The shape of a model or an enumeration; models may hold themselves."""
    key = (models.__name__, cls)
    if key not in SHAPES:
        if issubclass(cls, enum.Enum):
            SHAPES[key] = Enumerated([value.value for value in cls])
        else:
            SHAPES[key] = Structure(cls.__name__, {})
            (older if hasattr(cls, "_attribute_map") else newer)(models, cls, SHAPES[key])
    return SHAPES[key]


def older(models, cls, into):
    """`properties.displayName` is a member of a member; a dot that is none is written `\\\\.`."""
    hints = {}
    for base in reversed(cls.__mro__):
        if "__init__" in vars(base):
            hints.update(getattr(base.__init__, "__annotations__", {}))
    for attribute, said in cls._attribute_map.items():
        rules = cls._validation.get(attribute, {})
        if said["key"] == "":
            into.others = shape(models, said["type"].strip("{}"))
            continue
        *outer, name = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", said["key"])]
        place = into
        for part in outer:
            inner = place.members.setdefault(part, Member(Structure(f"{cls.__name__}.{part}", {})))
            # What holds something that must be there must be there itself.
            inner.required = inner.required or bool(rules.get("required")) and not rules.get("readonly")
            place = inner.shape
        limits = {key: value for key, value in rules.items() if key not in ("required", "readonly", "constant")}
        place.members[name] = Member(
            listed(said["type"], enumerated(models, hints.get(attribute))) or shape(models, said["type"]),
            required=bool(rules.get("required")),
            read_only=bool(rules.get("readonly")),
            limits=limits,
        )
    for attribute, subtypes in getattr(cls, "_subtype_map", {}).items():
        into.discriminator = cls._attribute_map[attribute]["key"].replace("\\.", ".")
        into.subtypes = {value: lazily(models, name) for value, name in subtypes.items()}


def lazily(models, name):
    return lambda: of(models, getattr(models, name))


def listed(said, found):
    """One of the values, or as many as the map says: `[str]`."""
    return Listed(found) if found and said.startswith("[") else found


def enumerated(models, hint):
    """The map says `str`, the constructor which enumeration."""
    for part in typing.get_args(hint):
        found = enumerated(models, part)
        if found:
            return found
    if isinstance(hint, typing.ForwardRef):
        cls = getattr(models, hint.__forward_arg__.split(".")[-1], None)
        if isinstance(cls, type) and issubclass(cls, enum.Enum):
            return of(models, cls)
    return None


def newer(models, cls, into):
    hints = {}
    for base in reversed(cls.__mro__):
        for attribute, hint in vars(base).get("__annotations__", {}).items():
            hints[attribute] = hint
    names = {**vars(typing), "datetime": datetime, "decimal": decimal, "_models": models, "JSON": typing.Any}
    for base in reversed(cls.__mro__):
        for attribute, value in list(vars(base).items()):
            if type(value).__name__ != "_RestField":
                continue
            hint = hints[attribute]
            hint = eval(hint, names) if isinstance(hint, str) else hint  # pylint: disable=eval-used
            member = Member(
                resolve(models, hint),
                required=type(None) not in typing.get_args(hint),
                read_only=value._visibility == ["read"],
            )
            name = value._rest_name_input or attribute
            into.members[name] = member
            if value._is_discriminator:
                into.discriminator = name
    into.subtypes = {
        value: (lambda found=found: of(models, found))
        for value, found in getattr(cls, "__mapping__", {}).items()
        if isinstance(found, type) and issubclass(found, cls) and found is not cls
    }


def resolve(models, hint):
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        return of(models, getattr(models, hint.split(".")[-1]))
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Union:
        # `Union[str, "_models.Known"]`: the enumeration says more.
        found = [resolve(models, part) for part in inner if part is not type(None)]
        named = [part for part in found if not isinstance(part, str)]
        return named[0] if named else found[0]
    if origin is typing.Literal:
        return Enumerated([getattr(value, "value", value) for value in inner])
    if origin is list:
        return Listed(resolve(models, inner[0]))
    if origin is dict:
        return Mapped(resolve(models, inner[1]))
    if isinstance(hint, type) and (issubclass(hint, enum.Enum) or hasattr(hint, "_deserialize")):
        return of(models, hint)
    if hint in TYPES:
        return TYPES[hint]
    raise ValueError(f"{models.__name__} has the type {hint}, which arm_models.py does not know")


# -------------------------------------------------------------------------------------------------------------------------


def kind(value):
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def join(where, name):
    return f"{where}.{name}" if where else name


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$")


def check(value, shape, where, answer):
    """Yields what is wrong with a value; an answer may have what is read-only, and nulls."""
    at = f"`{where}`" if where else "the body"
    if isinstance(shape, Structure):
        if not isinstance(value, dict):
            yield f"{at} is {kind(value)}, expected an object"
            return
        yield from check_structure(value, shape, where, answer)
    elif isinstance(shape, Listed):
        if not isinstance(value, list):
            yield f"{at} is {kind(value)}, expected a list"
            return
        for n, inner in enumerate(value):
            yield from check(inner, shape.item, f"{where}[{n}]", answer)
    elif isinstance(shape, Mapped):
        if not isinstance(value, dict):
            yield f"{at} is {kind(value)}, expected an object"
            return
        for name, inner in value.items():
            yield from check(inner, shape.value, join(where, name), answer)
    elif isinstance(shape, Enumerated):
        if value not in shape.values:
            known = ", ".join(str(known) for known in shape.values)
            yield f"{at} has the unknown value `{value}`, expected one of {known}"
    elif not fits(value, shape):
        shown = f"`{value}`" if isinstance(value, str) and shape != "boolean" else kind(value)
        yield f"{at} is {shown}, expected {'a boolean' if shape == 'boolean' else shape}"


def fits(value, shape):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "anything": lambda: True,
        "text": lambda: isinstance(value, str),
        "boolean": lambda: isinstance(value, bool),
        "a number": lambda: number,
        "a whole number": lambda: number and value == int(value),
        "a time": lambda: isinstance(value, str) and TIME.match(value),
        "a date": lambda: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value),
        "a duration": lambda: isinstance(value, str) and re.fullmatch(r"P(?=.)[\dYMWDTHS.]+", value),
    }[shape]()


def check_structure(value, shape, where, answer):
    if shape.discriminator and value.get(shape.discriminator) in shape.subtypes:
        found = shape.subtypes[value[shape.discriminator]]()
        if found is not shape:
            yield from check(value, found, where, answer)
            return
    for name, member in shape.members.items():
        if member.required and name not in value and (answer or not member.read_only):
            yield f"required member `{join(where, name)}` is missing"
    for name, inner in value.items():
        at = join(where, name)
        member = shape.members.get(name)
        if member is None:
            if shape.others is None:
                yield f"unknown member `{at}`"
            else:
                yield from check(inner, shape.others, at, answer)
        elif inner is None:
            # An answer may say null of what it does not have; a request leaves it away.
            if not answer or member.required:
                yield f"`{at}` is null"
        elif member.read_only and not answer:
            yield f"`{at}` is read-only"
        else:
            yield from check(inner, member.shape, at, answer)
            yield from check_limits(inner, member.limits, f"`{at}`")


def check_limits(value, limits, at):
    """What the packages say of lengths, sizes and patterns, of members and of parameters alike."""
    size = value if isinstance(value, (int, float)) else len(value) if isinstance(value, (str, list)) else None
    for rule, limit in limits.items():
        if rule in ("max_length", "max_items") and size is not None and size > limit:
            yield f"{at} is {size} long, expected at most {limit}"
        elif rule in ("min_length", "min_items") and size is not None and size < limit:
            yield f"{at} is {size} long, expected at least {limit}"
        elif rule in ("maximum", "maximum_ex") and size is not None and size > limit:
            yield f"{at} is {size}, expected at most {limit}"
        elif rule in ("minimum", "minimum_ex") and size is not None and size < limit:
            yield f"{at} is {size}, expected at least {limit}"
        elif rule == "pattern" and isinstance(value, str) and not re.match(limit, value):
            yield f"{at} is `{value}`, which its pattern `{limit}` does not allow"
