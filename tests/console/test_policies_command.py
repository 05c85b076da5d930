"""`connext db policies`: the folder becomes the next migration, and staleness is named."""

import pytest

from cli import project

FILE = "alter table public.a enable row level security;\n"


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A repository with one policy file and one earlier migration."""
    policies, migrations = tmp_path / "policies", tmp_path / "migrations"
    policies.mkdir()
    migrations.mkdir()
    (policies / "a.sql").write_text(FILE)
    (migrations / "20990101000000_later.sql").write_text("-- nothing\n")
    for name, value in (("ROOT", tmp_path), ("POLICIES", policies), ("MIGRATIONS", migrations)):
        monkeypatch.setattr(project, name, value)
    return tmp_path


def test_a_stale_file_is_named_with_what_to_run(connext, folder):
    ended = connext("db", "policies", "check")

    assert ended.code == 1
    assert "a.sql" in ended.err
    assert "make policies" in ended.err


def test_building_writes_the_next_migration_once(connext, folder):
    assert connext("db", "policies", "build").code == 0
    assert connext("db", "policies", "build").code == 3
    assert connext("db", "policies", "check").code == 0
    assert sorted(path.name for path in (folder / "migrations").iterdir()) == [
        "20990101000000_later.sql",
        "20990101000001_policies.sql",
    ]


def test_a_deleted_file_stops_both(connext, folder):
    connext("db", "policies", "build")
    (folder / "policies" / "a.sql").unlink()

    for verb in ("check", "build"):
        ended = connext("db", "policies", verb)
        assert ended.code == 1
        assert "removed" in ended.err
