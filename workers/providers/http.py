"""The ground all vendor clients stand on: the HTTP client, its limits, and what its errors mean."""

from __future__ import annotations

import ipaddress
import logging
import ssl
from contextlib import contextmanager
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from workers.core.errors import Malformed, RateLimited, Rejected, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from workers.core.clock import Clock

USER_AGENT: Final = "connext-backend/0.1"
TIMEOUT: Final = httpx.Timeout(10, connect=5)
LIMITS: Final = httpx.Limits(max_connections=64, max_keepalive_connections=32)
DEFAULT_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=24)
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500

Transport = httpx.AsyncBaseTransport

# In these the request has not left the process, so repeating it cannot do anything twice.
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class Unreachable(Transient):
    """The vendor was not reached: the request had no effect."""


class Unanswered(Transient):
    """The request may have reached the vendor, but no usable answer came back."""


@contextmanager
def our_errors(provider: str, *, clock: Clock) -> Iterator[None]:
    """Translate what httpx raises inside the block; the cause is kept.

    The exception is HTTPStatusError: its text holds the address, and Graph addresses hold tokens.
    """
    try:
        yield
    except httpx.HTTPStatusError as error:
        raise answered(provider, error.response, now=clock.now()) from None
    except httpx.InvalidURL:
        raise Malformed(f"an address for {provider} is not valid; check its base URL") from None
    except _NEVER_SENT as error:
        raise Unreachable(f"{provider} was not reached: {type(error).__name__}") from error
    except (httpx.HTTPError, httpx.StreamError, httpx.CookieConflict, TimeoutError) as error:
        raise Unanswered(f"{provider} did not answer: {type(error).__name__}") from error


def answered(provider: str, response: httpx.Response, *, now: datetime) -> Transient | Rejected:
    """Say what a status means that came without an explanation of the vendor's own."""
    message = f"{provider} answered {response.status_code} to {response.request.method}"
    if response.status_code == TOO_MANY:
        pause = retry_after(response.headers, now=now) or DEFAULT_PAUSE
        return RateLimited(message, retry_after=pause)
    if response.status_code >= SERVER_ERROR or response.is_success:
        return Unanswered(message)
    return Rejected(message)


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Read Retry-After, which is a number of seconds or a date; None when absent or rubbish."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        # Cut before converting: a number of a thousand digits is an attack, not a pause.
        return min(timedelta(seconds=int(text[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_PAUSE)


def base_url(text: str) -> str:
    """Check a vendor's base URL: https, or plain http to this machine (a sandbox)."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Malformed("a provider's base URL is not a URL; check the CONNEXT_*_URL") from None
    if not host or parts.query or parts.fragment or parts.username or parts.password:
        raise Malformed("a provider's base URL may have a scheme, a host and a path, nothing else")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise Malformed(f"the base URL of {host} is not https; only this machine may be plain http")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls() -> ssl.SSLContext:
    """Describe how vendors are spoken to: their certificate is verified, TLS 1.2 or newer."""
    context = httpx.create_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def client(*, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Make the HTTP client of a process. Redirects are not followed: they would carry tokens."""
    # httpx logs every address at INFO, httpcore at DEBUG, and Graph addresses hold tokens.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        headers={"user-agent": USER_AGENT, "accept": "application/json"},
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
        transport=transport,
        verify=tls(),
        # A proxy named in the environment is for the world, never for a sandbox on this machine.
        mounts={f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")},
    )
