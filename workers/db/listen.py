"""LISTEN as an endless iterator that outlives its connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from psycopg import AsyncConnection, Error, sql

from workers.db.errors import translate
from workers.db.pool import conninfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from pydantic import SecretStr

QUIET_SECONDS = 30.0
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 15.0

log = structlog.get_logger(__name__)


async def notifications(
    dsn: SecretStr,
    channels: Sequence[str],
    *,
    application_name: str,
    quiet_seconds: float = QUIET_SECONDS,
) -> AsyncIterator[str]:
    """Yield the name of each channel that was notified, on a connection of its own.

    After every (re)connection all channels are yielded once: something may have been missed.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            async for channel in _one_connection(dsn, channels, application_name, quiet_seconds):
                pause = FIRST_PAUSE
                yield channel
        except Error as error:
            log.warning(
                "listener lost its connection", problem=str(translate(error)), retry_in=pause
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _one_connection(
    dsn: SecretStr, channels: Sequence[str], application_name: str, quiet_seconds: float
) -> AsyncIterator[str]:
    """Yield notifications until the connection fails; a quiet one is asked if it is alive."""
    connection = await AsyncConnection.connect(
        conninfo(dsn, application_name=f"{application_name}-listen"),
        autocommit=True,
        prepare_threshold=None,
    )
    async with connection:
        for channel in channels:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        for channel in channels:
            yield channel
        while True:
            async for notice in connection.notifies(timeout=quiet_seconds):
                yield notice.channel
            await connection.execute("select 1")
