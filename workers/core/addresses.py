"""Which addresses may carry what is ours: TLS, or this machine only."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from pydantic import SecretStr

ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def hosts(parameters: dict[str, object]) -> list[str]:
    """List every host the connection string may reach; libpq takes several, with commas."""
    named = [str(parameters.get(name) or "") for name in ("host", "hostaddr")]
    return [host for value in named for host in value.split(",") if host]


def is_here(host: str) -> bool:
    """Say whether *host* is this machine: a socket folder, localhost, or a loopback address."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reaches_safely(dsn: SecretStr) -> SecretStr:
    """Refuse a connection string that would send data over a network unencrypted."""
    try:
        parameters = conninfo_to_dict(dsn.get_secret_value())
    except ProgrammingError:
        raise ValueError("is not a Postgres connection string") from None
    away = [host for host in hosts(dict(parameters)) if not is_here(host)]
    if away and parameters.get("sslmode") not in ENCRYPTED:
        raise ValueError("leaves this machine without TLS; add sslmode=verify-full")
    return dsn


def is_web_url(url: str) -> str:
    """Accept https, and plain http on this machine only."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    name = host.strip("[]") if host.startswith("[") else host.partition(":")[0]
    if scheme == "https" and name:
        return url.rstrip("/")
    if scheme == "http" and is_here(host[1:].partition("]")[0] if host.startswith("[") else name):
        return url.rstrip("/")
    raise ValueError("must be an https URL (plain http only on this machine)")


def anchor_place(anchor: str) -> str:
    """Let an address be one that a token may be sent to; anything else is a file."""
    return is_web_url(anchor) if "://" in anchor else anchor
