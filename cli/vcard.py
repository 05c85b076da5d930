"""A person or an organization as a vCard 4.0 (RFC 6350): written, not read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LINE = 75  # octets of a line, without its end (RFC 6350, 3.2)
# No control sign but the tab may stand in a value; a line end is written as \n.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
BREAK = re.compile(r"\r\n|[\r\n\u2028\u2029\x85]")
TEXT = {"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n"}
PARAMETER = {"^": "^^", '"': "^'", "\n": "^n"}  # RFC 6868
TELEPHONE = re.compile(r"\+?[0-9]+")


@dataclass(slots=True)
class Card:
    """The lines of one card, begun with what every card has."""

    lines: list[str] = field(default_factory=list)

    def add(self, name: str, *values: str | None, **parameters: str | None) -> None:
        """Add a property of one value, or of several parts; without any of them it is left out."""
        if any(values):
            self._line(name, ";".join(escaped(value or "") for value in values), parameters)

    def telephone(self, number: str, **parameters: str | None) -> None:
        """Add a number; what is none, a sender with a name for instance, is written as text."""
        if TELEPHONE.fullmatch(number):
            self._line("TEL", f"tel:{number}", {"VALUE": "uri", **parameters})
        else:
            self.add("TEL", number, **parameters)

    def _line(self, name: str, value: str, parameters: dict[str, str | None]) -> None:
        told = "".join(
            f";{key}={_parameter(given)}" for key, given in parameters.items() if given is not None
        )
        self.lines.append(f"{name}{told}:{value}")

    def written(self) -> bytes:
        """Return the card as it is sent."""
        lines = ["BEGIN:VCARD", "VERSION:4.0", *self.lines, "END:VCARD"]
        return b"".join(map(folded, lines))


def escaped(value: str) -> str:
    """Write a text value (RFC 6350, 3.4)."""
    plain = CONTROL.sub("", BREAK.sub("\n", value))
    return "".join(TEXT.get(sign, sign) for sign in plain)


def _parameter(value: str) -> str:
    plain = CONTROL.sub("", BREAK.sub("\n", value))
    told = "".join(PARAMETER.get(sign, sign) for sign in plain)
    return f'"{told}"' if re.search(r"[:;,\s]", told) else told


def folded(line: str) -> bytes:
    """Cut a line into pieces of at most 75 octets, never inside a letter; each ends with CRLF."""
    pieces, piece = [], b""
    for sign in line:
        octets = sign.encode()
        if len(piece) + len(octets) > LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
