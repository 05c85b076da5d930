"""Rows as JSON and as CSV, from one reading of the database, a block of them at a time.

PostgreSQL sends COPY's text: values with a sign between them that no text of ours holds, and a
backslash before what would be mistaken. That is nearly JSON, and nearly CSV. A block is cut into
its values once and put together twice, by two templates, without looking at one row; only a block
with a rare sign in it is read value by value. Letting the server write both costs four times as
much, because it asks for the type of every value of every row anew.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property

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
FIRST = frozenset({b"=", b"@", b"+", b"-", b"\t", b"\r", b"\\"})
FORMULA = re.compile(rb"[=@\t\r]|[+-](?![0-9])")


@dataclass(frozen=True)
class Shape:
    """The columns of a table, in order, and what kind of value each holds."""

    names: tuple[str, ...]
    kinds: str

    @cache  # noqa: B019 - a shape lives as long as its export
    def rows(self, empty: frozenset[int]) -> tuple[bytes, bytes]:
        """Return the templates of a row as JSON and as CSV; some columns hold nothing at all."""
        keys = (json.dumps(name).encode().replace(b"%", b"%%") for name in self.names)
        told, cells = [], []
        for place, (key, kind) in enumerate(zip(keys, self.kinds, strict=True)):
            nothing = place in empty
            told.append(key + (b":null" if nothing else b':"%s"' if kind in QUOTED else b":%s"))
            cells.append(b"" if nothing else b'"%s"')
        return b"{" + b",".join(told) + b"}", b",".join(cells) + b"\n"

    @cached_property
    def title(self) -> bytes:
        """Return the first line of the CSV file."""
        return ",".join(self.names).encode() + b"\n"

    def columns(self, kinds: str) -> list[int]:
        """Find the columns of some kinds."""
        return [place for place, kind in enumerate(self.kinds) if kind in kinds]


def render(shape: Shape, block: bytes, rows: int) -> tuple[bytes, bytes]:
    """Write a block of COPY's text as lines of JSON, with commas between them, and as CSV."""
    # A backslash that is no null stands before a sign that was written otherwise.
    escaped = block.count(b"\\") != block.count(NULL)
    if _is_rare(block, escaped=escaped):
        return _one_by_one(shape, block)
    width = len(shape.names)
    values = block[:-1].replace(b"\n", CUT).split(CUT)
    empty = {
        place
        for place in range(width)
        if values[place] == NULL and values[place::width].count(NULL) == rows
    }
    for place in set(shape.columns(MOMENT)) - empty:
        values[place::width] = _moments(values[place::width])
    cells = _cells(shape, values, empty, quotes=b'"' in block, escaped=escaped)
    for place in sorted(empty, reverse=True):
        if cells is not values:
            del cells[place::width]
        del values[place::width]
        width -= 1
    lines, sheet = shape.rows(frozenset(empty))
    told = b",\n".join([lines] * rows) % tuple(values)
    written = sheet * rows % tuple(cells)
    if NULL in values:
        told = told.replace(b'"\\N"', b"null").replace(b":\\N", b":null")
        written = written.replace(b'"\\N"', b"")
    return told, written


def _cells(
    shape: Shape, values: list[bytes], empty: set[int], *, quotes: bool, escaped: bool
) -> list[bytes]:
    """Return what stands in CSV's cells, and make of *values* what stands in JSON's strings."""
    cells, width = values, len(shape.names)
    if escaped or quotes:
        cells = values.copy()
        for place in shape.columns(WRITTEN):
            column = values[place::width]
            cells[place::width] = [_cell(value) for value in column]
            if shape.kinds[place] == RAW:
                values[place::width] = [_plain(value) for value in column]
            elif quotes:
                values[place::width] = CUT.join(column).replace(b'"', b'\\"').split(CUT)
    for place in set(shape.columns(FREE)) - empty:
        column = cells[place::width]
        if not FIRST.isdisjoint({value[:1] for value in column}):
            if cells is values:
                cells = values.copy()
            cells[place::width] = [_harmless(value) for value in column]
    return cells


def _is_rare(block: bytes, *, escaped: bool) -> bool:
    """Say whether a block holds a sign that needs a look at every value."""
    return len(block.translate(None, RARE)) != len(block) or (
        escaped and (b"\\v" in block or b"\\\x01" in block)
    )


def _moments(column: list[bytes]) -> list[bytes]:
    """Write times as RFC 3339 wants them; the session's zone is UTC."""
    joined = CUT.join(column)
    if b"BC" in joined:
        return column
    return joined.replace(b" ", b"T").replace(b"+00", b"+00:00").split(CUT)


def _plain(value: bytes) -> bytes:
    """Take back COPY's escapes."""
    if value == NULL or b"\\" not in value:
        return value
    return ESCAPE.sub(lambda found: MEANT.get(found[1], found[1]), value)


def _cell(value: bytes) -> bytes:
    """Return what stands between the quotes of a cell."""
    return value if value == NULL else _plain(value).replace(b'"', b'""')


def _harmless(cell: bytes) -> bytes:
    """Keep a spreadsheet from running a cell; a number with its sign is no formula."""
    return b"'" + cell if FORMULA.match(_plain(cell) if cell[:1] == b"\\" else cell) else cell


def _one_by_one(shape: Shape, block: bytes) -> tuple[bytes, bytes]:
    """Do the same slowly, value by value: for blocks with rare signs."""
    values = VALUE.findall(block)
    width, lines, cells = len(shape.names), [], []
    for start in range(0, len(values), width):
        row = values[start : start + width]
        for place in shape.columns(MOMENT):
            row[place] = _moments([row[place]])[0]
        lines.append(b"{" + b",".join(map(_member, shape.names, shape.kinds, row)) + b"}")
        plain = [value if value == NULL else _plain(value) for value in row]
        for place in shape.columns(FREE):
            if FORMULA.match(plain[place]):
                plain[place] = b"'" + plain[place]
        cells.append(
            b",".join(
                b"" if value == NULL else b'"' + cell.replace(b'"', b'""') + b'"'
                for value, cell in zip(row, plain, strict=True)
            )
        )
    return b",\n".join(lines), b"\n".join(cells) + b"\n"


def _member(name: str, kind: str, value: bytes) -> bytes:
    """Write one member of an object."""
    if value == NULL:
        said = b"null"
    elif kind in QUOTED:
        said = json.dumps(_plain(value).decode(), ensure_ascii=False).encode()
    else:
        said = _plain(value)
    return json.dumps(name).encode() + b":" + said
