"""Every kind of proof finds a leak of its kind by itself; `make leaks` plants all of them."""

from __future__ import annotations

import pytest

from tests.leak import LEAKS
from tests.planted_leaks import HARMLESS, ground, killers
from tests.proofs import PROOFS

SAMPLE = {
    "guards": "policy: for all commands",
    "grants": "grant: an operator's function to members",
    "folder": "grant: org_id of an existing row",
    "matrix": "policy: a weaker permission",
    "oracles": "function: tells foreign rows from no rows",
    "mallory": "helper: trusts the job without its lease",
    "machine": "function: an admin makes owners",
}


@pytest.fixture(scope="module")
def planted(cluster, template):
    name = cluster.create(template, "leaks")
    with ground(cluster.url(name)) as (db, world):
        yield db, world
    cluster.drop(name)


@pytest.mark.parametrize("proof", SAMPLE)
def test_a_planted_leak_turns_its_proof_red(planted, proof):
    leak = next(leak for leak in LEAKS if leak.name == SAMPLE[proof])

    assert killers(*planted, HARMLESS, [proof]) == {}
    assert list(killers(*planted, leak, [proof])) == [proof]


def test_every_proof_has_its_sample_and_no_leak_is_listed_twice():
    names = [leak.name for leak in LEAKS]

    assert set(SAMPLE) == set(PROOFS)
    assert len(names) == len(set(names))
    assert len(names) >= 80
