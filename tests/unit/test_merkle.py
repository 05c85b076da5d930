"""Hash trees: the known answers of RFC 6962, and that nothing reads like something else."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from workers.core import merkle

# The test vectors of RFC 6962's reference implementation.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaf_of(data):
    return sha256(b"\x00" + data).digest()


def by_definition(leaves):
    """RFC 6962, section 2.1, as it is written."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def test_the_known_answers_come_out():
    leaves = [leaf_of(bytes.fromhex(text)) for text in INPUTS]

    assert {n: merkle.root(leaves[:n]).hex() for n in ROOTS} == ROOTS
    assert merkle.root([]) == sha256(b"").digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_the_root_is_the_one_of_the_definition(data):
    leaves = [leaf_of(one) for one in data]

    assert merkle.root(leaves) == by_definition(leaves)


def test_every_field_of_an_event_changes_its_leaf():
    event = {
        "id": 1,
        "at_us": 2,
        "org_id": None,
        "actor": "a",
        "kind": "b.c",
        "details": {"x": "y"},
        "subject": None,
    }
    leaf = merkle.leaf(event)

    for field, other in {
        "id": 2, "at_us": 3, "org_id": "o", "actor": "ab", "kind": "b.d", "details": {"x": "z"},
        "subject": "s",
    }.items():  # fmt: skip
        assert merkle.leaf(event | {field: other}) != leaf


def test_an_event_without_a_subject_is_hashed_as_before_there_were_subjects():
    event = {"id": 1, "at_us": 2, "org_id": None, "actor": "a", "kind": "b.c", "details": {}}

    assert merkle.leaf(event | {"subject": None}) == merkle.leaf(event)
