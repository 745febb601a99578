"""What Azure Resource Manager's operations are, read from Microsoft's own client packages: their source says path, verb, api-version,
queries, statuses and models of each, whether a generator of 2022 or of 2026 wrote it.
"""

import ast
import importlib
import importlib.util
import pathlib
import re
import sys
from dataclasses import dataclass, field

# By resource provider, in lower case; the empty one is ARM itself. Modules of tests/.venv/older begin with `older:`.
PACKAGES = {
    "": ["azure.mgmt.resource.resources", "azure.mgmt.resource.subscriptions"],
    "microsoft.resources": ["azure.mgmt.resource.resources"],
    "microsoft.management": ["azure.mgmt.managementgroups"],
    "microsoft.subscription": ["azure.mgmt.subscription"],
    "microsoft.authorization": [
        "azure.mgmt.resource.policy",
        "older:azure.mgmt.resource.policy",
        "azure.mgmt.authorization.v2022_04_01",
        "azure.mgmt.resource.locks",
    ],
    "microsoft.managedidentity": ["azure.mgmt.msi.v2024_11_30"],
    "microsoft.policyinsights": ["azure.mgmt.policyinsights"],
    "microsoft.consumption": ["azure.mgmt.consumption"],
    "microsoft.security": ["azure.mgmt.security"],
    "microsoft.insights": [
        "azure.mgmt.monitor.v2021_05_01_preview",
        "azure.mgmt.monitor.v2020_01_01_preview",
        "azure.mgmt.monitor.v2020_10_01",
        "azure.mgmt.monitor.v2023_01_01",
    ],
}

# Resources of every other provider are described by ARM's own package, as far as ARM looks at them.
GENERIC = "azure.mgmt.resource.resources"


def module(name):
    """A package by its name; an older one under another name, so that both can be there."""
    if not name.startswith("older:"):
        return importlib.import_module(name)
    name = name.removeprefix("older:")
    alias = "older_" + name.replace(".", "_")
    if alias not in sys.modules:
        folder = pathlib.Path(sys.prefix, "older", *name.split("."))
        spec = importlib.util.spec_from_file_location(alias, folder / "__init__.py", submodule_search_locations=[str(folder)])
        sys.modules[alias] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[alias])
    return sys.modules[alias]


@dataclass
class Operation:
    package: str
    builder: str
    method: str
    template: str
    # None where the caller says which.
    version: str | None
    # name -> what the builder says of it: the parameter's type, and its pattern and lengths
    path: dict
    query: dict
    required: set
    statuses: list = field(default_factory=list)
    # Names of models as the source has them, `SecurityContact` or `[Budget]`; None where there is none.
    body: str | None = None
    body_required: bool = False
    answer: str | None = None
    pages: bool = False
    # After a long-running call, `answer` is what the last poll answers.
    polled: bool = False

    def __post_init__(self):
        pattern, self.static = "", 0
        for part in re.split(r"(\{\w+\})", self.template):
            if part.startswith("{"):
                pattern += f"(?P<{part[1:-1]}>{'.*' if part[1:-1].lower() in SPREAD else '[^/]+'})"
            else:
                pattern += re.escape(part)
                self.static += len(part)
        # A scope of nothing, which is the directory itself, takes its slash along.
        self.pattern = re.compile(re.sub(r"/(\(\?P<\w+>\.\*\))/", r"(?:/\1)?/", pattern), re.IGNORECASE)

    def label(self):
        return f"{self.method} {self.template} {self.version or '(any version)'}"

    def models(self):
        return module(self.package).models


# Parameters that may have slashes in them.
SPREAD = {"scope", "scopeid", "resourceuri", "resourceid", "resourcescope", "parentresourcepath"}


def operations(package):
    """Every operation of a package."""
    folder = pathlib.Path(module(package).__file__).parent / "operations"
    found = []
    for path in sorted(folder.glob("*operations.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        builders = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("build_"):
                operation = build(package, node)
                # One parameter alone would match every path.
                if operation and operation.static > 1:
                    builders[node.name] = operation
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                use(node, builders)
        found.extend(builders.values())
    return found


def build(package, function):
    """What a request builder says."""
    template, method, path, query, version, required = None, None, {}, {}, None, set()
    for node in ast.walk(function):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if name(target) == "_url" and template is None:
                template = text(node.value) or text(last(node.value))
            elif name(target) == "path_format_arguments":
                for key, value in zip(node.value.keys, node.value.values):
                    path[text(key)] = described(value)
            elif isinstance(target, ast.Subscript) and name(target.value) == "_params":
                query[text(target.slice)] = described(node.value)
        elif isinstance(node, ast.Call):
            if getattr(node.func, "attr", None) == "pop" and node.args and text(node.args[0]) == "api-version":
                version = text(last(node))
            elif name(node.func) == "HttpRequest":
                method = next(text(keyword.value) for keyword in node.keywords if keyword.arg == "method")
    # What is set whatever the caller says is required.
    for node in function.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript) and name(node.targets[0].value) == "_params":
            required.add(text(node.targets[0].slice))
    if template is None or method is None:
        return None
    return Operation(package, function.name, method, template, version, path, query, required)


def described(call):
    """`_SERIALIZER.url("name", name, "str", skip_quote=True, max_length=90)`."""
    if not isinstance(call, ast.Call):
        return {}
    words = {keyword.arg: keyword.value for keyword in call.keywords}
    said = {key: ast.literal_eval(value) for key, value in words.items() if isinstance(value, ast.Constant)}
    if len(call.args) > 2:
        said["type"] = text(call.args[2])
    return said


def use(cls, builders):
    """What the methods of a client say of the operations they call: models and statuses."""
    methods = [node for node in cls.body if isinstance(node, ast.FunctionDef)]
    # Of a long-running call, the second method has the final answer's model.
    begun = {}
    for method in methods:
        if method.name.startswith("begin_"):
            for node in ast.walk(method):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "").endswith("_initial"):
                    begun[node.func.attr] = method
    for method in methods:
        called = next((n.func.id for n in ast.walk(method) if isinstance(n, ast.Call) and name(n.func) in builders), None)
        if called is None:
            continue
        operation = builders[called]
        operation.statuses = next(
            (
                ast.literal_eval(node.comparators[0])
                for node in ast.walk(method)
                if isinstance(node, ast.Compare) and ast.unparse(node.left) == "response.status_code"
                and isinstance(node.ops[0], ast.NotIn)
            ),
            [],
        )
        operation.body, operation.body_required = body(method)
        operation.polled = method.name in begun
        operation.answer, operation.pages = answer(begun.get(method.name, method))


def body(method):
    """The body's model, and whether there has to be one."""
    for node in ast.walk(method):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "self._serialize.body":
            return text(node.args[1]), not optional(method, ast.unparse(node.args[0]))
        if called == "json.dumps" and node.args:
            argument = next((a for a in arguments(method) if a.arg == ast.unparse(node.args[0])), None)
            found = re.search(r"_models\.(\w+)", ast.unparse(argument.annotation)) if argument else None
            if found:
                return found.group(1), not optional(method, argument.arg)
    return None, False


def arguments(method):
    return method.args.args + method.args.kwonlyargs


def optional(method, argument):
    plain = method.args.args
    defaults = dict(zip([a.arg for a in plain[len(plain) - len(method.args.defaults):]], method.args.defaults))
    defaults.update({a.arg: d for a, d in zip(method.args.kwonlyargs, method.args.kw_defaults) if d is not None})
    return argument in defaults


def answer(method):
    """The answer's model, and whether it is one page of many."""
    pages = any(isinstance(node, ast.FunctionDef) and node.name == "extract_data" for node in ast.walk(method))
    for node in ast.walk(method):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = ast.unparse(node.func)
        if called not in ("_deserialize", "self._deserialize"):
            continue
        said = ast.unparse(node.args[0]).strip("'\"")
        found = re.fullmatch(r"(List|list)\[_models\.(\w+)\]", said)
        if found:
            # The generator of 2026 reads the page without a model.
            return f"[{found.group(2)}]", True
        return said.replace("_models.", ""), pages
    return None, pages


def name(node):
    return node.id if isinstance(node, ast.Name) else None


def text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def last(node):
    return node.args[-1] if isinstance(node, ast.Call) and node.args else None


# -------------------------------------------------------------------------------------------------------------------------

KNOWN = {}


def provider(path):
    """The resource provider that answers a path, in lower case; empty for ARM itself."""
    parts = [part.lower() for part in path.strip("/").split("/")]
    places = [n for n, part in enumerate(parts) if part == "providers"]
    if not places or places[-1] + 2 >= len(parts) or parts[-1] in ("register", "unregister"):
        return ""
    return parts[places[-1] + 1]


def of(path):
    """The operations among which a path's is to be found."""
    owner = provider(path)
    packages = PACKAGES.get(owner, [GENERIC])
    for package in packages:
        if package not in KNOWN:
            KNOWN[package] = operations(package)
    found = [operation for package in packages for operation in KNOWN[package]]
    generic = owner not in PACKAGES
    return [operation for operation in found if ("{resourceProviderNamespace}/{parentResourcePath}" in operation.template) == generic]
