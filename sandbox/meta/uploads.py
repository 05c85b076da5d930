"""The Attachment Upload API: a file is handed over first and sent by its id afterwards."""

import hashlib
import mimetypes
from typing import Any

from sandbox.meta.access import page_calling
from sandbox.meta.call import Call
from sandbox.meta.errors import GraphError, bad_parameter
from sandbox.meta.reply import Reply
from sandbox.meta.state import Page, Upload, World

SCOPES = frozenset({"pages_messaging"})
KINDS = frozenset({"image", "audio", "video", "file"})
MOST_BYTES = 25 * 1024 * 1024
UPLOAD_FAILED = 2018047


async def take(world: World, call: Call) -> Reply:
    """Keep a file that may be sent later; a page reaches only its own."""
    page = page_calling(world, call, call.names["node"], scopes=SCOPES)
    kind = _kind(call)
    file = call.files.get("filedata")
    if file is None:
        raise bad_parameter("The parameter filedata is required.")
    family = file.mime_type.partition("/")[0]
    if not file.content or len(file.content) > MOST_BYTES or kind not in {"file", family}:
        raise GraphError(100, "(#100) Upload attachment failure.", subcode=UPLOAD_FAILED)
    upload = Upload(
        id=world.ids.upload(),
        page_id=page.id,
        kind=kind,
        mime_type=file.mime_type,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
    )
    world.uploads[upload.id] = upload
    return Reply({"attachment_id": upload.id}, page_id=page.id, bucket="messenger")


def _kind(call: Call) -> str:
    attachment = (call.mapping("message") or {}).get("attachment")
    kind = attachment.get("type") if isinstance(attachment, dict) else None
    payload = attachment.get("payload") if isinstance(attachment, dict) else None
    if kind not in KINDS or not isinstance(payload, dict) or payload.get("is_reusable") is not True:
        raise bad_parameter("Param message[attachment] needs a known type and is_reusable")
    return str(kind)


def sent_by_id(
    world: World, page: Page, attachment: dict[str, Any] | None, *, base_url: str
) -> tuple[dict[str, Any] | None, Upload | None]:
    """Return an attachment as the conversation shows it, and the upload it came from."""
    payload = (attachment or {}).get("payload") or {}
    if attachment is None or "attachment_id" not in payload:
        return attachment, None
    upload = world.uploads.get(str(payload["attachment_id"]))
    if upload is None or upload.page_id != page.id or upload.kind != attachment.get("type"):
        raise bad_parameter("The attachment id is not valid for this page")
    name = f"{upload.id}{mimetypes.guess_extension(upload.mime_type) or '.pdf'}"
    return {"type": upload.kind, "payload": {"url": f"{base_url}/_files/{name}"}}, upload
