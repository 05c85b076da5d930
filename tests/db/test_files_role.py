"""Meta's worker at Storage: a role that sees the files of the job it presents, and nothing else."""

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
        connection.execute("grant files_meta to current_user")
        yield connection, world


@pytest.fixture
def db(standing):
    with savepoint(standing[0]) as connection:
        yield connection


@pytest.fixture
def world(standing):
    return standing[1]


@pytest.fixture(autouse=True)
def files(db, world):
    """A file of every kind, in both organizations."""
    for org in (world.ours, world.theirs):
        for bucket, name in (
            ("attachments", "meta/in"),
            ("attachments", "replies/out"),
            ("exports", "zip"),
        ):
            db.execute(PUT, [bucket, f"{org.id}/{name}"])


@contextmanager
def asking(db, job, lease):
    """Be at Storage what the worker's token makes one, presenting a job."""
    headers = {"x-connext-job": str(job), "x-connext-lease": str(lease)}
    with acting_as(db, "files_meta"):
        db.execute("select set_config('request.headers', %s, true)", [json.dumps(headers)])
        # As at Storage, the transaction is not the worker's own: it has entered no job.
        db.execute("select set_config('connext.job', '', true)")
        yield


def names(db, job, lease):
    with asking(db, job, lease):
        found = db.execute("select bucket_id || ':' || name from storage.objects")
        return {row[0] for row in found}


def test_it_sees_the_attachments_of_the_organization_of_its_job(db, world):
    job, lease = hold_job(db, "meta", world.ours.id)

    assert names(db, job, lease) == {
        f"attachments:{world.ours.id}/meta/in",
        f"attachments:{world.ours.id}/replies/out",
    }


def test_without_a_lease_that_is_held_it_sees_nothing(db, world):
    job, lease = hold_job(db, "meta", world.ours.id)

    assert names(db, job, uuid4()) == set()
    assert names(db, job + 1, lease) == set()
    assert names(db, "x", "y") == set()
    db.execute("select queue.succeed('meta', %s, %s)", [[job], [lease]])
    assert names(db, job, lease) == set()


def test_a_job_of_another_queue_shows_nothing(db, world):
    job, lease = hold_job(db, "stripe", world.ours.id)

    assert names(db, job, lease) == set()


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("{ours}/meta/new", True),
        ("{ours}/replies/new", False),
        ("{ours}/new", False),
        ("{theirs}/meta/new", False),
    ],
)
def test_it_writes_below_its_own_folder_only(db, world, path, may):
    job, lease = hold_job(db, "meta", world.ours.id)
    name = path.format(ours=world.ours.id, theirs=world.theirs.id)

    if may:
        with asking(db, job, lease):
            db.execute(PUT, ["attachments", name])
    else:
        with refused("42501"), asking(db, job, lease):
            db.execute(PUT, ["attachments", name])


@pytest.mark.parametrize(
    "table", ["public.messages", "private.sealed_tokens", "queue.jobs", "public.attachments"]
)
def test_no_table_of_ours_opens_to_it(db, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(db, "files_meta"):
        db.execute(f"select 1 from {table}")
