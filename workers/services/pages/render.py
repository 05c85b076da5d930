"""Writing the pages: one template each, everything that is filled in escaped, one style inside."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workers.services.pages import words
from workers.services.pages.sentences import tell
from workers.services.policy import load_claims

if TYPE_CHECKING:
    from workers.services.pages.facts import Facts, Standing
    from workers.services.policy import Claims
    from workers.services.policy.claims import Language

HERE: Final = Path(__file__).parent
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
PRIVACY: Final = "/privacy"
DELETION: Final = "/deletion"


# Everything is escaped; a name that nothing fills in fails the tests rather than the reader.
TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is ready to be sent."""

    html: str
    language: Language

    @property
    def etag(self) -> str:
        """Name this very text, so that a browser that has it is not sent it again."""
        return f'"{hashlib.sha256(self.html.encode()).hexdigest()[:32]}"'


class Pages:
    """Writes every page; *root* goes before each address, for a copy that lies elsewhere."""

    def __init__(self, *, root: str = "", claims: Claims | None = None) -> None:
        self._root = root.rstrip("/")
        self._claims = claims or load_claims()

    @cached_property
    def style(self) -> str:
        """The style that every page carries; it is ours, and no other may apply."""
        return (HERE / "style.css").read_text(encoding="utf-8")

    @cached_property
    def security_policy(self) -> str:
        """The Content-Security-Policy under which every page works: this style and nothing else."""
        digest = base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
        return (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self';"
            " base-uri 'none'; frame-ancestors 'none'"
        )

    def privacy(self, facts: Facts, language: Language) -> Page:
        """Write the privacy page."""
        told = tell(
            self._claims,
            language=language,
            officer=facts.officer,
            deletion_url=self.url(language, DELETION),
        )
        return self._page("privacy.html", language, path="", facts=facts, told=told)

    def deletion(
        self, facts: Facts | None, language: Language, *, refused_code: bool = False
    ) -> Page:
        """Write how to have data deleted; *refused_code* when what was typed is no code."""
        return self._page(
            "deletion.html", language, path=DELETION, facts=facts, refused_code=refused_code
        )

    def standing(
        self, facts: Facts | None, language: Language, *, code: str, standing: Standing
    ) -> Page:
        """Write how a deletion stands."""
        return self._page(
            "standing.html",
            language,
            path=f"{DELETION}/{code}",
            facts=facts,
            code=code,
            standing=standing,
        )

    def unknown(self, facts: Facts | None, language: Language, *, code: str | None = None) -> Page:
        """Write that a code is not known; the address of the other language only repeats a code."""
        path = f"{DELETION}/{code}" if code else DELETION
        return self._page("unknown.html", language, path=path, facts=facts)

    def unavailable(self, language: Language, *, path: str = "") -> Page:
        """Write that the page cannot be shown right now."""
        return self._page("unavailable.html", language, path=path, facts=None)

    def url(self, language: Language | None, path: str = "") -> str:
        """Address a page; without a language, the one that chooses by what the browser prefers."""
        chosen = f"/{language}" if language else ""
        return f"{self._root}{PRIVACY}{chosen}{path}"

    def _page(self, template: str, language: Language, *, path: str, **values: object) -> Page:
        def t(english: str, french: str) -> str:
            return words.typeset(english if language == "en" else french, language)

        html = TEMPLATES.get_template(template).render(
            language=language,
            path=path,
            t=t,
            url=self.url,
            style=Markup(self.style),  # noqa: S704 - our own file, which no value reaches
            linked=words.linked,
            typeset=partial(words.typeset, language=language),
            day=partial(words.day, language=language),
            category=partial(words.word, words.CATEGORIES, language=language),
            basis=partial(words.word, words.BASES, language=language),
            country=partial(words.word, words.COUNTRIES, language=language),
            **values,
        )
        return Page(html, language)
