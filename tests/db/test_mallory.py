"""Mallory, a valid owner who sends foreign ids in every place that takes one, and rogue workers."""

from __future__ import annotations

import pytest

from tests import mallory, rogue_worker

ATTACKS = mallory.ATTACKS | rogue_worker.ATTACKS


@pytest.mark.parametrize("attack", ATTACKS)
def test_mallory(full, attack):
    connection, world = full
    with connection.transaction(force_rollback=True):
        won = ATTACKS[attack](connection, world)

    assert won == []
