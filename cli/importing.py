"""Putting an organization's portability bundle into an empty organization, whole or not at all."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from cli import bundle, signing
from cli.database import connect
from cli.errors import Refused
from cli.export_page import short
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from cli.database import Operator
    from cli.objects import Objects

VERSION = 2
LINES = "copy import_lines (line) from stdin (format csv, quote e'\\x01', delimiter e'\\x02')"


class _DryRun(Exception):
    """Nothing is to stay."""


def check(path: Path, data: Path | None, *, expected: str | None) -> dict[str, Any]:
    """Verify a bundle before anything in it is believed: its files, who signed it, what it is."""
    said = bundle.checked(path, expected=expected)
    if expected is None and (ours := signing.signer(data).key_id) != (
        theirs := bundle.signed_by(path)
    ):
        raise Refused(
            f"it is signed by {theirs}, and our key is {ours}; if you know that key, say so with"
            f" --key {theirs}"
        )
    if (said["kind"], said["subject"]) != ("portability", "organization"):
        raise Refused(
            f"this is the {said['kind']} copy of one {said['subject']}; what is imported is the"
            " portability bundle of an organization"
        )
    if said["version"] != VERSION:
        raise Refused(f"it is of version {said['version']}; this one imports {VERSION}")
    return said


def put_in(
    path: Path, org: UUID, data: Path | None, said: dict[str, Any], *, dry_run: bool
) -> dict[str, int]:
    """Import a checked bundle; return the rows of each table. The files go with the rows."""
    counts: dict[str, int] = {}
    sent: list[str] = []
    place = _storage(data, said, dry_run=dry_run)
    try:
        with zipfile.ZipFile(path) as archive, connect(data) as db:
            for row in db.rows("select * from privacy.begin_import(%s)", org):
                if name := _file_of(said, row["table_name"]):
                    counts[row["table_name"]] = _table(db, archive, org, row["table_name"], name)
            db.run("select privacy.finish_import(%s)", org)
            if dry_run:
                raise _DryRun  # noqa: TRY301 - this is how a transaction is undone
            if place is not None:
                sent.extend(_files(archive, db, org, said, place))
    except _DryRun:
        return counts
    except BaseException:
        for stored in sent:  # the rows are gone: nothing would lead to the files any more
            if place is not None:
                place.delete(stored)
        raise
    return counts


def _storage(data: Path | None, said: dict[str, Any], *, dry_run: bool) -> Objects | None:
    if dry_run or not any(name.startswith("files/") for name in said["files"]):
        return None
    from cli.objects import objects

    return objects(data)


def _file_of(said: dict[str, Any], table: str) -> str | None:
    name = f"data/{short(table)}.json"
    return name if name in said["files"] else None


def _table(db: Operator, archive: zipfile.ZipFile, org: UUID, table: str, name: str) -> int:
    """Send the lines of a table to the server as they are: nothing is read here."""
    with db.connection.cursor() as cursor, cursor.copy(LINES) as copy:
        for line in _lines(archive, name):
            copy.write(line)
    row = db.one("select privacy.import_rows(%s, %s) as n", org, table)
    rows: int = row["n"] if row else 0
    say(f"{short(table)}: {rows} rows")
    return rows


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the objects of an array that has one on each line."""
    with archive.open(name) as file:
        for line in file:
            if line in (b"[\n", b"]\n"):
                continue
            yield line.strip(b",\n") + b"\n"


def _files(
    archive: zipfile.ZipFile, db: Operator, org: UUID, said: dict[str, Any], place: Objects
) -> Iterator[str]:
    """Put the files where their rows say they are."""
    types = {
        row["storage_path"]: row["mime_type"]
        for row in db.rows(
            "select a.storage_path, a.mime_type from public.attachments as a"
            " where a.org_id = %s and a.state = 'stored'",
            org,
        )
    }
    for name in said["files"]:
        inside = said["renamed"].get(name, name.removeprefix("files/"))
        path = f"{org}/{inside}"
        if not name.startswith("files/") or path not in types:
            continue
        with archive.open(name) as file:
            place.put(f"attachments/{path}", file, mime_type=types[path])
        yield f"attachments/{path}"
