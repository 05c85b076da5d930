"""Making an export: read part by part, put together, signed, and released only when it is whole.

work      what is read lies in a folder, encrypted, until all is there; a call that was killed or
ran out of disk left it, and the next one goes on
archive   is put together in a file without a name, which a killed call takes along
release   in one transaction with the last look: a subject that was erased meanwhile gets nothing
"""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cli import export_card, export_page, signing
from cli.database import connect, database_url, usual_stack
from cli.errors import Failed, from_database
from cli.export_file import appear, digest, nameless
from cli.export_subject import Subject, Wanted, begin, one, paths_of, withheld_of
from cli.export_tables import Read, Reading, read
from cli.export_work import Behind, Piece, Work
from cli.export_zip import Archive
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

__all__ = ["Wanted", "build", "store"]

FOLDER = "CONNEXT_EXPORT_FOLDER"
KEY_BYTES = 32


def step(_name: str) -> None:
    """Do nothing: tests stop the process here."""


def build(wanted: Wanted, out: Path) -> dict[str, Any]:
    """Write the export to *out*, whole or not at all; return its manifest."""
    with _work(wanted, out.with_name(f".{out.name}.work"), out) as (work, row):
        with nameless(work.folder) as raw:
            manifest = _make(wanted, work, raw)
            step("release")
            with connect(wanted.data) as db:
                db.run(CLOSE, wanted.org, wanted.request, row["work_key"])
                appear(raw, work.folder / "whole", out)
        work.remove()
    return manifest


def store(wanted: Wanted, days: int) -> tuple[dict[str, Any], str]:
    """Put the export into the private bucket, for some days; return manifest and place."""
    from cli.objects import objects

    place = objects(wanted.data)
    folder = work_folder(wanted.data) / str(wanted.request)
    with _work(wanted, folder, folder) as (work, row):
        path = f"{wanted.org}/{row['export_id']}.zip"
        with connect(wanted.data) as db:  # from now on an erasure finds what comes into the bucket
            db.run(
                "select privacy.announce_export(%s, %s, %s)", wanted.org, wanted.request,
                row["export_id"],
            )  # fmt: skip
        with nameless(work.folder) as raw:
            manifest = _make(wanted, work, raw)
            size, told = raw.seek(0, os.SEEK_END), digest(raw)
            raw.seek(0)
            step("upload")
            place.put(f"exports/{path}", raw, mime_type="application/zip")
        step("release")
        try:
            with connect(wanted.data) as db:
                db.run(CLOSE, wanted.org, wanted.request, row["work_key"])
                db.run(
                    "select privacy.export_stored(%s, %s, %s, %s, %s, make_interval(days => %s))",
                    wanted.org, wanted.request, row["export_id"], size, told, days,
                )  # fmt: skip
        except Exception:
            place.delete(f"exports/{path}")
            raise
        work.remove()
    return manifest, f"exports/{path}"


CLOSE = "select privacy.close_work(%s, %s, %s)"


def work_folder(data: Path | None) -> Path:
    """Choose where half-made exports for the bucket lie: encrypted, and out of the way."""
    if named := os.environ.get(FOLDER):
        return Path(named)
    if stack := data or usual_stack():
        return stack / "exports"
    return Path(tempfile.gettempdir()) / f"connext-exports-{os.getuid()}"


@contextmanager
def _work(wanted: Wanted, folder: Path, out: Path) -> Iterator[tuple[Work, dict[str, Any]]]:
    """Open the work of a request, or go on with it."""
    import psycopg
    from cryptography.exceptions import InvalidTag

    absolute = folder.absolute()
    with connect(wanted.data) as db:
        row = db.one(
            "select * from privacy.open_work(%s, %s, %s, %s, %s)",
            wanted.org, wanted.request, os.urandom(KEY_BYTES), socket.gethostname(), str(absolute),
        )  # fmt: skip
    assert row is not None, "the function returns a row"  # noqa: S101
    try:
        work = Work(absolute, bytes(row["work_key"]))
        if work.pieces:
            say(f"going on: {len(work.pieces)} parts were made before")
        try:
            yield work, row
        finally:
            work.close()
    except psycopg.Error as error:
        raise from_database(error) from error
    except InvalidTag as error:
        work.remove()
        raise Failed("what was made before is damaged and was removed; run it again") from error
    except OSError as error:
        raise Failed(
            f"{out} cannot be written: {error.strerror}; nothing was released. Make room and run"
            " the same command again: it goes on"
        ) from error


def _make(wanted: Wanted, work: Work, raw: IO[bytes]) -> dict[str, Any]:
    """Read what is missing, then put everything together."""
    import psycopg

    signer = signing.signer(wanted.data)
    with psycopg.connect(database_url(wanted.data)) as db:
        subject = begin(wanted, db)
        (since,) = one(db, "select pg_snapshot_xmin(pg_current_snapshot())::text")
        with Behind() as behind:
            reading = Reading(db, work, behind, since, step)
            tables = {table.name: read(reading, table) for table in subject.tables}
        files = _files(wanted, db, work, subject)
        with Archive(raw) as archive:
            counts = {table: made.rows for table, made in tables.items() if made.rows}
            for table in counts:
                _put(archive, work, table, tables[table])
            missing = _put_files(archive, work, files)
            step("about")
            day, withheld = _describe(wanted, db, archive, subject, counts)
            db.rollback()  # what the subject was found by is kept nowhere
            manifest = {
                "what": "connext export",
                "version": 2,
                "kind": "portability" if wanted.portable else "access",
                "request": str(wanted.request),
                "organization": str(wanted.org),
                "subject": subject.kind,
                "made_on": day,
                "rows": counts,
                "withheld": withheld,
                "missing": missing,
                "renamed": archive.renamed,
                "content_sha256": content_digest(archive.files),
                "files": archive.files,
            }
            signed = signing.sealed(signing.canonical(manifest), signer)
            written = json.dumps(signed, indent=1, ensure_ascii=False).encode()
            archive.add("manifest.json", written, listed=False)
        raw.flush()
    return manifest


def _describe(
    wanted: Wanted,
    db: psycopg.Connection[Any],
    archive: Archive,
    subject: Subject,
    counts: dict[str, int],
) -> tuple[str, dict[str, int]]:
    """Add what law wants said, for people, and the subject's card; return day and withheld."""
    withheld = withheld_of(db, subject)
    organization, day = one(
        db,
        "select name, (now() at time zone 'UTC')::date::text"
        " from public.organizations where id = %s",
        wanted.org,
    )
    facts = db.execute("select f.* from privacy.export_facts(%s) as f", [list(counts)]).fetchall()
    told = export_page.Told(organization, day, wanted.portable, counts, withheld, facts)
    archive.add("index.html", export_page.page(told).encode())
    archive.add("about.csv", _csv(facts))
    archive.add("subject.vcf", export_card.card(db, subject.kind, subject.mine))
    return str(day), withheld


def content_digest(files: dict[str, dict[str, Any]]) -> str:
    """Digest what an export holds, whenever and wherever it was made: its tables and its files."""
    held = {
        name: facts["sha256"]
        for name, facts in files.items()
        if name.startswith(("data/", "files/")) and not name.endswith(".csv")
    }
    return sha256(signing.canonical(held)).hexdigest()


def _put(archive: Archive, work: Work, table: str, made: Read) -> None:
    name, digests = export_page.short(table), made.digests or (None, None)
    for part, ending, end in ((0, "json", b"\n]\n"), (1, "csv", b"")):
        packed = (piece for one_part in made.parts for piece in work.packed(one_part, part))
        archive.put(f"data/{name}.{ending}", packed, end, digests[part])


def _files(
    wanted: Wanted, db: psycopg.Connection[Any], work: Work, subject: Subject
) -> list[Piece]:
    """Fetch the subject's files from Storage; each is a piece of its own."""
    paths = [path for (path,) in db.execute(*paths_of(wanted, subject))]
    if not paths:
        return []
    from cli.objects import objects

    place, made = objects(wanted.data), []
    for number, path in enumerate(paths, 1):
        piece = work.pieces.get((path, 0))
        if piece is None:
            piece = _fetch(work, path, place.get(path))
            step(path)
        made.append(piece)
        if number % 100 == 0:
            say(f"files: {number} of {len(paths)}")
    return made


def _fetch(work: Work, path: str, content: bytes | None) -> Piece:
    if content is None:
        return Piece(path, 0, 0, missing=True)  # not noted: it may be there the next time
    packed = work.writer(path, 0, 0)
    packed.write(content)
    piece = Piece(path, 0, 1, sizes=[packed.close()])
    work.done(piece)
    return piece


def _put_files(archive: Archive, work: Work, files: list[Piece]) -> list[str]:
    """Add the files; one that Storage lost is named as missing."""
    missing = []
    for piece in files:
        inside = piece.name.split("/", 2)[2]  # without bucket and organization
        if piece.missing:
            missing.append(inside)
        else:
            archive.put(archive.free(inside), work.packed(piece, 0))
    if missing:
        archive.add("files/missing.txt", "\n".join(missing).encode())
    return missing


def _csv(facts: list[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(export_page.FACTS)
    writer.writerows(facts)
    return text.getvalue().encode()
