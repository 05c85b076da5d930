"""`connext privacy map` and `register`: what is kept, why, and the record that law asks for."""

import pytest


def test_the_map_shows_what_a_column_is(operated):
    rows = operated("privacy", "map", "--table", "public.customers", "--json").json

    (name,) = [row for row in rows if row["column"] == "display_name"]
    assert (name["category"], name["erasure"], name["portable"]) == ("identity", "replace", True)
    assert name["subjects"] == ["contact", "member"]


def test_the_map_of_this_version_lacks_nothing(operated):
    assert operated("privacy", "map", "--check").code == 0


def test_a_column_nobody_described_fails_and_is_named_with_the_repair(operated, sql):
    sql("alter table public.notes add column mood text")

    ended = operated("privacy", "map", "--check", "--json")

    assert ended.code == 1
    (gap,) = ended.json
    assert gap["what"] == "public.notes.mood"
    assert "supabase/catalog" in gap["repair"]


def test_an_unknown_table_is_not_found(operated):
    assert operated("privacy", "map", "--table", "public.nothing").code == 1


@pytest.mark.parametrize(("part", "article"), [("controller", "30(1)"), ("processor", "30(2)")])
def test_the_record_names_purpose_people_data_recipients_and_time(operated, part, article):
    found = operated("privacy", "register", "--part", part, "--json").json

    assert found["article"] == article
    assert found["activities"]
    for activity in found["activities"]:
        assert all(
            activity[key] for key in ("label_fr", "people", "data_categories", "recipients", "kept")
        )
    assert {"Meta Platforms, Inc."} <= {t["name"] for t in found["transfers"]}


def test_the_record_is_readable_and_a_wrong_part_is_wrong_usage(operated):
    assert operated("privacy", "register").out.startswith("# Record of processing, Art. 30(1)")
    assert operated("privacy", "register", "--part", "friend").code == 2
