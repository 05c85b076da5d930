"""What `deploy/` and the Dockerfile say exists: commands, settings, files, locked packages."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

from cli.main import execute
from cli.worker import QUEUES
from workers.core import settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "connext.yaml").read_text()))
DEPLOYMENTS = {m["metadata"]["name"]: m for m in MANIFESTS if m["kind"] == "Deployment"}
UNITS = {path.name: path.read_text() for path in sorted((DEPLOY / "systemd").iterdir())}


def container(deployment):
    return deployment["spec"]["template"]["spec"]["containers"][0]


def commands():
    """List every command line that is started somewhere, with where."""
    for name, service in COMPOSE.items():
        yield f"compose {name}", service["command"]
    for name, deployment in DEPLOYMENTS.items():
        yield f"kubernetes {name}", container(deployment)["args"]
    for name, unit in UNITS.items():
        line = re.search(r"^ExecStart=\S+ (.*)$", unit, re.MULTILINE)[1]
        yield name, shlex.split(line.replace("$QUEUES", "meta"))


def known_settings():
    """Collect the variables that our processes read."""
    names = {settings.SECRETS_VARIABLE}
    for role in vars(settings).values():
        if isinstance(role, type) and issubclass(role, BaseSettings):
            prefix = role.model_config.get("env_prefix") or ""
            names |= {
                field.validation_alias or f"{prefix}{name}".upper()
                for name, field in role.model_fields.items()
            }
    return names


def named_settings():
    """List every variable of ours that is set or mentioned in the deployment files."""
    texts = [DOCKERFILE, *UNITS.values(), *map(Path.read_text, DEPLOY.rglob("*.yaml"))]
    return {name for text in texts for name in re.findall(r"\b(?:CONNEXT|META)_[A-Z_]+\b", text)}


@pytest.mark.parametrize(("where", "words"), list(commands()))
def test_every_process_starts_a_command_that_exists(where, words, capsys):
    assert execute([*words[:2], "--help"]) == 0, where
    assert f"connext {' '.join(words[:2])}" in capsys.readouterr().out
    assert set(words[2:]) <= set(QUEUES)


def test_every_setting_that_is_named_is_read():
    assert named_settings() - known_settings() == set()


def test_what_the_image_copies_exists_and_is_let_in():
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)

    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert [path for path in copied if f"!{path}" not in let_in] == []


def test_no_process_may_gain_rights_or_write_to_its_image():
    assert "USER 10001" in DOCKERFILE
    for service in COMPOSE.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    for deployment in DEPLOYMENTS.values():
        rights = container(deployment)["securityContext"]
        assert rights["readOnlyRootFilesystem"]
        assert not rights["allowPrivilegeEscalation"]
    for unit in UNITS.values():
        assert "NoNewPrivileges=yes" in unit
        assert "ProtectSystem=strict" in unit


def test_compose_and_kubernetes_start_the_same_processes():
    composed = sorted(service["command"] for service in COMPOSE.values())

    assert composed == sorted(container(d)["args"] for d in DEPLOYMENTS.values())


def test_the_image_installs_what_was_tested():
    tested = dict(PIN.findall((ROOT / "requirements.lock").read_text()))
    installed = dict(PIN.findall((ROOT / "requirements.runtime.lock").read_text()))

    assert installed.items() <= tested.items()
    assert {"psycopg", "httpx", "typer", "pysequoia"} <= set(installed)
    assert not {"pytest", "pgrls", "hypothesis"} & set(installed)
