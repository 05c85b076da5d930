"""STOP, START and HELP in English and French, as CTIA and the CRTC want them honoured."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

Word = Literal["stop", "start", "help"]

STOP: Final = frozenset(
    {
        *("stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "optout"),
        *("arret", "arreter", "arretez", "desabonner", "desabonnement", "desinscrire", "fin"),
    }
)
START: Final = frozenset({"start", "unstop", "optin", "debut", "commencer", "reprendre"})
HELP: Final = frozenset({"help", "info", "aide"})

_DECORATION: Final = re.compile(r"[\s.,;:!?\"'«»()*-]+")


def keyword(text: str | None) -> Word | None:
    """Read a text that is nothing but one of the words, however it is written."""
    plain = unicodedata.normalize("NFKD", text or "")
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    plain = _DECORATION.sub(" ", plain).strip()
    if plain in STOP:
        return "stop"
    if plain in START:
        return "start"
    return "help" if plain in HELP else None
