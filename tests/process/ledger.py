"""What the tests of breaking things share: jobs, the ledger of their effects, and waiting."""

from __future__ import annotations

import signal
from collections import Counter
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from cli.embedded import process
from tests.children import HANG_SECONDS


@contextmanager
def ledger(url):
    """An operator's connection to a database whose handlers can write public.noted."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "create table public.noted"
            " (job bigint not null, at timestamptz not null default clock_timestamp())"
        )
        connection.execute("alter table public.noted disable row level security")
        connection.execute("grant select, insert on public.noted to worker_meta")
        yield connection


def enqueue(operator, kind, count=1, **more):
    """Enqueue jobs; return their ids."""
    given = {"max_attempts": 10, "ordering_key": None, **more}
    rows = operator.execute(
        "select queue.enqueue('meta', %s, max_attempts => %s::smallint, ordering_key => %s)"
        " from generate_series(1, %s)",
        [kind, given["max_attempts"], given["ordering_key"], count],
    ).fetchall()
    return [row[0] for row in rows]


def until(condition, what="it"):
    """Wait for something that only shows in the database or at another process."""
    assert process.wait_until(condition, HANG_SECONDS), f"{what} did not happen in time"


def swept_empty(operator):
    """Whether nothing is left to do; expired leases are swept here too, beside the workers."""
    operator.execute("select queue.sweep('meta')")
    return operator.execute("select 1 from queue.jobs limit 1").fetchone() is None


def until_empty(operator):
    until(lambda: swept_empty(operator), "an empty queue")


def effects(operator):
    """How often each job took effect."""
    return Counter(row[0] for row in operator.execute("select job from public.noted").fetchall())


def dead(operator):
    rows = operator.execute("select id, reason from queue.dead_jobs order by id").fetchall()
    return dict(rows)


def durable(url):
    """Keep what is committed, although the run's cluster does not wait for the disk by default."""
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter database {} set synchronous_commit = on").format(sql.Identifier(name))
        )


def crash(cluster):
    """End the server at once; return a call that starts it again."""
    server, port = getattr(cluster.cluster, "_server", None), cluster.cluster.port
    if server is None:
        pytest.skip("only the embedded server can be killed")
    server.send_signal(signal.SIGQUIT)
    server.wait(HANG_SECONDS)
    return lambda: cluster.cluster.start(port)
