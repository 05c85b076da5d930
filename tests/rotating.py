"""Two sealing keys and a stage whose worker reads their private halves from a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from cli.keymaking import SealingKey, write_private_half
from tests import prepared
from tests.messenger import Stage, sealing_key
from workers.core.sealing import Keyring, Opener

if TYPE_CHECKING:
    from pathlib import Path


def next_key() -> SealingKey:
    """The key that is rotated to."""
    return prepared.key("next")


def third_key() -> SealingKey:
    return prepared.key("third")


def rotating_stage(url: str, folder: Path) -> Stage:
    """A connected stage with both private halves in *folder*."""
    stage = Stage(url)
    for key in (sealing_key(), next_key()):
        write_private_half(folder, key)
    stage.opener = Opener(Keyring(SecretStr(str(folder))), clock=stage.clock)
    return stage


def rotate(stage: Stage, key: SealingKey | None = None) -> str:
    """Rotate as the console does; return the old key."""
    key = key or next_key()
    return stage.one("select private.rotate_key(%s, %s) as old", key.fingerprint, key.public)["old"]


def keys_in_use(stage: Stage) -> set[str]:
    return {row["key_id"] for row in stage.do("select key_id from private.sealed_tokens")}


def events(stage: Stage, kind: str) -> list[dict]:
    """The audit's events of a kind, oldest first."""
    return stage.do("select * from audit.events where kind = %s order by id", kind)
