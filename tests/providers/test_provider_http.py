"""What all vendor clients stand on: foreign errors, pauses, and where calls may go."""

import inspect
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from workers.core.errors import ConnextError, Malformed, Permanent, Transient
from workers.providers import http

ADDRESS = "https://graph.facebook.com"
TOKEN = "EAAtoken0123456789"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    def now(self):
        return NOW

    def monotonic(self):
        return 0.0


def foreign_errors():
    found = [value for value in vars(httpx).values() if inspect.isclass(value)]
    return [kind for kind in found if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", foreign_errors())
def test_nothing_of_httpx_gets_through(kind):
    request = httpx.Request("GET", f"{ADDRESS}/?access_token={TOKEN}")
    extra = {}
    parameters = inspect.signature(kind).parameters
    if "request" in parameters and parameters["request"].default is inspect.Parameter.empty:
        extra["request"] = request
    if "response" in parameters:
        extra["response"] = httpx.Response(500, request=request)
    arguments = ["boom"] if "message" in parameters else []

    with pytest.raises(ConnextError) as caught, http.our_errors("Meta", clock=Clock()):
        raise kind(*arguments, **extra)

    assert isinstance(caught.value, (Transient, Permanent))
    assert TOKEN not in str(caught.value)


def test_the_cause_is_dropped_where_its_text_holds_the_address():
    request = httpx.Request("GET", f"{ADDRESS}/?access_token={TOKEN}")

    with pytest.raises(ConnextError) as caught, http.our_errors("Meta", clock=Clock()):
        httpx.Response(500, request=request).raise_for_status()

    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(seconds=120)),
        (" 5 ", timedelta(seconds=5)),
        ("9" * 400, timedelta(hours=24)),
        ("Mon, 23 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Mon, 23 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Mon, 23 Nov 2026 12:01:00 -0000", timedelta(minutes=1)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", timedelta(hours=24)),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, pause):
    assert http.retry_after({"retry-after": text}, now=NOW) == pause


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.facebook.com",
        "https://graph.facebook.com/",
        "http://127.0.0.1:8080",
        "http://localhost:1/graph",
        "http://[::1]:8080",
    ],
)
def test_a_base_url_is_https_or_this_machine(url):
    assert http.base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.facebook.com",
        "http://127.0.0.1.evil.example",
        "http://169.254.169.254",
        "ftp://127.0.0.1",
        "//graph.facebook.com",
        "https://",
        "",
        "https://user:pw@graph.facebook.com",
        "https://graph.facebook.com?x=1",
        "https://graph.facebook.com:port",
        "http://[::1",
    ],
)
def test_any_other_base_url_is_refused(url):
    with pytest.raises(Malformed):
        http.base_url(url)
