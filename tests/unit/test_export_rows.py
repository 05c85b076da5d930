"""What COPY's text becomes: the JSON and the CSV that any reader reads back, whatever a person wrote."""

import csv
import io
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.export_rows import Shape, render

FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d)", re.ASCII)
SHAPE = Shape(("id", "body", "at", "n", "tags", "code"), "qftbjx")
SIGNS = st.text(st.sampled_from("ab\\\"',;=@+-\t\r\n\v\f\b\x01\x02\x1f\x7fé漢N:{}%"), max_size=12)
WORDS = st.one_of(st.none(), SIGNS, st.text(max_size=12).filter(lambda t: "\0" not in t))
ROWS = st.lists(
    st.tuples(
        st.uuids().map(str),
        WORDS,
        st.one_of(st.none(), st.just("2026-05-03 09:00:00.12+00")),
        st.one_of(st.none(), st.integers(-5, 5)),
        st.one_of(st.none(), st.lists(SIGNS, max_size=3)),
        WORDS,
    ),
    min_size=1,
    max_size=5,
)
ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\x01": "\\\x01"}  # fmt: skip


def sent(value):
    r"""A value as COPY sends it with \\x01 between values (copyto.c, CopyAttributeOutText)."""
    if value is None:
        return "\\N"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
    return "".join(ESCAPES.get(sign, sign) for sign in text)


def block(rows):
    return "".join("\x01".join(map(sent, row)) + "\n" for row in rows).encode()


def shown(row):
    told = dict(zip(SHAPE.names, row, strict=True))
    if told["at"]:
        told["at"] = "2026-05-03T09:00:00.12+00:00"
    return told


@given(ROWS)
@settings(deadline=None)
def test_json_is_read_back_as_it_was(rows):
    lines, _ = render(SHAPE, block(rows), len(rows))

    assert json.loads(b"[" + lines + b"]") == [shown(row) for row in rows]
    assert lines.count(b"\n") == len(rows) - 1


@given(ROWS)
@settings(deadline=None)
def test_csv_is_read_back_as_it_was_and_no_cell_is_a_formula(rows):
    _, cells = render(SHAPE, block(rows), len(rows))

    read = list(csv.reader(io.StringIO(cells.decode(), newline="")))
    assert len(read) == len(rows)
    for found, row in zip(read, rows, strict=True):
        told = shown(row)
        assert found[0] == told["id"]
        assert found[5] == (told["code"] or "")
        body = told["body"] or ""
        assert found[1] == ("'" + body if FORMULA.match(body) else body)


@pytest.mark.parametrize("text", ["C:\\new", "\\N", '"\\N"', "a\\", "%s", '{"a":1}', ":\\N,"])
def test_what_looks_like_an_escape_is_only_text(text):
    row = ("0" * 8, text, None, None, [text], text)

    lines, _ = render(SHAPE, block([row]), 1)

    read = json.loads(lines)
    assert (read["body"], read["tags"], read["code"]) == (text, [text], text)


def test_a_telephone_number_is_no_formula():
    _, cells = render(Shape(("n",), "f"), b"+15145550123\n-5\n-x\n", 3)

    assert cells == b'"+15145550123"\n"-5"\n"\'-x"\n'


def test_a_text_is_told_from_nothing_beside_it():
    shape = Shape(("n", "said"), "bx")

    lines, cells = render(shape, b"1\x01\\\\N\n2\x01\\N\n3\x01\\\\a\n", 3)

    assert [row["said"] for row in json.loads(b"[" + lines + b"]")] == ["\\N", None, "\\a"]
    assert cells == b'"1","\\N"\n"2",\n"3","\\a"\n'


def test_what_is_the_same_in_every_row_is_in_every_row():
    shape = Shape(("kind", "n", "none", "said"), "xbbf")

    lines, cells = render(shape, b'=a"\x011\x01\\N\x01x\n=a"\x011\x01\\N\x01y\n', 2)

    wanted = {"kind": '=a"', "n": 1, "none": None}
    assert json.loads(b"[" + lines + b"]") == [{**wanted, "said": said} for said in "xy"]
    assert cells == b'"=a""","1",,"x"\n"=a""","1",,"y"\n'
    assert render(Shape(("n",), "b"), b"1\n1\n", 2) == (b'{"n":1},\n{"n":1}', b'"1"\n"1"\n')


def test_a_key_that_is_not_given_is_in_neither_file():
    for text in ("x", "\x02"):
        block = f"1\x01{text}\x01key\n2\x01{text}\x01other\n".encode()

        lines, cells = render(Shape(("n", "said"), "bx", 1), block, 2)

        assert b"key" not in lines + cells
        assert [row["n"] for row in json.loads(b"[" + lines + b"]")] == [1, 2]
        assert len(list(csv.reader(io.StringIO(cells.decode())))) == 2
