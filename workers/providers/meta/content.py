"""What a reply carries, and in which window it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Content:
    """A text, or a file that was handed over before; *human_agent* is Meta's longer window."""

    text: str | None = None
    kind: str | None = None
    attachment_id: str | None = None
    human_agent: bool = False

    def message(self) -> dict[str, Any]:
        """Write the part of the Send API that says what is sent."""
        if self.attachment_id is None:
            return {"text": self.text}
        payload = {"attachment_id": self.attachment_id}
        return {"attachment": {"type": self.kind, "payload": payload}}

    def purpose(self) -> dict[str, str]:
        """Write why it may be sent: an answer in time, or one that only a person may give."""
        if self.human_agent:
            return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        return {"messaging_type": "RESPONSE"}
