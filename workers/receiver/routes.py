"""The receiver's public addresses: the webhooks, and whether it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from workers.receiver.telnyx import PATH as TELNYX_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from workers.receiver.callbacks import Callbacks
    from workers.receiver.meta import MetaWebhook
    from workers.receiver.telnyx import TelnyxWebhook


META_PATH: Final = "/webhooks/meta"


def routes(
    meta: MetaWebhook,
    callbacks: Callbacks,
    telnyx: TelnyxWebhook | None,
    more: Sequence[Route] = (),
) -> list[Route]:
    """List every address and method; anything else is 404 or 405.

    Meta's deliveries do not come here (see app.Shortcut).
    What the receiver has counted and whether it is ready are told on another port.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    of_telnyx = (
        [Route(f"{TELNYX_PATH}/{{integration_id}}", telnyx.deliver, methods=["POST"])]
        if telnyx is not None
        else []
    )
    return [
        *of_telnyx,
        Route(META_PATH, meta.challenge, methods=["GET"]),
        Route(f"{META_PATH}/deauthorize", callbacks.deauthorize, methods=["POST"]),
        Route(f"{META_PATH}/deletion", callbacks.deletion, methods=["POST"]),
        Route("/healthz", healthz),
        *more,
    ]
