"""Errors and answers tell nothing about rows of other tenants; every key and RPC of the catalog."""

from __future__ import annotations

import pytest

from tests.catalog import tenant_tables
from tests.oracles import SEARCHES, references


@pytest.mark.parametrize("search", SEARCHES)
def test_oracles(full, search):
    connection, world = full
    with connection.transaction(force_rollback=True):
        won = SEARCHES[search](connection, world)

    assert won == []


def test_the_searches_cover_something(full):
    connection, _ = full

    assert len(tenant_tables(connection)) > 35
    assert len(references(connection)) > 25
