"""Sealed tokens: opened only where they belong, and only for a while."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from pysequoia import Cert, CipherSuite, Profile, Tsk, encrypt

from cli.keymaking import destroy_private_half, make_key, write_private_half
from workers.core.errors import (
    NotConfigured,
    SealBroken,
    Tampered,
    WrongIntegration,
    WrongKey,
    WrongKind,
    WrongOrganization,
)
from workers.core.sealing import Keyring, Opener, Sealer

ORG = UUID("00000000-0000-0000-0000-00000000000a")
INTEGRATION = UUID("00000000-0000-0000-0000-0000000000b1")
OTHER = UUID("00000000-0000-0000-0000-0000000000ff")
TOKEN = SecretStr("EAA-page-token")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        return datetime(2026, 11, 23, tzinfo=UTC)

    def monotonic(self):
        return self.seconds


@pytest.fixture(scope="module")
def key():
    return make_key()


@pytest.fixture(scope="module")
def other_key():
    # As small as Sequoia makes them: it only has to be another one.
    made = Tsk.generate("other", profile=Profile.RFC4880, cipher_suite=CipherSuite.RSA2k)
    return made, made.extract_certificate()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path, key):
    keys = tmp_path / "keys"
    write_private_half(keys, key)
    return keys


@pytest.fixture
def opener(folder, clock):
    return Opener(Keyring(SecretStr(str(folder))), clock=clock)


@pytest.fixture
def sealer(key, clock):
    return Sealer(key.public, key_id=key.fingerprint, clock=clock)


@pytest.fixture
def sealed(sealer):
    return sealer.seal(TOKEN, org=ORG, integration=INTEGRATION, kind="page_token")


def place(key, **other):
    return {
        "org": ORG,
        "integration": INTEGRATION,
        "kind": "page_token",
        "key_id": key.fingerprint,
    } | other


def test_what_was_sealed_is_opened_in_its_place(opener, sealed, key):
    opened = opener.open(sealed, **place(key))

    assert opened.get_secret_value() == TOKEN.get_secret_value()
    assert TOKEN.get_secret_value() not in f"{opened!r} {opened}"


def test_the_sealed_bytes_do_not_show_the_token(sealed):
    assert b"EAA" not in sealed
    assert b"page_token" not in sealed


def test_sealing_twice_gives_different_bytes(sealer, sealed):
    again = sealer.seal(TOKEN, org=ORG, integration=INTEGRATION, kind="page_token")

    assert again != sealed


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"org": OTHER}, WrongOrganization),
        ({"integration": OTHER}, WrongIntegration),
        ({"kind": "user_token"}, WrongKind),
    ],
)
def test_a_ciphertext_in_another_row_is_refused(opener, sealed, key, other, error):
    with pytest.raises(error):
        opener.open(sealed, **place(key, **other))


def test_an_opened_token_does_not_open_for_somebody_else(opener, sealed, key):
    opener.open(sealed, **place(key))

    with pytest.raises(WrongOrganization):
        opener.open(sealed, **place(key, org=OTHER))


def test_a_message_to_another_key_is_refused(opener, other_key, key):
    _, certificate = other_key
    foreign = encrypt(b"{}", recipients=[certificate], armor=False)

    with pytest.raises(WrongKey):
        opener.open(foreign, **place(key))


def test_a_seal_that_names_another_key_inside_is_refused(opener, key):
    inside = {
        "org": str(ORG),
        "integration": str(INTEGRATION),
        "kind": "page_token",
        "key": "F" * 40,
        "secret": "x",
    }
    forged = encrypt(
        json.dumps(inside).encode(), recipients=[Cert.from_bytes(key.public)], armor=False
    )

    with pytest.raises(WrongKey):
        opener.open(forged, **place(key))


def test_every_damaged_byte_is_noticed(opener, sealed, key):
    for position in range(0, len(sealed), 29):
        damaged = bytearray(sealed)
        damaged[position] ^= 0x01
        with pytest.raises(SealBroken):
            opener.open(bytes(damaged), **place(key))


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\x00" * 400])
def test_rubbish_is_tampered_with(opener, key, rubbish):
    with pytest.raises(Tampered) as caught:
        opener.open(rubbish, **place(key))

    assert "backtrace" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_truncated_seal_is_tampered_with(opener, sealed, key):
    with pytest.raises(Tampered):
        opener.open(sealed[:-20], **place(key))


@pytest.mark.parametrize("content", [b"text", b"[]", b"7", b'{"secret": 1}', b'{"secret": ""}'])
def test_a_message_without_the_fields_of_a_seal_is_tampered_with(opener, key, content):
    message = encrypt(content, recipients=[Cert.from_bytes(key.public)], armor=False)

    with pytest.raises(Tampered):
        opener.open(message, **place(key))


def test_an_opened_token_is_remembered_for_five_minutes_at_most(folder, key, sealed, clock):
    opener = Opener(Keyring(SecretStr(str(folder))), clock=clock, keep=timedelta(days=1))
    first = opener.open(sealed, **place(key))

    clock.seconds = 299
    within = opener.open(sealed, **place(key))
    clock.seconds = 300
    after = opener.open(sealed, **place(key))

    assert within is first
    assert after is not first
    assert after == first


def test_wiping_an_integration_forgets_its_tokens_and_no_others(opener, sealer, sealed, key):
    elsewhere = sealer.seal(TOKEN, org=ORG, integration=OTHER, kind="page_token")
    gone = opener.open(sealed, **place(key))
    stays = opener.open(elsewhere, **place(key, integration=OTHER))

    opener.wipe(INTEGRATION)

    assert opener.open(sealed, **place(key)) is not gone
    assert opener.open(elsewhere, **place(key, integration=OTHER)) is stays


def test_wiping_everything_leaves_nothing_open(opener, sealed, key):
    opener.open(sealed, **place(key))

    opener.wipe_all()

    assert opener._opened == {}


def test_a_key_that_is_not_in_the_folder_is_an_operators_business(opener, sealed, key):
    with pytest.raises(NotConfigured, match=r"CONNEXT_SEALING_KEYS holds no private key A{40}"):
        opener.open(sealed, **place(key, key_id="A" * 40))


def test_a_key_that_arrives_later_is_found_without_a_restart(tmp_path, key, sealed, clock):
    keys = tmp_path / "late"
    keys.mkdir(mode=0o700)
    opener = Opener(Keyring(SecretStr(str(keys))), clock=clock)
    with pytest.raises(NotConfigured):
        opener.open(sealed, **place(key))

    write_private_half(keys, key)

    assert opener.open(sealed, **place(key)) == TOKEN


def test_a_key_that_was_destroyed_leaves_memory(folder, key, clock):
    keys = Keyring(SecretStr(str(folder)))
    keys.decryptor(key.fingerprint)

    destroy_private_half(folder, key.fingerprint)

    with pytest.raises(NotConfigured):
        keys.decryptor("A" * 40)
    assert keys._decryptors == {}


def test_the_variable_may_hold_two_keys_while_one_replaces_the_other(key, other_key, sealed, clock):
    armored = f"{other_key[0]}\n{Tsk.from_bytes(key.private)}"
    opener = Opener(Keyring(SecretStr(armored)), clock=clock)

    assert opener.open(sealed, **place(key)) == TOKEN


def test_who_listens_hears_of_each_opening_and_each_refusal_once(opener, sealed, key):
    heard = []

    opener.open(sealed, **place(key), tell=heard.append)
    opener.open(sealed, **place(key), tell=heard.append)
    with pytest.raises(WrongKind):
        opener.open(sealed, **place(key, kind="user_token"), tell=heard.append)

    assert [type(each) for each in heard] == [type(None), WrongKind]


def test_a_key_id_cannot_walk_out_of_the_folder(folder, key):
    outside = folder.parent / "outside.pgp"
    outside.write_bytes(key.private)

    with pytest.raises(NotConfigured):
        Keyring(SecretStr(str(folder))).decryptor("../outside")


def test_the_variable_may_hold_the_key_itself(key, sealed, clock):
    armored = str(Tsk.from_bytes(key.private))
    opener = Opener(Keyring(SecretStr(armored)), clock=clock)

    assert opener.open(sealed, **place(key)) == TOKEN


@pytest.mark.parametrize(
    "value", ["", "/nonexistent/keys", "-----BEGIN PGP PRIVATE KEY BLOCK-----"]
)
def test_a_useless_setting_is_named_and_not_shown(value):
    with pytest.raises(NotConfigured) as caught:
        Keyring(SecretStr(value))

    assert caught.value.setting == "CONNEXT_SEALING_KEYS"
    assert caught.value.__cause__ is None


def test_a_folder_that_others_may_enter_is_refused(folder):
    folder.chmod(stat.S_IRWXU | stat.S_IRGRP)

    with pytest.raises(NotConfigured, match="chmod 700"):
        Keyring(SecretStr(str(folder)))


def test_a_file_that_holds_another_key_than_its_name_is_refused(folder, other_key):
    made, _ = other_key
    (folder / f"{'B' * 40}.pgp").write_bytes(bytes(made))

    with pytest.raises(NotConfigured, match=r"in a file named B{40}"):
        Keyring(SecretStr(str(folder))).decryptor("B" * 40)


def test_sealing_to_a_key_under_a_wrong_name_is_refused(key, clock):
    with pytest.raises(WrongKey):
        Sealer(key.public, key_id="C" * 40, clock=clock)


def test_sealing_to_rubbish_is_refused(clock):
    with pytest.raises(WrongKey):
        Sealer(b"rubbish", key_id="C" * 40, clock=clock)
