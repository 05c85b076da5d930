"""Is everything that leaves a machine encrypted, and whom it goes to verified?"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from cli.policy_checks.place import PROCESSES
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_settings import BaseSettings

    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

PLAIN = "http://provider.example"
PLAIN_DATABASE = "postgresql://worker@db.example/postgres"
UNENCRYPTED = """
    select distinct a.usename::text as role from pg_stat_activity as a
    join pg_stat_ssl as s on s.pid = a.pid
    where not s.ssl and a.client_addr is not null and not a.client_addr << inet '127.0.0.0/8'
        and a.client_addr <> inet '::1' and a.usename = any(%s)
"""


@check("tls.providers")
def providers(place: Place) -> Verdict:
    """The address of every provider is https, and a plain one is refused by the settings and by the clients."""
    from workers.services.policy import outward

    flaws, count = [], 0
    for role, name, usual in _addresses():
        count += 1
        if usual and not usual.startswith("https://"):
            flaws.append(f"{name} is {usual.partition('://')[0]} by default")
        if _accepts(role, name, PLAIN):
            flaws.append(f"{name} may be plain http")
        configured = place.environment.get(name, "")
        if configured and outward.refuses(configured):
            flaws.append(f"{name} is set to an address that is not https")
    if not outward.refuses(PLAIN):
        flaws.append("the clients accept plain http")
    return judged(f"{count} addresses of providers and of the project, all https only", flaws)


def _addresses() -> Iterator[tuple[type[BaseSettings], str, str]]:
    """List every setting that is an address: its class, its variable, its default."""
    from pydantic_settings import BaseSettings

    from workers.core import settings

    for role in vars(settings).values():
        if not (isinstance(role, type) and issubclass(role, BaseSettings)):
            continue
        for field in role.model_fields.values():
            alias = field.validation_alias
            if isinstance(alias, str) and alias.endswith("_URL") and alias != "CONNEXT_SITE_URL":
                yield role, alias, str(field.default) if isinstance(field.default, str) else ""


def _accepts(role: type[BaseSettings], name: str, value: str) -> bool:
    """Say whether a settings class takes a value for one of its variables."""
    from pydantic import ValidationError

    try:
        role.model_validate({name: value})
    except ValidationError as error:
        return all(name not in flaw["loc"] for flaw in error.errors())
    return True


@check("tls.clients")
def clients(place: Place) -> Verdict:  # noqa: ARG001 - asks the code, not the database
    """The workers' client speaks TLS 1.2 or newer, follows no redirect, and refuses a wrong certificate."""
    from workers.services.policy import outward

    seen = outward.http_client()
    flaws = [
        what
        for what, wrong in (
            (f"speaks {seen.minimum.name}", seen.minimum < ssl.TLSVersion.TLSv1_2),
            ("verifies no certificate", not seen.verifies),
            ("verifies no host name", not seen.names),
            ("follows redirects", seen.follows_redirects),
        )
        if wrong
    ]
    with _impostor() as port:
        answer = asyncio.run(outward.reach(f"https://localhost:{port}/"))
    if answer != "Unreachable":
        flaws.append(f"a server with a certificate nobody signed was answered with {answer}")
    return judged("TLS 1.2 or newer, no redirects, a self-signed server refused", flaws)


@contextmanager
def _impostor() -> Iterator[int]:
    """Serve TLS on this machine with a certificate that nobody signed; yield the port."""
    with tempfile.TemporaryDirectory() as folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = Path(folder) / "impostor.pem"
        path.write_bytes(_self_signed())
        context.load_cert_chain(path)
    server = HTTPServer(("127.0.0.1", 0), _Silent)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Silent(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _self_signed() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(minutes=5))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + certificate.public_bytes(Encoding.PEM)


@check("tls.database")
def database(place: Place) -> Verdict:
    """No connection of ours to the database crosses a network unencrypted, and settings that would are refused."""
    from workers.core.settings import ReceiverSettings, WorkerSettings

    flaws = [
        f"{role.__name__} take a database without TLS"
        for role in (WorkerSettings, ReceiverSettings)
        if _accepts(role, "database_url", PLAIN_DATABASE)
    ]
    flaws += [
        f"{role} is connected without TLS"
        for role in place.values(UNENCRYPTED, [*PROCESSES, "postgres"])
    ]
    row = place.rows(
        "select count(*) as n, count(*) filter (where s.ssl) as encrypted from pg_stat_activity as a"
        " join pg_stat_ssl as s on s.pid = a.pid where a.usename = any(%s)",
        [*PROCESSES, "postgres"],
    )[0]
    oldest = place.value("select current_setting('ssl_min_protocol_version')")
    if oldest in ("", "TLSv1", "TLSv1.1"):
        flaws.append(f"the database speaks {oldest or 'any TLS'}")
    return judged(
        f"{row['n']} connections of ours, {row['encrypted']} encrypted, the others inside their"
        f" machine; {oldest} or newer",
        flaws,
    )
