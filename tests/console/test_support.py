"""`connext support`: what an operator grants, staff read with it, and owners can see."""

from __future__ import annotations

import psycopg
import pytest

from tests.database import url_as
from tests.people import make_person
from tests.world import make_world

WHY = "invoice page stays empty"


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_world(db)
        make_person(db, made.ours, name="Ana Lafleur", number=1111)
    return made


def grant(operated, org, *words, scope="crm.read", by="luc.o"):
    return operated(
        "support", "grant", org.id, "--to", "sam.b", "--by", by, "--reason", WHY,
        "--scope", scope, *words, "--json",
    )  # fmt: skip


@pytest.fixture
def as_staff(clone, monkeypatch):
    """Become the person that a grant was made for."""

    def become(token):
        monkeypatch.setenv("CONNEXT_DATABASE_URL", url_as(clone, "support"))
        monkeypatch.setenv("CONNEXT_SUPPORT_TOKEN", token)

    return become


def test_staff_read_with_a_grant_and_it_is_on_record_until_it_is_revoked(
    operated, world, as_staff, clone, monkeypatch
):
    made = grant(operated, world.ours).json
    as_staff(made["token"])

    shown = operated("support", "read", made["id"], "public.customers")
    assert [row["display_name"] for row in shown.json] == ["Ana Lafleur"]
    assert operated("support", "read", made["id"], "public.invoices").code == 4
    assert operated("support", "list").code == 4  # staff see no list

    monkeypatch.setenv("CONNEXT_DATABASE_URL", clone)
    (listed,) = operated("support", "list", "--json").json
    assert (listed["standing"], listed["reads"]) == ("live", 1)
    (read,) = operated("support", "reads", made["id"], "--json").json
    assert (read["staff"], read["table"], read["rows"], read["reason"]) == (
        "sam.b", "public.customers", 1, WHY,
    )  # fmt: skip
    assert operated("support", "revoke", made["id"]).code == 0
    assert operated("support", "revoke", made["id"]).code == 3
    assert operated("support", "list", "--json").json == []
    assert operated("support", "list", "--all", "--json").json[0]["standing"] == "revoked"

    as_staff(made["token"])
    assert operated("support", "read", made["id"], "public.customers").code == 4


def test_what_is_not_granted(operated, world, as_staff):
    assert grant(operated, world.ours, by="sam.b").code != 0  # nobody to themselves
    assert grant(operated, world.ours, scope="integrations.manage").code != 0
    assert grant(operated, world.ours, "--hours", "100").code == 2
    assert operated("support", "revoke", world.ours.id).code == 1
    assert operated("support", "list", "--all", "--json").json == []

    as_staff("")
    assert operated("support", "read", world.ours.id, "public.customers").code == 2
    as_staff("guess")
    assert operated("support", "read", world.ours.id, "public.customers").code == 4


def test_the_token_is_nowhere_in_the_database(operated, world, sql):
    token = grant(operated, world.ours).json["token"]

    assert token not in str(sql("select * from public.support_grants").fetchall())
    assert token not in str(sql("select * from audit.events").fetchall())
