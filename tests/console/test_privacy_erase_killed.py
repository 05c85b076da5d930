"""An erasure killed at every step and in the middle of its batches ends as one that was not."""

from __future__ import annotations

import re

import psycopg
import pytest

from cli import signing
from cli.erasing import Run, carry_out, plan
from tests.erasing import Storage
from tests.full_world import make_full_world
from tests.people import make_person, rows_of_tables

STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00")
MAKE = """
    select id from privacy.open_for(%s, 'deletion', %s, %s, %s, null, null, 'email', 'self', now(), null)
"""


class Killed(BaseException):
    """The process ends here."""


class Assassin:
    """Kills at every step the first time it is reached, and after *every*-th batch."""

    def __init__(self, every):
        self.every = every
        self.seen = set()
        self.batches = 0
        self.kills = 0

    def __call__(self, step):
        if "." in step:
            self.batches += 1
            deadly = self.batches % self.every == 0
        else:
            deadly = step not in self.seen
            self.seen.add(step)
        if deadly:
            self.kills += 1
            raise Killed(step)


@pytest.fixture(scope="module")
def prepared(cluster, template):
    """A world in which a person, a member and the organization may be erased."""
    name = cluster.create(template, "prepared")
    with psycopg.connect(cluster.url(name)) as db:
        ours = make_full_world(db).ours
        ana = make_person(db, ours, name="Ana Lafleur", number=1111)
        make_person(db, ours, name="Bob Tremblay", number=2222, invoice="owed")
        db.execute("update public.notes set created_by = %s", [ours.people["agent"]])
        for kind, user, customer in (
            ("contact", None, ana.customer),
            ("member", ours.people["agent"], None),
            ("organization", None, None),
        ):
            (request,) = db.execute(MAKE, [ours.id, kind, user, customer]).fetchone()
            db.execute("select privacy.verify_request(%s, %s, 'session', null)", [ours.id, request])
            db.execute("select privacy.decide_request(%s, %s, true, 'ana.r', null, null)", [ours.id, request])  # fmt: skip
        requests = dict(db.execute(
            "select subject_kind, id from public.privacy_requests where kind = 'deletion'"
        ).fetchall())  # fmt: skip
    yield name, ours, requests
    cluster.drop(name)


@pytest.fixture
def copies(cluster, prepared, monkeypatch, tmp_path):
    """Copies of that world, each erased in its own way."""
    made = []
    monkeypatch.setenv(signing.VARIABLE, str(tmp_path / "signing.pem"))
    monkeypatch.setenv("CONNEXT_ERASURE_JOURNAL", str(tmp_path / "journal"))
    signing.make(tmp_path / "signing.pem")

    def copy():
        made.append(cluster.create(prepared[0], "copy"))
        url = cluster.url(made[-1])
        monkeypatch.setenv("CONNEXT_DATABASE_URL", url)
        return url

    yield copy
    for name in made:
        cluster.drop(name)


def answered(url):
    """Let every provider have answered, as the workers do."""
    with psycopg.connect(url) as db:
        db.execute(
            "update private.billing_erasures set state = 'not_applicable', detail = 'none', finished_at = now()"
            " where state = 'pending'"
        )
        db.execute("delete from private.revocations")
        db.execute("delete from queue.jobs where kind like '%.revoke'")


def erased(url, prepared, kind, assassin):
    """Carry it out, beginning anew after each kill; return what it left and its certificate."""
    _, ours, requests = prepared
    made = plan(None, ours.id, requests[kind])

    def reached(step):
        if step == "started" and kind == "organization":
            with psycopg.connect(url) as db:
                db.execute(
                    "select private.close_organization(id) from public.organizations"
                    " where id = %s and closed_at is null", [ours.id],
                )  # fmt: skip
                db.execute("select privacy.ask_stripe(%s, %s)", [ours.id, made["id"]])
            answered(url)
        if assassin is not None:
            assassin(step)

    run = Run(None, ours.id, made["id"], batch=2, patience=5, place=Storage(url), reached=reached)
    while True:
        try:
            document = carry_out(run, made["plan_sha256"])
            break
        except Killed:
            continue
    with psycopg.connect(url) as db:
        left = {
            table: sorted(STAMP.sub("then", row) for row in rows)
            for table, rows in rows_of_tables(db, ours.id).items()
            # Hints and jobs have numbers of their own; both are gone or counted below.
            if table not in {"queue.jobs", "realtime.messages"}
        }
        accounts = db.execute("select count(*) from auth.users").fetchone()
        kept = db.execute(
            "select table_name, fields::text, purge_after from privacy.retained_documents order by 1, 2"
        ).fetchall()
        keys = db.execute("select count(*) from privacy.erasure_keys").fetchone()
        state = db.execute(
            "select e.state, r.status from privacy.erasures as e"
            " left join public.privacy_requests as r on r.org_id = e.org_id and r.id = e.request_id"
        ).fetchall()
    said = signing.verified(document, expected=None)
    facts = {name: said[name] for name in ("rows", "providers", "retained", "sweep", "subject")}
    return (left, accounts, kept, keys, state, facts), document


@pytest.mark.parametrize(("kind", "every"), [("contact", 5), ("member", 3), ("organization", 25)])
def test_killed_at_every_step_it_ends_as_if_nothing_had_happened(copies, prepared, kind, every):
    whole, _ = erased(copies(), prepared, kind, None)
    assassin = Assassin(every)

    killed, document = erased(copies(), prepared, kind, assassin)

    assert killed == whole
    steps = {"started", "files", "cleaned", "swept", "journalled", "certified"}
    # A kill after the certificate is signed and stored: nothing is left to do.
    assert steps <= assassin.seen
    assert assassin.kills > len(steps)
    tampered = document | {"body": document["body"].replace("1", "2", 1)}
    with pytest.raises(Exception, match="signature"):
        signing.verified(tampered, expected=None)
