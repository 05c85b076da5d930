"""The doctor asks vendors and the receiver about the secrets at hand, and never shows one."""

from __future__ import annotations

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from cli.database import Operator
from cli.doctor import vendors
from sandbox.app import Config, Sandbox
from sandbox.meta.config import MetaConfig
from sandbox.stripe.config import API_VERSION, StripeConfig
from tests.edge import APP_SECRET, INTEGRATION, STRIPE_SECRET, VERIFY_TOKEN, Edge
from tests.serving import serving
from workers.core.clock import SystemClock

APP, GIVEN_SECRET, STRIPE_KEY = "138483919580948", "the-secret-of-the-app", "rk_test_doctor"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def providers():
    """The sandbox's Meta and Stripe."""
    sandbox = Sandbox(
        Config(
            meta=MetaConfig(app_id=APP, app_secret=GIVEN_SECRET, verify_token="a-word"),
            stripe=StripeConfig(api_key=STRIPE_KEY, webhook_secrets=["whsec_x"]),
        )
    )
    with serving(sandbox.app) as address:
        yield address


@pytest.fixture(scope="module")
def edge():
    """The receiver, whose Stripe takes today's signatures."""
    made = Edge(SystemClock())
    with serving(made.app) as address:
        yield made, address


@pytest.fixture
def client():
    # Stripe takes a call without a version; its sandbox takes none but ours.
    headers = {"stripe-version": API_VERSION}
    with httpx.Client(timeout=30, trust_env=False, headers=headers) as made:
        yield made


@pytest.fixture
def operator(scratch):
    with psycopg.connect(scratch, row_factory=dict_row) as connection:
        yield Operator(connection)
        connection.rollback()


def sell(operator, price):
    operator.run(
        "insert into public.plans (plan, name_en, name_fr, amount_minor, rank, stripe_price_id)"
        " values ('sold', 'Sold', 'Vendu', 2900, 9, %s)",
        price,
    )


def asked(address, client, **changed):
    environment = {
        "META_APP_ID": APP,
        "META_APP_SECRET": GIVEN_SECRET,
        "CONNEXT_META_GRAPH_URL": f"{address}/meta",
    }
    return vendors.meta_app(environment | changed, client)


def graph(address, client):
    """Find where the sandbox has its Graph."""
    for prefix in ("/meta", "/graph", ""):
        if client.post(f"{address}{prefix}/v26.0/oauth/access_token").status_code != 404:
            return f"{address}{prefix}"
    raise AssertionError("the sandbox has no Graph")


def test_the_secret_of_the_app_is_accepted(providers, client):
    found = asked(providers, client, CONNEXT_META_GRAPH_URL=graph(providers, client))

    assert (found.result, found.found) == ("ok", f"Meta accepts the secret of app {APP}")


@pytest.mark.parametrize("wrong", [{"META_APP_SECRET": "of another app"}, {"META_APP_ID": "42"}])
def test_a_secret_of_another_app_is_found_and_not_shown(providers, client, wrong):
    found = asked(providers, client, CONNEXT_META_GRAPH_URL=graph(providers, client), **wrong)

    assert found.result == "fail"
    assert "META_APP_SECRET" in found.found
    assert not {"of another app", GIVEN_SECRET} & set(str(found).split("'"))


def test_what_cannot_be_asked_is_unknown_and_no_failure(client):
    assert asked(NOWHERE, client).result == "unknown"
    assert vendors.meta_app({}, client).result == "unknown"


@pytest.mark.parametrize(
    ("key", "price", "result", "told"),
    [
        (STRIPE_KEY, None, "ok", "accepts"),
        ("rk_test_expired", None, "fail", "expired"),
        (STRIPE_KEY, "price_of_live", "fail", "a test key"),
    ],
)
def test_a_key_of_stripe_is_good_and_of_the_mode_of_the_prices(  # noqa: PLR0913, PLR0917 - parameters and fixtures
    providers, client, operator, key, price, result, told
):
    if price:
        sell(operator, price)
    environment = {"STRIPE_API_KEY": key, "CONNEXT_STRIPE_API_URL": stripe_at(providers, client)}

    found = vendors.stripe_key(operator, environment, client)

    assert (found.result, told in found.found) == (result, True), found
    assert key not in str(found)


def stripe_at(address, client):
    """Find where the sandbox has its Stripe."""
    for prefix in ("/stripe", ""):
        if client.get(f"{address}{prefix}/v1/prices/x").status_code in {400, 401}:
            return f"{address}{prefix}"
    raise AssertionError("the sandbox has no Stripe")


def test_stripe_out_of_reach_or_without_a_key_is_unknown(operator, client):
    environment = {"STRIPE_API_KEY": STRIPE_KEY, "CONNEXT_STRIPE_API_URL": NOWHERE}

    assert vendors.stripe_key(operator, environment, client).result == "unknown"
    assert vendors.stripe_key(operator, {}, client).result == "unknown"


RIGHT = {
    "META_APP_SECRET": APP_SECRET,
    "META_VERIFY_TOKEN": VERIFY_TOKEN,
    "STRIPE_WEBHOOK_SECRET": f"whsec_rolled,{STRIPE_SECRET}",
}


def test_the_receiver_with_the_same_secrets_answers_and_keeps_nothing(edge, operator, client):
    made, address = edge

    assert vendors.webhooks(operator, address, RIGHT, client).result == "ok"
    assert vendors.webhooks(operator, address, {}, client).result == "ok"
    assert made.kept.is_empty


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_receiver_with_another_secret_is_found(edge, operator, client, name):
    made, address = edge

    found = vendors.webhooks(operator, address, RIGHT | {name: "another-one"}, client)

    assert (found.result, f"another {name}" in found.found) == ("fail", True), found
    assert "another-one" not in str(found)
    assert made.kept.is_empty


def test_a_secret_in_a_file_counts_and_a_variable_wins(tmp_path):
    (tmp_path / "META_APP_SECRET").write_text("from the file\n")
    environment = {"CONNEXT_SECRETS_DIR": str(tmp_path)}

    assert vendors.secret(environment, "META_APP_SECRET") == "from the file"
    assert vendors.secret(environment | {"META_APP_SECRET": "set"}, "META_APP_SECRET") == "set"
    assert vendors.secret(environment, "STRIPE_API_KEY") is None


def test_plans_for_sale_need_the_webhook_of_stripe(operator, client, providers):
    sell(operator, "price_1")

    found = vendors.webhooks(operator, providers, {}, client)  # a server that is no receiver

    assert found.result == "fail"
    assert "STRIPE_WEBHOOK_SECRET" in found.found
    assert "/webhooks/meta answers 404" in found.found


def test_the_address_of_a_telnyx_connection_is_knocked_at(edge, operator, client):
    _, address = edge
    db = operator.connection
    org = db.execute("insert into public.organizations (name) values ('T') returning id").fetchone()
    db.execute(
        "insert into public.integrations (org_id, id, provider, status, consent_id, connected_at)"
        " values (%s, %s, 'telnyx', 'active', private.grant_consent(%s, 'telnyx', '{}'), now())",
        [org["id"], INTEGRATION, org["id"]],
    )

    assert vendors.webhooks(operator, address, {}, client).result == "ok"


@pytest.mark.parametrize("url", [NOWHERE, "http://[", "no address"])
def test_a_receiver_that_cannot_be_reached_is_found(operator, client, url):
    found = vendors.webhooks(operator, url, RIGHT, client)

    assert found.result == "fail"
    assert "connext receiver run" in found.mend
