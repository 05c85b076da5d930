"""`python -m tests.planted_leaks [WORD]`: plant leaks one by one and say which proofs go red.

Every leak is planted in a transaction that is rolled back. A survivor is a defect of the proofs:
the command ends with 1.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from cli.embedded.cluster import SUPERUSER
from tests.database import TestCluster, url_as
from tests.full_world import make_full_world
from tests.leak import LEAKS, REWRITE, Leak
from tests.proofs import PROOFS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.world import World

HARMLESS = Leak("nothing at all", "select 1", ("public.messages", "public.notes"))


@contextmanager
def ground(url: str) -> Iterator[tuple[psycopg.Connection[Any], World]]:
    """Open the world as the operator, on a connection that can plant as the superuser."""
    with psycopg.connect(url_as(url, SUPERUSER)) as db:
        db.execute("set session authorization postgres")
        db.execute(
            "grant worker_meta, worker_telnyx, worker_stripe, worker_privacy, ingress to postgres"
        )
        db.execute(REWRITE)
        world = make_full_world(db)
        db.commit()
        yield db, world


def killers(
    db: psycopg.Connection[Any], world: World, leak: Leak, proofs: Iterable[str] = PROOFS
) -> dict[str, list[str]]:
    """Plant *leak*, run the proofs, undo; return what went red."""
    red: dict[str, list[str]] = {}
    with db.transaction(force_rollback=True):
        if leak.superuser:
            db.execute("reset session authorization")
        db.execute(leak.sql)
        db.execute("set session authorization postgres")
        for name in proofs:
            if found := PROOFS[name](db, world, leak.tables):
                red[name] = found
    return red


def score(db: psycopg.Connection[Any], world: World, word: str) -> int:
    """Print the table; return how many leaks survived."""
    if red := killers(db, world, HARMLESS):
        sys.stdout.write(f"the proofs are red without any leak: {red}\n")
        return 1
    planted = [leak for leak in LEAKS if word in leak.name]
    survivors = 0
    sys.stdout.write(f"{'leak':64} killed by\n")
    for leak in planted:
        started = time.monotonic()
        red = killers(db, world, leak)
        survivors += not red
        told = ", ".join(f"{name} {len(found)}" for name, found in red.items()) or "NOBODY"
        sys.stdout.write(f"{leak.name:64} {told}  ({time.monotonic() - started:.0f} s)\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(planted) - survivors} of {len(planted)} leaks were found\n")
    return survivors


def main() -> int:
    """Make a cluster with every migration, plant, and count."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cluster = TestCluster(Path(folder))
        cluster.start()
        try:
            url = cluster.url(cluster.create(cluster.build_template(), "leaks"))
            with ground(url) as (db, world):
                return int(score(db, world, " ".join(sys.argv[1:])) > 0)
        finally:
            cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
