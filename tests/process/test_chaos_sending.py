"""A reply leaves once or is reported as uncertain; it is never sent twice to make sure."""

import signal
from contextlib import closing

import pytest

from tests.rig import Rig, until

SEND = {"method": "POST", "pattern": "/messages$"}


@pytest.fixture(scope="module")
def module_clone(cluster, template):
    name = cluster.create(template, "rig")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def rig(module_clone, tmp_path_factory):
    """A connected Page whose five customers have each written."""
    with Rig(module_clone, tmp_path_factory.mktemp("rig"), customers=6) as running:
        with closing(running.worker()) as worker:
            running.connect()
            for person in running.people:
                running.says(person, "is it still there?")
            until(lambda: running.received() == len(running.people), "the messages")
            worker.tell(signal.SIGTERM)
            assert worker.ended() == 0
        yield running


@pytest.fixture(autouse=True)
def _calm(rig):
    """Leave no fault and no silenced echo to the next test."""
    yield
    rig.http.delete("/_control/meta/faults")
    rig.control("switches", {"echo": "after"})


def echo(rig, person, message):
    """Let Meta tell about the message that arrived without an answer."""
    (sent,) = rig.look("sent", metadata=str(message))["messages"]
    order = {"kind": "echo", "page_id": rig.stage.page, "psid": person, "mid": sent["mid"]}
    rig.control("event", {**order, "text": "hi", "metadata": str(message), "app_id": None})


def settle(rig, message):
    """Work until nothing is left; return how often the message arrived."""
    until(lambda: not rig.stage.do("select 1 from queue.jobs where kind = 'meta.send'"), "the end")
    return rig.arrived(message)


def test_a_reply_whose_answer_is_lost_is_uncertain_and_its_echo_settles_it(rig):
    person = rig.people[0]
    rig.control("switches", {"echo": "never"})
    rig.control("faults", {"kind": "hang_up_after_effect", **SEND})
    with closing(rig.worker()):
        message = rig.reply(person)
        rig.until_state(message, "ambiguous")
        assert settle(rig, message) == 1

        echo(rig, person, message)
        rig.until_state(message, "sent")

    assert rig.arrived(message) == 1


def test_a_reply_that_never_left_is_sent_again(rig):
    rig.control("faults", {"kind": "server_error", **SEND})
    with closing(rig.worker()):
        message = rig.reply(rig.people[1])
        rig.until_state(message, "sent")

    assert rig.arrived(message) == 1


@pytest.mark.parametrize("echoed", [True, False])
def test_a_worker_killed_while_a_reply_is_on_its_way_does_not_make_it_leave_twice(rig, echoed):
    person = rig.people[2 + echoed]
    rig.control("switches", {"echo": "never"})
    rig.control("faults", {"kind": "delay_after_effect", "seconds": 60, **SEND})
    with closing(rig.worker(CONNEXT_LEASE_SECONDS="1")) as victim:
        message = rig.reply(person)
        until(lambda: rig.arrived(message) == 1, "the effect")
        victim.tell(signal.SIGKILL)
        victim.ended()
    assert rig.stage.state(message) == "sending"

    with closing(rig.worker()):
        if echoed:
            echo(rig, person, message)
            rig.until_state(message, "sent")
        else:
            rig.until_state(message, "ambiguous")
        assert settle(rig, message) == 1
    assert rig.stage.state(message) == ("sent" if echoed else "ambiguous")


def test_a_worker_killed_before_a_reply_left_says_uncertain_rather_than_guess(rig):
    rig.control("faults", {"kind": "hang_up_before_effect", **SEND})
    with closing(rig.worker()):
        message = rig.reply(rig.people[4])
        rig.until_state(message, "ambiguous")
        assert settle(rig, message) == 0


def test_no_second_reply_overtakes_an_uncertain_one_unsaid(rig):
    person = rig.people[5]
    rig.control("switches", {"echo": "never"})
    rig.control("faults", {"kind": "hang_up_after_effect", **SEND})
    with closing(rig.worker()):
        first, second = rig.reply(person, "one"), rig.reply(person, "two")
        rig.until_state(second, "sent")

    assert rig.stage.state(first) == "ambiguous"
    assert [item["metadata"] for item in rig.look("sent", psid=person)["messages"]] == [
        str(first),
        str(second),
    ]
