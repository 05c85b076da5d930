"""What stands in an export beside the data: a readable page, and what verifies it: pure."""

from __future__ import annotations

import hashlib
import json
import zipfile
from html import escape
from typing import TYPE_CHECKING, Any

from cli import signing
from cli.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FACTS = (
    "table", "column", "category", "origin", "purposes", "finalités", "kept", "conservation",
    "recipients",
)  # fmt: skip
PIECE = 1 << 20

RIGHTS_EN = (
    "You may have this corrected or deleted, object to its use, withdraw consent, and complain to"
    " the Commission d'accès à l'information (Quebec) or your supervisory authority. No decision"
    " about you is made by a machine alone."
)
RIGHTS_FR = (
    "Vous pouvez faire corriger ou supprimer ces renseignements, vous opposer à leur utilisation,"
    " retirer votre consentement et porter plainte à la Commission d'accès à l'information"
    " (Québec) ou à votre autorité de contrôle. Aucune décision n'est prise par une machine seule."
)


def page(facts: Sequence[Sequence[Any]], counts: dict[str, int], *, portable: bool) -> str:
    """Write index.html: what there is, why, from where, for how long, who receives it."""
    kind_en = "Your data, to take along" if portable else "Your data"
    kind_fr = "Vos données, à emporter" if portable else "Vos données"
    parts = [
        "<!doctype html><html lang='fr'><meta charset='utf-8'>",
        f"<title>{kind_fr} / {kind_en}</title>",
        (
            "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}td,th{text-align:left;"
            "padding:.2em .6em;vertical-align:top}</style>"
        ),
        f"<h1>{kind_fr}</h1><p>{escape(RIGHTS_FR)}</p>",
        f"<h1 lang='en'>{kind_en}</h1><p lang='en'>{escape(RIGHTS_EN)}</p>",
    ]
    for table, rows in counts.items():
        name = table.replace(".", "/", 1).removeprefix("public/")
        parts.append(
            f"<h2>{escape(name)} ({rows})</h2><p><a href='data/{name}.json'>JSON</a>"
            f" · <a href='data/{name}.csv'>CSV</a></p><table><tr>"
            + "".join(f"<th>{escape(title)}" for title in FACTS[1:])
            + "</tr>"
        )
        parts += [
            "<tr>" + "".join(f"<td>{escape(str(cell or ''))}" for cell in fact[1:])
            for fact in facts
            if fact[0] == table
        ]
        parts.append("</table>")
    return "\n".join([*parts, "</html>"])


def checked(path: Path, *, expected: str | None) -> dict[str, Any]:
    """Verify an export without any database: its signature, and every file by its digest."""
    try:
        with zipfile.ZipFile(path) as archive:
            document = json.loads(archive.read("manifest.json"))
            said = signing.verified(document, expected=expected)
            names = set(archive.namelist()) - {"manifest.json"}
            if names != set(said["files"]):
                raise Failed("the archive holds other files than its manifest names")
            for name, facts in said["files"].items():
                if _digest(archive, name) != facts["sha256"]:
                    raise Failed(f"{name} was changed after the export was signed")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise Failed(f"{path} is no export of ours: {type(error).__name__}") from error
    return said


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with archive.open(name) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
