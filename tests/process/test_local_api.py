"""The local API answers as a hosted project's does, above all where it must refuse."""

from __future__ import annotations

import json
import subprocess
import time

import httpx
import jwt
import psycopg
import pytest

from cli.embedded.packages import LOCAL, node

SCHEMA = """
    create table public.zz_closed (id int primary key);
    revoke all on public.zz_closed from anon, authenticated, service_role;

    create table public.zz_mine (
        id int primary key, owner uuid not null default auth.uid(),
        at timestamptz default '2026-01-02 03:04:05+00'
    );
    alter table public.zz_mine enable row level security;
    revoke all on public.zz_mine from anon, authenticated, service_role;
    grant select, insert on public.zz_mine to authenticated;
    grant select on public.zz_mine to service_role;
    create policy zz_read on public.zz_mine for select to authenticated
        using (owner = (select auth.uid()));
    create policy zz_write on public.zz_mine for insert to authenticated
        with check (owner = (select auth.uid()));

    create function public.zz_request() returns jsonb language sql stable set search_path = '' as $$
        select jsonb_build_object(
            'org', current_setting('request.headers', true)::jsonb ->> 'x-connext-org',
            'method', current_setting('request.method', true),
            'path', current_setting('request.path', true),
            'timeout', current_setting('statement_timeout'),
            'role', current_user, 'uid', auth.uid(), 'sub', auth.jwt() ->> 'sub'
        )
    $$;
    create function public.zz_fail(code text) returns void language plpgsql
    set search_path = '' as $$
    begin
        raise exception 'the thing is frozen' using
            errcode = zz_fail.code, detail = 'thing 7', hint = 'Ask an owner to unfreeze it.';
    end
    $$;
    create function public.zz_kind(what jsonb) returns text language sql
    set search_path = '' as $$ select jsonb_typeof(zz_kind.what) $$;
    create function public.zz_write_something() returns void language sql
    set search_path = '' as 'insert into public.zz_mine (id) values (99)';
    grant execute on all functions in schema public to anon, authenticated, service_role;

    insert into storage.buckets (id, name) values ('zz', 'zz') on conflict do nothing;
    create policy zz_files on storage.objects for all to authenticated
        using (bucket_id = 'zz' and (storage.foldername(name))[1] = (select auth.uid())::text)
        with check (bucket_id = 'zz' and (storage.foldername(name))[1] = (select auth.uid())::text);
"""
GONE = """
    drop policy zz_files on storage.objects;
    drop function public.zz_request(), public.zz_fail(text), public.zz_kind(jsonb);
    drop function public.zz_write_something();
    drop table public.zz_closed, public.zz_mine;
"""
GRANTS = """
    select n.nspname, c.relname, c.relacl::text from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname not in ('pg_catalog', 'information_schema') order by 1, 2
"""


@pytest.fixture(scope="module")
def api(quiet_stack):
    with quiet_stack.connect() as db:
        before = db.execute(GRANTS).fetchall()

        db.execute(SCHEMA)
    yield quiet_stack
    with quiet_stack.connect() as db:
        db.execute(GONE)
        assert db.execute(GRANTS).fetchall() == before


@pytest.fixture(scope="module")
def token(api):
    return api.sign_up("first@example.com")["access_token"]


@pytest.fixture(scope="module")
def other_token(api):
    return api.sign_up("second@example.com")["access_token"]


def test_a_table_granted_to_nobody_is_refused_to_everybody(api, token):
    answers = []
    for key, bearer in (
        ("publishable_key", None),
        ("publishable_key", token),
        ("secret_key", None),
    ):
        with api.client(key, bearer) as http:
            answer = http.get("/rest/v1/zz_closed")
            answers.append((answer.status_code, answer.json()["code"]))

    assert answers == [(401, "42501"), (403, "42501"), (403, "42501")]


def test_serving_requests_changes_no_grant(api, token):
    with api.connect() as db:
        before = db.execute(GRANTS).fetchall()

    with api.client(token=token) as http:
        http.get("/rest/v1/zz_closed")
        http.get("/rest/v1/zz_mine").raise_for_status()
        http.post("/storage/v1/object/list/zz", json={"prefix": ""}).raise_for_status()

    with api.connect() as db:
        assert db.execute(GRANTS).fetchall() == before


def test_row_level_security_shows_each_person_their_own_rows(api, token, other_token):
    with api.client(token=token) as http:
        http.post("/rest/v1/zz_mine", json={"id": 1}).raise_for_status()
        mine = http.get("/rest/v1/zz_mine").json()
    with api.client(token=other_token) as http:
        theirs = http.get("/rest/v1/zz_mine").json()
        forged = http.post("/rest/v1/zz_mine", json={"id": 2, "owner": mine[0]["owner"]})

    assert [row["id"] for row in mine] == [1]
    assert theirs == []
    assert (forged.status_code, forged.json()["code"]) == (403, "42501")


def test_times_are_written_as_postgrest_writes_them(api, token):
    with api.client(token=token) as http:
        http.post("/rest/v1/zz_mine", json={"id": 3}).raise_for_status()
        row = http.get("/rest/v1/zz_mine", params={"id": "eq.3"}).json()[0]

    assert row["at"] == "2026-01-02T03:04:05+00:00"


def test_sql_sees_the_request_and_its_caller(api, token):
    with api.client(token=token) as http:
        answer = http.post("/rest/v1/rpc/zz_request", json={}, headers={"X-Connext-Org": "o-1"})
    seen = answer.json()

    assert (seen["org"], seen["method"], seen["path"]) == ("o-1", "POST", "/rpc/zz_request")
    assert (seen["role"], seen["timeout"]) == ("authenticated", "8s")
    assert seen["uid"] == seen["sub"] is not None


def test_each_role_works_under_its_own_statement_timeout(api):
    with api.client() as http:
        anon = http.post("/rest/v1/rpc/zz_request", json={}).json()
    with api.client("secret_key") as http:
        service = http.post("/rest/v1/rpc/zz_request", json={}).json()

    assert (anon["role"], anon["timeout"]) == ("anon", "3s")
    assert (service["role"], service["timeout"]) == ("service_role", "8s")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("CX001", 400),
        ("P0001", 400),
        ("40001", 500),
        ("08006", 503),
        ("53300", 503),
        ("28000", 403),
    ],
)
def test_an_error_raised_in_sql_arrives_whole(api, token, code, status):
    with api.client(token=token) as http:
        answer = http.post("/rest/v1/rpc/zz_fail", json={"code": code})

    assert answer.status_code == status
    assert answer.json() == {
        "code": code,
        "message": "the thing is frozen",
        "details": "thing 7",
        "hint": "Ask an owner to unfreeze it.",
    }


@pytest.mark.parametrize("what", [[{"a": 1}], {"a": [1]}, "[word", "word"])
def test_json_reaches_a_function_as_it_was_sent(api, token, what):
    kinds = {list: "array", dict: "object", str: "string"}

    with api.client(token=token) as http:
        answer = http.post("/rest/v1/rpc/zz_kind", json={"what": what})

    assert answer.json() == kinds[type(what)]


def test_a_get_request_cannot_write(api, token):
    with api.client(token=token) as http:
        answer = http.get("/rest/v1/rpc/zz_write_something")

    assert (answer.status_code, answer.json()["code"]) == (405, "25006")


def test_a_changed_schema_is_served_without_a_restart(api, token):
    with api.client(token=token) as http:
        assert http.get("/rest/v1/zz_later").status_code == 404
        with api.connect() as db:
            db.execute("create table public.zz_later (id int)")
            db.execute("grant select on public.zz_later to authenticated")
        try:
            deadline = time.monotonic() + 10
            while (answer := http.get("/rest/v1/zz_later")).status_code == 404:
                assert time.monotonic() < deadline, "the schema was never read again"
        finally:
            with api.connect() as db:
                db.execute("drop table public.zz_later")

    assert answer.json() == []


def test_only_the_stack_s_own_keys_are_accepted(api):
    with httpx.Client(base_url=api.status["api_url"]) as http:
        without = http.get("/rest/v1/zz_mine")
        wrong = http.get("/rest/v1/zz_mine", headers={"apikey": "sb_publishable_wrong"})

    assert (without.status_code, wrong.status_code) == (401, 401)


def test_a_signed_token_of_a_role_outside_the_api_is_refused(api):
    claims = {"role": "postgres", "sub": "00000000-0000-0000-0000-000000000000", "exp": 4102444800}
    forged = jwt.encode(claims, api.status["jwt_secret"], algorithm="HS256")

    with api.client(token=forged) as http:
        answer = http.post("/rest/v1/rpc/zz_request", json={})

    assert (answer.status_code, answer.json()["code"]) == (403, "42501")


def test_nothing_but_auth_rest_and_storage_is_served(api):
    with api.client("secret_key") as http:
        answers = [http.get(path).status_code for path in ("/_system/config", "/", "/studio")]

    assert answers == [404, 404, 404]


def test_signing_in_needs_the_right_password(api):
    api.sign_up("third@example.com", "a very long password")

    with api.client() as http:
        path = "/auth/v1/token?grant_type=password"
        right = http.post(
            path, json={"email": "third@example.com", "password": "a very long password"}
        )
        wrong = http.post(path, json={"email": "third@example.com", "password": "guessed guess"})

    assert right.json()["user"]["email"] == "third@example.com"
    assert (wrong.status_code, wrong.json()["error_code"]) == (400, "invalid_credentials")


SUPABASE_JS = """
    import { createClient } from "@supabase/supabase-js";
    import WebSocket from "ws";
    const [url, key] = process.argv.slice(1);
    const options = { auth: { persistSession: false }, realtime: { transport: WebSocket } };
    const client = createClient(url, key, options);
    const credentials = { email: "js@example.com", password: "a very long password" };
    const up = await client.auth.signUp(credentials);
    await client.auth.signOut();
    const signedIn = await client.auth.signInWithPassword(credentials);
    const id = signedIn.data.user.id;
    const added = await client.from("zz_mine").insert({ id: 50 }).select().single();
    const failed = await client.rpc("zz_fail", { code: "CX007" });
    const files = client.storage.from("zz");
    const stored = await files.upload(`${id}/hello.txt`, new Blob(["hello"]));
    const replaced = await files.update(`${id}/hello.txt`, new Blob(["hello again"]));
    const fetched = await files.download(`${id}/hello.txt`);
    const signed = await files.createSignedUrl(`${id}/hello.txt`, 60);
    const opened = await fetch(signed.data.signedUrl);
    const removed = await files.remove([`${id}/hello.txt`]);
    console.log(JSON.stringify({
      signedUp: up.error, signedIn: signedIn.error, owner: added.data?.owner === id,
      code: failed.error?.code, hint: failed.error?.hint,
      stored: stored.error, replaced: replaced.error,
      opened: await opened.text(), text: await fetched.data?.text(), removed: removed.data?.length,
    }));
    process.exit(0);
"""


def test_the_official_client_signs_up_reads_writes_and_stores(api):
    done = subprocess.run(
        [
            node(),
            "--input-type=module",
            "--eval",
            SUPABASE_JS,
            api.status["api_url"],
            api.status["publishable_key"],
        ],
        cwd=LOCAL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "signedUp": None,
        "signedIn": None,
        "owner": True,
        "code": "CX007",
        "hint": "Ask an owner to unfreeze it.",
        "stored": None,
        "replaced": None,
        "opened": "hello again",
        "text": "hello again",
        "removed": 1,
    }


@pytest.fixture(scope="module")
def file_url(api, token):
    me = jwt.decode(token, options={"verify_signature": False})["sub"]
    return f"/storage/v1/object/zz/{me}/notes.txt"


def test_storage_keeps_files_behind_row_level_security(api, token, other_token, file_url):
    with api.client(token=token) as http:
        stored = http.post(file_url, content=b"secret notes", headers={"x-upsert": "true"})
        own = http.get(file_url)
    with api.client(token=other_token) as http:
        foreign = http.get(file_url)
        intruding = http.post(file_url.replace("notes", "planted"), content=b"x")
    with api.client() as http:
        anonymous = http.get(file_url)

    assert stored.status_code == 200
    assert own.content == b"secret notes"
    assert [foreign.status_code, intruding.status_code, anonymous.status_code] == [400, 400, 400]


def test_a_file_s_row_cannot_be_deleted_behind_the_storage_api(api, token, file_url):
    with api.client(token=token) as http:
        http.post(file_url, content=b"x", headers={"x-upsert": "true"}).raise_for_status()

    with api.connect() as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("delete from storage.objects")


def test_no_log_holds_what_a_failing_request_carried(api, token):
    marked = "marked-value-4711"
    with api.client(token=token) as http:
        http.post("/rest/v1/zz_mine", json={"id": marked})
        http.get("/rest/v1/zz_mine", params={"owner": f"eq.{marked}"})
        http.post("/auth/v1/token?grant_type=password", json={"email": marked, "password": marked})
        http.post("/rest/v1/rpc/zz_fail", json={"code": marked})
    with api.connect() as db, pytest.raises(psycopg.Error):
        db.execute(f"select '{marked}'::int")

    logs = {path.name: path.read_text() for path in (api.data / "logs").iterdir()}
    assert "42501" in logs["api.log"]
    assert [name for name, text in logs.items() if marked in text] == []
