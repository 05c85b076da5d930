"""The proofs of isolation as functions: what pytest runs test by test, callable on one connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from tests import mallory, oracles, rogue_worker
from tests.access_machine import machine_for
from tests.db import test_guards, test_policies_folder, test_policy_matrix, test_privileges
from tests.golden import PRIVILEGES, privileges

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from tests.matrix import Cell
    from tests.world import World

    Proof = Callable[[psycopg.Connection[Any], World, tuple[str, ...]], list[str]]

# Short: the machine of `make test` takes thousands of steps.
PACE = settings(
    max_examples=25,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
    print_blob=False,
)


def _failures(db: psycopg.Connection[Any], proofs: dict[str, Callable[[], object]]) -> list[str]:
    """Run each in a savepoint; name those that fail or hand back a list that is not empty."""
    red = []
    for name, proof in proofs.items():
        try:
            with db.transaction(force_rollback=True):
                if proof():
                    red.append(name)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it says, it is red
            red.append(name)
    return red


def _rules(rules: dict[str, str], db: psycopg.Connection[Any]) -> dict[str, Callable[[], object]]:
    given = {"ours": test_guards.OURS, "api": test_guards.API}
    return {
        rule: lambda query=query: db.execute(query, given).fetchall()
        for rule, query in rules.items()
    }


def guards(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Ask the catalog every rule."""
    return _failures(db, _rules(test_guards.GUARDS | test_privileges.RULES, db))


def grants(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Compare every grant that is not on a table with the reviewed file."""
    reviewed = json.loads(PRIVILEGES.read_text())
    return _failures(db, {"privileges.json": lambda: privileges(db) != reviewed})


def folder(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Apply the policies folder from nothing and compare."""
    same = test_policies_folder.test_the_folder_applied_from_nothing_gives_the_migrated_state
    return _failures(db, {"policies folder": lambda: same(db)})


def matrix(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Try the cells of *tables*."""
    proofs: dict[str, Callable[[], object]] = {
        "every table": lambda: test_policy_matrix.test_every_table_of_ours_has_a_file(db)
    }
    for cell in test_policy_matrix.CELLS:
        if cell.table in tables:
            proofs[str(cell)] = lambda cell=cell: _try(db, world, cell)
    return _failures(db, proofs)


def _try(db: psycopg.Connection[Any], world: World, cell: Cell) -> None:
    if cell.reach == "-":
        test_policy_matrix.test_a_dash_is_denied_with_42501(db, world, cell)
        return
    if cell.columns:
        test_policy_matrix.test_columns_that_the_cell_does_not_name_are_closed(db, world, cell)
    if cell.command == "select":
        test_policy_matrix.test_select_shows_exactly_the_rows_of_its_reach(db, world, cell)
    elif cell.reach != "all" and cell.command == "insert":
        test_policy_matrix.test_an_insert_beyond_the_reach_is_refused_by_the_policy(db, world, cell)
    elif cell.reach != "all":
        test_policy_matrix.test_writes_touch_no_row_of_the_other_organization(db, world, cell)


def attacks(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Let Mallory and the rogue workers loose."""
    every = mallory.ATTACKS | rogue_worker.ATTACKS
    return _failures(db, {name: lambda a=a: a(db, world) for name, a in every.items()})


def searches(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Look for existence oracles."""
    every = oracles.SEARCHES
    return _failures(db, {name: lambda s=s: s(db, world) for name, s in every.items()})


def machine(db: psycopg.Connection[Any], world: World, tables: tuple[str, ...]) -> list[str]:
    """Take some hundreds of random steps."""
    steps = {"machine": lambda: run_state_machine_as_test(machine_for(db), settings=PACE)}
    return _failures(db, steps)


PROOFS: dict[str, Proof] = {
    "guards": guards,
    "grants": grants,
    "folder": folder,
    "matrix": matrix,
    "oracles": searches,
    "mallory": attacks,
    "machine": machine,
}
