"""Fixtures of the tests that need Postgres."""

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.full_world import make_full_world
from tests.messenger import Stage
from tests.phone import ask
from tests.switchboard import LINE, Switchboard


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


@pytest.fixture(scope="module")
def phone_database(cluster, template):
    """A database of the module's own, whose organizations come and go."""
    name = cluster.create(template, "phones")
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def board(phone_database):
    """An organization that has connected nothing yet."""
    stage = Switchboard(phone_database)
    yield stage
    # What is left must not be compared, nor its number taken, in the next test.
    stage.do(
        "select private.disconnect(org_id, id) from public.integrations where status <> 'disconnected'"
    )
    stage.close()


@pytest.fixture
def ready(board):
    """An organization with one connected number."""
    board.connect(LINE)
    return board


@pytest.fixture(scope="session")
def browser():
    """The key of somebody's browser."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def phone(ready, browser):
    """A connected number, with the owner's browser signed in."""
    assert ask(ready, browser)["state"] == "ready"
    return ready
