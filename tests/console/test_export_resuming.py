"""An export that was killed or ran out of disk goes on, and is equal to one that was not."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import zipfile

import psycopg
import pytest

from cli import export_tables, exporting, signing
from tests.console.test_privacy_export import granted
from tests.full_world import make_full_world
from tests.people import make_person

# The console in a process of its own, which ends itself at its nth step as `kill -9` would end it.
KILLED = """
import os, signal, sys
from cli import export_tables, exporting
from cli.main import execute
export_tables.PAGE = 5
at, left = sys.argv[1], int(sys.argv[2])
def step(name):
    global left
    print(name, file=sys.stderr)
    if name.startswith(at):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
exporting.step = step
sys.exit(execute(sys.argv[3:]))
"""
MESSAGES = """
    insert into public.messages (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)
    select org_id, provider, channel_id, conversation_id, 'inbound', 'received', 'Message ' || n, 'more-' || n, 'webhook'
    from public.messages cross join generate_series(1, 12) as n where external_id = 'm_1'
"""


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_full_world(db)
        db.execute("update public.privacy_requests set status = 'cancelled', closed_at = now()")
        make_person(db, made.ours, name="Ana Lafleur", number=1111)
        db.execute(MESSAGES)
    return made


@pytest.fixture
def desk(operated, tmp_path, monkeypatch):
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    signing.make(tmp_path / "signing.pem")
    return operated


def killed(at, times, *words, limit=None):
    """Run the console until it is killed there; return how it ended."""

    def bounded():
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.run(
        [sys.executable, "-c", KILLED, at, str(times), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=100,
        preexec_fn=bounded,
        check=False,
    )


def contents(path):
    """Everything but what says when: that would differ between two whole exports as well."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        said = json.loads(json.loads(archive.read("manifest.json"))["body"])
    return {name: facts["sha256"] for name, facts in said["files"].items()}


def ready(desk, world, *words):
    return granted(desk, world.ours.id, "portability", "--organization", *words)


STEPS = [
    ("public.messages", 1), ("public.messages", 3),
    ("about", 1), ("release", 1),
]  # fmt: skip


def test_killed_anywhere_it_goes_on_and_ends_equal(desk, sql, world, tmp_path, monkeypatch):
    sql("delete from public.attachments where state = 'stored'")  # needs no Storage
    request = ready(desk, world)
    monkeypatch.setattr(export_tables, "PAGE", 5)
    make = ("privacy", "export", "make", request, "--out")
    assert desk(*make, tmp_path / "whole.zip").code == 0
    wanted = contents(tmp_path / "whole.zip")

    for number, (at, times) in enumerate(STEPS):
        out = tmp_path / f"{number}.zip"
        ended = killed(at, times, *make, out)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert not out.exists()
        assert not any(zipfile.is_zipfile(p) for p in tmp_path.rglob(f".{number}.zip.work/*"))

        done = desk(*make, out)

        assert done.code == 0, done.err
        assert "going on: " in done.err
        assert contents(out) == wanted
        assert not list(tmp_path.glob(f".{number}.zip*"))
        assert desk("privacy", "export", "verify", out).code == 0


def test_only_what_is_no_longer_true_is_read_again(desk, sql, world, tmp_path, monkeypatch):
    sql("delete from public.attachments where state = 'stored'")
    request = ready(desk, world)
    make = ("privacy", "export", "make", request, "--out", tmp_path / "a.zip")
    assert killed("release", 1, *make).returncode == -signal.SIGKILL
    sql("update public.notes set body = 'changed meanwhile'")
    sql("delete from public.tasks")
    sql("insert into public.products (org_id, name, unit_price_minor) values (%s, 'New', 1)", [world.ours.id])  # fmt: skip
    read, real = [], export_tables._make
    monkeypatch.setattr(export_tables, "PAGE", 5)
    monkeypatch.setattr(
        export_tables, "_make", lambda reading, table, *rest: read.append(table.name) or real(reading, table, *rest)
    )  # fmt: skip

    assert desk(*make).code == 0

    assert set(read) == {"public.notes", "public.tasks", "public.products"}
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert b"changed meanwhile" in archive.read("data/notes.json")
        assert "data/tasks.json" not in archive.namelist()
        assert b'"New"' in archive.read("data/products.json")


def test_a_full_disk_is_said_and_the_same_command_goes_on(desk, sql, world, tmp_path):
    sql("update public.messages set body = (select string_agg(md5(n::text), '') from generate_series(1, 900) as n)")  # fmt: skip
    sql("delete from public.attachments where state = 'stored'")
    request = ready(desk, world)
    make = ("privacy", "export", "make", request, "--out", tmp_path / "a.zip")

    ended = killed("never", 1, *make, limit=60_000)

    assert ended.returncode == 1, ended.stderr
    assert "goes on" in ended.stderr
    assert not (tmp_path / "a.zip").exists()
    done = desk(*make)
    assert done.code == 0, done.err
    assert "going on" in done.err
    assert desk("privacy", "export", "verify", tmp_path / "a.zip").code == 0


def test_large_tables_are_read_side_by_side_and_in_order(desk, sql, world, tmp_path, monkeypatch):
    sql("delete from public.attachments where state = 'stored'")
    request = ready(desk, world)
    make = ("privacy", "export", "make", request, "--out")
    assert desk(*make, tmp_path / "a.zip").code == 0
    monkeypatch.setattr(export_tables, "PAGE", 3)

    done = desk(*make, tmp_path / "b.zip")

    assert done.code == 0, done.err
    assert "public.messages: part 2" in done.err
    assert contents(tmp_path / "b.zip") == contents(tmp_path / "a.zip")


def test_what_lies_half_made_is_noise_without_its_key(desk, sql, world, tmp_path):
    sql("delete from public.attachments where state = 'stored'")
    request = ready(desk, world)
    make = ("privacy", "export", "make", request, "--out", tmp_path / "a.zip")
    assert killed("release", 1, *make).returncode == -signal.SIGKILL

    left = [path for path in tmp_path.rglob(".a.zip.work/*") if path.is_file()]
    assert left
    assert not [path for path in left if b"Lafleur" in path.read_bytes()]
    assert oct((tmp_path / ".a.zip.work").stat().st_mode)[-3:] == "700"

    sql("delete from privacy.export_works")  # as an erasure does
    done = desk(*make)
    assert done.code == 0, done.err
    assert "going on" not in done.err


def test_a_damaged_part_is_removed_and_said(desk, sql, world, tmp_path):
    sql("delete from public.attachments where state = 'stored'")
    request = ready(desk, world)
    make = ("privacy", "export", "make", request, "--out", tmp_path / "a.zip")
    assert killed("release", 1, *make).returncode == -signal.SIGKILL
    part = max((p for p in (tmp_path / ".a.zip.work").iterdir() if p.name != "journal"), key=lambda p: p.stat().st_size)  # fmt: skip
    whole = bytearray(part.read_bytes())
    whole[len(whole) // 2] ^= 1
    part.write_bytes(whole)

    damaged = desk(*make)

    assert damaged.code == 1
    assert "damaged" in damaged.err
    assert not (tmp_path / "a.zip").exists()
    assert desk(*make).code == 0


def test_nothing_is_released_whose_subject_was_erased_meanwhile(desk, sql, world, tmp_path, monkeypatch):  # fmt: skip
    sql("delete from public.attachments where state = 'stored'")
    request = ready(desk, world)

    def erased(name):
        if name == "release":
            sql("delete from privacy.export_works")

    monkeypatch.setattr(exporting, "step", erased)
    done = desk("privacy", "export", "make", request, "--out", tmp_path / "a.zip")

    assert done.code == 4
    assert "erased" in done.err
    assert not (tmp_path / "a.zip").exists()
