"""The connections of one process: opening them, lending them, surviving their loss."""

from __future__ import annotations

import json
import select
from contextlib import asynccontextmanager, suppress
from json.scanner import make_scanner
from typing import TYPE_CHECKING, Any, Self

from psycopg import AsyncConnection, Error, errors
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format
from psycopg_pool import AsyncConnectionPool

from workers.core.errors import Unavailable
from workers.db.errors import POOL_ERRORS, is_outdated, our_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from psycopg.abc import Buffer
    from pydantic import SecretStr

# Supabase's transaction pooler: a session there belongs to one transaction.
TRANSACTION_POOLER_PORT = "6543"
CONNECT_SECONDS = 5
CHECKOUT_SECONDS = 10
RECONNECT_SECONDS = 30
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_READ = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]
SESSION = """
    select
        set_config('statement_timeout', '30s', false),
        set_config('lock_timeout', '10s', false),
        set_config('idle_in_transaction_session_timeout', '60s', false)
"""


def conninfo(dsn: SecretStr, *, application_name: str) -> str:
    """Complete a connection string with what every connection of ours has."""
    given = conninfo_to_dict(dsn.get_secret_value())
    ours: dict[str, str | int] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": application_name,
        **KEEPALIVE,
    }
    return make_conninfo(
        dsn.get_secret_value(), **{k: v for k, v in ours.items() if k not in given}
    )


def is_transaction_pooler(dsn: SecretStr) -> bool:
    """Say whether sessions do not outlive a transaction: then no LISTEN, no prepared statements."""
    return str(conninfo_to_dict(dsn.get_secret_value()).get("port")) == TRANSACTION_POOLER_PORT


class Database:
    """A pool of connections, each in autocommit outside `transaction`."""

    def __init__(self, dsn: SecretStr, *, application_name: str, size: int = 10) -> None:
        self.dsn = dsn
        self.application_name = application_name
        self.keeps_sessions = not is_transaction_pooler(dsn)
        self._pool = AsyncConnectionPool(
            conninfo(dsn, application_name=application_name),
            # Prepared statements live in a session. A transaction pooler would run them in
            # somebody else's; psycopg then must not prepare at all.
            kwargs={"autocommit": True, "prepare_threshold": 5 if self.keeps_sessions else None},
            min_size=min(2, size),
            max_size=size,
            timeout=CHECKOUT_SECONDS,
            reconnect_timeout=RECONNECT_SECONDS,
            max_idle=300,
            max_lifetime=3600,
            configure=_configure_session if self.keeps_sessions else _configure,
            check=_check,
            open=False,
            name=application_name,
        )

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Start connecting; a database that is away is waited for by whoever asks."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give all connections back to the server."""
        await self._pool.close(timeout=CONNECT_SECONDS)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection; every statement commits by itself. Errors come out as ours.

        One that knows calls as they were before a migration is closed: the pool makes another.
        """
        with our_errors():
            try:
                connection = await self._pool.getconn()
            except POOL_ERRORS as error:
                raise Unavailable(f"no database connection: {type(error).__name__}") from error
            try:
                yield connection
            except Error as error:
                if is_outdated(error):
                    await connection.close()
                raise
            finally:
                await self._pool.putconn(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection inside one transaction: all of it is kept, or nothing."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def is_ready(self, *, seconds: float = 1) -> bool:
        """Say whether the database answers."""
        try:
            async with self._pool.connection(timeout=seconds) as connection:
                await connection.execute("select 1")
        except (Error, *POOL_ERRORS):
            return False
        return True


async def _configure(connection: AsyncConnection) -> None:
    """Give a connection its own way of reading JSON."""
    connection.adapters.register_loader("jsonb", _Document)


async def _configure_session(connection: AsyncConnection) -> None:
    """Set the session's time limits; a stuck statement must not outlive the lease of its job.

    Then ask whether this is still the database it was: after a restore every connection is new,
    and the first to ask locks everybody out before anything else is done with it.
    """
    await _configure(connection)
    await connection.execute(SESSION)
    with suppress(errors.UndefinedFunction, errors.InvalidSchemaName, errors.InsufficientPrivilege):
        await connection.execute("select queue.refusal()")


class _Document(Loader):
    """Reads a jsonb in a third of the usual time: it is valid, in UTF-8, and nothing is around."""

    format = Format.BINARY

    def load(self, data: Buffer) -> Any:  # noqa: ANN401 (JSON)
        """Read what follows the byte that tells the version."""
        return _READ(str(data[1:], "utf-8"), 0)[0]


async def _check(connection: AsyncConnection) -> None:
    """Ask the server only if something waits on the socket.

    An idle server is silent. If there is something to read it is a notice or, after a
    restart, the end of the stream; only then is a round trip worth its time.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)
