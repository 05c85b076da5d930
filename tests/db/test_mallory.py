"""Mallory: a valid owner who sends a foreign organization's ids in every place that takes one."""

from __future__ import annotations

import pytest

from tests.mallory import ATTACKS


@pytest.mark.parametrize("attack", ATTACKS)
def test_mallory(full, attack):
    connection, world = full
    with connection.transaction(force_rollback=True):
        won = ATTACKS[attack](connection, world)

    assert won == []
