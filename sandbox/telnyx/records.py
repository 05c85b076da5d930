"""What is read afterwards: detail records, opt-outs, recordings, and the files behind messages."""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.telnyx.api import Call, Reply, page
from sandbox.telnyx.errors import TelnyxError
from sandbox.telnyx.state import World

MOST_RECORDS = 50
TIME_OF = {"messaging": "created_at", "call-control": "started_at"}
_FILTER = re.compile(r"filter\[(\w+)\]\[(gte|lt)\]")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(56)


async def detail_records(_world: World, call: Call) -> Reply:
    """List records of one type in their order; a filter on a field they lack is refused."""
    kind = call.query.get("filter[record_type]")
    if kind not in TIME_OF:
        raise TelnyxError(400, "10015", "filter[record_type] is required.")
    found = [one for one in call.account.records if one["kind"] == kind]
    for name, value in call.query.items():
        match = _FILTER.fullmatch(name)
        if match is None:
            continue
        field, operator = match.groups()
        if field != TIME_OF[kind]:
            raise TelnyxError(400, "10015", f"{field} is no field of these records.")
        found = [
            one
            for one in found
            if (one[field] >= value if operator == "gte" else one[field] < value)
        ]
    found.sort(key=lambda one: (one[TIME_OF[kind]], one["uuid"]))
    shown = [{k: v for k, v in one.items() if k != "kind"} for one in found]
    return page(call, shown, most=MOST_RECORDS)


async def opt_outs(_world: World, call: Call) -> Reply:
    """List who is blocked for having written STOP."""
    wanted = call.query.get("filter[messaging_profile_id]")
    found = [
        one
        for one in call.account.opt_outs.values()
        if wanted is None or one["messaging_profile_id"] == wanted
    ]
    return page(call, found)


def files() -> Route:
    """Serve the media of messages and the recordings."""

    async def endpoint(request: Request) -> Response:
        name = request.path_params["name"]
        if name.endswith("gone"):
            return Response(status_code=404)
        if name.endswith(".html"):
            return Response("<script>", media_type="text/html")
        kind = "audio/mpeg" if name.endswith(".mp3") else "image/png"
        return Response(PICTURE, media_type=kind)

    return Route("/telnyx-media/{name:path}", endpoint)
