"""The half-made files of an export: encrypted, finished piece by piece, and found again.

The key is in the database, in the row that an erasure deletes: without it the folder is noise.
A piece counts when its line is in the journal; what came after the last line is written again.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import zlib
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

LENGTH = struct.Struct(">I")
NONCE, FRAME = 12, 1 << 16
LEVEL = 1
AHEAD = 3  # blocks that wait to be written
SOON = 0.0001  # seconds that Python's lock is held while another thread wants it


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a table, or a file: what it holds and by what it is known again."""

    name: str  # of the table or the file
    number: int
    rows: int
    low: list[str] | None = None  # the key after which the part begins, and with which it ends
    high: list[str] | None = None
    plan: str = ""  # digest of the query and of how it is written
    since: str = ""  # the oldest transaction that was still under way when it was read
    print: str = ""  # which rows these were, where their number does not say it
    sizes: list[int] = field(default_factory=list)  # of each file of the piece, packed
    missing: bool = False  # Storage has lost the file


class Work:
    """A folder of pieces, and the journal that says which are whole."""

    def __init__(self, folder: Path, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.folder = folder
        self._box = AESGCM(key)
        self.pieces = {(piece.name, piece.number): piece for piece in self._read()}
        if not self.pieces and folder.exists():
            shutil.rmtree(folder)  # of another key: nobody can read it any more
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._journal = (folder / "journal").open("ab")

    def close(self) -> None:
        """Leave the folder as it is: the next call goes on."""
        self._journal.close()

    def remove(self) -> None:
        """Delete all of it."""
        self._journal.close()
        shutil.rmtree(self.folder)

    def writer(self, name: str, number: int, part: int) -> Packed:
        """Begin a file of a piece; what an earlier call left of it is overwritten."""
        return Packed((self.folder / _file(name, number, part)).open("wb"), self._box)

    def done(self, piece: Piece) -> None:
        """Note that a piece is whole, so that it outlives this process."""
        line = self._sealed(json.dumps(asdict(piece)).encode())
        self._journal.write(line)
        self._journal.flush()
        self.pieces[piece.name, piece.number] = piece

    def packed(self, piece: Piece, part: int) -> Iterator[bytes]:
        """Yield the deflated bytes of a file of a piece."""
        with (self.folder / _file(piece.name, piece.number, part)).open("rb") as file:
            yield from self._frames(file)

    def _read(self) -> Iterator[Piece]:
        """Read the journal as far as it is whole; what another key wrote is not ours."""
        from cryptography.exceptions import InvalidTag

        path = self.folder / "journal"
        if not path.exists():
            return
        whole = 0
        with path.open("rb") as file:
            try:
                for line in self._frames(file):
                    yield Piece(**json.loads(line))
                    whole = file.tell()
            except InvalidTag:
                pass
        os.truncate(path, whole)

    def _frames(self, file: IO[bytes]) -> Iterator[bytes]:
        while len(head := file.read(LENGTH.size)) == LENGTH.size:
            (size,) = LENGTH.unpack(head)
            yield self._box.decrypt(file.read(NONCE), file.read(size), None)

    def _sealed(self, plain: bytes) -> bytes:
        return frame(self._box, plain)


class Packed:
    """Deflates and encrypts what is written, as part of one stream that others go on with."""

    def __init__(self, file: IO[bytes], box: Any) -> None:  # noqa: ANN401 - imported when needed
        self._file, self._box = file, box
        self._deflate = _deflater()
        self._waiting = bytearray()
        self.size = 0

    def write(self, plain: bytes) -> None:
        """Take a block."""
        self._waiting += self._deflate.compress(plain)
        if len(self._waiting) >= FRAME:
            self._put()

    def close(self) -> int:
        """End on a whole byte, without ending the stream; return the size of the file."""
        with self._file:
            self._waiting += self._deflate.flush(zlib.Z_FULL_FLUSH)
            self._put()
        return self.size

    def abandon(self) -> None:
        """Close the file of a piece that does not become whole."""
        self._file.close()

    def _put(self) -> None:
        self._file.write(frame(self._box, bytes(self._waiting)))
        self.size += len(self._waiting)
        self._waiting.clear()


class Behind:
    """A thread that does one thing after the other while its owner prepares the next ones.

    Deflating, encrypting and digesting leave Python's lock alone: they run beside the reading.
    They ask for it often and need it for a moment only, so its holder is to be asked soon.
    """

    def __init__(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._patience = sys.getswitchinterval()
        sys.setswitchinterval(SOON)
        self._thread = ThreadPoolExecutor(1, "export")
        self._begun: deque[Future[None]] = deque()

    def do(self, work: Callable[..., None], *values: object) -> None:
        """Put something in line, behind a few others at most: what they hold is in memory."""
        while len(self._begun) >= AHEAD:
            self._begun.popleft().result()
        self._begun.append(self._thread.submit(work, *values))

    def settle(self) -> None:
        """Wait until all is done; raise what went wrong."""
        while self._begun:
            self._begun.popleft().result()

    def drop(self) -> None:
        """Leave what is not begun yet, and wait for the rest, whatever became of it."""
        while self._begun:
            last = self._begun.popleft()
            if not last.cancel():
                last.exception()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the thread."""
        self.drop()
        self._thread.shutdown()
        sys.setswitchinterval(self._patience)


def frame(box: Any, plain: bytes) -> bytes:  # noqa: ANN401 - imported when needed
    """Encrypt some bytes so that they can be told from the next ones."""
    nonce = os.urandom(NONCE)
    sealed = box.encrypt(nonce, plain, None)
    return LENGTH.pack(len(sealed)) + nonce + bytes(sealed)


def _deflater() -> Any:  # noqa: ANN401 - one of two modules with the same face
    from isal import isal_zlib

    return isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -15)


def _file(name: str, number: int, part: int) -> str:
    """Name a file by what it holds, without saying it: names of files can be read."""
    from hashlib import sha256

    return sha256(f"{name}\0{number}\0{part}".encode()).hexdigest()[:24]
