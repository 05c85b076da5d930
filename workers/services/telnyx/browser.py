"""Seal a calling token to the one browser that asked: the database passes it on unread."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_public_key

from workers.core.errors import Malformed

if TYPE_CHECKING:
    from pydantic import SecretStr

LEAST_BITS: Final = 2048
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class SealedForBrowser:
    """What WebCrypto needs to unwrap and decrypt, in base64."""

    wrapped_key: str
    nonce: str
    sealed: str


def seal(token: SecretStr, *, public_key: str) -> SealedForBrowser:
    """Encrypt with a fresh AES-256-GCM key, which is wrapped with RSA-OAEP (SHA-256)."""
    try:
        browser = load_der_public_key(base64.b64decode(public_key, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise Malformed("the browser's public key cannot be read") from None
    if not isinstance(browser, RSAPublicKey) or browser.key_size < LEAST_BITS:
        raise Malformed(f"the browser's public key is no RSA key of {LEAST_BITS} bits or more")
    key, nonce = AESGCM.generate_key(256), secrets.token_bytes(NONCE_BYTES)
    oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return SealedForBrowser(
        _text(browser.encrypt(key, oaep)),
        _text(nonce),
        _text(AESGCM(key).encrypt(nonce, token.get_secret_value().encode(), None)),
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
