"""How fast tokens are opened and sealed, with and without the memory of opened ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr
from pysequoia import Tsk

from bench import results
from cli.keymaking import make_key
from workers.core.clock import SystemClock
from workers.core.sealing import Keyring, Opener, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = SecretStr("EAA" + "x" * 190)  # as long as Meta's
PLACE = {"org": UUID(int=1), "integration": UUID(int=2), "kind": "page_token"}
# Enough to rotate 10,000 tokens in four minutes of one processor, and to send without noticing.
OPENS, SEALS, KEPT = 50, 200, 20_000


def run(*, quick: bool) -> list[results.Row]:
    """Measure for a second or a fifth of one per figure."""
    key = make_key()
    clock = SystemClock()
    opener = Opener(Keyring(SecretStr(str(Tsk.from_bytes(key.private)))), clock=clock)
    sealer = Sealer(key.public, key_id=key.fingerprint, clock=clock)
    sealed = sealer.seal(SECRET, **PLACE)

    def open_() -> None:
        opener.open(sealed, **PLACE, key_id=key.fingerprint)

    def open_afresh() -> None:
        opener.wipe_all()
        open_()

    seconds = 0.2 if quick else 1.0
    return [
        _at_least("opens, nothing kept", _per_second(open_afresh, seconds), OPENS),
        _at_least("opens, kept in memory", _per_second(open_, seconds), KEPT),
        _at_least("seals", _per_second(lambda: sealer.seal(SECRET, **PLACE), seconds), SEALS),
    ]


def _per_second(call: Callable[[], object], seconds: float) -> float:
    """Count calls for *seconds*, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        count, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            call()
            count += 1
        best = max(best, count / (time.perf_counter() - begun))
    return best


def _at_least(name: str, value: float, goal: float) -> results.Row:
    return results.Row(name, value, "1/s", f">= {goal:g} 1/s", value >= goal)
