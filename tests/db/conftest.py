"""Fixtures of the tests that need Postgres."""

import psycopg
import pytest

from tests.full_world import make_full_world
from tests.messenger import Stage


@pytest.fixture(scope="module")
def stage_url(cluster, template):
    """One database for a module's stages: each has an organization of its own in it."""
    name = cluster.create(template, "stage")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def stage(stage_url):
    """An organization with a connected Page."""
    return Stage(stage_url)


@pytest.fixture(scope="module")
def full(scratch):
    """One connection with a row in every table of two organizations, never committed."""
    with psycopg.connect(scratch) as connection:
        connection.execute(
            "grant worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress"
            " to current_user"
        )
        world = make_full_world(connection)
        connection.execute("set constraints all immediate")  # alter table wants nothing pending
        connection.execute("set constraints all deferred")
        yield connection, world
        connection.rollback()
