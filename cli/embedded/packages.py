"""Where the pinned npm packages are: PostgreSQL, the API server's libraries, the Supabase CLI."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from cli.embedded.errors import StackError

REPOSITORY = Path(__file__).resolve().parents[2]
LOCAL = REPOSITORY / "supabase" / "local"
MODULES = LOCAL / "node_modules"
NODE_AT_LEAST = 20
SETUP = "run `make setup`"


@cache
def node() -> str:
    """Find a Node.js that is new enough."""
    found = shutil.which("node")
    if found is None:
        raise StackError(
            f"Node.js is not on the PATH: install Node.js {NODE_AT_LEAST} or newer, then {SETUP}"
        )
    answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = answer.stdout.strip().removeprefix("v")
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) < NODE_AT_LEAST:
        raise StackError(
            f"{found} is Node.js {version or 'of unknown version'}:"
            f" install {NODE_AT_LEAST} or newer, then {SETUP}"
        )
    return found


def _machine() -> tuple[str, str]:
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    cpu = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}.get(
        platform.machine().lower()
    )
    if system is None or cpu is None:
        raise StackError(
            f"the embedded stack has no binaries for {sys.platform} on {platform.machine()}:"
            " use `supabase start` or a hosted project instead (docs/operations.md)"
        )
    return system, cpu


def require_modules() -> None:
    """Refuse to start with no packages, or with others than the lock file names."""
    wanted: dict[str, str] = json.loads((LOCAL / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        manifest = MODULES / name / "package.json"
        if not manifest.is_file():
            raise StackError(f"the npm package {name} is not installed: {SETUP}")
        found = json.loads(manifest.read_text())["version"]
        if found != version:
            raise StackError(f"the npm package {name} is {found}, not {version}: {SETUP}")


def postgres_home() -> Path:
    """Find PostgreSQL's folder (bin, lib, share) and make its libraries loadable."""
    system, cpu = _machine()
    package = MODULES / "@embedded-postgres" / f"{system}-{cpu}"
    home = package / "native"
    if not (home / "bin" / "postgres").is_file():
        raise StackError(f"PostgreSQL for {system}-{cpu} is not installed: {SETUP}")
    hydrate(package)
    return home


def hydrate(package: Path) -> None:
    """Make the links that npm archives cannot carry; npm may have skipped the script doing it."""
    listed = package / "native" / "pg-symlinks.json"
    links: list[dict[str, str]] = json.loads(listed.read_text()) if listed.is_file() else []
    for link in links:
        source, target = package / link["source"], package / link["target"]
        if target.exists():
            continue
        try:
            target.symlink_to(os.path.relpath(source, target.parent))
        except FileExistsError:
            continue  # somebody else's start made it a moment ago
        except OSError as problem:
            raise StackError(f"cannot complete PostgreSQL in {package}: {problem}") from problem


def supabase_cli() -> Path:
    """Find the Supabase CLI's own binary: its JavaScript wrapper only adds start-up time."""
    system, cpu = _machine()
    scope = MODULES / "@supabase"
    for name in (f"cli-{system}-{cpu}", f"cli-{system}-{cpu}-musl"):
        binary = scope / name / "bin" / "supabase"
        if binary.is_file():
            return binary
    raise StackError(f"the Supabase CLI for {system}-{cpu} is not installed: {SETUP}")
