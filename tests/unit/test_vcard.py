"""A vCard that any reader takes (RFC 6350): escaped, folded, and read back as it was written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.vcard import Card, escaped, folded

VALUES = st.one_of(
    st.text(st.sampled_from('ab,;:\\n\n"^é漢🏳 \t'), max_size=90),
    st.text(max_size=200).filter(lambda t: "\0" not in t),
)


def lines(card):
    """Unfold (RFC 6350, 3.2)."""
    assert card.endswith(b"\r\n")
    return card.decode().replace("\r\n ", "").split("\r\n")[:-1]


def read(value):
    """Split at semicolons that are not escaped, and take the escapes back."""
    parts = re.split(r"(?<!\\)((?:\\\\)*);", value)
    joined = [parts[i] + (parts[i + 1] if i + 1 < len(parts) else "") for i in range(0, len(parts), 2)]  # fmt: skip
    return [re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], part) for part in joined]


def kept(value):
    """What of a text a card can hold."""
    value = re.sub(r"\r\n|[\r\n\u2028\u2029\x85]", "\n", value)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", value)


@given(VALUES, VALUES)
def test_what_is_written_is_read_back(family, first):
    card = Card()
    card.add("N", family, first, "", "", "")

    told = lines(card.written())
    if not family and not first:
        assert len(told) == 3
        return
    assert told[2].startswith("N:")
    assert read(told[2][2:]) == [kept(family), kept(first), "", "", ""]


@given(st.text(max_size=400).filter(lambda t: not re.search(r"[\r\n]", t)))
def test_no_line_is_longer_than_75_octets_and_no_letter_is_cut(text):
    pieces = folded(text).split(b"\r\n")[:-1]

    assert all(len(piece) <= 75 for piece in pieces)
    assert "".join(piece.decode()[number > 0 :] for number, piece in enumerate(pieces)) == text


@given(VALUES)
def test_no_value_can_begin_a_line_of_its_own(value):
    assert not re.search(r"[\r\n]", escaped(value))


def test_a_card_begins_and_ends_as_the_standard_wants():
    card = Card()
    card.add("FN", "Ana; Lafleur, \\ inc.\nMontréal")
    card.telephone("+15145550123", PREF="1")
    card.telephone("PIZZA")
    card.add("EMAIL", "a@example.com", **{"X-LABEL": 'say "hi": now'})
    card.add("NOTE", None)

    assert lines(card.written()) == [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "FN:Ana\\; Lafleur\\, \\\\ inc.\\nMontréal",
        "TEL;VALUE=uri;PREF=1:tel:+15145550123",
        "TEL:PIZZA",
        "EMAIL;X-LABEL=\"say ^'hi^': now\":a@example.com",
        "END:VCARD",
    ]


@pytest.mark.parametrize("hostile", ["x\r\nEND:VCARD", "x\nTEL:+1", "x\u2028TEL:+1"])
def test_a_hostile_name_stays_one_property(hostile):
    card = Card()
    card.add("FN", hostile)

    assert len(lines(card.written())) == 4
