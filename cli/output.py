"""What a command prints: data on stdout, talk on stderr, and the question before harm."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import typer

from cli.errors import Refused

Row = Mapping[str, Any]


def say(text: str) -> None:
    """Tell the person something that is not data."""
    typer.echo(text, err=True)


def show(rows: Iterable[Row], *, columns: Sequence[str], as_json: bool) -> None:
    """Print rows: a JSON list, a table for a terminal, tab-separated lines for a pipe."""
    listed = [{name: row[name] for name in columns} for row in rows]
    if as_json:
        show_json(listed)
    elif sys.stdout.isatty():
        _print_table(listed, columns)
    else:
        typer.echo("\t".join(columns))
        for row in listed:
            typer.echo("\t".join(cell(row[name]) for name in columns))


def show_one(fields: Row, *, as_json: bool) -> None:
    """Print one thing: a JSON object, or one line per field."""
    if as_json:
        show_json(dict(fields))
        return
    width = max((len(name) for name in fields), default=0)
    for name, value in fields.items():
        typer.echo(f"{name:<{width}}  {cell(value)}".rstrip())


def show_json(value: object) -> None:
    """Print a value as indented JSON; times are ISO 8601, ids are text."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def cell(value: object) -> str:
    """Write a value for one cell; line ends and tabs inside it become spaces."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=_plain)
        case _:
            return " ".join(str(value).split())


def confirm(question: str, *, yes: bool) -> None:
    """Go on only when the person agrees; without a terminal only --yes agrees."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"not confirmed: {question}; nothing was changed, add --yes to agree")
    if not typer.confirm(question, err=True):
        raise Refused("not confirmed; nothing was changed")


def _plain(value: object) -> str:
    """Write for JSON what JSON has no type for."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Print a table as wide as the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(row[name])) for name in columns))
    Console().print(table)
