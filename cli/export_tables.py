"""Reading tables part by part: one query of COPY each, not read again while it is still true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cli.export_rows import VALUE, Shape, render, unescaped
from cli.export_work import Piece
from cli.export_zip import Digest
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from cli.export_work import Behind, Packed, Work

PAGE = 50_000  # rows of a part: what is read again at most after an interruption
BLOCK = 1 << 18  # bytes that are written at once


@dataclass(frozen=True, slots=True)
class Table:
    """What a subject is given of one table."""

    name: str
    shape: Shape
    keys: tuple[str, ...]  # what its rows are ordered by, and told from each other
    select: str
    mine: str
    counted: bool  # which rows they are follows from their number and age: they only come and go

    @property
    def digest(self) -> str:
        """Name what is asked for, so that a part is not kept when that has changed."""
        told = "\0".join([self.select, self.mine, *self.keys, self.shape.kinds])
        return sha256(told.encode()).hexdigest()[:16]

    def copy(self, low: list[str] | None) -> str:
        """Write the query of a part."""
        return (
            f"copy (select {', '.join([self.select, *self._unseen])} from {self.name} as t"  # noqa: S608 - from the catalog
            f" where {self.mine}{self.between(low, None)} order by {self.order} limit {PAGE})"
            " to stdout (delimiter e'\\x01')"
        )

    def key(self, line: bytes) -> list[str]:
        """Find the key in a line of COPY's text."""
        values = VALUE.findall(line)
        unseen = [key for key in self.keys if key not in self.shape.names]
        names = [*self.shape.names, *unseen]
        return [unescaped(values[names.index(key)]).decode() for key in self.keys]

    @property
    def _unseen(self) -> list[str]:
        """Write the columns of the key that the subject is not given."""
        return [f't."{key}"' for key in self.keys if key not in self.shape.names]

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
    behind: Behind
    since: str  # the oldest transaction under way
    step: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Read:
    """The parts of a table, and the digests of its two files where this call has read them all."""

    parts: list[Piece]
    digests: tuple[Digest, Digest] | None

    @property
    def rows(self) -> int:
        """Count the rows."""
        return sum(part.rows for part in self.parts)


def read(reading: Reading, table: Table) -> Read:
    """Make the parts of a table that are not there yet; return all of them, in order."""
    parts = list(_kept(reading, table))
    digests = None if parts else (Digest(), Digest())
    if table.counted:
        # The order is its key's index. Where nothing is known of a table that was filled a moment
        # ago, the planner would sort all that is left of it for every part.
        reading.db.execute("set local enable_sort = off")
    while not parts or parts[-1].high is not None:
        low = parts[-1].high if parts else None
        piece = Piece(table.name, len(parts), 0, low, None, table.digest, reading.since)
        parts.append(_make(reading, table, piece, digests))
        _note(reading, parts[-1])
    if table.counted:
        reading.db.execute("set local enable_sort = on")
    return Read(parts, digests)


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


def _make(
    reading: Reading, table: Table, piece: Piece, digests: tuple[Digest, Digest] | None
) -> Piece:
    """Read one part into its two files, which are written while the next rows are read."""
    lines, cells = (reading.work.writer(piece.name, piece.number, part) for part in (0, 1))
    behind, (for_lines, for_cells) = reading.behind, digests or (None, None)
    try:
        rows, block = 0, b""
        for block, number in _blocks(reading.db, table.copy(piece.low)):
            as_json, as_csv = render(table.shape, block, number)
            first = not rows and not piece.number
            behind.do(
                _put,
                (lines, for_lines, b"[\n" if first else b",\n", as_json),
                (cells, for_cells, table.shape.title if first else b"", as_csv),
            )
            rows += number
        end = block[block.rfind(b"\n", 0, -1) + 1 :]
        made = replace(piece, rows=rows, high=table.key(end) if rows == PAGE else None)
        found = None
        if not table.counted:
            found = reading.db.execute(
                f"select {_print(table)} from {table.name} as t"  # noqa: S608 - from the catalog
                f" where {table.mine}{table.between(made.low, made.high)}".encode()
            ).fetchone()
        behind.settle()
        return replace(made, print=found[0] if found else "", sizes=[lines.close(), cells.close()])
    except BaseException:
        behind.drop()
        lines.abandon()
        cells.abandon()
        raise


def _put(*files: tuple[Packed, Digest | None, bytes, bytes]) -> None:
    """Write what comes next in each file."""
    for file, digest, before, block in files:
        plain = before + block
        file.write(plain)
        if digest is not None:
            digest.update(plain)


def _blocks(db: psycopg.Connection[Any], query: str) -> Iterator[tuple[bytes, int]]:
    """Yield what COPY sends in blocks of whole rows; nothing is kept.

    libpq is asked directly: psycopg's own way of waiting for each row takes as long as the row.
    """
    from psycopg import errors, pq

    waiting: list[bytes | memoryview] = []
    size, next_row = 0, db.pgconn.get_copy_data
    begun = db.pgconn.exec_(query.encode())
    if begun.status != pq.ExecStatus.COPY_OUT:
        raise errors.error_from_result(begun)
    try:
        while (got := next_row(0))[0] > 0:
            waiting.append(got[1])
            size += got[0]
            if size >= BLOCK:
                yield b"".join(waiting), len(waiting)
                waiting, size = [], 0
    finally:
        while got[0] > 0:  # whoever stopped listening left some
            got = next_row(0)
        while ended := db.pgconn.get_result():
            if ended.status == pq.ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(ended)
    if waiting:
        yield b"".join(waiting), len(waiting)
