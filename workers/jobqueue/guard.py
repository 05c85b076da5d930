"""What a server of ours bounds before any application sees a request.

uvicorn bounds neither the time nor the size of a request's head, nor the number of connections;
whoever opens many and sends slowly would keep everybody else out.
"""

from __future__ import annotations

import asyncio  # noqa: TC003 - a handle of it is made here
from dataclasses import dataclass
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from workers.jobqueue.headers import RAW_HEADERS

LARGEST_HEAD: Final = 32 * 1024  # bytes; the heads of providers stay below 4 KB
# An application gives a body as long as a head, and says so; only then the connection is ended.
BODY_FACTOR: Final = 1.5
HEADERS: Final = b"".join(name + b": " + value + b"\r\n" for name, value in RAW_HEADERS)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server puts up with; *seconds* are for a head, half as many more for a body."""

    seconds: float = 10.0
    connections: int = 500  # open at once; below the usual limit of 1,024 files


class GuardedProtocol(HttpToolsProtocol):
    """One connection, with a deadline for whatever the other side has still to send."""

    limits = Limits()

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - uvicorn's own, handed on
        super().__init__(*given, **named)
        self._head = 0  # bytes of a head that is not complete yet
        self._deadline: float | None = None  # in the loop's time
        self._timer: asyncio.TimerHandle | None = None

    # What the connection goes through: head, body, answer, and again ------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection; when there are too many, one that nobody serves goes."""
        super().connection_made(transport)
        self._await()
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Parse what came; a head that does not end is refused."""
        self._head += len(data)
        super().data_received(data)
        if self._head > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse(431, "The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._await()

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._await(BODY_FACTOR)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body; heads alone are counted."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for nothing: it is our turn."""
        self._head = 0
        self._forget()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, with the headers that every answer has."""
        self._refuse(400, msg)

    # Bounds ---------------------------------------------------------------------------------------

    @property
    def is_served(self) -> bool:
        """Whether a whole request came and is not answered yet."""
        # There is no cycle before the first request.
        return self._deadline is None and not getattr(self.cycle, "response_complete", True)

    # A deadline comes and goes two times in a request; setting a timer each time would cost as
    # much as parsing it. The timer stays, and looks at the deadline when its time has come.

    def _await(self, factor: float = 1.0) -> None:
        self._deadline = self.loop.time() + self.limits.seconds * factor
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._look)

    def _forget(self) -> None:
        self._deadline = None

    def _look(self) -> None:
        """End a connection whose request did not arrive in time."""
        self._timer = None
        if self._deadline is None or self.transport.is_closing():
            return
        if self._deadline > self.loop.time():
            self._timer = self.loop.call_at(self._deadline, self._look)
            return
        self._deadline = None
        self.transport.abort()

    def _make_room(self) -> None:
        """End the connection that has waited longest for its request."""
        waiting = [
            one
            for one in self.connections
            if isinstance(one, GuardedProtocol)
            and not one.is_served
            and not one.transport.is_closing()
        ]
        if waiting:
            min(waiting, key=lambda one: one.due).transport.abort()

    @property
    def due(self) -> float:
        """When this connection is given up; those that keep alive between requests go first."""
        return self._deadline or 0.0

    def _refuse(self, status: int, text: str) -> None:
        """Answer without the application, and close."""
        body = text.encode("ascii")
        self.transport.write(
            b"".join([
                STATUS_LINE[status],
                HEADERS,
                b"content-type: text/plain; charset=utf-8\r\n",
                b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body),
                body,
            ])
        )  # fmt: skip
        self.transport.close()


def guarded(limits: Limits) -> type[GuardedProtocol]:
    """Make the protocol for a server with these limits; give it to uvicorn as `http`."""
    return type("Guarded", (GuardedProtocol,), {"limits": limits})
