"""Customers: normalized contact points, what belongs to whom, search, the timeline."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.database import as_anon, as_operator, as_user
from tests.shop import customer, invoice, open_shop, order, refused, step_in, value

POINT = (
    "insert into public.contact_points (org_id, customer_id, kind, value) values (%s, %s, %s, %s)"
)
FOUND = "select array_agg(display_name) from public.search_customers(%s)"


@pytest.mark.parametrize(
    ("kind", "written", "stored"),
    [
        ("email", "  Ana.Roy@Example.COM ", "ana.roy@example.com"),
        ("phone", "(514) 555-0123", "+15145550123"),
        ("phone", "011 33 6 12 34 56 78", "+33612345678"),
        ("messenger", " 2345678901 ", "2345678901"),
    ],
)
def test_a_contact_point_is_stored_in_its_comparable_form(db, kind, written, stored):
    org = open_shop(db)
    step_in(db, org, "agent")

    db.execute(POINT, [org.id, customer(db, org.id), kind, written])

    assert value(db, "select value from public.contact_points where kind = %s", [kind]) == stored


@pytest.mark.parametrize("written", ["", "ana", "ana@", "@example.com", "a b@example.com", "a@b"])
def test_a_malformed_address_is_refused(db, written):
    org = open_shop(db)
    step_in(db, org, "agent")

    refused(db, "CX006", POINT, [org.id, customer(db, org.id), "email", written])


def test_a_contact_point_belongs_to_one_customer_of_each_organization(db):
    ours, theirs = open_shop(db), open_shop(db)
    for org in (ours, theirs):
        step_in(db, org)
        db.execute(POINT, [org.id, customer(db, org.id), "email", "ana@example.com"])

    refused(db, "23505", POINT, [theirs.id, customer(db, theirs.id), "email", "ANA@example.com"])


def test_the_last_one_made_primary_is_the_only_one(db):
    org = open_shop(db)
    step_in(db, org, "agent")
    who = customer(db, org.id)
    insert = (
        "insert into public.contact_points (org_id, customer_id, kind, value, is_primary)"
        " values (%s, %s, %s, %s, true)"
    )

    for kind, point in [("email", "a@x.ca"), ("phone", "514 555 0100"), ("email", "b@x.ca")]:
        db.execute(insert, [org.id, who, kind, point])
    db.execute("update public.contact_points set is_primary = true where value = 'a@x.ca'")

    primary = db.execute("select value from public.contact_points where is_primary order by value")
    assert [row[0] for row in primary] == ["+15145550100", "a@x.ca"]


def test_nothing_points_into_another_organization_even_for_a_member_of_both(db):
    ours, theirs = open_shop(db), open_shop(db)
    db.execute(
        "insert into public.memberships values (%s, %s, 'owner')", [theirs.id, ours.people["owner"]]
    )
    step_in(db, theirs)
    foreign = customer(db, theirs.id)
    step_in(db, ours)

    for table, column in [
        ("contact_points (org_id, customer_id, kind, value)", "'email', 'a@x.ca'"),
        ("addresses (org_id, customer_id, kind, line1)", "'billing', '1 rue A'"),
        ("notes (org_id, customer_id, body)", "'x'"),
        ("tasks (org_id, customer_id, title)", "'x'"),
        ("orders (org_id, customer_id)", None),
        ("invoices (org_id, customer_id)", None),
    ]:
        row = f"%s, %s, {column}" if column else "%s, %s"
        refused(db, "23503", f"insert into public.{table} values ({row})", [ours.id, foreign])
        refused(db, "23503", f"insert into public.{table} values ({row})", [ours.id, uuid4()])


def test_a_forged_organization_is_refused_alike_whether_it_exists_or_not(db):
    ours, theirs = open_shop(db), open_shop(db)
    step_in(db, theirs)
    who = customer(db, theirs.id)
    db.execute(POINT, [theirs.id, who, "phone", "514 555 0123"])
    step_in(db, ours)

    for org in (theirs.id, uuid4()):
        refused(db, "42501", POINT, [org, who, "phone", "514 555 0123"])
        refused(db, "42501", POINT, [org, who, "phone", "rubbish"])
        refused(
            db, "42501", "insert into public.addresses (org_id, customer_id, line1) values (%s, %s, 'x')",
            [org, who],
        )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "insert into public.customers (org_id, display_name, created_by) values (%(org)s, 'x', %(me)s)",
        (
            "insert into public.notes (org_id, customer_id, body, created_by)"
            " values (%(org)s, %(who)s, 'x', %(me)s)"
        ),
        "update public.customers set org_id = %(org)s",
        "update public.customers set created_by = %(me)s",
        "update public.notes set customer_id = %(who)s",
        "update public.contact_points set kind = 'email'",
        "truncate public.customers",
    ],
)
def test_owner_columns_are_nobodys_to_write(db, change):
    org = open_shop(db)
    step_in(db, org)
    who = customer(db, org.id)

    refused(db, "42501", change, {"org": org.id, "who": who, "me": org.people["owner"]})


def test_what_one_writes_is_signed_with_ones_own_name(db):
    org = open_shop(db)
    step_in(db, org, "agent")

    who = customer(db, org.id)

    signed = value(db, "select created_by from public.customers where id = %s", [who])
    assert signed == org.people["agent"]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({"kind": "company", "company_name": "Acme inc."}, "Acme inc."),
        ({"given_name": "Ana", "family_name": "Roy"}, "Ana Roy"),
        ({"display_name": "  Ana ", "given_name": "Anabelle"}, "Ana"),
    ],
)
def test_a_customer_without_a_name_to_show_takes_it_from_the_others(db, columns, shown):
    org = open_shop(db)
    step_in(db, org)
    names = ", ".join(columns)

    made = value(
        db,
        f"insert into public.customers (org_id, {names})"
        f" values (%s{', %s' * len(columns)}) returning display_name",
        [org.id, *columns.values()],
    )

    assert made == shown


def test_a_customer_without_any_name_is_refused(db):
    org = open_shop(db)
    step_in(db, org)

    refused(db, "23502", "insert into public.customers (org_id) values (%s)", [org.id])


def test_a_task_is_assigned_to_members_only_and_left_unassigned_by_who_leaves(db):
    ours, theirs = open_shop(db), open_shop(db)
    step_in(db, ours, "agent")
    insert = "insert into public.tasks (org_id, title, assigned_to) values (%s, 'Call', %s)"
    refused(db, "23503", insert, [ours.id, theirs.people["agent"]])
    db.execute(insert, [ours.id, ours.people["viewer"]])

    as_operator(db)
    db.execute("select private.remove_member(%s, %s)", [ours.id, ours.people["viewer"]])

    left = db.execute("select title, assigned_to from public.tasks where org_id = %s", [ours.id])
    assert left.fetchall() == [("Call", None)]


def test_an_address_takes_the_country_of_the_organization_and_a_printed_postal_code(db):
    org = open_shop(db)
    step_in(db, org)

    made = db.execute(
        "insert into public.addresses (org_id, customer_id, line1, postal_code)"
        " values (%s, %s, '1 rue A', 'h2x1y4') returning country, postal_code",
        [org.id, customer(db, org.id)],
    ).fetchone()

    assert made == ("CA", "H2X 1Y4")


@pytest.mark.parametrize(
    "query",
    ["benoit", "BENOÎT", "trembl", "tremblay benoit", "benoit tremblai", "b.tremblay@", "514-555",
     "(514) 555 0123", "+1 514 555-0123"],
)  # fmt: skip
def test_a_customer_is_found_by_what_people_remember(db, query):
    org = open_shop(db)
    step_in(db, org, "agent")
    who = customer(db, org.id, "Benoît Tremblay")
    customer(db, org.id, "Œuvres Lévesque")
    db.execute(POINT, [org.id, who, "email", "b.tremblay@example.com"])
    db.execute(POINT, [org.id, who, "phone", "514 555 0123"])

    step_in(db, org, "viewer")

    assert value(db, FOUND, [query]) == ["Benoît Tremblay"]


@pytest.mark.parametrize("query", ["", "   ", None, "%", "_____", "\\", "zzz"])
def test_a_search_for_nothing_or_for_wildcards_finds_nobody(db, query):
    org = open_shop(db)
    step_in(db, org)
    customer(db, org.id)

    assert value(db, FOUND, [query]) is None


def test_a_search_stays_in_the_organization_whatever_the_header_says(db):
    ours, theirs = open_shop(db), open_shop(db)
    for org in (ours, theirs):
        step_in(db, org)
        db.execute(POINT, [org.id, customer(db, org.id, f"Ana of {org.id}"), "email", "ana@x.ca"])

    as_user(db, ours.people["viewer"], ours.id)
    assert value(db, FOUND, ["ana"]) == [f"Ana of {ours.id}"]
    as_user(db, ours.people["viewer"], theirs.id)
    refused(db, "CX001", FOUND, ["ana"])
    as_anon(db, ours.id)
    refused(db, "42501", FOUND, ["ana"])


def test_a_search_walks_the_trigrams_of_its_own_organization(db):
    ours, theirs = open_shop(db), open_shop(db)
    db.execute(
        "insert into public.customers (org_id, display_name)"
        " select %s, 'Zacharie ' || n from generate_series(1, 20000) as n",
        [theirs.id],
    )
    step_in(db, ours)
    customer(db, ours.id, "Zacharie Roy")
    as_operator(db)
    db.execute("analyze public.customers")

    plan = value(
        db,
        "explain (analyze, buffers, format json) select id from public.customers where org_id = %s and"
        " search_words like '%%zacharie%%'",
        [ours.id],
    )[0]["Plan"]

    assert plan["Actual Rows"] == 1
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60


def test_a_conversation_is_linked_to_a_customer_of_the_same_organization_only(db):
    ours, theirs = open_shop(db), open_shop(db)
    step_in(db, theirs)
    foreign = customer(db, theirs.id)
    step_in(db, ours, "agent")
    who = customer(db, ours.id)
    link = "select public.link_conversation(%s, %s)"

    refused(db, "CX003", link, [ours.conversation, foreign])
    refused(db, "CX003", link, [theirs.conversation, who])
    db.execute(link, [ours.conversation, who])

    linked = value(
        db, "select customer_id from public.conversations where id = %s", [ours.conversation]
    )
    assert linked == who
    step_in(db, ours, "viewer")
    refused(db, "CX002", link, [ours.conversation, who])


def test_the_timeline_shows_of_a_customer_what_the_reader_may_see(db):
    ours, theirs = open_shop(db), open_shop(db)
    for org in (theirs, ours):
        step_in(db, org)
        who = customer(db, org.id)
        db.execute(
            "insert into public.notes (org_id, customer_id, body) values (%s, %s, 'x')",
            [org.id, who],
        )
        db.execute(
            "insert into public.tasks (org_id, customer_id, title) values (%s, %s, 'x')",
            [org.id, who],
        )
        order(db, org.id, who)
        bill = invoice(db, org.id, who)
        db.execute("select public.issue_invoice(%s)", [bill])
        db.execute("select public.record_payment(%s, 100, 'cash')", [bill])
        db.execute("select public.link_conversation(%s, %s)", [org.conversation, who])
    kinds = "select array_agg(kind order by kind) from public.timeline"
    business = ["invoice", "note", "order", "payment", "task"]

    step_in(db, ours, "viewer")
    assert value(db, kinds) == sorted([*business, "message"])
    step_in(db, ours, "accountant")
    assert value(db, kinds) == business
    as_user(db, ours.people["owner"], theirs.id)
    assert value(db, kinds) is None
    as_anon(db, ours.id)
    refused(db, "42501", kinds)


def test_deleting_a_customer_takes_what_is_known_of_them_and_keeps_conversations(db):
    org = open_shop(db)
    step_in(db, org)
    who = customer(db, org.id)
    db.execute(POINT, [org.id, who, "email", "ana@x.ca"])
    db.execute("select public.link_conversation(%s, %s)", [org.conversation, who])

    db.execute("delete from public.customers where id = %s", [who])

    assert value(db, "select count(*) from public.contact_points") == 0
    assert db.execute("select customer_id from public.conversations").fetchall() == [(None,)]


def test_a_customer_with_papers_stays(db):
    org = open_shop(db)
    step_in(db, org)
    who = customer(db, org.id)
    invoice(db, org.id, who)

    refused(db, "23503", "delete from public.customers where id = %s", [who])
