"""Hash trees over audit events: leaves, root, and the chain of epochs. Pure."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LEAF, NODE, EPOCH = b"\x00", b"\x01", b"\x02"
EMPTY = sha256(b"").digest()
FIRST = bytes(32)
# Made once: json.dumps makes one for every call, which takes longer than the hash.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: object) -> bytes:
    """Write JSON in the one form that is hashed: sorted keys, no spaces, UTF-8."""
    return _ENCODER.encode(value).encode()


def leaf(event: Mapping[str, Any]) -> bytes:
    """Hash one event: its id, microseconds, organization, actor, kind, details, and subject.

    One without a subject is hashed as events were before there were subjects.
    """
    said = [
        event["id"],
        event["at_us"],
        event["org_id"],
        event["actor"],
        event["kind"],
        event["details"],
    ]
    if event.get("subject") is not None:
        said.append(event["subject"])
    return sha256(LEAF + canonical(said)).digest()


class Tree:
    """The Merkle tree of RFC 6962, built leaf by leaf in memory of its height only."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []  # (leaves below, hash), larger ones first

    def add(self, leaf_hash: bytes) -> None:
        """Append a leaf."""
        self.size += 1
        below, top = 1, leaf_hash
        while self._peaks and self._peaks[-1][0] == below:
            _, left = self._peaks.pop()
            below, top = below * 2, sha256(NODE + left + top).digest()
        self._peaks.append((below, top))

    @property
    def root(self) -> bytes:
        """Return the hash of everything so far."""
        if not self._peaks:
            return EMPTY
        top = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            top = sha256(NODE + left + top).digest()
        return top


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaves in their order."""
    tree = Tree()
    for one in leaves:
        tree.add(one)
    return tree.root


def epoch_body(number: int, *, start: int, end: int, tree: Tree, previous: bytes) -> bytes:
    """Write what is signed of an epoch: its number, its range, its root, and the one before."""
    return canonical(
        {
            "n": number,
            "from_xid": start,
            "to_xid": end,
            "events": tree.size,
            "root": tree.root.hex(),
            "prev": previous.hex(),
        }
    )


def epoch_hash(body: bytes) -> bytes:
    """Hash the body of an epoch: what the next one is chained to."""
    return sha256(EPOCH + body).digest()
