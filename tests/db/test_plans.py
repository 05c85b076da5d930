"""Plans of the hot queries stay what they are without row-level security, but for the helper."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.crowd import load
from tests.database import url_as
from tests.world import acting_as, hold_job

HELPER = 2  # pages that private.current_org looks at: the membership, by the hash of its ids
ACTIVE = 3  # and its look at the profile, when no header names the organization

# What supabase-js sends; the same text runs with and without policies.
QUERIES = {
    "the latest 50 of a conversation": """
        select id, direction, state, body, occurred_at from public.messages
        where conversation_id = $1 order by occurred_at desc, id desc limit 50
    """,
    "a page further down": """
        select id, direction, state, body, occurred_at from public.messages
        where conversation_id = $1 and occurred_at < now() - interval '10 minutes'
        order by occurred_at desc, id desc limit 50
    """,
    "50 conversations": """
        select id, contact_external_id, last_message_at, unread_count from public.conversations
        order by last_message_at desc, id limit 50
    """,
    "a message by its id": "select id, body, state from public.messages where id = $1",
    "a conversation by its id": "select id, status from public.conversations where id = $1",
}


@pytest.fixture(scope="module")
def crowd(cluster, template):
    """A database with 50,000 messages in 10,000 threads of 200 organizations, and a place in each."""
    name = cluster.create(template, "crowd")
    url = cluster.url(name)
    with psycopg.connect(url_as(url, "supabase_admin"), autocommit=True) as admin:
        places = load(admin, orgs=200, messages=50_000, users=4_000, per_thread=5)
    yield url, places
    cluster.drop(name)


@pytest.fixture(scope="module", params=["auto", "force_generic_plan"])
def prepared(crowd, request):
    """One connection with every query prepared, with policies and with an org filter instead."""
    url, places = crowd
    with psycopg.connect(url) as db:
        db.execute(f"set plan_cache_mode = {request.param}")
        with acting_as(db, "authenticated", user=places[0].person, org=places[0].org):
            for _ in range(10):  # as in every pool, the helper has its plan already
                db.execute("select private.current_org('inbox.read')")
        for number, query in enumerate(QUERIES.values()):
            kind = "(uuid)" if "$1" in query else ""
            db.execute(f"prepare with_policies_{number} {kind} as {query}")
            filtered = _filtered(query)
            db.execute(
                f"prepare without_{number} {'(uuid, uuid)' if kind else '(uuid)'} as {filtered}"
            )
        db.commit()
        yield db, places


def _filtered(query):
    """Say in the query itself what the policy says, where no policy is asked."""
    org = "$2" if "$1" in query else "$1"
    if "where" in query:
        return query.replace("where", f"where org_id = {org} and", 1)
    return query.replace("order by", f"where org_id = {org} order by", 1)


def _explained(db, name, *values):
    """Return buffers and kinds of scans of a prepared statement whose pages are in memory."""
    listed = ", ".join(f"'{value}'" for value in values)
    query = (
        f"explain (analyze, buffers, format json) execute {name}{f'({listed})' if values else ''}"
    )
    for _ in range(2):
        row = db.execute(query).fetchone()
    plan = row[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], json.dumps(plan)


@pytest.mark.parametrize("header", [True, False], ids=["header", "active"])
@pytest.mark.parametrize("size", [0, 14, 150], ids=["large", "middle", "small"])
@pytest.mark.parametrize("name", QUERIES)
def test_policies_cost_the_helper_and_nothing_else(prepared, name, size, header):
    db, places = prepared
    place, number = places[size], list(QUERIES).index(name)
    target = {
        "a message by its id": [place.message],
        "50 conversations": [],
    }.get(name, [place.thread])

    plain, _ = _explained(db, f"without_{number}", *target, place.org)
    with acting_as(db, "authenticated", user=place.person, org=place.org if header else None):
        spent, plan = _explained(db, f"with_policies_{number}", *target)

    assert spent <= plain + HELPER + (0 if header else ACTIVE)
    assert '"Node Type": "Seq Scan"' not in plan
    assert plan.count('"Parent Relationship": "InitPlan"') == 1


@pytest.mark.parametrize("size", [0, 150], ids=["large", "small"])
def test_a_change_asks_the_helper_three_times(prepared, size):
    """To read and to write the row that is there, and once about the row that comes of it."""
    db, places = prepared
    place = places[size]
    change = f"update public.conversations set status = 'open' where id = '{place.thread}'"

    with acting_as(db, "authenticated", user=place.person, org=place.org):
        plan = _plan(db, change)

    asked = [node for node in plan["Plans"] if node["Parent Relationship"] == "InitPlan"]
    assert [_pages(node) for node in asked] == [HELPER] * 3


def _plan(db, statement):
    """Return the plan of a statement, run often enough for the plans inside helpers to be made."""
    for _ in range(6):
        with db.transaction(force_rollback=True):
            row = db.execute(f"explain (analyze, buffers, format json) {statement}").fetchone()
    return row[0][0]["Plan"]


def _pages(node):
    return node["Shared Hit Blocks"] + node["Shared Read Blocks"]


def test_a_worker_asks_for_its_lease_without_planning_anew(crowd):
    url, places = crowd
    place = places[0]
    asked = "select private.leased_org('meta')"

    with psycopg.connect(url_as(url, "supabase_admin")) as db:
        hold_job(db, "meta", place.org)
        with acting_as(db, "worker_meta"):
            spent = _pages(_plan(db, asked))
            found = db.execute(asked).fetchone()
        db.rollback()

    assert found == (place.org,)
    assert spent <= 2  # planning would look at the ends of the index too


@pytest.mark.parametrize("size", [0, 150], ids=["large", "small"])
def test_a_count_reads_one_organization_only(crowd, size):
    url, places = crowd
    place = places[size]
    query = "explain (analyze, format json) select count(*) from public.messages"

    with (
        psycopg.connect(url) as db,
        acting_as(db, "authenticated", user=place.person, org=place.org),
    ):
        plan = db.execute(query).fetchone()[0][0]["Plan"]

    assert "Seq Scan" not in json.dumps(plan)
    assert plan["Plans"][-1]["Actual Rows"] == pytest.approx(place.messages, rel=0.05, abs=2)
