"""What is written down about access is what the database has: grants, and two independent proofs."""

from __future__ import annotations

import json

import pytest

from tests.golden import MATRIX, PRIVILEGES, access_matrix, pgrls, privileges

REGENERATE = "if the change is meant, run `make golden` and read the difference"
IDENTITIES = ("private.current_org", "private.leased_org")

# What the prover cannot decide, and why that is right. Each is tried by matrix, machine and Mallory.
NOT_PROVEN = {
    "anon": {
        "public.data_exports": "an export is also seen by its subject: found by a subquery",
        "public.memberships": "seen across a person's organizations: a set, not one identity",
        "public.organizations": "the list one chooses from: a set, not one identity",
        "public.profiles": "one's own and those of colleagues: a set, not one identity",
    },
    "cross-tenant": {
        "public.calling_tokens": "one's own only: the person beside the organization, two identities",
        "public.data_exports": "an export is also seen by its subject: found by a subquery",
        "public.memberships": "seen across a person's organizations: a set, not one identity",
        "public.organizations": "the list one chooses from: a set, not one identity",
        "public.plans": "the price list: nobody's rows, the same for everybody",
        "public.privacy_requests": "turns on whether a second permission is there (is not null)",
        "public.profiles": "one's own and those of colleagues: a set, not one identity",
        "private.account_roles": "a list of ours, no tenant's rows",
        "private.provider_settings": "a list of ours, split by provider, no tenant's rows",
        "private.sealing_keys": "public keys of ours, no tenant's rows",
    },
    "write": {
        "public.organizations": "its tenant column is its own id, which the prover does not take for one",
    },
}


@pytest.fixture(scope="module")
def url(cluster, template):
    name = cluster.create(template, "golden")
    yield cluster.url(name)
    cluster.drop(name)


def test_the_access_matrix_is_the_one_that_was_reviewed(url):
    assert access_matrix(url) == json.loads(MATRIX.read_text()), REGENERATE


def test_the_grants_are_the_ones_that_were_reviewed(db):
    assert privileges(db) == json.loads(PRIVILEGES.read_text()), REGENERATE


@pytest.mark.parametrize("mode", NOT_PROVEN)
def test_every_tenant_table_is_proven_isolated_or_is_listed_with_the_reason(url, mode):
    words = [word for identity in IDENTITIES for word in ("--auth-function", identity)]
    code, told = pgrls(url, "verify", "--schemas", "public,private", "--mode", mode, *words)

    verdicts = {row["table"]: row["verdict"] for row in told["tables"]}
    assert code == 0
    assert {t for t, verdict in verdicts.items() if verdict != "isolated"} == set(NOT_PROVEN[mode])
    assert set(verdicts.values()) <= {"isolated", "unverified"}
    assert sum(verdict == "isolated" for verdict in verdicts.values()) >= 40
