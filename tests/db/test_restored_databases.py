"""A restored database serves nobody by itself; what opens it again, and what that does to consents."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from tests.books import refused
from tests.database import as_user, connect_as, url_as
from tests.world import hold_job, make_world
from workers.core.errors import Refused
from workers.db.pool import Database
from workers.jobqueue.gate import Gate
from workers.jobqueue.postgres import PostgresStore

GRANTS = "select given, grantee from privacy.outside_grants() order by 1, 2"
OUTSIDE = ("worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy", "ingress")


@pytest.fixture
def restored(clone):
    """A database of its own whose marks are those of another: what a backup looks like."""
    with psycopg.connect(clone) as db:
        world = make_world(db)
        db.execute(
            "insert into public.integrations (org_id, provider, status, consent_id, connected_at)"
            " select o.id, 'google_places', 'active', private.grant_consent(o.id, 'google_places', '{}'), now()"
            " from public.organizations as o"
        )
        db.execute("update privacy.incarnation set marks = '1/00000001/1'")
    return clone, world.ours


def ask(url, role="worker_meta", erasures=()):
    with connect_as(url, role, autocommit=True) as db:
        return db.execute("select queue.refusal(%s)", [list(erasures)]).fetchone()[0]


def rows(url, query, *values):
    with psycopg.connect(url, autocommit=True) as db:
        return db.execute(query, values).fetchall()


def open_again(url, *, stand=False):
    return rows(url, "select privacy.serve_again('a test', %s)", stand)[0][0]


def test_a_database_that_was_never_restored_refuses_nobody(clone):
    assert [ask(clone, role) for role in OUTSIDE] == [None] * len(OUTSIDE)


@pytest.mark.parametrize("role", ["worker_privacy", "ingress"])
def test_whoever_asks_first_locks_everybody_out(restored, role):
    url, _ = restored

    assert "restored from a backup" in ask(url, role)

    assert rows(url, GRANTS) == []
    for other in OUTSIDE:
        assert "restored" in ask(url, other)
    with connect_as(url, "worker_meta") as db, refused("42501"):
        db.execute("select * from queue.claim('meta', 1, '1 min')")
    with connect_as(url, "ingress") as db, refused("42501"):
        db.execute("select * from queue.ingest('meta', '[]')")


REQUESTS = (
    "select * from public.customers",
    "select * from public.memberships",
    "select public.my_permissions()",
    "select * from storage.objects",
    "select * from realtime.messages",
)


def test_nobody_signed_in_reaches_anything(restored):
    url, ours = restored
    with psycopg.connect(url) as db:  # the negative control: nothing of it is refused before
        as_user(db, ours.people["owner"], ours.id)
        for request in REQUESTS:
            db.execute(request)
    ask(url)

    for request in REQUESTS:
        with psycopg.connect(url) as db, refused("42501"):
            as_user(db, ours.people["owner"], ours.id)
            db.execute(request)


def test_opening_gives_back_exactly_what_was_taken(restored):
    url, _ = restored
    before = rows(url, GRANTS)
    acl = "select oid::regprocedure::text, proacl::text from pg_proc where pronamespace::regnamespace::text in ('public', 'private', 'queue') order by 1"
    privileges = {name: set((text or "").strip("{}").split(",")) for name, text in rows(url, acl)}
    ask(url)

    assert open_again(url) is not None

    assert rows(url, GRANTS) == before
    after = {name: set((text or "").strip("{}").split(",")) for name, text in rows(url, acl)}
    assert after == privileges
    assert ask(url) is None


def test_what_a_migration_grants_meanwhile_is_taken_as_well(restored):
    url, _ = restored
    before = rows(url, GRANTS)
    ask(url)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("grant execute on function public.my_permissions() to authenticated")
        db.execute("select privacy.refuse_to_serve('again')")

    assert rows(url, GRANTS) == []
    open_again(url)
    assert rows(url, GRANTS) == before


def test_consents_of_before_the_restore_open_nothing_until_somebody_confirms(restored):
    url, ours = restored
    with psycopg.connect(url) as db:
        db.execute("select queue.enqueue('meta', 'meta.test', %s)", [ours.id])
    ask(url)

    open_again(url)

    states = rows(url, "select provider, status from public.integrations where org_id = %s order by 1", ours.id)  # fmt: skip
    assert states == [
        ("google_places", "disconnected"),
        ("meta", "reauthorization_required"),
        ("telnyx", "reauthorization_required"),
    ]
    with connect_as(url, "worker_meta") as db:
        assert db.execute("select * from queue.claim('meta', 5, '1 min')").fetchall() == []
    withdrawn = rows(url, "select count(*) from public.consents where org_id = %s and provider = 'google_places' and live", ours.id)  # fmt: skip
    assert withdrawn == [(0,)]


def test_where_nothing_was_lost_the_consents_stand(restored):
    url, ours = restored
    ask(url)

    assert open_again(url, stand=True) == 0

    with psycopg.connect(url) as db:
        db.execute("grant worker_meta to current_user")
        assert hold_job(db, "meta", ours.id)
    said = rows(
        url, "select details ->> 'consents' from audit.events where kind = 'restore.opened'"
    )
    assert said == [("stand",)]


def test_it_opens_once_and_says_why(restored):
    url, _ = restored
    ask(url)
    with pytest.raises(psycopg.Error, match="say why"):
        rows(url, "select privacy.serve_again('  ', true)")
    open_again(url)

    assert open_again(url) is None
    kinds = rows(url, "select kind from audit.events where kind like 'restore.%%' order by id")
    assert kinds == [("restore.noticed",), ("restore.opened",)]


def test_a_table_that_a_dump_made_anew_is_a_restore(clone):
    with psycopg.connect(clone) as db:
        kept = db.execute("select marks, opened_why from privacy.incarnation").fetchone()
        db.execute("create table privacy.again (like privacy.incarnation including all)")
        db.execute("drop table privacy.incarnation")
        db.execute("alter table privacy.again rename to incarnation")
        db.execute("insert into privacy.incarnation (marks, opened_why) values (%s, %s)", kept)

    assert "restored" in ask(clone)


def test_an_erasure_that_the_journal_names_and_the_database_forgot_locks_it(clone):
    with psycopg.connect(clone) as db:
        ours = make_world(db).ours
        known = db.execute(
            "insert into privacy.erasures (org_id, subject_kind, state, plan_sha256, finished_at)"
            " values (%s, 'contact', 'completed', 'x', now()) returning id",
            [ours.id],
        ).fetchone()[0]

    assert ask(clone, "worker_privacy", [known]) is None
    assert "forgotten" in ask(clone, "worker_privacy", [known, uuid.uuid4()])
    assert ask(clone, "ingress") is not None


def test_two_that_notice_at_once_take_the_grants_once(restored):
    url, _ = restored
    before = rows(url, GRANTS)
    with connect_as(url, "worker_meta") as first:
        first.execute("select queue.refusal()")

        async def second():
            async with await psycopg.AsyncConnection.connect(url_as(url, "ingress")) as other:
                await other.execute("select queue.refusal()")

        async def both():
            waiting = asyncio.create_task(second())
            while True:  # until the second one waits for the first
                blocked = rows(url, "select count(*) from pg_locks where not granted")[0][0]
                if blocked or waiting.done():
                    break
                await asyncio.sleep(0.01)
            first.commit()
            await waiting

        asyncio.run(both())
    open_again(url)

    assert rows(url, GRANTS) == before


def test_nothing_is_erased_before_the_replay(restored):
    url, ours = restored
    ask(url)

    with psycopg.connect(url) as db, refused("CX120"):
        db.execute("select privacy.start_erasure(%s, gen_random_uuid(), 'x')", [ours.id])


# How a process meets it ------------------------------------------------------------------------


def gated(url, role, journal=None):
    """Let one coroutine run with the gate of a process that logs in as *role*."""

    async def run(what):
        async with Database(SecretStr(url_as(url, role)), application_name="test", size=2) as db:
            return await what(Gate(db, journal=journal), db)

    return lambda what: asyncio.run(run(what))


def test_a_new_connection_alone_is_enough_to_lock_it(restored):
    url, _ = restored

    async def claim(_gate, database):
        return await PostgresStore(database, "meta").claim(1, lease_for=timedelta(minutes=1))

    with pytest.raises(Refused, match="42501"):
        gated(url, "worker_meta")(claim)
    assert rows(url, GRANTS) == []


def test_a_worker_waits_and_goes_on_when_it_is_opened(restored):
    url, _ = restored
    looked = []

    async def wait(gate, _database):
        async def rest(_seconds):
            looked.append(await gate.refusal())
            open_again(url)

        await gate.opened(rest=rest)

    gated(url, "worker_meta")(wait)

    assert [("restored" in why) for why in looked] == [True]


def test_a_worker_at_work_ends_when_its_database_was_replaced(clone):
    async def watch(gate, _database):
        rests = 0

        async def rest(_seconds):
            nonlocal rests
            rests += 1
            if rests == 2:
                rows(clone, "update privacy.incarnation set marks = '1/1/1' returning 1")

        await gate.watch(rest=rest)

    with pytest.raises(Refused, match="restored from a backup"):
        gated(clone, "worker_meta")(watch)


def test_a_journal_that_cannot_be_read_proves_nothing(clone, tmp_path):
    file = tmp_path / "journal"

    async def look(gate, _database):
        return await gate.refusal()

    said = [gated(clone, "worker_privacy", file)(look)]
    for text in ("[1]\n", "no json\n", '{"id": 3}\n'):
        file.write_text(text)
        said.append(gated(clone, "worker_privacy", file)(look))

    assert all("cannot be read" in why for why in said)
    assert ask(clone) is None


def test_the_drills_are_counts_and_times(db):
    db.execute(
        "insert into privacy.drills (kind, result, evidence) values ('restore', 'passed', %s)",
        [Jsonb({"erasures": 1})],
    )
    with refused("23514"):
        db.execute("insert into privacy.drills (kind, result) values ('restore', 'perhaps')")
