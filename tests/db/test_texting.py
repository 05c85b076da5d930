"""Texts and numbers over Telnyx, through the RPCs, the worker, the receiver and the sandbox."""

from __future__ import annotations

import json
import uuid

import psycopg
import pytest

from tests.switchboard import LINE, OTHER_LINE, PERSON, Switchboard
from workers.jobqueue.outcome import Dead, Parked, Retry


@pytest.fixture(scope="module")
def shared(cluster, template):
    name = cluster.create(template, "texting")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def board(shared):
    stage = Switchboard(shared)
    yield stage
    stage.close()


@pytest.fixture
def ready(board):
    board.connect(LINE)
    yield board
    board.do("delete from private.channel_routes")


def code(refused):
    assert refused.value.sqlstate.startswith("CX"), refused.value
    return refused.value.sqlstate


def things(board):
    return board.control("state")["accounts"][0]["things"]


# Connecting


def test_a_key_connects_lists_numbers_and_takes_only_the_chosen(ready):
    (account,) = ready.control("state")["accounts"]
    profile = next(iter(account["things"]["messaging_profiles"].values()))
    app = next(iter(account["things"]["call_control_applications"].values()))
    integration = str(ready.link()["id"])
    numbers = {n["phone_number"]: n for n in account["numbers"]}

    assert profile["webhook_url"].endswith(f"/webhooks/telnyx/{integration}")
    assert profile["whitelisted_destinations"] == ["CA", "US"]
    assert app["webhook_event_url"] == profile["webhook_url"]
    assert app["webhook_api_version"] == "2"
    assert numbers[LINE]["messaging_profile_id"] == profile["id"]
    assert numbers[LINE]["connection_id"] == app["id"]
    assert numbers[OTHER_LINE]["messaging_profile_id"] is None
    rows = ready.do("select number, state from public.phone_numbers where org_id = %s", ready.org)
    assert {r["number"]: r["state"] for r in rows} == {LINE: "connected", OTHER_LINE: "available"}


def test_the_key_is_stored_sealed_and_nowhere_readable(ready):
    (row,) = ready.do("select * from private.sealed_tokens where org_id = %s", ready.org)
    key = ready.account["api_key"]

    assert row["kind"] == "api_key"
    assert key.encode() not in bytes(row["sealed"])
    for table in (
        "queue.jobs",
        "queue.dead_jobs",
        "public.integrations",
        "private.telnyx_accounts",
    ):
        assert ready.do(f"select 1 from {table} as t where t::text like %s", f"%{key}%") == []


def test_connecting_twice_adopts_what_was_made_and_makes_nothing_new(board):
    board.control(
        "faults", {"kind": "error", "template": "/credential_connections", "method": "POST"}
    )
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()
    assert board.link()["status"] == "reauthorization_required"

    board.connect(LINE)

    assert {kind: len(found) for kind, found in things(board).items()} == {
        "messaging_profiles": 1,
        "outbound_voice_profiles": 1,
        "call_control_applications": 1,
        "credential_connections": 1,
    }
    board.do("delete from private.channel_routes")


@pytest.mark.parametrize("key", ["", "sk_live_123", "KEY", "KEY 0123456789 0123", None])
def test_what_is_no_api_key_is_refused_before_anything_is_stored(board, key):
    with pytest.raises(psycopg.Error) as refused:
        board.call("connect_telnyx", api_key=key)

    assert code(refused) == "CX006"
    assert board.do("select 1 from public.integrations where org_id = %s", board.org) == []


def test_keys_that_were_swapped_are_told_apart(board):
    with pytest.raises(psycopg.Error) as refused:
        board.call("connect_telnyx", api_key=board.account["public_key"])
    assert code(refused) == "CX006"

    with pytest.raises(psycopg.Error) as refused:
        board.call(
            "connect_telnyx",
            api_key=board.account["api_key"],
            public_key=board.account["api_key"],
        )
    assert code(refused) == "CX006"


def test_a_wrong_key_is_said_in_words_and_forgotten(board):
    board.call("connect_telnyx", api_key="KEY" + "0" * 40)
    board.work()

    assert board.link()["status"] == "reauthorization_required"
    assert "did not accept the API key" in board.link()["error"]
    assert board.do("select 1 from private.sealed_tokens where org_id = %s", board.org) == []


def test_the_public_key_of_another_account_is_refused(board):
    other = board.control("seed", {"accounts": [{"numbers": ["+12045550155"]}]})["accounts"][0]
    board.call("connect_telnyx", api_key=board.account["api_key"], public_key=other["public_key"])
    board.work()

    assert "belongs to another Telnyx account" in board.link()["error"]


def test_without_a_call_for_the_public_key_it_is_asked_of_the_person(board):
    board.control("switches", {"public_key_served": False})
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()
    assert "did not tell its public key" in board.link()["error"]

    board.call(
        "connect_telnyx",
        api_key=board.account["api_key"],
        public_key=board.account["public_key"],
    )
    board.work()
    assert board.link()["status"] == "active"


def test_a_suspended_account_cannot_be_connected(board):
    board.control("account", {"api_key": board.account["api_key"], "suspended": True})
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()

    assert "suspended" in board.link()["error"]


def test_an_account_without_numbers_says_so(board):
    empty = board.control("seed", {"accounts": [{"numbers": []}]})["accounts"][0]
    board.call("connect_telnyx", api_key=empty["api_key"])
    board.work()

    assert "no phone number" in board.link()["error"]


def test_an_outage_while_connecting_is_waited_for_and_then_said(board):
    board.control("faults", {"kind": "server_error", "template": "/balance", "times": None})
    board.call("connect_telnyx", api_key=board.account["api_key"])
    board.work()

    assert "did not answer for a while" in board.link()["error"]


def test_a_number_of_another_organization_cannot_be_taken(ready):
    theirs, owner = ready.organization("Theirs")
    rival = Switchboard.__new__(Switchboard)
    rival.__dict__ |= ready.__dict__ | {"org": theirs, "owner": owner}
    rival.call("connect_telnyx", api_key=ready.account["api_key"])
    rival.work()
    rows = rival.do("select number, state from public.phone_numbers where org_id = %s", theirs)
    assert {r["number"]: r["state"] for r in rows} == {LINE: "elsewhere", OTHER_LINE: "available"}

    with pytest.raises(psycopg.Error) as refused:
        rival.call("choose_numbers", numbers=[LINE])

    assert code(refused) == "CX003"
    ready.say("hello")
    assert [m["body"] for m in ready.messages()] == ["hello"]
    assert rival.messages() == []


def test_a_number_that_is_not_on_the_account_cannot_be_chosen(ready):
    with pytest.raises(psycopg.Error) as refused:
        ready.call("choose_numbers", numbers=["+15145559999"])

    assert code(refused) == "CX003"


def test_a_number_chosen_no_more_is_given_back_as_it_was(ready):
    ready.call("choose_numbers", numbers=[LINE, OTHER_LINE])
    ready.work()
    ready.call("choose_numbers", numbers=[OTHER_LINE])
    ready.work()

    numbers = {n["phone_number"]: n for n in ready.control("state")["accounts"][0]["numbers"]}
    assert numbers[LINE]["messaging_profile_id"] is None
    assert numbers[LINE]["connection_id"] is None
    assert numbers[OTHER_LINE]["messaging_profile_id"] is not None
    assert (
        ready.one("select status from public.channels where id = %s", ready.channel())["status"]
        == "disconnected"
    )


def test_disconnecting_takes_the_webhooks_down_and_then_forgets_the_key(ready):
    ready.call("disconnect_integration", integration_id=ready.link()["id"])
    assert ready.do("select 1 from private.sealed_tokens where org_id = %s", ready.org) == []
    ready.work()

    (account,) = ready.control("state")["accounts"]
    assert all(not found for found in account["things"].values())
    assert {n["messaging_profile_id"] for n in account["numbers"]} == {None}
    assert ready.do("select 1 from private.revocations where org_id = %s", ready.org) == []
    assert ready.do("select 1 from private.telnyx_accounts where org_id = %s", ready.org) == []
    calls = [c["path"] for c in ready.control("log")["calls"] if c["method"] == "DELETE"]
    assert len(calls) == 4


def test_a_number_given_elsewhere_meanwhile_is_not_touched_at_the_end(ready):
    foreign = "abc85f64-5717-4562-b3fc-2c9600000000"
    world = ready._world.world.accounts[ready.account["api_key"]]
    world.number(OTHER_LINE)["messaging_profile_id"] = foreign

    ready.call("disconnect_integration", integration_id=ready.link()["id"])
    ready.work()

    assert world.number(OTHER_LINE)["messaging_profile_id"] == foreign


def test_a_dead_key_does_not_keep_the_disconnect_from_ending(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "revoked": True})
    ready.call("disconnect_integration", integration_id=ready.link()["id"])
    ready.work()

    assert ready.do("select 1 from private.revocations where org_id = %s", ready.org) == []


# What comes in


def test_a_text_becomes_a_message_of_the_customer_whose_number_it_is(ready):
    customer = ready.one(
        "insert into public.customers (org_id, kind, display_name) values (%s, 'person', 'Ann') returning id",
        ready.org,
    )["id"]
    ready.do(
        "insert into public.contact_points (org_id, customer_id, kind, value) values (%s, %s, 'phone', %s)",
        *(ready.org, customer, PERSON),
    )
    told = ready.say("Are you open?")

    (message,) = ready.messages()
    assert (message["body"], message["external_id"]) == ("Are you open?", told["id"])
    assert told["statuses"] == [200]
    assert ready.thread()["customer_id"] == customer
    assert ready.thread()["unread_count"] == 1


def test_the_same_event_again_is_answered_and_stored_once(ready):
    ready.control("switches", {"duplicates": 3})
    told = ready.say("once")

    assert told["statuses"] == [200] * 4
    assert len(ready.messages()) == 1
    assert ready.thread()["unread_count"] == 1


def test_our_number_is_found_among_several_recipients(ready):
    payload = {
        "id": str(uuid.uuid4()),
        "from": {"phone_number": PERSON},
        "to": [{"phone_number": "+16135550111"}],
        "cc": [{"phone_number": LINE}],
        "text": "to all",
        "media": [],
    }
    url = f"http://127.0.0.1:2/webhooks/telnyx/{ready.link()['id']}"
    ready.control("raw", {"url": url, "api_key": ready.account["api_key"],
                          "body": {"event_type": "message.received", "payload": payload}})  # fmt: skip
    ready.work()

    assert [m["body"] for m in ready.messages()] == ["to all"]


def test_files_of_a_text_are_fetched_into_storage(ready):
    ready.say(
        "look",
        media=[{"url": "http://127.0.0.1:1/telnyx-media/a.png", "content_type": "image/png"}],
    )

    (file,) = ready.do("select * from public.attachments where org_id = %s", ready.org)
    assert (file["state"], file["kind"], file["mime_type"]) == ("stored", "image", "image/png")
    assert list(ready.shelf.objects) == [file["storage_path"]]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/telnyx-media/gone", "expired"),
        ("http://127.0.0.1:1/telnyx-media/x.html", "type_refused"),
        ("http://169.254.169.254/latest/meta-data", "foreign_host"),
        ("https://telnyx.com.evil.example/x.png", "foreign_host"),
        ("file:///etc/passwd", "foreign_host"),
    ],
)
def test_a_file_that_cannot_be_had_keeps_its_text_and_says_why(ready, url, why):
    ready.say("look", media=[{"url": url, "content_type": "image/png"}])

    (file,) = ready.do("select * from public.attachments where org_id = %s", ready.org)
    assert (file["state"], file["error_code"]) == ("failed", why)
    assert [m["body"] for m in ready.messages()] == ["look"]


@pytest.mark.parametrize(
    "word", ["STOP", "stop.", " Unsubscribe ", "ARRÊT", "arret", "Désabonner", "STOP ALL"]
)
def test_stop_in_both_languages_forbids_this_number_pair(ready, word):
    ready.say(word)

    with pytest.raises(psycopg.Error) as refused:
        ready.write()

    assert code(refused) == "CX080"
    assert ready.sent() == []
    assert ready.write(to="+14385550100")["state"] == "queued"


@pytest.mark.parametrize("text", ["please stop by", "non-stop", "the end is near", "stopp"])
def test_a_text_that_only_contains_such_a_word_is_a_text(ready, text):
    ready.say(text)

    assert ready.do("select 1 from public.opt_outs where org_id = %s", ready.org) == []


@pytest.mark.parametrize("word", ["START", "unstop", "DÉBUT"])
def test_start_allows_it_again(ready, word):
    ready.say("ARRET")
    ready.say(word)
    ready.write()
    ready.work()

    assert len(ready.sent()) == 1
    (row,) = ready.do("select * from public.opt_outs where org_id = %s", ready.org)
    assert row["lifted_source"] == "keyword"


def test_a_stop_between_writing_and_sending_keeps_it_here(ready):
    ready.say("hi")
    message = ready.write()
    ready.control("say", {"sender": PERSON, "receiver": LINE, "text": "ARRET"})
    ready.do(
        "update queue.jobs set run_at = now() + interval '1 hour', state = 'waiting' where kind = 'telnyx.send'"
    )
    ready.work()
    ready.work(waiting=True)

    assert ready.sent() == []
    row = ready.one("select * from public.messages where id = %s", message["id"])
    assert (row["state"], row["error_code"]) == ("failed", "opted_out")


def test_a_block_that_only_telnyx_knows_is_taken_over_and_not_retried(ready):
    message = ready.write()
    ready.control("account", {"api_key": ready.account["api_key"], "block": [PERSON, LINE]})
    ready.work()

    row = ready.one("select * from public.messages where id = %s", message["id"])
    assert (row["state"], row["error_code"], row["attempts"]) == ("failed", "opted_out", 1)
    (block,) = ready.do("select * from public.opt_outs where org_id = %s", ready.org)
    assert block["source"] == "provider"


def test_help_is_answered_with_the_organizations_words_and_not_after_stop(ready):
    ready.call("set_phone_settings", help_text="Boutique Eve, 514 555 0101. STOP to end.")
    ready.say("AIDE")
    assert [m["text"] for m in ready.sent()] == ["Boutique Eve, 514 555 0101. STOP to end."]

    ready.say("STOP")
    ready.say("HELP")
    assert len(ready.sent()) == 1


def test_a_sender_with_a_name_is_shown_and_cannot_be_answered(ready):
    ready.say("Your code is 123", sender="MYBANK")
    assert ready.thread()["contact_external_id"] == "MYBANK"

    with pytest.raises(psycopg.Error) as refused:
        ready.call("send_message", conversation_id=ready.thread()["id"], body="hi")

    assert code(refused) == "CX081"


# What goes out


def test_a_text_leaves_once_with_its_id_as_the_key_and_becomes_delivered(ready):
    message = ready.write("Bonjour 👋")
    ready.work()

    (sent,) = ready.sent()
    assert (sent["from"], sent["to"], sent["text"]) == (LINE, PERSON, "Bonjour 👋")
    assert sent["key"] == message["id"]
    assert ready.messages()[0]["state"] == "delivered"
    assert ready.do("select 1 from private.send_requests where org_id = %s", ready.org) == []


@pytest.mark.parametrize("switch", ["finalized_before_sent", "webhook_before_response"])
def test_states_only_rise_whatever_the_order(ready, switch):
    ready.control("switches", {switch: True, "duplicates": 1})
    ready.write()
    ready.work()

    assert [m["state"] for m in ready.messages()] == ["delivered"]
    assert len(ready.sent()) == 1


@pytest.mark.parametrize(
    ("final", "error", "state", "why"),
    [
        ("delivery_failed", "40008", "failed", "undeliverable"),
        ("sending_failed", "40002", "failed", "spam_blocked"),
        ("sending_failed", "40010", "failed", "not_registered"),
        ("expired", None, "failed", "expired"),
        ("delivery_failed", "99999", "failed", "undeliverable"),
        ("delivery_unconfirmed", None, "sent", None),
        ("never", None, "sent", None),
    ],
)
def test_what_the_carrier_says_is_told_in_words(ready, final, error, state, why):
    ready.control("switches", {"final": final, "final_error": error})
    ready.write()
    ready.work()

    (message,) = ready.messages()
    assert (message["state"], message["error_code"]) == (state, why)
    assert (message["error_detail"] is None) == (final == "never")


@pytest.mark.parametrize(
    "fault", ["hang_up_after_effect", "hang_up_before_effect", "server_error", "rate_limit"]
)
def test_a_repeat_after_no_answer_is_byte_identical_and_sent_once(ready, fault):
    ready.control("faults", {"kind": fault, "template": "/messages"})
    ready.write()
    ready.work(waiting=True)
    ready.work(waiting=True)

    assert len(ready.sent()) == 1
    assert [m["state"] for m in ready.messages()] == ["delivered"]
    keys = [c["idempotency_key"] for c in ready.control("log")["calls"] if c["path"] == "/messages"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_beyond_the_window_it_is_looked_up_and_never_repeated(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.control("faults", {"kind": "hang_up_after_effect", "template": "/messages"})
    ready.write()
    ready.work(most=1)
    ready.later(hours=25)
    outcomes = ready.work(waiting=True)
    assert isinstance(outcomes[0], Dead)
    assert len(ready.sent()) == 1

    ready.work(waiting=True)
    (message,) = ready.messages()
    assert (message["state"], message["external_id"]) == ("sent", ready.sent()[0]["id"])


def test_what_was_never_taken_is_said_after_looking(ready):
    ready.control(
        "faults", {"kind": "hang_up_before_effect", "template": "/messages", "times": None}
    )
    ready.write()
    ready.work(most=1)
    ready.later(hours=25)
    ready.work(waiting=True)
    ready.work(waiting=True)

    (message,) = ready.messages()
    assert (message["state"], message["error_code"]) == ("failed", "not_sent")
    assert ready.sent() == []


def test_a_key_that_dies_parks_the_text_until_somebody_connects_again(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "revoked": True})
    ready.write()
    (outcome,) = ready.work()
    assert isinstance(outcome, Parked)
    assert ready.link()["status"] == "reauthorization_required"
    assert ready.messages()[0]["state"] == "queued"

    ready.control("account", {"api_key": ready.account["api_key"], "revoked": False})
    ready.call("connect_telnyx", api_key=ready.account["api_key"])
    ready.work(waiting=True)
    ready.work(waiting=True)
    assert len(ready.sent()) == 1


def test_a_suspended_account_pauses_the_connection(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "suspended": True})
    ready.write()
    ready.work()

    assert ready.link()["status"] == "paused"
    assert "suspended" in ready.link()["error"]


def test_files_go_out_by_address(ready):
    ready.say("hi")
    message = ready.write("look")
    ready.do(
        "insert into public.attachments (org_id, provider, message_id, kind, state, storage_path,"
        " mime_type, size_bytes, sha256) values (%s, 'telnyx', %s, 'image', 'stored', %s, 'image/png', 3, %s)",
        *(ready.org, message["id"], f"{ready.org}/a.png", "0" * 64),
    )
    ready.work()

    assert ready.sent()[0]["media"] == [f"https://files.example/{ready.org}/a.png"]


@pytest.mark.parametrize("phone", ["+33612345678", "+18765550123", "+12425550123", "+19005550123"])
def test_a_country_that_is_not_allowed_is_refused(ready, phone):
    with pytest.raises(psycopg.Error) as refused:
        ready.write(to=phone)

    assert code(refused) == "CX081"


def test_an_allowed_country_is_texted_and_told_to_telnyx(ready):
    ready.call("set_phone_settings", allowed_countries=["CA", "US", "FR"])
    ready.write(to="+33612345678")
    ready.call("choose_numbers", numbers=[LINE])
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    profile = next(iter(things(ready)["messaging_profiles"].values()))
    assert profile["whitelisted_destinations"] == ["CA", "US", "FR"]
    assert ready.sent()[0]["to"] == "+33612345678"


def test_quiet_hours_hold_a_text_but_not_an_answer(ready):
    ready.do("update public.organizations set timezone = 'UTC' where id = %s", ready.org)
    now = ready.clock.now()
    ready.call(
        "set_phone_settings",
        quiet_from=now.replace(hour=(now.hour - 1) % 24, minute=0).strftime("%H:%M"),
        quiet_until=now.replace(hour=(now.hour + 2) % 24, minute=0).strftime("%H:%M"),
    )
    ready.write("not now")
    (outcome,) = ready.work(most=1)
    assert isinstance(outcome, Retry)
    assert ready.sent() == []

    ready.say("hi", sender="+14385550111")
    ready.write("answer", to="+14385550111")
    ready.do("update queue.jobs set run_at = now() + interval '2 hours', state = 'waiting'"
             " where kind = 'telnyx.send' and attempt > 0")  # fmt: skip
    ready.work()
    assert [m["text"] for m in ready.sent()] == ["answer"]

    ready.later(hours=4)
    ready.work(waiting=True)
    assert [m["text"] for m in ready.sent()] == ["answer", "not now"]


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "left"),
    [
        ("", "GSM-7", 0, 160),
        ("a" * 160, "GSM-7", 1, 0),
        ("a" * 161, "GSM-7", 2, 145),
        ("€" * 80, "GSM-7", 1, 0),
        ("a" * 152 + "€" + "a" * 10, "GSM-7", 2, 141),
        ("é" * 160, "GSM-7", 1, 0),
        ("ê", "UCS-2", 1, 69),
        ("😀" * 35, "UCS-2", 1, 0),
        ("😀" * 36, "UCS-2", 2, 61),
        ("a" * 66 + "😀" + "b" * 20, "UCS-2", 2, 45),
        ("a" * 1530, "GSM-7", 10, 0),
    ],
)
def test_parts_are_counted_as_carriers_cut_them(board, text, encoding, parts, left):
    told = board.call("text_parts", body=text)

    assert (told["encoding"], told["parts"], told["left"]) == (encoding, parts, left)
    assert told["too_long"] is False


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("a" * 1531, "CX082"), ("😀" * 340, "CX082"), (" ", "CX006"), ("a" * 2001, "CX006")],
)
def test_empty_and_oversized_texts_are_refused(ready, text, refusal):
    with pytest.raises(psycopg.Error) as refused:
        ready.write(text)

    assert code(refused) == refusal


def test_a_conversation_is_started_once_from_a_connected_number_only(ready):
    first = ready.call("start_conversation", channel_id=ready.channel(), phone="438 555-0199")
    again = ready.call("start_conversation", channel_id=ready.channel(), phone=PERSON)
    assert first["id"] == again["id"]

    with pytest.raises(psycopg.Error) as refused:
        ready.call("start_conversation", channel_id=uuid.uuid4(), phone=PERSON)
    assert code(refused) == "CX003"
    ready.call("choose_numbers", numbers=[])
    ready.work()
    with pytest.raises(psycopg.Error) as refused:
        ready.call("start_conversation", channel_id=ready.channel(), phone=PERSON)
    assert code(refused) == "CX011"


def test_a_text_sent_with_another_tool_appears_in_its_thread(ready):
    url = f"http://127.0.0.1:2/webhooks/telnyx/{ready.link()['id']}"
    payload = {"id": "elsewhere-1", "from": {"phone_number": LINE}, "text": "from the portal",
               "to": [{"phone_number": PERSON, "status": "delivered"}]}  # fmt: skip
    ready.control("raw", {"url": url, "api_key": ready.account["api_key"],
                          "body": {"event_type": "message.finalized", "payload": payload}})  # fmt: skip
    ready.work()

    (message,) = ready.messages()
    assert (message["origin"], message["state"], message["body"]) == (
        "echo",
        "delivered",
        "from the portal",
    )


# The receiver


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


@pytest.mark.parametrize("place", [str(uuid.uuid4()), "nonsense", "..%2fmeta"])
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


# What was missed


def test_reading_the_records_finds_what_the_webhooks_lost(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.say("lost")
    ready.control("ring", {"sender": PERSON, "receiver": LINE})
    ready.control("hang_up", {"cause": "originator_cancel"})
    assert ready.messages() == []

    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.later(seconds=5)
    ready.work(waiting=True)

    (message,) = ready.messages()
    assert (message["body"], message["origin"]) == ("lost", "backfill")
    assert [c["state"] for c in ready.calls()] == ["missed"]
    assert ready.thread()["unread_count"] == 1


def test_a_run_that_stopped_goes_on_where_it_was(ready):
    ready.control("switches", {"lose_webhooks": True})
    for number in range(120):
        ready.control("say", {"sender": PERSON, "receiver": LINE, "text": f"line {number}"})
    ready.later(seconds=5)
    ready.control("faults", {"kind": "server_error", "template": "/detail_records", "skip": 1})
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True, most=1)
    first = len(ready.messages())
    assert first == 50

    ready.work(waiting=True)

    assert len({m["body"] for m in ready.messages()}) == 120
    pages = [c for c in ready.control("log")["calls"] if c["path"] == "/detail_records"]
    assert len(pages) < 10


def test_a_number_that_was_ported_away_is_said_and_closed(ready):
    ready.control(
        "account",
        {"api_key": ready.account["api_key"], "take_number": LINE, "give_number": "+16045550177"},
    )
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    rows = ready.do(
        "select number, state, problem from public.phone_numbers where org_id = %s", ready.org
    )
    found = {r["number"]: r for r in rows}
    assert found[LINE]["state"] == "gone"
    assert "ported" in found[LINE]["problem"]
    assert found["+16045550177"]["state"] == "available"
    with pytest.raises(psycopg.Error) as refused:
        ready.write()
    assert code(refused) == "CX011"


def test_a_low_balance_is_said_until_it_is_not_low(ready):
    ready.control("account", {"api_key": ready.account["api_key"], "balance": "1.20"})
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)
    assert "balance is low" in ready.link()["error"]

    ready.control("account", {"api_key": ready.account["api_key"], "balance": "50.00"})
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)
    assert ready.link()["error"] is None


def test_a_block_whose_webhook_was_lost_is_found(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.say("STOP")
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    with pytest.raises(psycopg.Error) as refused:
        ready.write()
    assert code(refused) == "CX080"


def test_webhooks_that_somebody_turned_elsewhere_are_turned_back(ready):
    world = ready._world.world.accounts[ready.account["api_key"]]
    profile = next(iter(world.of("messaging_profiles").values()))
    profile["webhook_url"] = "https://elsewhere.example/"
    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.work(waiting=True)

    assert profile["webhook_url"].endswith(f"/webhooks/telnyx/{ready.link()['id']}")
