"""Writing docs/cli.md from the console's own help (`python -m cli.reference`)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup
from typer.main import get_command

from cli.main import Console, app
from cli.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer._click import Command

PAGE = ROOT / "docs" / "cli.md"
WIDTH = 100
OPENING = """# The console

Written by `make docs` from the help of `connext`; edit the commands, not this page.
Everything prints data on stdout and talk on stderr. Exit codes: 0 done, 1 failed, 2 wrong usage,
3 nothing to do, 4 refused.
"""


def commands() -> Iterator[tuple[str, Command]]:
    """Yield every command with the words that call it, groups before their members."""
    yield from _walk("connext", get_command(app))


def help_of(words: str, command: Command) -> str:
    """Write a command's help as the console prints it in a terminal of fixed width."""
    context = typer.Context(command, info_name=words, terminal_width=WIDTH, max_content_width=WIDTH)
    lines = command.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines)


def page() -> str:
    """Write the whole page."""
    parts = [OPENING]
    for words, command in commands():
        parts.append(f"## {words}\n\n```text\n{help_of(words, command)}\n```\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say whether it is in step."""
    content = page()
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != content:
            sys.stderr.write("docs/cli.md is not what the commands say; run 'make docs'\n")
            return 1
        return 0
    PAGE.write_text(content)
    return 0


def _walk(words: str, command: Command) -> Iterator[tuple[str, Command]]:
    yield words, command
    if isinstance(command, Console):
        for name, entry in command.entries.items():
            yield from _walk(f"{words} {name}", entry.load(name))
    elif isinstance(command, TyperGroup):
        for name, member in command.commands.items():
            yield from _walk(f"{words} {name}", member)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
