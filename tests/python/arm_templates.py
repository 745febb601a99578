"""One of Azure Resource Manager's templates as it would be deployed: its resources with their ids, bodies and what each waits for."""

import re
from dataclasses import dataclass, field

import arm_expressions
from arm_expressions import Wrong

SUBSCRIPTION = "/subscriptions/3f2c0000-0000-4000-8000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/landfall"
DIRECTORY = "/providers/Microsoft.Management/managementGroups/0a7c0000-0000-4000-8000-000000000001"
REGION = "germanywestcentral"

# What of a resource is not its body.
ABOUT = {"apiVersion", "comments", "condition", "copy", "dependsOn", "name", "scope", "type"}

TYPES = {"string": str, "securestring": str, "int": int, "bool": bool, "array": list, "object": dict}


@dataclass
class Resource:
    where: str
    kind: str
    version: str
    id: str
    body: dict
    awaits: list
    # Ids that it speaks of, except in its own name.
    uses: set = field(default_factory=set)
    deployed: bool = True


class Template:
    def __init__(self, template, parameters, environment, answer):
        self.template = template
        self.given = parameters
        self.environment = environment
        # What Azure would answer of a resource: of a Resource, to a value with members.
        self.answer = answer
        self.problems = []
        self.home = DIRECTORY if "managementGroupDeploymentTemplate" in template["$schema"] else GROUP
        self.resources = []
        self.index = {}
        self.uses = set()
        self.running = False
        self.copying = None

    def say(self, where, what):
        self.problems.append(f"{where}: {what}")

    def work_out(self):
        """Everything that the template says, and the outputs."""
        self.look_through()
        self.check_parameters()
        for name in self.template.get("variables", {}):
            self.attempt(f"variable `{name}`", lambda name=name: self.variable(name))
        for number, said in enumerate(self.template["resources"]):
            where = f"{said.get('type')} [{number}]"
            self.attempt(where, lambda said=said, where=where: self.place(said, where))
        for resource, said in self.resources:
            self.attempt(resource.where, lambda resource=resource, said=said: self.fill(resource, said))
        outputs = {}
        self.running = True
        for name, said in self.template.get("outputs", {}).items():
            self.attempt(f"output `{name}`", lambda name=name, said=said: outputs.update({name: self.plain(said["value"])}))
        return outputs

    def attempt(self, where, step):
        try:
            step()
        except Wrong as wrong:
            self.say(where, str(wrong))

    # Without working anything out -------------------------------------------------------------------------------------

    def look_through(self):
        """Every expression can be read, and names functions, parameters and variables that there are; and all of them are used."""
        used = {"parameters": set(), "variables": set()}
        for part, value in self.template.items():
            self.attempt(part, lambda value=value: self.look_at(value, used))
        for sort, names in used.items():
            for name in sorted(set(self.template.get(sort, {})) - names):
                self.say(sort, f"`{name}` is not used")

    def look_at(self, value, used):
        for call in arm_expressions.calls(value):
            name = call.name.lower()
            if name not in arm_expressions.PURE and name not in arm_expressions.PLACED:
                raise Wrong(f"there is no function `{call.name}`, or the checker does not know it")
            if name in used:
                used[name].add(self.known(name, call.arguments[0] if call.arguments else None))

    def check_parameters(self):
        for name in self.given:
            if name not in self.template["parameters"]:
                self.say("parameters", f"`{name}` is given, and there is none")
        for name, said in self.template["parameters"].items():
            self.attempt(f"parameter `{name}`", lambda name=name, said=said: check_parameter(self.parameter(name), said))

    # Working out ------------------------------------------------------------------------------------------------------

    def place(self, said, where):
        """Which resource it is, and whether there will be one."""
        names = self.plain(said["name"]).split("/")
        kind, base = said["type"], self.home
        inside = None
        if "scope" in said:
            inside = self.plain(said["scope"])
            base = inside if inside.startswith("/") else f"{GROUP}/providers/{inside}"
        resource = Resource(where, kind, said["apiVersion"], f"{base}/providers/{arm_expressions.named(kind, names)}", {}, [])
        resource.where = f"{kind} {'/'.join(names)}"
        if inside is not None:
            resource.uses.add(base)
        resource.deployed = self.plain(said.get("condition", True)) is True
        if resource.id.lower() in self.index:
            raise Wrong("is there twice")
        self.index[resource.id.lower()] = resource
        self.resources.append((resource, said))

    def fill(self, resource, said):
        resource.awaits = [self.plain(one) for one in said.get("dependsOn", [])]
        if not resource.deployed:
            return
        self.uses = set()
        self.running = True
        body = {key: value for key, value in said.items() if key not in ABOUT}
        resource.body = without_nulls(self.plain(body))
        self.running = False
        resource.uses |= self.uses

    def plain(self, value):
        """A part of the template with every expression worked out."""
        if isinstance(value, dict):
            found = {}
            for name, inner in value.items():
                if name == "copy" and isinstance(inner, list):
                    for copied in inner:
                        found[copied["name"]] = self.copied(copied)
                else:
                    found[arm_expressions.text(self.plain(name))] = self.plain(inner)
            return found
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        found = self.evaluate(arm_expressions.read(value))
        return found.text() if hasattr(found, "text") else found

    def copied(self, copied):
        found = []
        for number in range(self.plain(copied["count"])):
            self.copying = (copied["name"], number)
            found.append(self.plain(copied["input"]))
        return found

    def evaluate(self, parsed):
        if not isinstance(parsed, arm_expressions.Call):
            return parsed
        name = parsed.name.lower()
        if name == "if":
            # Only the branch that is taken.
            condition, yes, no = parsed.arguments
            return self.evaluate(yes if self.evaluate(condition) else no)
        arguments = [self.evaluate(argument) for argument in parsed.arguments]
        try:
            if name in arm_expressions.PURE:
                return arm_expressions.PURE[name](*arguments)
            return getattr(self, f"do_{name}")(*arguments)
        except (TypeError, AttributeError) as error:
            raise Wrong(f"`{parsed.name}` is not called like that: {error}") from error

    def parameter(self, name):
        said = self.template["parameters"][name]
        if name in self.given:
            return self.given[name]
        if "defaultValue" not in said:
            raise Wrong("is not given, and has no default")
        return self.plain(said["defaultValue"])

    def variable(self, name):
        return self.plain(self.template["variables"][name])

    def do_parameters(self, name):
        return self.parameter(self.known("parameters", name))

    def do_variables(self, name):
        return self.variable(self.known("variables", name))

    def known(self, sort, name):
        if name not in self.template.get(sort, {}):
            raise Wrong(f"there is no `{name}` in {sort}")
        return name

    def do_copyindex(self, name):
        if self.copying is None or self.copying[0] != name:
            raise Wrong(f"nothing is copied as `{name}` here")
        return self.copying[1]

    def do_environment(self):
        return arm_expressions.ENVIRONMENTS[self.environment]

    def do_resourcegroup(self):
        self.only_in(GROUP, "resourceGroup")
        return {"id": GROUP, "name": "landfall", "location": REGION}

    def do_managementgroup(self):
        self.only_in(DIRECTORY, "managementGroup")
        return {"id": DIRECTORY, "name": DIRECTORY.rsplit("/", 1)[1]}

    def only_in(self, home, function):
        if self.home != home:
            raise Wrong(f"`{function}` has no meaning where this template is deployed")

    def do_resourceid(self, kind, *names):
        self.only_in(GROUP, "resourceId")
        return self.used(f"{GROUP}/providers/{arm_expressions.named(kind, names)}")

    def do_subscriptionresourceid(self, kind, *names):
        self.only_in(GROUP, "subscriptionResourceId")
        return f"{SUBSCRIPTION}/providers/{arm_expressions.named(kind, names)}"

    def do_extensionresourceid(self, base, kind, *names):
        return self.used(f"{base}/providers/{arm_expressions.named(kind, names)}")

    def do_reference(self, identity, version, whole=None):
        if not self.running:
            raise Wrong("`reference` is known only when resources are made: in properties and outputs")
        if whole not in (None, "Full"):
            raise Wrong(f"`reference` takes `Full`, not `{whole}`")
        resource = self.index.get(identity.lower())
        if resource is None:
            raise Wrong(f"`reference` to `{identity}`, which is no resource of this template")
        if version != resource.version:
            raise Wrong(f"`reference` with `{version}`, and the resource has `{resource.version}`")
        found = self.answer(self, resource)
        return found if whole else found.member("properties")

    def used(self, identity):
        self.uses.add(identity)
        return identity

    # What waits for what ----------------------------------------------------------------------------------------------

    def check_order(self):
        """Whoever speaks of a resource of the template, or is a part of it, waits for it."""
        for resource, _ in self.resources:
            for one in resource.awaits:
                if one.lower() not in self.index:
                    self.say(resource.where, f"dependsOn `{one}`, which is no resource of this template")
            awaited = self.awaited(resource)
            if resource.id.lower() in awaited:
                self.say(resource.where, "waits for itself")
            if not resource.deployed:
                continue
            for one in sorted(resource.uses | {outer for outer in outers(resource.id)}):
                found = self.nearest(one)
                if found and found is not resource and found.deployed and found.id.lower() not in awaited:
                    self.say(resource.where, f"needs `{found.where}` and does not wait for it: dependsOn")

    def nearest(self, identity):
        """The resource, or the nearest one around it that the template has: a container may be there without its service."""
        for one in [identity, *outers(identity)]:
            if one.lower() in self.index:
                return self.index[one.lower()]
        return None

    def awaited(self, resource):
        found, left = set(), [one.lower() for one in resource.awaits]
        while left:
            one = left.pop()
            if one not in found and one in self.index:
                found.add(one)
                left.extend(inner.lower() for inner in self.index[one].awaits)
        return found


def outers(identity):
    """The resources that one is a part of, nearest first."""
    while True:
        shorter = re.sub(r"/[^/]+/[^/]+$", "", identity)
        if shorter == identity or re.search(r"/providers/[^/]+$|/providers$", shorter) or not shorter:
            return
        identity = shorter
        yield identity


def without_nulls(value):
    """Resource Manager leaves away what is null."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def check_parameter(value, said):
    expected = TYPES[said["type"].lower()]
    if not isinstance(value, expected) or expected is int and isinstance(value, bool):
        raise Wrong(f"`{value}` is no {said['type']}")
    if "allowedValues" in said and value not in said["allowedValues"]:
        raise Wrong(f"`{value}` is not allowed")
    size = value if expected is int else len(value) if expected is not bool else 0
    least, most = ("minValue", "maxValue") if expected is int else ("minLength", "maxLength")
    if size < said.get(least, size) or size > said.get(most, size):
        raise Wrong(f"`{value}` is out of its bounds")
