"""index.html of an export: readable without any program but a browser, in French and in English."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FACTS = (
    "table", "column", "category", "origin", "purposes", "finalités", "kept", "conservation",
    "recipients",
)  # fmt: skip
STYLE = (
    "body{font:1rem/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}caption{text-align:left;font-weight:bold}"
    "td,th{text-align:left;padding:.3em .6em;vertical-align:top;border:1px solid #767676}"
    ".wide{overflow-x:auto}"
)
POLICY = (
    '<meta http-equiv="content-security-policy"'
    " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
LANGUAGES = (
    '<nav aria-label="Langue / Language"><a href="#fr" lang="fr">Français</a>'
    ' · <a href="#en" lang="en">English</a></nav>'
)


@dataclass(frozen=True, slots=True)
class Words:
    """Everything the page says in one language; `columns` are places in FACTS."""

    language: str
    access: str
    portable: str
    about: str
    rights_title: str
    rights: tuple[str, ...]
    tables_title: str
    rows: str
    caption: str
    heads: tuple[str, ...]
    columns: tuple[int, ...]
    categories: Mapping[str, str]
    origins: Mapping[str, str]
    withheld_title: str
    withheld: str
    files: str
    machine: str


ENGLISH = Words(
    language="en",
    access="Your data",
    portable="Your data, to take along",
    about="This is the copy of the personal information that {organization} holds about you in"
    " Connext, made on {day}.",
    rights_title="Your rights",
    rights=(
        ("You may have this information corrected or deleted, have its processing restricted,"
        " object to it, and take along what you provided."),
        "You may withdraw a consent at any time; what was done before stays lawful.",
        ("You may complain to the Commission d'accès à l'information (Quebec), to the Privacy"
        " Commissioner of Canada, or to your supervisory authority (GDPR, Art. 77)."),
        "No decision about you is made by automated means alone, and no profile is made of you.",
        "Whom to ask: the organization named above, which decides what is kept and why.",
    ),
    tables_title="What is held, why, from where, for how long, and who receives it",
    rows="{n} rows",
    caption="Facts about {table}",
    heads=("Item", "Category", "Source", "Purposes", "Kept", "Recipients"),
    columns=(1, 2, 3, 4, 6, 8),
    categories={
        "identity": "identity", "contact": "contact", "location": "place", "content": "content",
        "activity": "activity", "financial": "money", "preference": "preference",
        "technical": "technical", "business": "business", "reference": "reference",
    },
    origins={
        "provided": "from you", "observed": "observed", "inferred": "derived",
        "third_party": "from a third party",
    },
    withheld_title="What is withheld",
    withheld="{n} in {table}: somebody else's (GDPR Art. 15(4); P-39.1, s. 40)",
    files="Files are in the folder “files”; what Storage has lost is listed in files/missing.txt.",
    machine="For machines: each table as JSON and as CSV, the card of the subject as vCard,"
    " and manifest.json, which is signed and lists every file with its SHA-256.",
)  # fmt: skip

FRENCH = Words(
    language="fr",
    access="Vos données",
    portable="Vos données, à emporter",
    about="Voici la copie des renseignements personnels que {organization} détient sur vous dans"
    " Connext, faite le {day}.",
    rights_title="Vos droits",
    rights=(
        ("Vous pouvez faire corriger ou supprimer ces renseignements, faire limiter leur"
        " traitement, vous y opposer et emporter ce que vous avez fourni."),
        "Vous pouvez retirer un consentement en tout temps ; ce qui a été fait avant reste licite.",
        ("Vous pouvez porter plainte à la Commission d'accès à l'information (Québec), au"
        " Commissariat à la protection de la vie privée du Canada ou à votre autorité de contrôle"
        " (RGPD, art. 77)."),
        ("Aucune décision vous concernant n'est prise par des moyens automatisés seuls, et aucun"
        " profil n'est fait de vous."),
        ("À qui s'adresser : à l'organisation nommée ci-dessus, qui décide de ce qui est conservé"
        " et pourquoi."),
    ),
    tables_title="Ce qui est détenu, pourquoi, d'où, pour combien de temps, et qui le reçoit",
    rows="{n} lignes",
    caption="Renseignements sur {table}",
    heads=("Élément", "Catégorie", "Source", "Finalités", "Conservation", "Destinataires"),
    columns=(1, 2, 3, 5, 7, 8),
    categories={
        "identity": "identité", "contact": "coordonnées", "location": "lieu", "content": "contenu",
        "activity": "activité", "financial": "argent", "preference": "préférence",
        "technical": "technique", "business": "entreprise", "reference": "référence",
    },
    origins={
        "provided": "de vous", "observed": "observé", "inferred": "déduit",
        "third_party": "d'un tiers",
    },
    withheld_title="Ce qui est retenu",
    withheld="{n} dans {table} : à une autre personne (RGPD, art. 15(4) ; P-39.1, art. 40)",
    files="Les fichiers sont dans le dossier « files » ; files/missing.txt nomme ceux que Storage"
    " a perdus.",
    machine="Pour les machines : chaque table en JSON et en CSV, la carte du sujet en vCard, et"
    " manifest.json, qui est signé et nomme chaque fichier avec son SHA-256.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What the page is about."""

    organization: str
    day: str
    portable: bool
    counts: Mapping[str, int]
    withheld: Mapping[str, int]
    facts: Sequence[Sequence[Any]]


def short(table: str) -> str:
    """Name a table as its files are named."""
    return table.replace(".", "/", 1).removeprefix("public/")


def page(told: Told) -> str:
    """Write the page: both languages, each under a title of its own; no script, nothing loaded."""
    title = " / ".join(
        words.portable if told.portable else words.access for words in (FRENCH, ENGLISH)
    )
    parts = [
        '<!doctype html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        POLICY,
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        LANGUAGES,
        *(line for words in (FRENCH, ENGLISH) for line in _language(words, told)),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _language(words: Words, told: Told) -> list[str]:
    about = words.about.format(organization=told.organization, day=told.day)
    parts = [
        f'<main lang="{words.language}" id="{words.language}">'
        if words is FRENCH
        else f'<section lang="{words.language}" id="{words.language}">',
        f"<h1>{escape(words.portable if told.portable else words.access)}</h1>",
        f"<p>{escape(about)}</p>",
        f"<h2>{escape(words.rights_title)}</h2>\n<ul>",
        *(f"<li>{escape(right)}</li>" for right in words.rights),
        f"</ul>\n<p>{escape(words.files)}</p>\n<p>{escape(words.machine)}</p>",
    ]
    if told.withheld:
        parts += [
            f"<h2>{escape(words.withheld_title)}</h2>\n<ul>",
            *(
                f"<li>{escape(words.withheld.format(n=number, table=short(table)))}</li>"
                for table, number in told.withheld.items()
            ),
            "</ul>",
        ]
    parts.append(f"<h2>{escape(words.tables_title)}</h2>")
    for table, rows in told.counts.items():
        parts += _table(words, told, table, rows)
    parts.append("</main>" if words is FRENCH else "</section>")
    return parts


def _table(words: Words, told: Told, table: str, rows: int) -> list[str]:
    name = short(table)
    facts = [fact for fact in told.facts if fact[0] == table]
    links = " · ".join(
        f'<a href="data/{quote(name)}.{ending}">{escape(name)}.{ending}</a>'
        for ending in ("json", "csv")
    )
    parts = [
        f"<h3>{escape(name)} ({escape(words.rows.format(n=rows))})</h3>\n<p>{links}</p>",
    ]
    if facts:
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in words.heads)
        caption = escape(words.caption.format(table=name))
        parts += [
            f'<div class="wide"><table><caption>{caption}</caption>',
            f"<thead><tr>{heads}</tr></thead>\n<tbody>",
            *(_row(words, fact) for fact in facts),
            "</tbody></table></div>",
        ]
    return parts


def _row(words: Words, fact: Sequence[Any]) -> str:
    item, category, origin, *rest = (str(fact[place] or "") for place in words.columns)
    cells = [words.categories.get(category, category), words.origins.get(origin, origin), *rest]
    return f'<tr><th scope="row">{escape(item)}</th>' + "".join(
        f"<td>{escape(cell)}</td>" for cell in cells
    ) + "</tr>"  # fmt: skip
