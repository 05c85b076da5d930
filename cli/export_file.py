"""The file of an export before anybody may take it for whole, and how it appears."""

from __future__ import annotations

import os
import shutil
import tempfile
from hashlib import sha256
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def digest(raw: IO[bytes]) -> str:
    """Digest the whole file."""
    raw.seek(0)
    made = sha256()
    while piece := raw.read(1 << 20):
        made.update(piece)
    return made.hexdigest()


def nameless(folder: Path) -> IO[bytes]:
    """Open a file that no name leads to: a process that is killed takes it along."""
    return tempfile.TemporaryFile(dir=folder)


def appear(raw: IO[bytes], whole: Path, out: Path) -> None:
    """Give the finished file its name; where the system cannot, copy it and then rename."""
    whole.unlink(missing_ok=True)
    try:
        os.link(f"/proc/self/fd/{raw.fileno()}", whole, follow_symlinks=True)
    except OSError:
        raw.seek(0)
        with whole.open("wb") as file:
            shutil.copyfileobj(raw, file, 1 << 20)
    whole.replace(out)
