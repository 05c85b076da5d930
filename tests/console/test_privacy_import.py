"""`connext privacy import`: a portability bundle into an empty organization, and out again the same."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli import objects, signing
from tests.console.test_privacy_export import Files, granted
from tests.database import as_operator, as_user
from tests.full_world import make_full_world
from tests.people import make_person
from tests.world import make_org

TABLES = (
    "customers", "contact_points", "addresses", "notes", "tasks", "products", "tax_rates", "accounts",
    "orders", "order_items", "invoices", "invoice_items", "payments", "journal_entries",
    "journal_lines", "conversations", "messages", "attachments", "calls", "opt_outs",
)  # fmt: skip


class Bucket(Files):
    """Storage that gives back what was put into it."""

    def get(self, path):
        return self.stored.get(path) or super().get(path)

    def delete(self, path):
        self.stored.pop(path, None)


@pytest.fixture
def files(monkeypatch):
    place = Bucket()
    monkeypatch.setattr(objects, "objects", lambda data: place)
    return place


@pytest.fixture
def desk(operated, files, tmp_path, monkeypatch):
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "signing.pem"))
    signing.make(tmp_path / "signing.pem")
    return operated


@pytest.fixture
def world(clone):
    with psycopg.connect(clone) as db:
        made = make_full_world(db)
        db.execute("update public.privacy_requests set status = 'cancelled', closed_at = now()")
        make_person(db, made.ours, name="Ana Lafleur", number=1111)
        make_person(db, made.ours, name="Bob Tremblay", number=2222, invoice="owed")
    return made


@pytest.fixture
def new(clone):
    return empty(clone)


def empty(url):
    with psycopg.connect(url) as db:
        made = db.execute(
            "insert into public.organizations (name, country, currency) values ('New', 'FR', 'EUR') returning id"
        ).fetchone()
    return made[0]


def bundle(desk, org, path):
    request = granted(desk, org, "portability", "--organization")
    made = desk("privacy", "export", "make", request, "--out", path)
    assert made.code == 0, made.err
    with zipfile.ZipFile(path) as archive:
        return json.loads(json.loads(archive.read("manifest.json"))["body"])


def held(said):
    """The digest of every file that is data."""
    return {n: f["sha256"] for n, f in said["files"].items() if n.startswith(("data/", "files/"))}


def test_an_imported_organization_exports_an_equal_bundle(desk, sql, world, new, tmp_path):
    before = bundle(desk, world.ours.id, tmp_path / "a.zip")

    done = desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--yes", "--json")

    assert done.code == 0, done.err
    after = bundle(desk, new, tmp_path / "b.zip")
    assert held(after) == held(before)
    assert after["content_sha256"] == before["content_sha256"] == done.json["content_sha256"]
    assert set(TABLES) <= {name.split(".")[1] for name in after["rows"]}
    assert [p for p in objects.objects(None).stored if p.startswith(f"attachments/{new}/")]
    assert sql("select count(*) from audit.events where kind = 'import.made' and org_id = %s", [new]).fetchone() == (1,)  # fmt: skip


def test_what_was_imported_goes_on_where_it_was(desk, sql, clone, world, tmp_path):
    bundle(desk, world.ours.id, tmp_path / "a.zip")
    new = empty(clone)
    assert desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--yes").code == 0

    with psycopg.connect(clone) as db:
        one = db.execute("select max(number) from public.invoices where org_id = %s", [new]).fetchone()[0]  # fmt: skip
        owner = make_org(db, "Other").people["owner"]
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
            [new, owner],
        )
        customer = db.execute("select id from public.customers where org_id = %s", [new]).fetchone()[0]  # fmt: skip
        as_user(db, owner, new)
        draft = db.execute(
            "insert into public.invoices (org_id, customer_id) values (%s, %s) returning id",
            [new, customer],
        ).fetchone()[0]
        db.execute(
            "insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor, tax_codes) values (%s, %s, 'Lamp', 100, '{}')",
            [new, draft],
        )
        issued = db.execute("select (public.issue_invoice(%s)).number", [draft]).fetchone()
        as_operator(db)
    assert issued == (one + 1,)
    assert sql("select status, consent_id from public.integrations where org_id = %s", [new]).fetchall() == [("disconnected", None)] * 2  # fmt: skip
    assert sql("select count(*) from privacy.imports").fetchone() == (0,)


def test_only_an_empty_organization_is_imported_into(desk, sql, clone, world, tmp_path):
    bundle(desk, world.ours.id, tmp_path / "a.zip")
    rows = "select count(*), max(updated_at) from public.customers where org_id = %s"
    before = sql(rows, [world.theirs.id]).fetchone()

    refused = desk("privacy", "import", tmp_path / "a.zip", "--org", world.theirs.id, "--yes")

    assert refused.code == 4
    assert "not empty" in refused.err
    assert sql(rows, [world.theirs.id]).fetchone() == before
    unknown = desk("privacy", "import", tmp_path / "a.zip", "--org", UUID(int=1), "--yes")
    assert unknown.code == 1


def test_a_dry_run_checks_everything_and_keeps_nothing(desk, sql, world, new, tmp_path):
    bundle(desk, world.ours.id, tmp_path / "a.zip")

    done = desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--dry-run", "--json")

    assert done.code == 0, done.err
    assert done.json["public.customers"] == 4
    assert sql("select count(*) from public.customers where org_id = %s", [new]).fetchone() == (0,)
    assert sql("select name from public.organizations where id = %s", [new]).fetchone() == ("New",)
    assert not [path for path in objects.objects(None).stored if str(new) in path]


def test_a_changed_bundle_is_not_believed(desk, clone, world, tmp_path):
    bundle(desk, world.ours.id, tmp_path / "a.zip")
    new = empty(clone)
    with zipfile.ZipFile(tmp_path / "a.zip") as old, zipfile.ZipFile(tmp_path / "f.zip", "w") as f:
        for name in old.namelist():
            f.writestr(name, old.read(name).replace(b"Ana", b"Eve"))

    assert desk("privacy", "import", tmp_path / "f.zip", "--org", new, "--yes").code == 1


def test_a_bundle_of_a_key_that_nobody_named_is_refused(desk, clone, world, tmp_path, monkeypatch):
    bundle(desk, world.ours.id, tmp_path / "a.zip")
    new = empty(clone)
    theirs = signing.signer(None).key_id
    monkeypatch.setenv("CONNEXT_SIGNING_KEY", str(tmp_path / "other.pem"))
    signing.make(tmp_path / "other.pem")

    refused = desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--yes")

    assert refused.code == 4
    assert theirs in refused.err
    named = desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--yes", "--key", theirs)
    assert named.code == 0, named.err


@pytest.mark.parametrize("words", [("access", "--organization"), ("portability", "--email", "ana.lafleur@example.com")])  # fmt: skip
def test_other_exports_are_no_bundles_to_import(desk, clone, world, tmp_path, words):
    request = granted(desk, world.ours.id, *words)
    assert desk("privacy", "export", "make", request, "--out", tmp_path / "a.zip").code == 0

    assert desk("privacy", "import", tmp_path / "a.zip", "--org", empty(clone), "--yes").code == 4


def test_files_go_again_when_the_import_fails(desk, sql, world, new, tmp_path):
    bundle(desk, world.ours.id, tmp_path / "a.zip")
    files = objects.objects(None)
    put, times = files.put, []

    def failing(path, content, *, mime_type):
        times.append(path)
        if len(times) == 2:
            raise OSError(5, "broken")
        put(path, content, mime_type=mime_type)

    files.put = failing
    with pytest.raises(OSError, match="broken"):
        desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--yes")

    assert len(times) == 2
    assert not [path for path in files.stored if str(new) in path]
    assert sql("select count(*) from public.customers where org_id = %s", [new]).fetchone() == (0,)


WORDS = st.text(st.sampled_from('ab é漢"\\,;\n\t\r\v\x01=+@\''), min_size=1, max_size=20).map(lambda t: "x" + t + "x")  # fmt: skip
PEOPLE = st.lists(st.tuples(WORDS, WORDS, st.none() | st.datetimes().map(str)), max_size=4)
SALES = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9999), st.sampled_from(["draft", "issued", "paid"])), max_size=3)  # fmt: skip


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PEOPLE, SALES)
def test_any_small_organization_comes_back_as_it_was(desk, clone, tmp_path, people, sales):
    with psycopg.connect(clone) as db:
        db.execute("insert into private.sealing_keys (key_id, public_key, state) values (repeat('A', 40), 'none', 'active') on conflict do nothing")  # fmt: skip
        org = make_org(db, "Ours")
        for name, note, due in [*people, ("xx", "xx", None)]:
            customer = db.execute(
                "insert into public.customers (org_id, kind, display_name) values (%s, 'person', %s) returning id",
                [org.id, name.strip() or "x"],
            ).fetchone()[0]
            db.execute("insert into public.notes (org_id, customer_id, body) values (%s, %s, %s)", [org.id, customer, note])  # fmt: skip
            db.execute("insert into public.tasks (org_id, customer_id, title, due_at) values (%s, %s, 'x', %s)", [org.id, customer, due])  # fmt: skip
            db.execute("update public.messages set body = %s where org_id = %s", [note, org.id])
        for quantity, price, state in sales:
            as_operator(db)
            invoice = db.execute("insert into public.invoices (org_id, customer_id) values (%s, %s) returning id", [org.id, customer]).fetchone()[0]  # fmt: skip
            db.execute(
                "insert into public.invoice_items (org_id, invoice_id, description, quantity, unit_price_minor) values (%s, %s, 'x', %s, %s)",
                [org.id, invoice, quantity, price + 1],
            )
            if state != "draft":
                as_user(db, org.people["owner"], org.id)
                db.execute("select public.issue_invoice(%s)", [invoice])
            if state == "paid":
                db.execute("select public.record_payment(%s, 1, 'cash')", [invoice])
        as_operator(db)
    before = bundle(desk, org.id, tmp_path / "a.zip")
    new = empty(clone)

    done = desk("privacy", "import", tmp_path / "a.zip", "--org", new, "--yes")

    assert done.code == 0, done.err
    assert held(bundle(desk, new, tmp_path / "b.zip")) == held(before)
    assert before["made_on"] == date.fromisoformat(before["made_on"]).isoformat()
