"""A durable cluster of its own for measuring, migrated, thrown away afterwards."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.embedded import cluster as embedded
from tests.database import TestCluster

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED_BUFFERS = "512MB"


@contextmanager
def durable_cluster() -> Iterator[TestCluster]:
    """Run PostgreSQL with fsync on until the block ends."""
    embedded.SETTINGS |= {"shared_buffers": SHARED_BUFFERS, "max_wal_size": "4GB"}
    with tempfile.TemporaryDirectory(prefix="connext-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        running = TestCluster(Path(folder))
        running.cluster.durable = True
        running.start()
        try:
            yield running
        finally:
            running.stop()
