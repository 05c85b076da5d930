"""The receiver: what is proven is stored before it is answered, and nothing else is."""

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field

import httpx
import pytest
import structlog
from pydantic import SecretStr
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from workers.core.errors import Unavailable
from workers.jobqueue.headers import HEADERS
from workers.receiver import body, meta
from workers.receiver.app import build
from workers.receiver.counters import Counters
from workers.receiver.ingest import Delivery, Stored
from workers.receiver.together import Overloaded

SECRET, TOKEN = "app-secret", "verify-token"
PRIVATE = "meet me at the harbour"
PATH = "/webhooks/meta"
NOW_MS = 1_763_894_400_000


@dataclass
class Memory:
    """An ingest that keeps deliveries in a list, or fails as told."""

    kept: list[Delivery] = field(default_factory=list)
    failure: Exception | None = None
    counters: Counters = field(default_factory=Counters)

    async def store(self, delivery: Delivery) -> Stored:
        if self.failure is not None:
            raise self.failure
        self.kept.append(delivery)
        return Stored(stored=len(delivery.events))


@pytest.fixture
def memory():
    return Memory()


def application(memory, **options):
    return build(
        **options,
        ingest=memory,
        counters=memory.counters,
        people=None,
        app_secret=SecretStr(SECRET),
        verify_token=SecretStr(TOKEN),
    )


def request(memory, method, path=PATH, **options):
    """Send one request through the application."""
    app = application(memory)

    async def send():
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            answer = await client.request(method, path, **options)
            answer.metrics = memory.counters.text().decode()
            return answer

    return asyncio.run(send())


def signed(raw, secret=SECRET):
    digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


def deliver(memory, raw):
    return request(memory, "POST", content=raw, headers=signed(raw))


def batch(*messages):
    elements = [
        {"sender": {"id": "2"}, "recipient": {"id": "1"}, "timestamp": NOW_MS, "message": message}
        for message in messages
    ]
    entry = [{"id": "1", "time": 5, "messaging": elements}]
    return json.dumps({"object": "page", "entry": entry}).encode()


def test_the_challenge_comes_back_as_plain_text(memory):
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": TOKEN,
    }

    answer = request(memory, "GET", params=query)

    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "change",
    [
        {"hub.verify_token": "wrong"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "é"},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": ""},
        {"hub.challenge": "9" * 300},
    ],
)
def test_a_challenge_that_does_not_fit_is_refused(memory, change):
    query = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": TOKEN}

    answer = request(memory, "GET", params=query | change)

    assert (answer.status_code, answer.content) == (403, b"")


def test_a_proven_delivery_is_stored_whole_and_answered(memory):
    answer = deliver(memory, batch({"mid": "m_1", "text": "a"}, {"mid": "m_2", "text": "b"}))

    assert answer.status_code == 200
    (kept,) = memory.kept
    assert [event["key"] for event in kept.events] == ["page:1:msg:m_1", "page:1:msg:m_2"]
    assert kept.events[0] == {
        "key": "page:1:msg:m_1",
        "account": "1",
        "contact": "2",
        "kind": "message",
        "occurred_at": NOW_MS,
        "body": {"mid": "m_1", "text": "a", "attachments": [], "reply_to": None},
    }
    assert 'connext_webhook_events_total{outcome="stored",provider="meta"} 2.0' in answer.metrics


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": "sha256=00"},
        {"x-hub-signature": "sha1=00"},
        signed(b"another body"),
        signed(batch({"mid": "m_1"}), "another secret"),
        {"x-hub-signature-256": b"sha256=\xe9"},
    ],
)
def test_what_is_not_proven_is_refused_and_nothing_is_stored(memory, headers):
    answer = request(memory, "POST", content=batch({"mid": "m_1"}), headers=headers)

    assert answer.status_code == 401
    assert memory.kept == []
    assert 'outcome="unauthentic",provider="meta"} 1.0' in answer.metrics


def test_two_signatures_prove_nothing(memory):
    raw = batch({"mid": "m_1"})
    headers = [*signed(raw).items(), *signed(raw).items()]

    answer = request(memory, "POST", content=raw, headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("raw", [b"", PRIVATE.encode(), b'{"object":"page"}', b"[1]"])
def test_what_is_proven_but_unreadable_leaves_its_shape_and_is_answered(memory, raw):
    answer = deliver(memory, raw)

    assert answer.status_code == 200
    (kept,) = memory.kept
    (shape,) = kept.unreadable
    assert kept.events == ()
    assert (shape.digest, shape.size) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert PRIVATE not in repr(kept)


def test_one_rotten_element_is_noted_beside_the_good_ones(memory):
    answer = deliver(memory, batch({"text": PRIVATE}, {"mid": "m_2", "text": "kept"}))

    (kept,) = memory.kept
    assert answer.status_code == 200
    assert [event["body"]["text"] for event in kept.events] == ["kept"]
    assert len(kept.unreadable) == 1
    assert PRIVATE not in repr(kept.unreadable)


def test_an_object_we_do_not_know_is_answered_and_counted(memory):
    answer = deliver(memory, b'{"object":"instagram","entry":[]}')

    assert answer.status_code == 200
    assert memory.kept == []
    assert 'outcome="unknown_object",provider="meta"} 1.0' in answer.metrics


def test_a_delivery_without_anything_to_keep_asks_nothing_of_the_database(memory):
    memory.failure = Unavailable("the database is away")

    answer = deliver(memory, b'{"object":"page","entry":[{"id":"1","changes":[{}]}]}')

    assert answer.status_code == 200


@pytest.mark.parametrize("raw", [batch({"mid": "m_1"}), b"unreadable"])
@pytest.mark.parametrize(
    "failure", [Unavailable("the database is away"), RuntimeError(f"quotes {PRIVATE}")]
)
def test_our_own_trouble_makes_meta_repeat(memory, failure, raw):
    memory.failure = failure

    with structlog.testing.capture_logs() as lines:
        answer = deliver(memory, raw)

    assert answer.status_code == 503
    assert PRIVATE not in repr(
        [{k: v for k, v in line.items() if k != "exc_info"} for line in lines]
    )


def test_a_database_that_is_too_slow_makes_meta_repeat(memory, monkeypatch):
    monkeypatch.setattr(meta, "SLOWEST", 0.01)

    async def hang(_delivery):
        await asyncio.Event().wait()

    memory.store = hang

    assert deliver(memory, batch({"mid": "m_1"})).status_code == 503


def test_logs_hold_neither_bodies_nor_queries(memory):
    with structlog.testing.capture_logs() as lines:
        request(memory, "POST", f"{PATH}?x={PRIVATE}", content=PRIVATE.encode())
        deliver(memory, batch({"mid": "m_1", "text": PRIVATE}))
        request(memory, "GET", params={"hub.verify_token": PRIVATE})

    assert PRIVATE not in repr(lines)
    assert [line["event"] for line in lines] == ["webhook refused"]


def test_a_body_that_says_it_is_too_large_is_not_read(memory):
    headers = {"content-length": str(body.LARGEST + 1)}

    async def never():
        raise AssertionError("the body was read")
        yield b""

    answer = request(memory, "POST", content=never(), headers=headers)

    assert answer.status_code == 413


def test_a_body_that_turns_out_too_large_is_given_up_on_the_way(memory):
    sent = []

    async def endless():
        while True:
            sent.append(len(sent))
            assert len(sent) < 100
            yield b"x" * 65_536

    answer = request(memory, "POST", content=endless())

    assert answer.status_code == 413
    assert len(sent) <= body.LARGEST // 65_536 + 2
    assert memory.kept == []


def test_a_body_of_exactly_the_limit_is_read(memory):
    raw = b" " * body.LARGEST

    assert deliver(memory, raw).status_code == 200


def test_a_body_that_never_ends_runs_into_the_deadline(memory, monkeypatch):
    monkeypatch.setattr(meta, "SLOWEST", 0.01)
    # The application waits for a part that nobody sends.
    hang = asyncio.Event()

    async def drip():
        yield b"{"
        await hang.wait()

    answer = request(memory, "POST", content=drip())

    assert answer.status_code == 408
    assert 'connext_webhook_rejects_total{provider="meta",reason="too_slow"} 1.0' in answer.metrics


def test_a_sender_that_hangs_up_is_no_failure_of_ours(memory):
    app = application(memory)
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "headers": [],
    }
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))

    assert sent[0]["status"] == 400
    assert memory.kept == []


def test_the_public_address_tells_that_it_lives_and_nothing_more(memory):
    assert request(memory, "GET", "/healthz").status_code == 200
    assert request(memory, "PUT").status_code == 405
    for path in ("/readyz", "/metrics", "/elsewhere"):
        assert request(memory, "GET", path).status_code == 404


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "unsigned"),
        ({"x-hub-signature-256": "sha256=00"}, "wrong_signature"),
        ([*signed(b"x").items(), *signed(b"x").items()], "several_signatures"),
        ({"content-length": str(body.LARGEST + 1)}, "too_large"),
    ],
)
def test_what_is_rejected_is_counted_by_its_reason(memory, headers, reason):
    answer = request(memory, "POST", content=b"x", headers=headers)

    counted = f'connext_webhook_rejects_total{{provider="meta",reason="{reason}"}} 1.0'
    assert counted in answer.metrics


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Overloaded("5000 events wait"), "overloaded"),
        (Unavailable("the database is away"), "unavailable"),
        (RuntimeError("a bug"), "failed"),
    ],
)
def test_what_could_not_be_stored_is_counted_by_its_reason(memory, failure, reason):
    memory.failure = failure

    answer = deliver(memory, batch({"mid": "m_1"}))

    assert answer.status_code == 503
    assert f'rejects_total{{provider="meta",reason="{reason}"}} 1.0' in answer.metrics


@pytest.mark.parametrize("path", [PATH, "/healthz", "/elsewhere"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_carries_the_security_headers(memory, method, path):
    answer = request(memory, method, path)

    assert HEADERS.items() <= dict(answer.headers).items()


def test_a_body_that_comes_in_pieces_is_put_together(memory):
    raw = batch({"mid": "m_1", "text": "a"})

    async def pieces():
        for start in range(0, len(raw), 7):
            yield raw[start : start + 7]

    answer = request(memory, "POST", content=pieces(), headers=signed(raw))

    assert answer.status_code == 200
    assert [event["key"] for event in memory.kept[0].events] == ["page:1:msg:m_1"]


@pytest.mark.parametrize(
    ("proxies", "seen"), [("192.0.2.1", "203.0.113.7"), (None, "192.0.2.1"), ("", "192.0.2.1")]
)
def test_a_sender_is_known_behind_the_proxies_that_are_named_and_no_others(
    memory, monkeypatch, proxies, seen
):
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if proxies is not None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)

    async def who(request):
        return PlainTextResponse(request.client.host)

    app = application(memory, more=[Route("/who", who)])

    async def send():
        transport = httpx.ASGITransport(app, client=("192.0.2.1", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return await client.get("/who", headers={"x-forwarded-for": "203.0.113.7"})

    assert asyncio.run(send()).text == seen
