"""Leaks to plant, read from tests/leaks: each is a mistake somebody could make in a migration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("leaks")

# Changes one place of a function's body, and fails when that place is not there any more.
REWRITE = """
    create or replace function pg_temp.rewrite(function regprocedure, old text, new text) returns void
    language plpgsql as $$
    declare
        source constant text := pg_get_functiondef(function);
    begin
        if position(old in source) = 0 then
            raise exception 'the text to change is not in %', function;
        end if;
        execute replace(source, old, new);
    end;
    $$
"""


@dataclass(frozen=True, slots=True)
class Leak:
    """One mistake; *tables* are those whose access matrix could notice it."""

    name: str
    sql: str
    tables: tuple[str, ...] = ()
    superuser: bool = False


def parse(text: str) -> list[Leak]:
    """Read the leaks of one file: `-- leak: name`, then maybe `-- tables:` and `-- as: superuser`."""
    leaks = []
    for block in re.split(r"^-- leak: ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        tables = re.search(r"^-- tables: (.*)$", rest, re.MULTILINE)
        leaks.append(
            Leak(
                name,
                rest,
                tuple(tables[1].split(", ")) if tables else (),
                superuser="-- as: superuser" in rest,
            )
        )
    return leaks


LEAKS = [leak for path in sorted(FOLDER.glob("*.sql")) for leak in parse(path.read_text())]
