"""From the readable folder `supabase/catalog` to the migrations that carry it: pure."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RECORDED = re.compile(r"^-- catalog (\S+\.sql) ([0-9a-f]{64})$", re.MULTILINE)


def recorded(migrations: Mapping[str, str]) -> dict[str, str]:
    """Read which version of each catalog file the migrations carry; later ones win."""
    carried: dict[str, str] = {}
    for name in sorted(migrations):
        carried.update(_RECORDED.findall(migrations[name]))
    return carried


def changed(files: Mapping[str, str], migrations: Mapping[str, str]) -> tuple[str, ...]:
    """Name the files that no migration carries as they stand now."""
    carried = recorded(migrations)
    return tuple(name for name in sorted(files) if carried.get(name) != digest(files[name]))


def digest(content: str) -> str:
    """Name one version of a catalog file."""
    return sha256(content.encode()).hexdigest()


def migration(files: Mapping[str, str], names: Sequence[str]) -> str:
    """Write the migration that puts the changed files in force."""
    header = [
        "-- Catalog of stored data, written by `make catalog` from supabase/catalog.",
        "--",
        "-- Owns      the rows of privacy.catalog of the tables these files describe.",
        "-- Callers   the privacy engine.",
        "-- Undo      put the old files back and run `make catalog` again.",
        "--",
        *(f"-- catalog {name} {digest(files[name])}" for name in names),
        "",
        "set local lock_timeout = '4s';",
        "set local statement_timeout = '30s';",
    ]
    parts = ["\n".join(header)]
    parts += [f"-- From {name}\n\n{files[name].strip()}" for name in names]
    return "\n\n".join(parts) + "\n"
