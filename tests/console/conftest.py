"""Running the console in this process, as a person or a script would."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass

import pytest

from cli import objects
from cli.main import execute
from tests.erasing import Storage


@dataclass(frozen=True)
class Ended:
    """How one call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def connext(monkeypatch, tmp_path):
    """Run one command line, without a terminal, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("CONNEXT_DATABASE_URL", "CONNEXT_SEALING_KEYS", "CONNEXT_DATA"):
        monkeypatch.delenv(name, raising=False)

    def call(*words, answer=None):
        out, err = io.StringIO(), io.StringIO()
        typed = io.StringIO("" if answer is None else answer + "\n")
        if answer is not None:
            typed.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", typed)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = execute([str(word) for word in words])
        return Ended(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def operated(connext, clone, monkeypatch):
    """Run command lines on a migrated database of one's own."""
    monkeypatch.setenv("CONNEXT_DATABASE_URL", clone)
    return connext


@pytest.fixture
def sql(clone):
    """Run one statement as the operator, committed at once."""
    import psycopg

    with psycopg.connect(clone, autocommit=True) as connection:
        yield connection.execute


@pytest.fixture
def storage(clone, monkeypatch):
    place = Storage(clone)
    monkeypatch.setattr(objects, "objects", lambda data: place)
    return place


@pytest.fixture
def desk(operated, storage, tmp_path, monkeypatch):
    """The console with a signing key and Storage."""
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    from cli import signing

    signing.make(tmp_path / "signing.pem")
    return operated
