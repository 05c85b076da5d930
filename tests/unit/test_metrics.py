"""What is counted, what the page about it says, and that no label can be a person."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from workers.core.metrics import WAITS, Metrics
from workers.core.tallies import Spread, Tally
from workers.jobqueue import depth, health
from workers.jobqueue.job import Job, waited
from workers.jobqueue.store import Depth
from workers.receiver.counters import Counters

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(connext_\w+)` \|([^|]*)\|", re.MULTILINE)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HARMLESS = {"scope", "queue", "kind", "state", "outcome", "reason", "provider", "status", "code"}


def told(registry):
    """Name and labels of every metric, as they stand in the text."""
    return {
        metric.name + ("_total" if metric.type == "counter" else ""): metric
        for metric in registry.collect()
    }


def labels(registry):
    return {
        collector._name: set(collector._labelnames) for collector in registry._collector_to_names
    }


def sample(metrics, line):
    return line in metrics.text().decode().splitlines()


def test_the_page_names_every_metric_and_no_other():
    documented = [name for name, _ in ROW.findall(PAGE.read_text())]

    counted = {**told(Metrics().registry), **told(Counters().registry)}
    assert sorted(documented) == sorted(counted)


def test_the_page_names_the_labels_of_every_metric():
    documented = {
        name.removesuffix("_total"): {word.strip() for word in words.split(",") if word.strip()}
        for name, words in ROW.findall(PAGE.read_text())
    }

    assert documented == labels(Metrics().registry) | labels(Counters().registry)
    assert set().union(*documented.values()) == HARMLESS


def job(**changed):
    made = Job(
        id=1, queue="meta", kind="meta.send", org_id=None, ordering_key=None, priority=0,
        payload={}, attempt=1, max_attempts=10, lease=uuid4(),
        created_at=NOW - timedelta(seconds=90), run_at=NOW - timedelta(seconds=3),
    )  # fmt: skip
    return made._replace(**changed)


@pytest.mark.parametrize(
    ("changed", "seconds"),
    [
        ({}, 3.0),  # retried: from when it was due again
        ({"run_at": NOW - timedelta(days=1)}, 90.0),  # revived: not from before it existed
        ({"run_at": NOW + timedelta(seconds=1)}, 0.0),  # the database's clock is ahead
    ],
)
def test_a_job_is_waited_for_from_when_it_was_due(changed, seconds):
    metrics, due = Metrics(), job(**changed)

    metrics.waited(due.queue, due.kind, waited(due, now=NOW))

    line = f'connext_job_wait_seconds_sum{{kind="meta.send",queue="meta"}} {seconds}'
    assert sample(metrics, line)


class Counted:
    queue = "meta"

    def __init__(self, *depths):
        self.depths = depths

    async def stats(self):
        return self.depths


def test_the_lag_is_the_oldest_due_job_of_the_queues_worked_here():
    metrics = Metrics()
    store = Counted(
        Depth("meta", "meta.event", 5, 0, 0, 12.5),
        Depth("meta", "meta.send", 1, 0, 2, None),
        Depth("stripe", "stripe.sync", 9, 0, 0, 900.0),
    )

    asyncio.run(depth.refresh(store, queues={"meta"}, metrics=metrics))

    assert metrics.lag == timedelta(seconds=12.5)
    assert sample(metrics, 'connext_queue_jobs{kind="meta.send",queue="meta",state="dead"} 2.0')
    assert "stripe" not in metrics.text().decode()

    asyncio.run(depth.refresh(Counted(), queues={"meta"}, metrics=metrics))
    assert metrics.lag == timedelta()
    assert "meta.send" not in metrics.text().decode()


@pytest.mark.parametrize(
    ("answered", "lag", "refused", "obstacle"),
    [
        (True, 299, None, None),
        (True, 301, None, "a due job waits for 301 s"),
        (False, 0, None, "no recent answer from the database"),
        (True, 0, "it was restored", "it was restored"),
    ],
)
def test_a_worker_is_ready_while_the_database_answers_and_nothing_is_late(
    answered, lag, refused, obstacle
):
    from workers.main import _obstacle

    async def refusal():
        return refused

    gate = SimpleNamespace(refusal=refusal)

    metrics = Metrics()
    metrics.lag = timedelta(seconds=lag)
    runners = [SimpleNamespace(is_ready=True), SimpleNamespace(is_ready=answered)]
    settings = SimpleNamespace(ready_lag=timedelta(seconds=300))
    parts = SimpleNamespace(metrics=metrics, settings=settings)

    assert asyncio.run(_obstacle(runners, parts, gate)) == obstacle


@pytest.mark.parametrize(
    ("reason", "status", "text"),
    [(None, 200, "ready\n"), ("too much waits", 503, "not ready: too much waits\n")],
)
def test_readiness_says_what_is_in_the_way(reason, status, text):
    import httpx

    async def obstacle():
        return reason

    app = health.build(obstacle=obstacle, metrics=lambda: b"figures\n")

    async def ask(path):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://health") as client:
            return await client.get(path)

    ready = asyncio.run(ask("/readyz"))
    assert (ready.status_code, ready.text) == (status, text)
    assert asyncio.run(ask("/metrics")).text == "figures\n"
    assert asyncio.run(ask("/healthz")).status_code == 200


@given(
    amounts=st.lists(
        st.one_of(st.sampled_from([*WAITS, -1.0, 1e9]), st.floats(0, 5000, allow_nan=False)),
        max_size=30,
    ),
    waits=st.lists(st.tuples(st.sampled_from(["b", "a"]), st.sampled_from(WAITS)), max_size=10),
    counts=st.lists(
        st.tuples(st.sampled_from(["meta", 'st"ripe']), st.integers(1, 9)), max_size=10
    ),
)
def test_what_one_thread_counts_is_told_as_the_library_tells_it(amounts, waits, counts):
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    spread = Spread("seconds", "How long.", WAITS, registry=ours)
    parted = Spread("waits", "By kind.", WAITS, ["kind"], registry=ours)
    tally = Tally("calls", "How many.", ["provider"], registry=ours)
    histogram = Histogram("seconds", "How long.", buckets=WAITS, registry=theirs)
    by_kind = Histogram("waits", "By kind.", ["kind"], buckets=WAITS, registry=theirs)
    counter = Counter("calls", "How many.", ["provider"], registry=theirs)

    for amount in amounts:
        spread.observe(amount)
        histogram.observe(amount)
    for kind, amount in waits:
        parted.observe(amount, (kind,))
        by_kind.labels(kind).observe(amount)
    for provider, count in counts:
        tally.add((provider,), count)
        counter.labels(provider).inc(count)

    def lines(registry):
        text = generate_latest(registry).decode().splitlines()
        return sorted(line for line in text if "_created" not in line)

    assert lines(ours) == lines(theirs)
