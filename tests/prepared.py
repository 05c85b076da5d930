"""What takes seconds to make and never changes: made by the first process that wants it, then copied.

Keys and a stopped stack's data folder. Tests of the making itself do not come here.
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
    copied = ["cp", "-a", f"{_once('stack', _stack)}/data", str(data)]  # owners stay as they are
    subprocess.run(copied, check=True)
    return data


def _stack(folder: Path) -> None:
    stack = LocalStack(folder / "data", PROCESSES)
    done = stack.up()
    assert done.returncode == 0, done.stderr
    ended = stack.down()
    assert ended.returncode == 0, ended.stderr
