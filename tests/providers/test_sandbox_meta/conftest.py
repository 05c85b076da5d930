"""A served sandbox, a receiver, and a caller that proves its tokens by its own arithmetic."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.app import Config
from sandbox.embedded import Inbox, receiving, running
from sandbox.meta.config import MetaConfig

APP_ID, SECRET, VERIFY = "138483919580948", "s3cret-of-the-app", "meatyhamhock"
REDIRECT = "https://app.example/connect/meta"
FIELDS = (
    "messages,message_echoes,message_deliveries,message_reads,message_reactions,"
    "message_edits,messaging_postbacks,messaging_referrals,messaging_policy_enforcement"
)


@dataclass
class Stage:
    """The sandbox as a test sees it."""

    http: httpx.Client
    inbox: Inbox
    url: str
    app_id: str = APP_ID
    secret: str = SECRET
    redirect: str = REDIRECT
    fields: str = FIELDS
    page: str = "104000000000001"
    other_page: str = "104000000000002"
    psid: str = "24000000000000001"
    asid: str = "10158000000000001"

    def proof(self, token):
        return hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def graph(self, method, path, token, *, body=None, **params):
        proven = {"access_token": token, "appsecret_proof": self.proof(token)}
        return self.http.request(method, f"/v26.0{path}", params={**proven, **params}, json=body)

    def control(self, path, order=None):
        answer = self.http.post(f"/_control/{path}", json=order or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, path):
        return self.http.get(f"/_control/{path}").json()

    def consent(self, **changed):
        query = {
            "client_id": self.app_id,
            "redirect_uri": self.redirect,
            "state": "st",
            "response_type": "code",
            "config_id": "1",
            **changed,
        }
        answer = self.http.get("/v26.0/dialog/oauth", params=query)
        location = answer.headers.get("location", "")
        return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    def exchange(self, code, **changed):
        form = {
            "client_id": self.app_id,
            "client_secret": self.secret,
            "redirect_uri": self.redirect,
            "code": code,
            **changed,
        }
        return self.http.post("/v26.0/oauth/access_token", data=form)

    def user_token(self, **consent):
        return self.exchange(self.consent(**consent)["code"]).json()["access_token"]

    def page_token(self, page=None, **consent):
        listed = self.graph("GET", "/me/accounts", self.user_token(**consent)).json()["data"]
        return next(item["access_token"] for item in listed if item["id"] == (page or self.page))

    def connected(self):
        token = self.page_token()
        subscribed = self.graph(
            "POST", f"/{self.page}/subscribed_apps", token, subscribed_fields=self.fields
        )
        assert subscribed.json() == {"success": True}
        return token

    def send(self, token, text="hello", **changed):
        body = {
            "recipient": {"id": self.psid},
            "messaging_type": "RESPONSE",
            "message": {"text": text, "metadata": "outbox-1"},
            **changed,
        }
        return self.graph("POST", f"/{self.page}/messages", token, body=body)

    def says(self, text="hi", **how):
        order = {"page_id": self.page, "psid": self.psid, "text": text, **how}
        return self.control("meta/say", order)

    def happens(self, kind, **what):
        order = {"kind": kind, "page_id": self.page, "psid": self.psid, **what}
        return self.control("meta/event", order)

    def webhooks(self):
        return [json.loads(request.body) for request in self.inbox.posts()]


def error_of(answer):
    """Return what a worker classifies an error by."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error.get("error_subcode")


@pytest.fixture(scope="module")
def served():
    with receiving() as inbox:
        config = MetaConfig(
            app_id=APP_ID,
            app_secret=SECRET,
            verify_token=VERIFY,
            callback_url=f"{inbox.url}/webhooks/meta",
            deauthorize_url=f"{inbox.url}/deauthorize",
            deletion_url=f"{inbox.url}/deletion",
        )
        with (
            running(Config(meta=config)) as url,
            httpx.Client(base_url=url, timeout=10, trust_env=False) as http,
        ):
            yield Stage(http, inbox, url)


@pytest.fixture
def stage(served):
    served.control("reset")
    served.inbox.clear()
    served.control("meta/seed")
    served.control("meta/switches", {"retry_pause_ms": 0})
    return served


@pytest.fixture
def code_of():
    return error_of
