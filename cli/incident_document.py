"""An incident as the authority reads it: the eight fields of A-2.1, r. 3.1, s. 7, in order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LANGUAGES: Final = ("en", "fr")
WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Confidentiality incident", "Incident de confidentialité"),
    "1": (
        "Description of the personal information",
        "Description des renseignements personnels visés",
    ),
    "1r": ("It cannot be described, because:", "Elle ne peut être fournie, parce que :"),
    "2": ("Circumstances", "Circonstances de l'incident"),
    "3": ("Date or period of the incident", "Date ou période où l'incident a eu lieu"),
    "4": ("When it became known", "Date de la prise de connaissance"),
    "5": ("Number of persons concerned", "Nombre de personnes concernées"),
    "6": (
        "Elements that led to the conclusion on the risk of serious injury",
        "Éléments qui ont mené à conclure au sujet du risque de préjudice sérieux",
    ),
    "7": ("Notices", "Avis"),
    "8": ("Measures taken", "Mesures prises"),
    "about": ("approximation", "approximation"),
    "risk": ("Risk of serious injury", "Risque de préjudice sérieux"),
    "harmless": ("No risk of serious injury", "Aucun risque de préjudice sérieux"),
    "authority": ("Authority told", "Autorité avisée"),
    "commissioner": (
        "Privacy Commissioner of Canada told",
        "Commissariat à la protection de la vie privée du Canada avisé",
    ),
    "persons": ("Persons told", "Personnes avisées"),
    "public": ("Public notice, because", "Avis public, parce que"),
    "late": ("After 72 hours, because", "Après 72 heures, parce que"),
    "due": ("72 hours end (GDPR Art. 33)", "Fin des 72 heures (art. 33 RGPD)"),
    "missing": ("not recorded yet", "pas encore consigné"),
    "keep": ("Kept until", "Conservé jusqu'au"),
    "closed": ("Record closed", "Fiche fermée"),
}


def written(row: Mapping[str, Any], language: str) -> str:
    """Write the document in Markdown."""
    index = LANGUAGES.index(language)
    return "\n".join(_lines(row, {key: pair[index] for key, pair in WORDS.items()})) + "\n"


def _lines(row: Mapping[str, Any], say: Mapping[str, str]) -> Iterator[str]:
    def about(*, wanted: bool) -> str:
        return f" ({say['about']})" if wanted else ""

    missing = say["missing"]
    yield f"# {say['title']} {row['id']}\n"
    yield f"## 1. {say['1']}\n"
    yield (f"{say['1r']} " if row["information_is_reason"] else "") + row["information"]
    yield f"\n## 2. {say['2']}\n\n{row['circumstances']}"
    until = f" / {_moment(row['occurred_until'])}" if row["occurred_until"] else ""
    when = f"{_moment(row['occurred_from'])}{until}"
    yield f"\n## 3. {say['3']}\n\n{when}{about(wanted=row['occurred_is_approximate'])}"
    yield f"\n## 4. {say['4']}\n\n{_moment(row['aware_at'])}"
    persons = f"{row['persons']}{about(wanted=row['persons_are_approximate'])}"
    yield f"\n## 5. {say['5']}\n\n{persons}"
    yield f"\n## 6. {say['6']}\n"
    if row["serious_risk"] is None:
        yield missing
    else:
        yield f"{say['risk' if row['serious_risk'] else 'harmless']}: {row['risk_reasons']}"
    yield f"\n## 7. {say['7']}\n"
    yield f"- {say['due']}: {_moment(row['gdpr_due_at'])}"
    for key, column in (
        ("authority", "authority_notified_at"),
        ("commissioner", "commissioner_notified_at"),
        ("persons", "persons_notified_at"),
    ):
        yield f"- {say[key]}: {_moment(row[column]) if row[column] else missing}"
    for key, column in (("public", "public_notice_reason"), ("late", "late_reason")):
        if row[column]:
            yield f"- {say[key]}: {row[column]}"
    yield f"\n## 8. {say['8']}\n\n{row['measures'] or missing}"
    yield f"\n{say['keep']} {_moment(row['keep_until'])}"
    if row["closed_at"]:
        yield f"{say['closed']}: {_moment(row['closed_at'])}"


def _moment(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
