"""The scans of `make lint` find what is planted, and nothing in this tree."""

# ruff: noqa: ISC003 - joined, the parts would be what is looked for
from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from tests.hygiene import dependencies, secrets
from tests.hygiene.dependencies import Tree

HEX = "0123456789abcdef" * 4
# Put together here, so that this file holds none of them.
PLANTED = {
    "private key": "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "Stripe key": "rk_" + "live_51HxAmpleExample0000",
    "Stripe webhook secret": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "Meta token": "EAA" + "GZBpq8ZC" * 8,
    "Telnyx key": "KEY" + "0185F9E2D3C4B5A6_" + "a1B2c3D4e5F6g7H8",
    "Google key": "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    "Supabase key": "sb_" + "secret_N7UND0UgjKTVK-Uodkm0Hg",
    "signed token": "eyJ"
    + "hbGciOiJIUzI1NiJ9."
    + "eyJ"
    + "yb2xlIjoic2VydmljZV9yb2xlIn0."
    + "a" * 43,
    "AWS key": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2,
    "Slack token": "xox" + "b-1234567890-abcdefghijkl",
    "password in an address": "postgresql://worker_meta:"
    + "Tr0ub4dor3x"
    + "@db.example.com/postgres",
    "SCRAM verifier": "SCRAM-" + "SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$x:y",
    "secret by its name": 'app_secret = "' + "9f8b3c7a1d2e4f6058b7c6d5e4f3a2b1" + '"',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found_and_not_shown(kind):
    (found,) = secrets.scan("a.py", f"# first line\nvalue: {PLANTED[kind]}\n")

    assert (found.kind, found.line) == (kind, 2)
    assert PLANTED[kind] not in str(found)


@pytest.mark.parametrize(
    "harmless",
    [
        "META_APP_SECRET=", 'secret = os.environ["META_APP_SECRET"]', "token: $(cat token)",
        "postgresql://postgres:{password}@127.0.0.1/postgres", 'api_key="sk_test_x"', "sha256-" + HEX,
        "postgresql://postgres@127.0.0.1:5432/x", "token = private.connection_attempts_of_somebody_2",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_left_alone(harmless):
    assert secrets.scan("a.py", harmless) == []


def test_every_shape_is_planted():
    assert secrets.SHAPES.keys() == secrets.HINTS.keys() == PLANTED.keys() - {"secret by its name"}


def test_nothing_in_this_tree_is_a_secret():
    assert secrets.look() == []


def test_new_files_are_scanned_and_ignored_ones_are_not(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "build").mkdir()
    for name in ("new.py", "build/made.py"):
        (tmp_path / name).write_text(PLANTED["AWS key"])
    (tmp_path / "allowed.txt").write_text("")

    (flaw,) = secrets.look(tmp_path, tmp_path / "allowed.txt")

    assert flaw.startswith("new.py:1: looks like a AWS key")


def test_what_is_allowed_needs_a_reason_and_must_still_be_there(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "a.py").write_text("# nothing\n")
    listed = tmp_path / "allowed.txt"

    listed.write_text("a.py 0123456789abcdef\n")
    with pytest.raises(SystemExit, match="no reason"):
        secrets.look(tmp_path, listed)
    listed.write_text("a.py 0123456789abcdef it was here\n")
    assert secrets.look(tmp_path, listed) == ["a.py 0123456789abcdef: is allowed and not there"]


@pytest.fixture(scope="module")
def tree():
    return Tree.read()


@pytest.mark.parametrize("check", dependencies.CHECKS, ids=lambda check: check.__name__)
def test_our_dependencies_are_in_order(tree, check):
    assert check(tree) == []


def with_npm(tree, **changed):
    """Add one package to what npm installs."""
    one = {"version": "1.0.0", "integrity": "sha512-x", "license": "MIT"} | changed
    place = one.pop("place", "node_modules/zz")
    return replace(tree, npm={"packages": tree.npm["packages"] | {place: one}})


BROKEN = {
    "locked: a range": (dependencies.locked, lambda t: replace(t, lock=t.lock + "\nzz>=1\n"), "no exact version"),
    "locked: no hash": (dependencies.locked, lambda t: replace(t, runtime="zz==1.0\n"), "zz has no hash"),
    "locked: an address": (
        dependencies.locked, lambda t: replace(t, lock="zz @ https://example.com/zz.whl\n"), "no exact version",
    ),
    "installed without hashes": (
        dependencies.installed_by_hash, lambda t: replace(t, makefile="\tpip install -r requirements.lock"), "does not check",
    ),
    "npm without a digest": (dependencies.npm_whole, lambda t: with_npm(t, integrity=""), "no sha512"),
    "npm from elsewhere": (
        dependencies.npm_whole, lambda t: with_npm(t, resolved="git+ssh://x"), "a place of its own",
    ),
    "npm by a range": (
        dependencies.npm_whole, lambda t: replace(t, npm_manifest={"dependencies": {"zz": "^1.0.0"}}), "no exact",
    ),
    "npm scripts run": (dependencies.no_scripts, lambda t: replace(t, makefile="\tnpm ci"), "runs scripts"),
    "npm needs a script": (dependencies.no_scripts, lambda t: with_npm(t, hasInstallScript=True), "has a script"),
    "an npm licence": (dependencies.licensed, lambda t: with_npm(t, license="SSPL-1.0"), "SSPL-1.0"),
    "a bad npm release": (
        dependencies.not_bad, lambda t: with_npm(t, place="node_modules/a/node_modules/chalk", version="5.6.1"), "taken over",
    ),
    "a bad Python release": (
        dependencies.not_bad, lambda t: replace(t, lock=f"h11==0.14.0 \\\n    --hash=sha256:{HEX}\n"), "CVE-2025-43859",
    ),
    "a tool that is shipped": (
        dependencies.licensed,
        lambda t: replace(t, runtime=t.runtime + f"pglast==7.22 \\\n    --hash=sha256:{HEX}\n"),
        "pglast is under GPL",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_in_a_lock_is_found(tree, name):
    check, change, told = BROKEN[name]

    assert [flaw for flaw in check(change(tree)) if told in flaw]


def test_a_known_bad_release_is_that_release_and_no_other():
    assert dependencies._is_one("4.4.2", "==4.4.1,==4.4.2")
    assert not dependencies._is_one("4.4.3", "==4.4.1,==4.4.2")
    assert dependencies._is_one("10.1.1", ">=10.1.1,<10.1.3")
    assert not dependencies._is_one("10.1.3", ">=10.1.1,<10.1.3")
