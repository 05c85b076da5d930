"""A token's whole life on a real stack, with every log wide open: nothing of it stays anywhere."""

from __future__ import annotations

import json
import secrets

import pytest
from psycopg import sql

from cli.story import connect, messages, people
from cli.story.book import Book
from cli.story.stage import open_stage, wait_for
from tests.canary import AGGRESSIVE, Detectors
from tests.prepared import stack_data
from tests.stacks import PROCESSES, LocalStack, connext


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack of its own that logs every statement with every parameter."""
    data = stack_data(tmp_path_factory.mktemp("canary") / "data")
    quiet = LocalStack(data, PROCESSES)
    done = quiet.up()
    assert done.returncode == 0, done.stderr
    with quiet.connect("admin_database_url") as db:
        for name, value in AGGRESSIVE.items():
            # Above the server's command line; for sessions begun from now on.
            setting = sql.SQL("alter role all set {} = {}")
            db.execute(setting.format(sql.Identifier(name), sql.Literal(value)))
    quiet.down()
    made = LocalStack(data)
    done = made.up()
    assert done.returncode == 0, done.stderr
    yield made
    made.down()


@pytest.fixture(scope="module")
def detectors(stack):
    return Detectors(stack)


@pytest.fixture(scope="module")
def planted(stack, detectors):
    """What each detector found of a secret that was put where it looks: the positive control."""
    secret = f"EAAplanted{secrets.token_hex(12)}"
    with stack.connect("admin_database_url") as db:
        db.execute("create table public.canary_control (secret text, raw bytea)")
        for _ in range(3):  # often enough to be a common value in the statistics
            db.execute(
                "insert into public.canary_control values (%s, %s)", [secret, secret.encode()]
            )
        db.execute("analyze public.canary_control")
        db.execute(f'select 1 as "{secret[:60]}"')  # stays readable as the session's last query
        (stack.data / "logs" / "control.log").write_text(f"a careless line with {secret}\n")
        found = detectors.found([secret])
        db.execute("drop table public.canary_control")
    return found


@pytest.fixture(scope="module")
def life(stack, planted):
    """Connect, send, rotate, send, disconnect, retire; return every token that was ever valid."""
    assert all(planted.values()), planted
    stage, book = open_stage(stack.status), Book(tell=lambda _: None)
    with stage.api, stage.sandbox:
        return lived(stack, stage, book)


def lived(stack, stage, book):
    people.sign_up(book, stage)
    people.found_organizations(book, stage)
    connect.connect_meta(book, stage)
    tokens = {row["token"] for row in stage.control("state")["tokens"]}
    messages.storm(book, stage)
    messages.read_inbox(book, stage)
    messages.reply(book, stage)
    rotated = connext("keys", "rotate", "--data", str(stack.data), "--json")
    assert rotated.returncode == 0, rotated.stderr
    in_use = stage.sql("select distinct key_id from private.sealed_tokens")
    assert in_use == [(json.loads(rotated.stdout)["key_id"],)]
    thread = stage.known["threads"][0]
    agent = stage.people["agent"]
    sent = agent.call("send_message", conversation_id=thread["id"], body="again", client_key=None)
    wait_for(
        "a message is sent with the token sealed anew",
        lambda: agent.get("messages", id=f"eq.{sent['id']}", state="in.(sent,delivered,read)"),
    )
    tokens |= {row["token"] for row in stage.control("state")["tokens"]}
    connect.disconnect(book, stage)
    retired = connext("keys", "retire", "--data", str(stack.data), "--yes")
    assert retired.returncode == 0, retired.stderr
    return tokens


@pytest.mark.parametrize(
    "detector",
    ["columns", "wal", "cluster files", "statistics", "server log", "process logs", "dump"],
)
def test_a_planted_secret_is_found(planted, detector):
    assert planted[detector]


def test_the_server_really_logged_statements_with_their_parameters(stack, life):
    text = b"".join(path.read_bytes() for path in (stack.data / "logs").glob("postgres*"))

    assert b"private.sealed_tokens" in text
    assert b"complete_connection" in text
    assert b"arameters: $1 = " in text


def test_no_token_is_left_anywhere_after_its_life(detectors, life):
    assert len(life) >= 3  # of a person, short- and long-lived, and of pages

    found = detectors.found(life)

    assert {place: paths for place, paths in found.items() if paths} == {}


def test_every_opening_is_in_the_audit(stack, life):
    with stack.connect() as db:
        counts = dict(
            db.execute("select kind, count(*) from audit.events group by kind").fetchall()
        )

    assert counts["token.opened"] >= 5
    assert counts["key.rotated"] == counts["key.retired"] == 1
    assert "token.refused" not in counts
