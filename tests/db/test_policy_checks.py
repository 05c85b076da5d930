"""Every check of the privacy page holds on a sound database, and a planted violation turns it red."""

from __future__ import annotations

import json

import psycopg
import pytest
from psycopg.rows import dict_row

from cli import signing
from cli.policy_checks.place import Place
from cli.policy_checks.registry import CHECKS, load_checks
from cli.policy_checks.verify import examined
from tests.messenger import sealing_key
from tests.planted_claims import ALSO, ELSEWHERE, PLANTED, plant
from workers.core import merkle
from workers.services.policy import load_claims

# Nothing to prove yet where nothing was set up; the violation is found all the same.
QUICK = 60  # milliseconds; what takes longer is not asked again beside each violation
UNTIL_SET_UP = {"drills.restore"}
TABLES = """
    select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private', 'queue', 'privacy', 'audit') and c.relkind in ('r', 'p')
"""
NAMES = sorted(set(load_checks()) - ELSEWHERE)
SUBJECT = {name: check.examine.__module__ for name, check in CHECKS.items()}


@pytest.fixture(scope="module")
def sound(scratch, tmp_path_factory):
    """A database as it is after setting up: a sealing key, upkeep on time, a sealed audit."""
    with (
        psycopg.connect(scratch, row_factory=dict_row) as connection,
        pytest.MonkeyPatch.context() as patch,
    ):
        key_file = tmp_path_factory.mktemp("keys") / "signing.pem"
        signing.make(key_file)
        patch.setenv(signing.VARIABLE, str(key_file))
        place = Place(connection, scratch)
        _set_up(place)
        seal(place)
        yield place
        connection.rollback()


def _set_up(place):
    key = sealing_key()
    place.run("update private.sealing_keys set state = 'retiring' where state = 'active'")
    place.run(
        "insert into private.sealing_keys (key_id, public_key) values (%s, %s)",
        key.fingerprint,
        key.public,
    )
    place.run("update queue.schedules set next_run = now() + interval '1 minute'")
    place.run(
        "select privacy.appoint_officer('Privacy officer', 'Responsable', 'privacy@example.com')"
    )


def seal(place):
    """Seal what an older transaction wrote, as `connext audit seal` would have."""
    place.run(
        "insert into audit.events (org_id, actor, kind, details, xid)"
        " values (gen_random_uuid(), 'x', 'request.opened', '{}', '4')"
    )
    tree = merkle.Tree()
    for event in place.rows(
        "select v.id, (extract(epoch from v.at) * 1000000)::bigint as at_us, v.org_id::text, v.actor,"
        " v.kind, v.details, v.subject::text from audit.events as v where v.xid < '5'::xid8 order by v.id"
    ):
        tree.add(merkle.leaf(event))
    body = merkle.canonical(
        {
            "n": 1,
            "from_xid": 0,
            "to_xid": 5,
            "events": tree.size,
            "root": tree.root.hex(),
            "prev": merkle.FIRST.hex(),
        }
    )
    signer = signing.signer(None)
    signed = signing.sealed(body, signer)
    place.run(
        "insert into audit.signing_keys (key_id, public_key) values (%s, %s)",
        signer.key_id,
        signer.public,
    )
    place.run(
        "insert into audit.epochs (n, from_xid, to_xid, events, root, prev, hash, body, signature, key_id)"
        " values (1, '0', '5', %s, %s, %s, %s, %s, %s, %s)",
        tree.size,
        tree.root,
        merkle.FIRST,
        merkle.epoch_hash(body),
        body,
        bytes.fromhex(signed["signature"]),
        signed["key_id"],
    )


@pytest.fixture(scope="module")
def before(sound):
    """What every check says of the sound database."""
    return {name: examined(sound, CHECKS[name]) for name in NAMES}


def test_every_check_has_a_planted_violation_and_serves_a_claim():
    assert set(PLANTED) == set(NAMES)
    assert load_claims().checks() == set(CHECKS)
    assert all(check.asserts.endswith(".") for check in CHECKS.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_check_holds_on_a_sound_database(before, name):
    expected = ("unprovable", "proven") if name in UNTIL_SET_UP else ("proven",)

    assert before[name].result in expected, before[name].evidence


@pytest.mark.parametrize("name", NAMES)
def test_a_violation_turns_it_red_and_no_neighbour(sound, before, name, monkeypatch):
    neighbours = [
        other
        for other, done in before.items()
        if SUBJECT[other] == SUBJECT[name] and other != name and done.milliseconds < QUICK
    ]
    with sound.undone():
        plant(sound, name, monkeypatch)
        found = examined(sound, CHECKS[name])
        others = {other: examined(sound, CHECKS[other]) for other in neighbours}

    assert found.result == "failed", found.evidence
    turned = {other for other, done in others.items() if done.result != before[other].result}
    assert turned <= ALSO.get(name, set())


def test_what_checks_write_is_undone(sound, before):
    # By name: a large table may make the plan a parallel one, which answers in any order.
    counted = " union all ".join(
        f"select '{table}=' || count(*) as told from {table}"
        for table in (*sound.values(TABLES), "auth.users", "storage.objects", "realtime.messages")
    )
    kept = sorted(sound.values(counted))

    for name in (
        "isolation.members",
        "erasure.reach",
        "disconnect.tokens",
        "providers.meta_callbacks",
    ):
        assert examined(sound, CHECKS[name]).result == "proven"

    assert sorted(sound.values(counted)) == kept


def test_no_evidence_holds_an_address_or_a_secret(before):
    said = json.dumps([done.evidence for done in before.values()])

    assert "@" not in said
    assert "postgres://" not in said
