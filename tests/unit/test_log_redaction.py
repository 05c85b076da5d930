"""Log lines: fields instead of sentences, and the last line of defence for secrets and people."""

from __future__ import annotations

import io
import json
import logging
from uuid import UUID

import pytest
import structlog

from workers.core.errors import Rejected
from workers.core.log import JOB, REDACTED, clean, configure

SECRETS = [
    "EAAGm0PX4ZCpsBAKZC9vZBexampletoken",
    "KEY0187F3D2B9C4A56E7D8F90_abcDEF123",
    "sk_live_51Habcdefghijklmnop",
    "rk_test_51Habcdefghijklmnop",
    "whsec_abcdefghijklmnopqrstuvwxyz",
    "sb_secret_N7UND0UgjKTVK-Uodkm0Hg",
    "Bearer abcdefghijklmnop",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "someone.else+tag@example.co.uk",
    "+15145550123",
    "+1 (514) 555-0123",
    "514-555-0123",
    "(514) 555-0123",
    "1784140000000123",
    "https://graph.facebook.com/v26.0/me?access_token=abc&appsecret_proof=def",
    "postgresql://worker:hunter2@db.example.com/postgres",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
]


@pytest.fixture
def lines():
    """Everything logged as JSON; the standard library's loggers are put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(level="debug", style="json", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def log():
    return structlog.get_logger("test")


def fail(error: Exception, *, because: Exception | None = None):
    raise error from because


@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_that_looks_like_a_secret_or_a_person_is_dropped(lines, secret):
    log().info("something happened", note=f"before {secret} after", deep={"list": [secret]})
    log().info(f"somebody wrote {secret} into the text")

    printed = json.dumps(lines())

    telling = "hunter2" if "hunter2" in secret else secret.partition("access_token=")[2] or secret
    assert telling not in printed
    assert REDACTED in printed


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "appSecret",
        "password",
        "Authorization",
        "X-Hub-Signature-256",
        "code",
        "body",
        "text",
        "payload",
        "email",
        "phone_number",
        "psid",
        "contact",
        "name",
        "account_name",
        "dsn",
    ],
)
def test_a_field_whose_name_tells_is_dropped_whatever_it_holds(lines, name):
    log().info("something happened", **{name: "quite harmless"}, inner={name: ["quite harmless"]})

    assert "harmless" not in json.dumps(lines())


def test_ids_counts_and_times_stay_readable(lines):
    integration = UUID("123e4567-e89b-12d3-a456-123456789012")

    log().info("job finished", job=12_345_678_901, kind="meta.send", ms=41, integration=integration)

    [line] = lines()
    assert (line["job"], line["kind"], line["ms"]) == (12_345_678_901, "meta.send", 41)
    assert line["integration"] == str(integration)
    assert line["event"] == "job finished"
    assert line["level"] == "info"
    assert line["timestamp"].startswith("20")


def test_a_long_number_in_another_field_may_be_a_person():
    assert clean(1_784_140_000_000_123, name="from") == REDACTED
    assert clean(200, name="status") == 200
    assert clean(True, name="held") is True


def test_bytes_are_never_printed():
    assert clean(b"anything", name="x") == REDACTED


def test_something_deep_or_circular_ends():
    circle: list = []
    circle.append(circle)

    assert REDACTED in json.dumps(clean(circle, name="x"))


def test_a_librarys_exception_tells_its_type_and_place_and_not_its_text(lines):
    owner = "locals-are-never-printed"

    try:
        fail(KeyError("row of Marie Tremblay", owner))
    except KeyError:
        log().exception("job failed")

    [line] = lines()
    printed = json.dumps(line)
    assert "Tremblay" not in printed
    assert owner not in printed
    assert line["error"].startswith("KeyError at ")
    assert any("test_log_redaction.py" in place for place in line["trace"])


def test_our_own_error_tells_its_message_and_a_cause_only_its_type(lines):
    try:
        try:
            fail(ValueError("Marie Tremblay"))
        except ValueError as error:
            fail(Rejected("Meta answered 400 to POST"), because=error)
    except Rejected:
        log().exception("job failed")

    [line] = lines()
    assert line["error"] == "Rejected: Meta answered 400 to POST"
    assert line["causes"][0].startswith("ValueError at ")
    assert "Tremblay" not in json.dumps(line)


def test_an_exception_given_as_a_field_is_described_too(lines):
    log().info("job failed", problem=ValueError("Marie Tremblay"))

    assert "Tremblay" not in json.dumps(lines())


def test_libraries_log_through_the_same_defence(lines):
    logging.getLogger("some.library").warning("calling %s", "+15145550123")
    try:
        fail(ValueError("Marie Tremblay"))
    except ValueError:
        logging.getLogger("some.library").exception("broken")

    first, second = lines()
    assert first["event"] == f"calling {REDACTED}"
    assert first["logger"] == "some.library"
    assert "Tremblay" not in json.dumps(second)


@pytest.mark.parametrize("name", ["httpx", "httpcore", "httpcore.http11", "uvicorn.access"])
def test_loggers_that_print_whole_urls_are_silent(lines, name):
    logging.getLogger(name).info("GET https://example.com/?q=1")

    assert lines() == []


def test_the_access_log_of_uvicorn_is_off_even_for_warnings(lines):
    logging.getLogger("uvicorn.access").warning("GET /webhooks/meta?hub.verify_token=x")

    assert lines() == []


def test_lines_of_a_handler_name_its_job(lines):
    mark = JOB.set((7, "meta.send"))
    try:
        log().info("something happened")
    finally:
        JOB.reset(mark)
    log().info("something happened")

    during, after = lines()
    assert (during["job"], during["kind"]) == (7, "meta.send")
    assert "job" not in after


def test_lines_below_the_level_are_not_written():
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure(level="warning", style="console", stream=stream)
    try:
        log().info("quiet")
        log().warning("loud")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()

    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
