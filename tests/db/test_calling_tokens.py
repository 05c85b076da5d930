"""With what a browser calls: sealed to it, short-lived, one person's."""

from __future__ import annotations

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.database import as_user, make_user
from tests.phone import ask, spki, unsealed


def code(refused):
    return refused.value.sqlstate


def test_a_token_can_be_read_by_the_browser_that_asked_and_by_nobody_else(ready, browser):
    row = ask(ready, browser)

    credential = next(
        iter(
            ready._world.world.accounts[ready.account["api_key"]]
            .of("telephony_credentials")
            .values()
        )
    )
    assert unsealed(row, browser) == credential["token"]
    with pytest.raises(ValueError, match=r"."):
        unsealed(row, rsa.generate_private_key(public_exponent=65537, key_size=2048))
    for table in ("public.calling_tokens", "queue.jobs", "queue.dead_jobs"):
        found = ready.do(
            f"select 1 from {table} as t where t::text like %s", f"%{credential['token']}%"
        )
        assert found == []


def test_a_token_is_seen_by_its_person_only(ready, browser):
    ask(ready, browser)
    with psycopg.connect(ready.url) as db:
        colleague = make_user(db)
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'admin')",
            [ready.org, colleague],
        )
        as_user(db, colleague, ready.org)
        assert db.execute("select 1 from public.calling_tokens").fetchall() == []


def test_a_credential_that_is_not_ready_at_once_is_asked_again(ready, browser):
    ready.control("switches", {"token_after_seconds": 4})
    made = ready.call("request_calling_token", public_key=spki(browser))
    ready.work(most=1)
    ready.later(seconds=5)
    ready.work(waiting=True)

    row = ready.one("select state from public.calling_tokens where id = %s", made["id"])
    assert row["state"] == "ready"
    asked = [c for c in ready.control("log")["calls"] if c["path"] == "/telephony_credentials"]
    assert len(asked) == 1


@pytest.mark.parametrize("key", ["", "short", "A" * 400])
def test_a_key_that_is_none_gives_no_token(ready, key):
    try:
        made = ready.call("request_calling_token", public_key=key)
    except psycopg.Error as refused:
        assert refused.sqlstate == "CX006"  # noqa: PT017 - one of two ways to be refused
        return
    ready.work()
    row = ready.one("select state, error_code from public.calling_tokens where id = %s", made["id"])
    assert row == {"state": "failed", "error_code": "public_key_unusable"}


def test_tokens_are_not_given_without_end(ready, browser):
    for _ in range(10):
        ready.call("request_calling_token", public_key=spki(browser))
    with pytest.raises(psycopg.Error) as refused:
        ready.call("request_calling_token", public_key=spki(browser))

    assert code(refused) == "CX085"


def test_who_leaves_the_organization_loses_the_credential(ready, browser):
    with psycopg.connect(ready.url) as db:
        agent = make_user(db)
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'agent')",
            [ready.org, agent],
        )
    ask(ready, browser, by=agent)
    ready.do("delete from public.memberships where user_id = %s", agent)
    ready.work()

    assert ready._world.world.accounts[ready.account["api_key"]].of("telephony_credentials") == {}
    assert ready.do("select 1 from public.calling_tokens where user_id = %s", agent) == []


def test_what_a_token_was_sealed_in_is_gone_after_five_minutes(phone):
    phone.do("update public.calling_tokens set created_at = now() - interval '6 minutes'")
    phone.do("select private.settle_telnyx()")

    row = phone.one(
        "select state, sealed, sip_username from public.calling_tokens where org_id = %s", phone.org
    )
    assert (row["state"], row["sealed"]) == ("taken", None)
    assert row["sip_username"] is not None
