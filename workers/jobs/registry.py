"""The table of kinds: which handler does what; a kind given twice fails at start."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.jobqueue.job import Handler

# The same shape as the constraint jobs_kind_shape.
KIND = re.compile(r"[a-z]+(\.[a-z_]+)+")


class Registry:
    """Handlers by kind."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def add(self, kind: str, handler: Handler) -> None:
        """Register the handler of *kind*, which nothing else may handle."""
        if not KIND.fullmatch(kind):
            raise ValueError(f"{kind!r} is not a kind: write queue.verb in lower case")
        if kind in self._handlers:
            raise ValueError(f"the kind {kind} has two handlers")
        self._handlers[kind] = handler

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """All handlers, for the runner."""
        return MappingProxyType(self._handlers)

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds."""
        return frozenset(self._handlers)
