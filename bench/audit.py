"""What it costs a write to be audited: eight clients, each write a transaction of its own."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench import results
from bench.cluster import durable_cluster

CLIENTS, ROUNDS, SECONDS, GOAL = 8, 5, 6, 0.7

# The barest write there is, with and without the trigger that every audited table has: anything
# larger hides the cost of the audit.
SCHEMA = """
    create table public.bench_plain (
        id bigint generated always as identity primary key, org_id uuid, n integer not null
    );
    create table public.bench_audited (like public.bench_plain including all);
    create function public.bench_audit() returns trigger language plpgsql volatile
    security definer set search_path = '' as $$
    begin
        insert into audit.events (org_id, actor, kind, details)
        values (new.org_id, session_user, 'bench.done', jsonb_build_object('request', new.org_id));
        return null;
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
    """Write for six seconds, five times, each table in turn."""
    rounds, seconds = (1, 2) if quick else (ROUNDS, SECONDS)
    measure = _pgbench if shutil.which("pgbench") else _processes
    speeds: dict[str, list[float]] = {"bench_plain": [], "bench_audited": []}
    with durable_cluster() as cluster:
        url = cluster.url(cluster.create(cluster.build_template(), "bench"))
        with psycopg.connect(url) as db:
            db.execute(SCHEMA)
            before = _count(db, "audit.events")
        for _ in range(rounds):
            for table, found in speeds.items():
                found.append(measure(url, WRITE.format(table), seconds))
        with psycopg.connect(url) as db:
            written = _count(db, "public.bench_audited")
            assert _count(db, "audit.events") - before == written  # every write left its event
    plain, audited = (statistics.median(speeds[name]) for name in speeds)
    what = f"audited writes, {CLIENTS} clients ({measure.__name__.strip('_')})"
    return [results.at_least(what, audited, plain, GOAL, "writes/s")]


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
