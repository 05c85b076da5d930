"""The one clock of the sandbox, which a test may move."""

import time

MILLISECONDS = 1000


class Clock:
    """Real time plus an offset, so that windows and expiries can be crossed at once."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def milliseconds(self) -> int:
        """Return the sandbox's time in milliseconds since 1970."""
        return int((time.time() + self.offset_seconds) * MILLISECONDS)

    def seconds(self) -> int:
        """Return the sandbox's time in whole seconds since 1970."""
        return self.milliseconds() // MILLISECONDS
