"""Sealing the audit by a worker: its own role, one at a time, with a key and an anchor outside."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors
from pydantic import SecretStr

from cli import auditing, signing
from sandbox.embedded import receiving
from tests.database import connect_as
from tests.messenger import _attempt, _opened
from workers.core import signing as keys
from workers.core.clock import SystemClock
from workers.jobqueue.outcome import Dead, Parked, Retry
from workers.jobqueue.postgres import PostgresStore
from workers.jobs import sealing_audit
from workers.jobs.registry import Registry
from workers.providers import http
from workers.providers.anchor.client import UrlAnchor
from workers.services.auditing import FileAnchor, Sealing

ADD = (
    "insert into audit.events (actor, kind, details) select 'test', 'test.done', jsonb_build_object('word', 'w')"
    " from generate_series(1, %s)"
)


class Desk:
    """A database of one's own, its worker of upkeep, and what an auditor has."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.lines = folder / "anchors.jsonl"
        self.signer = self.key("one")
        self.do("delete from queue.schedules")

    def key(self, name):
        path = self.folder / f"{name}.pem"
        if not path.exists():
            signing.make(path)
        return keys.load(path)

    def do(self, statement, *values):
        with psycopg.connect(self.url, autocommit=True) as db:
            cursor = db.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def add(self, count=3):
        self.do(ADD, count)

    def work(self, sealing):
        """Work one job of sealing as worker_privacy; return how it ended."""
        self.do("delete from queue.jobs")
        self.do("select queue.enqueue('upkeep', 'upkeep.seal_audit', null)")

        async def run():
            registry = Registry()
            sealing_audit.register(registry, sealing=sealing)
            async with _opened(self.url, "worker_privacy") as database, asyncio.timeout(60):
                store = PostgresStore(database, "upkeep")
                (job,) = await store.claim(1, lease_for=timedelta(minutes=1))
                return await _attempt(store, database, registry, job)

        return asyncio.run(run())

    def sealing(self, anchor="file", signer=None):
        return Sealing(signer or self.signer, FileAnchor(self.lines) if anchor else None)

    def epochs(self):
        return self.do("select n, events, anchored_at is not null from audit.epochs order by n")

    def anchored(self):
        if not self.lines.exists():
            return []
        lines = self.lines.read_text().splitlines()
        return [json.loads(json.loads(line)["body"])["n"] for line in lines]

    def verified(self, expected=None):
        """Verify what an auditor would export, offline."""
        out = self.folder / "audit.jsonl"
        auditing.export(None, out)
        anchor = self.lines if self.lines.exists() else None
        return auditing.verify(out, anchor=anchor, expected=expected)


@pytest.fixture
def desk(clone, tmp_path, monkeypatch):
    monkeypatch.setenv("CONNEXT_DATABASE_URL", clone)
    return Desk(clone, tmp_path)


def test_the_worker_seals_what_is_over_and_writes_it_outside(desk):
    desk.add()
    assert desk.work(desk.sealing()) == "done"
    desk.add(2)
    assert desk.work(desk.sealing()) == "done"
    assert desk.work(desk.sealing()) == "done"  # nothing new is no error

    assert [(n, anchored) for n, _, anchored in desk.epochs()] == [(1, True), (2, True)]
    assert desk.anchored() == [1, 2]
    found = desk.verified(desk.signer.key_id)
    assert (found.wrong, found.epochs, found.unsealed) == ([], 2, 0)


def test_without_a_key_it_says_so_and_seals_nothing(desk):
    desk.add()

    outcome = desk.work(None)

    assert isinstance(outcome, Parked)
    assert "CONNEXT_SIGNING_KEY is not set" in outcome.reason
    assert desk.epochs() == []


def test_a_key_that_is_none_is_named(tmp_path):
    (tmp_path / "bad.pem").write_text("no key")

    for name in ("bad.pem", "missing.pem"):
        with pytest.raises(Exception, match=f"CONNEXT_SIGNING_KEY names .*{name}"):
            keys.load(tmp_path / name)


def test_what_is_in_flight_waits_for_the_next_epoch(desk):
    desk.add(1)
    with psycopg.connect(desk.url) as open_one:
        open_one.execute(ADD, [1])
        desk.add(1)
        desk.work(desk.sealing())
        before = sum(events for _, events, _ in desk.epochs())
    desk.work(desk.sealing())

    assert sum(events for _, events, _ in desk.epochs()) == before + 2
    assert desk.verified().wrong == []


def test_two_sealers_at_once_make_one_chain(desk):
    desk.add(50)
    barrier = threading.Barrier(4)

    def seal(results, index):
        async def run():
            async with _opened(desk.url, "worker_privacy" if index % 2 else "postgres") as database:
                await asyncio.to_thread(barrier.wait, 20)
                done = await Sealing(desk.signer, None).run(database.transaction, most=10)
                results.append(len(done.epochs))

        asyncio.run(run())

    results = []
    threads = [threading.Thread(target=seal, args=(results, index)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(results) == 4  # nobody failed
    assert sum(results) == len(desk.epochs()) > 0
    assert (desk.verified().wrong, desk.verified().unsealed) == ([], 0)


def test_a_backlog_becomes_several_epochs_and_one_transaction_stays_whole(desk):
    desk.work(desk.sealing())
    before = len(desk.epochs())
    for _ in range(7):
        desk.add(1)
    desk.add(25)  # of one transaction
    desk.add(1)

    async def run():
        async with _opened(desk.url, "worker_privacy") as database:
            return await Sealing(desk.signer, None).run(database.transaction, most=5)

    asyncio.run(run())

    assert [events for _, events, _ in desk.epochs()][before:] == [5, 2, 25, 1]
    assert desk.verified().wrong == []


def test_an_anchor_that_cannot_be_written_is_caught_up_with(desk):
    desk.lines.mkdir()
    desk.add()

    outcome = desk.work(desk.sealing())

    assert isinstance(outcome, Parked)
    assert "CONNEXT_AUDIT_ANCHOR cannot be written" in outcome.reason
    assert [anchored for _, _, anchored in desk.epochs()] == [False]
    desk.lines.rmdir()
    desk.add()
    assert desk.work(desk.sealing()) == "done"
    assert desk.anchored() == [1, 2]


def test_without_an_anchor_it_seals_and_what_waits_is_written_once_there_is_one(desk):
    desk.add()
    assert desk.work(desk.sealing(anchor=None)) == "done"
    assert desk.anchored() == []

    assert desk.work(desk.sealing()) == "done"
    assert desk.anchored() == [1]


def by_url(desk, inbox, run):
    async def go():
        async with http.client() as client:
            anchor = UrlAnchor(
                client, url=f"{inbox.url}/roots", token=SecretStr("t0ken"), clock=SystemClock()
            )
            async with _opened(desk.url, "postgres") as database:
                return await run(Sealing(desk.signer, anchor), database)

    return asyncio.run(go())


async def _sealed(sealing, database):
    return await sealing.run(database.transaction)


def test_an_address_gets_each_epoch_once_and_with_its_token(desk):
    desk.add()
    with receiving() as inbox:
        by_url(desk, inbox, _sealed)
        by_url(desk, inbox, _sealed)
        (post,) = inbox.posts()

    assert (post.path, post.headers["authorization"]) == ("/roots", "Bearer t0ken")
    assert signing.verified(json.loads(post.body), expected=desk.signer.key_id)["n"] == 1


@pytest.mark.parametrize(("status", "ending"), [(503, Retry), (401, Dead)])
def test_an_address_that_refuses_leaves_the_epoch_waiting(desk, status, ending):
    desk.add()
    with receiving() as inbox:
        inbox.answer = lambda _request: (status, "text/plain", b"no")

        async def attempt(sealing, _database):
            desk.do("select queue.enqueue('upkeep', 'upkeep.seal_audit', null)")
            registry = Registry()
            sealing_audit.register(registry, sealing=sealing)
            async with _opened(desk.url, "worker_privacy") as database:
                store = PostgresStore(database, "upkeep")
                (job,) = await store.claim(1, lease_for=timedelta(minutes=1))
                return await _attempt(store, database, registry, job)

        outcome = by_url(desk, inbox, attempt)
        assert isinstance(outcome, ending)
        assert "t0ken" not in outcome.reason
        assert [anchored for _, _, anchored in desk.epochs()] == [False]

        inbox.clear()
        by_url(desk, inbox, _sealed)
    assert [anchored for _, _, anchored in desk.epochs()] == [True]


def test_epochs_of_an_old_key_verify_after_it_was_changed(desk):
    desk.add()
    desk.work(desk.sealing())
    desk.add()
    desk.work(desk.sealing(signer=desk.key("two")))

    assert desk.verified().wrong == []
    assert len(desk.verified(desk.signer.key_id).wrong) > 0  # pinned to one, the other is named


def test_a_public_half_cannot_be_swapped_under_its_name(desk):
    desk.add()
    desk.work(desk.sealing())
    for statement in (
        "update audit.signing_keys set public_key = sha256('x')",
        "delete from audit.signing_keys",
        "truncate audit.signing_keys",
    ):
        with pytest.raises(psycopg.Error, match="never changed or deleted"):
            desk.do(statement)
    with pytest.raises(errors.CheckViolation):
        desk.do("insert into audit.signing_keys (key_id, public_key) select key_id, sha256('x') from audit.signing_keys")  # fmt: skip


def test_an_epoch_without_its_range_or_predecessor_is_refused(desk):
    desk.add()
    desk.work(desk.sealing())
    store = (
        "select audit.seal_signed(%s, %s, %s, %s, sha256('r'), %s, sha256('h'), 'x', decode(repeat('00', 64), 'hex'), sha256('k'))"
    )  # fmt: skip
    ((n, start, end, prev),) = desk.do("select n, from_xid, to_xid, prev from audit.sealable_range()")  # fmt: skip
    with connect_as(desk.url, "worker_privacy", autocommit=True) as worker:
        for values in (
            (n + 1, start, end, 0, prev),
            (n, start - 1, end, 0, prev),
            (n, start, end + 1000, 0, prev),
            (n, start, end, 7, prev),
            (n, start, end, 0, b"\0" * 32),
        ):
            with pytest.raises(psycopg.Error) as refused:
                worker.execute(store, values)
            assert refused.value.sqlstate in {"CX097", "23514"}


def test_the_worker_reads_events_behind_the_horizon_and_no_table(desk):
    desk.add()
    with connect_as(desk.url, "worker_privacy", autocommit=True) as worker:
        for table in ("events", "epochs", "signing_keys", "receipts"):
            with pytest.raises(errors.InsufficientPrivilege):
                worker.execute(f"select * from audit.{table}")
        for call in ("audit.seal(1, '0', '1', 0, '', '', '', '', '', '')", "audit.purge(now())"):
            with pytest.raises(errors.InsufficientPrivilege):
                worker.execute(f"select {call}")
        with psycopg.connect(desk.url) as open_one:
            open_one.execute(ADD, [5])
            shown = worker.execute("select count(*) from audit.sealable(0, 9223372036854775807, -1, 100)")  # fmt: skip
            assert shown.fetchone() == tuple(
                desk.do("select count(*) from audit.events")[0]
            )  # without the five that may still be rolled back
