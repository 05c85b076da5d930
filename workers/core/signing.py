"""Signing what must be proven later, with an Ed25519 key that no database has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from workers.core.errors import NotConfigured

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VARIABLE = "CONNEXT_SIGNING_KEY"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, and the short name of its public half."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """Return the 32 bytes of the public half."""
        return self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """Name the key by its public half."""
        return key_id(self.public)

    def sign(self, body: bytes) -> bytes:
        """Sign bytes."""
        return self.key.sign(body)


def key_id(public: bytes) -> str:
    """Name a public key: the first 40 hexadecimal digits of its SHA-256, in capitals."""
    return sha256(public).hexdigest()[:40].upper()


def canonical(value: object) -> bytes:
    """Write JSON in the one form that is signed: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    ).encode()


def load(path: Path) -> Signer:
    """Read the private key of a file; NotConfigured says what is wrong with it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 (heavy, and the console starts without it)
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 (likewise)
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise NotConfigured(
            VARIABLE, f"names {path}, which does not exist; make it with 'connext audit init'"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise NotConfigured(
            VARIABLE, f"names {path}, no readable Ed25519 key: {type(error).__name__}"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotConfigured(VARIABLE, f"names {path}, which is no Ed25519 key")
    return Signer(key)


def sealed(body: bytes, by: Signer) -> dict[str, Any]:
    """Wrap signed bytes so that they can be verified without any database."""
    return wrapped(body, signature=by.sign(body), public=by.public)


def wrapped(body: bytes, *, signature: bytes, public: bytes) -> dict[str, Any]:
    """Write bytes, their signature and the key beside each other, as text."""
    return {
        "body": body.decode(),
        "signature": signature.hex(),
        "public_key": public.hex(),
        "key_id": key_id(public),
    }
