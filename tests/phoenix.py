"""Realtime's protocol frame by frame, for what the official clients never say."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realtime import RealtimeServer

HANG_SECONDS = 30


class Phoenix:
    """One WebSocket that speaks either version of the protocol."""

    def __init__(self, ws: ClientConnection, vsn: str) -> None:
        self.ws = ws
        self.vsn = vsn
        self._ref = 0

    def push(self, topic: str, event: str, payload: Any = None, join_ref: str | None = None) -> str:
        """Send a frame; return its ref."""
        self._ref += 1
        ref = str(self._ref)
        payload = {} if payload is None else payload
        if self.vsn == "2.0.0":
            frame: Any = [join_ref, ref, topic, event, payload]
        else:
            frame = {"topic": topic, "event": event, "payload": payload, "ref": ref}
            frame |= {} if join_ref is None else {"join_ref": join_ref}
        self.ws.send(json.dumps(frame))
        return ref

    def receive(self) -> Any:
        """Return the next frame as it came: read JSON, or bytes."""
        got = self.ws.recv(HANG_SECONDS)
        return got if isinstance(got, bytes) else json.loads(got)

    def event(self) -> tuple[str, Any]:
        """Return the next frame's event and payload."""
        frame = self.receive()
        return (frame["event"], frame["payload"]) if self.vsn == "1.0.0" else tuple(frame[3:])

    def join(self, name: str, token: str | None = None, **config: Any) -> Any:
        """Join a topic; return the answer's payload."""
        payload = {"config": {"private": True, **config}, "access_token": token}
        self.push(f"realtime:{name}", "phx_join", payload, join_ref=str(self._ref + 1))
        event, answer = self.event()
        assert event == "phx_reply"
        return answer

    def reason(self, name: str, token: str | None = None, **config: Any) -> str:
        """Join what is refused; return why."""
        answer = self.join(name, token, **config)
        assert answer["status"] == "error", answer
        return str(answer["response"]["reason"])

    def closed(self) -> int:
        """Read until the server closes; return its code."""
        try:
            while True:
                self.ws.recv(HANG_SECONDS)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006


@contextmanager
def phoenix(
    server: RealtimeServer, key: str | None = None, vsn: str = "1.0.0", **options: Any
) -> Iterator[Phoenix]:
    """Connect with a key, the publishable one unless named."""
    with connect(server.websocket(key, vsn), **options) as ws:
        yield Phoenix(ws, vsn)
