"""What the assembly asks of every vendor's stand-in."""

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import BaseRoute


class Vendor(Protocol):
    """One vendor: its API at the root, its switches below `/_control/{name}`."""

    @property
    def name(self) -> str:
        """Name the vendor as the control paths spell it."""

    def api(self) -> Sequence[BaseRoute]:
        """Return the routes of the vendor's API."""

    def controls(self) -> Sequence[BaseRoute]:
        """Return the control routes, relative to `/_control/{name}`."""

    def reset(self) -> None:
        """Forget everything that happened; faults and switches too."""

    async def close(self) -> None:
        """Stop what still runs in the background."""
