"""Webhooks of Telnyx: proven by the key of their own account, or refused."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.switchboard import LINE, PERSON, Switchboard
from workers.jobqueue.outcome import Dead


def envelope(kind="message.received", **payload):
    told = {
        "id": "m1",
        "from": {"phone_number": PERSON},
        "to": [{"phone_number": LINE}],
        "text": "hi",
        **payload,
    }
    return {"data": {"event_type": kind, "id": str(uuid.uuid4()), "occurred_at": "2026-11-24T03:00:00Z",
                     "payload": told}}  # fmt: skip


def deliver(board, body, *, integration=None, age=0, account=None, **changed):
    content, headers = board.signed(body, age=age, account=account)
    headers = {name: value for name, value in (headers | changed).items() if value is not None}
    return board.post(f"/webhooks/telnyx/{integration or board.link()['id']}", content, headers)


def stored(board):
    return board.one("select count(*) as n from queue.webhook_events where org_id = %s", board.org)[
        "n"
    ]


def test_a_proven_webhook_is_stored(ready):
    assert deliver(ready, envelope()) == 200
    assert stored(ready) == 1


@pytest.mark.parametrize(
    "flaw",
    [
        {"telnyx-signature-ed25519": None},
        {"telnyx-timestamp": None},
        {"telnyx-signature-ed25519": "AAAA"},
        {"telnyx-signature-ed25519": "é".encode("latin-1").decode("latin-1")},
        {"telnyx-timestamp": "soon"},
        {"telnyx-timestamp": "9" * 40},
    ],
)
def test_an_unproven_webhook_is_refused_and_leaves_nothing(ready, flaw):
    content, headers = ready.signed(envelope())
    headers = {k: v.encode("latin-1") for k, v in (headers | flaw).items() if v is not None}

    assert ready.post(f"/webhooks/telnyx/{ready.link()['id']}", content, headers) == 401
    assert stored(ready) == 0


@pytest.mark.parametrize(("age", "status"), [(0, 200), (290, 200), (310, 401), (-310, 401)])
def test_a_webhook_is_believed_for_five_minutes(ready, age, status):
    assert deliver(ready, envelope(), age=age) == status


def test_a_changed_body_is_refused(ready):
    content, headers = ready.signed(envelope())

    assert ready.post(f"/webhooks/telnyx/{ready.link()['id']}", content + b" ", headers) == 401


def test_a_replay_is_answered_and_changes_nothing(ready):
    body = envelope()
    assert [deliver(ready, body), deliver(ready, body)] == [200, 200]
    ready.work()

    assert len(ready.messages()) == 1


def test_the_key_of_one_account_proves_nothing_of_anothers_number(ready):
    theirs, owner = ready.organization("Theirs")
    rival = Switchboard.__new__(Switchboard)
    account = ready.control("seed", {"accounts": [{"numbers": ["+12045550156"]}]})["accounts"][0]
    rival.__dict__ |= ready.__dict__ | {"org": theirs, "owner": owner, "account": account}
    rival.call("connect_telnyx", api_key=account["api_key"])
    rival.work()
    assert rival.link()["status"] == "active"

    # Their own address and key, but our number; then our address with their key.
    assert deliver(ready, envelope(), integration=rival.link()["id"], account=account) == 200
    assert deliver(ready, envelope(), account=account) == 401
    assert stored(ready) == 0


@pytest.mark.parametrize("place", [str(uuid.UUID(int=7)), "nonsense", "..%2fmeta"])
def test_an_address_of_no_connection_is_refused(ready, place):
    assert deliver(ready, envelope(), integration=place) in {401, 404}


def test_after_a_disconnect_the_address_is_dead(ready):
    integration = ready.link()["id"]
    ready.call("disconnect_integration", integration_id=integration)

    assert deliver(ready, envelope(), integration=integration) == 401


@pytest.mark.parametrize("kind", ["message.unheard_of", "fax.received", "call.dtmf.received", ""])
def test_an_unknown_kind_is_counted_answered_and_not_kept(ready, kind):
    assert deliver(ready, envelope(kind)) == 200

    assert stored(ready) == 0
    assert (
        'connext_webhook_events_total{outcome="ignored",provider="telnyx"} 1.0'
        in ready.counters.text().decode()
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"data": 1}',
        b"\xff\xfe",
        json.dumps({"data": {"event_type": "message.received", "id": "x", "payload": {}}}).encode(),
        json.dumps(
            {
                "data": {
                    "event_type": "message.received",
                    "id": "x",
                    "occurred_at": "2026-01-01T00:00:00Z",
                    "payload": {"id": 1},
                }
            }
        ).encode(),
        b"[" * 100_000,
    ],
)
def test_what_is_proven_but_unreadable_leaves_its_shape_only(ready, body):
    assert deliver(ready, body) == 200

    (row,) = ready.do("select * from queue.unreadable_webhooks where provider = 'telnyx'")
    assert row["size"] == len(body)
    assert stored(ready) == 0
    ready.do("delete from queue.unreadable_webhooks")


def test_a_body_beyond_the_limit_is_refused(ready):
    assert deliver(ready, b"x" * (256 * 1024 + 1)) == 413


def test_unknown_fields_and_statuses_are_no_trouble(ready):
    assert deliver(ready, envelope(is_spam=True, autoresponse_type=None, brand_new={"a": 1})) == 200
    ready.work()

    assert len(ready.messages()) == 1


def test_an_event_without_a_person_is_buried_not_repeated(ready):
    assert deliver(ready, envelope(**{"from": {}})) == 200
    (outcome,) = ready.work()

    assert isinstance(outcome, Dead)


def test_what_the_main_address_does_not_take_comes_by_the_failover(board):
    board.do(
        "update private.provider_settings set value = 'http://127.0.0.1:2/down' where key = 'webhook_url'"
    )
    board.do(
        "insert into private.provider_settings values"
        " ('telnyx', 'webhook_failover_url', 'http://127.0.0.1:2/webhooks/telnyx')"
    )
    try:
        board.connect(LINE)
        told = board.say("still here")
    finally:
        board.do("delete from private.provider_settings where key = 'webhook_failover_url'")

    assert told["statuses"] == [200]
    assert [m["body"] for m in board.messages()] == ["still here"]
    attempts = board.control("log")["webhooks"][-1]["statuses"]
    assert attempts == [404, 404, 404, 200]


def test_the_same_words_twice_are_two_texts(ready):
    ready.say("yes")
    ready.say("yes")

    assert [m["body"] for m in ready.messages()] == ["yes", "yes"]


def test_an_event_from_before_a_number_was_chosen_is_counted_and_forgotten(ready):
    assert deliver(ready, envelope(to=[{"phone_number": "+15145550101"}])) == 200

    assert stored(ready) == 0
    told = ready.counters.text().decode()
    assert 'connext_webhook_events_total{outcome="unknown",provider="telnyx"} 1.0' in told
