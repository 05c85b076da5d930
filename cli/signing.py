"""Signing what must be proven later, with an Ed25519 key that no database has."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.database import usual_stack
from cli.errors import Failed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VARIABLE = "CONNEXT_SIGNING_KEY"
FILE = "signing.pem"


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


def signer(data: Path | None) -> Signer:
    """Read the signing key: CONNEXT_SIGNING_KEY's file, else one that the local stack keeps."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = place(data)
    if not path.exists():
        if os.environ.get(VARIABLE):
            raise Failed(f"{path} does not exist; make it with 'connext audit init'")
        make(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise Failed(f"{path} is no readable Ed25519 key: {type(error).__name__}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Failed(f"{path} is no Ed25519 key; make one with 'connext audit init'")
    return Signer(key)


def place(data: Path | None) -> Path:
    """Say where the signing key is."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    stack = data or usual_stack()
    if stack is None:
        raise Failed(f"no signing key is named; set {VARIABLE} to its file, or give --data")
    return stack / FILE


def make(path: Path) -> None:
    """Make a key that only its owner can read; an old one is never overwritten."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise Failed(f"{path} cannot be made: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def sealed(body: bytes, by: Signer) -> dict[str, Any]:
    """Wrap signed bytes so that they can be verified without any database."""
    return {
        "body": body.decode(),
        "signature": by.sign(body).hex(),
        "public_key": by.public.hex(),
        "key_id": by.key_id,
    }


def verified(document: object, *, expected: str | None) -> dict[str, Any]:
    """Check a wrapped document offline and return what it says; *expected* pins the key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        assert isinstance(document, dict)  # noqa: S101 - one of the ways to be malformed
        body, public = document["body"].encode(), bytes.fromhex(document["public_key"])
        signature = bytes.fromhex(document["signature"])
        key = Ed25519PublicKey.from_public_bytes(public)
        said: dict[str, Any] = json.loads(body)
    except (AssertionError, KeyError, ValueError, AttributeError, TypeError) as error:
        raise Failed("this is no signed document of ours; nothing is proven") from error
    if key_id(public) != document.get("key_id") or expected not in (None, key_id(public)):
        raise Failed(f"it is signed by {key_id(public)}, not by the key that was expected")
    try:
        key.verify(signature, body)
    except InvalidSignature as error:
        raise Failed("the signature does not fit: the document was changed") from error
    if canonical(said) != body:
        raise Failed("the document is not in its canonical form")
    return said
