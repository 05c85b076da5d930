"""Identifiers that look like Meta's and are the same in every run of the same story."""

import base64
import hashlib
from collections.abc import Container, Iterator
from itertools import count

FIRST_PERSON = 10158000000000001
FIRST_PAGE = 104000000000001
FIRST_CUSTOMER = 24000000000000001
FIRST_THREAD = 10224000000000001


class Ids:
    """Counters and digests; each reset opens a new era, so that no mid ever returns."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._era = 0
        self._number = count(1)
        self.reset()

    def reset(self) -> None:
        """Restart the counters of people, pages and customers; go on with the rest."""
        self._era += 1
        self._people = count(FIRST_PERSON)
        self._pages = count(FIRST_PAGE)
        self._customers = count(FIRST_CUSTOMER)
        self._threads = count(FIRST_THREAD)

    def person(self, *, taken: Container[str]) -> str:
        """Return the next app-scoped id that is not *taken*."""
        return _free(self._people, taken)

    def page(self, *, taken: Container[str]) -> str:
        """Return the next page id that is not *taken*."""
        return _free(self._pages, taken)

    def customer(self, *, taken: Container[str]) -> str:
        """Return the next page-scoped id that is not *taken*."""
        return _free(self._customers, taken)

    def thread(self) -> str:
        """Return the next conversation id."""
        return f"t_{next(self._threads)}"

    def mid(self) -> str:
        """Return the next message id."""
        return "m_" + self._opaque("mid")

    def upload(self) -> str:
        """Return the next attachment id."""
        return str(int.from_bytes(self._digest("upload")[:7], "big"))

    def token(self) -> str:
        """Return the next access token."""
        return "EAAG" + self._digest("token").hex()

    def code(self) -> str:
        """Return the next authorization code."""
        return "AQ" + self._opaque("code")

    def trace(self) -> str:
        """Return the next `fbtrace_id`."""
        return "A" + self._opaque("trace")[:22]

    def _digest(self, kind: str) -> bytes:
        text = f"{self._seed}:{self._era}:{kind}:{next(self._number)}"
        return hashlib.sha256(text.encode()).digest()

    def _opaque(self, kind: str) -> str:
        return base64.urlsafe_b64encode(self._digest(kind)).decode().rstrip("=")


def _free(numbers: Iterator[int], taken: Container[str]) -> str:
    return next(str(number) for number in numbers if str(number) not in taken)
