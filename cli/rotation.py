"""Making the next sealing key, and following the workers while they seal every token to it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cli import keymaking
from cli.database import connect
from cli.errors import Failed, Usage
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from cli.database import Operator
    from cli.keymaking import SealingKey

FINGERPRINT = re.compile(r"[0-9A-F]{40}")
LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the workers are: tokens still to be sealed anew, jobs for it, and those that died."""

    left: int
    waiting: int
    died: int


def progress(db: Operator, *, since: datetime) -> Progress:
    """Count what is left, and the jobs that are at it; jobs count as died after *since*."""
    found = db.one(
        """
        select
            (
                select count(*)
                from private.sealed_tokens as t
                inner join private.sealing_keys as k on t.key_id = k.key_id and k.state <> 'active'
            ) as left,
            (select count(*) from queue.jobs as j where j.kind = j.queue || '.reseal') as waiting,
            (
                select count(*) from queue.dead_jobs as d
                where d.kind = d.queue || '.reseal' and d.died_at >= %s
            ) as died
        """,
        since,
    )
    assert found is not None, "an aggregate has a row"  # noqa: S101
    return Progress(**found)


def request(db: Operator) -> None:
    """Ask the workers of every organization that has something left; asking twice is harmless."""
    db.run("select private.request_reseal()")


def follow(data: Path | None, *, tokens: int, since: datetime, patience: float) -> None:
    """Wait until all *tokens* are sealed to the active key.

    Gives up with the reason when a job died, or when nothing moved for *patience* seconds.
    """
    with _bar(tokens) as bar:
        for seen in _looks(data, since=since, patience=patience):
            bar.update(tokens - seen.left)


def _looks(data: Path | None, *, since: datetime, patience: float) -> Iterator[Progress]:
    """Look until nothing is left, asking again for tokens that came in late."""
    lowest: int | None = None
    moved_at = time.monotonic()
    while True:
        with connect(data) as db:
            seen = progress(db, since=since)
            if seen.left and not seen.waiting and not seen.died:
                request(db)
        yield seen
        if not seen.left:
            return
        if seen.died and not seen.waiting:
            raise Failed(
                f"{seen.left} tokens could not be sealed anew: 'connext queue dead' says why; "
                "reconnect those integrations, then run 'connext keys rotate' again"
            )
        if lowest is None or seen.left < lowest:
            lowest, moved_at = seen.left, time.monotonic()
        if time.monotonic() - moved_at > patience:
            raise Failed(
                f"{seen.left} tokens are still sealed to an old key and nothing moves: are the "
                "workers running, and do they have both private halves? Both keys keep working; "
                "run 'connext keys rotate' again to go on"
            )
        time.sleep(LOOK_EVERY)


def prepare_key(place: Path) -> dict[str, Any]:
    """Make a key that the database does not know yet."""
    say("making a 3072-bit RSA key; this takes some seconds")
    key = keymaking.make_key()
    path = _written(place, key)
    say(f"copy {path} to the workers, then: connext keys rotate --use {key.fingerprint}")
    return {"key_id": key.fingerprint, "state": "prepared", "private_half": str(path)}


def rotate_to(data: Path | None, place: Path, use: str | None) -> dict[str, Any]:
    """Make the new key the active one; a key made for it goes when the database refuses."""
    if use is not None:
        if not FINGERPRINT.fullmatch(use.upper()):
            raise Usage("--use takes a fingerprint: 40 hexadecimal digits")
        key = keymaking.read_private_half(place, use.upper())
        return _put_in_force(data, key)
    say("making a 3072-bit RSA key; this takes some seconds")
    key = keymaking.make_key()
    path = _written(place, key)
    try:
        return _put_in_force(data, key)
    except BaseException:
        path.unlink()
        raise


def first_key(db: Operator, place: Path) -> dict[str, Any]:
    """Make a key and put each half where it belongs, or neither."""
    say("making a 3072-bit RSA key; this takes some seconds")
    key = keymaking.make_key()
    path = _written(place, key)
    try:
        db.run(
            "insert into private.sealing_keys (key_id, public_key) values (%s, %s)",
            key.fingerprint,
            key.public,
        )
        db.connection.commit()
    except BaseException:
        path.unlink()
        raise
    return {"key_id": key.fingerprint, "state": "active", "private_half": str(path)}


def _put_in_force(data: Path | None, key: SealingKey) -> dict[str, Any]:
    """Tell the database; the old key keeps opening what it sealed."""
    with connect(data) as db:
        row = db.one(
            """
            select private.rotate_key(%s, %s) as old, (
                select count(*) from private.sealed_tokens
            ) as tokens
            """,
            key.fingerprint,
            key.public,
        )
    assert row is not None, "the function returns a value"  # noqa: S101
    return {"key_id": key.fingerprint, "retiring": row["old"], "tokens": row["tokens"]}


def _written(place: Path, key: SealingKey) -> Path:
    """Write the private half, or say why that does not work."""
    try:
        return keymaking.write_private_half(place, key)
    except OSError as error:
        raise Failed(f"{place} cannot be written: {error.strerror}") from error


class _bar:  # noqa: N801 - read as a function: with _bar(total) as bar
    """A progress bar on stderr; without a terminal, one line at the end."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._total = total
        self._live = Progress(
            TextColumn("sealing anew"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._live.add_task("sealing anew", total=total)

    def __enter__(self) -> Self:
        if self._live.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._live.stop()
        if kind is None:
            say(f"sealed {self._total} tokens anew")

    def update(self, done: int) -> None:
        """Show how far it is; tokens that came in late do not push it below nothing."""
        self._live.update(self._task, completed=max(done, 0))
