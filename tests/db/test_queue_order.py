"""Ordering keys: one at a time, in order, nothing stuck, whoever races whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.queueing import Queue, org

# Reached only when something hangs.
PATIENCE = 30


@pytest.fixture
def queue(clone):
    with psycopg.connect(clone, autocommit=True) as connection:
        yield Queue(connection)


@pytest.fixture
def other(clone):
    with psycopg.connect(clone, autocommit=True) as connection:
        yield Queue(connection)


def waits(observer, backend):
    """Return once *backend* stands before somebody else's lock."""
    for _ in range(10_000):
        if observer.db.execute("select pg_blocking_pids(%s) <> '{}'", [backend]).fetchone()[0]:
            return
    raise AssertionError("it never had to wait")


def test_jobs_of_a_key_run_one_at_a_time_in_order(queue):
    ids = [queue.add(ordering_key="k") for _ in range(3)]
    free = queue.add()

    ran = []
    while jobs := queue.claim():
        keyed = [job for job in jobs if job["ordering_key"]]
        assert len(keyed) == 1
        ran += [job["id"] for job in jobs]
        queue.succeed(*jobs)

    assert ran == [ids[0], free, ids[1], ids[2]]


def test_a_key_waits_behind_a_retry_however_long(queue):
    first, second = (queue.add(ordering_key="k") for _ in range(2))
    [job] = queue.claim()
    queue.retry(job, "1 hour")

    assert queue.claim() == []
    assert queue.states() == {first: "waiting", second: "blocked"}


@pytest.mark.parametrize("how", ["succeed", "bury", "vanish", "cancel"])
def test_the_next_of_a_key_goes_on_however_the_first_ended(queue, how):
    ours = org()
    queue.add(ordering_key="k", max_attempts=1, org_id=ours)
    second = queue.add(ordering_key="k")
    [job] = queue.claim(lease_for="-1 second")

    match how:
        case "succeed":
            queue.succeed(job)
        case "bury":
            queue.bury(job)
        case "vanish":
            queue.sweep()
        case "cancel":
            queue.value("queue.cancel(%s, %s)", ours)

    assert queue.claimed_ids() == [second]


def test_a_blocked_job_that_is_not_due_yet_waits_once_it_is_its_turn(queue):
    queue.add(ordering_key="k")
    later = queue.add(ordering_key="k", run_at="2100-01-01")
    queue.succeed(*queue.claim())

    assert queue.states() == {later: "waiting"}


def test_a_revived_job_stands_behind_the_head_and_before_younger_ones(queue):
    first, second, third = (queue.add(ordering_key="k") for _ in range(3))
    queue.bury(*queue.claim())
    assert queue.value("queue.revive(%s, %s)", first) is True

    ran = []
    while jobs := queue.claim():
        ran += queue.succeed(*jobs)
    assert ran == [second, first, third]


def test_finishing_waits_for_one_who_is_enqueueing_behind(queue, other):
    first = queue.add(ordering_key="k")
    [job] = queue.claim()
    with ThreadPoolExecutor(1) as pool:
        with other.db.transaction():
            second = other.add(ordering_key="k")
            finishing = pool.submit(queue.succeed, job)
            with psycopg.connect(other.db.info.dsn, password=other.db.info.password) as third:
                waits(Queue(third), queue.db.info.backend_pid)
        assert finishing.result(PATIENCE) == [first]

    assert queue.claimed_ids() == [second]


def test_enqueueing_waits_for_one_who_is_finishing(queue, other):
    queue.add(ordering_key="k")
    [job] = queue.claim()
    with ThreadPoolExecutor(1) as pool:
        with queue.db.transaction():
            queue.succeed(job)
            adding = pool.submit(other.add, ordering_key="k")
            waits(queue, other.db.info.backend_pid)
        second = adding.result(PATIENCE)

    assert queue.claimed_ids() == [second]


def test_many_enqueued_and_many_finished_do_not_wait_in_a_circle(queue, other):
    """Whoever finishes takes jobs in the order of their ids: so does whoever stands behind them."""
    queue.add(ordering_key="z")
    queue.add(ordering_key="a")
    jobs = queue.claim()
    with (
        ThreadPoolExecutor(2) as pool,
        psycopg.connect(other.db.info.dsn, password=other.db.info.password) as third,
    ):
        with third.transaction():
            third.execute("select 1 from queue.jobs where id = %s for update", [jobs[1]["id"]])
            adding = pool.submit(other.add_many, {"ordering_key": "a"}, {"ordering_key": "z"})
            waits(Queue(third), other.db.info.backend_pid)
            finishing = pool.submit(queue.succeed, *jobs)
            waits(Queue(third), queue.db.info.backend_pid)
        assert adding.result(PATIENCE) == 2
        assert len(finishing.result(PATIENCE)) == 2

    assert sorted(queue.states().values()) == ["ready", "ready"]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_two_who_open_the_same_key_agree_on_its_head(queue, other, ending):
    with ThreadPoolExecutor(1) as pool:
        with queue.db.transaction() as block:
            first = queue.add(ordering_key="k")
            adding = pool.submit(other.add, ordering_key="k")
            waits(queue, other.db.info.backend_pid)
            if ending == "rollback":
                raise psycopg.Rollback(block)
        second = adding.result(PATIENCE)

    states = {second: "ready"} if ending == "rollback" else {first: "ready", second: "blocked"}
    assert queue.states() == states


def test_a_head_is_claimed_while_somebody_enqueues_behind_it(queue, other):
    head = queue.add(ordering_key="k")
    with other.db.transaction():
        other.add(ordering_key="k")
        assert queue.claimed_ids() == [head]


class Race:
    """Four enqueue, one or many at a time, while three finish, retry and bury."""

    KEYS, EACH = 5, 40
    MANY = range(0, EACH, 4)

    def __init__(self, url):
        self.url = url
        self.lock = threading.Lock()
        self.running, self.clashes, self.first_attempts = {}, [], []
        self.adding_ended = threading.Event()

    def enqueue(self, number):
        with psycopg.connect(self.url, autocommit=True) as connection:
            queue = Queue(connection)
            for n in range(self.EACH):
                if n not in self.MANY:
                    key = f"k{(n + number) % self.KEYS}"
                    queue.add(ordering_key=key, dedupe_key=f"{number}:{n}")
                    continue
                queue.add_many(
                    *(
                        {"ordering_key": f"k{k}", "dedupe_key": f"{number}:{n}:{k}"}
                        for k in range(self.KEYS)
                    )
                )

    def work(self, number):
        with psycopg.connect(self.url, autocommit=True) as connection:
            queue = Queue(connection)
            while True:
                last_look = self.adding_ended.is_set()
                jobs = queue.claim(4)
                if not jobs and last_look and not queue.states():
                    return
                for job in jobs:
                    self.note(job)
                for job in jobs:
                    with self.lock:
                        del self.running[job["ordering_key"]]
                    self.end(queue, job, number)

    def note(self, job):
        with self.lock:
            if job["ordering_key"] in self.running:
                self.clashes.append(job["id"])
            self.running[job["ordering_key"]] = job["id"]
            if job["attempt"] == 1:
                self.first_attempts.append(job["id"])

    def end(self, queue, job, number):
        if job["attempt"] == 1 and job["id"] % 7 == number:
            queue.retry(job)
        elif job["id"] % 11 == 0:
            queue.bury(job)
        else:
            queue.succeed(job)


def test_nothing_is_stuck_and_no_key_runs_twice_when_everybody_races(clone):
    race = Race(clone)

    with ThreadPoolExecutor(7) as pool:
        workers = [pool.submit(race.work, n) for n in range(3)]
        adders = [pool.submit(race.enqueue, n) for n in range(4)]
        for adder in adders:
            adder.result(PATIENCE)
        race.adding_ended.set()
        for worker in workers:
            worker.result(PATIENCE)

    ran = race.first_attempts
    assert len(ran) == len(set(ran)) == 4 * (30 + len(race.MANY) * race.KEYS)
    assert race.clashes == []
    with psycopg.connect(clone) as db:
        assert Queue(db).states() == {}
