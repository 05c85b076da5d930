"""Words for what the database codes: categories, legal bases, countries; days and typography."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from datetime import date

    from workers.services.policy.claims import Language

CATEGORIES: Final = {
    "identity": ("names", "noms"),
    "contact": ("addresses and numbers people are reached at", "coordonnées"),
    "location": ("places", "lieux"),
    "content": ("what people write or send", "ce que les gens écrivent ou envoient"),
    "activity": ("what was done, and when", "ce qui a été fait, et quand"),
    "financial": ("amounts and payments", "montants et paiements"),
    "preference": ("choices and settings", "choix et réglages"),
}
BASES: Final = {
    "contract": ("Contract", "Contrat"),
    "consent": ("Consent", "Consentement"),
    "legal_obligation": ("Legal obligation", "Obligation légale"),
    "legitimate_interest": ("Legitimate interest", "Intérêt légitime"),
}
COUNTRIES: Final = {"CA": ("Canada", "Canada"), "US": ("United States", "États-Unis")}
MONTHS: Final = (
    ("January", "janvier"), ("February", "février"), ("March", "mars"), ("April", "avril"),
    ("May", "mai"), ("June", "juin"), ("July", "juillet"), ("August", "août"),
    ("September", "septembre"), ("October", "octobre"), ("November", "novembre"),
    ("December", "décembre"),
)  # fmt: skip
# An address ends before the punctuation of its sentence.
LINK: Final = re.compile(
    r"https://[^\s<>\"']*[^\s<>\"'.,;:!?)]|[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
THIN, HARD = "\u202f", "\u00a0"  # spaces that no line ends at


def word(pairs: dict[str, tuple[str, str]], code: str, language: Language) -> str:
    """Say a code in a language; one without words is shown as it is rather than left out."""
    return pairs.get(code, (code, code))[language == "fr"]


def day(value: date, language: Language) -> str:
    """Write a day as people do."""
    month = MONTHS[value.month - 1][language == "fr"]
    if language == "en":
        return f"{month} {value.day}, {value.year}"
    number = f"{value.day}er" if value.day == 1 else str(value.day)
    return f"{number} {month} {value.year}"


def typeset(text: str, language: Language) -> str:
    """Set apostrophes, and in French the spaces before high punctuation, as in print."""
    text = text.replace("'", "\u2019")
    if language == "fr":
        text = re.sub(r" ([;?!])", rf"{THIN}\1", text)
        text = re.sub(r" ([:»])", rf"{HARD}\1", text).replace("« ", f"«{HARD}")
    return text


def linked(text: str) -> Markup:
    """Escape a text and make links of the addresses in it."""
    parts, end = [], 0
    for found in LINK.finditer(text):
        target = found[0] if found[0].startswith("https://") else f"mailto:{found[0]}"
        parts += [
            escape(text[end : found.start()]),
            Markup('<a href="{}">{}</a>').format(target, found[0]),
        ]
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])
