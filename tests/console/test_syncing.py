"""`connext integration sync`: the same jobs as by the clock, once, and their end is waited for."""

from __future__ import annotations

import psycopg
import pytest

from tests.world import make_world


@pytest.fixture
def world(clone):
    with psycopg.connect(clone, autocommit=True) as db:
        return make_world(db)


def jobs(sql, queue):
    return sql(
        "select kind, org_id, payload ->> 'channel_id' from queue.jobs where queue = %s", [queue]
    ).fetchall()


def of_provider(sql, world, provider):
    return sql(
        "select id from public.integrations where org_id = %s and provider = %s",
        [world.ours.id, provider],
    ).fetchone()[0]


def test_every_channel_is_compared_once_however_often_one_asks(operated, sql, world):
    first = operated("integration", "sync", world.ours.integration)
    again = operated("integration", "sync", world.ours.integration)

    assert (first.code, again.code) == (0, 3)
    assert jobs(sql, "meta") == [("meta.reconcile", world.ours.id, str(world.ours.channel))]


def test_telnyx_is_compared_as_a_whole(operated, sql, world):
    assert operated("integration", "sync", of_provider(sql, world, "telnyx")).code == 0
    assert [row[:2] for row in jobs(sql, "telnyx")] == [("telnyx.reconcile", world.ours.id)]


def test_a_dry_run_asks_for_nothing(operated, sql, world):
    ended = operated("integration", "sync", world.ours.integration, "--dry-run")

    assert ended.code == 0
    assert "nothing was changed" in ended.err
    assert jobs(sql, "meta") == []


def test_what_is_not_active_is_refused(operated, sql, world):
    sql(
        "update public.integrations set status = 'reauthorization_required' where id = %s",
        [world.ours.integration],
    )

    ended = operated("integration", "sync", world.ours.integration)

    assert ended.code == 4
    assert "reauthorization_required" in ended.err


def test_without_an_active_channel_there_is_nothing_to_do(operated, sql, world):
    sql("update public.channels set status = 'disconnected' where id = %s", [world.ours.channel])

    assert operated("integration", "sync", world.ours.integration).code == 3


def test_an_integration_of_nobody_is_not_found(operated, world):
    assert operated("integration", "sync", world.ours.id).code == 1


def test_a_provider_without_history_is_refused(operated, sql, world):
    sql(
        "insert into public.integrations (org_id, provider, status, consent_id, connected_at)"
        " values (%s, 'google_places', 'active', private.grant_consent(%s, 'google_places', '{}'), now())",
        [world.ours.id, world.ours.id],
    )

    assert operated("integration", "sync", of_provider(sql, world, "google_places")).code == 4


def test_waiting_without_a_worker_gives_up_and_says_why(operated, world):
    ended = operated("integration", "sync", world.ours.integration, "--wait", "--patience", "0")

    assert ended.code == 1
    assert "connext worker run meta" in ended.err


@pytest.mark.parametrize(
    "end",
    [
        ("queue.succeed('meta', array[%s]::bigint[], array[%s]::uuid[])", 0),
        ("queue.bury('meta', %s, %s, 'the page is gone')", 1),
    ],
)
def test_waiting_ends_with_the_job(operated, sql, world, monkeypatch, end):
    verb, code = end
    from cli import syncing

    def work(_seconds):
        job, lease = sql("select id, lease from queue.claim('meta', 1, '1 min')").fetchone()
        sql(f"select {verb}", [job, lease])

    monkeypatch.setattr(syncing.time, "sleep", work)

    ended = operated("integration", "sync", world.ours.integration, "--wait")

    assert ended.code == code
    assert ("the page is gone" in ended.err) == bool(code)
