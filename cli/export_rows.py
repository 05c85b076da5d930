"""Rows as JSON and as CSV, from one reading of the database, a block of them at a time.

PostgreSQL sends COPY's text: values with a sign between them that no text of ours holds, and a
backslash before what would be mistaken. That is nearly JSON, and nearly CSV. A block is cut into
its values once, looked at column by column, and joined twice with what stands between the values
of each format, without looking at one row. What is the same in a whole block, as states, kinds and
nothing at all often are, is written once. Only a block with a rare sign in it is read value by
value. Letting the server write both costs four times as much, because it asks for the type of
every value of every row anew.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property

CUT = b"\x01"
NULL = b"\\N"
# What a kind of value is: see privacy.export_plan.
MOMENT, BARE, RAW, TEXT, FREE = "t", "b", "j", "x", "f"
QUOTED = "qtxf"
WRITTEN = "jxf"  # may hold anything that can be written
# Signs that JSON wants written as \u00XX; COPY sends them as they are, and \v in its own way.
RARE = bytes(sorted({*range(2, 32)} - {8, 9, 10, 12, 13}))
VALUE = re.compile(rb"((?:[^\\\x01\n]|\\.)*)[\x01\n]", re.DOTALL)
ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
MEANT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
# How a value may begin that a spreadsheet runs: too many rather than one too few.
FIRST = (b"=", b"@", b"+", b"-")
FORMULA = re.compile(rb"[=@\t\r]|[+-](?![0-9])")

Pair = tuple[bytes, bytes]  # in JSON's string, and in CSV's cell


class _Rare(Exception):
    """A block holds a sign that needs a look at every value."""


@dataclass(frozen=True)
class Shape:
    """The columns of a table, in order, and what kind of value each holds."""

    names: tuple[str, ...]
    kinds: str
    unseen: int = 0  # columns that come after these and are in neither file: parts of the key

    @cached_property
    def width(self) -> int:
        """Return how many values COPY sends of a row."""
        return len(self.names) + self.unseen

    @cached_property
    def title(self) -> bytes:
        """Return the first line of the CSV file."""
        return ",".join(self.names).encode() + b"\n"

    def between(self, same: dict[int, Pair | None]) -> tuple[list[bytes], list[bytes]]:
        """Return what stands before each column, and after the last one: for JSON and for CSV.

        Columns with the *same* value in every row, or with none, are in what stands between.
        """
        told, cells = [b"{"], [b""]
        for place, (name, kind) in enumerate(zip(self.names, self.kinds, strict=True)):
            comma = b"," if place else b""
            quote = b'"' if kind in QUOTED else b""
            key, cell = comma + json.dumps(name).encode() + b":", comma + b'"'
            if place not in same:
                told[-1] += key + quote
                told.append(quote)
                cells[-1] += cell
                cells.append(b'"')
            elif (pair := same[place]) is None:
                told[-1] += key + b"null"
                cells[-1] += comma
            else:
                told[-1] += key + quote + pair[0] + quote
                cells[-1] += cell + pair[1] + b'"'
        told[-1] += b"}"
        cells[-1] += b"\n"
        return told, cells


def render(shape: Shape, block: bytes, rows: int) -> tuple[bytes, bytes]:
    """Write a block of COPY's text as lines of JSON, with commas between them, and as CSV."""
    values = block[:-1].replace(b"\n", CUT).split(CUT)
    if len(values) != rows * shape.width:  # the sign between values is in one of them
        return _one_by_one(shape, block)
    told, cells, nulls = [], [], False
    same: dict[int, Pair | None] = {}
    try:
        for place, kind in enumerate(shape.kinds):
            column = values[place :: shape.width]
            first = column[0]
            if first == column[-1] and column.count(first) == rows:
                same[place] = None if first == NULL else _alone(kind, first)
                continue
            nulls = nulls or NULL in column
            as_json, as_cells = _column(kind, column)
            told.append(as_json)
            cells.append(as_cells)
    except _Rare:
        return _one_by_one(shape, block)
    for_json, for_cells = shape.between(same)
    lines = _joined(for_json, told, b",\n", rows)
    sheet = _joined(for_cells, cells, b"", rows)
    if nulls:
        lines = lines.replace(b'"\\N"', b"null").replace(b":\\N", b":null")
        sheet = sheet.replace(b'"\\N"', b"")
    return lines, sheet


def _joined(between: list[bytes], columns: list[list[bytes]], rest: bytes, rows: int) -> bytes:
    """Join columns to rows, with *rest* between two of them."""
    if not columns:
        return rest.join(between * rows)
    first, *others, last = between
    step = 2 * len(columns)
    pieces = [last + rest + first, b"", *(piece for sign in others for piece in (sign, b""))] * rows
    pieces[0] = first
    for place, column in enumerate(columns):
        pieces[2 * place + 1 :: step] = column
    pieces.append(last)
    return b"".join(pieces)


def _alone(kind: str, value: bytes) -> Pair:
    """Return what one value is in JSON's string, and in CSV's cell."""
    (told,), (cell,) = _column(kind, [value])
    return told, cell


def _column(kind: str, column: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return what stands in JSON's strings, and what in CSV's cells."""
    if kind == MOMENT:
        column = _moments(column)
    if kind not in WRITTEN:
        return column, column
    joined = CUT.join(column)
    # A backslash that is no null stands before a sign that was written otherwise.
    escaped = b"\\" in joined and joined.count(b"\\") != joined.count(NULL)
    # Where a text is `\N`, its cell could not be told from nothing.
    if len(joined.translate(None, RARE)) != len(joined) or (
        escaped and (b"\\v" in joined or b"\\\\N" in joined)
    ):
        raise _Rare
    told = cells = column
    quotes = b'"' in joined
    if escaped:
        cells = [value if value == NULL else unescaped(value) for value in column]
    if escaped and kind == RAW:
        told = cells
    elif quotes and kind != RAW:
        told = joined.replace(b'"', b'\\"').split(CUT)
    if quotes:
        cells = CUT.join(cells).replace(b'"', b'""').split(CUT)
    if kind == FREE and (escaped or _may_run(joined)):
        cells = [b"'" + cell if FORMULA.match(cell) else cell for cell in cells]
    return told, cells


def _may_run(joined: bytes) -> bool:
    """Say whether a value may begin as a formula does; a number with its sign is none."""
    return joined.startswith(FIRST) or any(
        sign in joined and CUT + sign in joined for sign in FIRST
    )


def _moments(column: list[bytes]) -> list[bytes]:
    """Write times as RFC 3339 wants them; the session's zone is UTC."""
    joined = CUT.join(column)
    if b"BC" in joined:
        return column
    return joined.replace(b" ", b"T").replace(b"+00", b"+00:00").split(CUT)


def unescaped(value: bytes) -> bytes:
    """Take back COPY's escapes."""
    if value == NULL or b"\\" not in value:
        return value
    return ESCAPE.sub(lambda found: MEANT.get(found[1], found[1]), value)


def _one_by_one(shape: Shape, block: bytes) -> tuple[bytes, bytes]:
    """Do the same slowly, value by value: for blocks with rare signs."""
    values = VALUE.findall(block)
    lines, cells = [], []
    for start in range(0, len(values), shape.width):
        row = values[start : start + len(shape.names)]
        for place in _places(shape, MOMENT):
            (row[place],) = _moments([row[place]])
        lines.append(b"{" + b",".join(map(_member, shape.names, shape.kinds, row)) + b"}")
        plain = [value if value == NULL else unescaped(value) for value in row]
        for place in _places(shape, FREE):
            if FORMULA.match(plain[place]):
                plain[place] = b"'" + plain[place]
        cells.append(
            b",".join(
                b"" if value == NULL else b'"' + cell.replace(b'"', b'""') + b'"'
                for value, cell in zip(row, plain, strict=True)
            )
        )
    return b",\n".join(lines), b"\n".join(cells) + b"\n"


def _places(shape: Shape, wanted: str) -> list[int]:
    """Find the columns of a kind."""
    return [place for place, kind in enumerate(shape.kinds) if kind == wanted]


def _member(name: str, kind: str, value: bytes) -> bytes:
    """Write one member of an object."""
    if value == NULL:
        said = b"null"
    elif kind in QUOTED:
        said = json.dumps(unescaped(value).decode(), ensure_ascii=False).encode()
    else:
        said = unescaped(value)
    return json.dumps(name).encode() + b":" + said
