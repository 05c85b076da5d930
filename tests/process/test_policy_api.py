"""The claim of isolation through the real Data API: proven, and red when a policy is too wide."""

from __future__ import annotations

import psycopg
import pytest

from cli.policy_checks import interface
from cli.policy_checks.place import Place
from cli.policy_checks.registry import load_checks
from cli.policy_checks.verify import examined, opened

LEAK = "create policy leak on public.customers for select to authenticated using (true)"


def asked(folder, **instead):
    with opened(folder) as stacked:
        asking = (
            Place(stacked.connection, stacked.url, stack=instead, environment={})
            if instead
            else stacked
        )
        return examined(asking, load_checks()["isolation.api"])


def left(stack):
    with psycopg.connect(stack.status["database_url"]) as db:
        return db.execute(
            "select (select count(*) from auth.users as u where u.email like '%%@probe.invalid'),"
            " (select count(*) from public.organizations as o where o.name = %s)",
            [interface.NAME],
        ).fetchone()


def test_another_organizations_rows_are_not_reached_and_nothing_is_left(stack):
    done = asked(stack.data)

    assert done.result == "proven", done.evidence
    assert left(stack) == (0, 0)


def test_a_policy_that_is_too_wide_turns_it_red_and_nothing_is_left(stack):
    with psycopg.connect(stack.status["database_url"], autocommit=True) as db:
        db.execute(LEAK)
        try:
            done = asked(stack.data)
        finally:
            db.execute("drop policy leak on public.customers")

    assert done.result == "failed"
    assert "customers is read" in done.evidence
    assert left(stack) == (0, 0)


@pytest.mark.parametrize(
    ("stack_state", "why"),
    [
        ({"api_url": ""}, "address is not known"),
        ({"api_url": "http://127.0.0.1:1", "publishable_key": "x"}, "did not answer"),
    ],
)
def test_an_api_that_is_not_there_proves_nothing(stack, stack_state, why):
    done = asked(stack.data, **stack_state)

    assert done.result == "unprovable"
    assert why in done.evidence
    assert left(stack) == (0, 0)
