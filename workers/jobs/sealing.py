"""The kind of job that every provider with tokens has: seal them anew after a key rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workers.services.resealing import Resealing

if TYPE_CHECKING:
    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobs.registry import Registry


def register(registry: Registry, *, provider: str, opener: Opener, clock: Clock) -> None:
    """Register `<provider>.reseal`; its payload is empty, the organization is the job's."""
    registry.add(f"{provider}.reseal", Resealing(opener=opener, clock=clock).reseal)
