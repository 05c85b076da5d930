"""What is somebody else's in an export: withheld, counted, said; and what is one's own is not."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import zipfile

import psycopg
import pytest

from cli import export_zip, objects, signing
from tests.console.test_privacy_export import Files, everything, granted
from tests.full_world import make_full_world
from tests.people import make_person

WITHHELD = "withheld: somebody else's"
THREAD = """
    insert into public.messages (org_id, provider, channel_id, conversation_id, direction, state, body, external_id, origin)
    select org_id, provider, channel_id, id, %(direction)s, %(state)s, %(body)s, %(key)s, 'webhook'
    from public.conversations where id = %(thread)s
"""
OWN = (
    "I need the lamp",
    "My number is (514) 555-1111, ask for Ana Lafleur",
    "Ana and Bob are only given names",
)
OTHERS = (
    "Bob Tremblay wants one too",
    "Write to bob.TREMBLAY@example.com",
    "Call 514-555-2222",
    "bob   tremblay's: psid-bob.tremblay-2222",
)


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_full_world(db)
        db.execute("update public.privacy_requests set status = 'cancelled', closed_at = now()")
        make_person(db, made.ours, name="Bob Tremblay", number=2222)
    return made


@pytest.fixture
def ana(clone, world):
    with psycopg.connect(clone) as db:
        made = make_person(db, world.ours, name="Ana Lafleur", number=1111)
        for number, body in enumerate((*OWN, *OTHERS)):
            db.execute(THREAD, {"thread": made.conversation, "body": body, "key": f"t-{number}", "direction": "inbound", "state": "received"})  # fmt: skip
        db.execute(THREAD, {"thread": made.conversation, "body": "We have it, says Luc", "key": "out", "direction": "outbound", "state": "sent"})  # fmt: skip
        for body in ("Ana Lafleur likes lamps", "Saw her with Bob Tremblay"):
            db.execute("insert into public.notes (org_id, customer_id, body) values (%s, %s, %s)", [world.ours.id, made.customer, body])  # fmt: skip
    return made


@pytest.fixture
def desk(operated, tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "objects", lambda data: Files())
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    signing.make(tmp_path / "signing.pem")
    return operated


def exported(desk, tmp_path, *words):
    request = granted(desk, *words)
    ended = desk("privacy", "export", "make", request, "--out", tmp_path / "e.zip", "--json")
    assert ended.code == 0, ended.err
    archive = zipfile.ZipFile(tmp_path / "e.zip")
    return archive, json.loads(json.loads(archive.read("manifest.json"))["body"])


def bodies(archive, table):
    return [row["body"] for row in json.loads(archive.read(f"data/{table}.json"))]


def test_texts_that_name_another_person_are_withheld_and_counted(desk, world, ana, tmp_path):
    archive, said = exported(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    messages = bodies(archive, "messages")
    assert set(OWN) <= set(messages)
    assert sum(WITHHELD in body for body in messages) == len(OTHERS)
    assert "We have it, says Luc" in messages  # it was sent to her
    notes = bodies(archive, "notes")
    assert "Ana Lafleur likes lamps" in notes
    assert sum(WITHHELD in body for body in notes) == 1
    assert said["withheld"] == {"public.messages": len(OTHERS), "public.notes": 1}
    told = everything(archive).lower()
    for word in ("tremblay", "5145552222", "555-2222", "psid-bob"):
        assert word not in told
    page = archive.read("index.html").decode()
    assert "4 in messages: somebody else&#x27;s" in page
    assert "4 dans messages : à une autre personne" in page


def test_portability_takes_along_only_what_the_person_sent(desk, world, ana, tmp_path):
    archive, said = exported(desk, tmp_path, world.ours.id, "portability", "--email", ana.email)

    messages = bodies(archive, "messages")
    assert set(OWN) <= set(messages)
    assert not [body for body in messages if "Luc" in body or "Tremblay" in body]
    assert said["withheld"]["public.messages"] == len(OTHERS) + 1


def test_who_has_the_same_name_keeps_their_own_texts(desk, clone, world, ana, tmp_path):
    with psycopg.connect(clone) as db:
        make_person(db, world.ours, name="Ana  LAFLEUR", number=3333, invoice=None)

    archive, _ = exported(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    assert "Ana Lafleur likes lamps" in bodies(archive, "notes")


def test_the_organization_itself_takes_everything(desk, world, ana, tmp_path):
    archive, said = exported(desk, tmp_path, world.ours.id, "access", "--organization")

    assert set(OTHERS) <= set(bodies(archive, "messages"))
    assert said["withheld"] == {}


def test_the_card_says_who_it_is_and_nobody_else(desk, world, ana, tmp_path):
    for kind in ("access", "portability"):
        archive, _ = exported(desk, tmp_path, world.ours.id, kind, "--email", ana.email)
        card = archive.read("subject.vcf").decode().split("\r\n")
        assert card[:2] == ["BEGIN:VCARD", "VERSION:4.0"]
        assert "FN:Ana Lafleur" in card
        assert f"TEL;VALUE=uri:tel:{ana.phone}" in card
        assert f"EMAIL:{ana.email}" in card
        assert [line for line in card if line.startswith("ADR")]
        assert "Tremblay" not in "".join(card)


class Page(html.parser.HTMLParser):
    """What a page says to who cannot see it."""

    def __init__(self, text):
        super().__init__()
        self.opened, self.languages, self.tags, self.levels = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in {"h1", "h2", "h3", "h4"}:
            self.levels.append(int(tag[1]))


def test_the_page_is_in_two_languages_and_can_be_heard(desk, world, ana, tmp_path):
    archive, _ = exported(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    text = archive.read("index.html").decode()
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert page.tags[0] == ("html", {"lang": "fr"})
    assert ("section", {"lang": "en", "id": "en"}) in page.tags
    assert tags.count("table") == tags.count("caption") > 4
    assert all(attrs.get("scope") in ("col", "row") for tag, attrs in page.tags if tag == "th")
    assert all(after - before <= 1 for before, after in zip(page.levels, page.levels[1:], strict=False))  # fmt: skip
    for said in (
        "Commission d&#x27;accès à l&#x27;information (Québec)", "Commission d&#x27;accès à l&#x27;information (Quebec)",
        "automated means alone", "moyens automatisés seuls", "restricted", "limiter",
        "withdraw a consent", "retirer un consentement", "from you", "de vous", "Supabase Inc. (US)",
        "Ours",
    ):  # fmt: skip
        assert said in text, said


def test_hostile_names_stay_text(desk, sql, world, ana, tmp_path):
    sql("update public.organizations set name = %s where id = %s", ['<img src=x onerror="a()">', world.ours.id])  # fmt: skip
    sql("update public.customers set display_name = %s where id = %s", ["</caption><script>a()</script>\nEND:VCARD", ana.customer])  # fmt: skip

    archive, _ = exported(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    tags = {tag for tag, _ in Page(archive.read("index.html").decode()).tags}
    assert not tags & {"script", "img", "iframe", "form", "link", "object"}
    assert archive.read("subject.vcf").count(b"\r\nEND:VCARD") == 1
    rows = csv.DictReader(io.StringIO(archive.read("data/customers.csv").decode(), newline=""))
    assert next(iter(rows))["display_name"].startswith("</caption>")


def test_every_name_in_the_archive_can_be_unpacked_on_windows(desk, sql, world, ana, tmp_path):
    for path in ("con.txt", "a:b?.jpg", "dot. ", "A:B?.JPG", "back\\slash"):
        sql(
            "insert into public.attachments (org_id, provider, message_id, position, kind, state, storage_path, mime_type, size_bytes, sha256)"
            " select org_id, 'meta', id, (select count(*) + 1 from public.attachments), 'file', 'stored', org_id || '/' || id || '/' || %s, 'text/plain', 3, repeat('0', 64)"
            " from public.messages where id = %s",
            [path, ana.message],
        )
        sql("insert into storage.objects (bucket_id, name) values ('attachments', %s)", [f"{world.ours.id}/{ana.message}/{path}"])  # fmt: skip

    archive, said = exported(desk, tmp_path, world.ours.id, "access", "--email", ana.email)

    names = archive.namelist()
    assert len({name.casefold() for name in names}) == len(names)
    assert len([name for name in names if name.startswith("files/")]) == 6
    for name in names:
        for part in name.split("/"):
            assert part == export_zip.safe(part)
            assert part.partition(".")[0].upper() not in {"CON", "NUL", "AUX", "PRN"}
    assert said["renamed"][f"files/{ana.message}/_con.txt"] == f"{ana.message}/con.txt"
    assert desk("privacy", "export", "verify", tmp_path / "e.zip").code == 0
