"""Start a stack in order, keep its processes alive, and stop it in the opposite order.

Everything happens in the main thread: on Linux a child is told of its parent's death when the
*thread* that started it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cli.embedded import packages, process, project, supabase
from cli.embedded.children import (
    PREPARATIONS,
    Child,
    Plan,
    api,
    check_names,
    children,
    environment,
)
from cli.embedded.cluster import SUPERUSER, Cluster
from cli.embedded.errors import StackError
from cli.embedded.folder import RUNNING, STARTING, STOPPED, DataFolder
from cli.embedded.ports import HOST, Reservations
from cli.embedded.sealing import KeyMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

PREFERRED = {"api": 54321, "database": 54322, "receiver": 54331, "sandbox": 54332}
EPHEMERAL = (
    *("health_receiver", "health_meta", "health_telnyx"),
    *("health_stripe", "health_privacy"),
)
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
TICK_SECONDS = 0.2
# A child that lived this long has started well: its next crash is answered at once.
STEADY_SECONDS = 30.0
PAUSE_SECONDS = (0.25, 10.0)
CRASHES_WHILE_STARTING = 3


@dataclass
class Running:
    """One supervised child and its history."""

    child: Child
    handle: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    crashes: int = 0
    again_at: float | None = None


@dataclass(frozen=True)
class Wanted:
    """What was asked of `connext up`."""

    folder: DataFolder
    port: int | None = None
    without: frozenset[str] = frozenset()


class Interrupted(Exception):
    """A signal asked for the end while the stack was still starting."""


class Supervisor:
    """The owner of one data folder while its stack runs."""

    def __init__(self, wanted: Wanted, tell: Callable[[str], None]) -> None:
        self.folder = wanted.folder
        self.port = wanted.port
        self.without = wanted.without
        self.tell = tell
        self.phases: list[tuple[str, float]] = []
        self.plan: Plan
        self.cluster: Cluster
        self._keys: KeyMaker | None = None
        self._ports = Reservations()
        self._children: list[Running] = []
        self._asked_to_stop = False

    # Starting --------------------------------------------------------------------------------

    def start(self) -> dict[str, Any]:
        """Bring everything up; on any failure nothing is left running."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

        return self._say(RUNNING)

    def _start(self) -> None:
        check_names(self.without)
        with self._phase("packages"):
            packages.require_modules()
            packages.node()
        with self._phase("leftovers"):
            self.folder.end_leftovers()
        self.plan = self._decide()
        password = self.plan.secrets["passwords"][SUPERUSER]
        log = self.folder.logs / "postgres.log"
        self.cluster = Cluster(self.folder.path / "postgres", log, password)
        self._keys = KeyMaker(self.plan, environment())
        with self._phase("create cluster"):
            self.cluster.create()
        with self._phase("start PostgreSQL"):
            self.cluster.start(self.plan.ports["database"])
            self._say(STARTING)
        with self._phase("roles and schemas"):
            self._bootstrap()
        with self._phase("Auth, REST, Storage"):
            self._launch(api(self.plan))
            self._await_children()
        with self._phase("migrations"):
            self._migrate()
        with self._phase("sealing key"):
            self._keys.finish()
        for name, prepare in PREPARATIONS:
            with self._phase(name):
                prepare(self.plan)
        with self._phase("sandbox, receiver, workers"):
            for child in children(self.plan, self.without):
                self._launch(child)
            self._await_children()

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        if self._asked_to_stop:
            raise Interrupted
        begun = time.monotonic()
        yield
        seconds = time.monotonic() - begun
        self.phases.append((name, seconds))
        self.tell(f"{name}: {seconds:.2f} s")

    def _decide(self) -> Plan:
        config = tomllib.loads((packages.REPOSITORY / "supabase" / "config.toml").read_text())
        site = str(config.get("auth", {}).get("site_url", "http://127.0.0.1:3000"))
        return Plan(self.folder, self._choose_ports(), self.folder.secrets(), site)

    def _choose_ports(self) -> dict[str, int]:
        """Choose the ports of last time, else the usual ones, else any that are free."""
        before = self.folder.state().get("ports", {})
        ports: dict[str, int] = {}
        if self.port is not None:
            if not self._ports.take(self.port):
                raise StackError(
                    f"port {self.port} is taken: end what listens on {HOST}:{self.port},"
                    " or choose another with --port"
                )
            ports["api"] = self.port
        for name, preferred in PREFERRED.items():
            if name in ports:
                continue
            wanted = [before.get(name, preferred), preferred]
            found = next((port for port in wanted if self._ports.take(port)), None)
            ports[name] = found or self._ports.take_any()
            if found != wanted[0]:
                self.tell(f"port {wanted[0]} is taken: {name} uses {ports[name]}")
        return ports | {name: self._ports.take_any() for name in EPHEMERAL}

    def _bootstrap(self) -> None:
        admin = self.plan.database(SUPERUSER)
        project.bootstrap(admin)
        project.open_logins(admin, {"postgres": self.plan.secrets["passwords"]["postgres"]})

    def _migrate(self) -> None:
        home = self.folder.path / "supabase-cli"
        for name in supabase.push(self.plan.database("postgres"), home):
            self.tell(f"applied {name}")
        passwords = self.plan.secrets["passwords"]
        # A stack that is older than a role has no password for it, and gives it no login.
        roles = {role: passwords[role] for role in project.LOGIN_ROLES if role in passwords}
        project.open_logins(self.plan.database(SUPERUSER), roles)

    # Children --------------------------------------------------------------------------------

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        with (self.folder.logs / f"{child.name}.log").open("ab") as log:
            return process.spawn(
                child.command, log=log, env=child.environment, cwd=packages.REPOSITORY
            )

    def _launch(self, child: Child) -> None:
        self._children.append(Running(child, self._spawn(child)))

    def _await_children(self) -> None:
        """Wait until every child serves; one that keeps ending is a failed start."""
        deadline = time.monotonic() + READY_SECONDS
        waiting = list(self._children)
        while waiting:
            if self._asked_to_stop:
                raise Interrupted
            self._revive()
            for running in waiting:
                log = self.folder.logs / f"{running.child.name}.log"
                if running.crashes >= CRASHES_WHILE_STARTING:
                    raise StackError(f"{running.child.name} does not start: {last_words(log)}")
                if time.monotonic() > deadline:
                    raise StackError(f"{running.child.name} is not ready: see {log}")
            waiting = [running for running in waiting if not running.child.is_ready()]
            if waiting:
                time.sleep(0.03)

    def _revive(self) -> None:
        """Start again what has ended, after a pause that grows with every crash in a row."""
        now = time.monotonic()
        for running in self._children:
            if running.again_at is not None:
                if now >= running.again_at:
                    running.again_at, running.started = None, now
                    running.handle = self._spawn(running.child)
                continue
            code = running.handle.poll()
            if code is None:
                continue
            steady = now - running.started > STEADY_SECONDS
            running.crashes = 1 if steady else running.crashes + 1
            first, most = PAUSE_SECONDS
            running.again_at = now + min(first * 2.0 ** (running.crashes - 1), most)
            self.tell(f"{running.child.name} ended with code {code}; it is started again")

    def _processes(self) -> dict[str, str]:
        pids = {running.child.name: running.handle.pid for running in self._children}
        pids["supervisor"] = os.getpid()
        if self.cluster.pid is not None:
            pids["postgres"] = self.cluster.pid
        names = {name: process.identity(pid) for name, pid in pids.items()}
        return {name: who for name, who in names.items() if who is not None}

    def _say(self, state: str) -> dict[str, Any]:
        processes = self._processes()
        supervisor = processes.pop("supervisor")
        said = self.plan.status(state, processes) | {"supervisor": supervisor}
        said["pids"] = {"supervisor": os.getpid(), **said["pids"]}
        self.folder.write_state(said)
        return said

    # Running and stopping --------------------------------------------------------------------

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def run(self) -> None:
        """Keep everything alive until a signal asks for the end."""
        known = self._processes()
        while not self._asked_to_stop:
            time.sleep(TICK_SECONDS)
            if self.cluster.pid is None:
                self.tell("PostgreSQL ended; it is started again")
                self.cluster.start(self.plan.ports["database"])
            self._revive()
            if (now := self._processes()) != known:
                known = now
                self._say(RUNNING)

    def stop(self) -> None:
        """End the children, newest first, then the database; say that all is stopped."""
        living = [running for running in self._children if running.handle.poll() is None]
        # The API goes last of them: the others may be finishing a call to it.
        for running in reversed(living):
            with suppress(ProcessLookupError):
                running.handle.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for running in reversed(living):
            try:
                running.handle.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                running.handle.kill()
                running.handle.wait()
        self._children.clear()
        if self._keys is not None:
            self._keys.stop()
        if hasattr(self, "cluster"):
            self.cluster.stop()
        self._ports.release()
        if hasattr(self, "plan"):
            said = self.plan.status(STOPPED, {})
            self.folder.write_state(said)


def last_words(log: Path) -> str:
    """Quote the last line of a log."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"see {log}"
    return f"{lines[-1][:300]} (see {log})" if lines else f"see {log}"
