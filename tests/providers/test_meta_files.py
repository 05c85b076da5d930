"""Fetching attachments: from Meta's file servers only, bounded, and of types that cannot run."""

import asyncio
import json
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from tests.messenger import Clock
from workers.core.errors import Malformed, Transient
from workers.providers import http
from workers.providers.meta.files import MOST_BYTES, FileClient, Unfetchable
from workers.providers.storage.client import Missing, Permit, StorageClient

SANDBOX = "http://127.0.0.1:9"
GOOD = "https://scontent.xx.fbcdn.net/v/photo.jpg?oe=1"


def fetch(url, answer=None, base_url="https://graph.facebook.com"):
    seen = []

    def serve(request):
        seen.append(str(request.url))
        return answer or httpx.Response(200, content=b"x", headers={"content-type": "image/jpeg"})

    async def go():
        async with http.client(transport=httpx.MockTransport(serve)) as client:
            return await FileClient(client, base_url=base_url, clock=Clock()).fetch(url)

    return asyncio.run(go()), seen


def refusal(url, answer=None, **more):
    with pytest.raises(Unfetchable) as caught:
        fetch(url, answer, **more)
    return caught.value.code


def typed(kind, content=b"x"):
    return httpx.Response(200, content=content, headers={"content-type": kind})


@pytest.mark.parametrize("url", [GOOD, "https://cdn.fbsbx.com/v/invoice.pdf"])
def test_a_file_of_metas_servers_is_fetched(url):
    got, seen = fetch(url)

    assert (got.content, got.mime_type) == (b"x", "image/jpeg")
    assert seen == [url]


@pytest.mark.parametrize(
    "url",
    [
        "http://scontent.xx.fbcdn.net/photo.jpg",
        "https://fbcdn.net.evil.example/photo.jpg",
        "https://evilfbcdn.net/photo.jpg",
        "https://scontent.xx.fbcdn.net@169.254.169.254/latest",
        "https://scontent.xx.fbcdn.net:8443/photo.jpg",
        "https://169.254.169.254/latest/meta-data",
        "http://localhost:5432/",
        "file:///etc/passwd",
        "https://[broken",
        f"{SANDBOX}/_files/a.png",
    ],
)
def test_no_other_host_is_asked(url):
    assert refusal(url) == "foreign_host"


def test_the_local_stand_in_is_one_more_origin():
    _, seen = fetch(f"{SANDBOX}/_files/a.png", base_url=SANDBOX)

    assert seen == [f"{SANDBOX}/_files/a.png"]


def test_a_redirect_is_not_followed():
    moved = httpx.Response(302, headers={"location": "http://169.254.169.254/"})

    assert refusal(GOOD, moved) == "foreign_host"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/x-msdownload", ""])
def test_types_that_could_run_are_refused(kind):
    assert refusal(GOOD, typed(kind)) == "type_refused"


def test_a_file_may_be_as_large_as_messenger_carries_and_no_larger():
    got, _ = fetch(GOOD, typed("image/png", bytes(MOST_BYTES)))

    assert len(got.content) == MOST_BYTES
    assert refusal(GOOD, typed("image/png", bytes(MOST_BYTES + 1))) == "too_large"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_address_is_told_apart(status):
    assert refusal(GOOD, httpx.Response(status)) == "expired"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_of_the_file_server_passes(status):
    with pytest.raises(Transient):
        fetch(GOOD, httpx.Response(status))


PERMIT = Permit(7, UUID(int=1))


def storing(act, status=200, content=b""):
    seen = []

    def serve(request):
        seen.append(request)
        return httpx.Response(status, content=content)

    async def go():
        async with http.client(transport=httpx.MockTransport(serve)) as client:
            url, key = "https://p.supabase.co", SecretStr("sb_secret_x")
            await act(
                StorageClient(client, url=url, key=key, clock=Clock(), gate="sb_publishable_x")
            )

    asyncio.run(go())
    return seen


def test_an_object_is_stored_with_its_type_and_the_key_in_headers_only():
    (put,) = storing(
        lambda s: s.put("attachments", "org/meta/id", b"x", mime_type="image/png", permit=PERMIT)
    )

    assert str(put.url) == "https://p.supabase.co/storage/v1/object/attachments/org/meta/id"
    assert put.headers["content-type"] == "image/png"
    assert put.headers["authorization"] == "Bearer sb_secret_x"
    assert put.headers["apikey"] == "sb_publishable_x"
    assert put.headers["x-connext-job"] == "7"
    assert put.headers["x-connext-lease"] == str(UUID(int=1))
    assert put.content == b"x"


def reading(status, content, most=5):
    got = []

    async def read(storage):
        got.append(await storage.get("attachments", "org/r/a", most=most, permit=PERMIT))

    storing(read, status, content)
    return got[0]


def test_an_object_is_read_whole():
    assert reading(200, b"12345") == b"12345"


@pytest.mark.parametrize(("status", "content"), [(404, b""), (400, b""), (200, b"123456")])
def test_an_object_that_is_gone_or_too_large_is_told_apart(status, content):
    with pytest.raises(Missing):
        reading(status, content)


def test_storage_that_is_down_is_asked_again():
    with pytest.raises(Transient):
        reading(503, b"")


def test_deleting_what_is_gone_is_no_error():
    (deleted,) = storing(
        lambda s: s.delete("attachments", "org/meta/id", permit=PERMIT), status=404
    )

    assert (deleted.method, deleted.url.path) == ("DELETE", "/storage/v1/object/attachments")
    assert json.loads(deleted.content) == {"prefixes": ["org/meta/id"]}


@pytest.mark.parametrize("path", ["../exports/a", "org/../a", "org", "org/a?b", "org//a"])
def test_a_path_leads_nowhere_else(path):
    with pytest.raises(Malformed):
        storing(lambda s: s.delete("attachments", path, permit=PERMIT))
