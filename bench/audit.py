"""What it costs a write to be audited: eight clients, each write a transaction of its own.

Twice: a write of the product that leaves an event, with and without its trigger; and the barest
write there is, which nothing can hide behind.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench import results
from bench.cluster import durable_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS, ROUNDS, SECONDS, GOAL = 8, 5, 6, 0.7

# The barest write there is, with and without a trigger like those of audited tables.
SCHEMA = """
    create table public.bench_plain (
        id bigint generated always as identity primary key, org_id uuid, n integer not null
    );
    create table public.bench_audited (like public.bench_plain including all);
    create function public.bench_audit() returns trigger language plpgsql volatile
    security definer set search_path = '' as $$
    begin
        insert into audit.events (org_id, actor, kind, subject)
        values (new.org_id, session_user, audit.kind('bench.done'), new.org_id);
        return new;
    end;
    $$;
    create trigger bench_audited_insert_audit after insert on public.bench_audited
    for each row execute function public.bench_audit();
"""
# A hundred organizations, as their ids are made: not one of its own for every write.
WRITE = (
    "insert into public.{} (org_id, n)"
    " values (('0198c0de-0000-7000-8000-0000000000' || floor(random() * 90 + 10)::text)::uuid, 1)"
)
# Keeping a row from erasure: one table, one trigger, nothing else.
HOLD = (
    "insert into privacy.holds (org_id, table_name, row_id, reason, provision, holds_until)"
    " values (('0198c0de-0000-7000-8000-0000000000' || floor(random() * 90 + 10)::text)::uuid,"
    " 'public.invoices', gen_random_uuid(), 'open dispute', 'GDPR Art. 17(3)(e)',"
    " now() + interval '1 year')"
)
BARE = "public.bench_audited"
TRIGGER = "alter table privacy.holds {} trigger holds_change_audit"
# For machines without pgbench: as many processes, each counting what it wrote.
CLIENT = """
import sys, threading, psycopg
over = threading.Event()
threading.Timer(float(sys.argv[3]), over.set).start()
done = 0
with psycopg.connect(sys.argv[1], autocommit=True, prepare_threshold=0) as db:
    while not over.is_set():
        db.execute(sys.argv[2]); done += 1
print(done / float(sys.argv[3]))
"""


def run(*, quick: bool) -> list[results.Row]:
    """Write for six seconds, five times, each kind in turn."""
    rounds, seconds = (1, 2) if quick else (ROUNDS, SECONDS)
    measure = _pgbench if shutil.which("pgbench") else _processes
    kinds = [
        Kind("a hold", HOLD, HOLD, "privacy.holds", switch=True),
        Kind("the barest write", *map(WRITE.format, ("bench_plain", "bench_audited")), BARE),
    ]
    with durable_cluster() as cluster:
        url = cluster.url(cluster.create(cluster.build_template(), "bench"))
        with psycopg.connect(url) as db:
            db.execute(SCHEMA)
            before = _count(db, "audit.events")
        for _ in range(rounds):
            for kind in kinds:
                kind.turn(url, lambda statement: measure(url, statement, seconds))
        with psycopg.connect(url) as db:
            # Every write left its event.
            written = sum(kind.written for kind in kinds)
            assert _count(db, "audit.events") - before == written
    how = f"{CLIENTS} clients ({measure.__name__.strip('_')})"
    return [
        results.at_least(
            f"{kind.name}, audited, {how}",
            statistics.median(kind.audited), statistics.median(kind.plain), GOAL, "writes/s",
        )
        for kind in kinds
    ]  # fmt: skip


@dataclass
class Kind:
    """One kind of write, as it is without and with its event."""

    name: str
    without: str
    audited_write: str
    table: str
    switch: bool = False  # the same table for both, its trigger off and on
    written: int = 0
    plain: list[float] = field(default_factory=list)
    audited: list[float] = field(default_factory=list)

    def turn(self, url: str, rate: Callable[[str], float]) -> None:
        """Write without and with events, and count the rows that should have left one."""
        with psycopg.connect(url, autocommit=True) as db:
            if self.switch:
                db.execute(TRIGGER.format("disable").encode())
            self.plain.append(rate(self.without))
            if self.switch:
                db.execute(TRIGGER.format("enable").encode())
            before = _count(db, self.table)
            self.audited.append(rate(self.audited_write))
            self.written += _count(db, self.table) - before


def _count(db: psycopg.Connection, table: str) -> int:
    row = db.execute(f"select count(*) from {table}".encode()).fetchone()  # noqa: S608 - our own names
    assert row is not None
    return int(row[0])


def _pgbench(url: str, statement: str, seconds: int) -> float:
    """Let pgbench write; it costs the least beside the server."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "write.sql"
        script.write_text(statement + ";\n")
        words = [
            "pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds),
            "-f", str(script),
        ]  # fmt: skip
        done = subprocess.run(
            words, env=_environment(url), capture_output=True, text=True, check=True
        )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    assert found is not None, done.stdout
    return float(found[1])


def _environment(url: str) -> dict[str, str]:
    parts = conninfo_to_dict(url)
    found = {f"PG{key.upper()}": str(parts[key]) for key in ("host", "port", "user", "password")}
    return found | {"PGDATABASE": str(parts["dbname"]), "PATH": os.environ["PATH"]}


def _processes(url: str, statement: str, seconds: int) -> float:
    """Let that many processes write."""
    words = [sys.executable, "-c", CLIENT, url, statement, str(seconds)]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)]
    return sum(float(one.communicate()[0]) for one in running)
