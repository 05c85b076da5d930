"""Fixtures of every test: databases, the whole stack, a closed network, nothing left behind."""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # the plain `pytest` command does not put the root there
    sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402

from tests import prepared  # noqa: E402
from tests.stacks import PROCESSES, LocalStack, processes_in  # noqa: E402
from tests.turns import in_turn  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.database import TestCluster


MEMORY = Path("/dev/shm")  # noqa: S108  # Linux keeps files in memory there
ROOM = 4 * 1024**3  # bytes: several times what a run of four processes takes there


def pytest_configure() -> None:
    """Keep the databases of this run in memory: copying one makes a thousand files.

    On a disk that is five times the processor time, and a run makes hundreds of copies.
    Where memory has no room, or a person chose the place (`--basetemp`), nothing changes.
    """
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files for several processes; one alone takes them as they come."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = in_turn(items)


def pytest_collection_finish() -> None:
    """Keep the thousands of collected tests out of every later search for garbage."""
    gc.collect()
    gc.freeze()


def _is_local(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a unix socket
    host = str(address[0]).partition("%")[0]
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[None]:
    """Let tests reach this machine and nothing else."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)

        def guarded(self, address, _real=real):
            if not _is_local(address):
                raise AssertionError(f"a test tried to reach {address!r}")
            return _real(self, address)

        patch.setattr(socket.socket, name, guarded)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let all processes of this run share what is expensive to make."""
    base = tmp_path_factory.getbasetemp()
    prepared.share((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prepared")


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail the run when a process that works in its folders is still there."""
    yield
    assert processes_in(tmp_path_factory.getbasetemp()) == []


@pytest.fixture(scope="session")
def _migrated(
    _prepared: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestCluster, str]]:
    running, template = prepared.cluster(tmp_path_factory.mktemp("cluster"))
    yield running, template
    running.stop()


@pytest.fixture(scope="session")
def cluster(_migrated: tuple[TestCluster, str]) -> TestCluster:
    """The process's PostgreSQL, started by the first test that needs one."""
    return _migrated[0]


@pytest.fixture(scope="session")
def template(_migrated: tuple[TestCluster, str]) -> str:
    """Name of the database with every migration, to copy from and never to connect to."""
    return _migrated[1]


@pytest.fixture(scope="session")
def scratch(cluster: TestCluster, template: str) -> str:
    """URL of the one copy that all rolled-back tests share (role postgres)."""
    return cluster.url(cluster.create(template, "scratch"))


@pytest.fixture
def db(scratch: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as `postgres` whose work is rolled back. The default choice."""
    with psycopg.connect(scratch) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def clone(cluster: TestCluster, template: str) -> Iterator[str]:
    """URL of a database of one's own, for tests that need several connections."""
    name = cluster.create(template, "clone")
    yield cluster.url(name)
    cluster.drop(name)


def _running_stack(folder: Path, without: tuple[str, ...] = ()) -> Iterator[LocalStack]:
    stack = LocalStack(prepared.stack_data(folder), without)
    done = stack.up()
    assert done.returncode == 0, done.stderr
    yield stack
    stack.down()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The complete local stack, migrated, with sandbox, receiver and workers."""
    yield from _running_stack(tmp_path_factory.mktemp("stack") / "data")


@pytest.fixture(scope="session")
def quiet_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of database and API only, for tests that nothing else may disturb."""
    yield from _running_stack(tmp_path_factory.mktemp("quiet") / "data", PROCESSES)
