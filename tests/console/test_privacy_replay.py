"""A restored backup knows nothing of later erasures: the journal tells it, and the sweep proves it."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from cli import objects, signing
from tests.full_world import make_full_world
from tests.people import make_person


class Gone:
    """Storage where every file goes at once."""

    def __init__(self, url):
        self.url = url

    def delete(self, path):
        bucket, _, name = path.partition("/")
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute("set storage.allow_delete_query = 'true'")
            db.execute(
                "delete from storage.objects where bucket_id = %s and name = %s", [bucket, name]
            )


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_full_world(db)
        return made, make_person(db, made.ours, name="Ana Lafleur", number=1111)


def erased(operated, org, person):
    request = operated(
        "privacy", "request", "open", org.id, "deletion", "--email", person.email, "--json"
    ).json["id"]
    operated("privacy", "request", "verify", request, "--method", "session")
    operated("privacy", "request", "grant", request, "--by", "ana.r")
    return operated("privacy", "erase", "run", request, "--yes")


def test_the_restore_drill(  # noqa: PLR0913, PLR0917
    operated, cluster, clone, world, tmp_path, monkeypatch
):
    made, ana = world
    journal = tmp_path / "erasures.jsonl"
    monkeypatch.setenv("CONNEXT_ERASURE_JOURNAL", str(journal))
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    signing.make(tmp_path / "signing.pem")
    import os

    monkeypatch.setattr(
        objects, "objects", lambda data: Gone(lambda: os.environ["CONNEXT_DATABASE_URL"])
    )
    backup = cluster.create(conninfo_to_dict(clone)["dbname"], "backup")
    replay = ("privacy", "erase", "replay", "--journal", journal)
    assert erased(operated, made.ours, ana).code == 0
    assert operated(*replay, "--check").code == 0

    monkeypatch.setenv("CONNEXT_DATABASE_URL", cluster.url(backup))
    forgotten = operated(*replay, "--check")
    with psycopg.connect(cluster.url(backup)) as db:
        there = db.execute(
            "select count(*) from public.messages where id = %s", [ana.message]
        ).fetchone()
    again = operated(*replay)
    with psycopg.connect(cluster.url(backup)) as db:
        left = db.execute(
            "select table_name from privacy.sweep(%s, 'contact', false, %s) where not retained",
            [made.ours.id, ana.words],
        ).fetchall()

    assert (forgotten.code, there) == (4, (1,))
    assert again.code == 0, again.err
    assert left == []
    assert operated(*replay, "--check").code == 0
    assert not any(word in journal.read_text() for word in ana.words)
    cluster.drop(backup)


def test_something_else_than_a_journal_is_not_read(operated, tmp_path):
    (tmp_path / "j").write_text("[1]\n")

    assert operated("privacy", "erase", "replay", "--journal", tmp_path / "j").code == 1
    assert operated("privacy", "erase", "replay", "--journal", tmp_path / "none").code == 1


def test_every_line_of_a_journal_is_ids_only(operated, clone, world, tmp_path, monkeypatch):
    monkeypatch.setenv("CONNEXT_ERASURE_JOURNAL", str(tmp_path / "j"))
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    signing.make(tmp_path / "signing.pem")
    monkeypatch.setattr(objects, "objects", lambda data: Gone(lambda: clone))

    assert erased(operated, world[0].ours, world[1]).code == 0

    (line,) = (json.loads(text) for text in (tmp_path / "j").read_text().splitlines())
    assert set(line) == {
        "id", "org_id", "subject_kind", "account_too", "subjects", "providers",
    }  # fmt: skip
    assert set(line["subjects"]) == {"customer", "conversation"}
