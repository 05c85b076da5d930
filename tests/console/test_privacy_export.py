"""`connext privacy export`: what a person is given, what not, and that it verifies without us."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import psycopg
import pytest

from cli import exporting, objects, signing
from tests.full_world import make_full_world
from tests.people import make_person

SECRETS = ("sealed", "token", "password", "search_words", "storage_path", "state_hash")


class Files:
    """Storage that has every file but those that are lost."""

    def __init__(self):
        self.lost = set()
        self.stored = {}

    def get(self, path):
        return None if path in self.lost else b"\xff\xd8\xff"

    def put(self, path, content, *, mime_type):
        self.stored[path] = content.read()


@pytest.fixture
def files(monkeypatch):
    place = Files()
    monkeypatch.setattr(objects, "objects", lambda data: place)
    return place


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_full_world(db)
        db.execute("update public.privacy_requests set status = 'cancelled', closed_at = now()")
    return made


@pytest.fixture
def ana(clone, world):
    with psycopg.connect(clone) as db:
        make_person(db, world.ours, name="Bob Tremblay", number=2222)
        make_person(db, world.theirs, name="Ana Lafleur", number=1111)
        return make_person(db, world.ours, name="Ana Lafleur", number=1111)


@pytest.fixture
def desk(operated, files, tmp_path, monkeypatch):
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    signing.make(tmp_path / "signing.pem")
    return operated


def granted(desk, *words):
    made = desk("privacy", "request", "open", *words, "--json")
    assert made.code == 0, made.err
    assert desk("privacy", "request", "verify", made.json["id"], "--method", "session").code == 0
    assert desk("privacy", "request", "grant", made.json["id"], "--by", "ana.r").code == 0
    return made.json["id"]


def made(desk, tmp_path, *words):
    request = granted(desk, *words)
    ended = desk("privacy", "export", "make", request, "--out", tmp_path / "e.zip")
    assert ended.code == 0, ended.err
    return zipfile.ZipFile(tmp_path / "e.zip")


def read(archive, table):
    return json.loads(archive.read(f"data/{table}.json"))


def everything(archive):
    return "\n".join(
        archive.read(name).decode(errors="replace")
        for name in archive.namelist()
        if name != "manifest.json"
    )


def test_a_person_gets_all_of_theirs_and_nothing_of_anybody_else(desk, world, ana, tmp_path):
    archive = made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    text = everything(archive)
    assert read(archive, "customers")[0]["display_name"] == "Ana Lafleur"
    assert {row["value"] for row in read(archive, "contact_points")} == {
        ana.email,
        ana.phone,
        ana.psid,
    }
    assert read(archive, "messages")[0]["body"] == "Hello, Ana Lafleur here"
    assert read(archive, "notes")[0]["body"] == f"Call {ana.phone}"
    assert read(archive, "queue/webhook_events")[0]["contact"] == ana.psid
    assert [n for n in archive.namelist() if n.startswith("files/")] == [
        f"files/{ana.message}/0.jpg"
    ]
    assert "Bob" not in text
    assert str(world.theirs.id) not in text


def test_no_secret_and_no_internal_column_is_in_any_file(desk, world, ana, tmp_path):
    archive = made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    columns = {key for name in archive.namelist() if name.endswith(".json") and name.startswith("data")
               for row in json.loads(archive.read(name)) for key in row}  # fmt: skip
    assert not [c for c in columns if any(word in c for word in SECRETS)]


def test_json_and_csv_say_the_same(desk, world, ana, tmp_path):
    archive = made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    for name in [n for n in archive.namelist() if n.startswith("data/") and n.endswith(".csv")]:
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
        as_json = json.loads(archive.read(name.replace(".csv", ".json")))
        assert len(rows) == len(as_json)
        assert list(rows[0]) == list(as_json[0])


def test_portability_takes_along_what_was_provided_and_nothing_that_was_observed(
    desk, world, ana, tmp_path
):
    archive = made(desk, tmp_path, world.ours.id, "portability", "--email", ana.email)

    assert "data/notes.json" not in archive.namelist()
    assert set(read(archive, "messages")[0]) == {"body"}
    assert read(archive, "contact_points")


def test_the_readable_page_says_why_and_for_how_long_in_two_languages(desk, world, ana, tmp_path):
    page = (
        made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)
        .read("index.html")
        .decode()
    )

    assert "Tant que le compte est actif" in page
    assert "As long as the account is active" in page
    assert "Supabase Inc. (US)" in page
    assert "<script" not in page


def test_what_a_person_wrote_cannot_become_markup_or_a_formula(desk, sql, world, ana, tmp_path):
    sql(
        "update public.customers set display_name = '<script>x</script> y' where id = %s",
        [ana.customer],
    )
    sql("update public.messages set body = '=cmd|calc' where id = %s", [ana.message])

    archive = made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    assert "<script" not in archive.read("index.html").decode()
    rows = csv.DictReader(io.StringIO(archive.read("data/messages.csv").decode()))
    assert next(iter(rows))["body"] == "'=cmd|calc"
    assert read(archive, "messages")[0]["body"] == "=cmd|calc"


def test_a_member_gets_account_and_membership_without_password(desk, world, ana, tmp_path):
    archive = made(desk, tmp_path, world.ours.id, "access", "--member", world.ours.people["agent"])

    assert read(archive, "memberships")[0]["role"] == "agent"
    assert set(read(archive, "auth/users")[0]) <= {
        "id",
        "email",
        "phone",
        "raw_user_meta_data",
        "created_at",
        "last_sign_in_at",
    }
    assert "data/customers.json" not in archive.namelist()


def test_an_organization_gets_its_tables_and_no_token(desk, world, ana, tmp_path):
    archive = made(desk, tmp_path, world.ours.id, "access", "--organization")

    assert len(read(archive, "customers")) == 4
    assert read(archive, "journal_lines")
    assert "sealed" not in everything(archive)
    assert str(world.theirs.id) not in everything(archive)


def test_an_export_verifies_offline_and_a_changed_one_does_not(desk, world, ana, tmp_path):
    made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)
    assert desk("privacy", "export", "verify", tmp_path / "e.zip").code == 0

    with (
        zipfile.ZipFile(tmp_path / "e.zip") as old,
        zipfile.ZipFile(tmp_path / "f.zip", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"Ana", b"Eve"))

    assert desk("privacy", "export", "verify", tmp_path / "f.zip").code == 1
    (tmp_path / "g.zip").write_bytes(b"no zip")
    assert desk("privacy", "export", "verify", tmp_path / "g.zip").code == 1


def test_a_lost_file_is_named_and_the_rest_is_there(desk, world, ana, files, tmp_path):
    files.lost.add(f"attachments/{world.ours.id}/{ana.message}/0.jpg")

    archive = made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    assert f"{ana.message}/0.jpg" in archive.read("files/missing.txt").decode()


def test_a_full_disk_leaves_nothing_and_says_so(desk, world, ana, tmp_path, monkeypatch):
    request = granted(desk, world.ours.id, "access", "--email", ana.email)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_describe", full)
    ended = desk("privacy", "export", "make", request, "--out", tmp_path / "e.zip")

    assert ended.code == 1
    assert "No space left" in ended.err
    assert not list(tmp_path.glob("e.zip*"))


def test_making_an_export_leaves_no_trace_of_how_the_person_was_found(
    desk, sql, world, ana, tmp_path
):
    made(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    left = sql(
        "select (select count(*) from privacy.erasures) + (select count(*) from privacy.erasure_keys)"
    )
    assert left.fetchone() == (0,)


def test_an_export_goes_to_the_private_bucket_with_an_end(desk, sql, world, ana, files):
    request = granted(desk, world.ours.id, "access", "--email", ana.email)

    assert desk("privacy", "export", "make", request).code == 0

    (path, days) = sql(
        "select storage_path, extract(day from expires_at - now()) from public.data_exports where state = 'ready'"
    ).fetchone()
    assert list(files.stored) == [f"exports/{path}"]
    assert 6 <= days <= 7


def test_an_unverified_request_is_given_nothing(desk, world, ana, tmp_path):
    asked = desk(
        "privacy", "request", "open", world.ours.id, "access", "--email", ana.email, "--json"
    )

    assert (
        desk("privacy", "export", "make", asked.json["id"], "--out", tmp_path / "e.zip").code == 4
    )
    assert not (tmp_path / "e.zip").exists()
