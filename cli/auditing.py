"""Sealing the audit into signed epochs, exporting it, and verifying that without a database."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli import signing
from cli.database import connect, database_url
from cli.errors import Failed
from workers.core import merkle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENT = (
    "v.id, (extract(epoch from v.at) * 1000000)::bigint as at_us, v.org_id::text, v.actor, v.kind,"
    " v.details, v.subject::text, v.xid::text::bigint as xid"
)


def seal(data: Path | None, anchor: str | None) -> list[dict[str, Any]]:
    """Seal everything behind the horizon into one epoch, and write outside what is not there.

    The same as the worker does, with the operator's rights: both may run at once.
    """
    from workers.main import seal_audit

    return seal_audit(database_url(data), signing.signer(data), anchor)


def anchor(data: Path | None, place: Path, *, dry_run: bool = False) -> int:
    """Append the epochs that the anchor lacks, in order; answer how many."""
    known = _epochs_in(place)
    with connect(data) as db:
        rows = db.rows(
            "select e.n, e.body, e.signature, k.public_key from audit.epochs as e"
            " join audit.signing_keys as k on k.key_id = e.key_id order by e.n"
        )
    missing = [row for row in rows if row["n"] not in known]
    if missing and not dry_run:
        _append(place, missing)
    return len(missing)


def _append(place: Path, rows: list[dict[str, Any]]) -> None:
    """Write epochs as the worker does, a line each; Failed when the file cannot be written."""
    from workers.core.signing import wrapped

    lines = [
        wrapped(
            bytes(row["body"]),
            signature=bytes(row["signature"]),
            public=bytes(row["public_key"]),
        )
        for row in rows
    ]
    try:
        with place.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Failed(f"{place} cannot be written: {error.strerror}; name another file") from error


def _epochs_in(place: Path) -> set[int]:
    """Read which epochs an anchor has; a file that is not there has none."""
    if not place.exists():
        return set()
    try:
        lines = [json.loads(line) for line in place.read_text().splitlines() if line.strip()]
        return {int(json.loads(line["body"])["n"]) for line in lines}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed(f"{place} is no anchor: {type(error).__name__}; name another file") from error


def export(data: Path | None, out: Path) -> int:
    """Write epochs and events as JSON lines, in the order of verifying; answer how many events."""
    import psycopg
    from psycopg.rows import dict_row

    count = 0
    with (
        psycopg.connect(database_url(data), row_factory=dict_row) as db,
        out.open("w") as file,
    ):
        db.execute("set transaction isolation level repeatable read")
        for epoch in db.execute(
            "select e.body, e.signature, e.key_id, e.purged_at is not null as purged, k.public_key"
            " from audit.epochs as e"
            " left join audit.signing_keys as k on e.key_id = k.key_id order by e.n"
        ):
            line = {
                "epoch": {
                    "body": bytes(epoch["body"]).decode(),
                    "signature": bytes(epoch["signature"]).hex(),
                    "public_key": bytes(epoch["public_key"] or b"").hex(),
                    "key_id": epoch["key_id"],
                },
                "purged": epoch["purged"],
            }
            file.write(json.dumps(line) + "\n")
        for receipt in db.execute(
            "select r.org_id::text, r.n, r.kind, r.reference::text,"
            " encode(r.digest, 'hex') as digest,"
            " encode(r.prev, 'hex') as prev, encode(r.hash, 'hex') as hash"
            " from audit.receipts as r order by r.org_id, r.n"
        ):
            file.write(json.dumps({"receipt": receipt}) + "\n")
        with db.cursor(name="events") as cursor:
            cursor.itersize = 10_000
            cursor.execute(f"select {EVENT} from audit.events as v order by v.id")  # noqa: S608 - our own text
            for event in cursor:
                file.write(json.dumps({"event": event}, ensure_ascii=False) + "\n")
                count += 1
    return count


@dataclass(slots=True)
class Findings:
    """What verifying found: how much is proven, and everything that is wrong."""

    epochs: int = 0
    events: int = 0
    unsealed: int = 0
    receipts: int = 0
    wrong: list[str] = field(default_factory=list)


def verify(export_file: Path, *, anchor: Path | None, expected: str | None) -> Findings:
    """Verify an export offline: signatures, chain, every root, receipts, and the anchors."""
    found = Findings()
    epochs: list[dict[str, Any]] = []
    heads: dict[str, tuple[int, str]] = {}
    trees: list[merkle.Tree] = []
    purged: list[bool] = []
    for line in _lines(export_file):
        if "epoch" in line:
            _epoch(line, epochs, found, expected)
            trees.append(merkle.Tree())
            purged.append(bool(line.get("purged")))
        elif "receipt" in line:
            _receipt(line["receipt"], heads, found)
        elif "event" in line:
            _event(line["event"], epochs, trees, found)
        else:
            found.wrong.append("a line that is neither epoch, receipt nor event")
    for said, tree, gone in zip(epochs, trees, purged, strict=True):
        if gone and tree.size == 0:
            continue
        if (tree.size, tree.root.hex()) != (said["events"], said["root"]):
            found.wrong.append(
                f"epoch {said['n']}: {tree.size} events where {said['events']} were sealed,"
                " or another one"
            )
    found.epochs = len(epochs)
    if anchor is not None:
        _anchors(anchor, epochs, found, expected)
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open() as file:
            for line in file:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise Failed(f"{path} cannot be read: {type(error).__name__}") from error


def _epoch(
    line: dict[str, Any], epochs: list[dict[str, Any]], found: Findings, expected: str | None
) -> None:
    """Check one epoch's signature and its place in the chain."""
    number = len(epochs) + 1
    try:
        said = signing.verified(line["epoch"], expected=expected)
    except Failed as error:
        found.wrong.append(f"epoch {number}: {error}")
        said = json.loads(line["epoch"]["body"])
    previous = merkle.epoch_hash(merkle.canonical(epochs[-1])) if epochs else merkle.FIRST
    start = epochs[-1]["to_xid"] if epochs else 0
    if said["n"] != number or said["prev"] != previous.hex() or said["from_xid"] != start:
        found.wrong.append(f"epoch {number}: it does not follow the one before")
    epochs.append(said)


def _event(
    event: dict[str, Any], epochs: list[dict[str, Any]], trees: list[merkle.Tree], found: Findings
) -> None:
    """Put one event into the tree of its epoch."""
    import bisect

    found.events += 1
    place = bisect.bisect_right(epochs, event["xid"], key=lambda said: int(said["to_xid"]))
    if place == len(epochs):
        found.unsealed += 1
    else:
        trees[place].add(merkle.leaf(event))


def _receipt(receipt: dict[str, Any], heads: dict[str, tuple[int, str]], found: Findings) -> None:
    """Check that a receipt follows the one before it of its organization, and is its own hash."""
    from hashlib import sha256
    from uuid import UUID

    found.receipts += 1
    org = receipt["org_id"]
    last, head = heads.get(org, (0, merkle.FIRST.hex()))
    digest = bytes.fromhex(receipt["digest"])
    made = sha256(
        b"\x03" + UUID(org).bytes + int(receipt["n"]).to_bytes(8) + UUID(receipt["reference"]).bytes
        + bytes.fromhex(receipt["prev"]) + len(digest).to_bytes(4) + digest
        + receipt["kind"].encode()
    ).hexdigest()  # fmt: skip
    if receipt["n"] != last + 1 or receipt["prev"] != head or receipt["hash"] != made:
        found.wrong.append(f"receipt {receipt['n']} of organization {org} breaks its chain")
    heads[org] = (receipt["n"], receipt["hash"])


def _anchors(
    anchor: Path, epochs: list[dict[str, Any]], found: Findings, expected: str | None
) -> None:
    """Compare with what was written outside: rewriting history or rolling it back shows here."""
    for line in _lines(anchor):
        try:
            said = signing.verified(line, expected=expected)
        except Failed as error:
            found.wrong.append(f"anchor: {error}")
            continue
        if said["n"] > len(epochs):
            found.wrong.append(
                f"epoch {said['n']} was anchored and is gone: the database was rolled back"
            )
        elif epochs[said["n"] - 1] != said:
            found.wrong.append(f"epoch {said['n']} is not the one that was anchored: rewritten")
