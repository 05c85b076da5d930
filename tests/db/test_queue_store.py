"""The store over the real queue functions, and transactions that act for a job."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest
from pydantic import SecretStr

from tests.database import url_as
from workers.core.errors import LeaseLost, Refused, Transient, Unavailable
from workers.db import calls
from workers.db.listen import notifications
from workers.db.pool import Database
from workers.jobqueue.context import Context
from workers.jobqueue.enqueue import enqueue_many
from workers.jobqueue.job import NewJob
from workers.jobqueue.postgres import PostgresStore

MINUTE = timedelta(minutes=1)


def opened(url: str, role: str = "worker_meta", size: int = 4) -> Database:
    return Database(SecretStr(url_as(url, role)), application_name="connext-test", size=size)


def on_store(url: str, scenario, role: str = "worker_meta", queue: str = "meta"):
    """Run *scenario* with a store logged in as the worker of its queue."""

    async def run():
        async with opened(url, role) as database, asyncio.timeout(30):
            return await scenario(PostgresStore(database, queue), database)

    return asyncio.run(run())


def remaining(url: str) -> list[tuple]:
    with psycopg.connect(url) as operator:
        return operator.execute(
            "select id, state, attempt, last_error from queue.jobs order by id"
        ).fetchall()


def test_an_enqueued_job_is_claimed_with_everything_it_was_given(clone):
    async def scenario(store, database):
        job_id = await store.enqueue(
            NewJob("meta.send", payload={"message_id": "m"}, ordering_key="thread", priority=0)
        )
        return job_id, await store.claim(10, lease_for=MINUTE)

    job_id, [job] = on_store(clone, scenario)

    assert (job.id, job.queue, job.kind) == (job_id, "meta", "meta.send")
    assert job.payload == {"message_id": "m"}
    assert (job.attempt, job.max_attempts, job.priority) == (1, 10, 0)
    assert job.run_at.tzinfo is not None


def test_a_payload_arrives_as_it_was_given_whatever_is_in_it(clone):
    payload = {"é": ["ü\U0001f600", 1, 1.5, -0.0, None, True, {}], "": {"a": []}, 'q"\\': "\n"}

    async def scenario(store, database):
        await store.enqueue(NewJob("meta.send", payload=payload))
        return await store.claim(10, lease_for=MINUTE)

    [job] = on_store(clone, scenario)

    assert job.payload == payload


def test_a_dedupe_key_that_is_still_in_the_queue_enqueues_nothing(clone):
    async def scenario(store, database):
        return [await store.enqueue(NewJob("meta.send", dedupe_key="one")) for _ in range(2)]

    first, second = on_store(clone, scenario)

    assert first is not None
    assert second is None


def test_many_jobs_are_enqueued_in_one_call(clone):
    async def scenario(store, database):
        async with database.transaction() as connection:
            made = await enqueue_many(
                connection, "meta", [NewJob("meta.send", dedupe_key=str(n)) for n in range(50)]
            )
        return made, await store.claim(100, lease_for=MINUTE)

    made, jobs = on_store(clone, scenario)

    assert made == len(jobs) == 50


def test_every_finishing_verb_answers_whether_the_lease_was_held(clone):
    async def scenario(store, database):
        for _ in range(3):
            await store.enqueue(NewJob("meta.send"))
        one, two, three = await store.claim(3, lease_for=MINUTE)
        first = (
            await store.succeed([one]),
            await store.retry(two, delay=timedelta(), reason="later"),
            await store.bury(three, reason="never"),
        )
        second = (
            await store.succeed([one]),
            await store.retry(two, delay=timedelta(), reason="later"),
            await store.bury(three, reason="never"),
        )
        return one.id, first, second

    job_id, first, second = on_store(clone, scenario)

    assert first == ({job_id}, True, True)
    assert second == (set(), False, False)


def test_giving_a_job_back_does_not_count_the_attempt(clone):
    async def scenario(store, database):
        await store.enqueue(NewJob("meta.send"))
        [job] = await store.claim(1, lease_for=MINUTE)
        await store.retry(job, delay=timedelta(), reason="stopped", give_back=True)
        return await store.claim(1, lease_for=MINUTE)

    [again] = on_store(clone, scenario)

    assert again.attempt == 1


def test_extend_answers_only_the_leases_that_are_still_held(clone):
    async def scenario(store, database):
        for _ in range(2):
            await store.enqueue(NewJob("meta.send"))
        one, two = await store.claim(2, lease_for=MINUTE)
        await store.succeed([one])
        return two.id, await store.extend([one, two], lease_for=MINUTE)

    kept_id, kept = on_store(clone, scenario)

    assert kept == {kept_id}


def test_the_sweep_frees_a_job_whose_lease_has_expired(clone):
    async def scenario(store, database):
        await store.enqueue(NewJob("meta.send"))
        [job] = await store.claim(1, lease_for=timedelta(seconds=-1))
        swept = await store.sweep()
        [again] = await store.claim(1, lease_for=MINUTE)
        return job, swept, again

    job, swept, again = on_store(clone, scenario)

    assert swept == 1
    assert again.id == job.id
    assert (again.attempt, again.lease != job.lease) == (2, True)


def test_stats_count_ready_running_and_dead_jobs(clone):
    async def scenario(store, database):
        for _ in range(3):
            await store.enqueue(NewJob("meta.send"))
        one, _ = await store.claim(2, lease_for=MINUTE)
        await store.bury(one, reason="never")
        return await store.stats()

    depths = {depth.queue: depth for depth in on_store(clone, scenario)}

    found = depths["meta"]
    assert (found.ready, found.running, found.dead) == (1, 1, 1)
    assert found.oldest_ready_seconds >= 0


def test_a_worker_is_refused_another_workers_queue(clone):
    async def scenario(store, database):
        with pytest.raises(Refused) as caught:
            await store.claim(1, lease_for=MINUTE)
        return caught.value

    error = on_store(clone, scenario, role="worker_stripe")

    assert error.sqlstate == "CX031"


def test_a_transaction_that_finishes_its_job_does_both_or_nothing(clone):
    async def scenario(store, database):
        context = Context(database)
        for _ in range(2):
            await store.enqueue(NewJob("meta.send"))
        good, bad = await store.claim(2, lease_for=MINUTE)
        async with context.transaction(good) as connection:
            await connection.execute("select 1")
        with pytest.raises(RuntimeError, match="halfway"):
            async with context.transaction(bad):
                raise RuntimeError("halfway")
        return good, bad, context.settled

    good, bad, settled = on_store(clone, scenario)

    assert settled == {(good.id, good.lease)}
    assert [(row[0], row[1]) for row in remaining(clone)] == [(bad.id, "running")]


def test_acting_for_a_job_with_a_lost_lease_is_refused(clone):
    async def scenario(store, database):
        context = Context(database)
        await store.enqueue(NewJob("meta.send"))
        [job] = await store.claim(1, lease_for=MINUTE)
        await store.retry(job, delay=timedelta(), reason="lost")
        for opening in (context.acting, context.transaction):
            with pytest.raises(LeaseLost):
                async with opening(job):
                    pytest.fail("nobody gets in here")
        return context.settled

    assert on_store(clone, scenario) == set()


def test_a_waiting_connection_is_replaced_after_the_server_closed_it(clone):
    async def scenario(store, database):
        await store.stats()
        with psycopg.connect(clone, autocommit=True) as operator:
            ended = operator.execute(
                "select count(*) filter (where pg_terminate_backend(pid, 5000))"
                " from pg_stat_activity where application_name = 'connext-test'"
            ).fetchone()[0]
        return ended, await store.enqueue(NewJob("meta.send"))

    ended, job_id = on_store(clone, scenario)

    assert ended >= 1
    assert job_id is not None


def test_losing_the_connection_in_a_statement_is_unavailable(clone):
    async def scenario(store, database):
        with pytest.raises(Unavailable):
            async with database.connection() as connection:
                await connection.execute("select pg_terminate_backend(pg_backend_pid())")
        return await store.stats()

    assert on_store(clone, scenario) == []


def test_a_database_that_is_not_there_is_unavailable_and_not_ready():
    dsn = SecretStr("postgresql://worker_meta@127.0.0.1:1/nowhere?connect_timeout=1")

    async def scenario():
        database = Database(dsn, application_name="connext-test", size=1)
        database._pool.timeout = 0.2
        async with database:
            with pytest.raises(Unavailable):
                async with database.connection():
                    pytest.fail("nobody gets in here")
            return await database.is_ready(seconds=0.1)

    assert asyncio.run(scenario()) is False


def test_a_refusal_names_the_constraint_and_never_the_value(clone):
    async def scenario(store, database):
        with pytest.raises(Refused) as caught:
            await store.enqueue(NewJob("meta.SECRET +15145550123"))
        return caught.value

    error = on_store(clone, scenario)

    assert error.sqlstate == "23514"
    assert "jobs_kind_shape" in str(error)
    assert "SECRET" not in str(error)
    assert "5550123" not in str(error)


def test_a_cancelled_statement_is_transient(clone):
    async def too_long(database):
        async with database.connection() as connection:
            await connection.execute("set statement_timeout = 10")
            await connection.execute("select pg_sleep(30)")

    async def scenario(store, database):
        with pytest.raises(Transient):
            await too_long(database)

    on_store(clone, scenario)


def test_notifications_arrive_and_survive_the_loss_of_their_connection(clone):
    async def scenario(store, database):
        heard = notifications(database.dsn, ["queue_meta"], application_name="connext-test")
        arrived = [await anext(heard)]  # once on connecting: something may have been missed
        await store.enqueue(NewJob("meta.send"))
        arrived.append(await anext(heard))
        async with database.connection() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'connext-test-listen'"
            )
        arrived.append(await anext(heard))  # once more, on the new connection
        await heard.aclose()
        return arrived

    # A worker may end its own role's connections: no operator is needed here.
    assert on_store(clone, scenario) == ["queue_meta"] * 3


def test_arguments_are_cast_to_the_types_of_the_signature(clone):
    async def scenario(store, database):
        async with database.connection() as connection:
            return await calls.values(
                connection, "pg_catalog.unnest(bigint[])", [1, 2]
            ), await calls.value(connection, "pg_catalog.current_database()")

    numbers, name = on_store(clone, scenario)

    assert numbers == [1, 2]
    assert name == psycopg.conninfo.conninfo_to_dict(clone)["dbname"]
