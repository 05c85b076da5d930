"""Every way a command ends without having done its work, sorted by exit code.

    ConsoleError
    ├── Failed         1   it was tried and did not work
    ├── Usage          2   the call itself is wrong
    ├── NothingToDo    3   the world is already as asked
    └── Refused        4   not allowed, or not confirmed

Success is 0. Any other exception that reaches `main` is a bug and shows its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import psycopg


class ConsoleError(Exception):
    """A command's reason for not being done, one line for people."""

    exit_code: ClassVar[int] = 1


class Failed(ConsoleError):
    """It was tried and did not work."""

    exit_code = 1


class Usage(ConsoleError):
    """The call itself is wrong."""

    exit_code = 2


class NothingToDo(ConsoleError):
    """The world is already as asked."""

    exit_code = 3


class Refused(ConsoleError):
    """Not allowed, or not confirmed."""

    exit_code = 4


NO_SCHEMA = frozenset({"3F000", "42P01", "42883"})
NOT_ALLOWED = "42501"
INVALID_INPUT = frozenset({"CX006", "22P02", "22023"})
NOT_FOUND = "CX003"


def from_database(error: psycopg.Error) -> ConsoleError:
    """Translate what the database said; its hint stays, the statement and its values do not."""
    state = error.sqlstate or ""
    said = error.diag.message_primary or type(error).__name__
    text = f"{said}; {error.diag.message_hint}" if error.diag.message_hint else said
    if state in NO_SCHEMA:
        return Failed(f"{said}; if the database is not migrated yet, run 'connext db push'")
    if state == NOT_ALLOWED:
        return Refused(f"{text}; the command needs the database's operator rights")
    if state in INVALID_INPUT:
        return Usage(text)
    if state.startswith("CX") and state != NOT_FOUND:
        return Refused(text)
    return Failed(text)


def described(error: Exception) -> ConsoleError | None:
    """Say an exception of the workers or the database in one line; None when it is a bug.

    Neither library is imported for it: what was never imported was never raised.
    """
    for kind in type(error).__mro__:
        place = (kind.__module__, kind.__name__)
        if place == ("workers.core.errors", "ConnextError"):
            return Failed(str(error))
        if place == ("psycopg", "Error"):
            import psycopg

            if isinstance(error, psycopg.Error):
                return from_database(error)
    return None
