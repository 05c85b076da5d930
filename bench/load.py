"""Load on the receiver: signed webhooks at a steady rate, then all at once, and what it cost.

The steady part keeps its own time: a delivery is sent when it is due, whatever became of the last
one, and its latency counts from then. A slow receiver cannot slow the measure down. A tenth of
what is sent is sent twice, as providers do.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from bench.cluster import durable_cluster
from bench.ingest import ROOT, SECRET, _await
from bench.results import Row, below
from bench.subjects import webhooks
from cli.embedded.cluster import free_port
from tests.database import url_as
from tests.messenger import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RATE = 200  # deliveries a second; Meta's own limit for a page is a fraction of it
FULL, QUICK = (40.0, 12_000), (8.0, 2_000)  # seconds of the steady part, deliveries of the burst
BURST_CONNECTIONS = 64
STEADY_CONNECTIONS = 100
TWICE = 0.1
# Meta waits five seconds and counts a later answer as none; most of it belongs to the way there.
STEADY_P99, BURST_P99 = 250.0, 2_500.0  # milliseconds
GROWTH = 64.0  # MiB
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
NOW = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)

Made = list[tuple[str, bytes]]


@dataclass
class Measured:
    """One part: what was answered, and what it left behind."""

    load: webhooks.Load
    lost: int
    doubled: int


@contextmanager
def receiver(url: str) -> Iterator[tuple[int, int]]:
    """Run the receiver as it is; yield its port and its process id."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "CONNEXT_DATABASE_URL": url_as(url, "ingress"),
        "CONNEXT_RECEIVER_PORT": str(port),
        "CONNEXT_LOG_LEVEL": "warning",
        "META_APP_SECRET": SECRET,
        "META_VERIFY_TOKEN": "unused",
    }
    command = [sys.executable, "-m", "cli", "receiver", "run"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            _await(port)
            yield port, process.pid
        finally:
            process.terminate()


def memory(pid: int, line: re.Pattern[str]) -> float:
    """Read the memory of a process, in MiB (Linux)."""
    found = line.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def with_repeats(made: Made) -> Made:
    """Send a tenth twice, the second time a little later."""
    chance = random.Random(len(made))  # noqa: S311 (repeatable, not secret)
    sent = list(made)
    for one in chance.sample(made, int(len(made) * TWICE)):
        at = sent.index(one)
        sent.insert(min(at + chance.randrange(1, 50), len(sent)), one)
    return sent


def steady(port: int, made: Made, rate: float) -> webhooks.Load:
    """Send each when it is due."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_steady(port, made, rate))


async def _steady(port: int, made: Made, rate: float) -> webhooks.Load:
    load = webhooks.Load()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    room = asyncio.Semaphore(STEADY_CONNECTIONS)

    async def ask(raw: bytes) -> bytes:
        """Send on an idle connection; one that the server has closed meanwhile is no failure."""
        while True:
            known = bool(idle)
            reader, writer = (
                idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
            )
            try:
                writer.write(raw)
                head = await reader.readuntil(webhooks.END)
            except (OSError, asyncio.IncompleteReadError):
                writer.close()
                if known:
                    continue
                raise
            idle.append((reader, writer))
            return head

    async def one(key: str, raw: bytes, due: float) -> None:
        async with room:
            try:
                head = await ask(raw)
            except (OSError, asyncio.IncompleteReadError):
                load.failed += 1
                return
        if head.startswith(webhooks.GOOD):
            load.answered.append(key)
            load.latencies.append(time.perf_counter() - due)
        else:
            load.failed += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, (key, raw) in enumerate(made):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(key, raw, due))
    load.seconds = time.perf_counter() - began
    for _, writer in idle:
        writer.close()
    return load


def audited(stage: Stage, load: webhooks.Load, expected: Sequence[tuple[str, bytes]]) -> Measured:
    """Compare what was answered with what is stored and enqueued, and clear it away."""
    kept = [row["event_key"] for row in stage.do("select event_key from queue.webhook_events")]
    jobs = stage.one("select count(*) as n from queue.jobs where kind = 'meta.event'")["n"]
    lost = len(set(load.answered) - set(kept)) + max(len(set(kept)) - jobs, 0)
    doubled = len(kept) - len(set(kept)) + max(jobs - len(set(kept)), 0)
    assert set(kept) <= {key for key, _ in expected}
    stage.do("truncate queue.webhook_events, queue.jobs")
    return Measured(load, lost, doubled)


def run(*, quick: bool) -> list[Row]:
    """Run both parts against one receiver."""
    seconds, burst = QUICK if quick else FULL
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster())
        stage = Stage(cluster.url(cluster.create(cluster.build_template(), "load")))
        port, pid = stack.enter_context(receiver(stage.url))
        make = lambda name, count: webhooks.requests(name, count, page=stage.page, secret=SECRET)  # noqa: E731 - only here
        webhooks.send(port, make("warm", 500), connections=8, seconds=5)
        stage.do("truncate queue.webhook_events, queue.jobs")
        before = memory(pid, NOW)

        made = with_repeats(make("steady", int(RATE * seconds / (1 + TWICE))))
        calm = audited(stage, steady(port, made, RATE), made)
        made = with_repeats(make("burst", burst))
        load = webhooks.send(port, made, connections=BURST_CONNECTIONS, seconds=120)
        wild = audited(stage, load, made)
        peak = memory(pid, PEAK)
    return _rows(calm, wild, before, peak)


def _rows(calm: Measured, wild: Measured, before: float, peak: float) -> list[Row]:
    failed = calm.load.failed + wild.load.failed
    return [
        below(f"{RATE}/s: p50", calm.load.percentile(0.5), STEADY_P99, "ms"),
        below(f"{RATE}/s: p99", calm.load.percentile(0.99), STEADY_P99, "ms"),
        _at_least(f"{RATE}/s: answered", calm.load.rate, RATE * 0.95),
        _at_least("burst: answered", wild.load.rate, RATE),
        below("burst: p50", wild.load.percentile(0.5), BURST_P99, "ms"),
        below("burst: p99", wild.load.percentile(0.99), BURST_P99, "ms"),
        _none("not answered with 200", failed),
        _none("answered and lost", calm.lost + wild.lost),
        _none("stored twice", calm.doubled + wild.doubled),
        below("memory that the load added", peak - before, GROWTH, "MiB"),
        below("memory at most", peak, 256.0, "MiB"),
    ]  # fmt: skip


def _at_least(name: str, value: float, goal: float) -> Row:
    return Row(name, value, "1/s", f">= {goal:g} 1/s", value >= goal)


def _none(name: str, count: int) -> Row:
    return Row(name, count, "webhooks", "none", reached=count == 0)
