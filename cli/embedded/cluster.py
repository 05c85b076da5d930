"""One PostgreSQL cluster in one folder: made, started, stopped, and started again after a crash."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from cli.embedded import packages, process
from cli.embedded.errors import StackError
from cli.embedded.ports import HOST, free_port

SUPERUSER = "supabase_admin"
START_SECONDS = 60.0
# linux/capability.h: read and search, or (where containers withhold that) every folder.
CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE = 2, 1

SCRAM_ITERATIONS = "1"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_level": "logical",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Rounds slow the guessing of words. These passwords are 96 random bits or more, and every
    # connection would pay for the rounds: 4,096 of them are two thirds of what connecting costs.
    "scram_iterations": SCRAM_ITERATIONS,
    "shared_preload_libraries": "pg_stat_statements",
    # An error's own text can hold a value ("invalid input syntax: ..."), its details the whole row,
    # its statement a token. Clients are told; the log keeps to the server's own life.
    "log_min_messages": "log",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "pg_stat_statements.track_utility": "off",
}
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def dsn(port: int, role: str, password: str, database: str = "postgres") -> str:
    """Write the address of a database for one role."""
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


def _capability() -> int | None:
    """Name the capability that a child may inherit to pass closed folders, if we hold one."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    held = int(lines.get("CapEff", "0"), 16) & int(lines.get("CapBnd", "0"), 16)
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if held >> capability & 1:
            return capability
    return None


def _closed_to(path: Path, uid: int, gid: int) -> Path | None:
    """Find the first folder on the way to path that this account may not pass."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            continue
        found = folder.stat()
        shift = 6 if found.st_uid == uid else 3 if found.st_gid == gid else 0
        if not found.st_mode >> shift & 1:
            return folder
    return None


def account_for(*paths: Path) -> process.Account | None:
    """Choose who runs PostgreSQL, which refuses root; None means whoever we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        break
    else:
        raise StackError("PostgreSQL refuses to run as root, and no account `nobody` exists")
    closed = next(filter(None, (_closed_to(p, entry.pw_uid, entry.pw_gid) for p in paths)), None)
    capability = _capability() if closed and sys.platform == "linux" else None
    if closed is not None and capability is None:
        raise StackError(
            f"the account `{name}`, which PostgreSQL needs under root, may not pass {closed}:"
            " use a folder that others may enter, or run as an ordinary user"
        )
    return process.Account(name, entry.pw_uid, entry.pw_gid, capability)


@dataclass
class Cluster:
    """A cluster in `folder`; `log` receives what the server says."""

    folder: Path
    log: Path
    password: str
    durable: bool = True
    port: int = 0
    _server: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """The postmaster's process, while it runs."""
        running = self._server is not None and self._server.poll() is None
        return self._server.pid if running and self._server else None

    def address(self, database: str = "postgres") -> str:
        """Write the superuser's address of a database."""
        return dsn(self.port, SUPERUSER, self.password, database)

    def create(self) -> bool:
        """Make the cluster unless it exists; an interrupted attempt is thrown away first."""
        if (self.folder / "complete").exists():
            return False
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, mode=0o700)
        home = packages.postgres_home()
        account = account_for(home, self.folder)
        secret = self.folder.with_name(f".{secrets.token_hex(8)}")
        try:
            secret.touch(mode=0o600)
            secret.write_text(self.password)
            if account is not None:
                os.chown(self.folder, account.uid, account.gid)
                os.chown(secret, account.uid, account.gid)
            self._initialize(home, account, secret)
        finally:
            secret.unlink(missing_ok=True)
        (self.folder / "complete").touch()
        return True

    def _initialize(self, home: Path, account: process.Account | None, secret: Path) -> None:
        command = [
            str(home / "bin" / "initdb"), f"--pgdata={self.folder}", f"--username={SUPERUSER}",
            f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            "--no-instructions", "--data-checksums",
            "--set", f"scram_iterations={SCRAM_ITERATIONS}",
        ]  # fmt: skip
        if not self.durable:
            command.append("--no-sync")
        with self.log.open("ab") as log:
            child = process.spawn(
                command, log=log, cwd=Path("/"), account=account, env=_environment(),
                death_signal=signal.SIGKILL,
            )  # fmt: skip
            if child.wait() != 0:
                raise StackError(f"initdb failed in {self.folder}: see {self.log}")

    def start(self, port: int | None = None) -> None:
        """Start the server and return when it answers; a crash before is recovered from."""
        if not (self.folder / "complete").exists():
            raise StackError(f"{self.folder} holds no complete cluster")
        self._clear_stale_lock()
        self.port = port or free_port()
        home = packages.postgres_home()
        settings = SETTINGS | ({} if self.durable else VOLATILE) | {"port": str(self.port)}
        command = [str(home / "bin" / "postgres"), "-D", str(self.folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._server = process.spawn(
                command, log=log, cwd=Path("/"), account=account_for(home, self.folder),
                env=_environment(), death_signal=signal.SIGINT,
            )  # fmt: skip
        if not process.wait_until(self._answers, START_SECONDS):
            self.stop()
            raise StackError(f"PostgreSQL did not become ready on port {self.port}: see {self.log}")

    def _clear_stale_lock(self) -> None:
        """End the postmaster of a supervisor that was killed, and forget one that is gone."""
        lock = self.folder / "postmaster.pid"
        if not lock.exists():
            return
        lines = lock.read_text().splitlines()
        pid = int(lines[0]) if lines and lines[0].isdigit() else 0
        name = process.identity(pid) if pid else None
        if name is not None and _serves(pid, self.folder):
            process.end(name, signal.SIGINT)
        lock.unlink(missing_ok=True)

    def _answers(self) -> bool:
        if self._server is not None and self._server.poll() is not None:
            raise StackError(f"PostgreSQL ended while starting: see {self.log}")
        try:
            psycopg.connect(self.address(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop the server in order: sessions are cut, data is flushed."""
        server, self._server = self._server, None
        if server is None:
            return
        for number, grace in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if server.poll() is None:
                server.send_signal(number)
            try:
                server.wait(grace)
            except subprocess.TimeoutExpired:
                continue
            return


def _serves(pid: int, folder: Path) -> bool:
    """Say whether this process is the server of that folder."""
    try:
        if process.HAS_PROC:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            return os.fsencode(folder) in words
    except OSError:
        return False
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return f"-D {folder}" in answer.stdout


def _environment() -> dict[str, str]:
    """Give the server nothing of ours: PG* variables would change what it does."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
