"""The drill: after rotating and retiring, a backup from before yields no token to anybody."""

from __future__ import annotations

import psycopg
import pytest
from pydantic import SecretStr

from cli.keymaking import destroy_private_half
from tests.messenger import sealing_key
from tests.rotating import keys_in_use, next_key, rotate, rotating_stage
from workers.core.clock import SystemClock
from workers.core.errors import ConnextError, NotConfigured, SealBroken
from workers.core.sealing import Keyring, Opener

SECRETS = {("page_token", "a"): "EAA-canary-a", ("user_token", "b"): "EAA-canary-b"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def stage(clone, folder):
    made = rotating_stage(clone, folder)
    made.do("delete from private.sealed_tokens")
    for (kind, subject), secret in SECRETS.items():
        made.keep_token(kind, subject, secret)
    made.keep_token("page_token", "revoked", "EAA-canary-revoked", revoked=True)
    return made


@pytest.fixture
def backup(cluster, stage, clone):
    """A copy of the whole database, byte for byte, from before the rotation."""
    name = cluster.create(psycopg.conninfo.conninfo_to_dict(clone)["dbname"], "backup")
    yield cluster.url(name)
    cluster.drop(name)


def tried(url, folder, *, as_key=None):
    """Try to open every sealed row; return what was opened, and the kinds of refusal."""
    opened, refused = [], set()
    opener = Opener(Keyring(SecretStr(str(folder))), clock=SystemClock())
    with psycopg.connect(url) as db:
        rows = db.execute(
            "select org_id, integration_id, kind, key_id, sealed from private.sealed_tokens"
            " union all select org_id, integration_id, kind, key_id, sealed from private.revocations"
        ).fetchall()
    assert rows
    for org, integration, kind, key_id, sealed in rows:
        try:
            secret = opener.open(
                sealed, org=org, integration=integration, kind=kind, key_id=as_key or key_id
            )
        except ConnextError as error:
            refused.add(type(error))
        else:
            opened.append(secret.get_secret_value())
    return sorted(opened), refused


def test_a_backup_from_before_yields_no_token_once_the_key_is_retired(stage, backup, folder):
    everything = sorted([*SECRETS.values(), "EAA-canary-revoked"])
    assert tried(backup, folder) == (everything, set())  # as long as the private half exists

    rotate(stage)
    assert stage.work() == ["done"]
    stage.do("delete from private.revocations")
    stage.do("select private.retire_key(%s)", sealing_key().fingerprint)
    assert destroy_private_half(folder, sealing_key().fingerprint)

    assert tried(backup, folder) == ([], {NotConfigured})
    # Nor by the key that replaced it, whatever the row is made to say.
    opened, refused = tried(backup, folder, as_key=next_key().fingerprint)
    assert opened == []
    assert all(issubclass(kind, SealBroken) for kind in refused)
    # What is in use is untouched.
    assert keys_in_use(stage) == {next_key().fingerprint}
    assert tried(stage.url, folder) == (sorted(SECRETS.values()), set())


def test_the_superuser_opens_nothing_with_what_the_database_holds(stage):
    for row in stage.do("select sealed from private.sealed_tokens"):
        with pytest.raises(psycopg.Error):
            stage.do(
                "select extensions.pgp_pub_decrypt_bytea(%s, k.public_key)"
                " from private.sealing_keys as k",
                row["sealed"],
            )
