"""Erasing a person takes their exports along: the file, the link, and what was half made."""

from __future__ import annotations

import hashlib
import signal

import psycopg
import pytest

from tests.console.test_export_resuming import killed
from tests.console.test_privacy_export import granted
from tests.database import connect_as
from tests.erasing import Storage, asked
from tests.people import make_person
from tests.world import make_world


class Bucket(Storage):
    """Storage whose rows are real and whose bytes are kept here."""

    def __init__(self, url):
        super().__init__(url)
        self.stored = {}

    def get(self, path):
        return b"\xff\xd8\xff"

    def put(self, path, content, *, mime_type):
        bucket, _, name = path.partition("/")
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("insert into storage.objects (bucket_id, name) values (%s, %s) on conflict do nothing", [bucket, name])  # fmt: skip
        self.stored[path] = content.read()

    def delete(self, path):
        super().delete(path)
        self.stored.pop(path, None)


@pytest.fixture
def storage(clone, monkeypatch, tmp_path):
    from cli import objects

    place = Bucket(clone)
    monkeypatch.setattr(objects, "objects", lambda data: place)
    monkeypatch.setenv("CONNEXT_EXPORT_FOLDER", str(tmp_path / "work"))
    monkeypatch.setenv("CONNEXT_RECEIVER_URL", "https://hooks.example/")
    return place


@pytest.fixture
def ana(clone):
    with psycopg.connect(clone) as db:
        org = make_world(db).ours
        return org, make_person(db, org, name="Ana Lafleur", number=1111)


def linked(desk, request):
    made = desk("privacy", "export", "link", request, "--json")
    assert made.code == 0, made.err
    root, _, token = made.json["link"].rpartition("/")
    assert root == "https://hooks.example/privacy/export"
    return token


def works(url, token):
    with connect_as(url, "ingress", autocommit=True) as db:
        shown = hashlib.sha256(token.encode()).digest()
        return db.execute("select queue.export_link(%s)", [shown]).fetchone()[0]


def erased(desk, org):
    request = asked(desk, org.id, "deletion", "--email", "ana.lafleur@example.com")
    done = desk("privacy", "erase", "run", request, "--yes")
    assert done.code == 0, done.err


def test_the_file_and_its_link_go_with_the_person(desk, storage, clone, sql, ana):
    org, person = ana
    request = granted(desk, org.id, "access", "--email", person.email)
    assert desk("privacy", "export", "make", request).code == 0
    token = linked(desk, request)
    assert works(clone, token)
    (path,) = [path for path in storage.stored if path.startswith("exports/")]

    erased(desk, org)

    assert path in storage.deleted
    assert not storage.stored
    assert not works(clone, token)
    assert sql("select count(*) from privacy.export_links").fetchone() == (0,)
    assert desk("privacy", "export", "link", request, "--json").code == 1


def test_what_was_half_made_can_never_be_read_again(desk, storage, sql, ana, tmp_path):
    org, person = ana
    request = granted(desk, org.id, "portability", "--email", person.email)
    sql("delete from public.attachments")
    out = tmp_path / "a.zip"
    ended = killed("release", 1, "privacy", "export", "make", request, "--out", out)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert sql("select count(*) from privacy.export_works").fetchone() == (1,)

    erased(desk, org)

    assert sql("select count(*) from privacy.export_works").fetchone() == (0,)
    again = desk("privacy", "export", "make", request, "--out", out)
    assert again.code == 0, again.err  # the request is still open, and there is nothing left
    assert "going on" not in again.err
    assert b"Lafleur" not in out.read_bytes()


def test_an_upload_that_an_erasure_overtook_is_taken_out_again(desk, storage, sql, ana):
    org, person = ana
    request = granted(desk, org.id, "access", "--email", person.email)
    put = storage.put

    def overtaken(path, content, *, mime_type):
        put(path, content, mime_type=mime_type)
        sql("delete from privacy.export_works")
        sql("delete from public.data_exports")

    storage.put = overtaken
    done = desk("privacy", "export", "make", request)

    assert done.code == 4
    assert not [path for path in storage.stored if path.startswith("exports/")]
    assert sql("select count(*) from storage.objects where bucket_id = 'exports'").fetchone() == (0,)  # fmt: skip


def test_an_upload_that_was_never_finished_is_due_after_a_week(desk, storage, sql, ana, monkeypatch):  # fmt: skip
    from cli import exporting

    org, person = ana
    request = granted(desk, org.id, "access", "--email", person.email)

    def stopped(name):
        if name == "release":
            raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "step", stopped)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(desk("privacy", "export", "make", request).code)
    assert sql("select state from public.data_exports").fetchall() == [("building",)]

    due = "select path from privacy.due_files(now() + %s::interval)"
    assert sql(due, ["6 days"]).fetchall() == []
    assert sql(due, ["8 days"]).fetchone()[0] in storage.stored
