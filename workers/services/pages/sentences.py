"""What the privacy page says, section by section: the claims, reworded where a finding says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from workers.services.pages.words import linked, typeset

if TYPE_CHECKING:
    from workers.services.pages.facts import Officer
    from workers.services.policy.claims import Claims, Language

# Stands for a link while the text around it is escaped.
MARK: Final = "\x00"
# The page that a text calls {deletion_page}, inside a sentence.
DELETION_PAGE: Final = {"en": "this page", "fr": "cette page"}


@dataclass(frozen=True, slots=True)
class Told:
    """A section as it is shown."""

    id: str
    title: str
    sentences: tuple[Markup, ...]


def tell(
    claims: Claims, *, language: Language, officer: Officer | None, deletion_url: str
) -> list[Told]:
    """Say every section that has something to say, in the page's order.

    A finding's words replace its claim's sentence or follow the section's own. A claim that only
    the law expects is said too, unless a finding says it better.
    """
    link = Markup('<a href="{}">{}</a>').format(deletion_url, DELETION_PAGE[language])

    def finished(text: str) -> Markup | None:
        if "{title}" in text or "{contact}" in text:
            if officer is None:
                return None  # nobody is named yet: the page says so where the name would stand
            text = text.replace("{title}", officer.title(language))
            text = text.replace("{contact}", officer.email)
        text = typeset(text.replace(MARK, "").replace("{deletion_page}", MARK), language)
        return Markup(linked(text).replace(MARK, link))  # noqa: S704 - escaped part by part

    told = []
    for section in claims.sections:
        texts = []
        for claim in claims.of(section.id):
            found = claims.findings_of(claim.id)
            better = next((f for f in found if f.replaces), None)
            if better is not None:
                texts.append(better.proposed(language))
            elif claim.on_page or not found:
                texts.append(claim.text(language))
        texts += [
            finding.proposed(language)
            for finding in claims.findings
            if finding.section == section.id and not finding.replaces
        ]
        sentences = tuple(s for s in map(finished, texts) if s is not None)
        if sentences:
            title = typeset(section.title(language), language)
            told.append(Told(section.id, title, sentences))
    return told
