"""Settings: a bad one is one line that names it, and never shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from workers.core.errors import NotConfigured
from workers.core.settings import (
    MetaSettings,
    MetaWebhookSettings,
    ReceiverSettings,
    WorkerSettings,
    load,
)

HERE = "postgresql://worker_meta:hunter2@127.0.0.1:5432/postgres"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in (
        *("CONNEXT_DATABASE_URL", "CONNEXT_SEALING_KEYS", "CONNEXT_HEALTH_PORT", "PGSSLMODE"),
        *("CONNEXT_WORKER_CONCURRENCY", "CONNEXT_WORKER_BATCH", "CONNEXT_LEASE_SECONDS"),
        *("CONNEXT_POLL_SECONDS", "CONNEXT_GRACE_SECONDS", "CONNEXT_LOG_LEVEL"),
        *("CONNEXT_LOG_FORMAT", "CONNEXT_RECEIVER_HOST", "CONNEXT_RECEIVER_PORT"),
        *("META_APP_ID", "META_APP_SECRET", "META_VERIFY_TOKEN"),
        *("CONNEXT_META_GRAPH_URL", "CONNEXT_META_GRAPH_VERSION", "CONNEXT_SECRETS_DIR"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CONNEXT_DATABASE_URL", HERE)
    return monkeypatch


def refusal(role) -> NotConfigured:
    with pytest.raises(NotConfigured) as caught:
        load(role)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_the_defaults_are_those_of_the_documentation():
    settings = load(WorkerSettings)

    assert (settings.worker_concurrency, settings.worker_batch) == (32, 100)
    assert (settings.lease, settings.poll) == (timedelta(seconds=60), timedelta(seconds=5))
    assert settings.grace == timedelta(seconds=20)
    assert (settings.log_level, settings.log_format, settings.health_port) == ("info", "json", 0)


def test_a_missing_setting_is_named_with_what_to_do(environment):
    environment.delenv("CONNEXT_DATABASE_URL")

    error = refusal(WorkerSettings)

    assert error.setting == "CONNEXT_DATABASE_URL"
    assert str(error) == (
        "CONNEXT_DATABASE_URL is not set; give the connection string of the worker's role"
    )


def test_an_empty_setting_is_a_forgotten_one(environment):
    environment.setenv("CONNEXT_DATABASE_URL", " ")

    assert str(refusal(WorkerSettings)).startswith("CONNEXT_DATABASE_URL is empty; ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONNEXT_WORKER_CONCURRENCY", "many"),
        ("CONNEXT_WORKER_CONCURRENCY", "0"),
        ("CONNEXT_WORKER_BATCH", "1001"),
        ("CONNEXT_LEASE_SECONDS", "0"),
        ("CONNEXT_POLL_SECONDS", "-1"),
        ("CONNEXT_GRACE_SECONDS", "soon"),
        ("CONNEXT_HEALTH_PORT", "70000"),
        ("CONNEXT_LOG_LEVEL", "loud"),
        ("CONNEXT_LOG_FORMAT", "xml"),
        ("CONNEXT_DATABASE_URL", "mysql //secretvalue"),
    ],
)
def test_a_malformed_setting_is_named_and_not_shown(environment, name, value):
    environment.setenv(name, value)

    error = refusal(WorkerSettings)

    assert error.setting == name
    assert "; " in str(error)
    assert "secretvalue" not in str(error)


def test_several_bad_settings_are_counted(environment):
    environment.setenv("CONNEXT_WORKER_BATCH", "x")
    environment.setenv("CONNEXT_HEALTH_PORT", "x")

    assert str(refusal(WorkerSettings)).endswith("(and 1 more)")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:hunter2@db.example.com/postgres",
        "postgresql://u:hunter2@db.example.com/postgres?sslmode=prefer",
        "postgresql://u:hunter2@db.example.com/postgres?sslmode=disable",
        "host=localhost,db.example.com user=u password=hunter2",
        "host=localhost hostaddr=203.0.113.9 user=u password=hunter2",
    ],
)
def test_a_connection_without_tls_may_not_leave_this_machine(environment, dsn):
    environment.setenv("CONNEXT_DATABASE_URL", dsn)

    error = refusal(WorkerSettings)

    assert "leaves this machine without TLS; add sslmode=verify-full" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u@db.example.com/postgres?sslmode=verify-full",
        "postgresql://u@db.example.com/postgres?sslmode=require",
        "postgresql://u@localhost/postgres",
        "postgresql://u@[::1]/postgres",
        "host=/var/run/postgresql user=u",
    ],
)
def test_encrypted_or_local_connections_are_accepted(environment, dsn):
    environment.setenv("CONNEXT_DATABASE_URL", dsn)

    assert load(WorkerSettings).database_url.get_secret_value() == dsn


def test_settings_never_print_their_secrets(environment):
    environment.setenv("META_APP_SECRET", "s3cr3t")
    environment.setenv("META_VERIFY_TOKEN", "v3rify")
    environment.setenv("META_APP_ID", "123")

    printed = f"{load(WorkerSettings)!r} {load(MetaSettings)!r} {load(MetaWebhookSettings)!r}"

    for secret in ("hunter2", "s3cr3t", "v3rify"):
        assert secret not in printed


@pytest.mark.parametrize("name", ["META_APP_ID", "META_APP_SECRET"])
def test_meta_needs_its_app(environment, name):
    environment.setenv("META_APP_ID", "1")
    environment.setenv("META_APP_SECRET", "s")
    environment.delenv(name)

    assert refusal(MetaSettings).setting == name


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1:80@evil.example.com",
        "ftp://graph.example.com",
        "graph.example.com",
        "https://",
    ],
)
def test_the_graph_url_must_be_https_away_from_this_machine(environment, url):
    environment.setenv("META_APP_ID", "1")
    environment.setenv("META_APP_SECRET", "s")
    environment.setenv("CONNEXT_META_GRAPH_URL", url)

    assert refusal(MetaSettings).setting == "CONNEXT_META_GRAPH_URL"


@pytest.mark.parametrize(
    "url", ["https://graph.facebook.com/", "http://127.0.0.1:9000", "http://[::1]:9000"]
)
def test_a_sandbox_on_this_machine_may_be_plain_http(environment, url):
    environment.setenv("META_APP_ID", "1")
    environment.setenv("META_APP_SECRET", "s")
    environment.setenv("CONNEXT_META_GRAPH_URL", url)

    assert load(MetaSettings).graph_url == url.rstrip("/")


def test_the_receiver_has_its_own_settings(environment):
    environment.setenv("CONNEXT_RECEIVER_PORT", "0")

    settings = load(ReceiverSettings)

    assert (settings.receiver_host, settings.receiver_port) == ("127.0.0.1", 0)


def test_secrets_are_read_from_files_named_like_their_variables(monkeypatch, tmp_path):
    (tmp_path / "META_APP_ID").write_text("4711\n")
    (tmp_path / "META_APP_SECRET").write_text("from a file\n")
    monkeypatch.setenv("CONNEXT_SECRETS_DIR", str(tmp_path))

    settings = load(MetaSettings)

    assert (settings.app_id, settings.app_secret.get_secret_value()) == ("4711", "from a file")


def test_a_variable_wins_over_its_file(monkeypatch, tmp_path):
    (tmp_path / "CONNEXT_DATABASE_URL").write_text("postgresql://somebody@127.0.0.1/else")
    monkeypatch.setenv("CONNEXT_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("CONNEXT_DATABASE_URL", HERE)

    assert load(WorkerSettings).database_url.get_secret_value() == HERE


def test_a_folder_of_secrets_that_is_none_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CONNEXT_SECRETS_DIR", str(tmp_path / "nowhere"))

    with pytest.raises(NotConfigured, match="CONNEXT_SECRETS_DIR"):
        load(MetaSettings)
