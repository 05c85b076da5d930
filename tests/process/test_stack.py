"""`connext up`, `down` and `status`: side by side, after a crash, below a closed folder."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from cli.embedded import process
from tests.prepared import stack_data
from tests.stacks import PROCESSES, LocalStack, connext, processes_in


@pytest.fixture
def stack_here(tmp_path):
    """A stack that a test starts, kills and starts again."""
    own = LocalStack(tmp_path / "data", PROCESSES)
    yield own
    own.down()


@pytest.fixture
def stack_again(tmp_path):
    """The same with data that are there already."""
    own = LocalStack(stack_data(tmp_path / "data"), PROCESSES)
    yield own
    own.down()


def _serves(stack) -> bool:
    try:
        return httpx.get(f"{stack.status['api_url']}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def _wait_for(condition, seconds=30.0):
    assert process.wait_until(condition, seconds), "it did not happen in time"


def test_two_stacks_run_side_by_side_and_know_nothing_of_each_other(quiet_stack, stack_here):
    done = stack_here.up()

    assert done.returncode == 0, done.stderr
    assert set(stack_here.status["ports"].values()).isdisjoint(quiet_stack.status["ports"].values())
    with httpx.Client(base_url=stack_here.status["api_url"]) as http:
        foreign = http.get(
            "/rest/v1/anything", headers={"apikey": quiet_stack.status["publishable_key"]}
        )
    assert foreign.status_code == 401


def test_a_killed_supervisor_takes_everything_along_and_its_data_serves_again(stack_again):
    stack_again.up()
    person = stack_again.sign_up("kept@example.com")["user"]["id"]
    before = stack_again.status
    pids = before["pids"]

    os.kill(pids["supervisor"], signal.SIGKILL)
    again = stack_again.up()

    assert again.returncode == 0, again.stderr
    assert [name for name, pid in pids.items() if process.alive(pid)] == []
    with stack_again.connect() as db:
        assert db.execute("select id::text from auth.users").fetchall() == [(person,)]
    for name in ("api_url", "database_url", "publishable_key", "secret_key", "jwt_secret"):
        assert stack_again.status[name] == before[name]


def test_a_taken_port_that_was_asked_for_is_one_clear_line(stack_here):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        done = stack_here.up("--port", str(port))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port} is taken" in done.stderr


def test_a_missing_node_is_one_clear_line(stack_here, tmp_path):
    done = stack_here.up(PATH=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Node.js is not on the PATH" in done.stderr
    assert "make setup" in done.stderr


def test_an_unknown_process_to_leave_out_is_one_clear_line(tmp_path):
    done = connext("up", "--detach", "--data", str(tmp_path / "data"), "--without", "nonsense")

    assert done.returncode == 1
    assert "no process 'nonsense'" in done.stderr


def test_without_a_stack_status_and_down_say_so_and_exit_3(tmp_path):
    status = connext("status", "--json", "--data", str(tmp_path / "none"))
    down = connext("down", "--data", str(tmp_path / "none"))

    assert (status.returncode, down.returncode) == (3, 3)
    assert '"state": "stopped"' in status.stdout


def test_starting_a_running_stack_changes_nothing(quiet_stack):
    before = quiet_stack.status["pids"]

    done = quiet_stack.call("up", "--detach")

    assert done.returncode == 0
    assert "it was running already" in done.stderr
    assert quiet_stack.read()["pids"] == before


@pytest.mark.parametrize("victim", ["api", "postgres"])
def test_a_killed_process_is_started_again(quiet_stack, victim):
    before = quiet_stack.read()["pids"][victim]

    os.kill(before, signal.SIGKILL)
    _wait_for(lambda: quiet_stack.read()["pids"].get(victim, before) != before)
    _wait_for(lambda: _serves(quiet_stack))

    with quiet_stack.client() as http:
        email = f"after-{victim}@example.com"
        password = "a very long password"
        answer = http.post("/auth/v1/signup", json={"email": email, "password": password})
    assert answer.status_code == 200


def test_what_holds_secrets_is_readable_by_its_owner_only(quiet_stack):
    closed = [quiet_stack.data, quiet_stack.data / "keys", quiet_stack.data / "logs"]
    closed += [quiet_stack.data / name for name in ("secrets.json", "stack.json", "api.json")]

    for path in closed:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_search_for_leftovers_sees_every_process_of_a_stack(quiet_stack):
    found = {int(line.partition(":")[0]) for line in processes_in(quiet_stack.data.parent)}

    assert found >= set(quiet_stack.read()["pids"].values())


def test_no_command_line_holds_a_password(quiet_stack):
    status = quiet_stack.read()
    passwords = [psycopg.conninfo.conninfo_to_dict(status["admin_database_url"])["password"]]
    passwords += [status["secret_key"], status["jwt_secret"]]

    for pid in status["pids"].values():
        command = Path(f"/proc/{pid}/cmdline").read_text()
        assert [password for password in passwords if password in command] == []


def test_the_sealing_key_s_public_half_is_in_the_database_and_the_private_half_is_not(quiet_stack):
    with quiet_stack.connect() as db:
        rows = db.execute("select key_id, public_key from private.sealing_keys").fetchall()

    files = sorted(path.stem for path in (quiet_stack.data / "keys").glob("*.pgp"))
    assert [row[0] for row in rows] == files
    assert (quiet_stack.data / "keys" / f"{files[0]}.pgp").read_bytes() != rows[0][1]


def test_every_worker_role_can_log_in_to_a_fresh_stack(quiet_stack):
    for role, url in quiet_stack.status["worker_urls"].items():
        with psycopg.connect(url) as db:
            assert db.execute("select session_user").fetchone() == (role,)


def test_stopping_in_the_foreground_ends_everything(tmp_path):
    stack = LocalStack(stack_data(tmp_path / "data"))
    left_out = [word for name in PROCESSES for word in ("--without", name)]
    command = [sys.executable, "-m", "cli.main", "up", "--data", str(stack.data), *left_out]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as foreground:
        shown = next(line for line in foreground.stdout if "publishable key" in line)
        pids = stack.read()["pids"]
        foreground.send_signal(signal.SIGINT)
        foreground.communicate(timeout=30)

    assert "sb_publishable_" in shown
    assert foreground.returncode == 0
    assert [name for name, pid in pids.items() if process.alive(pid)] == []
