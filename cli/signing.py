"""Signing what must be proven later: where the key is, making it, verifying offline."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cli.database import usual_stack
from cli.errors import Failed
from workers.core import signing
from workers.core.errors import NotConfigured
from workers.core.signing import VARIABLE, Signer, canonical, key_id, sealed

__all__ = [
    "VARIABLE", "Signer", "canonical", "key_id", "make", "place", "sealed", "signer", "verified",
]  # fmt: skip
FILE = "signing.pem"


def signer(data: Path | None) -> Signer:
    """Read the signing key: CONNEXT_SIGNING_KEY's file, else one that the local stack keeps."""
    path = place(data)
    if not path.exists():
        if os.environ.get(VARIABLE):
            raise Failed(f"{path} does not exist; make it with 'connext audit init'")
        make(path)
    try:
        return signing.load(path)
    except NotConfigured as error:
        raise Failed(str(error)) from error


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
