"""The tests' databases on a server that is there already, as any superuser of it."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.database import TestCluster
from tests.servers import Existing, NoServer


@pytest.fixture
def other(tmp_path):
    """A cluster that somebody else started, with a superuser and a nobody of their own."""
    theirs = TestCluster(tmp_path / "theirs", {})
    theirs.folder.mkdir()
    theirs.start()
    for role, rights in (("boss", "superuser"), ("nobody", "nosuperuser")):
        theirs.execute(
            sql.SQL("create role {} {} login password {}").format(
                sql.Identifier(role), sql.SQL(rights), sql.Literal(theirs.password)
            )
        )
    yield theirs
    theirs.stop()


def test_databases_are_made_on_it_and_it_is_left_running(other, tmp_path):
    ours = TestCluster(tmp_path, {"CONNEXT_TEST_DB": other.url("postgres", "boss")})
    ours.start()
    name = ours.create()
    ours.prepare(name, migrations=None)
    with psycopg.connect(ours.url(name)) as db:
        assert db.execute("select current_user, auth.uid() is null").fetchone() == (
            "postgres",
            True,
        )
    ours.drop(name)
    ours.stop()

    assert ours.cluster.port == other.cluster.port
    assert other.cluster.pid is not None
    with pytest.raises(NoServer, match="superuser"):
        Existing(other.url("postgres", "nobody"), "word").create()
