"""What leaves this system, as its code says it: hosts, fields, scopes, and how TLS is spoken.

The checks of the privacy page compare this with lists of their own; nothing here is configuration.
"""

from __future__ import annotations

import ast
import importlib
import re
import ssl
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from workers.core.clock import SystemClock
from workers.core.errors import ConnextError
from workers.providers import http
from workers.providers.meta.client import SUBSCRIBED_FIELDS
from workers.providers.meta.files import HOSTS as META_FILES
from workers.providers.places.client import Ask, PlacesClient
from workers.providers.telnyx.files import HOSTS as TELNYX_FILES
from workers.services.connections import NEEDED_SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+)")
FILE_HOSTS = (*META_FILES, *TELNYX_FILES)


@dataclass(frozen=True, slots=True)
class Client:
    """How the HTTP client of the workers is set up."""

    minimum: ssl.TLSVersion
    verifies: bool
    names: bool
    follows_redirects: bool


def http_client() -> Client:
    """Describe the client that every provider is asked with."""
    context = http.tls()
    made = http.client()
    return Client(
        ssl.TLSVersion(context.minimum_version),
        context.verify_mode == ssl.CERT_REQUIRED,
        context.check_hostname,
        made.follow_redirects,
    )


def refuses(url: str) -> bool:
    """Say whether the clients refuse this as a provider's address."""
    try:
        http.base_url(url)
    except ConnextError:
        return True
    return False


async def reach(url: str) -> str:
    """Ask an address with the workers' client; answer the status, or the name of our error."""
    async with http.client() as client:
        try:
            with http.our_errors("a probe", clock=SystemClock()):
                return str((await client.get(url)).status_code)
        except ConnextError as error:
            return type(error).__name__


def hosts_in_code() -> dict[str, str]:
    """Find every host that a string of the workers' code names, and the module it stands in."""
    found: dict[str, str] = {}
    for name, tree in _modules("workers", "://"):
        for text in _strings(tree):
            for host in ADDRESS.findall(text):
                found.setdefault(host.lower(), name)
    return found


def graph_fields() -> frozenset[str]:
    """List what Graph is asked for: the values of every `fields` in the code of Meta's provider."""
    found: set[str] = set(SUBSCRIBED_FIELDS)
    for name, tree in _modules("workers.providers.meta", "fields"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Dict):
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "fields":
                    found |= set(re.findall(r"[a-z_]+", _value(name, value)))
    return frozenset(found)


def meta_scopes() -> frozenset[str]:
    """List the permissions without which a connection to Meta is refused."""
    return NEEDED_SCOPES


async def ask_places(transport: http.Transport, typed: str, session: str) -> None:
    """Ask Google Places through *transport*, as the receiver does for somebody who types."""
    async with http.client(transport=transport) as client:
        places = PlacesClient(
            client,
            api_key=SecretStr("probe"),
            clock=SystemClock(),
            base_url="https://places.googleapis.com",
        )
        await places.suggest(typed, Ask(session, "fr", "CA"))


def _modules(package: str, word: str) -> Iterator[tuple[str, ast.Module]]:
    """Parse every module of a package of ours in which a word stands."""

    def walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, ast.Module]]:
        for item in sorted(folder.iterdir(), key=lambda one: one.name):
            if item.is_dir() and item.name != "__pycache__":
                yield from walk(item, f"{prefix}.{item.name}")
            elif item.name.endswith(".py") and word in (text := item.read_text(encoding="utf-8")):
                name = f"{prefix}.{item.name.removesuffix('.py')}".removesuffix(".__init__")
                yield name, ast.parse(text)

    yield from walk(files(package), package)


def _strings(tree: ast.Module) -> Iterator[str]:
    """Yield every string of a module but its documentation and the advice of its settings."""
    quiet = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            quiet.add(id(body[0].value))
        if isinstance(node, ast.keyword) and node.arg == "description":
            quiet.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
            yield node.value


def _value(module: str, node: ast.expr) -> str:
    """Read what a constant or a name of a module stands for."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    place: Any = importlib.import_module(module)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        place = getattr(place, node.value.id)
    return str(getattr(place, name, ""))
