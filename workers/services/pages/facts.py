"""What the pages are written from besides the claims, as queue.privacy_page answers it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from workers.services.policy.claims import Language

State = Literal[
    "received", "verifying", "in_progress", "completed", "no_data", "refused", "cancelled"
]
# Meta's callbacks have words of their own for what is shown the same way.
CALLBACK_STATES: dict[str, State] = {
    "received": "in_progress",
    "done": "completed",
    "no_data": "no_data",
}


class _Record(BaseModel):
    """A field that nobody knows here means that the page would leave something out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Policy(_Record):
    """The published version; consents name it."""

    version: str
    published_on: date


class Officer(_Record):
    """The person in charge of personal information (P-39.1 s. 3.1)."""

    title_en: str
    title_fr: str
    name: str | None
    email: str
    phone: str | None
    address: str | None

    def title(self, language: Language) -> str:
        """Return the title in a language."""
        return self.title_en if language == "en" else self.title_fr


class Verification(_Record):
    """The last recorded run of `connext policy verify` over the whole page."""

    ran_at: datetime
    proven: int
    failed: int
    unprovable: int


class Recipient(_Record):
    """Who else holds data on Connext's behalf or receives it."""

    name: str
    country: str
    what_for_en: str
    what_for_fr: str | None
    privacy_url: str | None

    def what_for(self, language: Language) -> str:
        """Return what it does; a row without French is shown in English rather than left out."""
        return (self.what_for_fr if language == "fr" else None) or self.what_for_en


class Activity(_Record):
    """A purpose, in one of Connext's two parts: controller or processor."""

    part: Literal["controller", "processor"]
    label_en: str
    label_fr: str
    basis: str
    categories: tuple[str, ...]
    terms_en: tuple[str, ...]
    terms_fr: tuple[str, ...]

    def label(self, language: Language) -> str:
        """Return the purpose in a language."""
        return self.label_en if language == "en" else self.label_fr

    def terms(self, language: Language) -> tuple[str, ...]:
        """Return how long its data is kept."""
        return self.terms_en if language == "en" else self.terms_fr


class Term(_Record):
    """How long something is kept, and which kinds of data that is."""

    categories: tuple[str, ...]
    says_en: str
    says_fr: str

    def says(self, language: Language) -> str:
        """Return the term in a language."""
        return self.says_en if language == "en" else self.says_fr


class Facts(_Record):
    """Everything the database says."""

    policy: Policy
    officer: Officer | None
    verification: Verification | None
    recipients: tuple[Recipient, ...]
    activities: tuple[Activity, ...]
    terms: tuple[Term, ...]


class Standing(_Record):
    """How a deletion stands, for who has its code."""

    state: State
    received_on: date
    due_on: date | None = None
    done_on: date | None = None
    provision: str | None = None
