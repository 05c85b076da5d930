"""Which PostgreSQL the tests run on: the embedded one, a container, or a server that is there already.

`CONNEXT_TEST_DB` chooses: nothing or `embedded`; `container`, where Docker is and the extra `container`
is installed; or the address of a superuser on a server of this machine that may be thrown away: its
roles get other passwords.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from cli.embedded.cluster import SETTINGS, SUPERUSER, VOLATILE, Cluster
from cli.embedded.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VARIABLE, IMAGE_VARIABLE = "CONNEXT_TEST_DB", "CONNEXT_TEST_IMAGE"
IMAGE = "postgres:17"
PORT = 5432
START_SECONDS = 120
# What of the embedded server's settings concerns where it listens and writes: a container has its own.
PLACES = {
    "listen_addresses",
    "unix_socket_directories",
    "port",
    "logging_collector",
    "log_destination",
}


class Server(Protocol):
    """A PostgreSQL whose superuser is `supabase_admin`, reached on this machine."""

    port: int

    def create(self) -> Any: ...
    def start(self) -> Any: ...
    def stop(self) -> Any: ...


class NoServer(RuntimeError):
    """The server that was asked for cannot be had."""


def chosen(environment: Mapping[str, str], folder: Path, password: str) -> Server:
    """Make the server that the environment asks for; it is not started yet."""
    asked = environment.get(VARIABLE) or "embedded"
    if asked == "embedded":
        return Cluster(folder / "postgres", folder / "postgres.log", password, durable=False)
    if asked == "container":
        return Container(password, environment.get(IMAGE_VARIABLE) or IMAGE)
    if asked.startswith(("postgresql://", "postgres://")):
        return Existing(asked, password)
    raise NoServer(f"{VARIABLE} is neither 'embedded', 'container' nor an address: {asked!r}")


def command(settings: Mapping[str, str]) -> list[str]:
    """Write the command of a container's server, with the settings that tests want."""
    words = ["postgres"]
    for name, value in settings.items():
        if name not in PLACES:
            words += ["-c", f"{name}={value}"]
    return words


class Container:
    """A container of the image, through testcontainers; never run here, for want of an engine."""

    def __init__(self, password: str, image: str) -> None:
        self.password, self.image, self.port = password, image, 0
        self._container: Any = None

    def create(self) -> None:
        """Prepare nothing: a container is made as it starts."""

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        try:
            from testcontainers.core.container import DockerContainer
        except ImportError:
            raise NoServer("testcontainers is missing: pip install -e '.[container]'") from None

        self._container = (
            DockerContainer(self.image)
            .with_env("POSTGRES_USER", SUPERUSER)
            .with_env("POSTGRES_PASSWORD", self.password)
            .with_env("POSTGRES_DB", "postgres")
            .with_env("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C --data-checksums")
            .with_exposed_ports(PORT)
            .with_command(command(SETTINGS | VOLATILE))
        )
        self._container.start()
        loopback(self._container.get_container_host_ip())
        self.port = int(self._container.get_exposed_port(PORT))
        address = f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"
        # While the image prepares itself its server listens on a socket only.
        if not wait_until(lambda: answers(address), START_SECONDS, pause=0.2):
            self.stop()
            raise NoServer(f"{self.image} does not answer after {START_SECONDS} s")

    def stop(self) -> None:
        """Throw it away."""
        if self._container is not None:
            self._container.stop()


class Existing:
    """A server that somebody else started, and that this run may do anything to."""

    def __init__(self, address: str, password: str) -> None:
        parts: dict[str, Any] = conninfo_to_dict(address)
        loopback(str(parts.get("host", "127.0.0.1")))
        self.address, self.password = address, password
        self.port = int(parts.get("port", PORT))

    def create(self) -> None:
        """Have `supabase_admin`, a superuser with the run's password."""
        with psycopg.connect(self.address, autocommit=True) as db:
            (superuser,) = db.execute(
                "select rolsuper from pg_roles where rolname = current_user"
            ).fetchone() or (False,)
            if not superuser:
                raise NoServer(f"the address in {VARIABLE} is not a superuser's")
            found = db.execute("select 1 from pg_roles where rolname = %s", [SUPERUSER]).fetchone()
            verb = sql.SQL("alter" if found else "create")
            db.execute(
                sql.SQL("{} role {} superuser login password {}").format(
                    verb, sql.Identifier(SUPERUSER), sql.Literal(self.password)
                )
            )

    def start(self) -> None:
        """Leave it as it is."""

    def stop(self) -> None:
        """Leave it running, with the databases that the run dropped or did not."""


def loopback(host: str) -> None:
    """Refuse a server of another machine: tests reach none."""
    try:
        near = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near:
        raise NoServer(f"{VARIABLE} must be on this machine, not at {host}")


def answers(address: str) -> bool:
    """Say whether a server takes connections."""
    try:
        with psycopg.connect(address, connect_timeout=2):
            return True
    except psycopg.Error:
        return False
