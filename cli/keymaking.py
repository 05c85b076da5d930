"""Making and destroying the OpenPGP keys that tokens are sealed to; workers open the tokens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pysequoia.packet import Packet

USER_ID = "Connext sealing key"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """Both halves of one key, as binary OpenPGP; the fingerprint is upper-case hexadecimal."""

    fingerprint: str
    public: bytes
    private: bytes

    def __repr__(self) -> str:
        """Name the key and nothing of its content, so that no log can hold the private half."""
        return f"SealingKey({self.fingerprint})"


def make_key() -> SealingKey:
    """Make an RSA-3072 key with one encryption subkey; takes seconds of processor time.

    pgcrypto refuses a public key in which it finds two subkeys that could encrypt, and it takes
    the RSA signing subkey for one: that subkey is left out of both halves, nothing uses it.
    """
    from pysequoia import CipherSuite, Profile, Tsk

    whole = Tsk.generate(
        user_id=USER_ID,
        profile=Profile.RFC4880,
        cipher_suite=CipherSuite.RSA3k,
    )
    private = Tsk.from_packets(list(_without_signing_subkeys(bytes(whole))))
    certificate = private.extract_certificate()
    return SealingKey(
        fingerprint=certificate.fingerprint.upper(),
        public=bytes(certificate),
        private=bytes(private),
    )


def private_key_path(folder: Path, fingerprint: str) -> Path:
    """Say where the private half of a key lives; workers look there by fingerprint."""
    return folder / f"{fingerprint}.pgp"


def write_private_half(folder: Path, key: SealingKey) -> Path:
    """Write the private half so that only this user can read it; never overwrite a file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = private_key_path(folder, key.fingerprint)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private)
        file.flush()
        os.fsync(file.fileno())
    return path


def read_private_half(folder: Path, fingerprint: str) -> SealingKey:
    """Read a key that was written before; the public half comes out of the private one."""
    from pysequoia import Tsk

    path = private_key_path(folder, fingerprint)
    try:
        content = path.read_bytes()
        certificate = Tsk.from_bytes(content).extract_certificate()
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}") from error
    except RuntimeError:
        # Sequoia's message is a backtrace, and this is about a private key: drop it.
        raise Failed(f"{path} holds no private key") from None
    if certificate.fingerprint.upper() != fingerprint:
        raise Failed(f"{path} holds the key {certificate.fingerprint.upper()}")
    return SealingKey(fingerprint=fingerprint, public=bytes(certificate), private=content)


def destroy_private_half(folder: Path, fingerprint: str) -> bool:
    """Overwrite the private half with random bytes and remove it; False when it is not there.

    Where the medium writes elsewhere than it read (flash, copy-on-write, snapshots) the old
    bytes outlive this: whoever calls says so to people.
    """
    path = private_key_path(folder, fingerprint)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "r+b") as file:
        file.write(os.urandom(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    inside = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(inside)  # the removal itself
    finally:
        os.close(inside)
    return True


def _without_signing_subkeys(key: bytes) -> Iterator[Packet]:
    """Yield a key's packets, leaving out every subkey that is bound for signing."""
    from pysequoia.packet import PacketPile, Tag

    group: list[Packet] = []
    for packet in PacketPile.from_bytes(key):
        if packet.tag in (Tag.SecretSubkey, Tag.PublicSubkey):
            yield from _unless_signing(group)
            group = []
        group.append(packet)
    yield from _unless_signing(group)


def _unless_signing(group: list[Packet]) -> Iterable[Packet]:
    """Return the component's packets, or none of them when a signature binds it for signing."""
    flags = [packet.key_flags for packet in group]
    return [] if any(flag is not None and flag.signing for flag in flags) else group
