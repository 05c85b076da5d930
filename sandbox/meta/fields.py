"""The `fields` parameter: names, arguments such as `limit(20)`, and nested selections."""

import re
from dataclasses import dataclass, field

from sandbox.meta.errors import bad_parameter

TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[(){},.]|\d+)")


@dataclass(slots=True)
class Selection:
    """One asked field: its arguments and what is asked below it."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    below: list["Selection"] = field(default_factory=list)


def parse(text: str) -> list[Selection]:
    """Read a `fields` expression."""
    tokens: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        match = TOKEN.match(text, position)
        if match is None:
            raise bad_parameter(f"Syntax error in fields at character {position}")
        tokens.append(match[1])
        position = match.end()
    selections = _list(tokens)
    if tokens:
        raise bad_parameter(f'Syntax error "Unexpected {tokens[0]}" in fields')
    return selections


def _list(tokens: list[str]) -> list[Selection]:
    found = [_one(tokens)]
    while tokens and tokens[0] == ",":
        tokens.pop(0)
        found.append(_one(tokens))
    return found


def _one(tokens: list[str]) -> Selection:
    selection = Selection(_word(tokens))
    while tokens and tokens[0] in {".", "{"}:
        if tokens.pop(0) == ".":
            name = _word(tokens)
            _expect(tokens, "(")
            selection.arguments[name] = _word(tokens)
            _expect(tokens, ")")
        else:
            selection.below = _list(tokens)
            _expect(tokens, "}")
    return selection


def _word(tokens: list[str]) -> str:
    if not tokens or not tokens[0][0].isalnum():
        raise bad_parameter('Syntax error "Expected name" in fields')
    return tokens.pop(0)


def _expect(tokens: list[str], sign: str) -> None:
    if not tokens or tokens.pop(0) != sign:
        raise bad_parameter(f'Syntax error "Expected {sign}" in fields')


def select(text: str | None, *, default: str, known: frozenset[str], node: str) -> list[Selection]:
    """Return what is asked for, each field known to *node*; the id always comes along."""
    selections = parse(text or default)
    for selection in selections:
        if selection.name not in known:
            raise bad_parameter(
                f"Tried accessing nonexisting field ({selection.name}) on node type ({node})"
            )
    if all(selection.name != "id" for selection in selections):
        selections.append(Selection("id"))
    return selections
