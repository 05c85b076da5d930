"""Rules of this repository that no linter knows; each is shown a bad and a good example."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {
    ".git",
    ".venv",
    "node_modules",
    "build",
    "dist",
    "__pycache__",
    ".connext",
    ".hypothesis",
}
TEXT = {
    "", ".cfg", ".ini", ".js", ".json", ".lock", ".md", ".mjs", ".py", ".sh", ".sql", ".toml",
    ".ts", ".txt", ".yaml", ".yml",
}  # fmt: skip
CEILING = 400
# Put together here, so that this file passes its own rules.
REGISTRIES = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npm" + "js.org",
    "deb.debian" + ".org",
)
MACHINE_PATH = re.compile(r"(?<![\w./{}-])/(?:work|root|home/[a-z]+|t" + r"mp)/\w")
CLOCKS = {
    ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "monotonic_ns"),
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
}  # fmt: skip
FUNCTION = re.compile(r"create (?:or replace )?function\s+(\S+?)\s*\(.*?\$\$", re.DOTALL)


def files(*folders, suffixes=None):
    """Every text file of ours below the folders, or of the whole repository."""
    for root in [ROOT / folder for folder in folders] or [ROOT]:
        for where, inside, names in os.walk(root):
            inside[:] = [n for n in inside if n not in SKIPPED and not n.endswith("_cache")]
            # `.git` is a file in a second worktree.
            paths = (Path(where, name) for name in sorted(set(names) - SKIPPED))
            yield from (path for path in paths if path.suffix in (suffixes or TEXT))


def too_long(text):
    return len(text.splitlines()) > CEILING


def registry_hosts(text):
    return [host for host in REGISTRIES if host in text]


def machine_paths(text):
    return MACHINE_PATH.findall(text)


def calls(text):
    """Every call in a Python text, as (owner or None, name)."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            yield (owner.id if isinstance(owner, ast.Name) else None, node.func.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield (None, node.func.id)


def sleeps(text):
    return [name for _, name in calls(text) if name == "sleep"]


def clock_calls(text):
    return [call for call in calls(text) if call in CLOCKS]


def unpinned_functions(text):
    """Functions with their owner's rights that look names up wherever the caller says."""
    plain = re.sub(r"--[^\n]*", "", text.lower())
    return [
        match.group(1)
        for match in FUNCTION.finditer(plain)
        if "security definer" in match.group(0) and "set search_path = ''" not in match.group(0)
    ]


def offenders(paths, rule):
    return [
        str(path.relative_to(ROOT))
        for path in paths
        if rule(path.read_text(encoding="utf-8", errors="replace"))
    ]


DEFINER = """create function private.f(a int)
returns int
language sql
security definer{}
as $$ select 1 $$;"""

EXAMPLES = {
    too_long: ("x\n" * (CEILING + 1), "x\n" * CEILING),
    registry_hosts: (f"--index-url https://{REGISTRIES[0]}/simple", "psycopg==3.3.9"),
    machine_paths: ("see /" + "work/main/cli", "see docs/work/main and https://x.example/home/"),
    sleeps: ("import time\ntime." + "sleep(1)", "ready.wait(timeout=5)"),
    clock_calls: ("import time\nstarted = time." + "monotonic()", "started = clock.monotonic()"),
    unpinned_functions: (DEFINER.format(""), DEFINER.format("\nset search_path = ''")),
}


@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: rule.__name__)
def test_the_rule_tells_bad_from_good(rule):
    bad, good = EXAMPLES[rule]

    assert rule(bad)
    assert not rule(good)


def test_no_python_file_is_longer_than_the_ceiling():
    python = files("workers", "cli", "sandbox", "tests", "bench", suffixes={".py"})

    assert offenders(python, too_long) == []


def test_no_file_names_the_host_of_a_package_registry():
    assert offenders(files(), registry_hosts) == []


def test_no_file_names_a_path_of_one_machine():
    assert offenders(files(), machine_paths) == []


def test_no_test_sleeps():
    assert offenders(files("tests", suffixes={".py"}), sleeps) == []


def test_workers_ask_only_the_injected_clock():
    python = [p for p in files("workers", suffixes={".py"}) if p.name != "clock.py"]

    assert offenders(python, clock_calls) == []


def test_every_definer_function_pins_its_search_path():
    assert offenders(files("supabase/migrations", suffixes={".sql"}), unpinned_functions) == []


def test_the_lock_names_exact_versions_and_their_hashes():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    entries = [line for line in lines if line and not line.startswith(("#", " "))]

    assert entries
    assert [e for e in entries if not re.fullmatch(r"[a-z0-9._\[\]-]+==[^ ;]+( ; .+)? \\", e)] == []
    assert [line for line in lines if "://" in line or line.startswith("-")] == []


def test_every_dependency_is_locked():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.match(r"[A-Za-z0-9._-]+", line).group(0).lower() for line in wanted}
    lock = (ROOT / "requirements.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))

    assert names - locked == set(), "run `make lock`"


@pytest.mark.parametrize("package", ["workers", "cli", "sandbox"])
def test_the_generic_package_names_mean_this_repository(package):
    import importlib

    assert Path(importlib.import_module(package).__file__).parents[1] == ROOT
