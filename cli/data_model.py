"""Writing docs/data-model.md from the comments in the migrations (`python -m cli.data_model`)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from cli.project import MIGRATIONS, ROOT, sql_files

PAGE = ROOT / "docs" / "data-model.md"
OPENING = """# The data model

Written by `make docs` from the comments in the migrations; edit those, not this page.
How the tables of a domain hang together is drawn in
[architecture.md](architecture.md#the-data-model). Tables of `public` have a row of their own in the
frontend's types; who may reach each is the matrix in its file in
[supabase/policies](../supabase/policies/customers.sql). Nothing outside `public` can be reached
through the Data API.
"""
TITLE = re.compile(r"^-- (?P<title>[^:\n]+): (?P<scope>.+)$", re.MULTILINE)
# A comment is one or more literals, joined when they follow each other on lines of their own.
COMMENT = re.compile(
    r"^comment on (?P<kind>table|view|function) (?P<name>[a-z]+\.[a-z0-9_]+)(?:\([^)]*\))? is\s+"
    r"(?P<text>'(?:[^']|'')*'(?:\s*\n'(?:[^']|'')*')*);",
    re.MULTILINE,
)
LITERAL = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class Domain:
    """What one migration adds to the model: names with their meaning."""

    title: str
    scope: str
    tables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)


def domains() -> list[Domain]:
    """Read every migration that adds a table, a view or a function of the frontend."""
    found = [domain_of(text) for text in sql_files(MIGRATIONS).values()]
    return [domain for domain in found if domain and (domain.tables or domain.functions)]


def domain_of(migration: str) -> Domain | None:
    """Read what one migration says about what it adds; None when it has no header."""
    header = TITLE.search(migration)
    if header is None:
        return None
    domain = Domain(header["title"], header["scope"])
    for comment in COMMENT.finditer(migration):
        meaning = "".join(LITERAL.findall(comment["text"])).replace("''", "'")
        if comment["kind"] in ("table", "view"):
            domain.tables[comment["name"].removeprefix("public.")] = meaning
        elif comment["name"].startswith("public."):
            domain.functions[comment["name"].removeprefix("public.")] = meaning
    return domain


def page() -> str:
    """Write the whole page."""
    parts = [OPENING]
    for domain in domains():
        parts.append(f"## {domain.title}\n\n{domain.scope[0].upper()}{domain.scope[1:]}\n")
        parts.extend(
            _table(heading, rows)
            for heading, rows in (("table", domain.tables), ("function", domain.functions))
            if rows
        )
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say whether it is in step."""
    content = page()
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != content:
            sys.stderr.write("docs/data-model.md is not what the migrations say; run 'make docs'\n")
            return 1
        return 0
    PAGE.write_text(content)
    return 0


def _table(heading: str, rows: dict[str, str]) -> str:
    lines = [f"| {heading} | what it is |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(meaning)} |" for name, meaning in rows.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Write a text so that it stays in its cell."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
