"""Secrets and people go through every path of a whole stack, and stay out of everything told.

What is told: the logs of every process, the metrics, the queue's payloads and reasons, and the
errors kept for people to read.
"""

import hashlib
import hmac
import json
import secrets
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from cli.embedded import process
from cli.story.stage import Denied, Person, open_stage
from tests.prepared import stack_data
from tests.stacks import LocalStack

NAME, SURNAME = "Zebulon", "Quartzfield"
EMAIL, PHONE = "zebulon.quartzfield@private.example", "+1 514 555 0199"
TEXT = "the zanzibar parcel goes to the lighthouse"
PASSWORD = "a-zanzibar-password-of-theirs"
LOOKALIKE = "EAA" + "Zq7" * 20
PERSONAL = f"{TEXT} for {NAME} {SURNAME}, {EMAIL}, {PHONE}, {LOOKALIKE}"
PERSON = "24000000000000777"
SECONDS = 60

# Everything that may be read by somebody who must not see a person or a secret.
TOLD = {
    "payloads and errors of jobs": "select payload::text, last_error, ordering_key, dedupe_key from queue.jobs",
    "dead jobs": "select payload::text, reason, ordering_key from queue.dead_jobs",
    "unreadable webhooks": "select digest, reason from queue.unreadable_webhooks",
    "errors of integrations": "select error from public.integrations",
    "errors of messages": "select error_code, error_detail from public.messages",
}


def until(condition, what):
    assert process.wait_until(condition, SECONDS), f"{what}: not in time"


class Scene:
    """A stack, its people, and the words that must not be told."""

    def __init__(self, stack):
        self.stack = stack
        self.stage = open_stage(stack.status)
        self.meta = json.loads((stack.data / "sandbox.json").read_text())["meta"]
        self.heard = {}
        self.words = {NAME, SURNAME, EMAIL, PHONE, "5550199", TEXT, "zanzibar", PASSWORD, LOOKALIKE}
        self.words |= {self.meta["app_secret"], self.meta["verify_token"], PERSON}
        self.words |= {stack.status["secret_key"], stack.status["jwt_secret"]}
        for address in (*stack.status["worker_urls"].values(), stack.status["database_url"]):
            self.words.add(urlsplit(address).password)

    def sql(self, query, *args):
        with self.stack.connect() as db:
            cursor = db.execute(query, args)
            return cursor.fetchall() if cursor.description else []

    def webhook(self, raw, headers=None, **query):
        url = f"{self.stack.status['receiver_url']}/webhooks/meta"
        return httpx.post(url, content=raw, headers=headers, params=query, trust_env=False)

    def signed(self, raw):
        digest = hmac.new(self.meta["app_secret"].encode(), raw, hashlib.sha256).hexdigest()
        return {"x-hub-signature-256": f"sha256={digest}"}

    def fault(self, **fault):
        self.stage.control("faults", fault)

    def told(self):
        """Read everything that is told, by where it stands."""
        found = {
            path.name: path.read_text(errors="replace")
            for path in self.stack.data.joinpath("logs").iterdir()
        }
        for name in ("health_receiver", "health_meta", "health_privacy"):
            port = self.stack.status["ports"][name]
            url = f"http://127.0.0.1:{port}/metrics"
            found[f"metrics of {name}"] = httpx.get(url, trust_env=False).text
        now = {name: json.dumps(self.sql(query)) for name, query in TOLD.items()}
        return found | {name: self.heard.get(name, "") + text for name, text in now.items()}

    def hear(self, place, *, wanted):
        """Keep what a place tells for a while only, once it tells *wanted*."""
        until(lambda: wanted in json.dumps(self.sql(TOLD[place])), f"{wanted} in {place}")
        self.heard[place] = self.heard.get(place, "") + json.dumps(self.sql(TOLD[place]))

    def spilled(self):
        """Name each place that tells a word it must not, without repeating the word."""
        return sorted(
            f"{place}: {word[:4]}…"
            for place, text in self.told().items()
            for word in self.words
            if word.lower() in text.lower()
        )


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    stack = LocalStack(stack_data(tmp_path_factory.mktemp("redaction") / "data"))
    done = stack.up(CONNEXT_LOG_LEVEL="debug")
    assert done.returncode == 0, done.stderr
    made = Scene(stack)
    with made.stage.api, made.stage.sandbox:
        yield made
    stack.down()


@pytest.fixture(scope="module")
def lived(scene):
    """The scene after everything has happened to it."""
    owner = _people(scene)
    _connect(scene, owner)
    _webhooks(scene)
    _replies(scene, owner)
    _calls_that_fail(scene, owner)
    _dead_jobs(scene)
    scene.words |= {row["token"] for row in scene.stage.control("state")["tokens"]}
    return scene


def _people(scene):
    api = scene.stage.api
    api.post("/auth/v1/signup", json={"email": EMAIL, "password": PASSWORD})
    for password in ("wrong-" + PASSWORD, PASSWORD):
        answer = api.post(
            "/auth/v1/token",
            params={"grant_type": "password"},
            json={"email": EMAIL, "password": password},
        )
    token = answer.json()["access_token"]
    scene.words |= {token, token.split(".")[1]}
    owner = Person(EMAIL, token, api)
    owner.org = owner.call("create_organization", name=f"{NAME} {SURNAME} Ltd")["id"]
    owner.call("invite_member", email="other." + EMAIL, role="agent")
    return owner


def _connect(scene, owner):
    scene.stage.control(
        "seed",
        {
            "people": [{"name": f"{NAME} {SURNAME}"}],
            "pages": [{"id": "104000000000777", "name": f"{SURNAME} Shop"}],
            "customers": [
                {
                    "psid": PERSON,
                    "page_id": "104000000000777",
                    "first_name": NAME,
                    "last_name": SURNAME,
                }
            ],
        },
    )
    begun = owner.call("begin_connection", provider="meta")
    answer = scene.stage.sandbox.get(begun["authorize_url"], follow_redirects=False)
    query = {n: v[0] for n, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    scene.words |= {query["code"], query["state"]}
    # A first answer that quotes the token and the person, as vendors do.
    scene.fault(kind="server_error", path="/me", message=f"token {LOOKALIKE} of {EMAIL}")
    owner.call("complete_connection", state=query["state"], code=query["code"])
    with pytest.raises(Denied):
        owner.call("complete_connection", state=query["state"], code=query["code"])
    scene.hear("payloads and errors of jobs", wanted="error 1")
    scene.sql("update queue.jobs set run_at = now() where kind = 'meta.connect'")
    until(
        lambda: scene.sql("select 1 from public.integrations where status = 'active'"),
        "the connection",
    )


def _webhooks(scene):
    scene.stage.control("say", {"page_id": "104000000000777", "psid": PERSON, "text": PERSONAL})
    until(lambda: scene.sql("select 1 from public.messages where body = %s", PERSONAL), "the inbox")
    raw = json.dumps({"object": "page", "entry": [{"id": "1", "messaging": [{"said": PERSONAL}]}]})
    assert scene.webhook(raw.encode()).status_code == 401
    assert scene.webhook(raw.encode(), {"x-hub-signature-256": "sha256=00"}).status_code == 401
    for text in (PERSONAL, f'{{"object": "page", "entry": "{PERSONAL}"}}', raw):
        assert scene.webhook(text.encode(), scene.signed(text.encode())).status_code == 200
    broken = {"sender": {"id": PERSON}, "recipient": {"id": "1"}, "message": {"text": PERSONAL}}
    rotten = json.dumps({"object": "page", "entry": [{"id": "1", "messaging": [broken]}]}).encode()
    scene.webhook(rotten, scene.signed(rotten), access_token=LOOKALIKE, email=EMAIL)
    asked = {"hub.mode": "subscribe", "hub.verify_token": PASSWORD, "hub.challenge": EMAIL}
    url = f"{scene.stack.status['receiver_url']}/webhooks/meta"
    assert httpx.get(url, params=asked, trust_env=False).status_code == 403


def _replies(scene, owner):
    (thread,) = owner.get("conversations", select="id")

    def reply():
        row = owner.call(
            "send_message",
            conversation_id=thread["id"],
            body=PERSONAL,
            client_key=f"00000000-0000-4000-8000-{secrets.token_hex(6)}",
        )
        scene.sql("update queue.jobs set run_at = now() where kind = 'meta.send'")
        until(
            lambda: scene.sql(
                "select 1 from public.messages where id = %s and state not in ('queued', 'sending')",
                row["id"],
            ),
            "the reply",
        )

    send = {"method": "POST", "pattern": "/messages$"}
    quoting = f"cannot send '{PERSONAL}'"
    reply()
    scene.fault(kind="error", code=100, message=quoting, **send)
    reply()
    scene.fault(kind="error_in_200", code=10, message=quoting, **send)
    reply()
    scene.fault(kind="not_json", status=200, body=f"<html>{PERSONAL}</html>", **send)
    reply()
    scene.fault(kind="hang_up_after_effect", **send)
    reply()


def _calls_that_fail(scene, owner):
    nowhere = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(Denied):
        owner.call("send_message", conversation_id=nowhere, body=PERSONAL, client_key=nowhere)
    with pytest.raises(Denied):
        owner.call("send_message", conversation_id=PERSONAL, body=PERSONAL, client_key=EMAIL)
    with pytest.raises(Denied):
        owner.call("accept_invitation", token=LOOKALIKE)
    with pytest.raises(Denied):
        owner.get("messages", created_at=f"gt.{EMAIL}")
    for path in ("/rest/v1/nothing", f"/rest/v1/{SURNAME}", "/storage/v1/object/private/x"):
        scene.stage.api.get(path, params={"email": f"eq.{EMAIL}"}, headers=owner.headers())
    with suppress(httpx.HTTPError):
        scene.stage.api.post(
            "/rest/v1/rpc/send_message", content=PERSONAL.encode(), headers=owner.headers()
        )
    forged = owner.token[:-4] + "AAAA"
    scene.stage.api.get("/rest/v1/messages", headers={"authorization": f"Bearer {forged}"})


def _dead_jobs(scene):
    """Let jobs die of what they cannot read and of what Meta says about a token."""
    org = scene.sql("select org_id from public.integrations limit 1")[0][0]
    for kind in ("meta.send", "meta.event"):
        scene.sql("select queue.enqueue('meta', %s, %s, '{\"odd\": 1}')", kind, org)
    until(lambda: len(scene.sql("select 1 from queue.dead_jobs")) >= 2, "dead jobs")


def test_what_is_told_is_really_read(scene):
    """The control: a word in any of these places would be found."""
    scene.sql("select queue.enqueue('upkeep', 'upkeep.odd', payload => '{\"word\": \"canary\"}')")
    until(
        lambda: "canary" in json.dumps(scene.sql(TOLD["dead jobs"])),
        "the canary among the dead jobs",
    )
    scene.words.add("canary")
    try:
        assert scene.spilled() == ["dead jobs: cana…"]
    finally:
        scene.words.discard("canary")
    told = scene.told()
    assert "worker started" in told["worker_meta.log"]
    assert {"receiver.log", "worker_meta.log", "worker_privacy.log", "api.log", "postgres.log"} <= (
        told.keys()
    )
    assert "connext_jobs_total" in told["metrics of health_meta"]


def test_nothing_of_it_is_told_anywhere(lived):
    told = lived.told()
    # These paths did speak; what they said is the point.
    assert "webhook refused" in told["receiver.log"]
    assert "job failed" in told["worker_meta.log"]
    assert "wrong fields" in told["unreadable webhooks"]
    assert "Meta refused to" in told["payloads and errors of jobs"]
    assert "Malformed" in told["dead jobs"]
    assert "Ambiguous" in told["dead jobs"]
    assert 'code="100"' in told["metrics of health_meta"]

    assert lived.spilled() == []


def test_it_is_where_it_belongs(lived):
    bodies = {row[0] for row in lived.sql("select body from public.messages")}
    calls = json.dumps(lived.stage.control("calls"))

    assert bodies == {PERSONAL}
    assert "messages" in calls
