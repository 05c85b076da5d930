"""`connext audit`: sealing behind the horizon, and every way of tampering found offline."""

from __future__ import annotations

import json

import psycopg
import pytest

from cli import signing
from sandbox.embedded import receiving

ADD = "insert into audit.events (org_id, actor, kind, details) values (%s, 'test', 'test.done', %s)"


@pytest.fixture
def desk(operated, tmp_path, monkeypatch):
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    monkeypatch.setenv("CONNEXT_AUDIT_ANCHOR", str(tmp_path / "anchors.jsonl"))
    signing.make(tmp_path / "signing.pem")
    return operated


@pytest.fixture
def sealed(desk, sql):
    """Three epochs of four events each."""
    for epoch in range(3):
        for number in range(4):
            sql(ADD, [None, json.dumps({"word": "abcd"[epoch] + "xyzw"[number]})])
        assert desk("audit", "seal").code == 0
    return desk


@pytest.fixture
def admin(sql):
    """Somebody who may do everything inside the database."""
    for table in ("audit.events", "audit.epochs", "audit.receipts"):
        sql(f"alter table {table} disable trigger user")
    return sql


def wrong(desk, *words):
    ended = desk("audit", "verify", *words, "--json")
    assert (ended.code == 1) == bool(ended.json["wrong"])
    return ended.json["wrong"]


def test_an_untouched_audit_verifies_and_counts_what_is_not_sealed_yet(sealed, sql):
    sql(ADD, [None, "{}"])

    found = sealed("audit", "verify", "--json").json

    assert found["wrong"] == []
    assert (found["epochs"], found["unsealed"]) == (3, 1)
    assert found["events"] >= 13


def test_it_verifies_from_a_file_without_any_database(sealed, tmp_path, monkeypatch):
    assert sealed("audit", "export", tmp_path / "a.jsonl").code == 0
    monkeypatch.delenv("CONNEXT_DATABASE_URL")

    assert sealed("audit", "verify", tmp_path / "a.jsonl").code == 0


@pytest.mark.parametrize(
    "tampering",
    [
        "update audit.events set details = '{\"word\": \"changed\"}' where id = (select min(id) + 5 from audit.events)",
        "update audit.events set at = at + interval '1 microsecond' where id = (select min(id) from audit.events)",
        "delete from audit.events where id = (select max(id) from audit.events)",
        "delete from audit.events where id > (select max(id) - 6 from audit.events)",
        "delete from audit.events where xid >= (select from_xid from audit.epochs where n = 3)",
        "update audit.events set kind = case when id % 2 = 0 then 'test.a' else 'test.b' end",
        "insert into audit.events (actor, kind, xid) select 'test', 'test.late', min(xid) from audit.events",
        "update audit.events set org_id = gen_random_uuid() where id = (select max(id) from audit.events)",
        "update audit.events set subject = gen_random_uuid() where id = (select max(id) from audit.events)",
        "update audit.epochs set root = sha256('other') where n = 2",
        "delete from audit.epochs where n = 3",
        "delete from audit.epochs where n = 2",
    ],
    ids=[
        "edit", "edit the time", "delete the last", "delete the tail", "delete a whole epoch's events", "edit many",
        "insert into a sealed epoch", "move to another organization", "change the subject", "edit a root's column", "roll back the head",
        "delete an epoch",
    ],
)  # fmt: skip
def test_tampering_is_found(sealed, admin, tampering):
    admin(tampering)
    # The column is only what SQL compares: the signed body is what counts, and it still says the truth.
    if "set root" in tampering:
        assert wrong(sealed) == []
        return

    assert wrong(sealed)


def test_events_that_change_places_are_found(sealed, admin):
    a, b = (
        row[0]
        for row in admin("select id from audit.events order by id limit 2 offset 4").fetchall()
    )
    admin("alter table audit.events alter column id drop identity")
    for old, new in ((a, -1), (b, a), (-1, b)):
        admin("update audit.events set id = %s where id = %s", [new, old])

    assert wrong(sealed)


def rebuilt(sealed, admin, tmp_path, key):
    """Edit the first epoch and make every epoch anew, signed with *key*."""
    admin(
        "update audit.events set kind = 'test.other' where id = (select min(id) from audit.events)"
    )
    admin("delete from audit.epochs")
    return sealed("audit", "seal", "--anchor", tmp_path / "their-own.jsonl")


def test_an_edit_with_everything_recomputed_forward_is_found_by_the_anchor_alone(
    sealed, admin, tmp_path
):
    assert rebuilt(sealed, admin, tmp_path, None).code == 0

    assert sealed("audit", "verify", "--anchor", tmp_path / "their-own.jsonl").code == 0
    assert "anchored" in wrong(sealed)[0]


def test_a_history_signed_with_another_key_is_found_by_the_pinned_key(
    sealed, admin, tmp_path, monkeypatch
):
    ours = signing.signer(None).key_id
    signing.make(tmp_path / "theirs.pem")
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "theirs.pem"))
    assert rebuilt(sealed, admin, tmp_path, None).code == 0

    assert wrong(sealed, "--anchor", tmp_path / "their-own.jsonl", "--key", ours)


def test_a_database_rolled_back_to_an_old_backup_is_reported_as_that(sealed, admin):
    admin("delete from audit.events where xid >= (select from_xid from audit.epochs where n = 3)")
    admin("delete from audit.epochs where n = 3")

    assert "rolled back" in wrong(sealed)[0]


def test_receipts_of_two_organizations_that_are_swapped_are_found(sealed, admin, sql):
    one, two = "0" * 8 + "-0000-7000-8000-" + "0" * 12, "1" * 8 + "-0000-7000-8000-" + "0" * 12
    for org in (one, two, one):
        sql(
            "select audit.receipt(%s, 'export', gen_random_uuid(), sha256(%s))", [org, org.encode()]
        )
    assert wrong(sealed) == []

    admin("update audit.receipts set org_id = %s where org_id = %s and n = 1", [NOBODY, one])
    admin("update audit.receipts set org_id = %s where org_id = %s", [one, two])
    admin("update audit.receipts set org_id = %s where org_id = %s", [two, NOBODY])

    assert len(wrong(sealed)) >= 2


NOBODY = "22222222-0000-7000-8000-000000000000"


@pytest.mark.parametrize("table", ["events", "epochs", "receipts"])
@pytest.mark.parametrize(
    "verb", ["update audit.{} set {} = {}", "delete from audit.{}", "truncate audit.{}"]
)
def test_the_operator_can_change_nothing_by_accident(sealed, sql, table, verb):
    sql("select audit.receipt(gen_random_uuid(), 'export', gen_random_uuid(), sha256('x'))")
    column = {"events": "id", "epochs": "n", "receipts": "n"}[table]
    text = (
        verb.format(table, "kind" if table != "epochs" else "key_id", "'x.y'")
        if "update" in verb
        else verb.format(table)
    )

    with pytest.raises(psycopg.Error, match="never changed or deleted"):
        sql(text)
    assert sql(f"select count(*) from audit.{table} where {column} is not null").fetchone()[0] > 0


def test_what_is_in_flight_is_sealed_only_when_it_is_over(desk, clone, sql):
    with psycopg.connect(clone) as open_one:
        open_one.execute(ADD, [None, "{}"])
        sql(ADD, [None, json.dumps({"word": "later"})])
        before = desk("audit", "seal")
        open_one.commit()

    after = desk("audit", "seal", "--json")

    assert before.code == 3
    assert after.code == 0
    assert json.loads(after.json["body"])["events"] == 2
    assert wrong(desk) == []


def test_the_status_says_how_far_the_sealing_is_and_fails_when_it_is_behind(sealed, sql):
    assert sealed("audit", "status").code == 0
    sql("insert into audit.events (actor, kind, at) values ('test', 'test.done', now() - interval '3 hours')")  # fmt: skip

    behind = sealed("audit", "status", "--json")

    assert behind.code == 1
    assert "CONNEXT_SIGNING_KEY" in behind.err
    assert (behind.json["epochs"], behind.json["unsealed"], behind.json["unanchored"]) == (3, 1, 0)
    assert sealed("audit", "status", "--hours", "4").code == 0


def test_an_address_as_anchor_gets_the_epoch(sealed, sql):
    sql(ADD, [None, "{}"])
    with receiving() as inbox:
        assert sealed("audit", "seal", "--anchor", inbox.url).code == 0
        (post,) = inbox.posts()
    assert json.loads(json.loads(post.body)["body"])["n"] == 4
    assert sealed("audit", "seal", "--anchor", "http://elsewhere.example").code != 0


def test_nothing_new_is_nothing_to_do(sealed):
    assert sealed("audit", "seal").code == 3


def test_whole_old_epochs_are_purged_and_the_rest_still_verifies(sealed, admin, sql):
    admin(
        "update audit.events set at = at - interval '8 years' where xid < (select to_xid from audit.epochs where n = 1)"
    )
    admin("update audit.epochs set sealed_at = sealed_at - interval '8 years' where n = 1")
    for table in ("audit.events", "audit.epochs"):
        sql(f"alter table {table} enable trigger user")

    assert sealed("audit", "purge", "--yes").code == 0

    assert wrong(sealed) == []
    assert sealed("audit", "purge", "--yes").code == 3


def test_a_new_anchor_gets_every_epoch_and_the_old_one_none(sealed, tmp_path):
    fresh = tmp_path / "elsewhere.jsonl"

    dry = sealed("audit", "anchor", "--anchor", fresh, "--dry-run")
    assert (dry.code, fresh.exists()) == (0, False)
    assert sealed("audit", "anchor", "--anchor", fresh).code == 0
    assert sealed("audit", "anchor", "--anchor", fresh).code == 3
    assert sealed("audit", "anchor").code == 3
    assert fresh.read_text() == (tmp_path / "anchors.jsonl").read_text()
    assert wrong(sealed, "--anchor", fresh) == []


def test_an_anchor_that_missed_an_epoch_gets_that_one(sealed, tmp_path):
    place = tmp_path / "anchors.jsonl"
    lines = place.read_text().splitlines()
    place.write_text("\n".join(lines[:2]) + "\n")

    assert sealed("audit", "anchor").code == 0
    assert place.read_text().splitlines() == lines


def test_a_file_that_is_no_anchor_is_left_alone(sealed, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("buy milk\n")

    assert sealed("audit", "anchor", "--anchor", other).code == 1
    assert other.read_text() == "buy milk\n"


def test_an_anchor_that_cannot_be_written_is_named(sealed, tmp_path):
    nowhere = tmp_path / "no folder" / "anchors.jsonl"

    refused = sealed("audit", "anchor", "--anchor", nowhere)

    assert refused.code == 1
    assert f"{nowhere} cannot be written" in refused.err


def test_without_a_file_there_is_no_anchor(sealed, monkeypatch):
    monkeypatch.delenv("CONNEXT_AUDIT_ANCHOR")

    assert sealed("audit", "anchor").code == 2


def test_a_dry_run_of_purging_counts_and_deletes_nothing(sealed, admin, sql):
    sql("update audit.epochs set sealed_at = now() - interval '8 years' where n < 3")
    sql("update audit.events set at = now() - interval '8 years'")
    before = sql("select count(*) from audit.events").fetchone()

    ended = sealed("audit", "purge", "--dry-run")

    assert ended.code == 0, ended.err
    assert "nothing was changed" in ended.err
    assert sql("select count(*) from audit.events").fetchone() == before
