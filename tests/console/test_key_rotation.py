"""`connext keys rotate` and `retire`: what they do, refuse, go on with, and destroy."""

from __future__ import annotations

import contextlib
import json
import threading

import psycopg
import pytest

from cli import keymaking
from tests.messenger import sealing_key
from tests.rotating import keys_in_use, next_key, rotating_stage, third_key


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def stage(clone, folder):
    """A connected organization with one token, sealed to the only key."""
    made = rotating_stage(clone, folder)
    keymaking.private_key_path(folder, next_key().fingerprint).unlink()
    return made


@pytest.fixture
def keys(operated, stage, folder, monkeypatch):
    """Call `connext keys`; the next key made is one that exists already."""
    monkeypatch.setattr(keymaking, "make_key", next_key)
    return lambda *words, **more: operated("keys", *words, "--folder", folder, **more)


def states(keys):
    return {key["key_id"]: key["state"] for key in keys("status", "--json").json}


OLD, NEW = (lambda: sealing_key().fingerprint), (lambda: next_key().fingerprint)


def test_rotating_without_waiting_says_what_is_left(keys, stage):
    ended = keys("rotate", "--no-wait", "--json")

    assert ended.code == 0, ended.err
    assert ended.json == {
        "continued": False, "key_id": NEW(), "retiring": OLD(), "tokens": 1, "left": 1,
    }  # fmt: skip
    listed = keys("status", "--json").json
    assert [(key["state"], key["sealed_tokens"], key["private_half"]) for key in listed] == [
        ("retiring", 1, True),
        ("active", 0, True),
    ]


@contextlib.contextmanager
def working(stage):
    """A worker beside the console; its log lines go to this process's stdout too."""
    done = threading.Event()

    def work():
        while not done.wait(0.05):
            stage.work()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


def test_rotating_waits_for_the_workers(keys, stage):
    with working(stage):
        ended = keys("rotate", "--json")

    assert ended.code == 0, ended.err
    result = json.loads(ended.out[ended.out.index("{\n") :])
    assert (result["tokens"], result["left"]) == (1, 0)
    assert "sealed 1 tokens anew" in ended.err
    assert keys_in_use(stage) == {NEW()}


def test_rotating_again_goes_on_and_makes_no_third_key(keys, stage):
    keys("rotate", "--no-wait")
    stage.do("delete from queue.jobs")  # lost, as by an operator who dropped it

    ended = keys("rotate", "--no-wait", "--json")

    assert ended.code == 0, ended.err
    assert ended.json["continued"] is True
    assert states(keys) == {OLD(): "retiring", NEW(): "active"}
    assert stage.work() == ["done"]
    assert keys_in_use(stage) == {NEW()}


def test_without_workers_it_gives_up_and_says_how_to_go_on(keys):
    ended = keys("rotate", "--patience", "1")

    assert ended.code == 1
    assert "are the workers running" in ended.err
    assert "rotate' again" in ended.err


def test_a_token_that_cannot_be_opened_ends_the_wait(keys, stage):
    stage.do("update private.sealed_tokens set sealed = 'rubbish'")

    with working(stage):
        ended = keys("rotate")

    assert ended.code == 1
    assert "1 tokens could not be sealed anew" in ended.err


def test_a_dry_run_of_rotating_changes_nothing(keys, folder):
    before = sorted(folder.iterdir())

    assert keys("rotate", "--dry-run").code == 0
    assert states(keys) == {OLD(): "active"}
    assert sorted(folder.iterdir()) == before


def test_a_prepared_key_is_used_when_told(keys, folder):
    prepared = keys("rotate", "--prepare", "--json")
    between = states(keys)
    ended = keys("rotate", "--use", prepared.json["key_id"], "--no-wait", "--json")

    assert prepared.json["state"] == "prepared"
    assert between == {OLD(): "active"}
    assert ended.code == 0, ended.err
    assert states(keys) == {OLD(): "retiring", NEW(): "active"}


def test_the_status_names_a_private_half_that_the_database_does_not_know(keys, folder):
    keymaking.write_private_half(folder, third_key())

    assert f"{third_key().fingerprint}.pgp belongs to no key" in keys("status").err


def test_the_new_private_half_does_not_stay_when_the_database_refuses(keys, stage, folder):
    stage.do("update private.sealing_keys set state = 'retiring'")
    stage.do("delete from private.sealed_tokens")

    ended = keys("rotate")

    assert ended.code == 1
    assert [path.stem for path in folder.iterdir()] == [OLD()]


@pytest.mark.parametrize("use", ["nonsense", "A" * 40])
def test_a_key_that_is_not_here_cannot_be_used(keys, use):
    assert keys("rotate", "--use", use).code in {1, 2}
    assert states(keys) == {OLD(): "active"}


@pytest.fixture
def rotated(keys, stage):
    assert keys("rotate", "--no-wait").code == 0
    assert stage.work() == ["done"]
    return keys


def test_retiring_destroys_the_private_half_and_says_what_that_is_worth(rotated, folder):
    ended = rotated("retire", "--yes", "--json")

    assert ended.code == 0, ended.err
    assert ended.json == {"key_id": OLD(), "state": "retired", "destroyed": True}
    assert "copy-on-write" in ended.err
    assert [path.stem for path in folder.iterdir()] == [NEW()]
    assert states(rotated) == {OLD(): "retired", NEW(): "active"}
    assert rotated("retire", OLD(), "--yes").code == 3
    assert rotated("retire", "--yes").code == 3


def test_retiring_goes_on_when_only_the_file_is_left(rotated, clone, folder):
    with psycopg.connect(clone) as db:
        db.execute("select private.retire_key(%s)", [OLD()])

    assert rotated("retire", OLD(), "--yes").code == 0
    assert [path.stem for path in folder.iterdir()] == [NEW()]


def test_a_key_in_use_is_not_retired_and_stays_whole(keys, folder):
    keys("rotate", "--no-wait")

    ended = keys("retire", "--yes")

    assert ended.code == 4
    assert "still seals 1 tokens and 0 revocations" in ended.err
    assert OLD() in [path.stem for path in folder.iterdir()]


def test_a_key_with_a_revocation_is_not_retired(keys, stage):
    stage.do("select private.disconnect(%s, %s)", stage.org, stage.integration)
    keys("rotate", "--no-wait")

    ended = keys("retire", "--yes")

    assert ended.code == 4
    assert "1 revocations" in ended.err


def test_the_active_key_is_not_retired(keys):
    assert keys("retire", OLD(), "--yes").code == 4


def test_retiring_asks_first_and_a_dry_run_changes_nothing(rotated, folder):
    assert rotated("retire").code == 4
    assert rotated("retire", "--dry-run").code == 0
    assert len(list(folder.iterdir())) == 2
    assert states(rotated)[OLD()] == "retiring"


def test_an_unknown_key_is_not_retired(keys):
    assert keys("retire", "B" * 40, "--yes").code == 1
