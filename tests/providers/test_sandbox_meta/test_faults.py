"""The sandbox's faults: each kind on the wire, and what was done meanwhile."""

import json
import time

import httpx
import pytest


def fault(stage, **order):
    return stage.control("meta/faults", order)


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80001, 80006])
def test_a_rate_limit_names_its_code_and_when_to_come_back(stage, code_of, code):
    token = stage.page_token()
    fault(stage, kind="rate_limit", code=code, regain_minutes=7)

    answer = stage.graph("GET", f"/{stage.page}/conversations", token)

    assert code_of(answer)[1] == code
    assert json.loads(answer.headers["x-app-usage"])["call_count"] == 100
    usage = json.loads(answer.headers["x-business-use-case-usage"])[stage.page][0]
    assert usage["estimated_time_to_regain_access"] == 7


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"kind": "server_error"}, (500, 1, None)),
        ({"kind": "service"}, (500, 2, None)),
        ({"kind": "rate_limit", "status": 429}, (429, 613, None)),
        ({"kind": "error", "code": 368}, (400, 368, None)),
        ({"kind": "error", "code": 10, "subcode": 1893063}, (400, 10, 1893063)),
        ({"kind": "error_in_200", "code": 100, "subcode": 33}, (200, 100, 33)),
        ({"kind": "dead_token", "subcode": 459}, (401, 190, 459)),
    ],
)
def test_an_error_takes_the_place_of_the_answer(stage, code_of, order, expected):
    token = stage.connected()
    stage.says()
    fault(stage, **order)

    assert code_of(stage.send(token)) == expected
    assert stage.look("meta/sent")["count"] == 0
    assert stage.send(token).status_code == 200


def test_an_answer_may_not_be_json(stage):
    token = stage.user_token()
    fault(stage, kind="not_json", status=502, body="<html>Bad Gateway</html>")

    answer = stage.graph("GET", "/me", token)

    assert (answer.status_code, answer.text) == (502, "<html>Bad Gateway</html>")
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "kept"), [("hang_up_after_effect", 1), ("hang_up_before_effect", 0)]
)
def test_the_connection_ends_without_an_answer(stage, kind, kept):
    token = stage.connected()
    stage.says()
    stage.inbox.clear()
    fault(stage, kind=kind, method="POST", template="/{node}/messages")

    with pytest.raises(httpx.TransportError):
        stage.send(token)
    stage.control("meta/settle")

    assert stage.look("meta/sent")["count"] == kept
    assert len(stage.webhooks()) == kept


def test_a_delayed_answer_outlasts_the_callers_patience(stage):
    token = stage.connected()
    stage.says()
    fault(stage, kind="delay_after_effect", method="POST", seconds=60)
    stage.http.timeout = httpx.Timeout(0.2)

    with pytest.raises(httpx.ReadTimeout):
        stage.send(token)

    stage.http.timeout = httpx.Timeout(10)
    assert stage.look("meta/sent")["count"] == 1


def test_a_delay_before_the_effect_has_no_effect_yet(stage):
    token = stage.connected()
    stage.says()
    fault(stage, kind="delay", method="POST", seconds=60)
    stage.http.timeout = httpx.Timeout(0.2)

    with pytest.raises(httpx.ReadTimeout):
        stage.send(token)

    stage.http.timeout = httpx.Timeout(10)
    assert stage.look("meta/sent")["count"] == 0


def test_a_trickled_answer_is_whole_in_the_end(stage):
    token = stage.user_token()
    fault(stage, kind="trickle", seconds=0.2)

    started = time.perf_counter()
    answer = stage.graph("GET", "/me", token)

    assert answer.json()["id"] == stage.asid
    assert time.perf_counter() - started >= 0.2


@pytest.mark.parametrize(
    ("match", "meets"),
    [
        ({"method": "get"}, True),
        ({"method": "POST"}, False),
        ({"path": "/me"}, True),
        ({"path": "/you"}, False),
        ({"pattern": r"permis+ions$"}, True),
        ({"pattern": r"^/permissions"}, False),
        ({"template": "/me/permissions"}, True),
        ({"template": "/me"}, False),
    ],
)
def test_a_fault_meets_only_the_calls_it_is_meant_for(stage, match, meets):
    token = stage.user_token()
    fault(stage, kind="server_error", **match)

    answer = stage.graph("GET", "/me/permissions", token)

    assert (answer.status_code == 500) is meets


def test_a_fault_skips_then_strikes_as_often_as_told(stage):
    token = stage.user_token()
    fault(stage, kind="service", skip=1, times=2)

    statuses = [stage.graph("GET", "/me", token).status_code for _ in range(5)]

    assert statuses == [200, 500, 500, 200, 200]
    assert stage.look("meta/faults") == {"faults": []}


def test_a_fault_without_end_lasts_until_it_is_lifted(stage):
    token = stage.user_token()
    fault(stage, kind="service", times=None)

    during = [stage.graph("GET", "/me", token).status_code for _ in range(3)]
    listed = stage.look("meta/faults")["faults"]
    stage.http.delete("/_control/meta/faults")

    assert during == [500, 500, 500]
    assert listed[0]["hits"] == 3
    assert stage.graph("GET", "/me", token).status_code == 200
