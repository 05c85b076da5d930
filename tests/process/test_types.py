"""The frontend's types are those of the migrated schema."""

from __future__ import annotations

import psycopg

from cli.project import TYPES
from cli.typescript import types_of


def test_the_types_in_the_repository_are_those_of_the_migrations(clone):
    assert TYPES.read_text() == types_of(clone), "run `make types`"


def test_a_changed_column_makes_other_types(clone):
    with psycopg.connect(clone) as db:
        db.execute("alter table public.notes add column pinned boolean")

    assert "pinned" in types_of(clone)
