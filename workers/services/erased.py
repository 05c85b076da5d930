"""People who were erased: what a provider still tells of before is not kept again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.db import calls

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Protocol

    from psycopg import AsyncConnection

    class Told(Protocol):
        """What a provider told about a person."""

        @property
        def id(self) -> int:
            """The number of the stored event."""

        @property
        def contact(self) -> str | None:
            """Whom it is about."""

        @property
        def occurred_at(self) -> datetime:
            """When it happened, by the provider's clock."""


async def until(
    connection: AsyncConnection, queue: str, contacts: Iterable[str]
) -> dict[str, datetime]:
    """Say of each erased contact until when everything of theirs is passed over.

    Call it before anything is kept: no erasure of the organization begins before the transaction
    ends. The organization is that of the job that is entered.
    """
    asked = sorted(set(contacts))
    if not asked:
        return {}
    found = await calls.rows(
        connection,
        "queue.erased(text, text[])",
        queue,
        asked,
        columns=("contact", "until"),
        make=lambda contact, moment: (contact, moment),
    )
    return dict(found)


async def dropped(connection: AsyncConnection, queue: str, event: Told) -> bool:
    """Delete a stored event about somebody who was erased since it happened; say whether."""
    if event.contact is None:
        return False
    moment = (await until(connection, queue, [event.contact])).get(event.contact)
    if moment is None or event.occurred_at > moment:
        return False
    await calls.value(connection, "queue.drop_event(text, bigint)", queue, event.id)
    return True
