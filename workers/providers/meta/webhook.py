"""Prove a Meta webhook over its raw bytes, and reduce it to the fields we keep.

Meta sends no event id and no timestamp in the signature: the key made here is both the
protection against duplicates and against replay.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypedDict

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_jsonable_python

from workers.core.errors import Malformed
from workers.providers.meta import models

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE_PREFIX = b"sha256="

Json = Any  # what json.loads returns: its shape is what this module finds out


class Event(TypedDict):
    """One thing that happened on a page, as queue.ingest takes it.

    *occurred_at* is in milliseconds since 1970.
    """

    key: str
    account: str
    contact: str | None
    kind: str
    occurred_at: int
    body: dict[str, Json]


# Every delivery makes some of these, and a frozen dataclass costs several times a named tuple.


class Unreadable(NamedTuple):
    """The shape of something signed that could not be read; never its content."""

    digest: str
    size: int
    reason: str


class Parsed(NamedTuple):
    """What one delivery held; *ignored* counts elements of kinds we do not use."""

    events: tuple[Event, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    ignored: int = 0
    known: bool = True


@dataclass(slots=True)
class _Gathering:
    """What has been found so far while a delivery is read."""

    events: list[Event] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    ignored: int = 0


class Signature:
    """Proves deliveries with the app's secret; what depends on it alone is computed once."""

    def __init__(self, secret: str) -> None:
        self._keyed = hmac.new(secret.encode(), digestmod="sha256")

    def proves(self, raw: bytes, header: bytes | None) -> bool:
        """Tell whether *header* (X-Hub-Signature-256) signs exactly these bytes."""
        if header is None:
            return False
        wanted = self._keyed.copy()
        wanted.update(raw)
        return hmac.compare_digest(SIGNATURE_PREFIX + wanted.hexdigest().encode(), header)


def unreadable(raw: bytes, reason: str) -> Unreadable:
    """Describe *raw* without keeping any of it."""
    return Unreadable(hashlib.sha256(raw).hexdigest(), len(raw), reason)


def parse(raw: bytes) -> Parsed:
    """Read a proven delivery; raise Malformed when it is not the envelope Meta documents."""
    envelope = _decode(raw)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("object"), str):
        raise Malformed("the delivery is not an object with a field 'object'")
    if envelope["object"] != "page":
        return Parsed(known=False)
    entries = envelope.get("entry")
    if not isinstance(entries, list):
        raise Malformed("the delivery has no list 'entry'")

    found = _Gathering()
    for entry in entries:
        _read_entry(entry, found)
    return Parsed(tuple(found.events), tuple(found.unreadable), found.ignored)


def _decode(raw: bytes) -> Json:
    try:
        if _is_plain(raw):
            return _plain(raw)
        # As json.loads does, which makes a decoder for each document.
        document = _DECODER.decode(raw.decode(json.detect_encoding(raw), "surrogatepass"))
        return _storable(document)
    except (ValueError, RecursionError) as error:
        # The cause is left out: a decoder's error holds the document.
        raise Malformed(f"the delivery is not JSON: {type(error).__name__}") from None


def _plain(raw: bytes) -> Json:
    """Read JSON that has nothing special in it with the fastest reader, which nests less deep."""
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError:
        return _DECODER.decode(raw.decode("ascii"))


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _is_plain(raw: bytes) -> bool:
    """Say whether *raw*, which is JSON, can hold nothing that `_storable` takes out.

    In ASCII only an escape makes a NUL or a surrogate; looking for one is far cheaper than
    walking the document. A NUL byte means that it is UTF-16 or UTF-32, where escapes look other.
    """
    if not raw.isascii() or b"\x00" in raw:
        return False
    # One search for what most deliveries lack, before three for what some have.
    return b"\\" not in raw or not (b"\\u0000" in raw or b"\\ud" in raw or b"\\uD" in raw)


def _storable(value: Json) -> Json:
    """Take out what Postgres cannot store in a jsonb: NUL, and halves of surrogate pairs."""
    match value:
        case str():
            return value.replace("\x00", "").encode("utf-8", "replace").decode()
        case list():
            return [_storable(item) for item in value]
        case dict():
            return {key: _storable(item) for key, item in value.items()}
        case _:
            return value


def _canonical(element: Json) -> bytes:
    return json.dumps(element, sort_keys=True, separators=(",", ":")).encode()


def _read_entry(entry: Json, found: _Gathering) -> None:
    page = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(page, str) or not 0 < len(page) <= models.MAX_KEY:
        found.unreadable.append(unreadable(_canonical(entry), "the entry has no page id"))
        return
    for element in _elements(entry, found):
        try:
            event = _event(page, element)
        except ValidationError as error:
            reason = f"wrong fields: {_places(error)}"
            found.unreadable.append(unreadable(_canonical(element), reason))
        except Malformed as error:
            found.unreadable.append(unreadable(_canonical(element), str(error)))
        else:
            if event is None:
                found.ignored += 1
            else:
                found.events.append(event)


def _elements(entry: dict[str, Json], found: _Gathering) -> Iterator[Json]:
    """Walk what an entry holds; *standby* is the same while another app owns the thread."""
    for name in ("messaging", "standby"):
        elements = entry.get(name, [])
        if isinstance(elements, list):
            yield from elements
        else:
            reason = f"'{name}' is not a list"
            found.unreadable.append(unreadable(_canonical(elements), reason))
    changes = entry.get("changes")
    found.ignored += len(changes) if isinstance(changes, list) else 0


def _places(error: ValidationError) -> str:
    """Name the fields at fault. Their names are Meta's or ours, never a person's."""
    return ", ".join(
        sorted(
            {".".join("#" if isinstance(p, int) else p for p in e["loc"]) for e in error.errors()}
        )
    )


def _event(page: str, element: Json) -> Event | None:
    """Turn one element into an event; None when we have no use for its kind."""
    if not isinstance(element, dict):
        raise Malformed("the element is not an object")
    if "policy_enforcement" in element:
        return _policy(page, element)
    reader = None
    for name, read in _READERS:
        if name in element:
            reader = read
            break
    if reader is None:
        return None
    base = _ELEMENT(element)
    person, from_page = _other_side(page, base)
    if person.id is None:
        if person.user_ref is None:
            raise Malformed("the other side has no id")
        return None  # a plugin's visitor
    # What the page's own side read, pressed or changed says nothing about the person.
    if from_page and reader is not _message:
        return None
    return reader(_Source(page, person.id, from_page, base, element))


def _other_side(page: str, base: models.Element) -> tuple[models.Party, bool]:
    """Find the person, and whether the page's side wrote."""
    if base.sender.id == page:
        return base.recipient, True
    if base.recipient.id == page:
        return base.sender, False
    raise Malformed("neither side is the page")


class _Source(NamedTuple):
    """An element on its way to an event; *from_page* says that the page's side wrote it."""

    page: str
    contact: str
    from_page: bool
    base: models.Element
    element: dict[str, Json]

    def event(self, kind: str, key: str, body: dict[str, Json]) -> Event:
        """Finish the event; *key* is unique within the page."""
        whole = f"page:{self.page}:{key}"
        if len(whole) > models.MAX_KEY:
            whole = f"page:{self.page}:{kind}:{hashlib.sha256(key.encode()).hexdigest()}"
        return {
            "key": whole,
            "account": self.page,
            "contact": self.contact,
            "kind": kind,
            "occurred_at": self.base.timestamp,
            "body": body,
        }


def _message(source: _Source) -> Event:
    said = _MESSAGE(source.element["message"])
    body: dict[str, Json] = {
        "mid": said.mid,
        "text": said.text,
        "attachments": list(map(_attachment, said.attachments)),
        "reply_to": said.reply_to.mid if said.reply_to else None,
    }
    if not (said.is_echo or source.from_page):
        return source.event("message", f"msg:{said.mid}", body)
    body |= {"metadata": said.metadata, "app_id": said.app_id}
    return source.event("echo", f"msg:{said.mid}", body)


def _attachment(item: models.Attachment) -> dict[str, Json]:
    payload = item.payload or models.AttachmentPayload()
    return {
        "type": item.type,
        "url": payload.url or item.url,
        "title": payload.title or item.title,
    }


def _delivery(source: _Source) -> Event:
    got = models.Delivery.model_validate(source.element["delivery"])
    if got.watermark is None and not got.mids:
        raise Malformed("the delivery names neither messages nor a watermark")
    body: dict[str, Json] = {"mids": got.mids, "watermark": got.watermark}
    mark = got.watermark or hashlib.sha256(_canonical(got.mids)).hexdigest()
    return source.event("delivery", f"delivery:{source.contact}:{mark}", body)


def _read(source: _Source) -> Event:
    got = models.Read.model_validate(source.element["read"])
    key = f"read:{source.contact}:{got.watermark}"
    return source.event("read", key, {"watermark": got.watermark})


def _postback(source: _Source) -> Event:
    got = models.Postback.model_validate(source.element["postback"])
    mark = got.mid or hashlib.sha256(_canonical(source.element)).hexdigest()
    return source.event("postback", f"pb:{mark}", to_jsonable_python(got))


def _reaction(source: _Source) -> Event:
    got = models.Reaction.model_validate(source.element["reaction"])
    who = source.base.sender.id
    key = f"rx:{got.mid}:{who}:{got.action}:{source.base.timestamp}"
    return source.event("reaction", key, to_jsonable_python(got))


def _edit(source: _Source) -> Event:
    got = models.Edit.model_validate(source.element["message_edit"])
    return source.event("edit", f"edit:{got.mid}:{got.num_edit}", to_jsonable_python(got))


def _policy(page: str, element: dict[str, Json]) -> Event:
    """Read what Meta tells the page itself: nobody sends it, and no conversation has it."""
    base = _ELEMENT(element)
    got = models.Policy.model_validate(element["policy_enforcement"])
    key = f"page:{page}:policy:{hashlib.sha256(_canonical(element)).hexdigest()}"
    return {
        "key": key,
        "account": page,
        "contact": None,
        "kind": "policy",
        "occurred_at": base.timestamp,
        "body": {"action": got.action},
    }


# As model_validate, whose options nobody uses here and which cost as much as some models.
_ELEMENT = TypeAdapter(models.Element).validator.validate_python
_MESSAGE = TypeAdapter(models.Message).validator.validate_python
_READERS = (
    ("message", _message),
    ("delivery", _delivery),
    ("read", _read),
    ("postback", _postback),
    ("reaction", _reaction),
    ("message_edit", _edit),
)
