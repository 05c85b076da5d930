"""A connection that comes back as another account: asked about, and nothing goes on before the answer."""

from __future__ import annotations

import psycopg
import pytest

from tests.messenger import ASID, MILLIS, PERSON, Stage
from tests.world import acting_as, make_user
from workers.providers.http import Unreachable
from workers.providers.meta.models import Person


@pytest.fixture
def owned(stage_url):
    """A connected organization with an owner, whose token Meta has ended."""
    stage = Stage(stage_url)
    stage.other = f"9{stage.page}"  # who else may come back: one for every organization
    stage.keep_token("user_token", ASID, "EAAold")
    with psycopg.connect(stage.url, autocommit=True) as db:
        stage.owner = make_user(db)
        stage.agent = make_user(db)
    stage.do(
        "insert into public.memberships (org_id, user_id, role) values"
        " (%s, %s, 'owner'), (%s, %s, 'agent')",
        *(stage.org, stage.owner, stage.org, stage.agent),
    )
    stage.do(
        "update public.integrations set external_account_id = %s, account_name = 'Ann',"
        " status = 'reauthorization_required' where id = %s",
        *(ASID, stage.integration),
    )
    return stage


def comes_back(stage, person=None, *, page=None):
    """Let somebody come back from the dialog with a code, and the worker take it up."""
    who = person or stage.other
    stage.graph.script["me"] = [Person(id=who, name="Bob") for _ in range(5)]
    stage.graph.pages = [
        {
            "id": page or stage.page,
            "name": "My Shop",
            "access_token": "EAAnew",
            "tasks": ["MESSAGING"],
        }
    ]
    stage.keep_token("oauth_code", "", "the-code")
    stage.enqueue("meta.connect", {"integration_id": stage.integration})
    return stage.work()


def answer(stage, accept, *, who=None):
    """Answer the question as somebody of the organization."""
    with (
        psycopg.connect(stage.url) as db,
        acting_as(db, "authenticated", user=who or stage.owner, org=stage.org),
    ):
        return db.execute(
            "select status from public.confirm_account(%s, %s)", [stage.integration, accept]
        ).fetchone()[0]


def test_another_account_is_asked_about_and_nothing_goes_on(owned):
    assert comes_back(owned) == ["done"]

    link = owned.link()
    assert link["status"] == "confirmation_required"
    assert (link["external_account_id"], link["account_name"]) == (ASID, "Ann")
    assert (link["offered_account_id"], link["offered_account_name"]) == (owned.other, "Bob")
    assert "another Facebook account" in link["error"]
    asked = {name for name, _ in owned.graph.calls}
    assert asked == {"exchange_code", "long_lived", "me"}
    assert owned.opened()["user_token", owned.other] == "EAAlong"
    assert owned.do("select 1 from queue.jobs where kind = 'meta.backfill'") == []


def test_until_the_answer_nothing_is_sent_and_nothing_is_read(owned):
    comes_back(owned, page=f"77{owned.page}")
    message = owned.draft(inbound_at=owned.clock.at)
    owned.enqueue("meta.send", {"message_id": message})
    owned.enqueue("meta.backfill", {"channel_id": owned.channel})
    owned.graph.calls.clear()

    assert owned.work(aside=()) == []

    assert owned.state(message) == "queued"
    assert owned.graph.calls == []
    other_page = {**owned.said("m_1"), "recipient": {"id": f"77{owned.page}"}}
    event = {"key": "k", "account": f"77{owned.page}", "contact": PERSON, "kind": "message"}
    assert owned.store([event | {"occurred_at": MILLIS, "body": other_page}]).unknown == 1


def test_the_same_account_is_not_asked_about(owned):
    assert comes_back(owned, ASID) == ["done"]

    assert owned.link()["status"] == "active"


def test_yes_changes_to_the_new_account_and_what_waited_goes_on(owned):
    comes_back(owned)
    message = owned.draft(inbound_at=owned.clock.at)
    owned.enqueue("meta.send", {"message_id": message})

    assert answer(owned, accept=True) == "connecting"
    owned.work()

    link = owned.link()
    assert (link["status"], link["external_account_id"]) == ("active", owned.other)
    assert link["offered_account_id"] is None
    assert owned.opened() == {
        ("user_token", owned.other): "EAAlong",
        ("page_token", owned.page): "EAAnew",
    }
    assert owned.graph.asked("unsubscribe") == []
    assert owned.do("select 1 from private.revocations where org_id = %s", owned.org) == []
    owned.do("update queue.jobs set run_at = now() where kind = 'meta.send'")
    owned.work()
    assert owned.state(message) == "sent"


def test_yes_survives_a_meta_that_is_away(owned):
    comes_back(owned)
    answer(owned, accept=True)
    owned.graph.script["permissions"] = [Unreachable("away")]

    owned.work()

    assert owned.link()["status"] == "active"
    assert len(owned.graph.asked("exchange_code")) == 1


def test_pages_that_the_new_account_does_not_share_are_closed(owned):
    comes_back(owned, page=f"77{owned.page}")
    answer(owned, accept=True)

    owned.work()

    assert owned.graph.asked("unsubscribe") == [{"page": owned.page, "token": "EAApage"}]
    rows = owned.do("select external_id, status from public.channels where org_id = %s", owned.org)
    assert {row["external_id"]: row["status"] for row in rows} == {
        owned.page: "disconnected",
        f"77{owned.page}": "active",
    }
    assert owned.receive(owned.said("m_1")).unknown == 1


def test_no_keeps_the_account_before_and_revokes_the_new_one(owned):
    comes_back(owned)

    assert answer(owned, accept=False) == "reauthorization_required"
    owned.work_all()

    link = owned.link()
    assert (link["external_account_id"], link["offered_account_id"]) == (ASID, None)
    assert [said["person"] for said in owned.graph.asked("revoke_permissions")] == [owned.other]
    assert ("user_token", owned.other) not in owned.opened()
    assert owned.opened()["page_token", owned.page] == "EAApage"
    assert owned.do("select 1 from private.revocations where org_id = %s", owned.org) == []


def test_after_a_disconnect_another_account_is_asked_about_as_well(owned):
    owned.do("select private.disconnect(%s, %s)", owned.org, owned.integration)
    owned.integration = owned.connect(owned.org, status="connecting")

    comes_back(owned)

    assert owned.link()["status"] == "confirmation_required"
    assert answer(owned, accept=False) == "disconnected"
    assert owned.opened() == {}


def test_a_first_connection_asks_nothing(stage_url):
    stage = Stage(stage_url, connected=False)

    comes_back(stage, f"9{stage.page}")

    assert stage.link()["status"] == "active"


def test_disconnecting_answers_the_question_too(owned):
    comes_back(owned)

    owned.do("select private.disconnect(%s, %s)", owned.org, owned.integration)

    link = owned.link()
    assert (link["status"], link["offered_account_id"]) == ("disconnected", None)
    assert owned.opened() == {}


def test_the_right_account_may_come_back_before_the_answer(owned):
    comes_back(owned)

    comes_back(owned, ASID)

    link = owned.link()
    assert (link["status"], link["external_account_id"]) == ("active", ASID)
    assert ("user_token", owned.other) not in owned.opened()


@pytest.mark.parametrize("accept", [True, False])
def test_a_question_is_answered_once_and_by_who_may(owned, accept):
    comes_back(owned)
    with pytest.raises(psycopg.Error) as refused:
        answer(owned, accept, who=owned.agent)
    assert refused.value.sqlstate == "CX002"
    with pytest.raises(psycopg.Error) as refused:
        answer(owned, None)
    assert refused.value.sqlstate == "CX006"
    answer(owned, accept)

    with pytest.raises(psycopg.Error) as refused:
        answer(owned, accept)

    assert refused.value.sqlstate == "CX011"


def test_who_was_only_offered_is_forgotten_when_they_ask_for_deletion(owned):
    comes_back(owned)

    owned.do("select privacy.provider_called_back('meta', 'deletion', %s, now())", owned.other)

    assert owned.other not in str(owned.link())
    assert owned.link()["status"] == "disconnected"


# What waits ends with the connection --------------------------------------------------------------


def test_files_that_were_still_to_be_fetched_are_given_up_with_the_connection(stage):
    picture = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/a.jpg"}}
    stage.receive(stage.event(message={"mid": "m_1", "attachments": [picture]}))
    stage.work()

    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)

    rows = stage.do("select state, error_code from public.attachments where org_id = %s", stage.org)
    assert rows == [{"state": "failed", "error_code": "disconnected"}]
