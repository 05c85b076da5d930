"""A group whose commands are imported only when one of them is called."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

if TYPE_CHECKING:
    from typer._click import Command, Context

    Loaded = TyperCommand | TyperGroup


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives (`module:attribute`), and the line that stands for it in the list.

    The attribute is a Typer application, or a plain function that is one command.
    """

    target: str
    summary: str

    def load(self, name: str) -> Loaded:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            group = get_group(found)
            group.name = name
            return group
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name)(found)
        command = get_command(single)
        if not isinstance(command, TyperCommand):
            raise TypeError(f"{self.target} is neither an application nor a function")
        return command


class LazyGroup(TyperGroup):
    """List entries by their summaries; import one only when it is called."""

    entries: dict[str, Entry]

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - Typer's own keywords, handed on
        super().__init__(**settings)
        for name, entry in self.entries.items():
            self.add_command(TyperCommand(name, help=entry.summary, rich_markup_mode=None))

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """Find the command that is called, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.entries:
            command = self.entries[name].load(name)
        return name, command, rest
