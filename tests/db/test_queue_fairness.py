"""Organizations in turns, parked ones passed by, and what a claim touches in a long line."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.queueing import Queue, org

BACKLOG = 50_000
# A claim of 100: one descent per line, the rows themselves, their new versions and index entries.
MOST_BUFFERS = 2_500


@pytest.fixture
def queue(clone):
    with psycopg.connect(clone, autocommit=True) as connection:
        yield Queue(connection)


def fill(queue, owner, count, **job):
    listed = json.dumps([{"kind": "meta.send", "org_id": str(owner)} | job] * count)
    assert queue.value("queue.enqueue_many(%s, %s)", listed) == count


def shares(jobs):
    owners = [job["org_id"] for job in jobs]
    return {owner: owners.count(owner) for owner in set(owners)}


def test_organizations_that_wait_share_a_claim(queue):
    large, small, single = org(), org(), org()
    fill(queue, large, 300)
    fill(queue, small, 100)
    fill(queue, single, 1)

    assert shares(queue.claim(61)) == {large: 30, small: 30, single: 1}


def test_a_newcomer_goes_next_however_long_the_line_has_been_worked(queue):
    large, newcomer = org(), org()
    fill(queue, large, 500)
    for _ in range(3):
        queue.succeed(*queue.claim(100))
    fill(queue, newcomer, 10)

    assert shares(queue.claim(20))[newcomer] >= 9


def test_a_backfill_is_not_behind_ones_own_webhooks(queue):
    ours, theirs = org(), org()
    fill(queue, ours, 200, priority=5)
    fill(queue, ours, 20, priority=9)
    fill(queue, theirs, 20, priority=9)
    queue.succeed(*queue.claim(200))

    assert shares(queue.claim(20)) == {ours: 10, theirs: 10}


def test_a_retried_job_does_not_go_to_the_end_of_its_organizations_line(queue):
    ours = org()
    fill(queue, ours, 100)
    [job, *others] = queue.claim(10)
    queue.retry(job)
    queue.succeed(*others)

    assert job["id"] in queue.claimed_ids(5)


def test_a_reply_leaves_at_once_although_another_organization_has_a_backlog(queue):
    fill(queue, org(), BACKLOG, priority=9)
    queue.succeed(*queue.claim(100))
    reply = queue.add(org_id=org(), priority=0)

    assert queue.claimed_ids(1) == [reply]


def test_a_claim_touches_few_pages_of_a_long_line(queue):
    fill(queue, org(), BACKLOG)
    fill(queue, org(), 10)
    for _ in range(6):
        queue.succeed(*queue.claim(100))

    [plan] = queue.db.execute(
        "explain (analyze, buffers, format json) select * from queue.claim('meta', 100, '1 minute')"
    ).fetchone()

    touched = plan[0]["Plan"]
    assert touched["Actual Rows"] == 100
    assert touched["Shared Hit Blocks"] + touched["Shared Read Blocks"] < MOST_BUFFERS


def test_a_claim_does_not_walk_what_an_old_snapshot_keeps(queue, clone):
    fill(queue, org(), 4_000)
    with psycopg.connect(clone) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from queue.jobs")
        while jobs := queue.claim(500):
            queue.succeed(*jobs)
        queue.add()
        queue.succeed(*queue.claim())
        queue.add()

        [plan] = queue.db.execute(
            "explain (analyze, buffers, format json) select * from queue.claim('meta', 1, '1 min')"
        ).fetchone()

    touched = plan[0]["Plan"]
    assert touched["Actual Rows"] == 1
    assert touched["Shared Hit Blocks"] + touched["Shared Read Blocks"] < 1_000


def test_rewound_marks_find_what_a_restored_dump_left_below_them(queue):
    job_id = queue.add()
    queue.db.execute("select queue.set_mark('low', 'meta', 5::smallint, 1000)")
    assert queue.claim() == []

    queue.value("queue.rewind(%s)")

    assert queue.claimed_ids() == [job_id]


def test_a_parked_organization_is_passed_by_and_comes_back(queue):
    broken, sound = org(), org()
    fill(queue, broken, 3)
    queue.park(broken)
    fill(queue, broken, 2)
    fill(queue, sound, 2)

    assert shares(queue.claim()) == {sound: 2}
    assert queue.unpark(broken) is True
    jobs = queue.claim()
    assert shares(jobs) == {broken: 5}
    assert {job["attempt"] for job in jobs} == {1}
    assert queue.unpark(broken) is False


def test_parking_ends_by_itself(queue):
    broken = org()
    fill(queue, broken, 2)
    queue.park(broken, "1 hour")
    assert queue.claim() == []

    queue.db.execute("update queue.parked set until = now()")

    assert shares(queue.claim()) == {broken: 2}
    assert queue.rows("select * from queue.parked") == []


def test_a_longer_parking_is_not_cut_short_by_a_pause(queue):
    broken = org()
    queue.park(broken)
    queue.park(broken, "1 second")

    [parked] = queue.rows("select until = 'infinity' as forever from queue.parked")
    assert parked == {"forever": True}


def test_what_connects_a_parked_organization_again_still_runs(queue):
    broken = org()
    queue.park(broken)
    again = queue.add("connect", org_id=broken)
    queue.add("send", org_id=broken)
    queue.sweep()

    assert queue.claimed_ids() == [again]


def test_the_sweep_takes_what_came_in_since_out_of_the_line(queue):
    broken = org()
    queue.park(broken)
    job_id = queue.add(org_id=broken)
    queue.sweep()

    assert queue.states() == {job_id: "parked"}


def test_a_head_that_is_parked_keeps_its_key_waiting(queue):
    broken = org()
    head = queue.add(org_id=broken, ordering_key="k")
    queue.park(broken)
    behind = queue.add(org_id=broken, ordering_key="k")

    assert queue.claim() == []
    queue.unpark(broken)
    assert queue.claimed_ids() == [head]
    assert queue.states()[behind] == "blocked"


@pytest.mark.parametrize("owner", [None, org()], ids=["of nobody", "of an organization"])
def test_enqueueing_does_not_read_the_line(queue, owner):
    jobs = [{"kind": "meta.send", "org_id": owner and str(owner)}] * 2_000
    queue.value("queue.enqueue_many(%s, %s)", json.dumps(jobs))

    with queue.db.transaction():
        before = reads(queue)
        queue.value("queue.enqueue_many(%s, %s)", json.dumps(jobs[:3]))
        read = reads(queue) - before

    assert read <= 1
    turns = queue.rows("select turn from queue.jobs order by id")
    assert [job["turn"] for job in turns] == list(range(2_003))


def reads(queue):
    """Index entries of the line that this transaction has read."""
    return queue.rows(
        "select sum(pg_stat_get_xact_tuples_returned(c.oid))::integer as n from pg_class as c"
        " where c.relname like 'jobs_meta_%%' and c.relkind = 'i'"
    )[0]["n"]


def test_jobs_of_one_line_are_added_as_jobs_of_several_are(queue):
    """One line has a way of its own, without sorting; what comes into the table is the same."""
    alone, together = org(), org()
    jobs = [
        {},
        {"payload": {"a": 1}, "max_attempts": 3},
        {"run_at": "2999-01-01T00:00:00Z"},
        {"priority": 5, "run_at": "2000-01-01T00:00:00Z"},
        {"ordering_key": None, "dedupe_key": None, "payload": None},
    ]
    for owner, others in ((alone, []), (together, [{"org_id": org()}])):
        made = queue.add_many(*({"org_id": owner} | job for job in jobs), *others)
        assert made == len(jobs) + len(others)

    seen = {
        owner: queue.rows(
            "select kind, payload, priority, state, attempt, max_attempts, run_at = created_at,"
            " case when run_at <> created_at then run_at end,"
            " turn - min(turn) over () as turn from queue.jobs where org_id = %s order by id",
            owner,
        )
        for owner in (alone, together)
    }
    assert seen[alone] == seen[together]
    assert [job["turn"] for job in seen[alone]] == [0, 1, 2, 3, 4]
    assert [job["state"] for job in seen[alone]].count("waiting") == 1
