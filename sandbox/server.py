"""uvicorn with two additions: an app may hang up, and it learns at once of a stop."""

import asyncio
import socket
import threading
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import Sandbox
from sandbox.replies import hang_up_extension

GRACE_SECONDS = 3
BACKLOG = 1024


class Protocol(HttpToolsProtocol):
    """Hands the app the means to drop the connection of a request."""

    def on_message_begin(self) -> None:
        """Add the extension to the fresh scope."""
        super().on_message_begin()
        self.scope["extensions"] = hang_up_extension(self.transport)


class Server(uvicorn.Server):
    """Serves a sandbox; delays end the moment it is told to stop."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(
            uvicorn.Config(
                sandbox.app,
                http=Protocol,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.ready = threading.Event()
        self._stopping = sandbox.stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut the delays short before waiting for open requests."""
        self._stopping.set()
        await super().shutdown(sockets=sockets)


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle off only where the protocol is named; else answers wait 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def serve(sandbox: Sandbox, *, host: str, port: int) -> None:
    """Serve until a signal comes."""
    with listen(host, port) as sock:
        Server(sandbox).run(sockets=[sock])


def run_until_stopped(server: Server, sock: socket.socket) -> None:
    """Serve on a thread's own event loop."""
    asyncio.run(server.serve(sockets=[sock]))


def port_of(sock: socket.socket) -> int:
    """Return the port *sock* listens on."""
    return cast("int", sock.getsockname()[1])
