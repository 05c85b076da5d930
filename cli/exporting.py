"""Building an export: streamed from the database into a zip, whatever its size, then signed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from cli import bundle, signing
from cli.database import database_url
from cli.errors import Failed, from_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    import psycopg

PERSON = "contact"
BLOCK = 1 << 16


@dataclass(slots=True)
class Archive:
    """A zip that is written once from front to back, and the digest of each file in it."""

    zip: zipfile.ZipFile
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def file(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Write one file in pieces."""
        digest, size = hashlib.sha256(), 0

        def write(piece: bytes) -> None:
            nonlocal size
            digest.update(piece)
            size += len(piece)
            stream.write(piece)

        with self.zip.open(name, "w", force_zip64=True) as stream:
            yield write
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def add(self, name: str, content: bytes) -> None:
        """Write one small file."""
        with self.file(name) as write:
            write(content)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which request is answered, and with what."""

    data: Path | None
    org: UUID
    request: UUID
    portable: bool


def build(wanted: Wanted, out: Path) -> dict[str, Any]:
    """Write the export beside *out* and put it there when it is whole; return its manifest."""
    import psycopg

    signer = signing.signer(wanted.data)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as raw, psycopg.connect(database_url(wanted.data)) as db:
            db.execute("set transaction isolation level repeatable read")
            manifest = _write(wanted, db, raw, signer)
            db.rollback()  # what the subject was found by is kept nowhere
        part.replace(out)
    except psycopg.Error as error:
        raise from_database(error) from error
    except OSError as error:
        raise Failed(f"{out} cannot be written: {error.strerror}; nothing is left of it") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(
    wanted: Wanted, db: psycopg.Connection[Any], raw: IO[bytes], signer: signing.Signer
) -> dict[str, Any]:
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        archive = Archive(made)
        begun = db.execute(
            "select e.id, e.subject_kind from privacy.begin_export(%s, %s) as e",
            [wanted.org, wanted.request],
        ).fetchone()
        assert begun is not None, "the function returns a row"  # noqa: S101
        tables = db.execute(
            "select x.* from privacy.erasures as e"
            " cross join lateral privacy.export_tables(e, %s) as x"
            " where e.org_id = %s and e.id = %s",
            [wanted.portable, wanted.org, begun[0]],
        ).fetchall()
        counts = {
            table: _table(
                db,
                archive,
                table,
                columns,
                [_bound(query, wanted.org, begun[0]) for query in queries],
            )
            for table, columns, *queries in tables
        }
        counts = {table: rows for table, rows in counts.items() if rows}
        if begun[1] == PERSON or not wanted.portable:
            _files(wanted, db, archive, begun[0], begun[1])
        _describe(db, archive, counts, portable=wanted.portable)
        manifest = {
            "what": "connext export",
            "version": 1,
            "kind": "portability" if wanted.portable else "access",
            "request": str(wanted.request),
            "organization": str(wanted.org),
            "subject": begun[1],
            "rows": counts,
            "files": archive.files,
        }
        signed = signing.sealed(signing.canonical(manifest), signer)
        made.writestr("manifest.json", json.dumps(signed, indent=1, ensure_ascii=False))
    return manifest


def _bound(query: str, org: UUID, run: UUID) -> str:
    """Put the two ids where COPY takes no parameters; uuids hold no quote."""
    return query.replace("$1", f"'{org}'::uuid").replace("$2", f"'{run}'::uuid")


def _table(
    db: psycopg.Connection[Any],
    archive: Archive,
    table: str,
    columns: list[str],
    queries: list[str],
) -> int:
    """Write a table as JSON and as CSV; a table without rows leaves no file."""
    query, cells = queries
    name = table.replace(".", "/", 1).removeprefix("public/")
    found = db.execute(f"select exists ({query})".encode()).fetchone()
    if not found or not found[0]:
        return 0
    rows = 0
    with archive.file(f"data/{name}.json") as write:
        write(b"[\n")
        # Signs that JSON never holds raw stand for quote and delimiter: lines come as they are.
        lines = (
            f"copy (select row_to_json(r)::text from ({query}) as r) to stdout"  # noqa: S608 - from the catalog
            " (format csv, quote e'\\x01', delimiter e'\\x02')"
        )
        blocks = _Blocks(write)
        for piece in _copied(db, lines):
            blocks.add(b"," + piece if rows else piece)
            rows += 1
        blocks.add(b"]\n")
        blocks.flush()
    with archive.file(f"data/{name}.csv") as write:
        blocks = _Blocks(write)
        blocks.add(",".join(columns).encode() + b"\n")
        for piece in _copied(db, f"copy ({cells}) to stdout (format csv)"):
            blocks.add(piece)
        blocks.flush()
    return rows


def _copied(db: psycopg.Connection[Any], statement: str) -> Iterator[bytes]:
    """Yield the lines of a COPY as they come; nothing is kept."""
    with db.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for piece in copy:
            yield bytes(piece)


class _Blocks:
    """Hashes and compresses in blocks: a call for every line would take longer than the line."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._kept: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Take a line, and pass on what has become a block."""
        self._kept.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Pass on what there is."""
        self._write(b"".join(self._kept))
        self._kept, self._size = [], 0


def _files(
    wanted: Wanted, db: psycopg.Connection[Any], archive: Archive, run: UUID, subject: str
) -> None:
    """Add the subject's files from Storage; one that Storage lost is named as missing."""
    paths = db.execute(
        "select o.name from privacy.objects_of(%s, %s, %s) as o (name)"
        " where o.name like 'attachments/%%' order by 1",
        [wanted.org, run, subject],
    ).fetchall()
    if not paths:
        return
    from cli.objects import objects

    place, missing = objects(wanted.data), []
    for (path,) in paths:
        content = place.get(path)
        if content is None:
            missing.append(path)
        else:
            archive.add(f"files/{path.split('/', 2)[2]}", content)
    if missing:
        archive.add("files/missing.txt", "\n".join(missing).encode())


def _describe(
    db: psycopg.Connection[Any], archive: Archive, counts: dict[str, int], *, portable: bool
) -> None:
    """Add what law wants said, for people: two languages, no script; vCards for portability."""
    facts = db.execute("select f.* from privacy.export_facts(%s) as f", [list(counts)]).fetchall()
    archive.add("index.html", bundle.page(facts, counts, portable=portable).encode())
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(bundle.FACTS)
    writer.writerows(facts)
    archive.add("about.csv", text.getvalue().encode())
