"""Whether this database may be worked on: a restored copy may not, before erasures are replayed.

The database locks out everybody when the first of us finds out (queue.refusal), so that nothing
here is needed for safety. It is for a process to wait instead of failing, and to say why.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from workers.core.errors import Refused, Transient
from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from workers.db.pool import Database

EVERY = timedelta(seconds=15)

log = structlog.get_logger(__name__)


class Gate:
    """Asks the database; with a *journal* of erasures, also whether it knows all of them."""

    def __init__(self, database: Database, *, journal: Path | None = None) -> None:
        self._database = database
        self._journal = journal

    async def refusal(self) -> str | None:
        """Say why nothing may be worked on, or None. Raises Transient when the database is away."""
        try:
            known = [] if self._journal is None else _ids(self._journal)
        except (OSError, ValueError, KeyError, TypeError) as error:
            # A journal that cannot be read proves nothing: it may name what was forgotten.
            return f"the journal of erasures cannot be read: {type(error).__name__}"
        async with self._database.connection() as connection:
            said: str | None = await calls.value(connection, "queue.refusal(uuid[])", known)
            return said

    async def opened(self, *, rest: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Wait until the database may be worked on; say once why it may not."""
        told = None
        while True:
            try:
                reason = await self.refusal()
            except Transient as error:
                reason = str(error)
            if reason is None:
                return
            if reason != told:
                log.error("nothing is worked on", problem=reason)
                told = reason
            await rest(EVERY.total_seconds())

    async def watch(self, *, rest: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Look again and again; raises Refused when the database was replaced under us."""
        while True:
            await rest(EVERY.total_seconds())
            try:
                reason = await self.refusal()
            except Transient:
                continue
            if reason is not None:
                raise Refused(reason)


def _ids(journal: Path) -> list[UUID]:
    """Read the ids of the erasures in a journal; see cli/journal.py for who writes it."""
    return [UUID(str(json.loads(line)["id"])) for line in journal.read_text().splitlines() if line]
