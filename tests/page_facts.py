"""Facts for pages, as queue.privacy_page answers them."""

from __future__ import annotations

from typing import Any

from workers.services.pages import Facts

OFFICER = {
    "title_en": "Privacy Officer",
    "title_fr": "Responsable de la protection des renseignements personnels",
    "name": None,
    "email": "privacy@connext.example",
    "phone": "+1 514 555-0100",
    "address": "1 rue de la Commune, Montréal (Québec) H2Y 1A1",
}


def facts(**changes: Any) -> Facts:
    """Facts of a page that has everything, changed where a test says so."""
    known: dict[str, Any] = {
        "policy": {"version": "2026-06-13", "published_on": "2026-06-13"},
        "officer": OFFICER,
        "verification": {
            "ran_at": "2026-11-27T13:02:11+00:00",
            "proven": 29,
            "failed": 1,
            "unprovable": 4,
        },
        "recipients": [
            {
                "name": "Supabase Inc.",
                "country": "US",
                "what_for_en": "Database",
                "what_for_fr": "Base de données",
                "privacy_url": "https://supabase.com/privacy",
            }
        ],
        "activities": [
            {
                "part": part,
                "label_en": f"Selling ({part})",
                "label_fr": f"Vendre ({part})",
                "basis": "contract",
                "categories": ["identity", "contact"],
                "terms_en": ["As long as the account is active"],
                "terms_fr": ["Tant que le compte est actif"],
            }
            for part in ("controller", "processor")
        ],
        "terms": [
            {
                "categories": ["identity"],
                "says_en": "As long as the account is active",
                "says_fr": "Tant que le compte est actif",
            }
        ],
    }
    return Facts.model_validate(known | changes)
