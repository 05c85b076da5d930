"""The commands that act on a database, each on a migrated one of its own."""

import json
import stat
import uuid

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.database import make_user

NOBODY = uuid.UUID(int=0)


@pytest.fixture
def org(operated):
    """An open organization made by the console."""
    made = operated("org", "create", "Boulangerie", "--owner", "marie@ouellet.example", "--json")
    assert made.code == 0, made.err
    return made.json["org_id"]


def dead_job(sql, kind="meta.event"):
    sql("select queue.enqueue('meta', %s)", [kind])
    (job, lease) = sql("select id, lease from queue.claim('meta', 1, '1 min')").fetchone()
    sql("select queue.bury('meta', %s, %s, 'the page is gone')", [job, lease])
    return job


def test_an_organization_is_created_listed_and_shown(operated, org):
    listed = operated("org", "list", "--json").json
    shown = operated("org", "show", org, "--json").json

    assert [row["id"] for row in listed] == [org]
    assert (shown["name"], shown["members"], shown["closed_at"]) == ("Boulangerie", 0, None)


def test_a_pipe_gets_tab_separated_lines(operated, org):
    lines = operated("org", "list").out.splitlines()

    assert lines[0].split("\t")[:2] == ["id", "name"]
    assert lines[1].split("\t")[:2] == [org, "Boulangerie"]


def test_an_organization_of_nobody_is_not_found(operated):
    ended = operated("org", "show", NOBODY)

    assert ended.code == 1
    assert "connext org list" in ended.err


def test_an_owner_without_a_plausible_address_is_wrong_usage(operated):
    ended = operated("org", "create", "Boulangerie", "--owner", "nobody")

    assert ended.code == 2
    assert operated("org", "list", "--json").json == []


def test_closing_asks_and_a_no_changes_nothing(operated, org):
    refused = operated("org", "close", org, answer="n")

    assert refused.code == 4
    assert operated("org", "show", org, "--json").json["closed_at"] is None


def test_closing_without_a_terminal_needs_yes(operated, org):
    assert operated("org", "close", org).code == 4
    assert operated("org", "show", org, "--json").json["closed_at"] is None


def test_a_dry_run_of_closing_changes_nothing(operated, org):
    ended = operated("org", "close", org, "--dry-run")

    assert ended.code == 0
    assert "nothing was changed" in ended.err
    assert operated("org", "show", org, "--json").json["closed_at"] is None


def test_closing_happens_once(operated, org):
    assert operated("org", "close", org, "--yes").code == 0
    assert operated("org", "close", org, "--yes").code == 3
    assert operated("org", "list", "--json").json == []
    assert len(operated("org", "list", "--closed", "--json").json) == 1


def test_an_invitation_is_shown_once_with_its_token(operated, org):
    made = operated("member", "invite", org, "luc@ouellet.example", "--role", "admin", "--json")

    assert made.code == 0, made.err
    assert made.json["token"]


def test_the_last_owner_is_not_removed(operated, org, clone, sql):
    with psycopg.connect(clone, autocommit=True) as connection:
        owner = make_user(connection, "marie@ouellet.example")
    sql(
        "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
        [org, owner],
    )

    ended = operated("member", "remove", org, owner, "--yes")

    assert ended.code == 4
    assert [row["role"] for row in operated("member", "list", org, "--json").json] == ["owner"]


def test_a_member_is_removed_after_a_yes(operated, org, clone, sql):
    with psycopg.connect(clone, autocommit=True) as connection:
        people = [make_user(connection), make_user(connection)]
    for person, role in zip(people, ("owner", "agent"), strict=True):
        sql("insert into public.memberships values (%s, %s, %s)", [org, person, role])

    assert operated("member", "remove", org, people[1], answer="y").code == 0
    listed = operated("member", "list", org, "--json").json
    assert [row["user_id"] for row in listed] == [str(people[0])]


def test_somebody_who_is_no_member_cannot_be_removed(operated, org):
    assert operated("member", "remove", org, NOBODY, "--yes").code == 1


def test_waiting_jobs_are_shown_without_their_payload(operated, sql):
    sql("select queue.enqueue('meta', 'meta.event', payload => '{\"event_id\": 7}')")

    ended = operated("queue", "peek", "meta", "--json")

    assert [row["kind"] for row in ended.json] == ["meta.event"]
    assert "event_id" not in ended.out
    assert operated("queue", "stats", "--json").json[0]["ready"] == 1


def test_a_dead_job_is_shown_with_its_reason(operated, sql):
    job = dead_job(sql)

    (row,) = operated("queue", "dead", "meta", "--json").json

    assert (row["id"], row["reason"]) == (job, "the page is gone")


def test_a_dead_job_goes_back_in_line(operated, sql):
    job = dead_job(sql)

    assert operated("queue", "retry", "meta", job, "--dry-run").code == 0
    assert operated("queue", "peek", "meta", "--json").json == []
    assert operated("queue", "retry", "meta", job).code == 0
    assert [row["id"] for row in operated("queue", "peek", "meta", "--json").json] == [job]
    assert operated("queue", "retry", "meta", job).code == 3


def test_all_dead_jobs_are_dropped_only_after_a_yes(operated, sql):
    for _ in range(3):
        dead_job(sql)

    assert operated("queue", "drop", "meta", "--all").code == 4
    assert len(operated("queue", "dead", "meta", "--json").json) == 3
    assert operated("queue", "drop", "meta", "--all", "--yes").code == 0
    assert operated("queue", "drop", "meta", "--all", "--yes").code == 3


def test_dropping_needs_a_job_or_all(operated):
    assert operated("queue", "drop", "meta", "--yes").code == 2


def test_a_queue_that_does_not_exist_is_wrong_usage(operated):
    ended = operated("queue", "peek", "mata")

    assert ended.code == 2
    assert "meta" in ended.err


def test_an_account_is_made_the_listener_of_a_queue_and_unmade(operated, sql, clone):
    with psycopg.connect(clone) as connection:
        account = make_user(connection, "worker@example.com")
    listener = "select listener from queue.queues where queue = 'meta'"

    assert operated("queue", "listener", "meta", "--email", "Worker@example.com").code == 0
    assert sql(listener).fetchone() == (account,)
    assert operated("queue", "listener", "meta", "--nobody").code == 0
    assert sql(listener).fetchone() == (None,)


def test_a_listener_needs_an_account_and_one_wish(operated, sql):
    unknown = operated("queue", "listener", "meta", "--email", "nobody@example.com")

    assert (unknown.code, "make it there first" in unknown.err) == (1, True)
    assert operated("queue", "listener", "meta").code == 2
    assert operated("queue", "listener", "meta", "--email", "a@b.example", "--nobody").code == 2
    assert sql("select count(listener) from queue.queues").fetchone() == (0,)


def test_no_integrations_is_an_empty_list(operated):
    assert operated("integration", "list", "--json").json == []
    assert operated("integration", "show", NOBODY).code == 1
    assert operated("integration", "disconnect", NOBODY, "--yes").code == 1


def test_every_migration_is_applied(operated):
    listed = operated("db", "status", "--json").json

    assert listed
    assert {row["state"] for row in listed} == {"applied"}
    assert operated("db", "push", "--yes").code == 3


def test_a_waiting_migration_is_named_by_a_dry_run(operated, sql):
    sql(
        "delete from supabase_migrations.schema_migrations as m where m.version ="
        " (select max(n.version) from supabase_migrations.schema_migrations as n)"
    )

    ended = operated("db", "push", "--dry-run")

    assert ended.code == 0
    assert "would apply" in ended.err
    assert operated("db", "push").code == 4


def test_workers_log_in_with_what_the_console_wrote(operated, tmp_path, cluster, clone):
    out = tmp_path / "logins.json"

    ended = operated("db", "logins", "--out", out, "--yes")
    addresses = json.loads(out.read_text())
    try:
        assert ended.code == 0, ended.err
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        for role, address in addresses.items():
            with psycopg.connect(address) as connection:
                assert connection.execute("select session_user").fetchone() == (role,)
            assert conninfo_to_dict(address)["password"] not in ended.out + ended.err
        assert operated("db", "logins", "--out", out, "--yes").code == 1
    finally:
        # Roles belong to the cluster, and other tests log in with its one password.
        with psycopg.connect(clone, autocommit=True) as connection:
            for role in addresses:
                connection.execute(f"alter role {role} login password '{cluster.password}'")


def test_a_stranger_is_refused(operated, clone, cluster, monkeypatch):
    monkeypatch.setenv(
        "CONNEXT_DATABASE_URL", cluster.url(conninfo_to_dict(clone)["dbname"], "worker_meta")
    )

    assert operated("org", "create", "Mine", "--owner", "me@example.com").code == 4
