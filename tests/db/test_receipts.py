"""Delivered and read: receipts move messages forward, whichever of the two is known first."""

import pytest

from tests.messenger import MILLIS


def receipts(stage):
    return {
        "delivered": stage.event(delivery={"watermark": MILLIS + 5000}, at=6),
        "by id": stage.event(delivery={"mids": ["m_1"], "watermark": MILLIS - 9000}, at=6),
        "read": stage.event(read={"watermark": MILLIS + 5000}, at=8),
    }


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        (["delivered"], "delivered"),
        (["by id"], "delivered"),
        (["read"], "read"),
        (["delivered", "read"], "read"),
        (["read", "delivered"], "read"),
        (["read", "by id"], "read"),
    ],
)
def test_receipts_only_move_forward(stage, kinds, state):
    message = stage.draft(state="sent", external_id="m_1")
    later = stage.draft(state="sent", external_id="m_2", at=60)
    for kind in kinds:
        stage.receive(receipts(stage)[kind])

    stage.work()

    row = stage.message(message)
    assert row["state"] == state
    assert row["delivered_at"] is not None
    assert (row["read_at"] is not None) == (state == "read")
    assert stage.state(later) == "sent"


@pytest.mark.parametrize("state", ["queued", "sending", "failed", "ambiguous"])
def test_what_was_not_sent_is_not_delivered(stage, state):
    message = stage.draft(state=state)
    stage.receive(stage.event(read={"watermark": MILLIS + 5000}))

    stage.work()

    assert stage.state(message) == state


@pytest.mark.parametrize(("kind", "state"), [("delivered", "delivered"), ("read", "read")])
def test_a_receipt_that_overtook_its_message_still_counts(stage, kind, state):
    stage.receive(stage.said("m_0", at=-60))
    stage.receive(receipts(stage)[kind])
    stage.work()
    stage.receive(stage.echo("m_1"))

    stage.work()

    assert stage.messages()[-1]["state"] == state


def test_a_receipt_of_a_conversation_we_do_not_have_makes_none(stage):
    stage.receive(*receipts(stage).values())

    assert stage.work() == ["done"] * 3
    assert stage.do("select 1 from public.conversations where org_id = %s", stage.org) == []
