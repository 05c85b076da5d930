"""The archive of an export: put together from packed pieces, each file with its digest."""

from __future__ import annotations

import hashlib
import re
import time
import zipfile
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

END = b"\x03\x00"  # the empty last block of a deflated stream (RFC 1951, 3.2.6)
UTF8 = 0x800
AT_ONCE = 1 << 20
PRIVATE = 0o600 << 16
# What Windows takes for something else than a letter of a name, and its names of devices.
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
LONGEST = 100


class Digest:
    """What the manifest and the archive say of a file, from its plain bytes in order."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.crc = self.size = 0

    def update(self, plain: bytes) -> None:
        """Take what comes next."""
        from isal import isal_zlib

        self._sha256.update(plain)
        self.crc = isal_zlib.crc32(plain, self.crc)
        self.size += len(plain)

    def told(self) -> dict[str, Any]:
        """Return what the manifest says."""
        return {"sha256": self._sha256.hexdigest(), "bytes": self.size}


class Archive:
    """A zip that is written once from front to back, and the digest of each file in it."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._zip = zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._now = time.gmtime()[:6]
        self.files: dict[str, dict[str, Any]] = {}
        self.renamed: dict[str, str] = {}

    def add(self, name: str, content: bytes, *, listed: bool = True) -> None:
        """Write one small file."""
        self._zip.writestr(self._info(name), content)
        if listed:
            self.files[name] = {
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
            }

    def put(
        self, name: str, packed: Iterable[bytes], end: bytes = b"", known: Digest | None = None
    ) -> None:
        """Write a file from pieces of one deflated stream; *end* is what comes after them.

        Without the digest of what is in the pieces they are unpacked for it. Raises zlib.error or
        isal's when a piece is damaged.
        """
        info = self._info(name)
        info.header_offset, info.CRC = self._raw.tell(), 0
        self._raw.write(info.FileHeader(zip64=True))
        digest, stored = known or Digest(), 0
        pieces = chain(packed, [_deflated(end)])
        for piece in pieces if known else _told(pieces, digest):
            stored += len(piece)
            self._raw.write(piece)
        if known:
            digest.update(end)
        info.CRC, info.file_size, info.compress_size = digest.crc, digest.size, stored
        after = self._raw.tell()
        self._raw.seek(info.header_offset)
        self._raw.write(info.FileHeader(zip64=True))
        self._raw.seek(after)
        # As zipfile itself notes a file that it has written.
        self._zip.filelist.append(info)
        self._zip.NameToInfo[info.filename] = info
        self._zip.start_dir = after
        self.files[name] = digest.told()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, _value: object, _trace: object) -> None:
        """Write the directory, without which nothing takes the archive for whole."""
        if kind is not None:
            self._zip.fp = None  # there is nothing to finish
        self._zip._didModify = True  # type: ignore[attr-defined]  # noqa: SLF001 - `put` goes past it
        self._zip.close()

    def free(self, path: str) -> str:
        """Choose the name of a file of the subject that every system can unpack."""
        name = wanted = "files/" + "/".join(map(safe, path.split("/")))
        taken, number = {known.casefold() for known in self.files}, 2
        while name.casefold() in taken:
            stem, dot, ending = wanted.rpartition(".")
            name = f"{stem} ({number}).{ending}" if dot else f"{wanted} ({number})"
            number += 1
        if name != f"files/{path}":
            self.renamed[name] = path
        return name

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._now)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = PRIVATE
        info.flag_bits |= 0 if name.isascii() else UTF8
        return info


def safe(name: str) -> str:
    """Write one part of a path so that Windows takes it too."""
    told = FORBIDDEN.sub("_", name)[:LONGEST].rstrip(". ") or "_"
    return f"_{told}" if DEVICE.fullmatch(told) else told


def _told(packed: Iterable[bytes], digest: Digest) -> Iterator[bytes]:
    """Yield pieces of a deflated stream, and tell the digest what is in them."""
    from isal import isal_zlib

    inflate = isal_zlib.decompressobj(-15)
    for piece in packed:
        yield piece
        waiting = piece
        while waiting:  # a little may unpack to much: never all of it at once
            digest.update(inflate.decompress(waiting, AT_ONCE))
            waiting = inflate.unconsumed_tail


def _deflated(plain: bytes) -> bytes:
    """Deflate the end of a stream, and end it."""
    if not plain:
        return END
    import zlib

    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    return deflate.compress(plain) + deflate.flush()
