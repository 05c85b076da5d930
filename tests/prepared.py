"""What takes seconds to make and never changes: made by the first process that wants it, then copied.

Keys, and the data folders of a stopped stack and of a stopped cluster with every migration. Tests of
the making itself do not come here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cli.keymaking import SealingKey, make_key, read_private_half, write_private_half
from tests.database import TestCluster
from tests.servers import VARIABLE
from tests.stacks import PROCESSES, LocalStack

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = "CONNEXT_TEST_PREPARED"  # the folder that all processes of this run share


def share(folder: Path) -> None:
    """Keep what is prepared below this folder, from now on and in every child."""
    os.environ[SHARED] = str(folder)


def _once(name: str, make: Callable[[Path], object]) -> Path:
    """Let exactly one process make a folder; the others wait for it."""
    shared = Path(os.environ[SHARED])
    shared.mkdir(parents=True, exist_ok=True)
    made = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "complete").exists():
            shutil.rmtree(made, ignore_errors=True)  # left by one who did not come to the end
            made.mkdir(mode=0o755)
            make(made)
            (made / "complete").touch()
    return made


@cache
def key(name: str) -> SealingKey:
    """Return the sealing key of this name; making one takes seconds of processor time."""
    if SHARED not in os.environ:  # a bench, or a script
        return make_key()
    folder = _once(f"key-{name}", lambda made: write_private_half(made / "half", make_key()))
    (half,) = (folder / "half").glob("*.pgp")
    return read_private_half(half.parent, half.stem)


def stack_data(data: Path) -> Path:
    """Fill a data folder with the one of a stack that was started once and stopped."""
    _copy(_once("stack", _stack) / "data", data)
    return data


def cluster(folder: Path) -> tuple[TestCluster, str]:
    """Start a cluster in this folder; return it with the name of its database to copy from."""
    if os.environ.get(VARIABLE) not in {None, "", "embedded"}:  # a server whose files are not ours
        running = TestCluster(folder)
        running.start()
        return running, running.build_template()
    made = _once("cluster", _cluster)
    running = TestCluster(folder, password=(made / "password").read_text())
    _copy(made / "data" / "postgres", folder / "postgres")
    running.start()
    return running, (made / "template").read_text()


def _cluster(folder: Path) -> None:
    (folder / "data").mkdir()
    first = TestCluster(folder / "data")
    first.start()
    try:
        (folder / "template").write_text(first.build_template())
    finally:
        first.stop()
    (folder / "password").write_text(first.password)


def _copy(made: Path, wanted: Path) -> None:
    subprocess.run(["cp", "-a", str(made), str(wanted)], check=True)  # owners stay as they are


def _stack(folder: Path) -> None:
    stack = LocalStack(folder / "data", PROCESSES)
    done = stack.up()
    assert done.returncode == 0, done.stderr
    ended = stack.down()
    assert ended.returncode == 0, ended.stderr
