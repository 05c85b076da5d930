"""Every HTTP address of ours, given what no provider sends: a clean no, nothing kept, nothing repeated."""

from __future__ import annotations

import json

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tests import hostile
from tests.callers import Caller
from tests.edge import DOCUMENTS, INTEGRATION, VERIFY_TOKEN, Edge, places_in, spoilt
from workers.jobqueue import health
from workers.jobqueue.headers import HEADERS

MARK = "zq7<mark>"
PATHS = (
    "/webhooks/meta", "/webhooks/meta/", "/webhooks/meta/deauthorize", "/webhooks/meta/deletion",
    "/webhooks/stripe", f"/webhooks/telnyx/{INTEGRATION}", "/webhooks/telnyx/x", "/webhooks/telnyx/%00",
    "/places/autocomplete", "/places/details", "/privacy/deletion/" + "0" * 32, "/privacy/deletion/x",
    "/healthz", "/readyz", "/metrics", "/", "//", "/..%2f..%2fetc/passwd", "/webhooks/meta%2Fdeletion",
)  # fmt: skip
METHODS = (
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "HEAD",
    "TRACE",
    "CONNECT",
    "PROPFIND",
)
REFUSALS = {400, 401, 403, 404, 405, 413}
NAMES = (
    "x-hub-signature-256", "x-hub-signature", "stripe-signature", "telnyx-signature-ed25519",
    "telnyx-timestamp", "authorization", "content-type", "content-encoding", "transfer-encoding",
    "content-length", "host", "origin", "x-connext-org", "x-forwarded-for", "x-forwarded-host", "cookie",
    "accept", "expect", "x-http-method-override",
)  # fmt: skip
VALUES = (
    "", MARK, "sha256=", "sha256=" + "0" * 64, "t=1,v1=00", "t=,v1=", "t=1" * 500, "Bearer ", "Bearer a.b.c",
    f"Bearer {MARK}", "gzip", "chunked", "-1", "0", "999999999999999999999", "١٢", "null", "é" * 100,
    "multipart/form-data; boundary=", "application/x-www-form-urlencoded", "A" * 9000, "= =", "dGVzdA==",
)  # fmt: skip
BODIES = (
    b"", b"\x00", b"\xff\xfe{\x00", b"{", b"[" * 5000, b'{"object":"page"}', b"signed_request=a.b",
    b"signed_request=" + b"%ff" * 50, b"signed_request=a&signed_request=b", b"a=b" * 400, b"\x1f\x8b\x08" + b"\x00" * 99,
    MARK.encode(), json.dumps(DOCUMENTS["meta"]).encode(), b'{"session":"' + MARK.encode() + b'"}', b"1" * 300_000,
)  # fmt: skip
HEADS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=4)
QUERIES = st.sampled_from(
    ["", f"?hub.mode=subscribe&hub.challenge={MARK}&hub.verify_token={MARK}", "?%00=%ff", "?a=" + "b" * 5000, "?code=" + MARK]
)  # fmt: skip
SIGNED = st.sampled_from(sorted(DOCUMENTS)).flatmap(
    lambda name: st.tuples(
        st.just(name), st.sampled_from(places_in(DOCUMENTS[name])), hostile.values(["cus_1", "in_1", "1"])
    )
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _quiet():
    """Keep what is refused out of the output of thousands of calls."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="module")
def edge():
    return Edge()


def call(app, method, path, content=b"", headers=None):
    """Send one request; header values go as bytes, as a socket would bring them."""
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Caller(app).call(method, path, content=content, headers=raw)


def hardened(answer):
    """Say which headers an answer lacks, or has and should not."""
    missing = HEADERS.keys() - answer.headers.keys()
    return [*missing, *({"server", "x-powered-by", "set-cookie"} & answer.headers.keys())]


def test_whatever_is_not_proven_is_refused_keeps_nothing_and_comes_back_nowhere(edge):
    @hostile.pace(150)
    @given(
        st.sampled_from(METHODS), st.sampled_from(PATHS), QUERIES, HEADS, st.sampled_from(BODIES)
    )
    def tried(method, path, query, headers, body):
        answer = call(edge.app, method, path + query, body, headers)

        fine = {200} if path == "/healthz" and method in {"GET", "HEAD"} else set()
        fine |= {204} if path.startswith("/places/") and method == "OPTIONS" else set()
        fine |= {307} if path.endswith("/") else set()
        assert answer.status_code in REFUSALS | fine
        assert MARK not in answer.text
        assert not [
            value for name, value in answer.headers.items() if MARK in value and name != "location"
        ]
        assert hardened(answer) == []
        assert edge.kept.is_empty

    tried()


def test_what_is_signed_and_strange_is_read_or_leaves_its_shape_and_is_never_an_error(edge):
    @hostile.pace(150)
    @given(SIGNED)
    def tried(change):
        provider, place, value = change
        document = hostile.written(spoilt(DOCUMENTS[provider], place, value))
        raw = document.encode("utf-8", "surrogatepass")
        path, body, headers = edge.proven(provider, raw)

        answer = call(edge.app, "POST", path, body, headers)

        wanted = {200, 400, 401} if provider.startswith("de") else {200, 413}
        assert answer.status_code in wanted
        assert hardened(answer) == []
        for delivery in edge.kept.deliveries:
            assert "\\u0000" not in json.dumps(delivery.events, default=str)
        edge.kept.deliveries.clear()
        edge.kept.callbacks.clear()

    tried()


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
def test_the_documents_that_are_spoilt_are_sound(edge, provider):
    raw = json.dumps(DOCUMENTS[provider]).encode()

    answer = call(edge.app, "POST", *edge.proven(provider, raw))

    assert answer.status_code == 200
    kept = [len(delivery.events) for delivery in edge.kept.deliveries] or [len(edge.kept.callbacks)]
    assert kept == [2 if provider == "meta" else 1]
    edge.kept.deliveries.clear()
    edge.kept.callbacks.clear()


@pytest.mark.parametrize("provider", sorted(DOCUMENTS))
def test_one_bit_of_a_signed_body_makes_it_unproven(edge, provider):
    raw = json.dumps(DOCUMENTS[provider]).encode()

    @hostile.pace(20)
    @given(st.integers(0, len(raw) * 8 - 1))
    def tried(bit):
        path, body, headers = edge.proven(provider, raw)
        changed = bytearray(body)
        changed[bit // 8 % len(body)] ^= 1 << bit % 8
        answer = call(edge.app, "POST", path, bytes(changed), headers)
        assert answer.status_code in {400, 401}
        assert edge.kept.is_empty

    tried()


def test_the_challenge_repeats_only_what_the_holder_of_the_token_sent(edge):
    query = {"hub.mode": "subscribe", "hub.challenge": "<b>1</b>", "hub.verify_token": VERIFY_TOKEN}

    answer = call(edge.app, "GET", f"/webhooks/meta?{httpx.QueryParams(query)}")

    assert (answer.status_code, answer.text) == (200, "<b>1</b>")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_health_server_answers_its_three_addresses_and_no_other():
    async def obstacle():
        return "the database does not answer"

    app = health.build(obstacle=obstacle, metrics=lambda: b"figures\n")

    @hostile.pace(60)
    @given(
        st.sampled_from(METHODS), st.sampled_from(PATHS), QUERIES, HEADS, st.sampled_from(BODIES)
    )
    def tried(method, path, query, headers, body):
        answer = call(app, method, path + query, body, headers)

        wanted = {"/healthz": 200, "/metrics": 200, "/readyz": 503}.get(path, 404)
        assert answer.status_code in {wanted, 405 if wanted != 404 else 404}
        assert MARK not in answer.text
        assert hardened(answer) == []

    tried()
