"""What a handler answers, and the webhooks its effect causes."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.meta.events import Event


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer; *before* is delivered ahead of it, *after* once it is out."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    before: tuple[Event, ...] = ()
    after: tuple[Event, ...] = ()
    page_id: str | None = None
    bucket: str = "pages"
