"""A real backup, restored: it refuses by itself, is replayed, is clean, and serves."""

from __future__ import annotations

import shutil

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli import restoring, signing
from cli.database import using
from cli.embedded import backup, process
from cli.embedded.backup import back_up, restored
from cli.embedded.cluster import free_port
from cli.embedded.errors import StackError
from cli.erasing import Run, carry_out, plan
from cli.errors import Failed
from tests.children import Running
from tests.database import url_as
from tests.erasing import Storage
from tests.full_world import make_full_world
from tests.people import make_person

WORKER = ("-c", "from cli.main import run; run()", "worker", "run", "upkeep")
RECEIVER = ("-c", "from cli.main import run; run()", "receiver", "run")


def at(copy, url):
    return make_conninfo(url, port=copy.port)


def health(port):
    with httpx.Client(trust_env=False) as client:
        try:
            answer = client.get(f"http://127.0.0.1:{port}/readyz")
        except httpx.TransportError:
            return None, ""
    return answer.status_code, answer.text


def rows(url, query, *values):
    with psycopg.connect(url, autocommit=True) as db:
        return db.execute(query, values).fetchall()


@pytest.fixture
def drilled(cluster, clone, tmp_path_factory, tmp_path, monkeypatch):
    """A database whose backup does not know that Ana was erased; the journal does."""
    monkeypatch.setenv(signing.VARIABLE, str(tmp_path / "signing.pem"))
    monkeypatch.setenv("CONNEXT_ERASURE_JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setenv("CONNEXT_DATABASE_URL", clone)
    signing.make(tmp_path / "signing.pem")
    with psycopg.connect(clone) as db:
        ours = make_full_world(db).ours
        ana = make_person(db, ours, name="Ana Lafleur", number=1111)
        (request,) = db.execute(
            "select id from privacy.open_for(%s, 'deletion', 'contact', null, %s, null, null, 'email', 'self', now(), null)",
            [ours.id, ana.customer],
        ).fetchone()
        db.execute("select privacy.verify_request(%s, %s, 'session', null)", [ours.id, request])
        db.execute("select privacy.decide_request(%s, %s, true, 'ana.r', null, null)", [ours.id, request])  # fmt: skip
    place = tmp_path_factory.mktemp("backup") / "postgres"
    back_up(cluster.cluster.folder, cluster.cluster.address(), place)
    made = plan(None, ours.id, request)
    carry_out(Run(None, ours.id, made["id"], place=Storage(clone)), made["plan_sha256"])
    return place, clone, ours, ana, tmp_path / "journal"


def test_a_recovered_backup_refuses_until_it_is_replayed_and_is_clean_then(cluster, drilled):
    place, url, ours, ana, journal = drilled
    with restored(place, cluster.password) as copy:
        there = at(copy, url)
        found = "select count(*) from public.messages where id = %s"
        assert rows(there, found, ana.message) == [(1,)]  # the negative control
        ports = free_port(), free_port(), free_port()
        common = {"CONNEXT_LOG_LEVEL": "info"}
        worker = Running(
            *WORKER, CONNEXT_DATABASE_URL=url_as(there, "worker_privacy"),
            CONNEXT_HEALTH_PORT=str(ports[0]), **common,
        )  # fmt: skip
        receiver = Running(
            *RECEIVER, CONNEXT_DATABASE_URL=url_as(there, "ingress"),
            CONNEXT_RECEIVER_PORT=str(ports[1]), CONNEXT_HEALTH_PORT=str(ports[2]),
            META_APP_SECRET="a" * 32, META_VERIFY_TOKEN="b" * 32, **common,
        )  # fmt: skip
        try:
            worker.until("nothing is worked on")
            assert process.wait_until(lambda: health(ports[2])[0] is not None, 60)
            for status, text in (health(ports[0]), health(ports[2])):
                assert status == 503
                assert "restored from a backup" in text
            assert rows(there, "select count(*) from privacy.outside_grants()") == [(0,)]
            with using(there):
                opened = restoring.replay(None, journal, consents_stand=False, place=Storage(there))
            assert (opened.replayed, opened.unconfirmed) == (1, 4)
            left = (
                "select table_name from privacy.sweep(%s, 'contact', false, %s) where not retained"
            )
            assert rows(there, left, ours.id, ana.words) == []
            assert rows(there, found, ana.message) == [(0,)]
            assert health(ports[2]) == (200, "ready\n")
        finally:
            worker.close()
            receiver.close()


def test_a_file_that_goes_during_the_backup_does_not_end_it(tmp_path):
    backup._copy(str(tmp_path / "gone"), str(tmp_path / "copy"))

    assert list(tmp_path.iterdir()) == []


def test_a_backup_without_its_log_is_said_to_be_broken(cluster, drilled):
    place = drilled[0]
    shutil.rmtree(place / "pg_wal")

    with pytest.raises(StackError, match="ended while starting"), restored(place, cluster.password):
        pass


def test_a_copy_of_the_files_looks_like_its_original_and_the_journal_tells_it(cluster, drilled):
    place, url, _, ana, journal = drilled
    with restored(place, cluster.password, recover=False) as copy:
        there = at(copy, url)
        assert rows(url_as(there, "worker_privacy"), "select queue.refusal()") == [(None,)]
        evidence = restoring.drill(None, there, journal)

        assert evidence["rows_found_before"] > 0
        assert (evidence["erasures"], evidence["rows_found_after"]) == (1, 0)
        assert rows(there, "select count(*) from public.messages where id = %s", ana.message) == [(0,)]  # fmt: skip
        with pytest.raises(Failed, match="nothing is proven"):
            restoring.drill(None, there, journal)
    results = rows(url, "select kind, result, evidence ->> 'erasures' from privacy.drills order by id")  # fmt: skip
    assert results == [("restore", "passed", "1"), ("restore", "failed", None)]
    assert conninfo_to_dict(url)["dbname"] in there
