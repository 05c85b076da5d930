"""Calls over Telnyx, through the RPCs, the worker, the receiver and the sandbox."""

from __future__ import annotations

import base64
import json
import uuid

import psycopg
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.database import as_user, make_user
from tests.switchboard import LINE, PERSON, Switchboard

NOTICE = "This call is recorded. Cet appel est enregistré."


@pytest.fixture(scope="module")
def browser():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def shared(cluster, template):
    name = cluster.create(template, "calling")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def line(shared):
    stage = Switchboard(shared)
    stage.connect(LINE)
    yield stage
    stage.do("delete from private.channel_routes")
    stage.close()


@pytest.fixture
def phone(line, browser):
    """The line, with the owner's browser signed in."""
    token = ask(line, browser)
    assert token["state"] == "ready"
    return line


def spki(key):
    raw = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(raw).decode()


def ask(line, key, **more):
    made = line.call("request_calling_token", public_key=spki(key), **more)
    line.work()
    return line.one("select * from public.calling_tokens where id = %s", made["id"])


def unsealed(row, key):
    wrapped, nonce, sealed = (base64.b64decode(row[n]) for n in ("wrapped_key", "nonce", "sealed"))
    oaep = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return AESGCM(key.decrypt(wrapped, oaep)).decrypt(nonce, sealed, None).decode()


def ring(line, sender=PERSON):
    told = line.control("ring", {"sender": sender, "receiver": LINE})
    line.work()
    return told["call_control_id"]


def happen(line, what, **order):
    line.control(what, order)
    line.work()


def leg(line, number=0):
    return line.control("calls")["calls"][number]


def commands(line, number=0):
    return [c["action"] for c in leg(line, number)["commands"]]


def code(refused):
    return refused.value.sqlstate


def raw_event(line, kind, **payload):
    url = f"http://127.0.0.1:2/webhooks/telnyx/{line.link()['id']}"
    told = {"call_leg_id": "leg-1", "call_session_id": "s-1", "call_control_id": "v3:1",
            "from": PERSON, "to": LINE, **payload}  # fmt: skip
    line.control("raw", {"url": url, "api_key": line.account["api_key"],
                         "body": {"event_type": kind, "payload": told}})  # fmt: skip


# The browser's token


def test_a_token_can_be_read_by_the_browser_that_asked_and_by_nobody_else(line, browser):
    row = ask(line, browser)

    credential = next(
        iter(
            line._world.world.accounts[line.account["api_key"]].of("telephony_credentials").values()
        )
    )
    assert unsealed(row, browser) == credential["token"]
    with pytest.raises(ValueError, match=r"."):
        unsealed(row, rsa.generate_private_key(public_exponent=65537, key_size=2048))
    for table in ("public.calling_tokens", "queue.jobs", "queue.dead_jobs"):
        found = line.do(
            f"select 1 from {table} as t where t::text like %s", f"%{credential['token']}%"
        )
        assert found == []


def test_a_token_is_seen_by_its_person_only(line, browser):
    ask(line, browser)
    with psycopg.connect(line.url) as db:
        colleague = make_user(db)
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'admin')",
            [line.org, colleague],
        )
        as_user(db, colleague, line.org)
        assert db.execute("select 1 from public.calling_tokens").fetchall() == []


def test_a_credential_that_is_not_ready_at_once_is_asked_again(line, browser):
    line.control("switches", {"token_after_seconds": 4})
    row = ask(line, browser)
    line.later(seconds=5)
    line.work(waiting=True)

    assert (
        line.one("select state from public.calling_tokens where id = %s", row["id"])["state"]
        == "ready"
    )
    made = [c for c in line.control("log")["calls"] if c["path"] == "/telephony_credentials"]
    assert len(made) == 1


@pytest.mark.parametrize("key", ["", "short", "A" * 400])
def test_a_key_that_is_none_gives_no_token(line, key):
    try:
        made = line.call("request_calling_token", public_key=key)
    except psycopg.Error as refused:
        assert refused.sqlstate == "CX006"  # noqa: PT017 - one of two ways to be refused
        return
    line.work()
    row = line.one("select state, error_code from public.calling_tokens where id = %s", made["id"])
    assert row == {"state": "failed", "error_code": "public_key_unusable"}


def test_tokens_are_not_given_without_end(line, browser):
    for _ in range(10):
        line.call("request_calling_token", public_key=spki(browser))
    with pytest.raises(psycopg.Error) as refused:
        line.call("request_calling_token", public_key=spki(browser))

    assert code(refused) == "CX085"


def test_who_leaves_the_organization_loses_the_credential(line, browser):
    with psycopg.connect(line.url) as db:
        agent = make_user(db)
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'agent')",
            [line.org, agent],
        )
    ask(line, browser, by=agent)
    line.do("delete from public.memberships where user_id = %s", agent)
    line.work()

    assert line._world.world.accounts[line.account["api_key"]].of("telephony_credentials") == {}
    assert line.do("select 1 from public.calling_tokens where user_id = %s", agent) == []


def test_what_a_token_was_sealed_in_is_gone_after_five_minutes(phone):
    phone.do("update public.calling_tokens set created_at = now() - interval '6 minutes'")
    phone.do("select private.settle_telnyx()")

    row = phone.one(
        "select state, sealed, sip_username from public.calling_tokens where org_id = %s", phone.org
    )
    assert (row["state"], row["sealed"]) == ("taken", None)
    assert row["sip_username"] is not None


# Calls that go out


def place(line, to=PERSON, **more):
    call = line.call("start_call", channel_id=line.channel(), phone=to, **more)
    line.work()
    return call


def test_a_call_is_placed_answered_brought_to_the_browser_and_ended(phone):
    call = place(phone)
    assert phone.calls()[0]["state"] == "ringing"
    placed = leg(phone)
    assert (placed["from"], placed["to"]) == (LINE, PERSON)
    assert base64.b64decode(placed["client_state"]) == uuid.UUID(call["id"]).bytes

    happen(phone, "pick_up", call_control_id=placed["call_control_id"])
    (row,) = phone.calls()
    assert row["state"] == "answered"
    assert row["answered_at"] is not None
    assert commands(phone) == ["transfer"]
    assert leg(phone)["commands"][0]["to"].startswith("sip:gencred")

    happen(phone, "hang_up", call_control_id=placed["call_control_id"])
    (row,) = phone.calls()
    assert (row["state"], row["cause"], row["direction"]) == (
        "ended",
        "normal_clearing",
        "outbound",
    )
    assert row["ended_at"] >= row["answered_at"]
    assert phone.thread()["id"] == row["conversation_id"]


def test_the_same_intent_is_placed_once(phone):
    key = uuid.uuid4()
    first = phone.call("start_call", channel_id=phone.channel(), phone=PERSON, client_key=key)
    again = phone.call("start_call", channel_id=phone.channel(), phone=PERSON, client_key=key)
    phone.work()

    assert first["id"] == again["id"]
    assert len(phone.control("calls")["calls"]) == 1


def test_without_an_open_browser_nobody_is_called(line):
    place(line)

    (call,) = line.calls()
    assert (call["state"], call["cause"]) == ("failed", "no_browser")
    assert line.control("calls")["calls"] == []


def test_a_repeat_within_a_minute_places_it_once(phone):
    phone.control("faults", {"kind": "hang_up_after_effect", "template": "/calls"})
    place(phone)
    phone.work(waiting=True)

    assert len(phone.control("calls")["calls"]) == 1
    assert phone.calls()[0]["state"] == "ringing"


def test_beyond_a_minute_it_is_in_doubt_until_the_records_tell(phone):
    phone.control("switches", {"lose_webhooks": True})
    phone.control("faults", {"kind": "hang_up_after_effect", "template": "/calls"})
    place(phone)
    phone.later(seconds=90)
    phone.work(waiting=True)
    assert phone.calls()[0]["state"] == "ambiguous"
    assert len(phone.control("calls")["calls"]) == 1

    phone.control("hang_up", {})
    phone.later(seconds=5)
    phone.do("select private.enqueue_telnyx_reconciles()")
    phone.work(waiting=True)
    (call,) = phone.calls()
    assert call["state"] == "ended"
    assert call["external_id"] is not None


def test_a_webhook_settles_a_call_in_doubt_by_the_id_we_sent_along(phone):
    phone.control("faults", {"kind": "hang_up_after_effect", "template": "/calls"})
    phone.call("start_call", channel_id=phone.channel(), phone=PERSON)
    phone.work(most=1)
    phone.work()

    assert [c["state"] for c in phone.calls()] == ["ringing"]


def test_a_call_whose_worker_died_is_not_left_open(phone):
    call = phone.call("start_call", channel_id=phone.channel(), phone=PERSON)
    phone.do("delete from queue.jobs where kind = 'telnyx.dial'")
    phone.do("alter table public.calls disable trigger calls_update_touch")
    phone.do(
        "update public.calls set updated_at = now() - interval '10 minutes' where id = %s",
        call["id"],
    )
    phone.do("alter table public.calls enable trigger calls_update_touch")
    phone.do("select private.settle_telnyx()")

    assert phone.calls()[0]["state"] == "failed"


@pytest.mark.parametrize("to", ["+18765550123", "+33612345678"])
def test_a_country_that_is_not_allowed_is_not_called(phone, to):
    with pytest.raises(psycopg.Error) as refused:
        phone.call("start_call", channel_id=phone.channel(), phone=to)

    assert code(refused) == "CX081"


def test_a_dead_key_ends_the_call_with_its_reason(phone):
    phone.control("account", {"api_key": phone.account["api_key"], "revoked": True})
    phone.opener.wipe_all()
    place(phone)

    assert phone.calls()[0]["cause"] == "reauthorization_required"
    assert phone.link()["status"] == "reauthorization_required"


def test_a_call_that_waits_ends_with_the_connection(phone):
    phone.call("start_call", channel_id=phone.channel(), phone=PERSON)
    phone.call("disconnect_integration", integration_id=phone.link()["id"])

    (call,) = phone.calls()
    assert (call["state"], call["cause"]) == ("failed", "disconnected")
    assert phone.do("select 1 from public.calling_tokens where org_id = %s", phone.org) == []


# Calls that come in


def test_a_call_rings_is_answered_and_comes_to_the_browser(phone):
    control = ring(phone)
    (call,) = phone.calls()
    assert (call["state"], call["direction"], call["from_number"]) == ("ringing", "inbound", PERSON)

    action = phone.call("answer_call", call_id=call["id"])
    phone.work()
    assert (
        phone.one("select state from public.call_actions where id = %s", action["id"])["state"]
        == "done"
    )
    assert phone.calls()[0]["state"] == "answered"
    assert phone.calls()[0]["handled_by"] == phone.owner
    assert commands(phone) == ["answer", "transfer"]

    happen(phone, "hang_up", call_control_id=control)
    assert phone.calls()[0]["state"] == "ended"
    assert len(phone.calls()) == 1


def test_a_missed_call_says_so_in_the_inbox(line):
    control = ring(line)
    happen(line, "hang_up", call_control_id=control, cause="originator_cancel")

    (call,) = line.calls()
    assert (call["state"], call["cause"], call["answered_at"]) == (
        "missed",
        "originator_cancel",
        None,
    )
    assert line.thread()["unread_count"] == 1


def test_each_call_of_a_person_is_in_the_same_conversation(line):
    line.say("hello")
    for _ in range(2):
        happen(line, "hang_up", call_control_id=ring(line))

    assert {c["conversation_id"] for c in line.calls()} == {line.thread()["id"]}


@pytest.mark.parametrize("sender", ["anonymous", "Restricted", "", "sip:bob@example.com"])
def test_a_withheld_number_is_a_call_without_a_person(line, sender):
    ring(line, sender)

    (call,) = line.calls()
    assert (call["from_number"], call["conversation_id"]) == (None, None)


@pytest.mark.parametrize(
    "order",
    [
        ("call.initiated", "call.answered", "call.hangup"),
        ("call.hangup", "call.answered", "call.initiated"),
        ("call.answered", "call.hangup", "call.initiated"),
        ("call.hangup", "call.initiated", "call.answered"),
        ("call.initiated", "call.hangup", "call.answered", "call.initiated", "call.hangup"),
    ],
)
def test_events_in_any_order_and_twice_end_in_the_same_call(line, order):
    for kind in order:
        raw_event(line, kind, direction="incoming" if kind == "call.initiated" else None,
                  hangup_cause="normal_clearing")  # fmt: skip
        line.work()

    (call,) = line.calls()
    assert call["state"] == "ended"
    assert call["answered_at"] is not None


def test_a_repeated_beginning_does_not_reset_a_live_call(line):
    for kind in ("call.initiated", "call.answered", "call.initiated"):
        raw_event(line, kind, direction="incoming" if kind == "call.initiated" else None)
        line.work()

    assert [c["state"] for c in line.calls()] == ["answered"]


def test_the_other_leg_of_a_transfer_is_no_call_of_its_own(line):
    raw_event(line, "call.initiated", direction="incoming")
    line.work()
    raw_event(
        line,
        "call.initiated",
        call_leg_id="leg-2",
        direction="outgoing",
        **{"from": LINE, "to": "+14385550123"},
    )
    raw_event(line, "call.hangup", call_leg_id="leg-2", **{"from": LINE, "to": "+14385550123"})
    line.work()

    assert [c["state"] for c in line.calls()] == ["ringing"]


# Steering


def test_a_call_is_transferred_held_and_hung_up_once_each(phone):
    ring(phone)
    call = phone.calls()[0]["id"]
    phone.call("answer_call", call_id=call)
    phone.work()
    phone.call("hold_call", call_id=call)
    phone.work()
    assert phone.calls()[0]["held_at"] is not None
    phone.call("hold_call", call_id=call, hold=False)
    phone.work()
    assert phone.calls()[0]["held_at"] is None
    phone.call("transfer_call", call_id=call, phone="+14385550123")
    phone.work()
    phone.call("hang_up_call", call_id=call)
    phone.work()

    assert commands(phone) == ["answer", "transfer", "speak", "playback_stop", "transfer", "hangup"]
    assert phone.calls()[0]["state"] == "ended"
    assert {
        a["state"]
        for a in phone.do("select state from public.call_actions where org_id = %s", phone.org)
    } == {"done"}


def test_a_command_without_an_answer_is_repeated_and_done_once(phone):
    ring(phone)
    phone.control(
        "faults", {"kind": "hang_up_after_effect", "template": "/calls/{id}/actions/{action}"}
    )
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    phone.work(waiting=True)

    assert commands(phone).count("answer") == 1
    assert phone.do("select state from public.call_actions where org_id = %s", phone.org) == [
        {"state": "done"}
    ]


@pytest.mark.parametrize("state", ["ringing", "missed"])
def test_what_a_call_does_not_allow_is_refused(phone, state):
    control = ring(phone)
    if state == "missed":
        happen(phone, "hang_up", call_control_id=control)
    call = phone.calls()[0]["id"]
    wrong = [("transfer_call", {"phone": PERSON}), ("hold_call", {})]
    wrong += [("answer_call", {}), ("hang_up_call", {})] if state == "missed" else []
    for function, arguments in wrong:
        with pytest.raises(psycopg.Error) as refused:
            phone.call(function, call_id=call, **arguments)
        assert code(refused) == "CX083"


def test_a_call_that_ended_meanwhile_is_said(phone):
    control = ring(phone)
    action = phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.control("switches", {"lose_webhooks": True})
    phone.control("hang_up", {"call_control_id": control})
    phone.work()

    row = phone.one("select * from public.call_actions where id = %s", action["id"])
    assert (row["state"], row["error_code"]) == ("failed", "call_over")


def test_a_call_of_another_organization_is_not_there(phone):
    ring(phone)
    theirs, owner = phone.organization("Theirs")
    for function in ("answer_call", "hang_up_call", "hold_call"):
        with pytest.raises(psycopg.Error) as refused:
            phone.call(function, by=owner, org=theirs, call_id=phone.calls()[0]["id"])
        assert code(refused) == "CX003"


@pytest.mark.parametrize(
    "target", [{}, {"phone": PERSON, "user_id": uuid.uuid4()}, {"phone": "12"}]
)
def test_a_transfer_needs_one_target(phone, target):
    ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    with pytest.raises(psycopg.Error) as refused:
        phone.call("transfer_call", call_id=phone.calls()[0]["id"], **target)

    assert code(refused) == "CX006"


def test_a_transfer_to_a_member_without_a_browser_is_said(phone):
    with psycopg.connect(phone.url) as db:
        agent = make_user(db)
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'agent')",
            [phone.org, agent],
        )
    ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    action = phone.call("transfer_call", call_id=phone.calls()[0]["id"], user_id=agent)
    phone.work()

    row = phone.one("select * from public.call_actions where id = %s", action["id"])
    assert (row["state"], row["error_code"]) == ("failed", "no_browser")


# Recordings


def record(phone):
    phone.call("set_phone_settings", recording=True, recording_notice=NOTICE)
    control = ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    happen(phone, "hang_up", call_control_id=control)
    return phone.one("select * from public.call_recordings where org_id = %s", phone.org)


def test_nothing_is_recorded_unless_it_was_turned_on(phone):
    control = ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    happen(phone, "hang_up", call_control_id=control)

    assert "record_start" not in commands(phone)
    assert phone.do("select 1 from public.call_recordings where org_id = %s", phone.org) == []


def test_recording_needs_its_notice_which_is_said_before(phone):
    with pytest.raises(psycopg.Error) as refused:
        phone.call("set_phone_settings", recording=True)
    assert code(refused) == "CX084"

    row = record(phone)
    spoken = [c for c in leg(phone)["commands"] if c["action"] == "speak"]
    assert [c["payload"] for c in spoken] == [NOTICE]
    assert commands(phone) == ["answer", "speak", "record_start", "transfer"]
    assert row["state"] == "stored"
    assert list(phone.shelf.objects) == [row["storage_path"]]
    settings = phone.one("select * from public.phone_settings where org_id = %s", phone.org)
    assert (settings["recording_notice"], settings["recording_by"]) == (NOTICE, phone.owner)


def test_a_recording_is_not_left_at_telnyx(phone):
    record(phone)

    assert phone._world.world.accounts[phone.account["api_key"]].of("recordings") == {}


def test_a_recording_is_deleted_for_good(phone):
    row = record(phone)
    assert phone.call("delete_recording", recording_id=row["id"]) is True
    phone.work()
    assert phone.call("delete_recording", recording_id=row["id"]) is False

    assert phone.shelf.objects == {}
    left = phone.one(
        "select state, storage_path from public.call_recordings where id = %s", row["id"]
    )
    assert left == {"state": "deleted", "storage_path": None}


def test_voicemail_is_a_recording_and_marks_the_missed_call(line):
    with pytest.raises(psycopg.Error) as refused:
        line.call("set_phone_settings", voicemail=True)
    assert code(refused) == "CX084"

    line.call("set_phone_settings", recording=True, recording_notice=NOTICE, voicemail=True)
    control = ring(line)
    line.work(waiting=True)
    assert commands(line) == ["answer", "speak", "record_start"]
    happen(line, "hang_up", call_control_id=control)

    (call,) = line.calls()
    assert (call["state"], call["voicemail"], call["answered_at"]) == ("missed", True, None)
    assert line.thread()["unread_count"] == 1


def test_a_call_that_was_answered_does_not_reach_the_machine(phone):
    phone.call("set_phone_settings", recording=True, recording_notice=NOTICE, voicemail=True)
    ring(phone)
    phone.call("answer_call", call_id=phone.calls()[0]["id"])
    phone.work()
    phone.work(waiting=True)

    assert commands(phone).count("answer") == 1
    assert phone.calls()[0]["voicemail_at"] is None


def test_no_payload_in_the_queue_holds_a_number(phone):
    seen = []
    for function, arguments in (("start_call", {"channel_id": phone.channel(), "phone": PERSON}),):
        phone.call(function, **arguments)
        seen += phone.do("select payload, ordering_key, dedupe_key from queue.jobs")

    assert seen
    assert PERSON not in json.dumps(seen, default=str)
