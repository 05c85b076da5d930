"""Sealed tokens: OpenPGP messages to a key whose private half only the workers have.

The database seals with pgcrypto (`private.seal`), a worker seals with Sequoia what it
fetched itself; both write the same JSON, and only a worker opens either. What is inside
repeats the row it belongs to, so that a swapped ciphertext is useless.

Both formats are OpenPGP with AES-256, but not the same packets: pgcrypto knows only the
older ones (SEIPD version 1), Sequoia writes authenticated ones (SEIPD version 2, OCB) to
any key it made. Sequoia opens both. pgcrypto opens only its own, which nobody needs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from pysequoia import Cert, Tsk, decrypt, encrypt
from pysequoia.packet import PacketPile, Tag

from workers.core.errors import (
    ConnextError,
    NotConfigured,
    SealBroken,
    Tampered,
    WrongIntegration,
    WrongKey,
    WrongKind,
    WrongOrganization,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from pysequoia import PyDecryptor

    from workers.core.clock import Clock

SETTING = "CONNEXT_SEALING_KEYS"
KEEP_OPEN = timedelta(minutes=5)
ARMOR = "-----BEGIN PGP PRIVATE KEY BLOCK-----"
OTHERS_MAY = 0o077
KEY_ID_BYTES = 8
PANIC = "PanicException"  # of pyo3, which cannot be imported


class Keyring:
    """Private sealing keys by fingerprint, from a folder or from the variable's own value.

    A folder is read again for a fingerprint not seen yet, so that a rotated key needs no
    restart; a key whose file was destroyed is forgotten. The variable may hold several armored
    keys one after the other, as it must while one replaces another.
    """

    def __init__(self, source: SecretStr) -> None:
        self._keys: dict[str, Tsk] = {}
        self._decryptors: dict[str, PyDecryptor] = {}
        self._subkeys: dict[str, frozenset[bytes]] = {}
        value = source.get_secret_value().strip()
        self._folder: Path | None = None
        if value.startswith(ARMOR):
            for block in value.split(ARMOR)[1:]:
                self._add((ARMOR + block).encode(), named=None)
            return
        self._folder = Path(value)
        if not value or not self._folder.is_dir():
            raise NotConfigured(SETTING, "is neither a folder nor a key; run 'connext keys init'")
        if self._folder.stat().st_mode & OTHERS_MAY:
            raise NotConfigured(SETTING, "is a folder that others may enter; chmod 700 it")

    def decryptor(self, key_id: str) -> PyDecryptor:
        """Return what opens messages to *key_id*."""
        self._forget_destroyed()
        if key_id not in self._decryptors and self._folder is not None and key_id.isalnum():
            path = self._folder / f"{key_id}.pgp"
            if path.is_file():
                self._add(path.read_bytes(), named=key_id)
        try:
            return self._decryptors[key_id]
        except KeyError:
            raise NotConfigured(
                SETTING, f"holds no private key {key_id}; copy it here or run 'connext keys status'"
            ) from None

    def _forget_destroyed(self) -> None:
        """Drop what is no longer in the folder: a retired key must not live on in memory."""
        if self._folder is not None:
            for key_id in list(self._decryptors):
                if not (self._folder / f"{key_id}.pgp").is_file():
                    del self._decryptors[key_id], self._keys[key_id], self._subkeys[key_id]

    def _add(self, content: bytes, *, named: str | None) -> None:
        """Keep one key; a file must hold the key that its name says."""
        try:
            key = Tsk.from_bytes(content)
            certificate = key.extract_certificate()
            fingerprint = certificate.fingerprint.upper()
            subkeys = _subkeys(bytes(certificate))
            decryptor = key.decryptor()
        except RuntimeError:
            # Sequoia's message is a backtrace, and this is about a private key: drop it.
            raise NotConfigured(SETTING, "holds something that is not a private key") from None
        if named not in (None, fingerprint):
            raise NotConfigured(SETTING, f"holds {fingerprint} in a file named {named}.pgp")
        self._keys[fingerprint] = key
        self._decryptors[fingerprint] = decryptor
        self._subkeys[fingerprint] = subkeys

    def decrypted(self, sealed: bytes, key_id: str) -> bytes:
        """Return what is inside; Sequoia checks its integrity before it gives anything back."""
        decryptor = self.decryptor(key_id)
        try:
            # Sequoia tries its key whatever the message says: whom it is for is ours to check.
            _check_recipient(sealed, self._subkeys[key_id])
            content = decrypt(sealed, decryptor=decryptor).bytes
        except RuntimeError:
            # Sequoia's message is a native backtrace.
            raise Tampered("the sealed token fails its integrity check") from None
        except SealBroken:
            raise
        except BaseException as panic:
            # Damaged numbers can make Sequoia panic, which is no Exception and leaves a lock
            # inside the decryptor poisoned: one bad row must not keep all others from opening.
            if type(panic).__name__ != PANIC:
                raise
            self._decryptors[key_id] = self._keys[key_id].decryptor()
            raise Tampered("the sealed token is not a message") from None
        if content is None:
            raise Tampered("the sealed token is empty")
        return content


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an opened token belongs, and which ciphertext it came from."""

    org: UUID
    integration: UUID
    kind: str
    subject: str
    key_id: str
    digest: bytes


class Opener:
    """Opens sealed tokens and keeps them open in memory for at most five minutes.

    Opening costs milliseconds of processor time, hence the memory; `wipe` empties it for an
    integration that was disconnected.
    """

    def __init__(self, keys: Keyring, *, clock: Clock, keep: timedelta = KEEP_OPEN) -> None:
        self._keys = keys
        self._clock = clock
        self._keep = min(keep, KEEP_OPEN).total_seconds()
        self._opened: dict[_Place, tuple[float, SecretStr]] = {}

    def open(  # noqa: PLR0913 (a place has this many coordinates)
        self,
        sealed: bytes,
        *,
        org: UUID,
        integration: UUID,
        kind: str,
        key_id: str,
        subject: str = "",
        tell: Callable[[ConnextError | None], None] | None = None,
    ) -> SecretStr:
        """Return the token inside *sealed*, if it is the one that this row should hold.

        *tell* hears of every attempt to open that memory did not answer, and why one failed.
        """
        place = _Place(org, integration, kind, subject, key_id, sha256(sealed).digest())
        now = self._clock.monotonic()
        self._forget_before(now)
        if (kept := self._opened.get(place)) is not None:
            return kept[1]
        tell = tell or _nobody
        try:
            secret = _verified(self._keys.decrypted(sealed, key_id), place)
        except ConnextError as error:
            tell(error)
            raise
        tell(None)
        self._opened[place] = (now + self._keep, secret)
        return secret

    def wipe(self, integration: UUID) -> None:
        """Forget every opened token of *integration*."""
        for place in [place for place in self._opened if place.integration == integration]:
            del self._opened[place]

    def wipe_all(self) -> None:
        """Forget every opened token."""
        self._opened.clear()

    def _forget_before(self, now: float) -> None:
        """Forget what has been open long enough; entries are in order of age."""
        for place, (until, _) in list(self._opened.items()):
            if until > now:
                break
            del self._opened[place]


def _nobody(_: ConnextError | None) -> None:
    """Hear nothing."""


class Sealer:
    """Seals tokens to the active public key, before they leave the process."""

    def __init__(self, public_key: bytes, *, key_id: str, clock: Clock) -> None:
        try:
            self._certificate = Cert.from_bytes(public_key)
        except RuntimeError:
            raise WrongKey(f"the public half of sealing key {key_id} cannot be read") from None
        if self._certificate.fingerprint.upper() != key_id:
            raise WrongKey(f"private.sealing_keys holds another key under {key_id}")
        self.key_id = key_id
        self._clock = clock

    def seal(self, secret: SecretStr, *, org: UUID, integration: UUID, kind: str) -> bytes:
        """Return *secret* as a message that only a worker can open, and only for this row."""
        inside = {
            "org": str(org),
            "integration": str(integration),
            "kind": kind,
            "key": self.key_id,
            "iat": int(self._clock.now().timestamp()),
            "secret": secret.get_secret_value(),
        }
        return encrypt(json.dumps(inside).encode(), recipients=[self._certificate], armor=False)


def check_seal(sealed: bytes, certificate: bytes) -> None:
    """Refuse what is no seal to this public key; needs no private half. Raises SealBroken."""
    try:
        _check_recipient(sealed, _subkeys(certificate))
    except SealBroken:
        raise
    except Exception as error:
        raise Tampered("the sealed token is not OpenPGP") from error


def _subkeys(certificate: bytes) -> frozenset[bytes]:
    """List the fingerprints of a key's subkeys: messages are addressed to one of those."""
    packets = PacketPile.from_bytes(certificate)
    found = (packet.fingerprint for packet in packets if packet.tag == Tag.PublicSubkey)
    return frozenset(bytes.fromhex(fingerprint) for fingerprint in found if fingerprint)


def _check_recipient(sealed: bytes, subkeys: frozenset[bytes]) -> None:
    """Refuse what is not one session key for one of *subkeys* followed by one sealed body."""
    packets = list(PacketPile.from_bytes(sealed))
    if [packet.tag for packet in packets] != [Tag.PKESK, Tag.SEIP]:
        raise Tampered("the sealed token is not the two packets of a seal")
    head = packets[0].body
    # RFC 9580, section 5.1: version 3 names a key id, version 6 a length, a version, a fingerprint.
    if not any(
        head.startswith((b"\x03" + subkey[-KEY_ID_BYTES:], b"\x06\x15\x04" + subkey))
        for subkey in subkeys
    ):
        raise WrongKey("the sealed token is addressed to another key than its row")


def _verified(content: bytes, place: _Place) -> SecretStr:
    """Return the secret if everything beside it says that it belongs to *place*."""
    try:
        inside = json.loads(content)
        secret = inside["secret"]
    except (ValueError, KeyError, TypeError):
        raise Tampered("the sealed token does not hold what a seal writes") from None
    if not isinstance(inside, dict) or not isinstance(secret, str) or not secret:
        raise Tampered("the sealed token does not hold what a seal writes")
    if inside.get("org") != str(place.org):
        raise WrongOrganization(f"a token of integration {place.integration} is another company's")
    if inside.get("integration") != str(place.integration):
        raise WrongIntegration(f"a token of integration {place.integration} is another one's")
    if inside.get("kind") != place.kind:
        raise WrongKind(f"a {place.kind} of integration {place.integration} is of another kind")
    if inside.get("key") != place.key_id:
        raise WrongKey(f"a token of integration {place.integration} names another sealing key")
    return SecretStr(secret)
