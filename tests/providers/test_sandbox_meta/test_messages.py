"""The sandbox's Send API: what it accepts, what it refuses, and the echo."""

import json

import pytest

DAY = 24 * 3600


def test_an_accepted_message_is_answered_kept_and_echoed(stage):
    token = stage.connected()
    stage.says()

    answer = stage.send(token, "Grüße / 50%")
    stage.control("meta/settle")

    body = answer.json()
    assert body["recipient_id"] == stage.psid
    kept = stage.look("meta/sent")
    assert kept["count"] == 1
    sent = kept["messages"][0]
    assert (sent["page_id"], sent["psid"], sent["text"]) == (stage.page, stage.psid, "Grüße / 50%")
    assert (sent["metadata"], sent["mid"], sent["count"]) == ("outbox-1", body["message_id"], 1)
    echo = stage.webhooks()[-1]["entry"][0]["messaging"][0]
    assert echo["sender"] == {"id": stage.page}
    assert echo["recipient"] == {"id": stage.psid}
    assert echo["message"] == {
        "is_echo": True,
        "app_id": int(stage.app_id),
        "metadata": "outbox-1",
        "mid": body["message_id"],
        "text": "Grüße / 50%",
    }


def test_the_echo_can_come_before_the_answer(stage):
    token = stage.connected()
    stage.says()
    stage.control("meta/switches", {"echo": "before"})
    stage.inbox.clear()

    answer = stage.send(token)

    echo = stage.webhooks()[0]["entry"][0]["messaging"][0]
    assert echo["message"]["mid"] == answer.json()["message_id"]


def test_the_echo_can_stay_away(stage):
    token = stage.connected()
    stage.says()
    stage.control("meta/switches", {"echo": "never"})
    stage.inbox.clear()

    assert stage.send(token).status_code == 200
    stage.control("meta/settle")

    assert stage.webhooks() == []


def test_a_message_sent_twice_is_accepted_twice_and_shown_as_such(stage):
    token = stage.connected()
    stage.says()

    mids = {stage.send(token).json()["message_id"] for _ in range(2)}

    kept = stage.look(f"meta/sent?psid={stage.psid}&metadata=outbox-1")
    assert len(mids) == 2
    assert [item["count"] for item in kept["messages"]] == [2, 2]


def test_a_reply_is_refused_once_a_day_has_passed(stage, code_of):
    stage.control("meta/switches", {"short_token_seconds": 7 * DAY})
    token = stage.connected()
    stage.says()

    stage.control("clock", {"advance_seconds": DAY - 60})
    in_time = stage.send(token)
    stage.control("clock", {"advance_seconds": 60})
    late = stage.send(token)

    assert in_time.status_code == 200
    assert code_of(late) == (400, 10, 2018278)


def test_a_customer_who_never_wrote_cannot_be_written_to(stage, code_of):
    assert code_of(stage.send(stage.connected())) == (400, 10, 2018278)


@pytest.mark.parametrize(
    ("kind", "what"),
    [("postback", {}), ("referral", {"ref": "summer"}), ("reaction", {"mid": "m_old"})],
)
def test_pressing_following_and_reacting_open_the_window(stage, kind, what):
    token = stage.connected()

    stage.happens(kind, **what)

    assert stage.send(token).status_code == 200


def test_a_human_agent_may_answer_for_seven_days(stage, code_of):
    tagged = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    token = stage.connected()
    ages = {stage.psid: 6 * DAY, "24000000000000002": 7 * DAY}
    threads = [
        {"psid": psid, "lines": [{"text": "hm", "ago_seconds": age}]} for psid, age in ages.items()
    ]
    stage.control("meta/seed", {"threads": threads})

    in_time = stage.send(token, **tagged)
    late = stage.send(token, recipient={"id": "24000000000000002"}, **tagged)
    stage.control("meta/switches", {"human_agent": False})
    unapproved = stage.send(token, **tagged)

    assert in_time.status_code == 200
    assert code_of(late) == (400, 10, 2018278)
    assert code_of(unapproved) == (400, 10, None)


@pytest.mark.parametrize(
    "tag", ["CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE", "NONSENSE"]
)
def test_the_removed_tags_are_refused_even_inside_the_window(stage, code_of, tag):
    token = stage.connected()
    stage.says()

    refused = stage.send(token, messaging_type="MESSAGE_TAG", tag=tag)

    assert code_of(refused) == (400, 100, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"messaging_type": "SHOUT"},
        {"messaging_type": None},
        {"tag": "HUMAN_AGENT"},
        {"message": {"text": "x" * 2001}},
        {"message": {"text": ""}},
        {"message": {"text": "x", "metadata": "y" * 1001}},
        {"message": {"text": "x", "quick_replies": [{}] * 14}},
        {
            "message": {
                "text": "x",
                "attachment": {"type": "image", "payload": {"url": "https://x"}},
            }
        },
        {"message": {"attachment": {"type": "image", "payload": {"url": "ftp://x"}}}},
        {"message": {"attachment": {"type": "hologram", "payload": {"url": "https://x"}}}},
        {"message": "not an object"},
        {"recipient": {"id": 24000000000000001}},
        {"reply_to": {"mid": "m_unknown"}},
    ],
)
def test_malformed_sends_are_refused_and_not_kept(stage, code_of, changed):
    token = stage.connected()
    stage.says()

    assert code_of(stage.send(token, **changed)) == (400, 100, None)
    assert stage.look("meta/sent")["count"] == 0


def test_two_thousand_characters_pass_and_bytes_count_only_by_switch(stage, code_of):
    token = stage.connected()
    stage.says()

    assert stage.send(token, "ü" * 2000).status_code == 200
    stage.control("meta/switches", {"text_limit_unit": "bytes"})
    assert code_of(stage.send(token, "ü" * 1001)) == (400, 100, None)


def test_strangers_and_those_who_blocked_the_page_cannot_be_reached(stage, code_of):
    token = stage.connected()
    stage.says()
    ann = {"psid": stage.psid, "page_id": stage.page, "first_name": "Ann", "blocked": True}
    stage.control("meta/seed", {"customers": [ann]})

    assert code_of(stage.send(token)) == (400, 551, 1545041)
    assert code_of(stage.send(token, recipient={"id": "1"})) == (400, 100, 2018001)
    elsewhere = {"id": "24000000000000011"}
    assert code_of(stage.send(token, recipient=elsewhere)) == (400, 100, 2018001)


def test_sending_needs_the_messaging_permission(stage, code_of):
    token = stage.page_token(config_id="", scope="pages_show_list,pages_manage_metadata")
    stage.says()

    assert code_of(stage.send(token)) == (403, 200, None)


def test_a_reply_may_quote_a_message_and_attach_a_file(stage):
    token = stage.connected()
    quoted = stage.says()["mids"][0]
    file = {"type": "file", "payload": {"url": "https://cdn.example/a.pdf", "is_reusable": False}}

    answer = stage.send(token, message={"attachment": file}, reply_to={"mid": quoted})

    assert answer.status_code == 200
    sent = stage.look("meta/sent")["messages"][0]
    assert (sent["attachment"], sent["reply_to"]) == (file, quoted)


def test_form_bodies_carry_their_objects_as_json_text(stage):
    token = stage.connected()
    stage.says()
    form = {
        "access_token": token,
        "appsecret_proof": stage.proof(token),
        "recipient": json.dumps({"id": stage.psid}),
        "messaging_type": "RESPONSE",
        "message": json.dumps({"text": "from a form"}),
    }

    answer = stage.http.post(f"/v26.0/{stage.page}/messages", data=form)

    assert answer.status_code == 200
    assert stage.look("meta/sent")["messages"][0]["text"] == "from a form"


def test_sender_actions_go_alone_and_are_no_messages(stage, code_of):
    token = stage.connected()
    body = {"recipient": {"id": stage.psid}, "sender_action": "typing_on"}
    path = f"/{stage.page}/messages"

    alone = stage.graph("POST", path, token, body=body)
    mixed = stage.graph("POST", path, token, body={**body, "message": {"text": "x"}})

    assert alone.json() == {"recipient_id": stage.psid}
    assert code_of(mixed) == (400, 100, None)
    kept = stage.look("meta/sent")
    assert kept["count"] == 0
    assert [item["action"] for item in kept["actions"]] == ["typing_on"]
