"""What happens on the stack while the story is told: how much waits, how much has come, by time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

EVERY = 0.5  # seconds between two looks
PATIENCE = 5  # seconds to connect
LOOK = """
    select
        (select count(*) from public.messages),
        (select count(*) from queue.webhook_events),
        (select count(*) from queue.jobs as j where j.run_at <= now())
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the story began, and what there was."""

    seconds: float
    messages: int
    events: int
    due: int


@dataclass(slots=True)
class Sampler:
    """Looks twice a second, on a connection of its own, until the story ends."""

    url: str
    begun: float  # time.monotonic() when the story began
    samples: list[Sample] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, name="sampler", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        import psycopg

        # What cannot be seen is left out: the story does not depend on its picture.
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=PATIENCE) as database:
                while True:
                    row = database.execute(LOOK).fetchone()
                    if row is not None:
                        since = round(time.monotonic() - self.begun, 2)
                        self.samples.append(Sample(since, *row))
                    if self._over.wait(EVERY):
                        return
        except psycopg.Error:
            return
