"""The schema of Terraform's provider for Google Cloud, from the TypeScript that its own schema was once made into.

    google_schema.py                            which package it is, as npm takes it
    google_schema.py PACKAGE.tgz SCHEMA.json    makes the one into the other

The provider itself is a program that no package registry carries; `@cdktf/provider-google` on npm carries what was generated from its
schema: for every resource and data source each attribute with its type, whether it is required, optional or computed, and every nested
block. This writes it back in the form of `terraform providers schema -json`
(<https://developer.hashicorp.com/terraform/cli/commands/providers/schema>), so that whoever has the provider can put its own there.

What the package does not say is not here: which attributes are sensitive or deprecated, how many times a block may stand beyond "once" and
"any number", and what the provider checks in its own code (names, values that exclude each other).
"""

import base64
import hashlib
import json
import re
import sys
import tarfile
from collections import defaultdict

PACKAGE = "@cdktf/provider-google"
VERSION = "16.12.1"
# Of the file that npm brings; npm itself checks it only against what the registry says at that moment.
SHA512 = "KqNA/5RiFT07r0PSZ6/07cJ2zESUgbj1JchVj21iBFBZVUbD+578xA/k8eq/r0cbyEgLmg9eYWeVslaYah4DCQ=="

SOURCE = "registry.terraform.io/hashicorp/google"

MAP = re.compile(rb"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)")
KIND = re.compile(r"export class (\w+) extends cdktf\.Terraform(Resource|DataSource|Provider) ")
CLASS = re.compile(r"^export class (\w+) extends ", re.MULTILINE)
# `// name - computed: true, optional: false, required: false`, and what follows it up to the getter's answer.
MEMBER = re.compile(
    r"// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n"
    r"(?:  private _\w+ = new ([\w.]+)\(this, \"\w+\"(?:, (true|false))?\);)?"
)
GET = re.compile(r"return (cdktf\.Fn\.tolist\()?(?:cdktf\.Token\.as\w+\(cdktf\.Fn\.tolist\()?this\.(\w+)")
# One entry of what is written as HCL.
HCL = re.compile(
    r"^ {4,6}(\w+): \{\n\s+value: .*\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n\s+storageClassType: \"(\w+)\",", re.MULTILINE
)
META = re.compile(r"terraformResourceType: '(\w+)'")
PROVIDER_VERSION = re.compile(r"providerVersion: '([\d.]+)'")

SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
GETTERS = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
    "getNumberMapAttribute": ["map", "number"],
    "getBooleanMapAttribute": ["map", "bool"],
    "getAnyMapAttribute": ["map", "string"],
    "interpolationForAttribute": "dynamic",
}
MAPS = {"cdktf.StringMap": "string", "cdktf.NumberMap": "number", "cdktf.BooleanMap": "bool", "cdktf.AnyMap": "string"}
MAPS |= {"cdktf.StringMapList": ["map", "string"], "cdktf.StringListMap": ["list", "string"]}


class Unknown(Exception):
    """The package has something that is not read here."""


class Module:
    """The classes of one resource: each with its members, and what is written of it as HCL."""

    def __init__(self, texts):
        self.members, self.written = {}, {}
        for text in texts:
            starts = [(match.start(), match.group(1)) for match in CLASS.finditer(text)]
            for index, (start, name) in enumerate(starts):
                end = starts[index + 1][0] if index + 1 < len(starts) else len(text)
                body = text[start:end]
                self.members[name] = list(members(body))
                self.written.setdefault(name, {}).update(written(body, own=True))
            for function in re.finditer(r"^export function (\w+)ToHclTerraform\(", text, re.MULTILINE):
                name = function.group(1)
                end = text.find("\n}\n", function.start())
                self.written[name[0].upper() + name[1:] + "OutputReference"] = written(text[function.start() : end])

    def block(self, name):
        """A class as a block: attributes, and blocks within."""
        attributes, blocks = {}, {}
        as_hcl = self.written.get(name, {})
        for member, computed, optional, required, made, is_set, getter in self.members[name]:
            flags = {"computed": computed, "optional": optional, "required": required}
            flags = {flag: True for flag, said in flags.items() if said}
            hcl = as_hcl.get(member)
            if made in MAPS:
                attributes[member] = {"type": ["map", MAPS[made]], **flags}
            elif made:
                many = made.endswith("List")
                inner = made[: -len("List")] + "OutputReference" if many else made
                nesting = "set" if is_set or (hcl and hcl[1] == "set") else "single" if hcl and hcl[1] == "struct" else "list"
                if inner not in self.members:
                    raise Unknown(f"`{made}` of `{name}.{member}`")
                if computed:
                    # Lists that the provider fills: attributes whose values are objects.
                    attributes[member] = {"type": [nesting, self.object(inner)], **flags}
                else:
                    one = {"nesting_mode": nesting, "block": self.block(inner)}
                    if nesting != "single":
                        one |= ({"min_items": 1} if required else {}) | ({} if many else {"max_items": 1})
                    blocks[member] = one
            elif hcl and hcl[0]:
                # A block of the provider's own configuration, which has no class: nobody refers to what is in it.
                inside = self.written[hcl[2].removesuffix("List") + "OutputReference"].items()
                attributes_inside = {field: {"type": plain(said), "optional": True} for field, said in inside}
                blocks[member] = {"nesting_mode": hcl[1], "block": {"attributes": attributes_inside}}
            elif hcl:
                attributes[member] = {"type": plain(hcl), **flags}
            elif getter:
                attributes[member] = {"type": getter, **flags}
            else:
                raise Unknown(f"`{name}.{member}`: no type")
        return {key: value for key, value in (("attributes", attributes), ("block_types", blocks)) if value}

    def object(self, name):
        fields = self.block(name)
        types = {member: one["type"] for member, one in fields.get("attributes", {}).items()}
        for member in fields.get("block_types", {}):
            raise Unknown(f"`{name}.{member}`: a block within an object")
        return ["object", types]


def plain(hcl):
    """The type of an attribute, by what is said of it where it is written."""
    _, kind, storage = hcl
    if storage in SIMPLE:
        return SIMPLE[storage]
    for word, inner in SIMPLE.items():
        if storage in (f"{word}List", f"{word}Map"):
            return [kind, inner]
    if storage in ("stringListMap", "stringMapList", "stringListList"):
        return [kind, ["map" if storage.endswith("MapList") else "list", "string"]]
    raise Unknown(f"the storage `{storage}`")


def members(body):
    found = list(MEMBER.finditer(body))
    for index, match in enumerate(found):
        name, computed, optional, required, made, is_set = match.groups()
        end = found[index + 1].start() if index + 1 < len(found) else len(body)
        get = GET.search(body, match.end(), end)
        getter = GETTERS.get(get.group(2)) if get else None
        if getter and "tolist(" in get.group(0):
            getter = ["set", getter[1]]
        yield name, computed == "true", optional == "true", required == "true", made, is_set == "true", getter


def written(text, own=False):
    if own:
        start = text.find("synthesizeHclAttributes")
        text = text[start:] if start >= 0 else ""
    return {name: (is_block == "true", kind, storage) for name, is_block, kind, storage in HCL.findall(text)}


def typescript(member):
    """The source that a file was compiled from, which its source map carries."""
    found = MAP.search(member)
    return json.loads(base64.b64decode(found.group(1)))["sourcesContent"][0] if found else ""


def sources(archive):
    """Folder by folder, the sources in it."""
    folders = defaultdict(list)
    with tarfile.open(archive, "r|gz") as package:
        for member in package:
            parts = member.name.split("/")
            if parts[:2] == ["package", "lib"] and len(parts) > 3 and parts[-1].endswith(".js"):
                folders[parts[2]].append(typescript(package.extractfile(member).read()))
    return folders


def schema(folders):
    provider, resources, data, version = None, {}, {}, None
    for folder, texts in sorted(folders.items()):
        found = [(match, text) for text in texts for match in KIND.finditer(text)]
        if not found:
            continue
        module = Module(texts)
        for match, text in found:
            name, kind = match.groups()
            one = {"version": 0, "block": module.block(name)}
            resource = META.search(text, match.end()).group(1)
            if kind == "Provider":
                provider, version = one, PROVIDER_VERSION.search(text, match.end()).group(1)
            else:
                (resources if kind == "Resource" else data)[resource] = one
    known = {"provider": provider, "resource_schemas": resources, "data_source_schemas": data}
    return version, {"format_version": "1.0", "provider_schemas": {SOURCE: known}}


def main(arguments):
    if not arguments:
        print(f"{PACKAGE}@{VERSION}")
        return 0
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    archive, target = arguments
    with open(archive, "rb") as package:
        digest = base64.b64encode(hashlib.sha512(package.read()).digest()).decode()
    if digest != SHA512:
        print(f"{archive} is not {PACKAGE} {VERSION} as it was pinned: its sha512 is {digest}", file=sys.stderr)
        return 1
    version, known = schema(sources(archive))
    known["provider_version"] = version
    with open(target, "w", encoding="utf-8") as file:
        json.dump(known, file, sort_keys=True, separators=(",", ":"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
