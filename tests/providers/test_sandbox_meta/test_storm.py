"""The sandbox's storm: the counts it promises are the counts that arrive."""

import hashlib
import hmac
import json
from collections import Counter

import pytest


def good(request, secret):
    want = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return request.headers["x-hub-signature-256"] == f"sha256={want}"


def judge(secret):
    """Answer as a receiver should: 403 to forgeries, 200 to the rest."""
    return lambda request: (200 if good(request, secret) else 403, "text/plain", b"")


def elements(requests):
    return [
        element
        for request in requests
        for entry in json.loads(request.body)["entry"]
        for element in entry["messaging"]
    ]


def parses(request):
    try:
        json.loads(request.body)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("batch_size", [1, 7])
def test_everything_promised_arrives_and_nothing_else(stage, batch_size):
    stage.connected()
    stage.inbox.answer = judge(stage.secret)
    order = {
        "page_id": stage.page,
        "count": 120,
        "customers": 12,
        "duplicates": 30,
        "forged": 5,
        "malformed": 4,
        "shuffle": 3,
        "batch_size": batch_size,
        "concurrency": 8,
    }

    report = stage.control("meta/storm", order)

    requests = stage.inbox.posts()
    signed = [request for request in requests if good(request, stage.secret)]
    forged = [request for request in requests if not good(request, stage.secret)]
    readable = [request for request in signed if parses(request)]
    batches = -(-150 // batch_size)
    assert report["statuses"] == {
        "signed": {"200": batches},
        "forged": {"403": 5},
        "malformed": {"200": 4},
    }
    assert report["attempts"] == report["requests"] == len(requests) == batches + 9
    assert len(signed) - len(readable) == 4
    arrived = Counter(element["message"]["mid"] for element in elements(readable))
    told = {line["mid"] for lines in report["customers"].values() for line in lines}
    assert (len(told), arrived.total()) == (120, 150)
    assert set(arrived) == told
    assert len(report["customers"]) == 12
    assert {e["message"]["mid"] for e in elements(forged)} == set(report["forged_mids"])
    assert not told & set(report["forged_mids"])


def test_a_shuffled_storm_arrives_out_of_order_and_told_in_order(stage):
    stage.connected()
    order = {"page_id": stage.page, "count": 50, "customers": 5, "shuffle": 1, "concurrency": 1}

    report = stage.control("meta/storm", order)

    arrived = [element["timestamp"] for element in elements(stage.inbox.posts())]
    assert arrived != sorted(arrived)
    assert len(set(arrived)) == 50
    for lines in report["customers"].values():
        told = [line["timestamp"] for line in lines]
        assert told == sorted(told)


def test_the_messages_of_a_storm_are_in_the_conversations(stage):
    token = stage.connected()
    order = {"page_id": stage.page, "count": 10, "customers": 1}
    report = stage.control("meta/storm", order)
    asked = {"fields": "messages.limit(20){message}", "user_id": stage.psid}

    body = stage.graph("GET", f"/{stage.page}/conversations", token, **asked).json()

    listed = [item["message"] for item in body["data"][0]["messages"]["data"]]
    assert listed == [line["text"] for line in reversed(report["customers"][stage.psid])]


def test_failed_deliveries_of_a_storm_are_repeated_but_forgeries_are_not(stage):
    stage.connected()
    seen = Counter()

    def stumble(request):
        seen[request.body] += 1
        if not good(request, stage.secret):
            return 403, "text/plain", b""
        return 503 if seen[request.body] == 1 else 200, "text/plain", b""

    stage.inbox.answer = stumble
    order = {"page_id": stage.page, "count": 6, "customers": 2, "forged": 2, "shuffle": 9}

    report = stage.control("meta/storm", order)

    assert report["statuses"] == {"signed": {"200": 6}, "forged": {"403": 2}}
    assert report["attempts"] == 6 * 2 + 2


def test_a_storm_over_an_unsubscribed_page_is_refused_unless_forced(stage):
    order = {"page_id": stage.page, "count": 2, "customers": 1}

    refused = stage.http.post("/_control/meta/storm", json=order)
    forced = stage.control("meta/storm", {**order, "force": True})

    assert refused.status_code == 409
    assert forced["statuses"] == {"signed": {"200": 2}}


def test_message_ids_never_return_after_a_reset(stage):
    order = {"page_id": stage.page, "count": 5, "customers": 1, "force": True}
    first = stage.control("meta/storm", order)["customers"][stage.psid]
    stage.control("reset")
    stage.control("meta/seed")

    second = stage.control("meta/storm", order)["customers"][stage.psid]

    assert not {line["mid"] for line in first} & {line["mid"] for line in second}
