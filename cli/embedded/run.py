"""Hold a stack in this process: in the foreground, or as the detached supervisor.

    python -m cli.embedded.run --data DIR [--port N] --report FD

is what `connext up --detach` starts; one JSON line goes to FD once it is known how it went.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.embedded.errors import StackError
from cli.embedded.folder import DataFolder
from cli.embedded.supervise import Interrupted, Supervisor, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

Phases = list[tuple[str, float]]


@dataclass(frozen=True)
class Started:
    """How a start went: what serves now, and how long each phase took."""

    state: dict[str, Any]
    phases: Phases
    was_running: bool = False


def hold(
    wanted: Wanted,
    *,
    tell: Callable[[str], None],
    serving: Callable[[Started], None],
) -> None:
    """Start the stack, report it, and stay until a signal; a running one is only reported."""
    folder = wanted.folder
    folder.create()
    handle = folder.lock()
    if handle is None:
        serving(Started(_running(folder), [], was_running=True))
        return
    supervisor = Supervisor(wanted, tell)
    try:
        state = supervisor.start()
        serving(Started(state, supervisor.phases))
        try:
            supervisor.run()
        finally:
            supervisor.stop()
    except Interrupted:
        raise StackError(f"{folder.path}: stopped before the stack was up") from None
    finally:
        os.close(handle)


def _running(folder: DataFolder) -> dict[str, Any]:
    state = folder.state()
    if folder.supervisor() is None or state.get("state") != "running":
        raise StackError(
            f"another process is starting or stopping the stack in {folder.path}: try again"
        )
    return state


def detach(wanted: Wanted) -> Started:
    """Start a supervisor of its own session and return once everything serves."""
    folder = wanted.folder
    folder.create()
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "cli.embedded.run", "--data", str(folder.path)]
    command += ["--report", str(writing)]
    command += [] if wanted.port is None else ["--port", str(wanted.port)]
    command += [f"--without={name}" for name in sorted(wanted.without)]
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, os.environ.get("PYTHONPATH", "")]
    with (folder.logs / "supervisor.log").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603  # our own argument list, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            pass_fds=[writing],
            start_new_session=True,
        )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.readline()
    # It is not ours to wait for: it goes on after us. Nobody may call it a leak.
    child.returncode = 0 if child.poll() is None else child.returncode
    if not said:
        raise StackError(f"the supervisor ended at once: see {folder.logs / 'supervisor.log'}")
    answer = json.loads(said)
    if "error" in answer:
        raise StackError(answer["error"])
    phases = [(name, seconds) for name, seconds in answer["phases"]]
    return Started(answer["state"], phases, was_running=answer["was_running"])


def main() -> int:
    """Be the detached supervisor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--report", type=int, required=True)
    given = parser.parse_args()
    wanted = Wanted(DataFolder(given.data), given.port, frozenset(given.without))
    os.set_inheritable(given.report, False)
    pipe = os.fdopen(given.report, "w")

    def report(**answer: Any) -> None:  # noqa: ANN401  # whatever JSON can say
        if not pipe.closed:
            with pipe:
                pipe.write(json.dumps(answer) + "\n")

    def tell(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def serving(started: Started) -> None:
        report(state=started.state, phases=started.phases, was_running=started.was_running)

    try:
        hold(wanted, tell=tell, serving=serving)
    except StackError as problem:
        tell(str(problem))
        report(error=str(problem))
        return 1
    except BaseException as bug:
        report(error=f"{type(bug).__name__} while starting: see logs/supervisor.log")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
