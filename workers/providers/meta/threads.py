"""Read the Conversations API: a page's threads, each with its newest messages, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AliasPath, BeforeValidator, Field

from workers.providers.meta.models import Id, _sequence, _Shape

if TYPE_CHECKING:
    from workers.providers.meta.usage import Usage

MESSAGES_PER_THREAD: Final = 20  # Meta gives details of no more than the newest twenty
MESSAGE_FIELDS: Final = "id,created_time,from,message,attachments"
THREAD_FIELDS: Final = (
    f"id,updated_time,participants,messages.limit({MESSAGES_PER_THREAD}){{{MESSAGE_FIELDS}}}"
)


def _time(value: object) -> object:
    """Read Graph's time, whose offset has no colon."""
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z") if isinstance(value, str) else value


def _text(value: object) -> object:
    """Take out what Postgres cannot store in a text: NUL, and halves of surrogate pairs."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


Time = Annotated[datetime, BeforeValidator(_time)]
Text = Annotated[str, BeforeValidator(_text)]


class Participant(_Shape):
    """One side of a thread; the page is a participant too."""

    id: Id
    name: Text | None = None


class File(_Shape):
    """An attachment as the Conversations API shows it; its address expires soon."""

    mime_type: str = ""
    name: Text | None = None
    image_url: str | None = Field(default=None, validation_alias=AliasPath("image_data", "url"))
    video_url: str | None = Field(default=None, validation_alias=AliasPath("video_data", "url"))
    file_url: str | None = None

    @property
    def url(self) -> str | None:
        """Where its bytes are."""
        return self.image_url or self.video_url or self.file_url


class Line(_Shape):
    """One message of a thread."""

    id: Id
    created_time: Time
    sender: Id | None = Field(default=None, validation_alias=AliasPath("from", "id"))
    message: Text | None = None
    files: Annotated[list[File], BeforeValidator(_sequence)] = Field(
        default=[], validation_alias=AliasPath("attachments", "data")
    )


class Thread(_Shape):
    """A conversation, its newest messages first."""

    id: Id
    updated_time: Time
    participants: Annotated[list[Participant], BeforeValidator(_sequence)] = Field(
        default=[], validation_alias=AliasPath("participants", "data")
    )
    lines: Annotated[list[Line], BeforeValidator(_sequence)] = Field(
        default=[], validation_alias=AliasPath("messages", "data")
    )

    def person(self, page: str) -> Participant | None:
        """Name the side that is not the page; None for a thread with nobody else in it."""
        return next((side for side in self.participants if side.id != page), None)


class Threads(_Shape):
    """One page of the list; *after* is the cursor of the next one."""

    data: list[Thread]
    after: str | None = Field(
        default=None, validation_alias=AliasPath("paging", "cursors", "after")
    )
    next: str | None = Field(default=None, validation_alias=AliasPath("paging", "next"))


@dataclass(frozen=True, slots=True)
class Listed:
    """What one call gave: threads, the cursor to go on with, and how much is used up."""

    threads: tuple[Thread, ...]
    after: str | None
    usage: Usage | None
