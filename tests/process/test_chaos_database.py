"""The database goes away under load, or hangs up at the worst moment."""

import signal

import psycopg
import pytest

from tests.children import worker
from tests.process.ledger import (
    crash,
    dead,
    durable,
    effects,
    enqueue,
    ledger,
    until,
    until_empty,
)

# How a worker tells that the database is gone: it depends on what it was doing at that moment.
CUT_OFF = ("claim failed", "outcomes wait for the database", "nothing is worked on")
LOCKED = """
    select a.pid from pg_stat_activity as a
    where a.wait_event_type = 'Lock' and a.query like %s and a.datname = current_database()
"""


@pytest.fixture
def operator(clone):
    with ledger(clone) as connection:
        yield connection


def test_a_crash_of_the_database_under_load_loses_nothing_and_doubles_nothing(clone, cluster):
    durable(clone)
    with ledger(clone) as before:
        ids = enqueue(before, "meta.note", 400) + enqueue(before, "meta.note_once", 400)
        with (
            worker(clone, CONNEXT_WORKER_BATCH="5", CONNEXT_WORKER_CONCURRENCY="4") as one,
            worker(clone, CONNEXT_WORKER_BATCH="5", CONNEXT_WORKER_CONCURRENCY="4") as two,
        ):
            until(lambda: effects(before).total() >= 40, "some work")
            start = crash(cluster)
            for running in (one, two):
                running.until(*CUT_OFF)
            start()

            with psycopg.connect(clone, autocommit=True) as after:
                until_empty(after)
                assert effects(after) == dict.fromkeys(ids, 1)
                assert dead(after) == {}
            for running in (one, two):
                running.tell(signal.SIGTERM)
                assert running.ended() == 0


def cut(operator, query):
    """Cut the connection that waits for a lock with *query*."""
    until(lambda: operator.execute(LOCKED, [query]).fetchone(), f"waiting in {query}")
    [pid] = operator.execute(LOCKED, [query]).fetchone()
    operator.execute("select pg_terminate_backend(%s)", [pid])


def test_a_connection_cut_while_recording_is_recorded_again(clone, operator):
    [job] = enqueue(operator, "meta.hold")
    with psycopg.connect(clone, autocommit=True) as held, psycopg.connect(clone) as row:
        held.execute("select pg_advisory_lock(4711)")
        with worker(clone, CONNEXT_LEASE_SECONDS="60") as running:
            running.until("handler began")
            row.execute("select 1 from queue.jobs where id = %s for update", [job])
            held.close()
            cut(operator, "%queue%succeed%")
            row.rollback()
            running.until("outcomes wait for the database")
            until_empty(operator)

            running.tell(signal.SIGTERM)
            assert running.ended() == 0
            assert running.said().count("handler began") == 1
    assert dead(operator) == {}


def test_a_connection_cut_inside_a_handlers_transaction_takes_effect_once(clone, operator):
    [job] = enqueue(operator, "meta.hold_then_note")
    with psycopg.connect(clone, autocommit=True) as held, psycopg.connect(clone) as row:
        held.execute("select pg_advisory_lock(4711)")
        with worker(clone, CONNEXT_LEASE_SECONDS="60") as running:
            running.until("handler began")
            row.execute("select 1 from queue.jobs where id = %s for update", [job])
            held.close()
            cut(operator, "%queue%enter%")
            row.rollback()
            failed = running.until("job failed")
            until_empty(operator)

    assert failed["outcome"] == "retry"
    assert effects(operator) == {job: 1}
    assert dead(operator) == {}
