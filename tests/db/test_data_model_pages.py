"""The pages about the data model say what the database has: every table, and no wrong arrow."""

from __future__ import annotations

import re
from pathlib import Path

from cli import data_model

ARCHITECTURE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
ARROW = re.compile(r"^  (\w+) [|}][|o]--[|o][|{] (\w+) :", re.MULTILINE)
OURS = ["public", "private", "queue", "privacy", "audit"]


def arrows():
    """The drawn pairs: what is pointed at, and what points."""
    return set(ARROW.findall(ARCHITECTURE.read_text()))


def test_the_page_is_in_step_with_the_migrations():
    assert data_model.page() == data_model.PAGE.read_text(), "run `make docs`"


def test_the_page_names_every_table_view_and_function_that_there_is(db):
    told = data_model.domains()
    tables = {name for domain in told for name in domain.tables}
    functions = {name for domain in told for name in domain.functions}

    relations = db.execute(
        "select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname"
        " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v')",
        [OURS],
    ).fetchall()
    rpcs = db.execute(
        "select p.proname from pg_proc as p where p.pronamespace = 'public'::regnamespace"
    ).fetchall()

    assert tables == {row[0] for row in relations}
    assert functions == {row[0] for row in rpcs}


def test_the_page_repeats_the_comments_word_for_word(db):
    told = {name: text for domain in data_model.domains() for name, text in domain.tables.items()}

    said = db.execute(
        "select c.relname, obj_description(c.oid, 'pg_class') from pg_class as c"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')"
    ).fetchall()

    assert {name: told[name] for name, _ in said} == dict(said)


def test_every_drawn_arrow_is_a_foreign_key(db):
    keys = db.execute(
        "select k.confrelid::regclass::text, k.conrelid::regclass::text from pg_constraint as k"
        " where k.contype = 'f' and k.connamespace = 'public'::regnamespace"
    ).fetchall()

    assert len(arrows()) > 30
    assert arrows() - set(keys) == set()


def test_every_table_of_the_frontend_is_drawn(db):
    drawn = {name for pair in arrows() for name in pair}
    tables = db.execute(
        "select c.relname from pg_class as c"
        " where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'"
    ).fetchall()

    assert {row[0] for row in tables} - drawn == set()
