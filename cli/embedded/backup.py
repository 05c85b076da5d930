"""A physical backup of an embedded cluster, and a server on what was backed up.

What pg_basebackup does, which the packaged server does not bring: PostgreSQL documentation,
"Making a Base Backup Using the Low Level API".
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from cli.embedded import process
from cli.embedded.cluster import Cluster
from cli.embedded.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECOVERY_SECONDS = 60.0
# What the documentation says to leave out; of the log's files those come that exist at the end.
LEFT_OUT = shutil.ignore_patterns("pg_wal", "postmaster.*", "pgsql_tmp*", "pg_internal.init*")


def back_up(source: Path, address: str, target: Path) -> None:
    """Copy the running cluster in *source* to *target*; *address* is its superuser's."""
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("select pg_backup_start('connext', true)")
        shutil.copytree(source, target, ignore=LEFT_OUT, copy_function=_copy)
        ended = db.execute("select labelfile from pg_backup_stop(false)").fetchone()
        shutil.copytree(source / "pg_wal", target / "pg_wal", copy_function=_copy)
    assert ended is not None, "the function returns a row"  # noqa: S101
    (target / "backup_label").write_text(ended[0])
    owner = source.stat()
    for path in (target, *target.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)
    target.chmod(0o700)


def _copy(source: str, target: str) -> str:
    """Copy a file unless it has gone meanwhile: the log repairs what was under way."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)
    return target


@contextmanager
def restored(place: Path, password: str, *, recover: bool = True) -> Iterator[Cluster]:
    """Serve a backup; by way of recovery it begins a timeline of its own, else nothing shows it."""
    if recover:
        owner = place.stat()
        signal = place / "recovery.signal"
        signal.touch()
        os.chown(signal, owner.st_uid, owner.st_gid)
        with (place / "postgresql.auto.conf").open("a") as settings:
            settings.write("restore_command = 'false'\n")
    copy = Cluster(place, place.with_name(f"{place.name}.log"), password, durable=False)
    copy.start()
    try:
        if not process.wait_until(lambda: _is_open(copy), RECOVERY_SECONDS):
            raise StackError(f"the backup in {place} did not recover: see {copy.log}")
        yield copy
    finally:
        copy.stop()


def _is_open(copy: Cluster) -> bool:
    with psycopg.connect(copy.address(), autocommit=True) as db:
        row = db.execute("select not pg_is_in_recovery()").fetchone()
    return row is not None and bool(row[0])
