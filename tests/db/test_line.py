"""A line: one connection for call after call, whatever happens to it between or during them."""

import asyncio
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from workers.core.errors import Refused, Transient, Unavailable
from workers.db import calls, pool
from workers.db.line import Call, Line
from workers.db.pool import Database

HANG_SECONDS = 20
ECHO = Call("public.line_echo(text, jsonb)", ("size", "backend"))
CHANGED = Call("public.line_changes(text)", ("number", "other"))
PREPARED_AFTER = 5  # uses of a statement, as the pool has it
WAIT = Call("public.line_wait(text)", ("backend",))
FUNCTIONS = """
    create or replace function public.line_echo(word text, document jsonb)
    returns table (size integer, backend integer) language plpgsql set search_path = '' as $$
    begin
        if line_echo.word = 'refuse' then
            raise exception 'no' using errcode = 'CX031';
        end if;
        return query select length(line_echo.document ->> 0), pg_catalog.pg_backend_pid();
    end $$;
    -- Waits for the lock that the test holds.
    create or replace function public.line_wait(word text)
    returns table (backend integer) language plpgsql set search_path = '' as $$
    begin
        perform pg_catalog.pg_advisory_xact_lock(4711);
        return query select pg_catalog.pg_backend_pid();
    end $$;
"""


@pytest.fixture(scope="module")
def url(cluster, template):
    name = cluster.create(template, "line")
    url = cluster.url(name)
    with psycopg.connect(url) as db:
        db.execute(FUNCTIONS)
    yield url
    cluster.drop(name)


@asynccontextmanager
async def line_to(url, *, size=1):
    async with asyncio.timeout(HANG_SECONDS):
        database = Database(SecretStr(url), application_name="test-line", size=size)
        async with database:
            line = Line(database)
            line.database = database
            yield line
            await line.release()


async def echo(line, letters=1):
    size, backend = await line.integers(ECHO, b"word", b'["%s"]' % (b"x" * letters))
    assert size == letters
    return backend


async def turn():
    """Let the loop read what has come by its sockets."""
    for _ in range(3):
        ready = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(ready.set_result, None)
        await ready


@asynccontextmanager
async def waiting(url, line):
    """A call that is under way until the block ends; yields its task and its backend."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
        await db.execute("select pg_advisory_lock(4711)")
        task = asyncio.create_task(line.integers(WAIT, b""))
        backend = None
        while backend is None:
            row = await (
                await db.execute(
                    "select pid from pg_locks where locktype = 'advisory' and not granted"
                    " and database = (select oid from pg_database where datname = current_database())"
                )
            ).fetchone()
            backend = row and row[0]
        yield task, backend, db


def test_calls_share_a_connection_until_it_is_given_back(url):
    async def run():
        async with line_to(url) as line:
            backends = {await echo(line) for _ in range(3)}
            lent = line.database._pool.get_stats()["pool_available"]
            await line.release()
            back = line.database._pool.get_stats()["pool_available"]
            # What was prepared on it before is known, and its socket is watched again.
            backends.add(await echo(line))
            return backends, lent, back

    backends, lent, back = asyncio.run(run())

    assert len(backends) == 1
    assert (lent, back) == (0, 1)


def test_an_argument_larger_than_the_socket_goes_through(url):
    async def run():
        async with line_to(url) as line:
            await echo(line, 20_000_000)
            await echo(line)

    asyncio.run(run())


def test_a_refusal_is_told_as_everywhere_and_leaves_the_line_whole(url):
    async def run():
        async with line_to(url) as line:
            before = await echo(line)
            with pytest.raises(Refused) as refused:
                await line.integers(ECHO, b"refuse", b"[]")
            with pytest.raises(Refused) as broken:
                await line.integers(ECHO, b"word", b"[")
            return before, await echo(line), refused.value.sqlstate, broken.value.sqlstate

    before, after, refused, broken = asyncio.run(run())

    assert before == after
    assert (refused, broken) == ("CX031", "22P02")


def test_a_server_that_went_between_two_calls_costs_nothing(url):
    async def run():
        async with line_to(url) as line:
            before = await echo(line)
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
                await db.execute("select pg_terminate_backend(%s, 5000)", [before])
            await turn()
            return before, await echo(line)

    before, after = asyncio.run(run())

    assert before != after


def test_a_server_that_goes_during_a_call_is_away_and_the_next_call_finds_it_again(url):
    async def run():
        async with line_to(url) as line:
            async with waiting(url, line) as (task, backend, db):
                await db.execute("select pg_terminate_backend(%s, 5000)", [backend])
                with pytest.raises(Unavailable):
                    await task
            return backend, await echo(line)

    lost, found = asyncio.run(run())

    assert lost != found


def test_a_connection_that_was_closed_under_it_costs_one_call(url):
    async def run():
        async with line_to(url) as line:
            before = await echo(line)
            line._wire.connection.pgconn.finish()
            with pytest.raises(Unavailable):
                await echo(line)
            return before, await echo(line)

    before, after = asyncio.run(run())

    assert before != after


def test_a_call_that_is_given_up_takes_its_connection_with_it(url):
    async def run():
        async with line_to(url) as line:
            async with waiting(url, line) as (task, backend, _):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                # Not the answer to the call before.
                found = await echo(line)
            return backend, found

    left, found = asyncio.run(run())

    assert left != found


CHANGES = """
    drop function if exists public.line_changes(text);
    create function public.line_changes(word text) returns table (number {type}, other integer)
    language sql set search_path = '' as $$ select 7::{type}, 8 $$;
"""


def test_a_migration_that_changes_an_answer_costs_one_call(url):
    """The session keeps a prepared call as it was; a pooled connection has the same trouble."""

    async def run():
        async with line_to(url) as line:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
                await db.execute(CHANGES.format(type="smallint"))
                before = await line.integers(CHANGED, b"")
                await db.execute(CHANGES.format(type="bigint"))
            with pytest.raises(Transient):
                await line.integers(CHANGED, b"")
            return before, await line.integers(CHANGED, b"")

    assert asyncio.run(run()) == ((7, 8), (7, 8))


def test_a_migration_that_changes_an_answer_costs_a_pooled_connection_one_call(url):
    async def call(database):
        async with database.connection() as connection:
            return await calls.values(connection, "public.line_changes(text)", "")

    async def run():
        async with line_to(url) as line:
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as db:
                await db.execute(CHANGES.format(type="smallint"))
                for _ in range(PREPARED_AFTER + 1):
                    await call(line.database)
                await db.execute(CHANGES.format(type="bigint"))
            with pytest.raises(Transient):
                await call(line.database)
            return await call(line.database)

    assert asyncio.run(run()) == [7]


@pytest.mark.parametrize(("keeps_sessions", "prepared"), [(True, 1), (False, 0)])
def test_nothing_is_prepared_where_sessions_are_not_kept(
    url, monkeypatch, keeps_sessions, prepared
):
    monkeypatch.setattr(pool, "is_transaction_pooler", lambda _dsn: not keeps_sessions)

    async def run():
        async with line_to(url) as line:
            await echo(line)
            await echo(line)
            await line.release()
            async with line.database.connection() as connection:
                names = await connection.execute("select name from pg_prepared_statements")
                return await names.fetchall()

    assert len(asyncio.run(run())) == prepared


def test_a_database_that_is_not_there_is_away(url):
    nowhere = make_conninfo(url, host="127.0.0.1", port=1)

    async def run():
        async with line_to(nowhere) as line:
            line.database._pool.timeout = 0.2
            with pytest.raises(Unavailable):
                await echo(line)

    asyncio.run(run())
