"""Thousands of random steps of random members, each compared with what the model says."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.access_machine import machine_for
from tests.access_model import MAY

# 60 examples of up to 45 steps. The same ones in every run: what CI finds is found here as well.
PACE = settings(
    max_examples=60,
    stateful_step_count=45,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.fixture
def quiet(scratch):
    with psycopg.connect(scratch) as connection:
        yield connection
        connection.rollback()


def test_members_see_and_do_exactly_what_the_model_says(quiet):
    run_state_machine_as_test(machine_for(quiet), settings=PACE)


def test_the_model_has_the_permissions_of_the_database(quiet):
    rows = quiet.execute("select role, permission from private.role_permissions").fetchall()

    known = frozenset().union(*MAY.values())
    for role, may in MAY.items():
        assert {p for r, p in rows if r == role} & known == may
