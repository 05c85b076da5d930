"""A link to an export on a real stack: the page, the button, the bytes out of Storage, and no more."""

from __future__ import annotations

import io
import zipfile
from uuid import uuid4

import httpx
import pytest

from tests.people import make_person
from tests.stacks import connext
from tests.world import make_world

BUCKET = "/storage/v1/object/exports"


@pytest.fixture
def ana(stack):
    with stack.connect() as db, db.transaction():
        org = make_world(db).ours
        person = make_person(db, org, name=f"Ana Lafleur-{uuid4().hex[:6]}", number=1111)
        db.execute("delete from public.attachments where org_id = %s", [org.id])
        request = db.execute(
            "select id from privacy.open_for(%s, 'access', 'contact', null, %s, null, null, 'email', 'self', now(), null)",
            [org.id, person.customer],
        ).fetchone()[0]
        db.execute("select privacy.verify_request(%s, %s, 'session', null)", [org.id, request])
        db.execute(
            "select privacy.decide_request(%s, %s, true, 'ana.r', null, null)", [org.id, request]
        )
    return org, person, request


def told(stack, *words):
    done = connext("privacy", "export", *map(str, words), "--data", str(stack.data))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_somebody_outside_fetches_their_export_once(stack, ana):
    org, person, request = ana
    place = told(stack, "make", request).split()[1]
    link = next(w for w in told(stack, "link", request).split() if w.startswith("http"))

    with httpx.Client(trust_env=False) as world:
        for _ in range(2):
            page = world.get(link)
            assert page.status_code == 200
            assert "<form method" in page.text
            assert page.headers["cache-control"] == "no-store"
        sent = world.post(link)
        assert sent.status_code == 200
        archive = zipfile.ZipFile(io.BytesIO(sent.content))
        assert person.name.encode() in archive.read("data/customers.json")
        assert world.post(link).status_code == 404
        assert world.get(link).status_code == 404

    # The address in the bucket is of no use to anybody else, whatever key they hold.
    session = stack.sign_up(f"{uuid4()}@example.com")
    path = place.removeprefix("exports/")
    with stack.client(token=session["access_token"]) as api:
        api.headers["x-connext-org"] = str(org.id)
        assert api.get(f"{BUCKET}/{path}").status_code >= 400
        assert api.post(f"/storage/v1/object/sign/exports/{path}", json={"expiresIn": 9}).status_code >= 400  # fmt: skip


def test_what_storage_has_lost_is_said_and_the_link_stays(stack, ana):
    _, _, request = ana
    place = told(stack, "make", request).split()[1]
    link = next(w for w in told(stack, "link", request).split() if w.startswith("http"))
    with stack.client("secret_key", stack.status["secret_key"]) as api:
        bucket, _, name = place.partition("/")
        gone = api.request("DELETE", f"/storage/v1/object/{bucket}", json={"prefixes": [name]})
        assert gone.is_success

    with httpx.Client(trust_env=False) as world:
        assert world.post(link).status_code == 503
        assert world.get(link).status_code == 200
