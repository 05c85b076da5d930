"""Recorded verifications of the privacy page: whole, and told to the receiver only in numbers."""

import json

import psycopg
import pytest

from tests.database import connect_as

RECORD = "select v.proven, v.failed, v.unprovable from privacy.record_verification('2026-06-13', '0.1.0', %s, %s) as v"
SHA = "0" * 64


def record(db, results, sha=SHA):
    return db.execute(RECORD, [json.dumps(results), sha]).fetchone()


def last(db):
    return db.execute("select * from private.last_verification()").fetchall()


def test_a_run_is_counted_and_told(db):
    db.execute("delete from privacy.verifications")
    assert last(db) == []

    assert record(db, {"a.b": "proven", "c.d": "failed", "e.f": "unprovable"}) == (1, 1, 1)
    record(db, {"a.b": "proven"})

    ((ran_at, *counts),) = last(db)
    assert counts == [1, 0, 0]
    assert ran_at == db.execute("select now()").fetchone()[0]


@pytest.mark.parametrize("results", [{"a.b": "maybe"}, {"a.b": None}, ["proven"], None])
def test_a_run_that_is_not_whole_is_refused(db, results):
    with pytest.raises(psycopg.Error) as refused:
        record(db, results)

    assert refused.value.sqlstate in ("CX006", "23502")


def test_evidence_is_named_by_its_hash(db):
    with pytest.raises(psycopg.errors.CheckViolation):
        record(db, {"a.b": "proven"}, "none")


def test_old_runs_are_forgotten_when_a_new_one_comes(db):
    db.execute("delete from privacy.verifications")
    record(db, {"a.b": "proven"})
    db.execute("update privacy.verifications set ran_at = now() - interval '401 days'")

    record(db, {"a.b": "failed"})

    assert db.execute("select failed from privacy.verifications").fetchall() == [(1,)]


def test_the_receiver_asks_and_others_may_not(scratch):
    with connect_as(scratch, "ingress") as db:
        assert len(last(db)) <= 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("select 1 from privacy.verifications")
    with connect_as(scratch, "worker_meta") as db, pytest.raises(psycopg.Error) as refused:
        last(db)
    assert refused.value.sqlstate == "42501"


def test_the_fingerprint_follows_the_migrations(db):
    def fingerprint():
        return db.execute("select privacy.database_fingerprint()").fetchone()[0]

    before = fingerprint()
    assert before == fingerprint()

    db.execute(
        "insert into supabase_migrations.schema_migrations (version) values ('29990101000000')"
    )

    assert fingerprint() != before
