"""An application of ours or of the sandbox on a port of this machine, from within a test."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from cli.embedded.process import wait_until
from workers.jobqueue import health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve until the block ends; yield the address."""
    port = health.listening("127.0.0.1", 0, setting="a port of the test")
    server = health.QuietServer(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [port]})
    thread.start()
    try:
        assert wait_until(lambda: server.started, 30, pause=0.01)
        yield f"http://127.0.0.1:{port.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
