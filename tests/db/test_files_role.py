"""A worker at Storage: a role that sees the files of the job it presents, and nothing else."""

from __future__ import annotations

import json
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from tests.books import refused, savepoint, standing_world
from tests.world import acting_as, hold_job

PUT = "insert into storage.objects (bucket_id, name) values (%s, %s)"


@pytest.fixture(scope="module")
def standing(scratch):
    with standing_world(scratch, "worker_meta") as (connection, world):
        connection.execute("grant files_meta, files_telnyx to current_user")
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


@pytest.fixture(params=["meta", "telnyx"])
def provider(request):
    return request.param


@pytest.fixture(autouse=True)
def files(db, world, provider):
    """A file of every kind, in both organizations."""
    for org in (world.ours, world.theirs):
        for bucket, name in (
            ("attachments", f"{provider}/in"),
            ("attachments", "replies/out"),
            ("exports", "zip"),
        ):
            db.execute(PUT, [bucket, f"{org.id}/{name}"])


@contextmanager
def asking(db, provider, job, lease):
    """Be at Storage what the worker's token makes one, presenting a job."""
    headers = {"x-connext-job": str(job), "x-connext-lease": str(lease)}
    with acting_as(db, f"files_{provider}"):
        db.execute("select set_config('request.headers', %s, true)", [json.dumps(headers)])
        # As at Storage, the transaction is not the worker's own: it has entered no job.
        db.execute("select set_config('connext.job', '', true)")
        yield


def names(db, provider, job, lease):
    with asking(db, provider, job, lease):
        found = db.execute("select bucket_id || ':' || name from storage.objects")
        return {row[0] for row in found}


def test_it_sees_the_attachments_of_the_organization_of_its_job(db, world, provider):
    job, lease = hold_job(db, provider, world.ours.id)

    assert names(db, provider, job, lease) == {
        f"attachments:{world.ours.id}/{provider}/in",
        f"attachments:{world.ours.id}/replies/out",
    }


def test_without_a_lease_that_is_held_it_sees_nothing(db, world, provider):
    job, lease = hold_job(db, provider, world.ours.id)

    assert names(db, provider, job, uuid4()) == set()
    assert names(db, provider, job + 1, lease) == set()
    assert names(db, provider, "x", "y") == set()
    db.execute("select queue.succeed(%s, %s, %s)", [provider, [job], [lease]])
    assert names(db, provider, job, lease) == set()


def test_a_job_of_another_queue_shows_nothing(db, world, provider):
    job, lease = hold_job(db, "stripe", world.ours.id)

    assert names(db, provider, job, lease) == set()


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("{ours}/{provider}/new", True),
        ("{ours}/replies/new", False),
        ("{ours}/new", False),
        ("{theirs}/{provider}/new", False),
    ],
)
def test_it_writes_below_its_own_folder_only(db, world, provider, path, may):
    job, lease = hold_job(db, provider, world.ours.id)
    name = path.format(ours=world.ours.id, theirs=world.theirs.id, provider=provider)

    if may:
        with asking(db, provider, job, lease):
            db.execute(PUT, ["attachments", name])
    else:
        with refused("42501"), asking(db, provider, job, lease):
            db.execute(PUT, ["attachments", name])


@pytest.mark.parametrize(
    "table", ["public.messages", "private.sealed_tokens", "queue.jobs", "public.attachments"]
)
def test_no_table_of_ours_opens_to_it(db, provider, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(db, f"files_{provider}"):
        db.execute(f"select 1 from {table}")
