"""Withdrawing a consent: in every state, before and during a job, as easily as it was given."""

from __future__ import annotations

import psycopg
import pytest

from tests.books import one, refused, savepoint, standing_world
from tests.world import acting_as
from workers.core.errors import Transient

BY_OPERATOR = "select * from privacy.withdraw(%s, 'meta')"
BY_RPC = "select public.withdraw_consent(%s)"


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch) as (connection, world):
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def ours(standing):
    return standing[1].ours


@pytest.fixture
def theirs(standing):
    return standing[1].theirs


def consent_of(db, org):
    return one(db, "select consent_id from public.integrations where id = %s", org.integration)


def withdrawn(db, org):
    """What is left of the connection: its status, its tokens, whether the consent is live."""
    return db.execute(
        "select i.status, (select count(*) from private.sealed_tokens as t where t.integration_id = i.id),"
        " (select count(*) from public.consents as c where c.org_id = i.org_id and c.provider = 'meta' and c.live),"
        " (select count(*) from queue.jobs as j where j.org_id = i.org_id and j.queue = 'meta' and j.kind <> 'meta.revoke')"
        " from public.integrations as i where i.id = %s",
        [org.integration],
    ).fetchone()  # fmt: skip


@pytest.mark.parametrize("way", ["operator", "rpc"])
@pytest.mark.parametrize("status", ["connecting", "active", "reauthorization_required", "paused"])
def test_it_is_accepted_in_every_state_of_a_connection(db, ours, way, status):
    db.execute("update public.integrations set status = %s where id = %s", [status, ours.integration])  # fmt: skip
    db.execute("select queue.enqueue('meta', 'meta.sync', %s)", [ours.id])
    consent = consent_of(db, ours)

    if way == "operator":
        (row,) = db.execute(BY_OPERATOR, [ours.id]).fetchall()
        assert row == (consent, "read_and_reply_to_messages", True)
    else:
        with acting_as(db, "authenticated", user=ours.people["owner"], org=ours.id):
            assert one(db, BY_RPC, consent) is True

    assert withdrawn(db, ours) == ("disconnected", 0, 0, 0)
    assert one(
        db,
        "select count(*) from public.privacy_requests where org_id = %s and kind = 'withdrawal' and status = 'completed'",
        ours.id,
    ) == 1  # fmt: skip
    assert one(
        db,
        "select count(*) from audit.events where kind = 'consent.withdrawn' and subject = %s",
        consent,
    ) == 1  # fmt: skip


def test_of_a_disconnected_one_nothing_is_left_to_withdraw(db, ours):
    consent = consent_of(db, ours)
    db.execute("select private.disconnect(%s, %s)", [ours.id, ours.integration])

    assert db.execute(BY_OPERATOR, [ours.id]).fetchall() == []
    with acting_as(db, "authenticated", user=ours.people["owner"], org=ours.id):
        assert one(db, BY_RPC, consent) is False


def test_a_consent_that_nothing_rests_on_is_withdrawn_as_well(db, ours):
    consent = one(db, "select private.grant_consent(%s, 'google_places', '{}')", ours.id)

    (row,) = db.execute(
        "select * from privacy.withdraw(%s, 'google_places', 'complete_addresses')", [ours.id]
    ).fetchall()

    assert row == (consent, "complete_addresses", False)


def test_of_a_closed_organization(db, ours):
    db.execute("update public.organizations set closed_at = now() where id = %s", [ours.id])

    assert len(db.execute(BY_OPERATOR, [ours.id]).fetchall()) == 1
    assert withdrawn(db, ours) == ("disconnected", 0, 0, 0)


def test_after_the_account_of_who_consented_was_erased(db, ours):
    with acting_as(db, "authenticated", user=ours.people["admin"], org=ours.id):
        db.execute("select public.withdraw_consent(%s)", [consent_of(db, ours)])
    again = one(db, "select private.grant_consent(%s, 'meta', '{}')", ours.id)
    db.execute("delete from auth.users where id = %s", [ours.people["admin"]])

    assert [row[0] for row in db.execute(BY_OPERATOR, [ours.id])] == [again]


def test_other_providers_and_organizations_are_left_alone(db, ours, theirs):
    db.execute(BY_OPERATOR, [ours.id])

    live = db.execute(
        "select org_id, provider from public.consents where live and org_id = any(%s)",
        [[ours.id, theirs.id]],
    ).fetchall()
    assert set(live) == {(ours.id, "telnyx"), (theirs.id, "meta"), (theirs.id, "telnyx")}


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("privacy.withdraw(gen_random_uuid(), 'meta')", "CX003"),
        ("privacy.withdraw(%s, 'myspace')", "CX006"),
        ("privacy.withdraw(%s, null)", "CX006"),
        ("privacy.withdraw(%s, 'meta', 'marketing')", "CX006"),
        ("privacy.withdraw(%s, 'meta', null, 'pigeon')", "23514"),
    ],
)
def test_what_makes_no_sense_changes_nothing(db, ours, call, code):
    with refused(code), db.transaction():
        db.execute(f"select {call}", [ours.id] if "%s" in call else [])

    assert withdrawn(db, ours)[0] == "active"


# A job in hand -----------------------------------------------------------------------------------


def ask_to_withdraw(stage):
    stage.do(BY_OPERATOR, stage.org)


def test_a_job_that_was_claimed_before_calls_nobody_after(stage):
    message = stage.draft(inbound_at=stage.clock.at)
    stage.enqueue("meta.send", {"message_id": message})
    held = stage.one("select id, lease from queue.claim('meta', 1, '1 min')")
    ask_to_withdraw(stage)

    with pytest.raises(psycopg.Error) as lost, psycopg.connect(stage.url) as db:
        db.execute("select queue.enter('meta', %s, %s)", [held["id"], held["lease"]])

    assert lost.value.sqlstate == "CX030"
    assert stage.work(aside=("meta.revoke",)) == []
    assert stage.graph.calls == []
    assert (stage.state(message), stage.message(message)["error_code"]) == (
        "failed", "disconnected",
    )  # fmt: skip


def test_what_is_withdrawn_during_a_call_is_not_persisted(stage):
    def withdraw():
        ask_to_withdraw(stage)
        return {"id": "222", "name": "Ana Lafleur"}

    stage.receive(stage.said("m1"))
    stage.work()
    thread = stage.conversation()
    stage.graph.script["profile"] = [withdraw]
    stage.do("update queue.jobs set run_at = now() where kind = 'meta.profile'")

    stage.work(aside=("meta.revoke",))

    assert stage.graph.asked("profile")
    assert stage.conversation() == thread | {"updated_at": stage.conversation()["updated_at"]}
    assert stage.opened() == {}


def test_while_the_provider_is_down_it_is_in_force_and_the_revocation_waits(stage):
    stage.graph.script["unsubscribe"] = [Transient("Meta does not answer")] * 3
    ask_to_withdraw(stage)

    stage.work(most=1)

    assert stage.link()["status"] == "disconnected"
    assert stage.opened() == {}
    assert stage.do("select 1 from queue.jobs where kind = 'meta.revoke'") != []


# Giving again, and the ledger ----------------------------------------------------------------------


def test_giving_again_is_a_new_row_with_the_notice_that_was_shown(db, ours):
    first = consent_of(db, ours)
    db.execute(BY_OPERATOR, [ours.id])
    db.execute("insert into privacy.policy_versions (version, published_on) values ('2030-01-01', '2030-01-01')")  # fmt: skip
    db.execute("update privacy.policy_versions set current = false where current")
    db.execute("update privacy.policy_versions set current = true where version = '2030-01-01'")

    again = one(db, "select private.grant_consent(%s, 'meta', '{}')", ours.id)

    rows = db.execute(
        "select c.id, c.policy_version, c.live, n.notice_en is not null from public.consents as c"
        " left join privacy.notices as n using (notice_sha256, provider, purpose)"
        " where c.org_id = %s and c.provider = 'meta' order by c.live",
        [ours.id],
    ).fetchall()
    assert rows == [(first, "2026-06-13", False, True), (again, "2030-01-01", True, True)]
    digests = db.execute("select distinct notice_sha256 from public.consents where id = any(%s)", [[first, again]])  # fmt: skip
    assert len(digests.fetchall()) == 2


def test_a_consent_without_a_notice_is_none(db, ours):
    with refused("23502"), db.transaction():
        db.execute(
            "insert into public.consents (org_id, provider, purpose, policy_version)"
            " values (%s, 'meta', 'read_and_reply_to_messages', '2026-06-13')",
            [ours.id],
        )


def test_the_words_shown_are_those_of_the_digest(db):
    with refused("23514"), db.transaction():
        db.execute("update privacy.notices set notice_en = 'You agree to everything'")


@pytest.mark.parametrize(
    "statement",
    [
        "update public.consents set granted_at = granted_at - interval '1 day' where live",
        "update public.consents set purpose = 'texts_and_calls', provider = 'telnyx' where provider = 'meta'",
        "update public.consents set notice_sha256 = repeat('0', 64)",
        "update public.consents set policy_version = '2026-06-14'",
        "update public.consents set scopes = '{everything}'",
        "update public.consents set withdrawn_at = null where not live",
        "update public.consents set withdrawn_at = now() + interval '1 day' where not live",
        "delete from public.consents where not live",
        "truncate public.consents cascade",
    ],
)
def test_the_ledger_is_only_added_to_even_by_the_operator(db, ours, statement):
    db.execute(BY_OPERATOR, [ours.id])

    with refused("CX006"), db.transaction():
        db.execute(statement)


def test_nobody_but_the_operator_has_a_grant_to_write_the_ledger(db):
    held = db.execute(
        "select grantee, privilege_type from information_schema.role_table_grants"
        " where table_schema = 'public' and table_name = 'consents'"
        " and privilege_type <> 'SELECT' and grantee <> 'postgres'"
    ).fetchall()

    assert held == []


def test_an_integration_cannot_stay_without_a_live_consent(db, ours):
    with refused("23503"), db.transaction():
        db.execute("update public.consents set withdrawn_at = now() where id = %s", [consent_of(db, ours)])  # fmt: skip


def test_who_may_give_may_withdraw_with_one_call_too(db, ours):
    """As easy as giving: one call, the same permission, no reason, no question back."""
    with acting_as(db, "authenticated", user=ours.people["admin"], org=ours.id):
        consent = one(db, "select id from public.consents where provider = 'meta' and live")
        assert one(db, BY_RPC, consent) is True
