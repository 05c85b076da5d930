"""A stand-in of Meta's file servers: small files whose address expires."""

import base64

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

MOST_BYTES = 64 * 1024 * 1024
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "pdf": "application/pdf",
    "html": "text/html",
}


async def _file(request: Request) -> Response:
    """Serve a file; `expired`, `moved` and `size` in the query play what goes wrong."""
    asked = request.query_params
    if "expired" in asked:
        return Response("URL signature expired", status_code=403)
    if "moved" in asked:
        return RedirectResponse(asked["moved"])
    kind = TYPES.get(request.path_params["name"].rpartition(".")[2].lower())
    if kind is None:
        return Response(status_code=404)
    size = asked.get("size", "")
    body = bytes(min(int(size), MOST_BYTES)) if size.isdigit() else PIXEL
    return Response(body, media_type=kind)


def file_route() -> Route:
    """Serve `/_files/NAME`, which an attachment's url may point at."""
    return Route("/_files/{name}", _file, methods=["GET"])
