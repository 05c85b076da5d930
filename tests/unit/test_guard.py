"""Who sends slowly, without end, or over too many connections is dropped; everybody else is served."""

from __future__ import annotations

import asyncio
import resource
import time
from contextlib import asynccontextmanager

import pytest
import structlog
import uvloop

from tests.edge import DOCUMENTS, Edge
from workers.jobqueue import health
from workers.jobqueue.guard import LARGEST_HEAD, Limits
from workers.jobqueue.headers import HEADERS
from workers.receiver import body

QUICK = 0.2  # seconds of patience
LATE = 5.0  # a bound on "at once" that a busy machine keeps
PING = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /webhooks/meta HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture(autouse=True)
def _quiet():
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def edge():
    return Edge()


@asynccontextmanager
async def serving(app, *, seconds=QUICK, connections=50):
    """Serve on a port of this machine."""
    port = health.listening("127.0.0.1", 0, setting="CONNEXT_RECEIVER_PORT")
    server = health.server(app, Limits(seconds=seconds, connections=connections))
    task = asyncio.ensure_future(server.serve(sockets=[port]))
    try:
        yield Peer(port.getsockname()[1])
    finally:
        server.should_exit = server.force_exit = True
        await task


class Peer:
    """Somebody who speaks to the server in bytes."""

    def __init__(self, port):
        self.port = port

    async def open(self, *parts):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
        return reader, writer

    async def said(self, reader):
        """Read until the server closes; how it closes is its business."""
        try:
            return await asyncio.wait_for(reader.read(), LATE)
        except ConnectionError:
            return b""

    async def ask(self, *parts):
        reader, writer = await self.open(*parts)
        answer = await self.said(reader)
        writer.close()
        return answer

    async def is_served(self):
        reader, writer = await self.open(PING)
        line = await asyncio.wait_for(reader.readline(), LATE)
        writer.close()
        return line == b"HTTP/1.1 200 OK\r\n"


def run(test):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(test())


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /webhooks/meta HT", POST, POST + b"x-a: ", POST + b"content-length: 10\r\n\r\nhalf",
     POST + b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
    ids=["nothing", "half a line", "half a head", "half a header", "half a body", "chunks without end"],
)  # fmt: skip
def test_what_does_not_arrive_in_time_ends_its_connection(edge, sent):
    async def tried():
        async with serving(edge.app) as peer:
            told = await peer.ask(sent)
            assert await peer.is_served()
            return told

    assert run(tried) == b""
    assert edge.kept.is_empty


def test_a_byte_now_and_then_does_not_buy_time(edge):
    async def tried():
        async with serving(edge.app) as peer:
            reader, writer = await peer.open(POST)
            ended = asyncio.ensure_future(peer.said(reader))
            began = time.monotonic()
            while not ended.done() and time.monotonic() - began < LATE:
                writer.write(b"x-a: b\r\n")
                await asyncio.wait([ended], timeout=QUICK / 10)
            writer.close()
            return ended.done()

    assert run(tried)


def test_a_head_without_end_is_refused_while_it_comes(edge):
    async def tried():
        async with serving(edge.app, seconds=60) as peer:
            reader, writer = await peer.open(POST)
            sent = 0
            while sent < LARGEST_HEAD * 100 and not writer.is_closing():
                writer.write(b"x-a: " + b"b" * 4000 + b"\r\n")
                sent += 4000
                try:
                    await writer.drain()
                    await asyncio.to_thread(int)  # the server runs in this loop: its turn
                except ConnectionError:
                    break
            told = await peer.said(reader)
            writer.close()
            return sent, told, await peer.is_served()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sent, told, served = run(tried)

    assert sent < LARGEST_HEAD * 100
    assert told == b"" or told.startswith(b"HTTP/1.1 431 ")
    assert served
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_chunks_without_end_are_refused_at_the_largest_body(edge):
    async def tried():
        async with serving(edge.app, seconds=60) as peer:
            reader, writer = await peer.open(POST, b"transfer-encoding: chunked\r\n\r\n")
            chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
            for _ in range(body.LARGEST // 65536 + 2):
                writer.write(chunk)
                await writer.drain()
            line = await asyncio.wait_for(reader.readline(), LATE)
            writer.close()
            return line

    assert run(tried).startswith(b"HTTP/1.1 413 ")
    assert edge.kept.is_empty


def test_a_body_that_claims_to_be_too_large_is_refused_before_it_comes(edge):
    async def tried():
        async with serving(edge.app, seconds=60) as peer:
            reader, writer = await peer.open(POST + b"content-length: 99999999999\r\n\r\n")
            line = await asyncio.wait_for(reader.readline(), LATE)
            writer.close()
            return line

    assert run(tried).startswith(b"HTTP/1.1 413 ")


def test_more_connections_than_there_may_be_keep_nobody_out(edge):
    async def tried():
        async with serving(edge.app, seconds=60, connections=20) as peer:
            held = [await peer.open(POST) for _ in range(60)]
            served = [await peer.is_served() for _ in range(5)]
            for _, writer in held:
                writer.close()
            return served

    assert run(tried) == [True] * 5


def test_a_request_that_is_being_answered_is_not_dropped_for_new_connections(edge):
    async def tried():
        gate, entered = asyncio.Event(), asyncio.Event()
        store = edge.kept.store

        async def slow(delivery):
            entered.set()
            await gate.wait()
            return await store(delivery)

        edge.kept.store = slow
        _, raw, headers = edge.proven("meta", b'{"object": "page", "entry": [7]}')
        head = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
        async with serving(edge.app, seconds=60, connections=8) as peer:
            reader, writer = await peer.open(
                POST, head, b"content-length: %d\r\n\r\n" % len(raw), raw
            )
            await entered.wait()
            held = [await peer.open(POST) for _ in range(30)]
            assert await peer.is_served()
            gate.set()
            line = await asyncio.wait_for(reader.readline(), LATE)
            for _, one in [*held, (reader, writer)]:
                one.close()
            return line

    assert run(tried).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n",
     b"GET /healthz HTTP/9.9\r\n\r\n", b"\x00" * 500, b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
     POST + b"content-length: 5\r\ncontent-length: 6\r\n\r\n", POST + b"content-length: -1\r\n\r\n",
     POST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
     POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n", POST + b"x\x00y: z\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_refused_with_the_headers_of_every_answer(edge, garbage):
    async def tried():
        async with serving(edge.app) as peer:
            told = await peer.ask(garbage)
            assert await peer.is_served()
            return told

    head = run(tried).lower()
    assert head.startswith(b"http/1.1 400 ")
    assert b"server:" not in head
    assert [name for name in HEADERS if f"\r\n{name}: ".encode() not in head] == []


def test_garbage_after_a_request_does_not_change_its_answer(edge):
    async def tried():
        async with serving(edge.app) as peer:
            return await peer.ask(PING + PING + b"\x00garbage\r\n\r\n")

    told = run(tried)
    assert told.count(b"HTTP/1.1 200 OK") <= 2
    assert b"HTTP/1.1 400 " in told
    assert b"garbage" not in told


def test_a_thousand_requests_in_one_breath_are_answered_in_order_and_no_other_is_kept_out(edge):
    async def tried():
        async with serving(edge.app, seconds=30) as peer:
            reader, writer = await peer.open(PING * 1000)
            assert await peer.is_served()
            count = 0
            while count < 1000:
                line = await asyncio.wait_for(reader.readline(), LATE)
                count += line == b"HTTP/1.1 200 OK\r\n"
            writer.close()
            return count

    assert run(tried) == 1000


def test_a_connection_that_is_kept_alive_is_served_again_and_again(edge):
    async def tried():
        _, raw, headers = edge.proven("meta", str(DOCUMENTS["meta"]).encode())
        head = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items())
        async with serving(edge.app) as peer:
            reader, writer = await peer.open()
            lines = []
            for _ in range(3):
                writer.write(POST + head + b"content-length: %d\r\n\r\n" % len(raw) + raw)
                lines.append(await asyncio.wait_for(reader.readline(), LATE))
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LATE)
            writer.close()
            return lines

    assert run(tried) == [b"HTTP/1.1 200 OK\r\n"] * 3
