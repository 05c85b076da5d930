"""Fixtures of the tests that need Postgres."""

import pytest

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
