"""Meta's callbacks about a person: proven, acted on once, and answered with a page they can read."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from tests.database import connect_as, url_as
from tests.messenger import Clock
from workers.core.clock import SystemClock
from workers.db.pool import Database
from workers.receiver.app import build
from workers.receiver.callbacks import PostgresPeople
from workers.receiver.counters import Counters
from workers.receiver.ingest import PostgresIngest
from workers.receiver.pages import PostgresSource, PublicPages

SECRET = "app-secret"
DEAUTHORIZE, DELETION = "/webhooks/meta/deauthorize", "/webhooks/meta/deletion"


def encoded(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(person, *, later=timedelta(), secret=SECRET, **more):
    """Sign a request as Meta would, now or `later`: an older one cannot end a newer connection."""
    at = int((datetime.now(UTC) + later).timestamp())
    said = {"algorithm": "HMAC-SHA256", "issued_at": at, "user_id": person}
    payload = encoded(json.dumps(said | more).encode())
    digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return f"{encoded(digest)}.{payload}"


def ask(url, method, path, **options):
    """Send one request to the receiver, logged in as ingress."""

    async def send():
        dsn = SecretStr(url_as(url, "ingress"))
        async with Database(dsn, application_name="connext-test", size=1) as database:
            pages = PublicPages(PostgresSource(database), clock=SystemClock())
            app = build(
                more=pages.routes(),
                ingest=PostgresIngest(database),
                people=PostgresPeople(database),
                counters=Counters(),
                app_secret=SecretStr(SECRET),
                verify_token=SecretStr("word"),
                public_url="https://hooks.example.com",
                clock=Clock(datetime.now(UTC)),
            )
            transport = httpx.ASGITransport(app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://r") as client:
                return await client.request(method, path, **options)

    return asyncio.run(send())


def call_back(stage, path, signed_request):
    return ask(stage.url, "POST", path, data={"signed_request": signed_request})


@pytest.fixture
def person(stage):
    """Somebody who has connected the organization's Page."""
    asid = str(abs(hash(stage.page)))[:15]
    stage.do(
        "update public.integrations set external_account_id = %s, account_name = 'Ann'"
        " where id = %s",
        *(asid, stage.integration),
    )
    return asid


def records(stage):
    return stage.do("select * from privacy.provider_callbacks order by received_at, code")


def test_who_removes_the_app_is_disconnected(stage, person):
    answer = call_back(stage, DEAUTHORIZE, signed(person))

    assert answer.status_code == 200
    assert stage.link()["status"] == "disconnected"
    assert stage.opened() == {}
    assert stage.do("select 1 from private.channel_routes where org_id = %s", stage.org) == []


def test_a_deletion_disconnects_erases_and_gives_a_code(stage, person):
    answer = call_back(stage, DELETION, signed(person))

    code = answer.json()["confirmation_code"]
    assert answer.json()["url"] == f"https://hooks.example.com/privacy/deletion/{code}"
    link = stage.link()
    assert (link["status"], link["external_account_id"], link["account_name"]) == (
        "disconnected",
        None,
        None,
    )
    assert stage.opened() == {}
    page = ask(stage.url, "GET", f"/privacy/deletion/{code}")
    assert page.status_code == 200
    assert "has been deleted" in page.text
    assert "ont été supprimées" in page.text
    assert page.headers["content-type"].startswith("text/html")


def test_a_deletion_leaves_the_worker_ten_minutes_to_unsubscribe_the_page(stage, person):
    call_back(stage, DELETION, signed(person))

    left = stage.one(
        "select subject, revoke_by - now() between '9 min' and '10 min' as soon"
        " from private.revocations where org_id = %s",
        stage.org,
    )
    assert (left["subject"], left["soon"]) == (stage.page, True)
    stage.work()

    assert stage.graph.asked("unsubscribe") == [{"page": stage.page, "token": "EAApage"}]
    assert stage.do("select 1 from private.revocations where org_id = %s", stage.org) == []


def test_after_ten_minutes_nothing_sealed_remains_of_who_asked_for_deletion(stage, person):
    call_back(stage, DELETION, signed(person))
    stage.do("update private.revocations set revoke_by = now() where org_id = %s", stage.org)

    with connect_as(stage.url, "worker_privacy", autocommit=True) as upkeep:
        upkeep.execute("select private.purge_revocations()")

    assert stage.do("select 1 from private.revocations where org_id = %s", stage.org) == []
    stage.work()
    assert stage.graph.asked("unsubscribe") == []


def test_what_is_recorded_does_not_name_the_person(stage, person):
    call_back(stage, DELETION, signed(person))

    assert person not in str(records(stage))


def test_the_same_deletion_again_has_the_same_code(stage, person):
    request = signed(person)
    first = call_back(stage, DELETION, request)
    again = call_back(stage, DELETION, request)
    later = call_back(stage, DELETION, signed(person, later=timedelta(seconds=2)))

    assert first.json() == again.json()
    assert later.json()["confirmation_code"] != first.json()["confirmation_code"]


def test_a_replayed_callback_does_not_end_a_connection_made_since(stage, person):
    request = signed(person)
    call_back(stage, DEAUTHORIZE, request)
    stage.integration = stage.connect(stage.org, status="active")
    stage.do(
        "update public.integrations set external_account_id = %s where id = %s",
        *(person, stage.integration),
    )

    assert call_back(stage, DEAUTHORIZE, request).status_code == 200

    assert stage.link()["status"] == "active"


def test_of_an_unknown_person_no_data_is_held(stage):
    answer = call_back(stage, DELETION, signed("424242"))

    code = answer.json()["confirmation_code"]
    assert answer.status_code == 200
    assert stage.link()["status"] == "active"
    assert "held no data" in ask(stage.url, "GET", f"/privacy/deletion/{code}").text


@pytest.mark.parametrize("path", [DEAUTHORIZE, DELETION])
@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (lambda person: signed(person, secret="another"), 401),
        (lambda person: signed(person).replace(".", "x."), 401),
        (lambda person: signed(person) + "A", 401),
        (lambda person: signed(person, algorithm="none"), 401),
        (lambda person: signed(person, later=-timedelta(days=8)), 401),
        (lambda person: signed(person, later=timedelta(hours=1)), 401),
        (lambda person: signed("not a number"), 400),
        (lambda person: "." + signed(person).split(".")[1], 401),
        (lambda person: "rubbish", 401),
        (lambda person: "", 400),
    ],
)
def test_what_is_not_proven_is_refused_and_leaves_nothing(stage, person, path, request_of, status):
    before = records(stage)

    assert call_back(stage, path, request_of(person)).status_code == status

    assert stage.link()["status"] == "active"
    assert records(stage) == before


def test_a_code_nobody_was_given_shows_nothing(stage):
    for code in ("0" * 32, "x", "%27or1"):
        page = ask(stage.url, "GET", f"/privacy/deletion/{code}")
        assert page.status_code == 404
        assert "do not know" in page.text


def test_the_receiver_can_call_the_functions_and_read_no_table(stage):
    with connect_as(stage.url, "ingress") as receiver:
        row = receiver.execute("select * from queue.deletion_status('x')").fetchone()
        assert row is None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            receiver.execute("select * from privacy.provider_callbacks")
