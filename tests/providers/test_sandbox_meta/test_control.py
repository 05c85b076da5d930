"""The sandbox's control API and its program."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from sandbox.app import Config, Sandbox


def test_orders_are_checked_and_the_problem_is_named(stage):
    unknown = stage.http.post("/_control/meta/say", json={"page_id": "1", "psid": "2", "txt": "x"})
    nobody = stage.http.post("/_control/meta/say", json={"page_id": "1", "psid": "2", "text": "x"})
    broken = stage.http.post("/_control/meta/say", content=b"{")

    assert unknown.status_code == 422
    assert unknown.json()["problems"][0]["loc"] == ["txt"]
    assert nobody.status_code == 409
    assert "customer 2 of page 1" in nobody.json()["error"]
    assert broken.status_code == 400


def test_a_reset_forgets_people_switches_faults_and_the_clock(stage):
    stage.connected()
    stage.control("meta/switches", {"echo": "never"})
    stage.control("meta/faults", {"kind": "service", "times": None})
    stage.control("clock", {"offset_seconds": 1000})

    stage.control("reset")

    state = stage.look("meta/state")
    assert (state["people"], state["pages"], state["tokens"]) == ([], [], [])
    assert stage.look("meta/switches")["echo"] == "after"
    assert stage.look("meta/faults") == {"faults": []}
    assert stage.control("clock")["offset_seconds"] == 0


def test_planting_the_default_world_twice_changes_nothing(stage):
    again = stage.control("meta/seed")

    state = stage.look("meta/state")
    assert [person["asid"] for person in state["people"]] == [stage.asid]
    assert [page["customers"] for page in state["pages"]] == [10, 10]
    assert len(again["customers"]) == 20


def test_the_state_shows_tokens_and_what_is_delivered(stage):
    stage.connected()
    stage.control("meta/tokens/kill", {"subcode": 460, "page_id": stage.other_page})

    state = stage.look("meta/state")

    valid = {(token["kind"], token["page_id"]): token["valid"] for token in state["tokens"]}
    assert valid == {
        ("USER", None): True,
        ("PAGE", stage.page): True,
        ("PAGE", stage.other_page): False,
    }
    assert set(state["pages"][0]["delivered_fields"]) == set(stage.fields.split(","))
    assert state["pages"][1]["subscribed_fields"] is None


def test_the_control_api_is_for_this_machine_only():
    async def ask(host):
        transport = httpx.ASGITransport(Sandbox(Config()).app, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
            return (await http.get("/_control/health")).status_code

    assert asyncio.run(ask("203.0.113.9")) == 403
    assert asyncio.run(ask("127.0.0.1")) == 200


def test_a_port_that_is_taken_is_one_line_saying_so(tmp_path):
    config = tmp_path / "sandbox.json"
    config.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sandbox", "--port", port, "--config", str(config)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == 2
    assert f"127.0.0.1:{port}" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.fixture
def program(tmp_path):
    """Run the real program on a free port and yield it with its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    meta = {"app_id": "1", "app_secret": "s", "verify_token": "v", "seed_world": True}
    config = tmp_path / "sandbox.json"
    config.write_text(json.dumps({"meta": meta}))
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--config", str(config)]
    with subprocess.Popen(command) as process:
        yield process, f"http://127.0.0.1:{port}"
        process.kill()


def answering(url):
    """Wait until the program listens; each refused attempt is a try."""
    transport = httpx.HTTPTransport(retries=9)
    return httpx.Client(base_url=url, transport=transport, timeout=20, trust_env=False)


def test_the_program_serves_a_planted_world_and_ends_delays_when_told_to_stop(program):
    process, url = program
    with answering(url) as http:
        assert http.get("/_control/health").json() == {"ok": True, "vendors": ["meta"]}
        assert http.get("/_control/meta/state").json()["people"][0]["name"] == "Ada Keller"
        fault = {"kind": "delay", "seconds": 100}
        http.post("/_control/meta/faults", json=fault)
        with pytest.raises(httpx.ReadTimeout):
            http.get("/v26.0/me", timeout=0.2)

    os.kill(process.pid, signal.SIGTERM)

    assert process.wait(timeout=8) in {0, -signal.SIGTERM}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"meta": {"app_id": "x"}}', "meta.app_id"),
        ('{"facebook": 1}', "Extra inputs"),
        ("{", "JSON"),
    ],
)
def test_a_bad_configuration_is_one_line_naming_the_place(tmp_path, text, said):
    config = tmp_path / "sandbox.json"
    config.write_text(text)
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--config", str(config)]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
