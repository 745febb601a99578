"""Builds the three packages that are deployed: a zip for Lambda, one for Azure Functions, one for Cloud Run.

The same sources give the same bytes: paths of this machine are taken out of the binaries, the files of a zip have a fixed order and
date, and the bill of materials is made from Cargo.lock alone. Each binary is asked which glibc it needs, and a package that its platform
could not start is not written.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import stat
import subprocess
import sys
import uuid
import zipfile

from cyclonedx.model import HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.validation.json import JsonStrictValidator
from elftools.elf.elffile import ELFFile
from packageurl import PackageURL

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "packages"

# One build serves all three. Nothing newer than this may be asked for by any binary.
GLIBC = "2.31"
TARGET = "x86_64-unknown-linux-gnu"

# Zip's first day; what is inside has no other date.
DAY = (1980, 1, 1, 0, 0, 0)

# Each platform's glibc, and where it is written:
# - Lambda's provided.al2023 is Amazon Linux 2023: https://docs.aws.amazon.com/linux/al2023/ug/glibc-2.34.html
# - the Functions host's Linux images are Debian 11 or newer, whose glibc is 2.31: https://github.com/Azure/azure-functions-docker
# - the container recipe below is Debian 12's, whose glibc is 2.36.
PLATFORMS = {
    "aws": {"crate": "landfall-function-aws", "binary": "bootstrap", "glibc": "2.34"},
    "azure": {"crate": "landfall-function-azure", "binary": "landfall-function-azure", "glibc": "2.31"},
    "gcp": {"crate": "landfall-function-gcp", "binary": "landfall-function-gcp", "glibc": "2.36"},
}

# What lies beside the binary, by its place in the package.
BESIDE = {
    "aws": {},
    "azure": {
        str(path.relative_to(ROOT / "functions/azure/app")): path
        for path in sorted((ROOT / "functions/azure/app").rglob("*.json"))
    },
    "gcp": {"Dockerfile": ROOT / "infra/packages/Dockerfile"},
}


def fail(why):
    sys.exit(f"infra/package: {why}")


def run(arguments, **more):
    done = subprocess.run(arguments, cwd=ROOT, check=False, **more)
    if done.returncode:
        fail(f"`{' '.join(map(str, arguments))}` ended with {done.returncode}")
    return done


def home(name, usual):
    return os.environ.get(name) or str(pathlib.Path.home() / usual)


def build(clouds):
    """The release binaries of these clouds' functions."""
    remap = [
        # The last one that fits counts, so the narrower come later.
        f"--remap-path-prefix={home('CARGO_HOME', '.cargo')}=/cargo",
        f"--remap-path-prefix={home('RUSTUP_HOME', '.rustup')}=/rustup",
        f"--remap-path-prefix={ROOT}=/landfall",
    ]
    environment = dict(os.environ)
    environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(remap)
    environment.pop("RUSTFLAGS", None)
    environment["CARGO_INCREMENTAL"] = "0"
    environment["SOURCE_DATE_EPOCH"] = "0"
    # C code that is built on the way (ring's) may hold paths as well.
    environment["CFLAGS"] = f"-ffile-prefix-map={home('CARGO_HOME', '.cargo')}=/cargo -ffile-prefix-map={ROOT}=/landfall"
    environment["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = ["cargo", "zigbuild", "--release", "--locked", "--target", f"{TARGET}.{GLIBC}"]
    for cloud in clouds:
        # One at a time: features of one function must not reach into another's.
        run([*command, "--package", PLATFORMS[cloud]["crate"]], env=environment)
    folder = pathlib.Path(environment.get("CARGO_TARGET_DIR", ROOT / "target")) / TARGET / "release"
    return {cloud: folder / PLATFORMS[cloud]["crate"] for cloud in clouds}


def version(text):
    return tuple(int(part) for part in text.split("."))


def needs(binary):
    """The newest glibc that a binary asks for."""
    found = set()
    with open(binary, "rb") as stream:
        elf = ELFFile(stream)
        if elf.get_machine_arch() != "x64":
            fail(f"{binary.name} is built for {elf.get_machine_arch()}, and the packages are for x86_64")
        section = elf.get_section_by_name(".gnu.version_r")
        for _, versions in section.iter_versions() if section else ():
            found.update(entry.name for entry in versions)
    asked = [name.removeprefix("GLIBC_") for name in found if name.startswith("GLIBC_2")]
    return max(asked, key=version, default="2.0")


def fitting(binary, cloud, there):
    """The same, where the cloud has it: what could not be started there is not packed."""
    asked = needs(binary)
    if version(asked) > version(there):
        fail(f"{binary.name} needs glibc {asked}, and {cloud} has {there}")
    return asked


def pack(path, files):
    """A zip of (name, bytes, executable), the same bytes each time."""
    # Put in place as a whole, for those who read the one that was there.
    new = path.with_suffix(".new")
    with zipfile.ZipFile(new, "w") as archive:
        for name, content, executable in sorted(files):
            entry = zipfile.ZipInfo(name, DAY)
            entry.create_system = 3  # Unix, or the mode below means nothing
            entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=9)
    new.replace(path)


def shipped(crate):
    """The crate itself and every package that is linked into its binary."""
    listed = run(
        ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET],
        capture_output=True,
    )
    metadata = json.loads(listed.stdout)
    # The features of the one crate, not those of the whole workspace: cargo tree resolves it as the build does.
    tree = run(
        ["cargo", "tree", "--locked", "--package", crate, "--target", TARGET, "--edges", "normal",
         "--prefix", "none", "--format", "{p}", "--no-dedupe"],
        capture_output=True,
        text=True,
    )
    linked = {tuple(line.split()[:2]) for line in tree.stdout.splitlines() if line.strip()}
    by_name = {(package["name"], f"v{package['version']}"): package for package in metadata["packages"]}
    return by_name[next(key for key in linked if key[0] == crate)], [
        by_name[key] for key in sorted(linked) if key[0] != crate
    ]


def checksums():
    """What Cargo.lock says of each package's archive."""
    import tomllib

    with open(ROOT / "Cargo.lock", "rb") as lock:
        packages = tomllib.load(lock)["package"]
    return {(package["name"], package["version"]): package.get("checksum") for package in packages}


def component(package, sums, kind):
    name, number = package["name"], package["version"]
    ours = package["source"] is None
    purl = PackageURL("cargo", None, name, number)
    licences = [LicenseFactory().make_from_string(package["license"])] if package.get("license") else []
    checksum = sums.get((name, number))
    return Component(
        name=name,
        version=number,
        type=kind,
        bom_ref=str(purl),
        purl=None if ours else purl,
        licenses=licences,
        description=package.get("description"),
        supplier=OrganizationalEntity(name="Landfall") if ours else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
    )


def bill(cloud, binary):
    """A CycloneDX bill of materials of one function."""
    sums = checksums()
    own, others = shipped(PLATFORMS[cloud]["crate"])
    bom = Bom()
    bom.metadata.component = component(own, sums, ComponentType.APPLICATION)
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()
    bom.metadata.component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest))
    bom.metadata.properties.add(Property(name="landfall:target", value=f"{TARGET}, glibc {GLIBC}"))
    for package in others:
        bom.components.add(component(package, sums, ComponentType.LIBRARY))
    bom.register_dependency(bom.metadata.component, bom.components)
    # What it is of says which one it is and not when it was made, or no two would be the same.
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"landfall/{cloud}/{digest}")
    bom.metadata.timestamp = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong:
        fail(f"the bill of materials of {cloud} is not CycloneDX: {wrong}")
    return text, len(others)


def main():
    parser = argparse.ArgumentParser(prog="infra/package", description="Builds the packages that are deployed.")
    parser.add_argument("clouds", nargs="*", metavar="aws|azure|gcp", help="which; all unless said")
    clouds = parser.parse_args().clouds or list(PLATFORMS)
    unknown = [cloud for cloud in clouds if cloud not in PLATFORMS]
    if unknown:
        fail(f"`{unknown[0]}` is no cloud: expected {', '.join(PLATFORMS)}")
    OUT.mkdir(parents=True, exist_ok=True)
    lines = []
    for cloud, binary in build(clouds).items():
        platform = PLATFORMS[cloud]
        asked = fitting(binary, cloud, platform["glibc"])
        files = [(platform["binary"], binary.read_bytes(), True)]
        files += [(name, path.read_bytes(), False) for name, path in BESIDE[cloud].items()]
        package, material = OUT / f"landfall-{cloud}.zip", OUT / f"landfall-{cloud}.cdx.json"
        pack(package, files)
        text, parts = bill(cloud, binary)
        material.write_text(text)
        print(
            f"{package.name:<20} {package.stat().st_size:>9,} bytes, binary {binary.stat().st_size:>10,} bytes, "
            f"needs glibc {asked} (there is {platform['glibc']}), {parts} packages in {material.name}"
        )
    for path in sorted(OUT.glob("landfall-*")):
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    (OUT / "SHA256SUMS").write_text("".join(lines))
    print(f"checksums are in {(OUT / 'SHA256SUMS').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
