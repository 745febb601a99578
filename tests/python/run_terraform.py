"""Runs Terraform's own `fmt`, `validate` and `test` on a configuration, with the schema of Google's provider in the place of the provider.

    run_terraform.py SCHEMA.json FOLDER [fmt|validate|test …]

Terraform asks a provider, over gRPC, which resources it knows; here a server on loopback answers that, and nothing else: it reads nothing
and makes nothing. That is enough for `validate`, and for tests whose provider is a mock (`mock_provider`), which asks the provider beneath
for its schema alone. Terraform finds the server by `TF_REATTACH_PROVIDERS`, which is meant for debugging a provider
(<https://developer.hashicorp.com/terraform/plugin/debugging>).

The protocol is Terraform's fifth (`tfplugin5`), and of it the few messages that say a schema; they are encoded here by hand.
Prints what Terraform said of each step, and as its last line JSON: the steps, the runs of the tests, and the environment that each run
planned for the function. Ends with 1 where Terraform was not content. Where there is none, or one that is too old, it says so and ends
with 77.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent import futures
from pathlib import Path

import grpc

from google_schema import SOURCE

NO_TERRAFORM = 77
# Nothing of whoever runs this: no settings, no credentials, no question for a newer version.
QUIET = {"PATH": os.environ.get("PATH", ""), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
STEPS = {
    "fmt": ["-check", "-diff", "-recursive"],
    "validate": ["-no-color"],
    "test": ["-json", "-verbose"],
}
NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}

# The numbers of the fields: <https://github.com/hashicorp/terraform/blob/main/docs/plugin-protocol/tfplugin5.proto>.
ATTRIBUTE = {"name": 1, "type": 2, "required": 4, "optional": 5, "computed": 6}


def varint(number):
    out = bytearray()
    while True:
        out.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def whole(field, number):
    return varint(field << 3) + varint(number) if number else b""


def blob(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, said):
    flags = b"".join(whole(ATTRIBUTE[flag], 1) for flag in ("required", "optional", "computed") if said.get(flag))
    return blob(ATTRIBUTE["name"], name) + blob(ATTRIBUTE["type"], json.dumps(said["type"])) + flags


def block(said):
    out = b"".join(blob(2, attribute(name, one)) for name, one in said.get("attributes", {}).items())
    for name, one in said.get("block_types", {}).items():
        nested = blob(1, name) + blob(2, block(one["block"])) + whole(3, NESTING[one["nesting_mode"]])
        out += blob(3, nested + whole(4, one.get("min_items", 0)) + whole(5, one.get("max_items", 0)))
    return out


def schema(said):
    return whole(1, said.get("version", 0)) + blob(2, block(said["block"]))


def answer(known):
    """The whole schema, as the answer to the question for it."""
    out = blob(1, schema(known["provider"]))
    for field, kind in ((2, "resource_schemas"), (3, "data_source_schemas")):
        for name, one in known[kind].items():
            out += blob(field, blob(1, name) + blob(2, schema(one)))
    return out


class Provider(grpc.GenericRpcHandler):
    """What stands in the provider's place."""

    def __init__(self, known):
        self.answers = {
            "GetSchema": lambda _: self.schema,
            # The configuration comes back as it is: the field of the question and of the answer are the same.
            "PrepareProviderConfig": lambda asked: asked,
            # What the provider itself would check beyond its schema nobody checks here: no complaints.
            "ValidateResourceTypeConfig": lambda _: b"",
            "ValidateDataSourceConfig": lambda _: b"",
        }
        self.schema = answer(known)

    def service(self, call):
        service, _, method = call.method.strip("/").partition("/")
        say = self.answers.get(method) if service == "tfplugin5.Provider" else None
        return grpc.unary_unary_rpc_method_handler(lambda asked, _: say(asked)) if say else None


def serve(known):
    options = [("grpc.max_send_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(Provider(known),), options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def used(known, folder):
    """The schemas of the types that are named: an unknown one is unknown all the same, and Terraform does not copy a thousand others."""
    named = set()
    for path in Path(folder).glob("*.tf"):
        named |= set(re.findall(r"google_[a-z0-9_]+", path.read_text(encoding="utf-8")))
    out = {"provider": known["provider"]}
    for kind in ("resource_schemas", "data_source_schemas"):
        out[kind] = {name: one for name, one in known[kind].items() if name in named}
    return out


def too_old(terraform):
    """Mocks that say what a plan comes to are Terraform 1.11's: https://developer.hashicorp.com/terraform/language/tests/mocking."""
    said = subprocess.run([terraform, "version", "-json"], env=QUIET, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    version = json.loads(said.stdout)["terraform_version"]
    number = tuple(int(part) for part in version.split("-")[0].split("."))
    return "" if number >= (1, 11) else f"is {version}, and the tests need 1.11 or newer"


def run(terraform, folder, environment, *words):
    command = [terraform, f"-chdir={folder}", *words]
    out = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, env=environment, text=True, encoding="utf-8", timeout=500, **out)
    return done.returncode == 0, done.stdout


def tested(said):
    """Terraform's words of a test as JSON: what people read, each run's status, and what each planned of the function's environment."""
    words, runs, planned = [], {}, {}
    for line in said.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            words.append(line)
            continue
        run = f"{event.get('@testfile', '')}: {event.get('@testrun', '')}"
        if event.get("type") == "test_run" and "status" in event["test_run"]:
            runs[run] = event["test_run"]["status"]
        elif event.get("type") == "test_plan":
            planned[run] = environment_of(event["test_plan"])
        elif event.get("type") == "diagnostic":
            diagnostic = event["diagnostic"]
            if diagnostic["severity"] == "error":
                words.append(f"{run}: {diagnostic['summary']}: {diagnostic['detail']}")
        elif event.get("type") == "test_summary":
            words.append(event["@message"])
    return "\n".join(words), runs, {run: said for run, said in planned.items() if said}


def environment_of(plan):
    for change in plan.get("resource_changes", []):
        if change["type"] == "google_cloud_run_v2_service" and change["change"]["after"]:
            containers = change["change"]["after"]["template"][0]["containers"]
            return {env["name"]: env["value"] for env in containers[0]["env"]}
    return {}


def main(arguments):
    if len(arguments) < 2 or not set(arguments[2:]) <= set(STEPS):
        print(__doc__, file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        known = json.load(file)["provider_schemas"][SOURCE]
    terraform = shutil.which("terraform")
    lacking = "is not installed" if not terraform else too_old(terraform)
    if lacking:
        print(f"skipped: Terraform {lacking} (https://developer.hashicorp.com/terraform/install)")
        return NO_TERRAFORM
    verdict = {"steps": {}, "runs": {}, "planned": {}}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "configuration")
        shutil.copytree(arguments[1], folder, ignore=shutil.ignore_patterns(".terraform*", "terraform.tfstate*"))
        Path(place, "empty").touch()
        server, address = serve(used(known, folder))
        there = {"Network": "tcp", "String": address}
        reattach = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": there}
        environment = {
            **QUIET,
            "HOME": place,
            "TF_CLI_CONFIG_FILE": str(Path(place, "empty")),
            "TF_REATTACH_PROVIDERS": json.dumps({SOURCE: reattach}),
        }
        for step in arguments[2:] or STEPS:
            content, said = run(terraform, folder, environment, step, *STEPS[step])
            if step == "test":
                said, verdict["runs"], verdict["planned"] = tested(said)
            verdict["steps"][step] = content
            print(f"== {step}: {'content' if content else 'not content'}\n{said.strip()}", flush=True)
        server.stop(None)
    print(json.dumps(verdict))
    return 0 if all(verdict["steps"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
