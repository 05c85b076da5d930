"""Connecting a person's pages and taking the connection back: sealed, resumable, explained."""

from datetime import timedelta

import psycopg
import pytest

from tests.messenger import ASID, NOW, Stage
from tests.world import make_world
from workers.core.errors import RateLimited, Reauthorize
from workers.jobqueue.outcome import Dead, Parked, Retry
from workers.providers.http import Unanswered, Unreachable
from workers.providers.meta.errors import Declined

MESSAGING = ["MESSAGING", "MANAGE"]


@pytest.fixture
def begun(stage_url):
    """An organization whose owner has just come back from Facebook with a code."""
    stage = Stage(stage_url, connected=False)
    stage.keep_token("oauth_code", "", "the-code")
    stage.graph.pages = [page(stage.page)]
    return stage


def page(page_id, name="My Shop", *, tasks=MESSAGING, token="EAApage"):
    return {"id": page_id, "name": name, "access_token": token, "tasks": tasks}


def connect(stage, **more):
    stage.enqueue("meta.connect", {"integration_id": stage.integration}, **more)
    return stage.work()


def channels(stage):
    return stage.do(
        "select external_id, name, status from public.channels where org_id = %s order by 1",
        stage.org,
    )


def test_a_code_becomes_connected_pages_and_sealed_tokens(begun):
    begun.graph.pages.append(page("555", "No rights", tasks=["ANALYZE"]))
    begun.graph.pages.append(page("556", "No token", token=None))

    assert connect(begun) == ["done"]

    link = begun.link()
    assert (link["status"], link["external_account_id"], link["account_name"]) == (
        "active",
        ASID,
        "Ann",
    )
    assert link["scopes"] == sorted(begun.graph.scopes)
    assert link["error"] is None
    assert channels(begun) == [{"external_id": begun.page, "name": "My Shop", "status": "active"}]
    assert begun.opened() == {
        ("user_token", ASID): "EAAlong",
        ("page_token", begun.page): "EAApage",
    }
    assert begun.graph.asked("exchange_code") == [
        {"code": "the-code", "redirect_uri": "https://us/b"}
    ]
    assert begun.graph.asked("subscribe") == [{"page": begun.page, "token": "EAApage"}]


def test_no_token_ever_reaches_the_database_unsealed(begun):
    connect(begun)

    tables = begun.do(
        "select table_schema || '.' || table_name as name from information_schema.tables"
        " where table_schema in ('public', 'private', 'queue') and table_type = 'BASE TABLE'"
    )
    dumped = "".join(str(begun.do(f"select t::text from {row['name']} as t")) for row in tables)
    assert "My Shop" in dumped
    for secret in ("EAAshort", "EAAlong", "EAApage", "the-code"):
        assert secret not in dumped
        assert secret.encode().hex() not in dumped


def test_reconnecting_replaces_the_tokens(begun):
    connect(begun)
    begun.do(
        "update public.integrations set status = 'reauthorization_required', error = 'dead'"
        " where id = %s",
        begun.integration,
    )
    begun.keep_token("oauth_code", "", "second-code")
    begun.graph.pages = [page(begun.page, token="EAAnew")]

    assert connect(begun) == ["done"]

    assert begun.opened()["page_token", begun.page] == "EAAnew"
    assert (begun.link()["status"], begun.link()["error"]) == ("active", None)


def test_without_anything_to_work_with_nothing_happens(stage):
    assert connect(stage) == ["done"]
    assert stage.graph.calls == []
    assert stage.link()["status"] == "active"


@pytest.mark.parametrize("method", ["long_lived", "me", "permissions", "accounts", "subscribe"])
def test_after_the_code_is_spent_a_later_attempt_goes_on_from_the_token(begun, method):
    begun.graph.script[method] = [Unreachable("Meta was not reached")]

    first, last = connect(begun)

    assert isinstance(first, Retry)
    assert last == "done"
    assert len(begun.graph.asked("exchange_code")) == 1
    assert begun.link()["status"] == "active"
    assert ("user_token", "") not in begun.opened()


def test_what_a_failed_attempt_keeps_is_sealed_too(begun):
    begun.graph.script["me"] = [Unreachable("Meta was not reached")]
    begun.enqueue("meta.connect", {"integration_id": begun.integration})

    begun.work(most=1)

    assert begun.opened() == {("user_token", ""): "EAAshort"}


def test_an_exchange_without_answer_is_tried_once_more_and_then_explained(begun):
    begun.graph.script["exchange_code"] = [
        Unanswered("Meta did not answer"),
        Declined("used", code="code_refused"),
    ]

    first, last = connect(begun)

    assert isinstance(first, Retry)
    assert last == "done"
    assert refused(begun) == "Facebook did not complete the connection. Connect again."


def refused(stage):
    """What the people of an organization read after a failed connection."""
    link = stage.link()
    assert link["status"] == "reauthorization_required"
    assert stage.opened() == {}
    return link["error"]


@pytest.mark.parametrize("error", [Declined("no", code="refused"), Reauthorize("190")])
@pytest.mark.parametrize("method", ["exchange_code", "long_lived", "me", "permissions", "accounts"])
def test_a_refusal_is_final_and_explained(begun, method, error):
    begun.graph.script[method] = [error]

    assert connect(begun) == ["done"]
    assert "Connect again" in refused(begun)


def test_the_last_attempt_is_explained(begun):
    begun.graph.script["me"] = [RateLimited("slow") for _ in range(5)]

    connect(begun, max_attempts=3)

    assert len(begun.graph.asked("me")) == 3
    assert "did not answer for a while" in refused(begun)


def test_missing_permissions_are_named(begun):
    begun.graph.scopes = frozenset({"pages_show_list", "pages_messaging"})

    assert connect(begun) == ["done"]

    problem = refused(begun)
    assert "pages_manage_metadata, pages_read_engagement" in problem
    assert begun.graph.asked("subscribe") == []


@pytest.mark.parametrize("pages", [[], [page("1", tasks=["ANALYZE"])]])
def test_no_page_to_answer_on_is_explained(begun, pages):
    begun.graph.pages = pages

    connect(begun)

    assert "No page was shared" in refused(begun)


def test_a_page_of_another_organization_is_skipped_and_named(begun):
    theirs = Stage.organization(begun, "Theirs")
    begun.open_channel(theirs, begun.connect(theirs, status="active"), begun.page + "7")
    begun.graph.pages.append(page(begun.page + "7", "Taken"))

    assert connect(begun) == ["done"]

    link = begun.link()
    assert (link["status"], link["error"]) == (
        "active",
        "Taken is connected to another organization.",
    )
    assert ("page_token", begun.page + "7") not in begun.opened()
    assert [channel["external_id"] for channel in channels(begun)] == [begun.page]


def test_when_every_page_is_taken_nothing_is_connected(begun):
    theirs = begun.organization("Theirs")
    begun.open_channel(theirs, begun.connect(theirs, status="active"), begun.page)

    assert connect(begun) == ["done"]

    assert refused(begun) == "My Shop is connected to another organization."
    assert channels(begun) == []


@pytest.mark.parametrize(
    ("method", "answer"),
    [("subscribe", Declined("no", code="not_allowed")), ("subscription", frozenset({"messages"}))],
)
def test_a_page_that_cannot_be_subscribed_does_not_stop_the_others(begun, method, answer):
    begun.graph.pages.append(page(begun.page + "8", "Second"))
    begun.graph.script[method] = [answer]

    connect(begun)

    assert [channel["external_id"] for channel in channels(begun)] == [begun.page + "8"]
    assert "My Shop" in begun.link()["error"]


def test_without_a_sealing_key_the_code_is_not_spent(begun):
    begun.do("update private.sealing_keys set state = 'retiring'")
    try:
        (outcome,) = connect(begun)
    finally:
        begun.do("update private.sealing_keys set state = 'active'")

    assert isinstance(outcome, Parked)
    assert begun.graph.calls == []


def test_a_disconnect_during_the_calls_leaves_nothing_behind(begun):
    def disconnect():
        begun.do("select private.disconnect(%s, %s)", begun.org, begun.integration)
        return begun.graph.pages

    begun.graph.script["accounts"] = [disconnect]
    begun.enqueue("meta.connect", {"integration_id": begun.integration})

    begun.work(most=1)

    assert begun.link()["status"] == "disconnected"
    assert begun.opened() == {}
    assert channels(begun) == []


def leave(stage):
    """Disconnect as the operator does, which enqueues the revocation."""
    # Stages share a database: nobody else there is this person.
    stage.do(
        "update public.integrations set external_account_id = null where org_id <> %s", stage.org
    )
    stage.keep_token("user_token", ASID, "EAAuser")
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)


def left(stage):
    return stage.do("select kind from private.revocations where org_id = %s", stage.org)


@pytest.fixture
def now(stage):
    """Let the worker's clock agree with the database's, which says until when to revoke."""
    stage.clock.at = stage.one("select now() as at")["at"]


@pytest.mark.usefixtures("now")
def test_a_disconnect_unsubscribes_the_page_then_takes_back_the_permissions(stage):
    leave(stage)

    assert stage.work() == ["done"]

    assert stage.graph.calls == [
        ("unsubscribe", {"page": stage.page, "token": "EAApage"}),
        ("revoke_permissions", {"person": ASID, "token": "EAAuser"}),
    ]
    assert left(stage) == []


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("error", [Reauthorize("190"), Declined("no", code="refused")])
@pytest.mark.parametrize("method", ["unsubscribe", "revoke_permissions"])
def test_what_is_gone_already_counts_as_revoked(stage, method, error):
    leave(stage)
    stage.graph.script[method] = [error]

    assert stage.work() == ["done"]

    assert len(stage.graph.calls) == 2
    assert left(stage) == []


@pytest.mark.usefixtures("now")
def test_what_was_revoked_is_forgotten_even_when_the_rest_has_to_wait(stage):
    leave(stage)
    stage.graph.script["revoke_permissions"] = [Unreachable("Meta was not reached")]

    (first,) = stage.work(most=1)

    assert isinstance(first, Retry)
    assert left(stage) == [{"kind": "user_token"}]
    assert stage.work() == ["done"]
    assert left(stage) == []
    assert len(stage.graph.asked("unsubscribe")) == 1


@pytest.mark.usefixtures("now")
def test_a_token_of_a_connection_that_never_finished_revokes_its_own_person(stage):
    stage.keep_token("user_token", "", "EAApending")
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)

    stage.work()

    assert stage.graph.asked("revoke_permissions") == [{"person": "me", "token": "EAApending"}]


@pytest.mark.usefixtures("now")
def test_a_connection_made_again_meanwhile_is_left_alone(stage):
    leave(stage)
    again = stage.connect(stage.org, status="active")
    stage.do("update public.integrations set external_account_id = %s where id = %s", ASID, again)
    stage.do(
        "update public.channels set status = 'active', integration_id = %s where id = %s",
        *(again, stage.channel),
    )

    assert stage.work() == ["done"]

    assert stage.graph.calls == []
    assert left(stage) == []


@pytest.mark.usefixtures("now")
def test_what_another_organization_has_connected_lives_on(stage):
    leave(stage)
    with psycopg.connect(stage.url) as db:
        theirs = make_world(db).theirs
        db.execute(
            "update public.integrations set external_account_id = %s where id = %s",
            [ASID, theirs.integration],
        )

    assert stage.work() == ["done"]

    assert stage.graph.asked("unsubscribe") == [{"page": stage.page, "token": "EAApage"}]
    assert stage.graph.asked("revoke_permissions") == []
    assert left(stage) == []


def test_after_ten_minutes_a_token_is_not_used_any_more(stage):
    stage.clock.at = stage.one("select now() as at")["at"] + timedelta(minutes=11)
    leave(stage)

    assert stage.work() == ["done"]
    assert stage.graph.calls == []


@pytest.mark.usefixtures("now")
def test_a_token_that_does_not_open_does_not_keep_the_others(stage):
    leave(stage)
    stage.do(
        "update private.revocations set sealed = 'broken' where org_id = %s and kind = %s",
        *(stage.org, "page_token"),
    )

    assert stage.work() == ["done"]

    assert [method for method, _ in stage.graph.calls] == ["revoke_permissions"]
    assert left(stage) == []


def test_opened_tokens_are_wiped_from_memory_on_disconnect(stage):
    stage.clock.at = stage.one("select now() as at")["at"]
    stage.keep_token("user_token", ASID, "EAAuser")
    stage.opened()
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)

    stage.work()

    assert stage.opener._opened == {}


def test_a_payload_without_an_integration_is_buried(stage):
    stage.enqueue("meta.revoke", {})

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
    assert stage.clock.at == NOW
