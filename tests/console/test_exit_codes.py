"""How a command ends: 0 done, 1 failed, 2 wrong usage, 3 nothing to do, 4 refused."""

import json

import psycopg
import pytest

from cli import errors, main
from cli.errors import Failed, NothingToDo, Refused, Usage
from cli.lazy import Entry
from workers.core.errors import ConnextError

SOMEBODY = "0198c0de-0000-7000-8000-000000000001"


def failing(error):
    """Make a command that ends with this error."""

    def command() -> None:
        """Fail."""
        raise error

    return command


@pytest.fixture
def broken(connext, monkeypatch):
    """Run a command that raises."""

    def call(error):
        monkeypatch.setattr(
            main.Console, "entries", {"broken": Entry(f"{__name__}:raised", "Fail.")}
        )
        monkeypatch.setattr(Entry, "load", lambda _, name: _command(name, failing(error)))
        return connext("broken")

    return call


def _command(name, function):
    import typer
    from typer.main import get_command

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    return get_command(app)


class WithState(psycopg.Error):
    """An error as the server would send it."""

    def __init__(self, state):
        super().__init__("said by the server")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Failed("broke"), 1),
        (Usage("what"), 2),
        (NothingToDo("done already"), 3),
        (Refused("no"), 4),
        (ConnextError("the provider is away"), 1),
        (WithState("42501"), 4),
        (WithState("CX005"), 4),
        (WithState("CX003"), 1),
        (WithState("CX006"), 2),
        (WithState("42P01"), 1),
        (WithState("57P01"), 1),
    ],
    ids=lambda value: str(getattr(value, "sqlstate", None) or type(value).__name__),
)
def test_an_error_of_ours_is_one_line_and_its_own_code(broken, error, code):
    ended = broken(error)

    assert ended.code == code
    assert ended.out == ""
    assert ended.err.startswith("connext: ")
    assert len(ended.err.splitlines()) == 1


def test_a_bug_keeps_its_traceback(broken):
    with pytest.raises(ZeroDivisionError):
        broken(ZeroDivisionError("a bug"))


def test_every_kind_of_ending_has_a_code_of_its_own():
    kinds = errors.ConsoleError.__subclasses__()

    assert sorted(kind.exit_code for kind in kinds) == [1, 2, 3, 4]


def test_an_unknown_command_is_wrong_usage_and_the_near_one_is_offered(connext):
    ended = connext("quue", "stats")

    assert ended.code == 2
    assert "Did you mean 'queue'?" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("org", "show", "not-an-id"),
        ("worker", "run", "nope"),
        ("worker", "run"),
        ("queue", "peek", "meta", "--limit", "0"),
        ("db", "logins", "--yes"),
        ("db", "advisors", "--fail-on", "everything"),
        ("keys", "init"),
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_refused_before_anything_happens(connext, words):
    ended = connext(*words)

    assert ended.code == 2
    assert ended.out == ""
    assert ended.err


def test_without_a_database_the_command_says_how_to_name_one(connext):
    ended = connext("org", "list")

    assert ended.code == 1
    assert "CONNEXT_DATABASE_URL" in ended.err
    assert "connext up" in ended.err


def test_an_unreachable_database_is_one_line_without_the_password(connext, monkeypatch):
    monkeypatch.setenv("CONNEXT_DATABASE_URL", "postgresql://postgres:hunter2@127.0.0.1:1/postgres")

    ended = connext("queue", "stats")

    assert ended.code == 1
    assert ended.err.startswith("connext: the database cannot be reached")
    assert len(ended.err.splitlines()) == 1
    assert "hunter2" not in ended.err


def test_a_malformed_address_is_not_repeated(connext, monkeypatch):
    monkeypatch.setenv("CONNEXT_DATABASE_URL", "postgresql://postgres:hunter2@[::1")

    ended = connext("queue", "stats")

    assert ended.code == 1
    assert "hunter2" not in ended.err


def test_a_folder_without_a_stack_is_named(connext, tmp_path):
    ended = connext("org", "list", "--data", tmp_path / "nowhere")

    assert ended.code == 1
    assert "holds no local stack" in ended.err


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_description_of_a_stack_is_an_error_of_ours(connext, tmp_path, content):
    (tmp_path / "stack.json").write_text(content)

    ended = connext("org", "list", "--data", tmp_path)

    assert ended.code == 1
    assert "stack" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_the_stack_in_this_folder_is_found(connext, tmp_path):
    folder = tmp_path / ".connext"
    folder.mkdir()
    address = "postgresql://postgres@127.0.0.1:1/here"
    (folder / "stack.json").write_text(json.dumps({"database_url": address}))

    assert "cannot be reached" in connext("org", "list").err
