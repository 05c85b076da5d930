"""The sandbox on a thread of this process, and a receiver that keeps what it was sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from sandbox.app import Config, Sandbox
from sandbox.server import Server, listen, port_of, run_until_stopped

PATIENCE_SECONDS = 10


@contextmanager
def running(config: Config) -> Iterator[str]:
    """Serve *config* on a free port of 127.0.0.1 and yield the base URL."""
    server = Server(Sandbox(config))
    with listen("127.0.0.1", 0) as sock:
        url = f"http://127.0.0.1:{port_of(sock)}"
        thread = threading.Thread(target=run_until_stopped, args=(server, sock), name="sandbox")
        thread.start()
        try:
            if not server.ready.wait(PATIENCE_SECONDS):
                raise TimeoutError("the sandbox did not start")
            yield url
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class Received:
    """One HTTP request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, str, bytes]


def _accept(_request: Received) -> Answer:
    return 200, "text/plain", b"EVENT_RECEIVED"


@dataclass(slots=True)
class Inbox:
    """A receiver on a free port: it keeps every request and answers as *answer* says."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Answer] = _accept

    def posts(self) -> list[Received]:
        """Return the POST requests so far."""
        return [request for request in self.requests if request.method == "POST"]

    def clear(self) -> None:
        """Forget the requests and answer 200 again."""
        self.requests.clear()
        self.answer = _accept


@contextmanager
def receiving() -> Iterator[Inbox]:
    """Run an `Inbox` on 127.0.0.1."""
    inbox = Inbox()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(inbox))
    server.daemon_threads = True
    inbox.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="inbox")
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join(PATIENCE_SECONDS)
        server.server_close()


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _take(self) -> None:
            parts = urlsplit(self.path)
            request = Received(
                method=self.command,
                path=parts.path,
                query=parts.query,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("content-length", 0))),
            )
            inbox.requests.append(request)
            status, content_type, body = inbox.answer(request)
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = _take  # noqa: N815 - the name http.server calls
        do_POST = _take  # noqa: N815 - the name http.server calls

        def handle(self) -> None:
            with suppress(ConnectionError):  # the sandbox gave up on it, as it may
                super().handle()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    return Handler
