"""What makes a bare database into a Supabase project: roles, services, migrations, logins."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import subprocess
import time
import tomllib
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from cli.embedded import packages
from cli.embedded.cluster import SUPERUSER
from cli.embedded.errors import StackError
from cli.embedded.ports import HOST

if TYPE_CHECKING:
    from pathlib import Path

WORKER_ROLES = ("worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy", "ingress")
# Staff of Connext log in as the second kind: no process of ours does.
LOGIN_ROLES = (*WORKER_ROLES, "support")


def bootstrap(admin_url: str) -> bool:
    """Give a fresh database what a hosted project starts with; False when it has that already."""
    with psycopg.connect(admin_url) as admin:
        if admin.execute("select to_regnamespace('realtime') is not null").fetchone() == (True,):
            return False
        admin.execute((packages.LOCAL / "bootstrap.sql").read_bytes())
    return True


def set_password(admin: psycopg.Connection[Any], role: str, password: str) -> None:
    """Let a role log in; only a SCRAM verifier is sent, so no log can hold the password."""
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    admin.execute(
        sql.SQL("alter role {} login password {}").format(
            sql.Identifier(role), sql.Literal(verifier.decode())
        )
    )


def open_logins(admin_url: str, passwords: dict[str, str]) -> list[str]:
    """Give a login to every named role that exists; return those roles."""
    with psycopg.connect(admin_url) as admin:
        rows = admin.execute(
            "select rolname from pg_roles where rolname = any(%s)", [list(passwords)]
        ).fetchall()
        found = sorted(row[0] for row in rows)
        for role in found:
            set_password(admin, role, passwords[role])
    return found


def new_secrets() -> dict[str, Any]:
    """Generate every secret of one stack: API keys, token secret, database passwords."""
    roles = (SUPERUSER, "postgres", *LOGIN_ROLES)
    return {
        "publishable_key": f"sb_publishable_{secrets.token_urlsafe(24)}",
        "secret_key": f"sb_secret_{secrets.token_urlsafe(24)}",
        "jwt_secret": secrets.token_urlsafe(48),
        # Hexadecimal: they stand in URLs.
        "passwords": {role: secrets.token_hex(24) for role in roles},
        "meta": {
            "app_id": str(10**15 + secrets.randbelow(10**15)),
            "app_secret": secrets.token_hex(16),
            "verify_token": secrets.token_hex(16),
        },
        "stripe": {
            "api_key": f"rk_test_{secrets.token_hex(16)}",
            "webhook_secret": f"whsec_{secrets.token_hex(16)}",
        },
        "places": {"api_key": secrets.token_hex(16)},
    }


def role_token(role: str, secret: str) -> str:
    """Sign a token (RFC 7519, HS256) that makes its bearer *role* at the API for a year."""
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"role": role, "iat": now, "exp": now + 365 * 86400})
    text = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    proof = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{_base64url(proof)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def api_config(
    admin_url: str, port: int, given: dict[str, Any], folder: Path, project: Path
) -> dict[str, Any]:
    """Say to the API server what `supabase/config.toml` and the stack's secrets say."""
    settings = tomllib.loads((project / "supabase" / "config.toml").read_text())
    api, auth, storage = (settings.get(name, {}) for name in ("api", "auth", "storage"))
    return {
        "database_url": admin_url,
        "host": HOST,
        "port": port,
        "publishable_key": given["publishable_key"],
        "secret_key": given["secret_key"],
        "jwt_secret": given["jwt_secret"],
        "schemas": api.get("schemas", ["public"]),
        "max_rows": api.get("max_rows", 1000),
        "jwt_expiry": auth.get("jwt_expiry", 3600),
        "site_url": auth.get("site_url", "http://127.0.0.1:3000"),
        "minimum_password_length": auth.get("minimum_password_length", 6),
        "file_size_limit": storage.get("file_size_limit", "50MiB"),
        "storage_folder": str(folder / "storage"),
        "mail_folder": str(folder / "mail"),
    }


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(path)


def server_command(config: Path) -> list[str]:
    """Write the command that serves the API."""
    return [packages.node(), str(packages.LOCAL / "server.mjs"), "--config", str(config)]


def prepare_services(config: Path) -> None:
    """Create the schemas of Auth and Storage without serving anything."""
    done = subprocess.run(  # noqa: S603  # our own argument list, no shell
        [*server_command(config), "--prepare"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
        raise StackError(f"Auth and Storage could not be prepared: {said[-1]}")
