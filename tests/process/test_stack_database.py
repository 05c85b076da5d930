"""The embedded database: what a migration may do is what a hosted project lets it do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from cli.embedded import packages, supabase
from cli.embedded.cluster import SUPERUSER, Cluster
from cli.embedded.errors import StackError
from tests.database import as_user, make_user

# Name, login, inherit, superuser, createrole, createdb, replication, bypassrls: as on a hosted
# project (supabase/postgres, expected output of its role tests).
ROLES = [
    ("anon", False, True, False, False, False, False, False),
    ("authenticated", False, True, False, False, False, False, False),
    ("authenticator", True, False, False, False, False, False, False),
    ("dashboard_user", False, True, False, True, True, True, False),
    ("postgres", True, True, False, True, True, True, True),
    ("service_role", False, True, False, False, False, False, True),
    ("supabase_admin", True, True, True, True, True, True, True),
    ("supabase_auth_admin", True, False, False, False, False, False, False),
    ("supabase_realtime_admin", True, False, False, True, False, True, False),
    ("supabase_storage_admin", True, False, False, True, False, False, False),
]

MIGRATION = """
    create schema inner_things;
    create extension citext with schema extensions;
    do $$ begin
        if to_regrole('zz_worker') is null then
            create role zz_worker with nologin noinherit;
        end if;
    end $$;
    create table public.people (
        id uuid primary key references auth.users (id) on delete cascade, mail extensions.citext
    );
    create function inner_things.welcome() returns trigger language plpgsql
    security definer set search_path = '' as $$
    begin
        insert into public.people (id, mail) values (new.id, new.email);
        return new;
    end $$;
    create trigger users_after_insert_welcome after insert on auth.users
        for each row execute function inner_things.welcome();
    create policy objects_select_own on storage.objects for select to authenticated using (false);
    create policy messages_select_own on realtime.messages for select to authenticated
        using ((select realtime.topic()) = 'mine');
    insert into storage.buckets (id, name) values ('attachments', 'attachments');
"""


@pytest.fixture
def bare(cluster):
    """A project without any migration."""
    name = cluster.create(prefix="bare")
    cluster.prepare(name, migrations=None)
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def own_project(tmp_path):
    """A folder with a migration of the test's own."""
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    shutil.copy(packages.REPOSITORY / "supabase" / "config.toml", folder.parent)
    (folder / "20260101000000_first.sql").write_text(MIGRATION)
    return tmp_path


def test_roles_have_the_rights_of_a_hosted_project(bare):
    with psycopg.connect(bare) as db:
        found = db.execute(
            "select rolname, rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb,"
            " rolreplication, rolbypassrls from pg_roles where rolname = any(%s)"
            ' order by rolname collate "C"',
            [[role[0] for role in ROLES]],
        ).fetchall()

    assert found == ROLES


def test_the_operator_is_no_member_of_the_service_administrators(bare):
    with psycopg.connect(bare) as db:
        rows = db.execute(
            "select r.rolname from pg_auth_members as m join pg_roles as r on r.oid = m.roleid"
            " where m.member = 'postgres'::regrole and r.rolname like 'supabase%admin'"
        ).fetchall()

    assert rows == []


def test_a_migration_may_attach_to_auth_storage_and_realtime(bare, own_project, tmp_path):
    applied = supabase.push(bare, tmp_path / "home", own_project)

    with psycopg.connect(bare) as db:
        user = make_user(db, "New@Example.com")
        assert db.execute("select id from public.people").fetchall() == [(user,)]
    assert applied == ["20260101000000_first.sql"]
    assert supabase.push(bare, tmp_path / "home", own_project) == []


def test_a_database_that_is_ahead_of_the_folder_is_refused(bare, own_project, tmp_path):
    first = own_project / "supabase" / "migrations" / "20260101000000_first.sql"
    later = first.with_name("20260102000000_later.sql")
    later.write_text("create table public.later (id int);\n")
    supabase.push(bare, tmp_path / "home", own_project)
    later.unlink()

    with pytest.raises(StackError, match="20260102000000"):
        supabase.push(bare, tmp_path / "home", own_project)


def test_the_same_migrations_run_on_a_second_database_of_the_cluster(
    cluster, own_project, tmp_path
):
    for _ in range(2):
        name = cluster.create(prefix="twice")
        cluster.prepare(name, migrations=own_project)
        cluster.drop(name)


def test_a_failing_migration_changes_nothing_and_says_which_and_why(bare, own_project, tmp_path):
    bad = own_project / "supabase" / "migrations" / "20260102000000_bad.sql"
    bad.write_text("create table public.half (id int);\nselect * from public.nowhere;\n")

    with pytest.raises(StackError) as caught:
        supabase.push(bare, tmp_path / "home", own_project)

    assert "20260102000000_bad.sql" in str(caught.value)
    assert 'relation "public.nowhere" does not exist' in str(caught.value)
    with psycopg.connect(bare) as db:
        assert db.execute("select to_regclass('public.half')").fetchone() == (None,)


def test_the_advisors_have_nothing_to_say_about_ours(cluster, template, tmp_path):
    name = cluster.create(template, "advised")
    try:
        done = supabase.advisors(cluster.url(name), tmp_path / "home")
    finally:
        cluster.drop(name)

    assert done.returncode == 0, done.stdout


def test_the_advisors_find_a_table_without_row_level_security(bare, tmp_path):
    with psycopg.connect(bare) as db:
        db.execute("create table public.open (id int primary key)")
        db.execute("grant select on public.open to anon")

    done = supabase.advisors(bare, tmp_path / "home")

    assert done.returncode == 1
    assert "rls_disabled_in_public" in done.stdout


def test_claims_reach_sql_from_the_json_alone(bare):
    with psycopg.connect(bare) as db:
        user = make_user(db, "me@example.com")
        as_user(db, user, org="o-1", email="me@example.com")
        db.execute("select set_config('request.jwt.claim.sub', '', true)")
        row = db.execute("select auth.uid(), auth.role(), auth.email(), auth.jwt() ->> 'sub'")

        assert row.fetchone() == (user, "authenticated", "me@example.com", str(user))


def test_realtime_send_stores_a_message_for_the_operator_and_only_warns_otherwise(bare):
    with psycopg.connect(bare) as db:
        db.execute("""select realtime.send('{"id": 1}', 'changed', 'org:1', true)""")
        stored = "select topic, event, payload, private from realtime.messages"
        assert db.execute(stored).fetchall() == [("org:1", "changed", {"id": 1}, True)]

        warnings = []
        db.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
        as_user(db, None)
        db.execute("select realtime.send('{}', 'changed', 'org:1', true)")
        assert len(warnings) == 1
        assert warnings[0].startswith("WarnSendingBroadcastMessage")


def test_new_tables_of_public_are_exposed_as_hosted_projects_do_it(bare):
    with psycopg.connect(bare) as db:
        db.execute("create table public.fresh (id int)")
        row = db.execute("select has_table_privilege('anon', 'public.fresh', 'select')").fetchone()

        assert row == (True,)


def test_an_interrupted_creation_is_begun_anew(tmp_path):
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("17\n")
    own = Cluster(folder, tmp_path / "postgres.log", "secret", durable=False)

    assert own.create()
    own.start()
    own.stop()

    assert not own.create()


def test_a_stale_lock_of_another_process_does_not_block_the_start(tmp_path):
    own = Cluster(tmp_path / "postgres", tmp_path / "postgres.log", "secret", durable=False)
    own.create()
    # Process 1 is alive and is not PostgreSQL: what a reboot leaves behind.
    (own.folder / "postmaster.pid").write_text(f"1\n{own.folder}\n0\n1\n")

    own.start()
    try:
        with psycopg.connect(own.address()) as db:
            assert db.execute("select 1").fetchone() == (1,)
    finally:
        own.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_under_root_the_server_runs_as_another_account_below_a_closed_folder(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    own = Cluster(closed / "postgres", closed / "postgres.log", "secret", durable=False)

    own.create()
    own.start()
    try:
        with psycopg.connect(own.address()) as db:
            db.execute("create table kept as select 1 as one")
        owner = Path(f"/proc/{own.pid}").stat().st_uid
    finally:
        own.stop()

    assert owner != 0


def test_only_this_machine_can_reach_the_database_and_only_with_a_password(cluster):
    with psycopg.connect(cluster.url("postgres", SUPERUSER)) as db:
        assert db.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        assert db.execute("show unix_socket_directories").fetchone() == ("",)

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(cluster.url("postgres", SUPERUSER).replace(cluster.password, "wrong"))


def test_missing_library_links_are_made_again(tmp_path):
    package = tmp_path / "package"
    library = package / "native" / "lib"
    library.mkdir(parents=True)
    (library / "libx.so.1.2").touch()
    (package / "native" / "pg-symlinks.json").write_text(
        '[{"source": "native/lib/libx.so.1.2", "target": "native/lib/libx.so.1"}]'
    )

    packages.hydrate(package)
    packages.hydrate(package)

    assert (library / "libx.so.1").resolve() == (library / "libx.so.1.2").resolve()
