"""Sealing keys: made once, private half outside, and understood by pgcrypto and Sequoia alike."""

import stat

import psycopg
import pytest
from pysequoia import Tsk, decrypt
from pysequoia.packet import PacketPile, Tag

from cli import keymaking


@pytest.fixture(scope="session")
def key():
    """One key for all tests: making it takes seconds of processor time."""
    return keymaking.make_key()


@pytest.fixture
def quick(key, monkeypatch):
    """Let `keys init` use the key that exists."""
    monkeypatch.setattr(keymaking, "make_key", lambda: key)


def test_pgcrypto_seals_and_only_the_private_half_opens(key, db):
    sealed = db.execute(
        "select extensions.pgp_pub_encrypt(%s, %s, 'cipher-algo=aes256, compress-algo=0')",
        ["jeton d'accès", key.public],
    ).fetchone()[0]

    opened = decrypt(sealed, decryptor=Tsk.from_bytes(key.private).decryptor())

    assert opened.bytes.decode() == "jeton d'accès"


def test_the_public_half_has_one_subkey_and_nothing_secret(key):
    tags = [packet.tag for packet in PacketPile.from_bytes(key.public)]

    assert tags.count(Tag.PublicSubkey) == 1
    assert Tag.SecretKey not in tags
    assert Tag.SecretSubkey not in tags


def test_both_halves_have_the_fingerprint_that_names_the_file(key, tmp_path):
    path = keymaking.write_private_half(tmp_path / "keys", key)

    assert path.name == f"{key.fingerprint}.pgp"
    assert Tsk.from_file(str(path)).extract_certificate().fingerprint.upper() == key.fingerprint
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_existing_file_is_never_overwritten(key, tmp_path):
    keymaking.write_private_half(tmp_path, key)

    with pytest.raises(FileExistsError):
        keymaking.write_private_half(tmp_path, key)


def test_what_a_key_is_printed_as_holds_no_secret(key):
    assert repr(key) == f"SealingKey({key.fingerprint})"


@pytest.mark.usefixtures("quick")
def test_init_makes_one_active_key_and_refuses_a_second(operated, clone, key, tmp_path):
    folder = tmp_path / "keys"

    first = operated("keys", "init", "--folder", folder, "--json")
    second = operated("keys", "init", "--folder", folder)

    assert first.code == 0, first.err
    assert first.json["key_id"] == key.fingerprint
    assert second.code == 3
    with psycopg.connect(clone) as connection:
        row = connection.execute("select key_id, public_key, state from private.sealing_keys")
        assert row.fetchall() == [(key.fingerprint, key.public, "active")]
    (status,) = operated("keys", "status", "--folder", folder, "--json").json
    assert (status["state"], status["sealed_tokens"], status["private_half"]) == ("active", 0, True)


@pytest.mark.usefixtures("quick")
def test_a_dry_run_makes_nothing(operated, tmp_path):
    assert operated("keys", "init", "--folder", tmp_path / "keys", "--dry-run").code == 0
    assert not (tmp_path / "keys").exists()
    assert operated("keys", "status", "--json").json == []


@pytest.mark.usefixtures("quick")
def test_the_private_half_does_not_stay_when_the_database_refuses(operated, clone, key, tmp_path):
    with psycopg.connect(clone, autocommit=True) as connection:
        connection.execute(
            "insert into private.sealing_keys (key_id, public_key, state)"
            " values (%s, %s, 'retiring')",
            [key.fingerprint, key.public],
        )

    ended = operated("keys", "init", "--folder", tmp_path / "keys")

    assert ended.code == 1
    assert list((tmp_path / "keys").iterdir()) == []


def test_a_key_in_the_variable_is_no_folder(operated, monkeypatch):
    monkeypatch.setenv("CONNEXT_SEALING_KEYS", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nsecret")

    ended = operated("keys", "init")

    assert ended.code == 2
    assert "secret" not in ended.err


def test_a_destroyed_private_half_is_overwritten_before_it_is_removed(key, tmp_path):
    path = keymaking.write_private_half(tmp_path, key)
    twin = tmp_path / "same-bytes"
    twin.hardlink_to(path)

    assert keymaking.destroy_private_half(tmp_path, key.fingerprint)
    assert not path.exists()
    assert twin.stat().st_size == len(key.private)
    assert twin.read_bytes()[:64] != key.private[:64]
    assert not keymaking.destroy_private_half(tmp_path, key.fingerprint)


def test_destroying_follows_no_link(key, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"something of somebody's")
    keymaking.private_key_path(tmp_path, key.fingerprint).symlink_to(outside)

    with pytest.raises(OSError, match="symbolic links"):
        keymaking.destroy_private_half(tmp_path, key.fingerprint)
    assert outside.read_bytes() == b"something of somebody's"
