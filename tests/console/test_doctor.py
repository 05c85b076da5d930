"""The doctor finds each misconfiguration that is planted, names it, and says how to mend it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from cli.database import Operator, connect
from cli.doctor import inside, outside
from tests.database import url_as
from tests.world import make_world

JOB = "select queue.enqueue('meta', 'meta.event')"


@pytest.fixture
def admin(clone):
    with psycopg.connect(url_as(clone, "supabase_admin"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def healthy(operated, admin):
    """An installation that has what a running one has: logins, a key, upkeep under way."""
    admin.execute("update queue.schedules set next_run = now() + interval '1 hour'")
    return operated


def found(ended):
    return {row["check"]: row for row in ended.json}


def look(check):
    with connect(None) as db:
        return check(db)


def test_a_healthy_installation_has_nothing_to_mend(healthy, tmp_path):
    healthy("keys", "init", "--folder", tmp_path / "keys")
    ended = healthy("doctor", "--json")

    rows = found(ended)
    assert {check for check, row in rows.items() if row["result"] == "fail"} == set()
    assert len(rows) >= 13
    assert ended.code == 0
    unsaid = ("sealing keys", "receiver", "webhooks", "Meta app", "Stripe key")
    assert {rows[name]["result"] for name in unsaid} == {"unknown"}


PLANTED = {
    "migrations": (
        (
            "delete from supabase_migrations.schema_migrations where version ="
            " (select max(version) from supabase_migrations.schema_migrations)"
        ),
        "connext db push",
    ),
    "roles": ("alter role worker_meta bypassrls", "connext db push"),
    "grants": ("revoke execute on function queue.ingest from ingress", "repair by a migration"),
    "queue": (
        (
            f"{JOB}; update queue.jobs set run_at = now() - interval '1 hour',"
            " created_at = now() - interval '1 hour'"
        ),
        "connext worker run",
    ),
    "upkeep": ("update queue.schedules set next_run = now() - interval '1 day'", "upkeep"),
    "storage": ("update storage.buckets set public = true", "public = false"),
}


@pytest.mark.parametrize("check", PLANTED)
def test_what_is_planted_is_found(healthy, admin, check):
    statements, mend = PLANTED[check]
    try:
        for statement in statements.split("; "):
            admin.execute(statement)
        ended = healthy("doctor", "--json")
    finally:
        if check == "roles":  # roles belong to the whole cluster
            admin.execute("alter role worker_meta nobypassrls")

    row = found(ended)[check]
    assert row["result"] == "fail"
    assert mend in row["mend"]
    assert ended.code == 1
    assert check in ended.err


def test_a_missing_bucket_is_found(healthy, admin):
    admin.execute("set session_replication_role = replica")
    admin.execute("delete from storage.buckets where id = 'attachments'")

    assert look(inside.buckets).found == "attachments is missing"


def test_dead_jobs_and_refused_tokens_are_warnings(healthy, admin):
    world = make_world(admin)
    admin.execute(JOB)
    job, lease = admin.execute("select id, lease from queue.claim('meta', 1, '1 min')").fetchone()
    admin.execute("select queue.bury('meta', %s, %s, 'gone')", [job, lease])
    admin.execute(
        "update public.integrations set status = 'reauthorization_required' where org_id = %s",
        [world.ours.id],
    )

    rows = found(healthy("doctor", "--json"))
    assert (rows["queue"]["result"], rows["vendor tokens"]["result"]) == ("warn", "warn")


def test_the_app_at_a_connected_provider_must_be_known(healthy, admin):
    make_world(admin)
    admin.execute("delete from private.provider_settings where key = 'app_id'")

    assert "meta: app_id" in look(inside.providers).found


def test_a_wrong_clock_is_found(healthy):
    with connect(None) as db:
        assert inside.clock(db, datetime.now(UTC) + timedelta(minutes=6)).result == "fail"
        assert inside.clock(db).result == "ok"


def test_the_private_half_must_be_there_and_closed(healthy, tmp_path):
    folder = tmp_path / "keys"
    with connect(None) as db:
        assert outside.sealing_keys(db, folder).mend == "connext keys init"
    healthy("keys", "init", "--folder", folder)
    with connect(None) as db:
        assert outside.sealing_keys(db, folder).result == "ok"
        folder.chmod(0o755)
        assert outside.sealing_keys(db, folder).mend == f"chmod 700 {folder}"
        assert "safe copy" in outside.sealing_keys(db, tmp_path).mend


@pytest.mark.parametrize("provider", ["meta", "telnyx"])
def test_a_key_that_its_provider_refuses_is_named_by_provider(healthy, admin, provider):
    make_world(admin)
    admin.execute(
        "update public.integrations set status = 'reauthorization_required' where provider = %s",
        [provider],
    )

    finding = look(inside.vendor_secrets)
    assert finding.result == "warn"
    assert f"{provider} of 2 organizations" in finding.found


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[", "no address"])
def test_a_receiver_out_of_reach_is_found(url):
    finding = outside.receiver(url)

    assert finding.result == "fail"
    assert "connext receiver run" in finding.mend


def test_a_secret_key_in_the_environment_is_named_and_not_shown():
    finding = outside.secrets({"SUPABASE_SECRET_KEY": "sb_secret_x"})

    assert "SUPABASE_SECRET_KEY" in finding.found
    assert "sb_secret_x" not in str(finding)


def test_without_a_database_that_is_what_it_says(connext, monkeypatch):
    monkeypatch.setenv("CONNEXT_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/x")
    ended = connext("doctor", "--json")

    assert ended.code == 1
    assert found(ended)["database"]["result"] == "fail"


def test_an_unencrypted_connection_over_a_network_is_found():
    class Seen(Operator):
        def rows(self, query, *values):
            return [{"role": "worker_meta"}]

    assert inside.encryption(Seen(None)).result == "fail"
