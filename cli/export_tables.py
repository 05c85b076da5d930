"""Reading tables part by part: one query of COPY each, not read again while it is still true."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from cli.errors import Failed
from cli.export_rows import Shape, render
from cli.export_work import Piece
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from cli.export_work import Work

PAGE = 50_000  # rows of a part: what is read again at most after an interruption
BLOCK = 1 << 18  # bytes that are written at once
READERS = 2  # processes that read a large table side by side


@dataclass(frozen=True, slots=True)
class Table:
    """What a subject is given of one table."""

    name: str
    shape: Shape
    keys: tuple[str, ...]
    select: str
    mine: str
    counted: bool  # which rows they are follows from their number and age: they only come and go

    @property
    def digest(self) -> str:
        """Name what is asked for, so that a part is not kept when that has changed."""
        told = "\0".join([self.select, self.mine, *self.keys, self.shape.kinds])
        return sha256(told.encode()).hexdigest()[:16]

    def copy(self, low: list[str] | None, high: list[str] | None) -> str:
        """Write the query of a part."""
        return (
            f"copy (select {self.select} from {self.name} as t"  # noqa: S608 - from the catalog
            f" where {self.mine}{self.between(low, high)} order by {self.order})"
            " to stdout (delimiter e'\\x01')"
        )

    def between(self, low: list[str] | None, high: list[str] | None) -> str:
        """Write what keeps to a part: after one key, up to another."""
        from psycopg import sql

        told = ""
        for sign, ends in ((">", low), ("<=", high)):
            if ends is not None:
                values = ", ".join(sql.Literal(end).as_string() for end in ends)
                told += f" and ({self.order}) {sign} ({values})"
        return told

    @property
    def order(self) -> str:
        """Write the columns of the key."""
        return ", ".join(f't."{key}"' for key in self.keys)


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot of the database, and where its parts go."""

    db: psycopg.Connection[Any]
    work: Work
    since: str  # the oldest transaction under way
    connect: Callable[[], psycopg.Connection[Any]] | None  # more connections to the same snapshot
    step: Callable[[str], None]


def read(reading: Reading, table: Table) -> list[Piece]:
    """Make the parts of a table that are not there yet; return all of them, in order."""
    kept = list(_kept(reading, table))
    if kept and kept[-1].high is None:
        return kept
    low, number = (kept[-1].high, len(kept)) if kept else (None, 0)
    pages = [*_pages(reading.db, table, low)]
    wanted = [
        Piece(table.name, number + place, 0, start, end, table.digest, reading.since)
        for place, (start, end) in enumerate(pages)
    ]
    if reading.connect is None or len(wanted) == 1:
        made = []
        for piece in wanted:
            made.append(_make(reading.db, reading.work, table, piece))
            _note(reading, made[-1])
    else:
        made = sorted(_side_by_side(reading, table, wanted), key=lambda piece: piece.number)
    return [*kept, *made]


def _note(reading: Reading, piece: Piece) -> None:
    reading.work.done(piece)
    reading.step(f"{piece.name} {piece.number}")
    if piece.number:
        say(f"{piece.name}: part {piece.number + 1}, {piece.rows} rows")


def _kept(reading: Reading, table: Table) -> Iterator[Piece]:
    """Find the parts of an earlier call that are still true, from the first on."""
    low, number = None, 0
    while piece := reading.work.pieces.get((table.name, number)):
        if (piece.plan, piece.low) != (table.digest, low) or not _is_true(reading.db, table, piece):
            return
        yield piece
        low, number = piece.high, number + 1
        if low is None:
            return


def _is_true(db: psycopg.Connection[Any], table: Table, piece: Piece) -> bool:
    """Say whether no row of a part was added, changed or deleted since it was read."""
    found = db.execute(
        f"select count(*), coalesce(bool_or(age(t.xmin) <= age('{piece.since}'::xid8::xid)), false)"  # noqa: S608 - our own number
        f", {_print(table)} from {table.name} as t"
        f" where {table.mine}{table.between(piece.low, piece.high)}".encode()
    ).fetchone()
    assert found is not None, "an aggregate answers one row"  # noqa: S101
    return (found[0], found[1], found[2]) == (piece.rows, False, piece.print)


def _print(table: Table) -> str:
    """Write what tells one set of rows from another of the same number."""
    if table.counted:
        return "''"
    return "coalesce(bit_xor(hashtidextended(t.ctid, 0)), 0)::text"


def _pages(
    db: psycopg.Connection[Any], table: Table, low: list[str] | None
) -> Iterator[tuple[list[str] | None, list[str] | None]]:
    """Cut what is left of a table into parts; the last one is open."""
    keys = ", ".join(f't."{key}"::text' for key in table.keys)
    while True:
        row = db.execute(
            f"select {keys} from {table.name} as t where {table.mine}{table.between(low, None)}"  # noqa: S608 - from the catalog
            f" order by {table.order} offset {PAGE - 1} limit 1".encode()
        ).fetchone()
        high = list(row) if row else None
        yield low, high
        if high is None:
            return
        low = high


def _make(db: psycopg.Connection[Any], work: Work, table: Table, piece: Piece) -> Piece:
    """Read one part into its two files."""
    lines, cells = (work.writer(piece.name, piece.number, part) for part in (0, 1))
    try:
        rows = 0
        for block, number in _blocks(db, table.copy(piece.low, piece.high)):
            as_json, as_csv = render(table.shape, block, number)
            lines.write(b",\n" if rows or piece.number else b"[\n")
            lines.write(as_json)
            if not rows and not piece.number:
                cells.write(table.shape.title)
            cells.write(as_csv)
            rows += number
        told = ""
        if not table.counted:
            found = db.execute(
                f"select {_print(table)} from {table.name} as t"  # noqa: S608 - from the catalog
                f" where {table.mine}{table.between(piece.low, piece.high)}".encode()
            ).fetchone()
            told = found[0] if found else ""
        sizes = [lines.close(), cells.close()]
    except BaseException:
        lines.abandon()
        cells.abandon()
        raise
    return Piece(
        piece.name, piece.number, rows, piece.low, piece.high, piece.plan, piece.since, told, sizes
    )


def _blocks(db: psycopg.Connection[Any], query: str) -> Iterator[tuple[bytes, int]]:
    """Yield what COPY sends in blocks of whole rows; nothing is kept.

    libpq is asked directly: psycopg's own way of waiting for each row takes as long as the row.
    """
    from psycopg import errors, pq

    waiting: list[bytes | memoryview] = []
    size = 0
    begun = db.pgconn.exec_(query.encode())
    if begun.status != pq.ExecStatus.COPY_OUT:
        raise errors.error_from_result(begun)
    try:
        while (got := db.pgconn.get_copy_data(0))[0] > 0:
            waiting.append(got[1])
            size += got[0]
            if size >= BLOCK:
                yield b"".join(waiting), len(waiting)
                waiting, size = [], 0
    finally:
        while got[0] > 0:  # whoever stopped listening left some
            got = db.pgconn.get_copy_data(0)
        while ended := db.pgconn.get_result():
            if ended.status == pq.ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(ended)
    if waiting:
        yield b"".join(waiting), len(waiting)


# Side by side: this is work for the processor, and one Python uses one of them --------------------


def _side_by_side(reading: Reading, table: Table, wanted: list[Piece]) -> list[Piece]:
    """Read the parts of a large table in processes of their own, from the same snapshot."""
    forking = multiprocessing.get_context("fork")
    readers, ends = [], []
    for place in range(READERS):
        mine, theirs = forking.Pipe(duplex=False)
        words = (reading, table, wanted[place::READERS], mine, theirs)
        reader = forking.Process(target=_reader, args=words, daemon=True)
        reader.start()
        theirs.close()
        readers.append(reader)
        ends.append(mine)
    made = []
    try:
        while ends:
            for end in wait(ends):
                assert isinstance(end, Connection)  # noqa: S101 - what we put in
                try:
                    told = end.recv()
                except EOFError:
                    ends.remove(end)
                    continue
                if isinstance(told, Exception):
                    raise told
                made.append(told)
                _note(reading, told)
    finally:
        for reader in readers:
            reader.terminate()
            reader.join()
    if len(made) != len(wanted):
        raise Failed(f"a reader of {table.name} died; run the same command again: it goes on")
    return made


def _reader(
    reading: Reading, table: Table, wanted: list[Piece], other: Connection, end: Connection
) -> None:
    """Read some parts and say so; when nobody listens any more, end."""
    other.close()
    assert reading.connect is not None, "there is somebody to ask"  # noqa: S101
    try:
        with reading.connect() as db:
            for piece in wanted:
                end.send(_make(db, reading.work, table, piece))
            db.rollback()
    except OSError as error:
        end.send(OSError(error.errno, error.strerror))
    except Exception as error:  # noqa: BLE001 - the other side says what it was
        end.send(Failed(f"{table.name} could not be read: {type(error).__name__}"))
    finally:
        end.close()
        os._exit(0)
