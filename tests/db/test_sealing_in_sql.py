"""What `private.seal` writes a worker opens; what a worker writes has the same inside."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest
from psycopg import errors
from pydantic import SecretStr
from pysequoia import Tsk, decrypt

from tests.messenger import sealing_key
from workers.core.clock import SystemClock
from workers.core.errors import Tampered, WrongOrganization
from workers.core.sealing import Keyring, Opener, Sealer

ORG, INTEGRATION = uuid.uuid4(), uuid.uuid4()
SECRET = "EAAB-ünïcode-\U0001f511"


@pytest.fixture(scope="module")
def key():
    return sealing_key()


@pytest.fixture
def opener(key):
    armored = str(Tsk.from_bytes(key.private))
    return Opener(Keyring(SecretStr(armored)), clock=SystemClock())


@pytest.fixture
def sealed(db, key) -> bytes:
    db.execute(
        "insert into private.sealing_keys (key_id, public_key, state) values (%s, %s, 'active')",
        [key.fingerprint, key.public],
    )
    [[made]] = db.execute(
        "select private.seal(%s, %s, 'oauth_code', %s)", [ORG, INTEGRATION, SECRET]
    ).fetchall()
    return made


def place(key, org=ORG):
    return {
        "org": org,
        "integration": INTEGRATION,
        "kind": "oauth_code",
        "key_id": key.fingerprint,
    }


def inside(key, sealed: bytes) -> dict:
    return json.loads(decrypt(sealed, decryptor=Tsk.from_bytes(key.private).decryptor()).bytes)


def test_a_worker_opens_what_the_database_sealed(sealed, opener, key):
    assert opener.open(sealed, **place(key)).get_secret_value() == SECRET


def test_a_worker_refuses_what_the_database_sealed_for_another_row(sealed, opener, key):
    with pytest.raises(WrongOrganization):
        opener.open(sealed, **place(key, org=uuid.uuid4()))


def test_a_damaged_seal_of_the_database_is_refused(sealed, opener, key):
    damaged = bytearray(sealed)
    damaged[-3] ^= 0x01

    with pytest.raises(Tampered):
        opener.open(bytes(damaged), **place(key))


def test_both_write_the_same_fields_of_the_same_types(sealed, key):
    ours = Sealer(key.public, key_id=key.fingerprint, clock=SystemClock()).seal(
        SecretStr(SECRET), org=ORG, integration=INTEGRATION, kind="oauth_code"
    )

    theirs, written = inside(key, sealed), inside(key, ours)

    assert {**theirs, "iat": 0} == {**written, "iat": 0}
    assert isinstance(theirs["iat"], int)
    assert abs(theirs["iat"] - datetime.now(UTC).timestamp()) < 600
    assert abs(written["iat"] - theirs["iat"]) < 600


def test_pgcrypto_opens_its_own_format_and_not_the_authenticated_one(db, sealed, key):
    ours = Sealer(key.public, key_id=key.fingerprint, clock=SystemClock()).seal(
        SecretStr(SECRET), org=ORG, integration=INTEGRATION, kind="oauth_code"
    )
    open_in_sql = "select extensions.pgp_pub_decrypt(%b::bytea, %b::bytea)"

    [[text]] = db.execute(open_in_sql, [sealed, key.private]).fetchall()

    assert json.loads(text)["secret"] == SECRET
    with pytest.raises(errors.ExternalRoutineInvocationException), db.transaction():
        db.execute(open_in_sql, [ours, key.private])
