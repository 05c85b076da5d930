"""When Meta refuses a token: ask again, and only then say that a person must connect again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workers.core.errors import ConnextError, Transient
from workers.services import tokens

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import AsyncConnection
    from pydantic import SecretStr

    from workers.core.sealing import Opener
    from workers.jobqueue.job import Note
    from workers.providers.meta.client import GraphClient

NEEDED: Final = "pages_messaging"


async def may_work(graph: GraphClient, token: SecretStr) -> bool:
    """Ask about the token; without an answer it is not given up."""
    try:
        state = await graph.debug_token(token)
    except Transient:
        return True
    except ConnextError:
        return False
    return state.is_valid and NEEDED in state.scopes


async def ask_to_reconnect(connection: AsyncConnection, *, org: UUID, integration: UUID) -> None:
    """Stop an active integration, and say to people what to do."""
    await connection.execute(
        """
        update public.integrations
        set
            status = 'reauthorization_required',
            error = 'Facebook no longer accepts the connection. Connect again.'
        where org_id = %s and id = %s and status = 'active'
        """,
        (org, integration),
    )


async def page_token(
    connection: AsyncConnection, opener: Opener, *, owner: tokens.Owner, page: str, note: Note
) -> SecretStr | None:
    """Open the page's token; None when the page is not shared with us any more."""
    sealed = await tokens.find(connection, owner, kind=tokens.PAGE_TOKEN, subject=page)
    return None if sealed is None else sealed.open(opener, note=note)
