"""A real worker process against a real database: signals, crashes, restarts, company."""

from __future__ import annotations

import signal
import socket
import urllib.request

import psycopg
import pytest

from cli.embedded.cluster import free_port
from tests.children import HANG_SECONDS, worker
from tests.database import url_as


@pytest.fixture
def operator(clone):
    with psycopg.connect(clone, autocommit=True) as connection:
        connection.execute("create table public.noted (job bigint not null)")
        connection.execute("alter table public.noted disable row level security")
        connection.execute("grant insert on public.noted to worker_meta")
        yield connection


@pytest.fixture
def held(clone):
    """The lock that `meta.hold` waits for; `release` by closing it."""
    connection = psycopg.connect(clone, autocommit=True)
    connection.execute("select pg_advisory_lock(4711)")
    yield connection
    connection.close()


def enqueue(operator, kind: str, count: int = 1) -> None:
    operator.execute("select queue.enqueue('meta', %s) from generate_series(1, %s)", [kind, count])


def jobs(operator) -> list[tuple]:
    """Each job's attempts, and whether somebody holds it or it comes back by itself."""
    return operator.execute(
        "select case when lease is null then 'ready' else 'running' end, attempt"
        " from queue.jobs order by id"
    ).fetchall()


def until_empty(operator) -> None:
    """Wait for the queue to be empty; a notification or the next look tells."""
    for _ in range(HANG_SECONDS * 10):
        if not operator.execute("select 1 from queue.jobs limit 1").fetchone():
            return
        operator.execute("listen nothing_in_particular")
        list(operator.notifies(timeout=0.1, stop_after=1))
    raise AssertionError(f"still in the queue: {jobs(operator)}")


def test_an_idle_worker_ends_at_sigterm(clone):
    with worker(clone) as running:
        running.until("worker started")
        running.tell(signal.SIGTERM)

        assert running.ended() == 0
        running.until("worker stopped")


def test_sigterm_lets_a_running_job_finish(clone, operator, held):
    enqueue(operator, "meta.hold")
    with worker(clone) as running:
        running.until("handler began")
        running.tell(signal.SIGTERM)
        running.until("worker stopping")
        enqueue(operator, "meta.note")
        held.close()

        assert running.ended() == 0

    assert jobs(operator) == [("ready", 0)]  # the second one was not claimed any more


def test_a_second_sigterm_gives_the_job_back_with_its_attempt(clone, operator, held):
    enqueue(operator, "meta.hold")
    with worker(clone, CONNEXT_GRACE_SECONDS="600") as running:
        running.until("handler began")
        running.tell(signal.SIGTERM)
        running.until("worker stopping")
        running.tell(signal.SIGTERM)

        assert running.ended() == 0

    assert jobs(operator) == [("ready", 0)]


def test_the_end_of_the_grace_gives_the_job_back_with_its_attempt(clone, operator, held):
    enqueue(operator, "meta.hold")
    with worker(clone, CONNEXT_GRACE_SECONDS="0.1") as running:
        running.until("handler began")
        running.tell(signal.SIGTERM)

        assert running.ended() == 0

    assert jobs(operator) == [("ready", 0)]


def test_the_job_of_a_killed_worker_is_taken_over_after_its_lease(clone, operator, held):
    enqueue(operator, "meta.hold")
    with worker(clone) as first:
        first.until("handler began")
        first.tell(signal.SIGKILL)
        first.ended()
    held.close()

    with worker(clone) as second:
        second.until("expired leases swept")
        second.until("handler ended")
        until_empty(operator)


def test_an_attempt_ends_before_its_lease_and_is_repeated(clone, operator, held):
    enqueue(operator, "meta.hold")
    with worker(clone, CONNEXT_GRACE_SECONDS="0.1") as running:
        running.until("handler began")
        failed = running.until("job failed")
        running.tell(signal.SIGTERM)
        assert running.ended() == 0

    assert failed["reason"] == "Transient: the attempt took longer than 1.8 s"
    assert jobs(operator) == [("ready", 1)]


def test_the_worker_outlives_a_restart_of_the_database(clone, cluster):
    with psycopg.connect(clone, autocommit=True) as before:
        before.execute("create table public.noted (job bigint not null)")
        before.execute("grant insert on public.noted to worker_meta")
    with worker(clone, CONNEXT_LEASE_SECONDS="60") as running:
        running.until("worker started")
        server, port = cluster.cluster._server, cluster.cluster.port
        server.send_signal(signal.SIGQUIT)  # ends at once, as in a crash
        server.wait(HANG_SECONDS)
        running.until("claim failed")
        cluster.cluster.start(port)

        with psycopg.connect(clone, autocommit=True) as after:
            enqueue(after, "meta.note", 20)
            until_empty(after)
            [[noted]] = after.execute("select count(distinct job) from public.noted").fetchall()
        running.tell(signal.SIGTERM)

        assert running.ended() == 0
        assert noted == 20


def test_a_worker_that_never_polls_hears_of_jobs_again_after_a_restart(clone, cluster):
    with psycopg.connect(clone, autocommit=True) as before:
        before.execute("create table public.noted (job bigint not null)")
        before.execute("grant insert on public.noted to worker_meta")
    with worker(clone, CONNEXT_LEASE_SECONDS="60", CONNEXT_POLL_SECONDS="3600") as running:
        running.until("worker started")
        server, port = cluster.cluster._server, cluster.cluster.port
        server.send_signal(signal.SIGQUIT)
        server.wait(HANG_SECONDS)
        running.until("listener lost its connection")
        cluster.cluster.start(port)

        with psycopg.connect(clone, autocommit=True) as after:
            # The first may be found because a new listener looks once; the others only by hearing.
            for number in range(1, 4):
                enqueue(after, "meta.note", 1)
                until_empty(after)
                [[noted]] = after.execute("select count(*) from public.noted").fetchall()
                assert noted == number
        running.tell(signal.SIGTERM)

        assert running.ended() == 0


@pytest.mark.parametrize("kind", ["meta.note", "meta.note_apart"])
def test_two_workers_share_the_work_and_do_nothing_twice(clone, operator, kind):
    enqueue(operator, kind, 400)
    with (
        worker(clone, CONNEXT_LEASE_SECONDS="60", CONNEXT_WORKER_BATCH="10") as one,
        worker(clone, CONNEXT_LEASE_SECONDS="60", CONNEXT_WORKER_BATCH="10") as two,
    ):
        until_empty(operator)
        for running in (one, two):
            running.until("worker started")
            running.tell(signal.SIGTERM)
            assert running.ended() == 0

    noted = [row[0] for row in operator.execute("select job from public.noted").fetchall()]
    assert len(noted) == len(set(noted)) == 400


def test_health_readiness_and_metrics_are_served(clone, operator):
    port = free_port()
    with worker(clone, CONNEXT_HEALTH_PORT=str(port)) as running:
        enqueue(operator, "meta.note")
        until_empty(operator)

        answers = {}
        for path in ("healthz", "readyz", "metrics"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
                answers[path] = answer.read().decode()

        running.tell(signal.SIGTERM)
        assert running.ended() == 0

    assert answers["healthz"] == "ok\n"
    assert answers["readyz"] == "ready\n"
    finished = 'connext_jobs_total{kind="meta.note",outcome="succeeded",queue="meta"} 1.0'
    assert finished in answers["metrics"]


def test_a_taken_health_port_is_named(clone):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with worker(clone, CONNEXT_HEALTH_PORT=str(port)) as blocked:
            code = blocked.ended()
            text = blocked.rest()

    assert code != 0
    assert f"CONNEXT_HEALTH_PORT cannot be listened on (127.0.0.1:{port}: " in text


def test_a_worker_of_another_role_ends_and_says_which_queue_it_may_not_work(clone):
    with worker(clone, CONNEXT_DATABASE_URL=url_as(clone, "worker_stripe")) as wrong:
        code = wrong.ended()
        text = wrong.rest()

    assert code != 0
    assert "worker_stripe may not work the queue meta" in text


def test_no_password_is_in_anything_the_worker_writes(clone, cluster):
    with worker(
        clone, CONNEXT_LOG_LEVEL="debug", CONNEXT_DATABASE_URL=url_as(clone, "ingress")
    ) as (wrong):
        wrong.ended()
        text = wrong.rest()

    assert text
    assert cluster.password not in text
