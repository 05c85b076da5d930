"""Completing addresses: who may ask, how often, with what; and what Google and the log get to see."""

import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from starlette.applications import Starlette

from sandbox.app import Config, Sandbox
from sandbox.places.vendor import PlacesConfig
from tests.callers import Caller
from workers.providers import http
from workers.providers.places.client import PlacesClient
from workers.providers.supabase.tokens import SigningKeys, Tokens
from workers.receiver.counters import Counters
from workers.receiver.limits import Buckets
from workers.receiver.places import Addresses

SECRET = SecretStr("a secret of thirty-two characters!")
PERSON, ORG = uuid.uuid4(), uuid.uuid4()
KEY, ORIGIN = "google-key", "https://app.example"
TYPED = "1000 Rue"


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def now(self):
        return datetime.now(UTC)

    def monotonic(self):
        return self.seconds


class Gate:
    def __init__(self):
        self.answer, self.asked, self.error = "ok", [], None

    async def ask(self, person, chosen):
        self.asked.append((person, chosen))
        if self.error:
            raise self.error
        return self.answer, None if self.answer == "forbidden" else ORG


class Stage:
    """The endpoints over the sandbox's Google, in one process."""

    def __init__(self, *, per_person=1000, per_organization=1000, key=KEY):
        self.google = Sandbox(Config(places=PlacesConfig(api_key=KEY)))
        self.gate, self.clock, self.counters = Gate(), Clock(), Counters()
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.jwks = 0
        transport = httpx.ASGITransport(app=self.google.app)
        keys = httpx.AsyncClient(transport=httpx.MockTransport(self._keys))
        served = Addresses(
            tokens=Tokens(
                keys=SigningKeys(keys, url="https://x.supabase.co", clock=self.clock), secret=SECRET
            ),
            gate=self.gate,
            google=PlacesClient(
                http.client(transport=transport),
                api_key=SecretStr(key),
                clock=self.clock,
                base_url="https://places.example/google",
            ),
            people=Buckets(per_minute=per_person, clock=self.clock),
            organizations=Buckets(per_minute=per_organization, clock=self.clock),
            counters=self.counters,
            origin=ORIGIN,
        )
        self.caller = Caller(Starlette(routes=served.routes()))
        self.session = str(uuid.uuid4())

    def _keys(self, request):
        self.jwks += 1
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key()))
        return httpx.Response(
            200, json={"keys": [{**jwk, "kid": "k1", "alg": "ES256", "use": "sig"}]}
        )

    def claims(self, **changed):
        soon = datetime.now(UTC) + timedelta(hours=1)
        return {
            "sub": str(PERSON), "aud": "authenticated", "role": "authenticated", "exp": soon, **changed
        }  # fmt: skip

    def token(self, *, secret=None, algorithm="HS256", **changed):
        return jwt.encode(
            self.claims(**changed), secret or SECRET.get_secret_value(), algorithm=algorithm
        )

    def ask(self, path="autocomplete", *, token=None, headers=None, raw=None, **body):
        given = {"input": TYPED} if path == "autocomplete" else {"place_id": "ChIJsandbox0001"}
        content = raw or json.dumps({"session": self.session, **given, **body}).encode()
        head = {"authorization": f"Bearer {self.token() if token is None else token}"}
        return self.caller.post(f"/places/{path}", content=content, headers=head | (headers or {}))

    @property
    def calls(self):
        return list(self.google.vendors[0].log)

    def fail(self, **fault):
        answer = Caller(self.google.app).post("/_control/places/faults", json=fault)
        assert answer.status_code == 200


@pytest.fixture
def stage():
    return Stage()


def test_typing_and_choosing_completes_an_address(stage):
    found = stage.ask(country="CA", language="fr").json()
    chosen = stage.ask("details", place_id=found["suggestions"][0]["place_id"]).json()

    assert found["suggestions"][0]["text"].startswith("1000 Rue")
    assert found["attribution"] == chosen["attribution"] == "Google Maps"
    assert (chosen["line1"], chosen["city"], chosen["region"]) == (
        "1000 Rue de la Gauchetière Ouest",
        "Montréal",
        "QC",
    )
    assert (chosen["country"], chosen["postal_code"]) == ("CA", "H3B 4W5")


def test_google_gets_the_text_the_session_and_where_to_look_and_nothing_else(stage):
    stage.ask(
        country="CA",
        headers={
            "x-connext-org": str(ORG),
            "cookie": "a=b",
            "referer": "https://app.example/c/7",
            "x-forwarded-for": "203.0.113.7",
        },
    )
    stage.ask("details")
    first, second = stage.calls

    assert first["body"] == {
        "input": TYPED,
        "sessionToken": stage.session,
        "languageCode": "en",
        "regionCode": "CA",
        "includedRegionCodes": ["CA"],
        "includedPrimaryTypes": ["street_address", "premise", "subpremise", "route"],
    }
    assert second["query"] == {"sessionToken": stage.session, "languageCode": "en"}
    assert second["headers"]["x-goog-fieldmask"] == "id,formattedAddress,addressComponents"
    allowed = {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
        "content-type",
        "content-length",
        "x-goog-api-key",
        "x-goog-fieldmask",
    }
    for call in (first, second):
        assert set(call["headers"]) <= allowed
        assert call["headers"]["user-agent"] == http.USER_AGENT
    assert str(ORG) not in str(stage.calls)
    assert str(PERSON) not in str(stage.calls)


@pytest.mark.parametrize(
    "fault",
    [
        None,
        {"kind": "rate_limit"},
        {"kind": "server_error"},
        {"kind": "error"},
        {"kind": "hang_up_before_effect"},
    ],
)
def test_nothing_typed_is_ever_logged_or_counted(stage, fault):
    if fault:
        stage.fail(**fault)
    with structlog.testing.capture_logs() as logs:
        stage.ask(input="742 Evergreen Terrace")
        stage.ask(input="742 Evergreen\x00Terrace")
        stage.ask("details", place_id="742EvergreenTerrace")

    said = json.dumps(logs, default=str) + stage.counters.text().decode()
    assert "vergreen" not in said
    assert stage.session not in said


@pytest.mark.parametrize(
    "make",
    [
        lambda s: "",
        lambda s: "nonsense",
        lambda s: "a.b.c",
        lambda s: "x" * 10_000,
        lambda s: s.token(secret="another secret of 32 characters!!"),
        lambda s: s.token(exp=datetime.now(UTC) - timedelta(minutes=1)),
        lambda s: s.token(aud="anon"),
        lambda s: s.token(role="anon"),
        lambda s: s.token(role="service_role"),
        lambda s: s.token(sub="not an id"),
        lambda s: s.token(sub=None),
        lambda s: jwt.encode(
            {k: v for k, v in s.claims().items() if k != "exp"}, SECRET.get_secret_value()
        ),
        lambda s: jwt.encode(s.claims(), None, algorithm="none"),
        lambda s: jwt.encode(s.claims(), s.private, algorithm="ES256", headers={"kid": "other"}),
        lambda s: jwt.encode(s.claims(), s.private, algorithm="ES256"),
        lambda s: jwt.encode(
            s.claims(),
            ec.generate_private_key(ec.SECP256R1()),
            algorithm="ES256",
            headers={"kid": "k1"},
        ),
    ],
)
def test_a_token_that_is_not_valid_now_is_refused_before_anything_else(stage, make):
    answer = stage.ask(token=make(stage))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert stage.gate.asked == stage.calls == []


def test_a_token_signed_with_the_projects_key_is_accepted_and_the_key_is_kept(stage):
    token = jwt.encode(stage.claims(), stage.private, algorithm="ES256", headers={"kid": "k1"})

    assert [stage.ask(token=token).status_code for _ in range(3)] == [200] * 3
    assert stage.jwks == 1


def test_unknown_keys_are_looked_for_at_most_every_half_minute(stage):
    token = jwt.encode(stage.claims(), stage.private, algorithm="ES256", headers={"kid": "new"})
    for _ in range(5):
        stage.ask(token=token)
    assert stage.jwks == 1

    stage.clock.seconds += 31
    stage.ask(token=token)

    assert stage.jwks == 2


def test_a_public_key_is_never_taken_for_a_secret(stage):
    public = jwt.algorithms.ECAlgorithm.to_jwk(stage.private.public_key())
    head, body, _ = stage.token().split(".")
    forged_head = jwt.utils.base64url_encode(
        b'{"alg": "HS256", "kid": "k1", "typ": "JWT"}'
    ).decode()
    proof = hmac.digest(public.encode(), f"{forged_head}.{body}".encode(), "sha256")
    forged = f"{forged_head}.{body}.{jwt.utils.base64url_encode(proof).decode()}"

    assert head != forged_head
    assert stage.ask(token=forged).status_code == 401


@pytest.mark.parametrize(
    ("answer", "status"), [("forbidden", 403), ("not_enabled", 403), ("not_paid", 402)]
)
def test_membership_consent_and_plan_decide_and_google_is_not_asked(stage, answer, status):
    stage.gate.answer = answer

    refused = stage.ask(headers={"x-connext-org": str(ORG)})

    assert (refused.status_code, refused.json()["code"]) == (status, answer)
    assert stage.gate.asked == [(PERSON, ORG)]
    assert stage.calls == []


def test_an_organization_that_is_no_id_is_nobodys(stage):
    assert stage.ask(headers={"x-connext-org": "' or 1=1"}).status_code == 403
    assert stage.gate.asked == []


@pytest.mark.parametrize(
    "body",
    [
        {"input": "a\x00b"}, {"input": "1000\nRue"}, {"input": "rue \u202egnol"},
        {"input": "x" * 201}, {"input": 7}, {"input": None},
        {"session": "not-a-session"}, {"session": str(uuid.uuid1())}, {"session": ""},
        {"country": "ca"}, {"country": "CAN"}, {"language": "xx"}, {"more": 1},
    ],
)  # fmt: skip
def test_malformed_requests_are_refused_and_not_repeated(stage, body):
    answer = stage.ask(**body)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "gnol" not in answer.text
    assert stage.calls == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"{}", b"[" * 4000])
def test_bodies_that_are_no_request_are_refused(stage, raw):
    assert stage.ask(raw=raw or b" ").status_code == 400


def test_ten_kilobytes_are_refused_unread(stage):
    assert stage.ask(input="x" * 10_000).status_code == 413


def test_two_characters_are_not_worth_a_question(stage):
    assert stage.ask(input=" 10 ").json()["suggestions"] == []
    assert stage.calls == []


def test_nothing_found_is_an_empty_list(stage):
    assert stage.ask(input="zzzzzz").json()["suggestions"] == []


def test_a_session_ends_with_the_details_and_is_not_used_again(stage):
    stage.ask()
    stage.ask("details")

    again, fresh = stage.ask(), stage.ask(session=str(uuid.uuid4()))

    assert (again.status_code, again.json()["code"]) == (409, "session_ended")
    assert fresh.status_code == 200


def test_a_session_of_one_person_does_not_end_anothers(stage):
    stage.ask("details")

    other = stage.ask(token=stage.token(sub=str(uuid.uuid4())))

    assert other.status_code == 200


def test_people_and_organizations_are_slowed_down_each_for_themselves():
    stage = Stage(per_person=8, per_organization=12)

    mine = [stage.ask().status_code for _ in range(3)]
    other = [stage.ask(token=stage.token(sub=str(uuid.uuid4()))) for _ in range(2)]
    assert mine == [200, 200, 429]
    assert [answer.status_code for answer in other] == [200, 429]
    assert int(other[1].headers["retry-after"]) >= 1

    stage.clock.seconds += 60
    assert stage.ask().status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "rate_limit"}, 429, "quota"),
        ({"kind": "server_error"}, 503, "unavailable"),
        ({"kind": "service"}, 503, "unavailable"),
        ({"kind": "error"}, 503, "unavailable"),
        ({"kind": "hang_up_before_effect"}, 503, "unavailable"),
    ],
)
def test_googles_troubles_leave_the_form_to_be_filled_by_hand(stage, fault, status, code):
    stage.fail(**fault)

    answer = stage.ask()

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "retry-after" in answer.headers
    assert "by hand" in answer.json()["message"]


def test_a_key_that_google_refuses_is_the_operators_problem():
    stage = Stage(key="wrong")
    with structlog.testing.capture_logs() as logs:
        answer = stage.ask()

    assert answer.status_code == 503
    assert "GOOGLE_PLACES_API_KEY" in logs[0]["problem"]


def test_an_obsolete_place_is_said_so(stage):
    assert stage.ask("details", place_id="ChIJgone0000").status_code == 404


def test_a_database_that_is_away_means_by_hand(stage):
    from workers.core.errors import Unavailable

    stage.gate.error = Unavailable("away")

    assert stage.ask().status_code == 503


def test_only_the_frontends_pages_may_read_the_answer(stage):
    ours = stage.caller.options("/places/autocomplete", headers={"origin": ORIGIN})
    other = stage.ask(headers={"origin": "https://evil.example"})

    assert ours.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in other.headers
    assert stage.ask(headers={"origin": ORIGIN}).headers["access-control-allow-origin"] == ORIGIN
