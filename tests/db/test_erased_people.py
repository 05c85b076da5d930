"""Who was erased does not come back: with a thread that was being read, or a webhook that was late."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from tests.messenger import NOW, PERSON
from tests.switchboard import PERSON as CALLER
from workers.providers.meta.threads import Listed, Thread

OTHER = "24000000000000042"


def erased(stage, contact, at=None):
    """Fence a contact as an erasure does; without a time it is still running."""
    stage.do(
        "insert into privacy.erased_contacts (org_id, contact_hmac, erasure_id, erased_at)"
        " values (%s, privacy.contact_hmac(%s, %s), gen_random_uuid(), %s)",
        stage.org, stage.org, contact, at,
    )  # fmt: skip


def thread(stage, *times, person=PERSON):
    lines = [
        {
            "id": f"m_{person}_{number}",
            "created_time": (NOW + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "from": {"id": person},
            "message": f"line {number}",
        }
        for number, at in enumerate(times)
    ]
    return Thread.model_validate(
        {
            "id": f"t_{person}",
            "updated_time": lines[-1]["created_time"],
            "participants": {"data": [{"id": person, "name": "Ann Marsh"}, {"id": stage.page}]},
            "messages": {"data": lines},
        }
    )


def read(stage, *threads):
    stage.graph.script["conversations"] = [Listed(tuple(threads), None, None)]
    stage.enqueue("meta.backfill", {"channel_id": stage.channel})
    return stage.work_all()


def contacts(stage):
    rows = stage.do("select contact_external_id from public.conversations where org_id = %s", stage.org)  # fmt: skip
    return {row["contact_external_id"] for row in rows}


@pytest.mark.parametrize("at", [NOW, None])
def test_a_page_of_history_passes_over_the_erased_and_keeps_the_others(stage, at):
    erased(stage, PERSON, at)

    assert read(stage, thread(stage, -60), thread(stage, -60, person=OTHER)) == ["done"]

    assert contacts(stage) == {OTHER}


def test_who_writes_again_after_the_erasure_comes_without_their_past(stage):
    erased(stage, PERSON, NOW - timedelta(seconds=30))

    read(stage, thread(stage, -60, -40, -10))

    assert [m["external_id"] for m in stage.messages()] == [f"m_{PERSON}_2"]


def test_a_late_webhook_goes_with_its_raw_event_and_a_newer_one_is_kept(stage):
    erased(stage, PERSON, NOW)
    stage.receive(stage.said("m_old", "before", at=-5))

    stage.work()

    events = "select event_key from queue.webhook_events where org_id = %s"
    assert (contacts(stage), stage.do(events, stage.org)) == (set(), [])
    stage.receive(stage.said("m_new", "after", at=5))
    stage.work()
    assert [m["external_id"] for m in stage.messages()] == ["m_new"]


def test_a_person_erased_in_another_organization_is_kept_here(stage):
    there = stage.organization("Theirs")
    stage.do(
        "insert into privacy.erased_contacts (org_id, contact_hmac, erasure_id)"
        " values (%s, privacy.contact_hmac(%s, %s), gen_random_uuid())",
        there, there, PERSON,
    )  # fmt: skip

    read(stage, thread(stage, -60))

    assert contacts(stage) == {PERSON}


def test_records_of_a_phone_pass_over_the_erased(ready):
    ready.control("switches", {"lose_webhooks": True})
    ready.say("lost")
    ready.control("ring", {"sender": CALLER, "receiver": ready.one(
        "select external_id from public.channels where org_id = %s and status = 'active'", ready.org
    )["external_id"]})  # fmt: skip
    ready.control("hang_up", {"cause": "originator_cancel"})
    erased(ready, CALLER)

    ready.do("select private.enqueue_telnyx_reconciles()")
    ready.later(seconds=5)
    ready.work(waiting=True)

    assert (ready.messages(), ready.calls()) == ([], [])


def test_a_late_text_is_dropped_with_its_raw_event(ready):
    erased(ready, CALLER)
    ready.say("late")
    ready.work()

    assert ready.messages() == []
    left = ready.one("select count(*) as n from queue.webhook_events where org_id = %s", ready.org)
    assert left["n"] == 0


def test_an_erasure_waits_for_a_page_that_is_being_kept(stage):
    """Whoever looked before the fence stood has ended before the first row is deleted."""
    with psycopg.connect(stage.url) as worker, psycopg.connect(stage.url) as erasing:
        worker.execute("grant worker_meta to current_user")
        job = worker.execute(
            "select queue.enqueue('meta', 'meta.test', %s)", [stage.org]
        ).fetchone()[0]
        lease = worker.execute(
            "select lease from queue.claim('meta', 10, '1 min') where id = %s", [job]
        ).fetchone()[0]
        worker.execute("select queue.enter('meta', %s, %s)", [job, lease])
        assert worker.execute("select * from queue.erased('meta', %s)", [[PERSON]]).fetchall() == []

        run = "select privacy.fence(e) from (select (null::privacy.erasures).*) as e"
        erasing.execute("set local lock_timeout = '50ms'")
        begin = run.replace(
            "(null::privacy.erasures).*",
            f"r.* from jsonb_populate_record(null::privacy.erasures, jsonb_build_object("
            f"'org_id', '{stage.org}', 'id', gen_random_uuid(), 'subject_kind', 'contact')) as r",
        )
        with pytest.raises(psycopg.errors.LockNotAvailable):
            erasing.execute(begin)
        erasing.rollback()
        worker.rollback()
        erasing.execute("set local lock_timeout = '5s'")
        erasing.execute(begin)


def test_without_a_lease_nobody_learns_who_was_erased(stage):
    erased(stage, PERSON)

    asked = stage.do("select * from queue.erased('meta', %s)", [PERSON])
    dropped = stage.one("select queue.drop_event('meta', 1) as d")

    assert (asked, dropped["d"]) == ([], None)


def test_what_was_fenced_holds_no_address(stage):
    erased(stage, PERSON)

    row = stage.one("select x::text as row from privacy.erased_contacts as x where org_id = %s", stage.org)  # fmt: skip

    assert PERSON not in row["row"]
    assert PERSON.encode().hex() not in row["row"]
