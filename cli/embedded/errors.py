"""What can go wrong with the embedded stack, in one line that says what to do."""

from __future__ import annotations

from cli.errors import Failed


class StackError(Failed):
    """Tell the operator what happened, to what, and what to do; never printed with a traceback."""
