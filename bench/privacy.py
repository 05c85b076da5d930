"""What erasure, export, sweep and audit cost, beside the barest SQL that moves the same rows."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import psycopg
from isal import isal_zlib
from psycopg.conninfo import conninfo_to_dict

from bench import results
from bench.cluster import durable_cluster
from cli import auditing, export_zip, signing
from cli.erasing import plan
from tests.database import as_user
from tests.world import make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from psycopg.abc import Buffer

    from tests.database import TestCluster
    from tests.world import Org, World

ROWS, EVENTS, ROUNDS = 500_000, 1_000_000, 3
BLOCK = 1 << 18
EXPORT_GOAL, ERASURE_GOAL, SWEEP_LIMIT, VERIFY_LIMIT, MEMORY_LIMIT = 0.5, 0.5, 30, 20, 150
OTHERS_GOAL, LOOKS, PAUSE = 1.5, 2_000, 0.002  # times as slow; reads before; seconds between reads

FILL = """
    insert into public.messages (
        org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin
    )
    select %s, 'meta', %s, %s, 'inbound', 'received', 'Message number ' || n || ' of somebody',
        'bench_' || n, 'webhook'
    from generate_series(1, %s) as n
"""
MAKE = """
import cryptography.hazmat.primitives.ciphers.aead, isal, psycopg  # the baseline has them as well
import resource, sys
from pathlib import Path
from uuid import UUID
from cli.exporting import Wanted, build
import time
begun = time.perf_counter()
made = build(Wanted(None, UUID(sys.argv[1]), UUID(sys.argv[2]), portable=False), Path(sys.argv[3]))
print(sum(made["rows"].values()), time.perf_counter() - begun,
      max(resource.getrusage(who).ru_maxrss
          for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024)
"""
ERASE = """
import resource, sys, time
from uuid import UUID
from cli.erasing import Run, carry_out
begun = time.perf_counter()
carry_out(Run(None, UUID(sys.argv[1]), UUID(sys.argv[2])), sys.argv[3])
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
DELETE = """
import os, sys
import psycopg
with psycopg.connect(os.environ["CONNEXT_DATABASE_URL"], autocommit=True) as db:
    while db.execute(sys.argv[1], sys.argv[2:]).rowcount:
        pass
"""
BARE = """
    delete from public.messages as m where m.ctid = any (array(
        select s.ctid from public.messages as s where s.org_id = %s limit 5000
    ))
"""
PAGE = """
    select m.id, m.body from public.messages as m
    where m.conversation_id = %s order by m.occurred_at desc limit 50
"""


def run(*, quick: bool) -> list[results.Row]:
    """Measure an organization of 500,000 messages, or a tenth of it."""
    rows, events = (ROWS // 10, EVENTS // 10) if quick else (ROWS, EVENTS)
    with durable_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ[signing.VARIABLE] = str(place / "signing.pem")
        signing.make(place / "signing.pem")
        url = cluster.url(cluster.create(cluster.build_template(), "bench"))
        os.environ["CONNEXT_DATABASE_URL"] = url
        with psycopg.connect(url) as db:
            world = make_world(db)
            ours = world.ours
            db.execute(FILL, [ours.id, ours.channel, ours.conversation, rows])
        return [
            *_export(url, ours, place),
            _sweep(url, ours),
            *_erasure(cluster, url, world, rows),
            _verify(url, place, events),
        ]


def _granted(url: str, org: UUID, kind: str) -> UUID:
    with psycopg.connect(url) as db:
        made = _one(
            db,
            "select id from privacy.open_for(%s, %s, 'organization', null, null, null, null,"
            " 'email', 'self', now(), null)",
            org,
            kind,
        )
        db.execute("select privacy.verify_request(%s, %s, 'session', null)", [org, made])
        db.execute("select privacy.decide_request(%s, %s, true, 'bench', null, null)", [org, made])
    return UUID(str(made))


def _one(db: psycopg.Connection[Any], query: Any, *values: object) -> Any:  # noqa: ANN401
    row = db.execute(query, values).fetchone()
    assert row is not None
    return row[0]


def _export(url: str, ours: Org, place: Path) -> list[results.Row]:
    """Export beside COPY of the same rows: into a file as it comes, and into the same archive.

    An export writes each row twice, as JSON and as CSV. All three take turns, and the median of
    the rounds' ratios counts: who reads rows first that were written a moment ago also notes in
    them that they are committed.
    """
    rounds = [_round(url, ours, place) for _ in range(ROUNDS)]
    pace = statistics.median(one.export for one in rounds)
    packed = statistics.median(one.export / one.packed for one in rounds)
    bare = statistics.median(one.export / one.bare for one in rounds)
    return [
        results.at_least("export, to the same archive", pace, pace / packed, EXPORT_GOAL, "rows/s"),
        results.at_least("export, to a bare file", pace, pace / bare, EXPORT_GOAL, "rows/s"),
        results.below("export, memory", max(one.memory for one in rounds), MEMORY_LIMIT, "MB"),
    ]


class _Round(NamedTuple):
    """One turn of all three, in rows per second, and the most memory of the export in MB."""

    bare: float
    packed: float
    export: float
    memory: float


def _round(url: str, ours: Org, place: Path) -> _Round:
    bare, packed = _copied(url, ours, place / "bare.csv"), _packed(url, ours, place / "bare.zip")
    request = _granted(url, ours.id, "access")
    words = [sys.executable, "-c", MAKE, str(ours.id), str(request), str(place / "export.zip")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows, seconds, memory = (float(word) for word in done.stdout.split())
    (place / "export.zip").unlink()
    with psycopg.connect(url) as db:
        db.execute("select privacy.close_request(%s, %s, 'completed', 'bench')", [ours.id, request])
    return _Round(bare, packed, rows / seconds, memory)


def _copied(url: str, ours: Org, out: Path) -> float:
    """COPY the messages into a file, as text; return rows per second."""
    begun = time.perf_counter()
    with psycopg.connect(url) as db, db.cursor() as cursor, out.open("wb") as file:
        with cursor.copy(_messages(ours)) as copy:
            for piece in copy:
                file.write(piece)
        return cursor.rowcount / (time.perf_counter() - begun)


def _packed(url: str, ours: Org, out: Path) -> float:
    """COPY the messages into the archive that an export is, deflated and digested as it is."""
    begun = time.perf_counter()
    with (
        psycopg.connect(url) as db,
        db.cursor() as cursor,
        out.open("wb") as raw,
        export_zip.Archive(raw) as archive,
    ):
        digest = export_zip.Digest()
        with cursor.copy(_messages(ours)) as copy:
            archive.put("messages.csv", _deflated(copy, digest), known=digest)
        return cursor.rowcount / (time.perf_counter() - begun)


def _deflated(pieces: Iterable[Buffer], digest: export_zip.Digest) -> Iterator[bytes]:
    """Deflate in big blocks, each digested."""
    deflate, waiting = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15), bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) > BLOCK:
            digest.update(bytes(waiting))
            yield deflate.compress(waiting)
            waiting.clear()
    digest.update(bytes(waiting))
    yield deflate.compress(waiting) + deflate.flush(isal_zlib.Z_FULL_FLUSH)


def _messages(ours: Org) -> bytes:
    return f"copy (select * from public.messages where org_id = '{ours.id}') to stdout".encode()  # noqa: S608 - our own id


def _sweep(url: str, ours: Org) -> results.Row:
    """Sweep for a person in an organization of that many rows; scaled to a million."""
    with psycopg.connect(url) as db:
        total = _one(db, "select count(*) from public.messages where org_id = %s", ours.id)
        begun = time.perf_counter()
        db.execute(
            "select * from privacy.sweep(%s, 'contact', false, %s)",
            [ours.id, ["nobody@example.com", "+15145550199", "psid-77", "No Body"]],
        )
        seconds = time.perf_counter() - begun
    return results.below("sweep of 1 M rows", seconds * 1_000_000 / total, SWEEP_LIMIT, "s")


def _erasure(cluster: TestCluster, url: str, world: World, rows: int) -> list[results.Row]:
    """Erase the organization in one copy, and delete its messages by hand in others."""
    ours = world.ours
    name = str(conninfo_to_dict(url)["dbname"])
    bare_url, beside_url = (cluster.url(cluster.create(name, copy)) for copy in ("bare", "beside"))
    begun = time.perf_counter()
    with psycopg.connect(bare_url, autocommit=True) as db:
        while db.execute(BARE, [ours.id]).rowcount:
            pass
    bare = rows / (time.perf_counter() - begun)
    beside = _beside(beside_url, world, [DELETE, BARE, str(ours.id)])[0]
    request = _granted(url, ours.id, "deletion")
    with psycopg.connect(url) as db:  # as the workers would: nothing is left to revoke
        db.execute("delete from private.revocations")
        db.execute("delete from private.sealed_tokens")
    quiet = _reading(url, world.theirs, lambda looks: looks < LOOKS)
    made = plan(None, ours.id, request)
    words = [ERASE, str(ours.id), str(made["id"]), made["plan_sha256"]]
    busy, out = _beside(url, world, words)
    seconds, memory = (float(word) for word in out.split())
    return [
        results.at_least("erasure with all of it", rows / seconds, bare, ERASURE_GOAL, "rows/s"),
        results.at_most("others' reads during an erasure, p99", busy, quiet, OTHERS_GOAL, "ms"),
        # What the machine gives beside anything that deletes as many rows.
        results.Row(
            "others' reads beside the bare DELETE, p99", beside, "ms", "to compare", True,
            quiet, beside / quiet,
        ),
        results.below("erasure, memory", memory, MEMORY_LIMIT, "MB"),
    ]  # fmt: skip


def _beside(url: str, world: World, words: list[str]) -> tuple[float, str]:
    """Read as somebody else while a script works on the database; return p99 and what it said."""
    with subprocess.Popen(
        [sys.executable, "-c", *words], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"CONNEXT_DATABASE_URL": url},
    ) as working:  # fmt: skip
        found = _reading(url, world.theirs, lambda _: working.poll() is None)
        out, _ = working.communicate()
    if working.returncode:
        raise subprocess.CalledProcessError(working.returncode, words[0])
    return found, out


def _reading(url: str, org: Org, more: Callable[[int], bool]) -> float:
    """Read pages of another organization as its owner; return the 99th percentile in ms.

    Each is a request as the Data API makes it, a transaction of its own: a lock that an erasure
    takes is felt, and none is held against it.
    """
    times: list[float] = []
    with psycopg.connect(url, autocommit=True) as db:
        while more(len(times)):
            begun = time.perf_counter()
            with db.transaction():
                as_user(db, org.people["owner"], org.id)
                db.execute(PAGE, [org.conversation]).fetchall()
            times.append(1000 * (time.perf_counter() - begun))
            time.sleep(PAUSE)
    return sorted(times)[int(0.99 * len(times))]


def _verify(url: str, place: Path, events: int) -> results.Row:
    with psycopg.connect(url) as db:
        db.execute(
            "insert into audit.events (actor, kind, details) select 'bench', 'bench.done',"
            ' \'{"word": "done"}\' from generate_series(1, %s)',
            [events],
        )
    auditing.seal(None, None)
    auditing.export(None, place / "audit.jsonl")
    begun = time.perf_counter()
    found = auditing.verify(place / "audit.jsonl", anchor=None, expected=None)
    seconds = time.perf_counter() - begun
    assert not found.wrong
    assert found.events >= events
    return results.below(
        "verify 1 M audit events", seconds * EVENTS / found.events, VERIFY_LIMIT, "s"
    )
