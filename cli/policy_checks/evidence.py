"""Keeping what a verification saw: files with a manifest, and a row for the page to tell of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from cli import signing
from cli.database import connect
from cli.errors import Failed
from cli.main import DISTRIBUTION
from cli.policy_checks.erasure import known_signer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli.policy_checks.place import Place
    from cli.policy_checks.verify import Proof
    from workers.services.policy import Claims

MANIFEST = "manifest.json"


def code_version() -> str:
    """Return the version of what is installed here."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def digest(proofs: Sequence[Proof]) -> str:
    """Hash the results with their evidence, in canonical JSON."""
    return sha256(signing.canonical([proof.as_row() for proof in proofs])).hexdigest()


def written(place: Place, page: Claims, proofs: Sequence[Proof], folder: Path) -> Path:
    """Write one file per claim and a manifest with their hashes, signed where a key is known."""
    signer = known_signer(place)
    hashes: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for proof in proofs:
            name = f"{proof.claim.id}.json"
            body = json.dumps(proof.as_row(), indent=1, ensure_ascii=False).encode()
            (folder / name).write_bytes(body)
            hashes[name] = sha256(body).hexdigest()
        manifest: dict[str, Any] = {
            "what": "connext policy verification",
            "policy_version": page.version,
            "code_version": code_version(),
            "database": place.value("select privacy.database_fingerprint()"),
            "ran_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "results": {proof.claim.id: proof.result for proof in proofs},
            "files": hashes,
        }
        document = (
            signing.sealed(signing.canonical(manifest), signer) if signer is not None else manifest
        )
        path = folder / MANIFEST
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise Failed(f"{folder} cannot be written: {error.strerror}") from error
    return path


def recorded(data: Path | None, page: Claims, proofs: Sequence[Proof]) -> None:
    """Keep the results, so that the page can tell when it was last verified."""
    results = {proof.claim.id: proof.result for proof in proofs}
    with connect(data) as db:
        db.run(
            "select privacy.record_verification(%s, %s, %s, %s)",
            page.version,
            code_version(),
            json.dumps(results),
            digest(proofs),
        )
