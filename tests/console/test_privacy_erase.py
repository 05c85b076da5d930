"""`connext privacy erase`: the plan, the run, what stays and why, the sweep, the certificate."""

from __future__ import annotations

import json

import psycopg
import pytest

from cli import erasing, objects
from tests.full_world import make_full_world
from tests.people import make_person, rows_of_tables

REAL = objects.objects


class Killed(BaseException):
    """The process ends here."""


class Storage:
    """Stands in for the Storage API of a stack that is not running."""

    def __init__(self, url):
        self.url = url
        self.deleted = []

    def delete(self, path):
        bucket, _, name = path.partition("/")
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("set storage.allow_delete_query = 'true'")
            db.execute(
                "delete from storage.objects where bucket_id = %s and name = %s", [bucket, name]
            )
        self.deleted.append(path)


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        return make_full_world(db)


@pytest.fixture
def storage(clone, monkeypatch):
    place = Storage(clone)
    monkeypatch.setattr(objects, "objects", lambda data: place)
    return place


@pytest.fixture
def desk(operated, storage, tmp_path, monkeypatch):
    """The console with a signing key and Storage."""
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    from cli import signing

    signing.make(tmp_path / "signing.pem")
    return operated


@pytest.fixture
def people(clone, world):
    """Ana in both organizations and Bob in ours, each in everything."""
    with psycopg.connect(clone) as db:
        ana = make_person(db, world.ours, name="Ana Lafleur", number=1111)
        bob = make_person(db, world.ours, name="Bob Tremblay", number=2222)
        there = make_person(db, world.theirs, name="Ana Lafleur", number=1111)
    return {"ana": ana, "bob": bob, "there": there}


def asked(desk, *words):
    """Open, verify and grant a deletion; return the request's id."""
    made = desk("privacy", "request", "open", *words, "--json")
    assert made.code == 0, made.err
    request = made.json["id"]
    assert desk("privacy", "request", "verify", request, "--method", "session").code == 0
    assert desk("privacy", "request", "grant", request, "--by", "ana.r").code == 0
    return request


def asked_for(desk, org, person):
    return asked(desk, org.id, "deletion", "--email", person.email)


def found(sql, words, org):
    """Every place of the organization where one of the words still stands."""
    rows = sql(
        "select table_name, column_name from privacy.sweep(%s, 'contact', false, %s)",
        [org.id, words],
    )
    return {f"{table}.{column}" for table, column in rows.fetchall()}


def test_a_person_is_erased_and_only_they_and_only_here(  # noqa: PLR0913, PLR0917
    desk, sql, clone, world, people, tmp_path
):
    request = asked_for(desk, world.ours, people["ana"])
    with psycopg.connect(clone) as db:
        before, elsewhere = rows_of_tables(db, world.ours.id), rows_of_tables(db, world.theirs.id)

    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")

    assert ended.code == 0, ended.err
    with psycopg.connect(clone) as db:
        after, still = rows_of_tables(db, world.ours.id), rows_of_tables(db, world.theirs.id)
    assert still == elsewhere
    ana = people["ana"]
    mine = {
        str(ana.customer),
        str(ana.conversation),
        str(ana.message),
        str(ana.invoice),
        ana.phone,
        ana.psid,
    }
    for table, rows in before.items():
        lost = {row for row in rows - after[table] if not any(word in row for word in mine)}
        assert not lost or table == "public.order_items", (table, lost)
    # Allowed: the name on the tax document, out of reach; and the number that said STOP.
    assert found(sql, ana.words, world.ours) == {
        "privacy.retained_documents.fields",
        "public.opt_outs.contact",
    }
    said = desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json
    assert said["sweep"]["residue"] == 0
    assert said["rows"]["public.messages"] == {"delete": 1}
    assert ana.name not in json.dumps(said)
    assert {leg["state"] for leg in said["providers"].values()} <= {"manual", "not_applicable"}
    assert said["retained_documents"][0]["rows"] == 1


def test_a_tax_document_keeps_amounts_and_number_and_forgets_the_rest(desk, sql, world, people):
    request = asked_for(desk, world.ours, people["ana"])
    assert desk("privacy", "erase", "run", request, "--yes").code == 0

    invoice = sql(
        "select number, total_minor, bill_to_name, bill_to_email, bill_to_line1, memo from public.invoices where id = %s",
        [people["ana"].invoice],
    ).fetchone()
    name = sql(
        "select display_name, given_name from public.customers where id = %s",
        [people["ana"].customer],
    )
    kept = sql(
        "select fields, purge_after - current_date > 2000 from privacy.retained_documents"
    ).fetchone()

    assert invoice[0] is not None
    assert invoice[1:] == (5000, None, None, None, None)
    assert name.fetchone() == ("(erased)", None)
    assert kept == ({"bill_to_name": "Ana Lafleur"}, True)


def test_files_go_through_the_storage_api_and_nobody_elses(desk, sql, storage, world, people):
    request = asked_for(desk, world.ours, people["ana"])

    assert desk("privacy", "erase", "run", request, "--yes").code == 0

    assert storage.deleted == [f"attachments/{world.ours.id}/{people['ana'].message}/0.jpg"]


def test_without_storage_nothing_is_called_done(desk, sql, world, people, monkeypatch):
    request = asked_for(desk, world.ours, people["ana"])
    monkeypatch.setattr(objects, "objects", REAL)
    monkeypatch.delenv("CONNEXT_STORAGE_KEY", raising=False)

    ended = desk("privacy", "erase", "run", request, "--yes")

    assert ended.code == 1
    assert "Storage is not configured" in ended.err
    assert sql("select state from privacy.erasures").fetchone() == ("running",)
    assert sql("select count(*) from privacy.certificates").fetchone() == (0,)


def test_who_owes_an_invoice_keeps_being_named_on_it_until_it_is_paid(
    desk, sql, clone, world, tmp_path
):
    with psycopg.connect(clone) as db:
        eve = make_person(db, world.ours, name="Eve Gagnon", number=3333, invoice="owed")
    request = asked_for(desk, world.ours, eve)

    assert desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json").code == 0

    said = desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json
    assert [h["reason"] for h in said["holds"]] == ["Unpaid invoice"]
    assert sql(
        "select bill_to_email from public.invoices where id = %s", [eve.invoice]
    ).fetchone() == (eve.email,)
    assert sql("select count(*) from public.messages where id = %s", [eve.message]).fetchone() == (
        0,
    )


def test_a_plan_that_is_no_longer_true_is_refused(desk, sql, world, people):
    request = asked_for(desk, world.ours, people["ana"])
    planned = desk("privacy", "erase", "plan", request, "--json").json
    sql("update public.notes set body = 'changed' where customer_id = %s", [people["ana"].customer])

    ended = desk("privacy", "erase", "run", request, "--yes", "--plan", planned["plan_sha256"])

    assert ended.code == 4
    assert sql(
        "select count(*) from public.messages where id = %s", [people["ana"].message]
    ).fetchone() == (1,)


def test_planning_changes_nothing(desk, clone, world, people):
    request = asked_for(desk, world.ours, people["ana"])
    with psycopg.connect(clone) as db:
        before = rows_of_tables(db, world.ours.id)

    plan = desk("privacy", "erase", "plan", request, "--json").json

    with psycopg.connect(clone) as db:
        assert rows_of_tables(db, world.ours.id) == before
    tables = [step["table"] for step in plan["plan"]]
    assert (
        tables.index("public.attachments")
        < tables.index("public.messages")
        < tables.index("public.customers")
    )


@pytest.mark.parametrize("step", ["_files", "_table", "clean", "sweep", "_certify"])
def test_a_run_that_is_killed_goes_on_where_it_was(  # noqa: PLR0913, PLR0917
    desk, sql, world, people, monkeypatch, step
):
    request = asked_for(desk, world.ours, people["ana"])
    real, calls = getattr(erasing, step), []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3 or step != "_table":
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(erasing, step, dies)
    with pytest.raises(Killed):
        desk("privacy", "erase", "run", request, "--yes")
    monkeypatch.setattr(erasing, step, real)

    ended = desk("privacy", "erase", "run", request, "--yes")

    assert ended.code == 0, ended.err
    assert found(sql, [people["ana"].email], world.ours) == set()


def test_a_second_run_has_nothing_to_do(desk, world, people):
    request = asked_for(desk, world.ours, people["ana"])
    assert desk("privacy", "erase", "run", request, "--yes").code == 0

    assert desk("privacy", "erase", "run", request, "--yes").code == 4
    assert desk("privacy", "request", "show", request, "--json").json["status"] == "completed"


def test_a_mention_elsewhere_stops_the_certificate_until_somebody_decides(desk, sql, world, people):
    sql(
        "update public.notes set body = 'Sister of Ana Lafleur' where customer_id = %s",
        [people["bob"].customer],
    )
    request = asked_for(desk, world.ours, people["ana"])

    ended = desk("privacy", "erase", "run", request, "--yes")

    assert ended.code == 1
    assert "public.notes.body (1)" in ended.err
    assert sql("select state from privacy.erasures").fetchone() == ("residue",)
    (note,) = sql(
        "select id from public.notes where customer_id = %s", [people["bob"].customer]
    ).fetchone()
    held = desk(
        "privacy", "erase", "hold", world.ours.id, "public.notes", note, "--reason", "about Bob",
        "--provision", "GDPR Art. 15(4)",
    )  # fmt: skip
    assert held.code == 0, held.err
    assert desk("privacy", "erase", "run", request, "--yes").code == 0


def test_an_unverified_or_ungranted_request_erases_nothing(desk, world, people):
    made = desk(
        "privacy",
        "request",
        "open",
        world.ours.id,
        "deletion",
        "--email",
        people["ana"].email,
        "--json",
    )

    assert desk("privacy", "erase", "run", made.json["id"], "--yes").code == 4


def test_a_refused_request_holds_the_person_from_a_later_erasure(desk, sql, world, people):
    first = asked_for(desk, world.ours, people["ana"])
    refusing = ("--by", "ana.r", "--provision", "s. 40", "--reason", "open dispute")
    assert desk("privacy", "request", "refuse", first, *refusing).code == 0

    again = asked_for(desk, world.ours, people["ana"])

    assert desk("privacy", "erase", "run", again, "--yes").code == 3
    assert sql(
        "select count(*) from public.messages where id = %s", [people["ana"].message]
    ).fetchone() == (1,)


def test_a_certificate_that_was_changed_or_signed_by_another_is_refused(
    desk, world, people, tmp_path
):
    request = asked_for(desk, world.ours, people["ana"])
    desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")
    document = json.loads((tmp_path / "c.json").read_text())
    verify = ("privacy", "erase", "verify", tmp_path / "c.json")

    assert desk(*verify, "--key", document["key_id"]).code == 0
    assert desk(*verify, "--key", "0" * 40).code == 1
    (tmp_path / "c.json").write_text(
        json.dumps(document | {"body": document["body"].replace("1", "2", 1)})
    )
    assert desk(*verify).code == 1
    (tmp_path / "c.json").write_text("{}")
    assert desk(*verify).code == 1
    assert desk("privacy", "erase", "certificate", request).json == document


def test_a_member_of_two_organizations_leaves_one_and_keeps_the_account(desk, sql, world, tmp_path):
    agent = world.ours.people["agent"]
    sql("insert into public.memberships values (%s, %s, 'agent')", [world.theirs.id, agent])
    request = asked(desk, world.ours.id, "deletion", "--member", agent)

    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")

    assert ended.code == 0, ended.err
    assert sql("select org_id from public.memberships where user_id = %s", [agent]).fetchall() == [
        (world.theirs.id,)
    ]
    assert sql("select count(*) from auth.users where id = %s", [agent]).fetchone() == (1,)
    assert not desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json["account_too"]


def test_a_member_of_this_organization_alone_is_gone_with_account_and_sessions(desk, sql, world):
    agent = world.ours.people["agent"]
    sql("update public.customers set created_by = %s where org_id = %s", [agent, world.ours.id])
    sql("insert into auth.sessions (id, user_id) values (gen_random_uuid(), %s)", [agent])
    request = asked(desk, world.ours.id, "deletion", "--member", agent)

    ended = desk("privacy", "erase", "run", request, "--yes")

    assert ended.code == 0, ended.err
    left = sql(
        "select (select count(*) from auth.users where id = %(a)s) + (select count(*) from auth.sessions where user_id = %(a)s)"
        " + (select count(*) from public.profiles where user_id = %(a)s)"
        " + (select count(*) from public.customers where created_by = %(a)s)",
        {"a": agent},
    ).fetchone()
    assert left == (0,)


def test_the_last_owner_is_not_erased(desk, world):
    request = asked(desk, world.ours.id, "deletion", "--member", world.ours.people["owner"])

    ended = desk("privacy", "erase", "plan", request)

    assert ended.code == 4
    assert "owner" in ended.err


def stripe_says(sql, org, state, detail, **more):
    """Answer the leg as Stripe's worker does, and let the other workers be done."""
    sql(
        "update private.billing_erasures set state = %s, detail = %s, until = %s,"
        " finished_at = case when %s::timestamptz is null then now() end where org_id = %s",
        [state, detail, more.get("until"), more.get("until"), org.id],
    )
    sql("delete from private.revocations where org_id = %s", [org.id])
    sql("delete from queue.jobs where org_id = %s", [org.id])


def begun(desk, world):
    """Begin to erase the organization; it waits for its providers."""
    request = asked(desk, world.ours.id, "deletion", "--organization")
    waiting = desk("privacy", "erase", "run", request, "--yes", "--patience", "0")
    assert waiting.code == 1
    assert "revoked" in waiting.err
    return request


def test_an_organization_goes_with_everything_and_everybody_else_stays(  # noqa: PLR0913, PLR0917
    desk, sql, clone, world, people, tmp_path
):
    with psycopg.connect(clone) as db:
        elsewhere = rows_of_tables(db, world.theirs.id)
    request = begun(desk, world)
    stripe_says(sql, world.ours, "not_applicable", "Stripe finds no customer")

    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")

    assert ended.code == 0, ended.err
    with psycopg.connect(clone) as db:
        assert rows_of_tables(db, world.theirs.id) == elsewhere
        left = rows_of_tables(db, world.ours.id)
        assert {table for table, rows in left.items() if rows} == {"private.billing_erasures"}
    people_left = sql(
        "select count(*) from auth.users where id = any(%s)", [list(world.ours.people.values())]
    )
    assert people_left.fetchone() == (0,)
    said = desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json
    assert said["request"]["kind"] == "deletion"
    assert said["providers"]["meta"]["state"] == "confirmed"
    assert said["providers"]["stripe"] == {
        "state": "not_applicable",
        "reason": "Stripe finds no customer",
    }


def test_stripe_is_asked_once_the_organization_is_closed_and_before_anything_goes(desk, sql, world):
    begun(desk, world)

    kinds = sql(
        "select kind from queue.jobs where queue = 'stripe' and org_id = %s order by id",
        [world.ours.id],
    ).fetchall()

    assert {kind for (kind,) in kinds[:-1]} == {"stripe.revoke"}
    assert kinds[-1] == ("stripe.erase",)
    assert sql(
        "select count(*) from public.billing_accounts where org_id = %s", [world.ours.id]
    ).fetchone() == (1,)


def test_what_stripe_puts_off_is_on_the_certificate_and_its_job_outlives_the_organization(
    desk, sql, world, tmp_path
):
    request = begun(desk, world)
    until = sql("select now() + interval '91 days'").fetchone()[0]
    stripe_says(sql, world.ours, "deferred", "customer deleted", until=until)

    ended = desk("privacy", "erase", "run", request, "--yes", "--out", tmp_path / "c.json")

    assert ended.code == 0, ended.err
    leg = desk("privacy", "erase", "verify", tmp_path / "c.json", "--json").json["providers"]
    assert (leg["stripe"]["state"], leg["stripe"]["reason"]) == ("deferred", "customer deleted")
    jobs = sql("select kind, run_at from queue.jobs where org_id = %s", [world.ours.id]).fetchall()
    assert jobs == [("stripe.erase", until)]
    assert leg["stripe"]["until"].startswith(until.date().isoformat())


def test_a_stripe_that_refuses_stops_the_run_before_anything_goes_and_is_asked_again(
    desk, sql, world, monkeypatch
):
    request = begun(desk, world)
    answers = iter((("failed", "invalid_state"), ("manual", "redact it in the Dashboard")))
    monkeypatch.setattr(
        erasing.time, "sleep", lambda _: stripe_says(sql, world.ours, *next(answers))
    )

    refused = desk("privacy", "erase", "run", request, "--yes")

    assert refused.code == 1
    assert "invalid_state" in refused.err
    kept = sql("select count(*) > 0 from public.customers where org_id = %s", [world.ours.id])
    assert kept.fetchone() == (True,)
    assert desk("privacy", "erase", "run", request, "--yes").code == 0


def test_an_issued_invoice_is_still_final_for_everybody_else(sql, world):
    with pytest.raises(psycopg.Error, match="never deleted"):
        sql("delete from public.invoices where org_id = %s", [world.ours.id])
