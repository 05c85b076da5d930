"""Whoever is erased is gone; everybody else is, byte for byte, as before."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import crowded
from tests.books import one
from tests.world import make_world

# The same ones in every run: what CI finds is found here as well.
PACE = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    phases=[Phase.generate],  # shrinking a case takes minutes
)
CHAIN = """
    select count(*) from audit.receipts as r
    left join audit.receipts as p on p.org_id = r.org_id and p.n = r.n - 1
    where r.hash <> audit.receipt_hash(r.org_id, r.n, r.kind, r.reference, r.digest, r.prev)
        or r.prev <> coalesce(p.hash, decode(repeat('00', 32), 'hex'))
"""


@pytest.fixture(scope="module")
def standing(scratch):
    with psycopg.connect(scratch) as connection:
        yield connection, make_world(connection)
        connection.rollback()


def granted(db, org, kind, **subject):
    request = one(
        db, "select id from privacy.open_for(%s, 'deletion', %s, %s, %s, null, null, 'email', 'self', now(), null)",
        org, kind, subject.get("user"), subject.get("customer"),
    )  # fmt: skip
    db.execute("select privacy.verify_request(%s, %s, 'session', null)", [org, request])
    db.execute("select privacy.decide_request(%s, %s, true, 'ana.r', null, null)", [org, request])
    return request


def ended(db, org, run):
    """Certify, and see that the chain of receipts holds."""
    db.execute(
        "select privacy.finish_erasure(%s, %s, '{}', decode(repeat('00', 64), 'hex'), 'key')",
        [org, run],
    )
    assert one(db, CHAIN) == 0
    assert (
        one(db, "select count(*) from audit.receipts where org_id = %s and kind = 'erasure'", org)
        == 1
    )


def others(rows, ids):
    return {
        t: [row for row in found if not any(i in row for i in ids)] for t, found in rows.items()
    }


@PACE
@given(crowd=crowded.bodies, chosen=st.integers(0, 3))
def test_a_person_is_gone_and_nobody_else_is_touched(standing, crowd, chosen):
    connection, world = standing
    with connection.transaction(force_rollback=True):
        everybody = crowded.write(connection, (world.ours, world.theirs), crowd)
        ours = [known for known in everybody if known.org == 0]
        subject = ours[chosen % len(ours)]
        # Somebody's thread that was taken over by another customer is that other's.
        before = crowded.rows(connection)
        request = granted(connection, world.ours.id, "contact", customer=subject.customer)

        run, residue = crowded.carry_out(connection, world.ours.id, request)

        assert residue == []
        after = crowded.rows(connection)
        assert others(after, subject.ids) == others(before, subject.ids)
        left = {
            table: [
                row
                for row in found
                if any(word in row for word in subject.words) and str(world.ours.id) in row
            ]
            for table, found in after.items()
        }
        kept = {"public.opt_outs"} | (
            {"public.invoices"} if subject.body.paper == "owed" else set()
        )
        assert {table for table, found in left.items() if found} <= kept
        done = one(connection, "select done from privacy.erasures where id = %s", run)
        assert crowded.batches(connection, world.ours.id, run, "contact", everywhere=False) == 0
        assert one(connection, "select done from privacy.erasures where id = %s", run) == done
        ended(connection, world.ours.id, run)
        assert crowded.rows(connection) == after


@settings(PACE, max_examples=4)
@given(
    crowd=crowded.bodies,
    role=st.sampled_from(["agent", "accountant", "viewer"]),
    twice=st.booleans(),
)
def test_a_member_is_gone_here_and_stays_where_else_they_belong(standing, crowd, role, twice):
    connection, world = standing
    with connection.transaction(force_rollback=True):
        user = world.ours.people[role]
        if twice:
            connection.execute(
                "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'viewer')",
                [world.theirs.id, user],
            )
        crowded.write(connection, (world.ours, world.theirs), crowd)
        connection.execute("update public.notes set created_by = %s", [user])
        before = crowded.rows(connection)
        request = granted(connection, world.ours.id, "member", user=user)

        run, residue = crowded.carry_out(connection, world.ours.id, request)

        assert residue == []
        after = crowded.rows(connection)
        gone = {str(user)}
        assert others(after, gone)["public.customers"] == others(before, gone)["public.customers"]
        mine = [row for found in after.values() for row in found if str(user) in row]
        theirs = str(world.theirs.id)
        if twice:
            assert all(theirs in row or row == str(user) for row in mine)
            assert [r for r in before["public.memberships"] if theirs in r] == [
                r for r in after["public.memberships"] if theirs in r
            ]
        else:
            assert [row for row in mine if theirs not in row] == []
        ended(connection, world.ours.id, run)


def test_a_thread_that_another_customer_took_over_is_theirs_and_is_said(standing):
    connection, world = standing
    with connection.transaction(force_rollback=True):
        crowd = [
            crowded.Body("Ana Lafleur", 1, frozenset({0}), 1, 1, None, opted_out=False),
            crowded.Body("Bob Tremblay", 2, frozenset({0}), 1, 1, None, opted_out=False),
        ]
        ana, bob = crowded.write(connection, (world.ours, world.theirs), crowd)
        connection.execute(
            "update public.conversations set customer_id = %s where customer_id = %s and org_id = %s",
            [bob.customer, ana.customer, world.ours.id],
        )
        before = crowded.rows(connection)["public.conversations"]
        request = granted(connection, world.ours.id, "contact", customer=ana.customer)

        _, residue = crowded.carry_out(connection, world.ours.id, request)

        places = {f"{hit[0]}.{hit[1]}" for hit in residue}
        assert {"public.conversations.contact_external_id", "public.messages.body"} <= places
        assert crowded.rows(connection)["public.conversations"] == before
