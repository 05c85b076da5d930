"""From the readable folder `supabase/policies` to the migrations that put it in force: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Tables elsewhere (realtime, storage) belong to Supabase: what stands on them is not ours to reset.
OUR_SCHEMAS = frozenset({"public", "private", "queue", "privacy", "audit"})
ROLES = (
    "public",
    "anon",
    "authenticated",
    "service_role",
    "worker_meta",
    "worker_telnyx",
    "worker_stripe",
    "worker_privacy",
    "ingress",
)
REMOVED = "removed"
STAMP = "%Y%m%d%H%M%S"

RESET = """do $$
declare
    old record;
begin
    for old in
        select p.schemaname, p.tablename, p.policyname
        from pg_catalog.pg_policies as p
        where (p.schemaname, p.tablename) in (
PAIRS
        )
    loop
        execute format('drop policy %I on %I.%I', old.policyname, old.schemaname, old.tablename);
    end loop;
end;
$$;
"""

_RECORDED = re.compile(r"^-- policy (\S+\.sql) ([0-9a-f]{64}|removed)$", re.MULTILINE)
_ALTERED = re.compile(r"alter table (?:if exists )?(?:only )?(\S+)")
_POLICY = re.compile(r"(?:create|drop|alter) policy (?:if exists )?\S+ on (\S+)")
_GRANT = re.compile(r"(?:grant|revoke) .*? on (?:table )?(\S+(?: ?, ?\S+)*) (?:to|from) ")
_NAME = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the folder stands to the migrations; file names in alphabetical order."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]


def recorded(migrations: Mapping[str, str]) -> dict[str, str]:
    """Read which version of each policy file the migrations carry; later ones win.

    The migration that drops a table says `-- policy <file> removed` and so releases its file.
    """
    carried: dict[str, str] = {}
    for name in sorted(migrations):
        carried.update(_RECORDED.findall(migrations[name]))
    return carried


def compare(policies: Mapping[str, str], migrations: Mapping[str, str]) -> Standing:
    """Compare the folder with what the migrations carry."""
    carried = recorded(migrations)
    return Standing(
        changed=tuple(n for n in sorted(policies) if carried.get(n) != digest(policies[n])),
        deleted=tuple(
            n for n, version in sorted(carried.items()) if version != REMOVED and n not in policies
        ),
    )


def digest(content: str) -> str:
    """Name one version of a policy file."""
    return sha256(content.encode()).hexdigest()


def tables(content: str) -> list[str]:
    """List the tables and views of ours whose grants or policies a file sets."""
    found: set[str] = set()
    plain = re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", content)
    for statement in plain.lower().split(";"):
        text = " ".join(statement.split())
        for pattern in (_ALTERED, _POLICY, _GRANT):
            if match := pattern.match(text):
                found.update(name.strip() for name in match.group(1).split(","))
    return sorted(
        name for name in found if _NAME.fullmatch(name) and name.split(".")[0] in OUR_SCHEMAS
    )


def next_stamp(existing: Sequence[str], *, now: datetime) -> str:
    """Give the next migration's 14 digits: now, or one second after the newest if that is later."""
    newest = max((name[:14] for name in existing if name[:14].isdigit()), default="")
    stamp = now.astimezone(UTC).strftime(STAMP)
    if newest < stamp:
        return stamp
    following = datetime.strptime(newest, STAMP).replace(tzinfo=UTC) + timedelta(seconds=1)
    return following.strftime(STAMP)


def migration(policies: Mapping[str, str], changed: Sequence[str]) -> str:
    """Write the migration that puts the changed files in force."""
    header = [
        "-- Policies and grants, written by `make policies` from supabase/policies.",
        "--",
        "-- Owns      every grant and policy of the tables these files name.",
        "-- Callers   everybody who reaches the database.",
        "-- Undo      put the old files back and run `make policies` again.",
        "--",
        *(f"-- policy {name} {digest(policies[name])}" for name in changed),
        "",
        "set local lock_timeout = '4s';",
        "set local statement_timeout = '30s';",
    ]
    parts = ["\n".join(header)]
    for name in changed:
        named = tables(policies[name])
        parts.append(f"-- From {name}")
        if named:
            parts.append(_reset(named))
        parts.append(policies[name].strip())
    return "\n\n".join(parts) + "\n"


def _reset(named: Sequence[str]) -> str:
    """Write what takes away all that was granted, so that a removed line is really gone."""
    pairs = ",\n".join("            ('{}', '{}')".format(*name.split(".")) for name in named)
    revokes = "\n".join(f"revoke all on table {name}\nfrom {', '.join(ROLES)};" for name in named)
    return RESET.replace("PAIRS", pairs) + revokes
