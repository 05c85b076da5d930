"""One connection kept while call follows call, and the shortest way to make them.

Borrowing a connection, a cursor, and watching the socket anew cost a call about 0.2 ms. Few notice;
a task that makes one call after the other all day, and in whose way nothing else stands, does.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, LiteralString
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, Error, OperationalError, errors
from psycopg.pq import ExecStatus, Format

from workers.db import calls
from workers.db.errors import is_outdated, our_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg.pq.abc import PGresult

    from workers.db.pool import Database

GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Call:
    """A function to call often: it takes its arguments as text, and its one row holds integers."""

    def __init__(self, signature: LiteralString, columns: tuple[str, ...]) -> None:
        self.name = b"connext:" + signature.encode()
        self.text = calls.numbered(signature, columns)


class Line:
    """A way to the database for one task, which makes one call at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wire: _Wire | None = None
        self._borrowed = AsyncExitStack()
        # What a connection has prepared outlives its being lent; without sessions it has nothing.
        self._prepared: WeakKeyDictionary[AsyncConnection, set[bytes]] = WeakKeyDictionary()

    async def integers(self, call: Call, *arguments: bytes) -> tuple[int, ...]:
        """Make a call, which commits by itself; errors are those of `Database.connection`.

        The connection stays here until `release`, or until it is lost.
        """
        with our_errors():
            wire = self._wire
            if wire is None or wire.lost:
                wire = await self._borrow()
            try:
                row = await self._run(wire, call, arguments)
            except OperationalError:
                # Whatever hindered it: the next call takes another connection.
                wire.lose()
                raise
            values = [row.get_value(0, column) for column in range(row.nfields)]
            return tuple(int.from_bytes(value or b"", "big", signed=True) for value in values)

    async def release(self) -> None:
        """Give the connection back: nothing follows for now."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None
            await self._borrowed.aclose()

    async def _borrow(self) -> _Wire:
        await self.release()
        connection = await self._borrowed.enter_async_context(self._database.connection())
        self._wire = _Wire(connection)
        return self._wire

    async def _run(self, wire: _Wire, call: Call, arguments: Sequence[bytes]) -> PGresult:
        pgconn = wire.connection.pgconn
        if not self._database.keeps_sessions:
            pgconn.send_query_params(call.text, arguments, result_format=Format.BINARY)
            return await wire.answer()
        prepared = self._prepared.setdefault(wire.connection, set())
        if call.name not in prepared:
            pgconn.send_prepare(call.name, call.text)
            await wire.answer()
            prepared.add(call.name)
        pgconn.send_query_prepared(call.name, arguments, result_format=Format.BINARY)
        return await wire.answer()


class _Wire:
    """A connection whose socket is watched all the time, whether or not an answer is awaited."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self.lost = False
        self._pgconn = connection.pgconn
        self._socket = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._writing = False
        self._waiter: asyncio.Future[PGresult] | None = None
        self._last: PGresult | None = None
        self._loop.add_reader(self._socket, self._advance)

    async def answer(self) -> PGresult:
        """Send what has been written and wait for the result; raise what it says went wrong.

        A connection that is left in the middle of a call is of no use to anybody: it is closed.
        """
        self._waiter = self._loop.create_future()
        try:
            self._send()
            result = await self._waiter
        except BaseException:
            self.lose()
            raise
        if result.status not in GOOD:
            error = errors.error_from_result(result, self.connection.info.encoding)
            if is_outdated(error):
                self.lose()
            raise error
        return result

    def close(self) -> None:
        """Stop watching."""
        if not self.lost:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)

    def lose(self) -> None:
        """Give the connection up: nobody reads what it still has to say."""
        self.close()
        self.lost = True
        self._pgconn.finish()

    def _advance(self) -> None:
        """Send and read as much as goes without waiting."""
        waiter = self._waiter
        try:
            if self._writing:
                self._send()
            self._pgconn.consume_input()
            if waiter is not None and not waiter.done():
                self._read(waiter)
        except Error as error:
            # A server also goes between two calls: whoever makes the next one takes another.
            self.lose()
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)

    def _send(self) -> None:
        """Write until the socket is full; `_advance` goes on when it is not any more."""
        remains = bool(self._pgconn.flush())
        if remains and not self._writing:
            self._loop.add_writer(self._socket, self._advance)
        elif self._writing and not remains:
            self._loop.remove_writer(self._socket)
        self._writing = remains

    def _read(self, waiter: asyncio.Future[PGresult]) -> None:
        """Take what has come; nothing follows a result but the word that it is all."""
        while not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is not None:
                self._last = result
            elif self._last is not None:
                waiter.set_result(self._last)
                self._last = None
                return
            else:
                return
