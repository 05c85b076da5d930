"""Rotating the sealing key: everything is sealed anew, nothing is lost, and nothing is in between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import errors

from tests.database import connect_as
from tests.messenger import sealing_key
from tests.rotating import events, keys_in_use, next_key, rotate, rotating_stage, third_key
from workers.core.errors import Unavailable
from workers.jobqueue.outcome import Dead, Parked, Retry
from workers.services import resealing

IN_USE = "CX014"
TOKENS = {("page_token", f"page{n}"): f"EAA-secret-{n}" for n in range(5)}


@pytest.fixture
def stage(clone, tmp_path):
    made = rotating_stage(clone, tmp_path / "keys")
    made.do("delete from private.sealed_tokens")
    for (kind, subject), secret in TOKENS.items():
        made.keep_token(kind, subject, secret)
    return made


@pytest.fixture
def rotated(stage):
    """A stage whose tokens have all been sealed anew."""
    rotate(stage)
    assert stage.work() == ["done"]
    assert keys_in_use(stage) == {next_key().fingerprint}
    return stage


def states(stage):
    rows = stage.do("select key_id, state from private.sealing_keys")
    return {row["key_id"]: row["state"] for row in rows}


def retire(stage):
    stage.do("select private.retire_key(%s)", sealing_key().fingerprint)


def test_rotating_makes_the_new_key_active_and_asks_each_organization_once(stage):
    old = rotate(stage)
    again = stage.one("select private.request_reseal() as asked")["asked"]

    assert old == sealing_key().fingerprint
    assert states(stage) == {old: "retiring", next_key().fingerprint: "active"}
    jobs = stage.do("select queue, kind, org_id, payload, priority from queue.jobs")
    assert [tuple(job.values()) for job in jobs] == [("meta", "meta.reseal", stage.org, {}, 9)]
    assert again == 0


def test_workers_seal_every_token_anew_and_a_second_time_does_nothing(stage):
    rotate(stage)

    assert stage.work() == ["done"]
    assert keys_in_use(stage) == {next_key().fingerprint}
    assert stage.opened() == TOKENS
    before = stage.do("select * from private.sealed_tokens order by id")
    stage.enqueue("meta.reseal", {})
    assert stage.work() == ["done"]
    assert stage.do("select * from private.sealed_tokens order by id") == before


def test_what_an_interruption_left_is_done_by_the_next_attempt(stage, monkeypatch):
    monkeypatch.setattr(resealing, "AT_ONCE", 2)
    real, left = stage.opener.open, iter(range(3))

    def failing(*words, **named):
        if next(left, None) is None:
            raise Unavailable("the database is away")
        return real(*words, **named)

    rotate(stage)
    monkeypatch.setattr(stage.opener, "open", failing)
    first = stage.work(most=1)
    halfway = stage.do("select key_id, count(*) from private.sealed_tokens group by 1 order by 2")
    monkeypatch.setattr(stage.opener, "open", real)
    second = stage.work()

    assert isinstance(first[0], Retry)
    assert [row["count"] for row in halfway] == [2, 3]  # a transaction is kept whole or not at all
    assert second == ["done"]
    assert keys_in_use(stage) == {next_key().fingerprint}
    assert stage.opened() == TOKENS


def test_a_token_that_cannot_be_opened_is_passed_over_and_stays_visible(stage):
    stage.do("update private.sealed_tokens set sealed = 'rubbish' where subject = 'page1'")
    rotate(stage)

    (outcome,) = stage.work()

    assert isinstance(outcome, Dead)
    assert "Tampered" in outcome.reason
    rows = stage.do("select subject, key_id from private.sealed_tokens order by subject")
    old = [row["subject"] for row in rows if row["key_id"] == sealing_key().fingerprint]
    assert old == ["page1"]
    (refused,) = events(stage, "token.refused")
    assert refused["details"]["reason"] == "Tampered"


def test_without_the_private_half_the_job_waits_for_it(clone, tmp_path):
    folder = tmp_path / "keys"
    stage = rotating_stage(clone, folder)
    half = folder / f"{sealing_key().fingerprint}.pgp"
    content = half.read_bytes()
    half.unlink()
    rotate(stage)

    (outcome,) = stage.work(most=1)
    half.write_bytes(content)
    stage.do("update queue.jobs set run_at = now()")

    assert isinstance(outcome, Parked)
    assert stage.work() == ["done"]
    assert keys_in_use(stage) == {next_key().fingerprint}


def test_an_organization_that_has_disconnected_has_nothing_to_seal_anew(stage):
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)
    stage.do("delete from queue.jobs")
    stage.enqueue("meta.reseal", {})

    assert stage.work() == ["done"]


@pytest.fixture
def held(stage):
    """A worker inside a job of the organization, and the token it read."""
    rotate(stage)
    token = stage.do("select * from private.sealed_tokens order by id")[0]
    with connect_as(stage.url, "worker_meta") as worker:
        job = worker.execute("select id, lease from queue.claim('meta', 1, '1 min')").fetchone()
        worker.commit()
        worker.execute("select queue.enter('meta', %s, %s)", job)
        yield worker, token


def swap(worker, token, *, held=None, key=None):
    return worker.execute(
        "select private.reseal(%s, %s, %s, 'new')",
        [token["id"], held or token["sealed"], (key or next_key()).fingerprint],
    ).fetchone()[0]


def test_a_token_is_swapped_against_the_bytes_that_were_read(held):
    worker, token = held

    assert swap(worker, token) is True
    assert swap(worker, token) is False


def test_a_token_renewed_meanwhile_is_not_swapped(held):
    worker, token = held

    assert swap(worker, token, held=b"other bytes") is False


def test_nothing_is_sealed_anew_to_a_key_that_is_not_active(held):
    worker, token = held

    assert swap(worker, token, key=sealing_key()) is False


def test_without_entering_a_job_nothing_is_swapped(held):
    worker, token = held
    worker.commit()

    assert swap(worker, token) is False


def test_another_organizations_token_is_not_swapped(held, stage):
    worker, _ = held
    other = stage.organization("Theirs")
    link = stage.connect(other, status="active")
    stage.do(
        "insert into private.sealed_tokens (org_id, integration_id, provider, kind, key_id, sealed)"
        " values (%s, %s, 'meta', 'page_token', %s, 'theirs')",
        *(other, link, sealing_key().fingerprint),
    )
    theirs = stage.one("select * from private.sealed_tokens where org_id = %s", other)

    assert swap(worker, theirs) is False


def test_a_key_with_a_token_is_not_retired(stage):
    rotate(stage)

    with pytest.raises(psycopg.Error, match="still seals 5 tokens and 0 revocations") as refused:
        retire(stage)

    assert refused.value.sqlstate == IN_USE


def test_a_key_with_a_revocation_is_not_retired(stage):
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)
    rotate(stage)

    with pytest.raises(psycopg.Error, match="still seals 0 tokens and 5 revocations"):
        retire(stage)


def test_a_retired_key_seals_nothing_and_never_comes_back(rotated):
    retire(rotated)

    with pytest.raises(psycopg.Error) as refused:
        rotated.keep_token("page_token", "late", "EAA-late")
    assert refused.value.sqlstate == IN_USE
    with pytest.raises(psycopg.Error) as refused:
        rotated.do(
            "update private.sealing_keys set state = 'retiring', retired_at = null"
            " where state = 'retired'"
        )
    assert refused.value.sqlstate == IN_USE


@pytest.mark.parametrize(
    "statement",
    [
        "delete from private.sealing_keys",
        "truncate private.sealing_keys cascade",
        "update private.sealing_keys set public_key = 'other'",
        "update private.sealing_keys set state = 'retired', retired_at = now()",
    ],
)
def test_a_key_is_neither_deleted_nor_made_another_one(stage, statement):
    with pytest.raises(psycopg.Error) as refused:
        stage.do(statement)

    assert refused.value.sqlstate == IN_USE


def test_the_active_key_cannot_be_retired(stage):
    with pytest.raises(psycopg.Error, match="is active"):
        retire(stage)


def test_there_are_never_two_active_keys(stage):
    with pytest.raises(errors.UniqueViolation):
        stage.do(
            "insert into private.sealing_keys (key_id, public_key) values (%s, 'x')",
            next_key().fingerprint,
        )


def test_of_two_rotations_at_once_the_second_retires_the_firsts_key(stage):
    with ThreadPoolExecutor(2) as pool:
        old = list(pool.map(lambda key: rotate(stage, key), (next_key(), third_key())))

    assert len(set(old)) == 2
    assert sorted(states(stage).values()) == ["active", "retiring", "retiring"]


def test_retiring_waits_for_a_token_that_is_being_stored(rotated):
    with psycopg.connect(rotated.url) as storing:
        storing.execute(
            "insert into private.sealed_tokens"
            " (org_id, integration_id, provider, kind, subject, key_id, sealed)"
            " values (%s, %s, 'meta', 'page_token', 'late', %s, 'late')",
            [rotated.org, rotated.integration, sealing_key().fingerprint],
        )
        with psycopg.connect(rotated.url) as retiring:
            retiring.execute("set local lock_timeout = '50ms'")
            with pytest.raises(errors.LockNotAvailable):
                retiring.execute("select private.retire_key(%s)", [sealing_key().fingerprint])

    with pytest.raises(psycopg.Error, match="still seals 1 tokens"):
        retire(rotated)


@pytest.mark.parametrize("role", ["worker_meta", "worker_privacy", "ingress"])
@pytest.mark.parametrize(
    "call",
    ["private.rotate_key('A', 'x')", "private.retire_key('A')", "private.request_reseal()"],
)
def test_only_operators_rotate_and_retire(stage, role, call):
    with connect_as(stage.url, role) as worker, pytest.raises(errors.InsufficientPrivilege):
        worker.execute(f"select {call}")


def test_rotating_and_retiring_are_events(rotated):
    retire(rotated)

    (turned,) = events(rotated, "key.rotated")
    (ended,) = events(rotated, "key.retired")
    assert turned["details"] == {"from": sealing_key().fingerprint, "to": next_key().fingerprint}
    assert ended["details"] == {"key": sealing_key().fingerprint}
    assert turned["actor"] == "postgres"
