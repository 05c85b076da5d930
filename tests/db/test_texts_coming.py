"""Texts that come in: whose they are, their files, and STOP."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from tests.switchboard import LINE, PERSON


def code(refused):
    assert refused.value.sqlstate.startswith("CX"), refused.value
    return refused.value.sqlstate


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
