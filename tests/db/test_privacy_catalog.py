"""The catalog names every stored value and the way from it to a person; what is missing is named."""

from __future__ import annotations

import json

import pytest

from cli import catalog, project
from cli.policy_checks import scan
from cli.policy_checks.place import OURS
from tests.books import one
from tests.full_world import make_full_world

HOW = "add the missing lines in supabase/catalog, then run `make catalog`"


def gaps(db):
    return db.execute("select g.gap, g.what from privacy.catalog_gaps() as g").fetchall()


def test_every_column_of_ours_is_in_the_catalog_and_every_personal_table_leads_to_a_person(db):
    assert gaps(db) == [], HOW


def test_every_json_key_that_is_stored_is_in_the_catalog(db):
    make_full_world(db)

    found = db.execute("select k.* from privacy.unknown_json_keys() as k").fetchall()

    assert found == [], HOW


def test_every_table_of_the_platform_that_holds_our_rows_is_described(db):
    described = {row[0] for row in db.execute("select table_name from privacy.catalog_tables")}
    platform = {
        row[0]
        for row in db.execute(
            "select distinct table_name from privacy.stored_columns where table_name ~ '^(auth|storage|realtime)'"
        )
    }

    assert platform - described == set()


@pytest.mark.parametrize(
    ("table", "column", "holds"),
    [
        ("queue.jobs", "payload", "jsonb"),
        ("queue.jobs", "kind", "text"),
        ("queue.jobs", "max_attempts", "smallint"),
        ("audit.events", "details", "jsonb"),
        ("public.notes", "body", "text"),
    ],
)
def test_a_column_of_a_domain_is_looked_at_as_what_it_holds(db, table, column, holds):
    found = db.execute(
        "select type_name from privacy.stored_columns where (table_name, column_name) = (%s, %s)",
        [table, column],
    ).fetchall()
    scanned = db.execute(scan.COLUMNS, {"ours": OURS}).fetchall()

    assert found == [(holds,)]
    assert (holds != "smallint") == any(
        name == table and column in columns for name, *_, columns in scanned
    )


@pytest.mark.parametrize(
    ("change", "gap"),
    [
        ("alter table public.notes add column mood text", "column is not in the catalog"),
        ("create table public.diary (org_id uuid, page text)", "column is not in the catalog"),
        ("alter table public.notes drop column body cascade", "catalog names a column that does not exist"),
        ("drop table public.notes cascade", "catalog names a table that does not exist"),
        ("delete from privacy.catalog_paths where table_name = 'public.notes'", "personal table has no way to a person"),
        ("update privacy.catalog_paths set target = 'public.plans.plan' where table_name = 'public.notes'", "path leads nowhere"),
        ("delete from privacy.catalog where json_key <> '' and table_name = 'queue.jobs'", "JSON column has no keys in the catalog"),
    ],
)  # fmt: skip
def test_a_gap_is_found_and_says_how_to_close_it(db, change, gap):
    db.execute(change)

    found = db.execute("select g.gap, g.repair from privacy.catalog_gaps() as g").fetchall()

    assert gap in {row[0] for row in found}
    assert all(row[1] for row in found)


def test_a_json_key_nobody_described_is_found(db):
    db.execute(
        "select queue.enqueue('meta', 'meta.test', null, %s)", [json.dumps({"shoe_size": 44})]
    )

    found = db.execute("select k.* from privacy.unknown_json_keys() as k").fetchall()

    assert found == [("queue.jobs", "payload", "shoe_size")]


@pytest.mark.parametrize(
    "statement",
    [
        "update privacy.catalog set category = 'gossip' where column_name = 'body'",
        "update privacy.catalog set erasure = 'hide' where column_name = 'body'",
        "update privacy.catalog set portable = true where column_name = 'place_id'",
        "update privacy.catalog set accessible = true where category = 'credential'",
    ],
)
def test_a_word_the_catalog_does_not_know_and_a_shown_secret_are_refused(db, statement):
    with pytest.raises(Exception, match="catalog_"):
        db.execute(statement)


def test_a_purpose_that_does_not_exist_is_refused(db):
    with pytest.raises(Exception, match="purpose that does not exist"):
        db.execute(
            "select privacy.describe('public.x', 'x', 'none', '{profit}', 'reference', 'a reference provided none -')"
        )


def test_no_credential_and_no_sealed_token_is_ever_shown_to_anybody(db):
    shown = one(
        db,
        "select count(*) from privacy.catalog where accessible and (column_name ~ 'token|sealed|password|hash$')",
    )

    assert shown == 0


def test_every_catalog_file_is_in_a_migration():
    files, migrations = project.sql_files(project.CATALOG), project.sql_files(project.MIGRATIONS)

    assert catalog.changed(files, migrations) == (), "run `make catalog`"


def test_a_changed_catalog_file_is_named_and_its_migration_carries_it():
    files = {"a.sql": "select 1;", "b.sql": "select 2;"}
    carried = {"1.sql": catalog.migration(files, ["a.sql", "b.sql"])}

    assert catalog.changed(files, carried) == ()
    assert catalog.changed(files | {"a.sql": "select 3;"}, carried) == ("a.sql",)
    assert "select 2;" in carried["1.sql"]
