"""Links to exports: one use, an end, one person, and every step of it in the audit."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from tests.database import as_operator, as_user, connect_as
from tests.world import acting_as, make_world

LINK = "select token from public.issue_export_link(%s)"
REDEEM = "select path from queue.redeem_export(%s)"


def made(db, org, *, requested_by=None, subject=None):
    """A request with an export that lies ready; return both ids."""
    kind = "member" if requested_by else "contact"
    person = db.execute(
        "insert into public.customers (org_id, display_name) values (%s, 'Ana Roy') returning id",
        [org.id],
    ).fetchone()[0]
    request = db.execute(
        "insert into public.privacy_requests (org_id, kind, subject_kind, subject_user_id,"
        " subject_customer_id, requested_by, regime)"
        " values (%s, 'access', %s, %s, %s, %s, 'law25') returning id",
        [org.id, kind, subject or requested_by, None if requested_by else person, requested_by],
    ).fetchone()[0]
    export = uuid4()
    db.execute("select privacy.announce_export(%s, %s, %s)", [org.id, request, export])
    db.execute(
        "select privacy.export_stored(%s, %s, %s, 3, repeat('0', 64), interval '7 days')",
        [org.id, request, export],
    )
    return request, export


@pytest.fixture
def world(db):
    return make_world(db)


def digest(token):
    return hashlib.sha256(token.encode()).digest()


def asking(db, person, org, request, **claims):
    as_user(db, person, org.id, **({"iat": int(time.time())} | claims))
    try:
        with db.transaction():
            return db.execute(LINK, [request]).fetchone()[0]
    finally:
        as_operator(db)


def operators(db, org, request, hours=1):
    with db.transaction():
        return db.execute(
            "select token from privacy.issue_link(%s, %s, make_interval(hours => %s))",
            [org.id, request, hours],
        ).fetchone()[0]


def redeemed(db, token):
    return db.execute(REDEEM, [digest(token)]).fetchone()


def kinds(db, org):
    return [
        row[0]
        for row in db.execute(
            "select kind || coalesce(' ' || (details ->> 'reason'), '') from audit.events"
            " where org_id = %s and kind like 'export.link%%' order by id",
            [org.id],
        )
    ]


def test_a_link_works_once_and_every_step_is_in_the_audit(db, world):
    org = world.ours
    request, export = made(db, org)

    token = operators(db, org, request)

    assert redeemed(db, token) == (f"{org.id}/{export}.zip",)
    assert redeemed(db, token) is None
    assert kinds(db, org) == [
        "export.link_issued",
        "export.link_redeemed",
        "export.link_refused used",
    ]


def test_of_two_who_redeem_at_once_one_gets_it(clone):
    with psycopg.connect(clone) as db:
        org = make_world(db).ours
        request, _ = made(db, org)
        token = operators(db, org, request)

    def go(_):
        with connect_as(clone, "ingress", autocommit=True) as other:
            return redeemed(other, token) is not None

    with ThreadPoolExecutor(8) as many:
        assert sum(many.map(go, range(8))) == 1


def test_a_link_that_has_ended_was_replaced_or_guessed_gets_nothing(db, world):
    org = world.ours
    request, _ = made(db, org)
    first, second = operators(db, org, request), operators(db, org, request)
    assert redeemed(db, first) is None
    db.execute(
        "update privacy.export_links set issued_at = now() - interval '2 hours', expires_at = now() - interval '1 second'"
    )

    assert redeemed(db, second) is None
    assert redeemed(db, "0" * 64) is None
    assert kinds(db, org)[2:] == ["export.link_refused replaced", "export.link_refused expired"]


def test_the_token_is_stored_nowhere(db, world):
    request, _ = made(db, world.ours)
    token = operators(db, world.ours, request)

    rows = db.execute("select l::text from privacy.export_links as l union all select e::text from audit.events as e").fetchall()  # fmt: skip

    assert not [row for row in rows if token in row[0]]


def test_only_who_asked_in_the_app_may_fetch_it(db, world):
    org, people = world.ours, world.ours.people
    request, _ = made(db, org, requested_by=people["agent"])

    assert redeemed(db, asking(db, people["agent"], org, request))
    for other, where in ((people["owner"], org), (world.theirs.people["owner"], world.theirs)):
        with pytest.raises(psycopg.Error) as refused:
            asking(db, other, where, request)
        assert refused.value.sqlstate == "CX003"
    with pytest.raises(psycopg.Error) as refused:
        operators(db, org, request)
    assert refused.value.sqlstate == "CX111"


def test_an_old_sign_in_is_not_enough(db, world):
    org, agent = world.ours, world.ours.people["agent"]
    request, _ = made(db, org, requested_by=agent)
    now = int(time.time())

    for claims in ({"iat": now - 3700}, {"iat": now, "amr": [{"method": "password", "timestamp": now - 3700}]}):  # fmt: skip
        with pytest.raises(psycopg.Error) as refused:
            asking(db, agent, org, request, **claims)
        assert refused.value.sqlstate == "CX111"
    assert asking(db, agent, org, request, amr=[{"method": "otp", "timestamp": now - 60}])


def test_without_an_export_that_lies_ready_there_is_no_link(db, world):
    org = world.ours
    request, export = made(db, org)
    db.execute("select privacy.file_is_gone(%s, %s, null, null)", [org.id, export])

    with pytest.raises(psycopg.Error) as refused:
        operators(db, org, request)
    assert refused.value.sqlstate == "CX003"


def test_a_link_dies_with_its_export(db, world):
    org = world.ours
    request, export = made(db, org)
    token = operators(db, org, request)

    db.execute("delete from public.data_exports where id = %s", [export])

    assert redeemed(db, token) is None
    assert db.execute("select count(*) from privacy.export_links").fetchone() == (0,)


def test_what_storage_could_not_show_is_given_back_within_a_minute(db, world):
    org = world.ours
    request, _ = made(db, org)
    token = operators(db, org, request)
    assert redeemed(db, token)

    db.execute("select queue.return_export(%s)", [digest(token)])

    assert db.execute("select queue.export_link(%s)", [digest(token)]).fetchone() == (True,)
    assert redeemed(db, token)
    db.execute("update privacy.export_links set redeemed_at = now() - interval '2 minutes'")
    db.execute("select queue.return_export(%s)", [digest(token)])
    assert redeemed(db, token) is None


def test_storage_shows_the_receiver_one_export_for_a_minute(db, world):
    org = world.ours
    request, export = made(db, org)
    _, other = made(db, org)
    for name in (export, other):
        db.execute("insert into storage.objects (bucket_id, name) values ('exports', %s)", [f"{org.id}/{name}.zip"])  # fmt: skip
    token = operators(db, org, request)
    db.execute("grant files_exports to current_user")

    def seen():
        db.execute("select set_config('request.headers', json_build_object('x-connext-export', %s::text)::text, true)", [digest(token).hex()])  # fmt: skip
        db.execute("set local role files_exports")
        try:
            return [row[0] for row in db.execute("select name from storage.objects")]
        finally:
            db.execute("reset role")

    assert seen() == []
    assert redeemed(db, token)
    assert seen() == [f"{org.id}/{export}.zip"]
    db.execute("update privacy.export_links set redeemed_at = now() - interval '2 minutes'")
    assert seen() == []


@pytest.mark.parametrize("role", ["owner", "agent"])
def test_nobody_reads_an_export_from_the_bucket_without_a_link(db, world, role):
    org = world.ours
    _, export = made(db, org)
    db.execute("insert into storage.objects (bucket_id, name) values ('exports', %s)", [f"{org.id}/{export}.zip"])  # fmt: skip

    with acting_as(db, "authenticated", user=org.people[role], org=org.id):
        assert db.execute("select name from storage.objects where bucket_id = 'exports'").fetchall() == []  # fmt: skip
