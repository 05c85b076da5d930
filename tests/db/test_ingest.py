"""Proven webhooks on their way into the database: once each, durably, and where they belong."""

import asyncio
import json
import threading
import uuid

import psycopg
import pytest
from pydantic import SecretStr

from tests.database import make_user, url_as
from tests.messenger import MILLIS
from workers.core.clock import SystemClock
from workers.core.errors import Refused, Unavailable
from workers.db.line import Line
from workers.db.pool import Database
from workers.receiver.counters import Counters
from workers.receiver.ingest import Delivery, PostgresIngest, Shape, Stored
from workers.receiver.together import GroupIngest


def store(url, delivery, role="ingress"):
    async def run():
        database = Database(SecretStr(url_as(url, role)), application_name="test", size=2)
        async with database:
            return await PostgresIngest(database).store(delivery)

    return asyncio.run(run())


def event(stage, key, **more):
    return {
        "key": key,
        "account": stage.page,
        "contact": "222",
        "kind": "message",
        "occurred_at": MILLIS,
        "body": {"mid": key, "text": "hello", "attachments": [], "reply_to": None},
        **more,
    }


def test_an_event_is_stored_once_with_one_job(stage):
    first = stage.store([event(stage, "a")])
    again = stage.store([event(stage, "a")])

    assert (first, again) == (Stored(stored=1), Stored(duplicate=1))
    jobs = stage.do("select kind, org_id, payload from queue.jobs")
    kept = stage.one("select id, org_id, body from queue.webhook_events")
    assert jobs == [
        {"kind": "meta.event", "org_id": stage.org, "payload": {"event_id": kept["id"]}}
    ]
    assert kept["body"]["text"] == "hello"


def test_the_same_event_twice_in_one_request_is_stored_once(stage):
    assert stage.store([event(stage, "a"), event(stage, "a")]) == Stored(stored=1, duplicate=1)


def test_an_account_nobody_connected_is_counted_and_forgotten(stage):
    stored = stage.store([event(stage, "a", account="404"), event(stage, "b")])

    assert stored == Stored(stored=1, unknown=1)
    assert [row["event_key"] for row in stage.do("select event_key from queue.webhook_events")] == [
        "b"
    ]


def test_each_event_of_a_group_is_counted_as_what_became_of_it(stage):
    stranger = event(stage, "c") | {"account": "nobody"}

    stored = stage.store([event(stage, "a"), event(stage, "a"), stranger, event(stage, "b")])

    assert stored == Stored(stored=2, duplicate=1, unknown=1)


def test_what_cannot_be_read_leaves_only_its_shape(stage):
    shape = Shape("f" * 64, 17, "wrong fields: text")

    stored = store(stage.url, Delivery("meta", unreadable=(shape,)))

    assert stored == Stored()
    assert stage.do("select provider, digest, size, reason from queue.unreadable_webhooks") == [
        {"provider": "meta", "digest": "f" * 64, "size": 17, "reason": "wrong fields: text"}
    ]


@pytest.mark.parametrize(
    ("text", "sqlstate"), [("a\x00b", "22P05"), ("half \ud800 of a pair", "22P02")]
)
def test_an_event_the_database_refuses_does_not_lose_the_others(stage, text, sqlstate):
    rotten = event(stage, "b", body={"text": text})
    shape = Shape("e" * 64, 1, "wrong fields")
    delivery = Delivery("meta", (event(stage, "a"), rotten, event(stage, "c")), unreadable=(shape,))

    stored = store(stage.url, delivery)

    assert stored == Stored(stored=2)
    assert {row["event_key"] for row in stage.do("select event_key from queue.webhook_events")} == {
        "a",
        "c",
    }
    reasons = [
        row["reason"]
        for row in stage.do("select reason from queue.unreadable_webhooks order by id")
    ]
    assert reasons == ["wrong fields", f"the database refused it: {sqlstate}"]


def test_a_role_that_is_not_the_receivers_is_refused(stage):
    with pytest.raises(Refused):
        store(stage.url, Delivery("meta", (event(stage, "a"),)), role="worker_meta")

    assert stage.do("select 1 from queue.webhook_events") == []


def test_a_database_that_is_away_is_said_so_and_not_answered_as_stored(stage):
    nowhere = "host=127.0.0.1 port=1 user=ingress dbname=postgres"

    async def run():
        database = Database(SecretStr(nowhere), application_name="test", size=1)
        database._pool.timeout = 0.2
        async with database:
            await PostgresIngest(database).store(Delivery("meta", (event(stage, "a"),)))

    with pytest.raises(Unavailable):
        asyncio.run(run())


def test_many_requests_at_once_neither_lose_nor_double(stage):
    async def run():
        database = Database(
            SecretStr(url_as(stage.url, "ingress")), application_name="test", size=6
        )
        async with database:
            ingest = PostgresIngest(database)
            return await asyncio.gather(
                *(ingest.store(Delivery("meta", (event(stage, f"k{n % 20}"),))) for n in range(60))
            )

    results = asyncio.run(run())

    assert sum(one.stored for one in results) == 20
    assert sum(one.duplicate for one in results) == 40
    assert stage.one("select count(*) as n from queue.jobs")["n"] == 20


def store_at_once(url, *deliveries):
    """Store deliveries as concurrent requests do, all of them waiting when the committer starts."""

    async def run():
        database = Database(SecretStr(url_as(url, "ingress")), application_name="test", size=2)
        async with database:
            storage = PostgresIngest(database, Line(database))
            ingest = GroupIngest(storage, counters=Counters(), clock=SystemClock())
            waiting = [asyncio.create_task(ingest.store(one)) for one in deliveries]
            committer = asyncio.create_task(ingest.run())
            results = await asyncio.gather(*waiting, return_exceptions=True)
            ingest.close()
            await committer
            return results

    return asyncio.run(run())


def test_concurrent_requests_share_a_transaction(stage):
    results = store_at_once(
        stage.url, *(Delivery("meta", (event(stage, f"k{n % 40}"),)) for n in range(60))
    )

    assert sum(one.stored for one in results) == 40
    assert sum(one.duplicate for one in results) == 20
    kept = stage.do("select xmin::text as transaction, event_key from queue.webhook_events")
    assert len(kept) == 40
    assert len({row["transaction"] for row in kept}) == 1
    assert stage.one("select count(*) as n from queue.jobs")["n"] == 40


def test_a_poisoned_request_does_not_fail_its_neighbours(stage):
    rotten = event(stage, "b", body={"text": "a\x00b"})
    shape = Shape("e" * 64, 1, "wrong fields")

    results = store_at_once(
        stage.url,
        Delivery("meta", (event(stage, "a"),)),
        Delivery("meta", (rotten,)),
        Delivery("meta", (event(stage, "c"),), unreadable=(shape,)),
    )

    assert sum(one.stored for one in results) == 2
    kept = {row["event_key"] for row in stage.do("select event_key from queue.webhook_events")}
    assert kept == {"a", "c"}
    assert stage.one("select count(*) as n from queue.unreadable_webhooks")["n"] == 2


def test_a_refusal_reaches_every_request(stage):
    stage.do("revoke execute on function queue.ingest(text, jsonb) from ingress")
    try:
        results = store_at_once(
            stage.url, *(Delivery("meta", (event(stage, key),)) for key in "ab")
        )
    finally:
        stage.do("grant execute on function queue.ingest(text, jsonb) to ingress")

    assert [type(one) for one in results] == [Refused, Refused]


def test_events_of_a_conversation_stand_behind_one_another_and_behind_what_was_there(stage):
    stage.store([event(stage, "a"), event(stage, "x", contact="333")])
    stage.store([event(stage, "b"), event(stage, "c"), event(stage, "y", contact="444")])

    jobs = stage.do(
        "select e.event_key, j.state, j.turn from queue.jobs as j"
        " inner join queue.webhook_events as e on (j.payload ->> 'event_id')::bigint = e.id"
        " order by e.id"
    )
    assert [(job["event_key"], job["state"]) for job in jobs] == [
        ("a", "ready"),
        ("x", "ready"),
        ("b", "blocked"),
        ("c", "blocked"),
        ("y", "ready"),
    ]
    assert [job["turn"] for job in jobs] == sorted({job["turn"] for job in jobs})


def placed(stage):
    """The jobs of the stored events, by the event's key."""
    rows = stage.do(
        "select e.event_key, j.org_id, j.state, j.turn from queue.jobs as j"
        " inner join queue.webhook_events as e on (j.payload ->> 'event_id')::bigint = e.id"
    )
    return {row["event_key"]: row for row in rows}


def test_each_organization_of_a_call_takes_turns_of_its_own(stage):
    other = stage.organization("Theirs")
    page = str(int(stage.page) + 1)
    stage.open_channel(other, stage.connect(other, status="active"), page)
    stage.store([event(stage, "before", contact="1"), event(stage, "behind", contact="1")])

    stage.store(
        [
            event(stage, "t1", account=page, contact="1", occurred_at=MILLIS + 1),
            event(stage, "o1", contact="2", occurred_at=MILLIS + 2),
            event(stage, "t2", account=page, contact="2", occurred_at=MILLIS + 3),
            event(stage, "o2", contact="1", occurred_at=MILLIS + 4),
            event(stage, "t3", account=page, contact="1", occurred_at=MILLIS + 5),
        ]
    )

    jobs = placed(stage)
    assert [jobs[key]["turn"] for key in ("before", "behind", "o1", "o2")] == [0, 1, 2, 3]
    assert [jobs[key]["turn"] for key in ("t1", "t2", "t3")] == [0, 1, 2]
    assert {key for key, job in jobs.items() if job["state"] == "blocked"} == {"behind", "o2", "t3"}
    assert {jobs[key]["org_id"] for key in ("t1", "t2", "t3")} == {other}


def test_turns_go_on_from_the_clock_of_the_line(stage):
    stage.do("select queue.set_mark('clock', 'meta', 5::smallint, 70)")
    try:
        stage.store([event(stage, "a", contact="1"), event(stage, "b", contact="2")])
    finally:
        stage.do("select queue.set_mark('clock', 'meta', 5::smallint, 0)")

    assert [placed(stage)[key]["turn"] for key in "ab"] == [70, 71]


def test_a_head_does_not_finish_while_events_are_stored_behind_it(stage):
    stage.store([event(stage, "a")])
    with psycopg.connect(stage.url, autocommit=True) as worker, psycopg.connect(stage.url) as other:
        worker.execute("set lock_timeout = '50ms'")
        other.execute(
            "select * from queue.ingest('meta', %s::jsonb)", [json.dumps([event(stage, "b")])]
        )
        with pytest.raises(psycopg.errors.LockNotAvailable):
            worker.execute("delete from queue.jobs where state = 'ready'")


@pytest.mark.parametrize("listens", [True, False])
def test_idle_workers_are_woken(stage, listens):
    hints = "select count(*) as n from realtime.messages where topic = 'worker:meta'"
    before = stage.one(hints)["n"]
    if listens:
        with psycopg.connect(stage.url, autocommit=True) as operator:
            listener = make_user(operator, f"{uuid.uuid4().hex}@example.com")
            operator.execute(
                "update queue.queues set listener = %s where queue = 'meta'", [listener]
            )
    try:
        with psycopg.connect(stage.url, autocommit=True) as worker:
            worker.execute("listen queue_meta")
            stage.store([event(stage, "a")])
            heard = [one.channel for one in worker.notifies(timeout=5, stop_after=1)]
    finally:
        stage.do("update queue.queues set listener = null")

    assert heard == ["queue_meta"]
    assert stage.one(hints)["n"] - before == int(listens)


def test_a_head_that_comes_at_the_same_moment_is_stood_behind(stage):
    stage.store([event(stage, "a")])
    key = stage.one("delete from queue.jobs returning ordering_key")["ordering_key"]
    storing = threading.Thread(
        target=stage.store,
        args=[[event(stage, "b"), event(stage, "c"), event(stage, "x", contact="333")]],
    )

    with psycopg.connect(stage.url) as other:
        other.execute(
            "select queue.add('meta', 'meta.event', %s, '{}', %s, null, 5::smallint, null, 1::smallint)",
            [stage.org, key],
        )
        storing.start()
        _await_blocked_by(stage, other.info.backend_pid)
    storing.join()

    jobs = stage.do("select ordering_key, payload, state from queue.jobs order by ordering_key, id")
    mine = [job for job in jobs if job["ordering_key"] == key]
    assert [job["state"] for job in mine] == ["ready", "blocked", "blocked"]
    kept = stage.do("select id, event_key from queue.webhook_events order by id")
    ids = {row["event_key"]: row["id"] for row in kept}
    assert [job["payload"] for job in mine[1:]] == [
        {"event_id": ids["b"]},
        {"event_id": ids["c"]},
    ]
    assert [job["state"] for job in jobs if job not in mine] == ["ready"]


def test_events_and_finishing_jobs_do_not_wait_in_a_circle(stage):
    """Whoever finishes takes jobs in the order of their ids: so does whoever stands behind them."""
    for key in "abcdefgh":
        stage.store([event(stage, key, contact=key)])
    jobs = stage.do("select id, ordering_key from queue.jobs order by ordering_key")
    # Two heads whose keys are in the other order than their ids.
    earlier, later = next(
        (one, two)
        for place, two in enumerate(jobs)
        for one in jobs[place + 1 :]
        if one["id"] < two["id"]
    )
    contacts = stage.do(
        "select e.contact, j.id from queue.webhook_events as e"
        " join queue.jobs as j on (j.payload ->> 'event_id')::bigint = e.id"
    )
    events = [
        event(stage, f"behind {row['id']}", contact=row["contact"])
        for row in contacts
        if row["id"] in (earlier["id"], later["id"])
    ]
    storing = threading.Thread(target=stage.store, args=[events])

    with psycopg.connect(stage.url) as worker:
        worker.execute("delete from queue.jobs where id = %s", [earlier["id"]])
        storing.start()
        _await_blocked_by(stage, worker.info.backend_pid)
        worker.execute("set local lock_timeout = '5s'")
        worker.execute("delete from queue.jobs where id = %s", [later["id"]])
    storing.join()

    stored = stage.do(
        "select state from queue.jobs where ordering_key = any(%s)",
        [earlier["ordering_key"], later["ordering_key"]],
    )
    assert [job["state"] for job in stored] == ["ready", "ready"]


def _await_blocked_by(stage, backend):
    for _ in range(10_000):
        if stage.do(
            "select 1 from pg_stat_activity where %s = any(pg_blocking_pids(pid))", backend
        ):
            return
    raise AssertionError("it never had to wait")
