"""The sandbox's webhooks: bytes, signatures, travel, retries and callbacks."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs

import pytest


def signed(request, secret):
    """Check a signature by the documented formula, apart from the sandbox's code."""
    want = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return request.headers.get("x-hub-signature-256") == want


def test_a_message_arrives_as_documented_and_signed_over_its_raw_bytes(stage):
    stage.connected()

    said = stage.says("Zoë / 50% <b> @ \U0001f44d")

    request = stage.inbox.posts()[0]
    assert said["statuses"] == [200]
    assert request.path == "/webhooks/meta"
    assert request.headers["content-type"] == "application/json"
    assert signed(request, stage.secret)
    escaped = rb'"Zo\u00eb \/ 50\u0025 \u003Cb> \u0040 \ud83d\udc4d"'
    assert escaped in request.body
    assert request.body.isascii()
    envelope = json.loads(request.body)
    assert envelope["object"] == "page"
    entry = envelope["entry"][0]
    assert entry["id"] == stage.page
    element = entry["messaging"][0]
    assert element["sender"] == {"id": stage.psid}
    assert element["recipient"] == {"id": stage.page}
    assert element["message"] == {"mid": said["mids"][0], "text": "Zoë / 50% <b> @ \U0001f44d"}
    assert 0 <= entry["time"] - element["timestamp"] < 60_000


def test_nothing_is_delivered_to_a_page_without_subscription(stage):
    said = stage.says()

    assert (said["subscribed"], said["statuses"]) == (False, [])
    assert stage.webhooks() == []


def test_a_doubled_message_is_the_same_message_twice(stage):
    stage.connected()

    said = stage.says(duplicate=2)

    assert said["statuses"] == [200, 200, 200]
    elements = [body["entry"][0]["messaging"][0] for body in stage.webhooks()]
    assert elements[0] == elements[1] == elements[2]


def test_a_badly_signed_message_is_sent_once_whatever_the_answer(stage):
    stage.connected()
    stage.inbox.answer = lambda _: (403, "text/plain", b"")

    said = stage.says(bad_signature=True)

    assert said["statuses"] == [403]
    assert len(stage.inbox.posts()) == 1
    assert not signed(stage.inbox.posts()[0], stage.secret)


def test_a_dropped_message_is_in_the_conversation_only(stage):
    token = stage.connected()

    said = stage.says("lost", drop=True)

    assert stage.webhooks() == []
    node = stage.graph("GET", f"/{said['mids'][0]}", token, fields="message").json()
    assert node["message"] == "lost"


def test_several_messages_can_share_one_request(stage):
    stage.connected()

    said = stage.says(text=None, texts=["one", "two", "three"], batch=True)

    entries = stage.webhooks()[0]["entry"]
    assert said["statuses"] == [200]
    assert [entry["messaging"][0]["message"]["text"] for entry in entries] == [
        "one",
        "two",
        "three",
    ]


def test_a_message_on_standby_comes_under_its_own_name(stage):
    token = stage.connected()
    fields = f"{stage.fields},standby"
    stage.graph("POST", f"/{stage.page}/subscribed_apps", token, subscribed_fields=fields)

    stage.says("for another app", standby=True)

    entry = stage.webhooks()[0]["entry"][0]
    assert "messaging" not in entry
    assert entry["standby"][0]["message"]["text"] == "for another app"


def test_a_failing_receiver_is_tried_again_with_the_same_bytes(stage):
    stage.connected()
    answers = iter([500, 503, 200])
    stage.inbox.answer = lambda _: (next(answers), "text/plain", b"")

    said = stage.says()

    bodies = [request.body for request in stage.inbox.posts()]
    assert said["statuses"] == [200]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1


def test_a_page_whose_deliveries_keep_failing_is_unsubscribed(stage):
    token = stage.connected()
    stage.control("meta/switches", {"unsubscribe_after": 2, "retries": 1})
    stage.inbox.answer = lambda _: (500, "text/plain", b"")

    outcomes = [stage.says()["statuses"] for _ in range(3)]

    assert outcomes == [[500], [500], []]
    listed = stage.graph("GET", f"/{stage.page}/subscribed_apps", token).json()
    assert listed == {"data": []}


def test_a_success_in_between_forgives_the_failures(stage):
    stage.connected()
    stage.control("meta/switches", {"unsubscribe_after": 2, "retries": 0})
    answers = iter([500, 200, 500, 200])
    stage.inbox.answer = lambda _: (next(answers), "text/plain", b"")

    outcomes = [stage.says()["statuses"] for _ in range(4)]

    assert outcomes == [[500], [200], [500], [200]]


@pytest.mark.parametrize(
    ("kind", "what", "expected"),
    [
        ("delivery", {"mids": ["m_1"], "watermark": 7}, {"watermark": 7, "mids": ["m_1"]}),
        ("read", {"watermark": 8}, {"watermark": 8}),
        (
            "reaction",
            {"mid": "m_1", "name": "love"},
            {"mid": "m_1", "action": "react", "reaction": "love", "emoji": "\u2764"},
        ),
        ("reaction", {"mid": "m_1", "react": False}, {"mid": "m_1", "action": "unreact"}),
        (
            "postback",
            {"with_mid": False},
            {"title": "Get Started", "payload": "GET_STARTED"},
        ),
        (
            "referral",
            {"ref": "summer"},
            {"ref": "summer", "source": "SHORTLINK", "type": "OPEN_THREAD"},
        ),
    ],
)
def test_the_other_events_look_as_documented(stage, kind, what, expected):
    stage.connected()

    assert stage.happens(kind, **what)["statuses"] == [200]

    element = stage.webhooks()[0]["entry"][0]["messaging"][0]
    assert element["sender"] == {"id": stage.psid}
    assert element[kind] == expected


def test_edits_are_counted_and_change_the_conversation(stage):
    token = stage.connected()
    mid = stage.says("helo")["mids"][0]

    for text in ("hello", "hello!"):
        stage.happens("edit", mid=mid, text=text)

    edits = [body["entry"][0]["messaging"][0] for body in stage.webhooks()[1:]]
    assert [edit["message_edit"] for edit in edits] == [
        {"mid": mid, "text": "hello", "num_edit": 1},
        {"mid": mid, "text": "hello!", "num_edit": 2},
    ]
    assert stage.graph("GET", f"/{mid}", token, fields="message").json()["message"] == "hello!"


def test_staff_writing_in_the_page_inbox_cause_an_echo_of_another_app(stage):
    stage.connected()

    stage.happens("echo", text="I will call you")

    message = stage.webhooks()[0]["entry"][0]["messaging"][0]["message"]
    assert message["app_id"] == 26390203743090
    assert "metadata" not in message


def test_a_policy_notice_has_no_sender(stage):
    stage.connected()

    order = {"kind": "policy", "page_id": stage.page, "action": "block", "reason": "spam"}
    stage.control("meta/event", order)

    element = stage.webhooks()[0]["entry"][0]["messaging"][0]
    assert "sender" not in element
    assert element["policy_enforcement"] == {"action": "block", "reason": "spam"}


def test_raw_bytes_can_be_delivered_with_any_signature(stage):
    noise = base64.b64encode(b"\xff\x00").decode()

    for sign in ("right", "wrong", "none"):
        stage.control("meta/raw", {"base64": noise, "sign": sign})

    requests = stage.inbox.posts()
    assert [request.body for request in requests] == [b"\xff\x00"] * 3
    assert [signed(request, stage.secret) for request in requests] == [True, False, False]
    assert "x-hub-signature-256" not in requests[2].headers


@pytest.mark.parametrize("kind", ["deauthorize", "deletion"])
def test_callbacks_carry_a_signed_request_about_the_connecting_person(stage, kind):
    answer = b'{"url":"https://app.example/d/abc","confirmation_code":"abc"}'
    stage.inbox.answer = lambda _: (200, "application/json", answer)

    outcome = stage.control("meta/callback", {"kind": kind, "asid": stage.asid})

    request = stage.inbox.posts()[0]
    value = parse_qs(request.body.decode())["signed_request"][0]
    signature, payload = value.split(".")
    want = hmac.new(stage.secret.encode(), payload.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)) == want
    data = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (data["algorithm"], data["user_id"]) == ("HMAC-SHA256", stage.asid)
    assert "=" not in value
    assert request.path == f"/{kind}"
    assert outcome == {"status": 200, "body": json.loads(answer)}


def test_deauthorizing_kills_the_tokens_of_the_person(stage, code_of):
    token = stage.user_token()

    stage.control("meta/callback", {"kind": "deauthorize", "asid": stage.asid})

    assert code_of(stage.graph("GET", "/me", token)) == (401, 190, 458)


def test_a_reset_in_the_middle_of_a_delivery_does_not_hinder_the_next(stage):
    statuses = []
    for _ in range(15):
        token = stage.connected()
        statuses += stage.says()["statuses"]
        stage.send(token)  # its echo is under way when the reset comes
        stage.control("reset")
        stage.control("meta/seed")

    assert statuses == [200] * 15
