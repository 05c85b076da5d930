"""Connecting and disconnecting a provider: consent, state, sealing, the fence."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.world import acting_as, hold_job, make_user, make_world


@pytest.fixture
def world(db):
    made = make_world(db)
    db.execute(
        "insert into private.provider_settings values ('meta', 'app_id', '42'),"
        " ('meta', 'redirect_uri', 'https://app.example/cb?x=é&y=1')"
    )
    db.execute("grant worker_meta, worker_stripe to current_user")
    return made


def one(db, query, *args):
    return db.execute(query, args).fetchone()[0]


def by(world, role="owner"):
    return {"user": world.ours.people[role], "org": world.ours.id}


@pytest.fixture
def begun(db, world):
    """A connection that the owner has just begun, in an organization with nothing connected."""
    with acting_as(db, "authenticated", **by(world)):
        db.execute("select public.disconnect_integration(%s)", [world.ours.integration])
        return one(db, "select public.begin_connection('meta')")


def refuse(db, code, world, query, *args, role="owner"):
    with (
        pytest.raises(psycopg.Error) as refused,
        acting_as(db, "authenticated", **by(world, role)),
    ):
        db.execute(query, args)
    assert refused.value.sqlstate == code


def test_beginning_records_consent_and_gives_a_url_with_a_bound_state(db, world, begun):
    consent = db.execute(
        "select provider, purpose, policy_version, granted_by, live from public.consents"
        " where id = %s",
        [begun["consent_id"]],
    ).fetchone()
    query = parse_qs(urlsplit(begun["authorize_url"]).query)

    assert consent == (
        "meta", "read_and_reply_to_messages", "2026-06-13", world.ours.people["owner"], True,
    )  # fmt: skip
    assert query["state"] == [begun["state"]]
    assert query["redirect_uri"] == ["https://app.example/cb?x=é&y=1"]
    assert "pages_messaging" in query["scope"][0]


def test_the_state_is_stored_only_as_a_digest(db, begun):
    rows = db.execute("select a::text from private.connection_attempts as a").fetchall()

    assert not any(begun["state"] in row[0] for row in rows)


def test_a_code_without_a_key_to_seal_it_to_is_refused_and_changes_nothing(db, world, begun):
    db.execute("update private.sealing_keys set state = 'retiring'")

    refuse(db, "CX013", world, "select public.complete_connection(%s, 'code')", begun["state"])
    assert (
        one(db, "select count(*) from private.connection_attempts where used_at is not null") == 0
    )


def test_a_state_of_somebody_else_unknown_or_expired_is_refused(db, world, begun):
    refuse(
        db, "CX010", world, "select public.complete_connection(%s, 'c')", begun["state"],
        role="admin",
    )  # fmt: skip
    refuse(db, "CX010", world, "select public.complete_connection('guess', 'c')")
    refuse(db, "CX010", world, "select public.complete_connection(null, 'c')")
    db.execute("update private.connection_attempts set expires_at = now()")
    refuse(db, "CX010", world, "select public.complete_connection(%s, 'c')", begun["state"])


@pytest.mark.parametrize("role", ["accountant", "agent", "viewer"])
def test_connecting_and_disconnecting_need_the_permission(db, world, role):
    refuse(db, "CX002", world, "select public.begin_connection('meta')", role=role)
    refuse(
        db, "CX002", world, "select public.disconnect_integration(%s)", world.ours.integration,
        role=role,
    )  # fmt: skip


def test_another_organizations_integration_does_not_exist_for_us(db, world):
    refuse(db, "CX003", world, "select public.disconnect_integration(%s)", world.theirs.integration)


def test_disconnecting_takes_everything_out_of_use_in_one_transaction(db, world):
    db.execute("select queue.enqueue('meta', 'meta.send', %s)", [world.ours.id])

    with acting_as(db, "authenticated", **by(world)):
        first = one(db, "select public.disconnect_integration(%s)", world.ours.integration)
        again = one(db, "select public.disconnect_integration(%s)", world.ours.integration)

    org = world.ours.id
    assert (first, again) == (True, False)
    assert one(db, "select count(*) from private.sealed_tokens where org_id = %s", org) == 0
    assert one(db, "select count(*) from private.channel_routes where org_id = %s", org) == 0
    assert one(
        db, "select count(*) from private.revocations where org_id = %s and subject = %s"
        " and revoke_by <= now() + interval '10 minutes'", org, world.ours.page,
    ) == 1  # fmt: skip
    assert db.execute(
        "select array_agg(kind::text) from queue.jobs where org_id = %s", [org]
    ).fetchone() == (["meta.revoke"],)
    assert one(
        db, "select count(*) from public.consents where org_id = %s and provider = 'meta' and live",
        org,
    ) == 0  # fmt: skip


def test_the_other_organization_keeps_its_tokens(db, world):
    with acting_as(db, "authenticated", **by(world)):
        db.execute("select public.disconnect_integration(%s)", [world.ours.integration])

    theirs = world.theirs.id
    assert one(db, "select count(*) from private.sealed_tokens where org_id = %s", theirs) == 1


def test_a_job_in_hand_is_fenced_off_by_the_disconnect(db, world):
    job, lease = hold_job(db, "meta", world.ours.id)
    with acting_as(db, "authenticated", **by(world)):
        db.execute("select public.disconnect_integration(%s)", [world.ours.integration])

    with pytest.raises(psycopg.Error) as refused, db.transaction():
        db.execute("select queue.enter('meta', %s, %s)", [job, lease])

    assert refused.value.sqlstate == "CX030"
    with acting_as(db, "worker_meta"):
        assert one(db, "select count(*) from public.messages") == 0


def test_only_revoking_is_worked_on_after_a_disconnect(db, world):
    with acting_as(db, "authenticated", **by(world)):
        db.execute("select public.disconnect_integration(%s)", [world.ours.integration])
    db.execute("select queue.enqueue('meta', 'meta.sync', %s)", [world.ours.id])

    answers = {}
    for job, kind, lease in db.execute(
        "select id, kind, lease from queue.claim('meta', 10, '1 min')"
    ).fetchall():
        try:
            with db.transaction():
                db.execute("select queue.enter('meta', %s, %s)", [job, lease])
            answers[kind] = "entered"
        except psycopg.Error as error:
            answers[kind] = error.sqlstate

    assert answers == {"meta.revoke": "entered", "meta.sync": "CX011"}


def test_an_integration_cannot_live_without_a_live_consent(db, world):
    with pytest.raises(psycopg.errors.ForeignKeyViolation), db.transaction():
        db.execute(
            "update public.consents set withdrawn_at = now() where org_id = %s", [world.ours.id]
        )
    with pytest.raises(psycopg.errors.ForeignKeyViolation), db.transaction():
        db.execute(
            "insert into public.integrations (org_id, provider, consent_id)"
            " values (%s, 'stripe', gen_random_uuid())",
            [world.ours.id],
        )


def test_a_consent_is_never_rewritten(db, world):
    with pytest.raises(psycopg.Error) as refused, db.transaction():
        db.execute("update public.consents set purpose = 'texts_and_calls', provider = 'telnyx'")

    assert refused.value.sqlstate == "CX006"


def test_purging_deletes_what_is_due_and_nothing_else(db, world):
    db.execute(
        "update private.revocations set revoke_by = now() where org_id = %s", [world.ours.id]
    )

    assert one(db, "select private.purge_revocations()") == 1
    assert one(db, "select count(*) from private.revocations") == 1


def test_a_code_nobody_exchanged_is_deleted_and_the_person_told(db, world):
    db.execute(
        "update public.integrations set status = 'paused' where org_id = %s", [world.ours.id]
    )
    db.execute("update private.sealed_tokens set kind = 'oauth_code'")
    db.execute(
        "update private.sealed_tokens set created_at = now() - interval '16 minutes'"
        " where org_id = %s",
        [world.ours.id],
    )

    assert one(db, "select private.expire_connections()") == 1
    assert one(db, "select array_agg(org_id) from private.sealed_tokens") == [world.theirs.id]
    assert one(
        db, "select error from public.integrations where id = %s", world.ours.integration
    ).startswith("The connection did not complete")


def test_a_consent_carries_the_digest_of_the_notice_that_was_shown(db, world, begun):
    digest = one(
        db,
        "select encode(sha256(convert_to(concat_ws(E'\\n', '2026-06-13', notice_en, notice_fr), 'UTF8')), 'hex')"
        " from private.purposes where provider = 'meta'",
    )

    assert digest == one(
        db, "select notice_sha256 from public.consents where id = %s", begun["consent_id"]
    )


def test_an_account_of_another_organization_cannot_be_taken(db, world):
    hold_job(db, "meta", world.ours.id)

    with (
        pytest.raises(psycopg.Error) as refused,
        acting_as(db, "worker_meta"),
    ):
        db.execute(
            "select private.open_channel(%s, %s, 'Page')",
            [world.ours.integration, world.theirs.page],
        )

    assert refused.value.sqlstate == "CX012"


def test_a_worker_without_a_job_sees_nothing(db, world):
    with acting_as(db, "worker_meta"):
        for table in ("public.messages", "public.integrations", "private.sealed_tokens"):
            assert one(db, f"select count(*) from {table}") == 0


def test_a_worker_cannot_invent_its_organization(db, world):
    job, _ = hold_job(db, "meta", world.theirs.id)
    db.execute(
        "select set_config('connext.job', %s, true),"
        " set_config('connext.lease', gen_random_uuid()::text, true)",
        [str(job)],
    )

    with acting_as(db, "worker_meta"):
        assert one(db, "select count(*) from public.messages") == 0


def test_a_new_person_cannot_begin_without_an_organization(db, world):
    with (
        pytest.raises(psycopg.Error) as refused,
        acting_as(db, "authenticated", user=make_user(db)),
    ):
        db.execute("select public.begin_connection('meta')")

    assert refused.value.sqlstate == "CX001"


@pytest.mark.parametrize(
    ("state", "becomes", "code"),
    [("sending", "ambiguous", "unconfirmed"), ("queued", "failed", "not_sent")],
)
def test_a_message_that_no_job_carries_any_more_is_settled(db, world, state, becomes, code):
    with acting_as(db, "authenticated", **by(world)):
        sent = one(db, "select id from public.send_message(%s, 'hello')", world.ours.conversation)
    db.execute("alter table public.messages disable trigger messages_update_touch")
    db.execute(
        "update public.messages set state = %s, updated_at = now() - interval '6 minutes'"
        " where id = %s",
        [state, sent],
    )
    assert one(db, "select private.settle_sends()") == 0
    db.execute("delete from queue.jobs")

    assert one(db, "select private.settle_sends()") == 1

    assert db.execute(
        "select state, error_code from public.messages where id = %s", [sent]
    ).fetchone() == (becomes, code)
