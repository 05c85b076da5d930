"""Verifying an export: without any database, and before anything in it is believed."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

from cli import signing
from cli.errors import Failed

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 1 << 20


def checked(path: Path, *, expected: str | None) -> dict[str, Any]:
    """Verify an export without any database: its signature, and every file by its digest."""
    try:
        with zipfile.ZipFile(path) as archive:
            document = json.loads(archive.read("manifest.json"))
            said = signing.verified(document, expected=expected)
            names = [name for name in archive.namelist() if name != "manifest.json"]
            if sorted(names) != sorted(said["files"]) or not all(map(_stays_inside, names)):
                raise Failed("the archive holds other files than its manifest names")
            for name, facts in said["files"].items():
                if _digest(archive, name) != facts["sha256"]:
                    raise Failed(f"{name} was changed after the export was signed")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise Failed(f"{path} is no export of ours: {type(error).__name__}") from error
    return said


def signed_by(path: Path) -> str:
    """Name the key of an export that was checked."""
    with zipfile.ZipFile(path) as archive:
        key: str = json.loads(archive.read("manifest.json"))["key_id"]
    return key


def _stays_inside(name: str) -> bool:
    """Say whether a file unpacks below the folder where it is unpacked."""
    return not name.startswith("/") and ".." not in name.split("/") and "\\" not in name


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
