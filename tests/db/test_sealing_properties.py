"""Whatever is sealed, by SQL or by a worker, opens in its place, and nowhere else nor changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from pysequoia import Tsk

from tests.messenger import sealing_key
from tests.rotating import third_key
from workers.core.clock import SystemClock
from workers.core.errors import (
    NotConfigured,
    SealBroken,
    WrongIntegration,
    WrongKey,
    WrongKind,
    WrongOrganization,
)
from workers.core.sealing import Keyring, Opener, Sealer

# Opening is asymmetric: milliseconds each. The database cannot hold NUL in text; no token has it.
SECRETS = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"),
    min_size=1,
    max_size=600,
)
KINDS = st.from_regex(r"[a-z_]{1,30}", fullmatch=True)
often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Place:
    org: uuid.UUID
    integration: uuid.UUID
    kind: str

    @property
    def coordinates(self):
        return {"org": self.org, "integration": self.integration, "kind": self.kind}


PLACES = st.builds(Place, st.uuids(), st.uuids(), KINDS)
HERE = Place(uuid.UUID(int=1), uuid.UUID(int=2), "page_token")


@pytest.fixture(scope="module")
def key():
    return sealing_key()


@pytest.fixture(scope="module")
def sql(scratch, key):
    """Seal as RPCs do; nothing is committed."""
    with psycopg.connect(scratch) as connection:
        connection.execute(
            "insert into private.sealing_keys (key_id, public_key) values (%s, %s)",
            [key.fingerprint, key.public],
        )

        def seal(secret, place):
            return connection.execute(
                "select private.seal(%s, %s, %s, %s)",
                [place.org, place.integration, place.kind, secret],
            ).fetchone()[0]

        yield seal
        connection.rollback()


@pytest.fixture(scope="module")
def python(key):
    """Seal as workers do."""
    sealer = Sealer(key.public, key_id=key.fingerprint, clock=SystemClock())
    return lambda secret, place: sealer.seal(SecretStr(secret), **place.coordinates)


@pytest.fixture(scope="module", params=["sql", "python"])
def seal(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def message(seal):
    return seal("EAA-page-token", HERE)


@pytest.fixture(scope="module")
def opener(key):
    return Opener(Keyring(SecretStr(str(Tsk.from_bytes(key.private)))), clock=SystemClock())


def opened(opener, sealed, place, key):
    return opener.open(sealed, **place.coordinates, key_id=key.fingerprint).get_secret_value()


@often
@given(secret=SECRETS, place=PLACES)
def test_every_secret_opens_in_its_place(seal, opener, key, secret, place):
    assert opened(opener, seal(secret, place), place, key) == secret


@often
@given(data=st.data())
def test_one_bit_flipped_anywhere_is_refused(message, opener, key, data):
    bit = data.draw(st.integers(0, len(message) * 8 - 1))
    damaged = bytearray(message)
    damaged[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SealBroken):
        opened(opener, bytes(damaged), HERE, key)


def test_one_bit_flipped_in_any_byte_of_the_headers_is_refused(message, opener, key):
    for bit in range(16 * 8):
        damaged = bytearray(message)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            opened(opener, bytes(damaged), HERE, key)


@often
@given(data=st.data())
def test_every_truncation_is_refused(message, opener, key, data):
    length = data.draw(st.integers(0, len(message) - 1))

    with pytest.raises(SealBroken):
        opened(opener, message[:length], HERE, key)


@often
@given(tail=st.binary(min_size=1, max_size=40))
def test_anything_appended_is_refused(message, opener, key, tail):
    with pytest.raises(SealBroken):
        opened(opener, message + tail, HERE, key)


@often
@given(place=PLACES, other=PLACES)
def test_in_any_other_row_it_is_refused_by_what_differs_first(opener, key, python, place, other):
    sealed = python("EAA", place)
    wrong = [
        (replace(place, org=other.org), other.org != place.org, WrongOrganization),
        (
            replace(place, integration=other.integration),
            other.integration != place.integration,
            WrongIntegration,
        ),
        (replace(place, kind=other.kind), other.kind != place.kind, WrongKind),
    ]

    for elsewhere, differs, error in wrong:
        if differs:
            with pytest.raises(error):
                opened(opener, sealed, elsewhere, key)


def test_two_rows_swapped_are_both_refused(seal, opener, key):
    there = Place(uuid.UUID(int=3), uuid.UUID(int=4), "page_token")
    mine, theirs = seal("mine", HERE), seal("theirs", there)

    for sealed, place in ((theirs, HERE), (mine, there)):
        with pytest.raises(WrongOrganization):
            opened(opener, sealed, place, key)


def test_a_row_that_names_another_key_is_refused(message, key):
    other = third_key()
    armored = f"{Tsk.from_bytes(key.private)}\n{Tsk.from_bytes(other.private)}"
    opener = Opener(Keyring(SecretStr(armored)), clock=SystemClock())

    with pytest.raises(WrongKey):
        opened(opener, message, HERE, other)
    assert opened(opener, message, HERE, key) == "EAA-page-token"


def test_without_the_private_half_nothing_opens(message, key, tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)

    with pytest.raises(NotConfigured):
        opened(Opener(Keyring(SecretStr(str(folder))), clock=SystemClock()), message, HERE, key)
