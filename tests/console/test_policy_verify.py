"""`connext policy verify`: what is proven, what is not, and how that is kept and told."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from cli import signing
from workers.services.policy import load_claims

KEYS = {"id", "section", "claim", "result", "evidence", "checks"}


@pytest.fixture
def on_time(sql):
    """Upkeep came round a moment ago, as it does where a worker runs."""
    sql("update queue.schedules set next_run = now() + interval '1 minute'")


def test_claims_are_proven_with_figures(operated):
    ended = operated(
        "policy", "verify", "--claim", "page.version", "--claim", "storage.tls", "--json"
    )

    assert ended.code == 0, ended.err
    tls, page = ended.json
    assert [tls["id"], page["id"]] == ["storage.tls", "page.version"]  # in the page's order
    assert set(tls) == KEYS
    assert tls["result"] == "proven"
    assert tls["section"] == "storage"
    assert "addresses of providers" in tls["evidence"]
    assert {done["check"] for done in tls["checks"]} == set(
        load_claims().find("storage.tls").checks
    )


def test_an_untrue_claim_is_named_and_ends_it_with_one(operated, sql):
    sql("alter table public.customers no force row level security")

    ended = operated("policy", "verify", "--claim", "storage.isolation", "--json")

    assert ended.code == 1
    (claim,) = ended.json
    assert claim["result"] == "failed"
    assert "isolation.rls: customers" in claim["evidence"]
    assert "storage.isolation" in ended.err


def test_what_cannot_be_told_here_says_why_and_is_no_failure(operated):
    ended = operated("policy", "verify", "--claim", "duties.region", "--json")

    assert ended.code == 0
    assert ended.json[0]["result"] == "unprovable"
    assert "hosting contract" in ended.json[0]["evidence"]


def test_a_claim_nobody_made_is_wrong_usage(operated):
    ended = operated("policy", "verify", "--claim", "storage.magic")

    assert (ended.code, ended.out) == (2, "")
    assert "storage.magic" in ended.err


def test_without_a_terminal_it_is_one_line_for_each_claim(operated):
    ended = operated("policy", "verify", "--claim", "page.version")

    assert ended.code == 0
    assert [line.split("\t")[0] for line in ended.out.splitlines()] == ["id", "page.version"]
    assert "docs/policy-findings.md" in ended.err


def test_the_whole_page_is_verified_recorded_and_told_to_the_receiver(operated, sql, on_time):
    ended = operated("policy", "verify", "--json")

    results = {claim["id"]: claim["result"] for claim in ended.json}
    assert set(results) == {claim.id for claim in load_claims().claims}
    failed = {one for one, result in results.items() if result == "failed"}
    assert failed <= {"contact.officer"}, ended.err  # nobody is in charge of a new database
    assert ended.code == (1 if failed else 0)
    kept, proven = sql("select v.results, v.proven from privacy.verifications as v").fetchone()
    assert kept == results
    assert sql("select l.proven from private.last_verification() as l").fetchone() == (proven,)
    # A second person may look without leaving a trace, and so does who asks for one claim.
    operated("policy", "verify", "--claim", "page.version")
    operated("policy", "verify", "--claim", "page.version", "--no-record")
    assert sql("select count(*) from privacy.verifications").fetchone() == (1,)
    assert sql("select count(*) from public.organizations").fetchone() == (0,)
    assert sql("select count(*) from auth.users").fetchone() == (0,)


def test_evidence_is_hashed_and_signed(desk, tmp_path):
    folder = tmp_path / "evidence"

    ended = desk(
        "policy",
        "verify",
        "--claim",
        "page.version",
        "--claim",
        "duties.region",
        "--evidence",
        folder,
    )

    assert ended.code == 0, ended.err
    said = signing.verified(json.loads((folder / "manifest.json").read_text()), expected=None)
    assert said["results"] == {"page.version": "proven", "duties.region": "unprovable"}
    assert said["files"] == {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    assert json.loads((folder / "page.version.json").read_text())["checks"]


def test_evidence_without_a_key_has_its_hashes_all_the_same(operated, tmp_path):
    folder = tmp_path / "evidence"

    operated("policy", "verify", "--claim", "page.version", "--evidence", folder)

    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {"page.version.json"}


def test_a_folder_that_cannot_be_written_is_named(operated, tmp_path):
    (tmp_path / "file").write_text("")

    ended = operated(
        "policy", "verify", "--claim", "page.version", "--evidence", tmp_path / "file" / "x"
    )

    assert ended.code == 1
    assert "cannot be written" in ended.err


def test_a_database_that_is_not_migrated_is_told_and_not_called_proven(
    connext, cluster, monkeypatch
):
    name = cluster.create()
    monkeypatch.setenv("CONNEXT_DATABASE_URL", cluster.url(name, "supabase_admin"))
    try:
        ended = connext("policy", "verify", "--claim", "collection.minimal", "--json")
    finally:
        cluster.drop(name)

    assert ended.code == 1
    assert ended.json[0]["result"] == "failed"


def test_a_database_that_is_away_is_told(connext, monkeypatch):
    monkeypatch.setenv("CONNEXT_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/postgres")

    ended = connext("policy", "verify")

    assert (ended.code, ended.out) == (1, "")
    assert "cannot be reached" in ended.err


def test_the_claims_are_listed_with_their_checks(connext):
    rows = connext("policy", "claims", "--json").json

    assert len(rows) == len(load_claims().claims)
    assert all(row["checks"] or row["id"] in ("duties.decisions", "duties.region") for row in rows)
