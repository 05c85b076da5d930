"""Seal what was audited into signed epochs, and write each one where the database cannot reach."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from workers.core import merkle, signing
from workers.core.errors import NotConfigured
from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from psycopg import AsyncConnection

    Transactions = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

ANCHOR: Final = "CONNEXT_AUDIT_ANCHOR"
PAGE: Final = 5_000  # events at a time: a tenth of a second of hashing, then others get their turn
EPOCH: Final = 200_000  # events of one epoch at most, about: ten seconds of work
SEAL: Final = (
    "audit.seal_signed(bigint, bigint, bigint, bigint, bytea, bytea, bytea, bytea, bytea, bytea)"
)
RANGE: Final = ("n", "from_xid", "to_xid", "prev")
EVENT: Final = ("id", "at_us", "org_id", "actor", "kind", "details", "subject")
WAITING: Final = ("n", "body", "signature", "public_key")


class Anchor(Protocol):
    """Keeps epochs outside the database."""

    async def publish(self, document: Mapping[str, Any]) -> None:
        """Keep one epoch; keeping it twice does no harm."""


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """Appends each epoch to a file as one line of JSON."""

    path: Path

    async def publish(self, document: Mapping[str, Any]) -> None:
        """Append one epoch and wait until it is on the disk."""
        try:
            await asyncio.to_thread(self._append, json.dumps(document) + "\n")
        except OSError as error:
            raise NotConfigured(ANCHOR, f"cannot be written: {error.strerror}") from error

    def _append(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


@dataclass(slots=True)
class Done:
    """What one run did: the epochs it sealed, and how many it wrote outside."""

    epochs: list[dict[str, Any]] = field(default_factory=list)
    anchored: int = 0


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals with a key outside the database; without an anchor, epochs wait for one."""

    signer: signing.Signer
    anchor: Anchor | None

    async def run(self, transactions: Transactions, *, most: int | None = EPOCH) -> Done:
        """Seal everything behind the horizon, an epoch per transaction; then anchor what is not."""
        done = Done()
        while True:
            async with transactions() as connection:
                document = await self._seal(connection, most)
            if document is None:
                break
            done.epochs.append(document)
        if self.anchor is not None:
            done.anchored = await self._publish(self.anchor, transactions)
        return done

    async def _seal(self, connection: AsyncConnection, most: int | None) -> dict[str, Any] | None:
        """Seal the next epoch; None when there is nothing new."""
        ((number, start, end, previous),) = await calls.rows(
            connection, "audit.sealable_range(bigint)", most, columns=RANGE, make=_tuple
        )
        tree = await _tree(connection, start, end)
        if not tree.size:
            return None
        body = merkle.epoch_body(number, start=start, end=end, tree=tree, previous=previous)
        signature = self.signer.sign(body)
        await calls.value(
            connection,
            SEAL,
            *(number, start, end, tree.size, tree.root, previous, merkle.epoch_hash(body), body),
            *(signature, self.signer.public),
        )
        return signing.wrapped(body, signature=signature, public=self.signer.public)

    async def _publish(self, anchor: Anchor, transactions: Transactions) -> int:
        """Write outside what is not there yet, the oldest first, and note it."""
        count = 0
        while True:
            async with transactions() as connection:
                waiting = await calls.rows(
                    connection, "audit.unanchored(integer)", 100, columns=WAITING, make=_tuple
                )
            if not waiting:
                return count
            for number, body, signature, public in waiting:
                document = signing.wrapped(
                    bytes(body), signature=bytes(signature), public=bytes(public)
                )
                await anchor.publish(document)
                # One by one: what was kept outside before a failure is not written again.
                async with transactions() as connection:
                    await calls.value(connection, "audit.anchored(bigint[])", [number])
                count += 1


async def _tree(connection: AsyncConnection, start: int, end: int) -> merkle.Tree:
    """Hash the events of a range, a page at a time, sorted by their ids once."""
    tree = merkle.Tree()
    async for page in calls.pages(
        connection,
        "audit.sealable(bigint, bigint, bigint, integer)",
        *(start, end, -1, None),
        columns=EVENT,
        make=_event,
        size=PAGE,
    ):
        for event in page:
            tree.add(merkle.leaf(event))
    return tree


def _tuple(*values: Any) -> tuple[Any, ...]:  # noqa: ANN401 - whatever the columns are
    return values


def _event(*values: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the columns are
    return dict(zip(EVENT, values, strict=True))
