"""What Meta does to a page for breaking a policy: people are told, and sending stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from workers.services.messaging import Event

BLOCKED: Final = (
    "Facebook has blocked the page from sending messages. Look into its support inbox; "
    "what was written before waits until Facebook allows it again."
)
WARNED: Final = "Facebook has warned the page about a policy. Look into its support inbox."


async def enforce(connection: AsyncConnection, event: Event) -> None:
    """Pause the integration on a block, end that pause on an unblock, pass a warning on.

    An integration that waits for something else (a new connection) keeps waiting for that.
    """
    await connection.execute(
        """
        update public.integrations as i
        set
            status = case
                when %(action)s = 'block' and i.status = 'active' then 'paused'
                when %(action)s = 'unblock' and i.status = 'paused' then 'active'
                else i.status
            end,
            error = case %(action)s
                when 'block' then %(blocked)s
                when 'warning' then %(warned)s
                when 'unblock' then
                    case when i.status not in ('active', 'paused') then i.error end
                else i.error
            end
        from public.channels as c
        where
            c.org_id = %(org)s and c.id = %(channel)s
            and i.org_id = c.org_id and i.id = c.integration_id and i.status <> 'disconnected'
        """,
        {
            "action": event.body["action"],
            "blocked": BLOCKED,
            "warned": WARNED,
            "org": event.org_id,
            "channel": event.channel_id,
        },
    )
