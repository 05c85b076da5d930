"""What is written down about access is what the database has: grants, and two independent proofs."""

from __future__ import annotations

import json
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.golden import MATRIX, PRIVILEGES, access_matrix, pgrls, privileges
from tests.world import acting_as, make_world

REGENERATE = "if the change is meant, run `make golden` and read the difference"
IDENTITIES = ("private.current_org", "private.leased_org")

# What the prover cannot decide, and why that is right. Each is tried by matrix, machine and Mallory.
NOT_PROVEN = {
    "anon": {
        "public.data_exports": "an export is also seen by its subject: found by a subquery",
        "public.memberships": "seen across a person's organizations: a set, not one identity",
        "public.organizations": "the list one chooses from: a set, not one identity",
        "public.profiles": "one's own and those of colleagues: a set, not one identity",
    },
    "cross-tenant": {
        "public.calling_tokens": "one's own only: the person beside the organization, two identities",
        "public.data_exports": "an export is also seen by its subject: found by a subquery",
        "public.memberships": "seen across a person's organizations: a set, not one identity",
        "public.organizations": "the list one chooses from: a set, not one identity",
        "public.plans": "the price list: nobody's rows, the same for everybody",
        "public.privacy_requests": "turns on whether a second permission is there (is not null)",
        "public.profiles": "one's own and those of colleagues: a set, not one identity",
        "private.account_roles": "a list of ours, no tenant's rows",
        "private.provider_settings": "a list of ours, split by provider, no tenant's rows",
        "private.sealing_keys": "public keys of ours, no tenant's rows",
    },
    "write": {
        "public.organizations": "its tenant column is its own id, which the prover does not take for one",
    },
}

# Found by the permission to write, checked by the one to read: to the prover, which does not know that
# both answer the organization that the request names or nothing, these are two organizations.
CHECKED_BY_READING = """
    select p.schemaname, p.tablename, p.policyname, p.qual
    from pg_policies as p
    join pg_policies as s on (s.schemaname, s.tablename, s.roles) = (p.schemaname, p.tablename, p.roles)
    where p.cmd = 'UPDATE' and s.cmd = 'SELECT' and s.qual = p.with_check and s.qual <> p.qual
        and p.schemaname in ('public', 'private')
"""


@pytest.fixture(scope="module")
def url(cluster, template):
    name = cluster.create(template, "golden")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def one_name(cluster, template):
    """A copy whose changes are checked in the words that found the row, and the tables that differ."""
    name = cluster.create(template, "golden_one_name")
    with psycopg.connect(cluster.url(name)) as db:
        different = db.execute(CHECKED_BY_READING).fetchall()
        for schema, table, policy, found in different:
            statement = sql.SQL("alter policy {} on {} with check (" + found + ")")
            db.execute(statement.format(sql.Identifier(policy), sql.Identifier(schema, table)))
    yield cluster.url(name), {f"{schema}.{table}" for schema, table, _, _ in different}
    cluster.drop(name)


def test_the_access_matrix_is_the_one_that_was_reviewed(url):
    assert access_matrix(url) == json.loads(MATRIX.read_text()), REGENERATE


def test_the_grants_are_the_ones_that_were_reviewed(db):
    assert privileges(db) == json.loads(PRIVILEGES.read_text()), REGENERATE


def prove(url, mode):
    """Return what the prover says of each table."""
    words = [word for identity in IDENTITIES for word in ("--auth-function", identity)]
    code, told = pgrls(url, "verify", "--schemas", "public,private", "--mode", mode, *words)
    assert code == 0
    return {row["table"]: row["verdict"] for row in told["tables"]}


@pytest.mark.parametrize("mode", NOT_PROVEN)
def test_every_tenant_table_is_proven_isolated_or_is_listed_with_the_reason(url, mode, one_name):
    verdicts = prove(one_name[0] if mode == "write" else url, mode)

    assert {t for t, verdict in verdicts.items() if verdict != "isolated"} == set(NOT_PROVEN[mode])
    assert set(verdicts.values()) <= {"isolated", "unverified"}
    assert sum(verdict == "isolated" for verdict in verdicts.values()) >= 40


def test_only_the_tables_checked_by_reading_are_proven_by_way_of_a_copy(url, one_name):
    verdicts = prove(url, "write")

    undecided = {t for t, verdict in verdicts.items() if verdict == "unverified"}
    assert "leak" not in verdicts.values()
    assert undecided == one_name[1] | set(NOT_PROVEN["write"])


def test_whatever_the_permission_no_other_than_the_named_organization_is_answered(db):
    """What makes the copy a proof: the answers to two permissions are never two organizations."""
    world = make_world(db)
    permissions = [row[0] for row in db.execute("select permission from private.permissions")]
    both = world.ours.people["owner"]
    db.execute(
        "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'viewer')",
        [world.theirs.id, both],
    )
    several = 0

    for person in world.ours.people.values():
        for named in (world.ours.id, world.theirs.id, uuid4()):
            with acting_as(db, "authenticated", user=person, org=named):
                rows = db.execute(
                    "select private.current_org(p) from unnest(%s::text[]) as p", [permissions]
                ).fetchall()
            answers = [answer for (answer,) in rows if answer is not None]
            assert set(answers) <= {named}
            several += len(answers) > 1
    assert several == len(world.ours.people) + 1  # everybody at home, one of them also as a guest
