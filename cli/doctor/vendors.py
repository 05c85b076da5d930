"""What providers and the receiver say to the secrets at hand; asking stores nothing anywhere.

A secret is read where processes read it: the environment, or a file of CONNEXT_SECRETS_DIR. It is
sent to its own vendor or signs an empty delivery, and is never shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cli.doctor.finding import Finding, judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from cli.database import Operator

GRAPH, GRAPH_VERSION, STRIPE = "https://graph.facebook.com", "v26.0", "https://api.stripe.com"
REFUSED, FORBIDDEN, MISSING = 401, 403, 404
OK = 200
# Signed, and about nothing: the receiver proves it, finds no event, and keeps none.
EMPTY_META = b'{"object":"page","entry":[]}'
EMPTY_STRIPE = json.dumps(
    {
        "id": "evt_doctor",
        "object": "event",
        "type": "doctor.asked",
        "data": {"object": {"object": "doctor"}},
    }
).encode()


def secret(environment: Mapping[str, str], name: str) -> str | None:
    """Find a secret as the settings do: the variable wins over the file."""
    if value := environment.get(name):
        return value
    folder = environment.get("CONNEXT_SECRETS_DIR")
    path = Path(folder) / name if folder else None
    try:
        return path.read_text().strip() or None if path is not None and path.is_file() else None
    except OSError:
        return None


def meta_app(environment: Mapping[str, str], client: httpx.Client) -> Finding:
    """Ask Meta whether the app's secret is the app's."""
    import httpx

    check = "Meta app"
    app, key = environment.get("META_APP_ID"), secret(environment, "META_APP_SECRET")
    if not app or not key:
        mend = "set META_APP_ID and META_APP_SECRET as the worker has them, and ask again"
        return Finding(check, "unknown", "the app's secret is not at hand", mend)
    root = environment.get("CONNEXT_META_GRAPH_URL") or GRAPH
    version = environment.get("CONNEXT_META_GRAPH_VERSION") or GRAPH_VERSION
    form = {"client_id": app, "client_secret": key, "grant_type": "client_credentials"}
    try:
        answer = client.post(f"{root.rstrip('/')}/{version}/oauth/access_token", data=form)
    except httpx.HTTPError as error:
        return _unreachable(check, "Meta", error)
    refused = OK < answer.status_code < 500  # noqa: PLR2004 - Meta's own trouble is none of ours
    return judged(
        check,
        f"Meta accepts the secret of app {app}" if answer.status_code == OK else "Meta has trouble",
        f"Meta does not accept META_APP_SECRET for app {app}" if refused else "",
        "copy both from the same app's dashboard; then restart the worker and the receiver",
    )


def stripe_key(db: Operator, environment: Mapping[str, str], client: httpx.Client) -> Finding:
    """Ask Stripe whether the key is good, and of the same mode as what is for sale."""
    import httpx

    check = "Stripe key"
    key = secret(environment, "STRIPE_API_KEY")
    if not key:
        mend = "set STRIPE_API_KEY as the worker has it, and ask again"
        return Finding(check, "unknown", "the key is not at hand", mend)
    sold = db.one(
        "select p.stripe_price_id as price from public.plans as p"
        " where p.active and p.stripe_price_id is not null order by p.rank limit 1"
    )
    price = sold["price"] if sold else None
    root = (environment.get("CONNEXT_STRIPE_API_URL") or STRIPE).rstrip("/")
    path = f"/v1/prices/{price}" if price else "/v1/customers?limit=1"
    try:
        answer = client.get(f"{root}{path}", headers={"authorization": f"Bearer {key}"})
    except httpx.HTTPError as error:
        return _unreachable(check, "Stripe", error)
    if answer.status_code == REFUSED:
        flaw, mend = (
            "Stripe refuses STRIPE_API_KEY: it is expired, rolled, or of nobody",
            "make a restricted key (docs/providers/stripe.md), set it, and restart the worker",
        )
    elif price and answer.status_code == MISSING:
        mode = "a test key" if "_test_" in key else "a live key"
        flaw, mend = (
            f"STRIPE_API_KEY is {mode} and does not know the price that is for sale, {price}",
            "use a key of the mode and account in which the prices were made",
        )
    else:
        flaw = mend = ""
    return judged(check, "Stripe accepts the key", flaw, mend)


def webhooks(
    db: Operator, url: str | None, environment: Mapping[str, str], client: httpx.Client
) -> Finding:
    """Knock at every address where a provider delivers, with the secrets at hand."""
    import httpx

    check = "webhooks"
    if not url:
        mend = "set CONNEXT_RECEIVER_URL and ask again"
        return Finding(check, "unknown", "the receiver's public address was not said", mend)
    root = url.rstrip("/")
    try:
        flaws = [
            *_meta_webhook(root, environment, client),
            *_stripe_webhook(db, root, environment, client),
            *_telnyx_webhook(db, root, client),
        ]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding(
            check,
            "fail",
            f"{url} cannot be reached: {type(error).__name__}",
            "start connext receiver run, put TLS in front of it, and open the port to the world",
        )
    return judged(
        check,
        "every address answers as it must",
        "; ".join(flaws),
        "give the receiver the secrets of the same apps as here, restart it, and let the proxy"
        " pass /webhooks on unchanged",
    )


def _meta_webhook(root: str, environment: Mapping[str, str], client: httpx.Client) -> list[str]:
    """Ask as Meta does at set-up, then deliver nothing."""
    flaws = []
    word = secret(environment, "META_VERIFY_TOKEN")
    asked = {
        "hub.mode": "subscribe",
        "hub.challenge": "doctor",
        "hub.verify_token": word or "a word that nobody chose",
    }
    status = client.get(f"{root}/webhooks/meta", params=asked).status_code
    if word and status == FORBIDDEN:
        flaws.append("the receiver has another META_VERIFY_TOKEN")
    elif status not in {OK, FORBIDDEN}:
        flaws.append(f"/webhooks/meta answers {status}")
    if key := secret(environment, "META_APP_SECRET"):
        digest = hmac.new(key.encode(), EMPTY_META, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={digest}"}
        answer = client.post(f"{root}/webhooks/meta", content=EMPTY_META, headers=headers)
        if answer.status_code == REFUSED:
            flaws.append("the receiver has another META_APP_SECRET")
    return flaws


def _stripe_webhook(
    db: Operator, root: str, environment: Mapping[str, str], client: httpx.Client
) -> list[str]:
    """Deliver an event about nothing; without plans for sale nobody needs the address."""
    sold = db.one(
        "select 1 as one from public.plans as p where p.stripe_price_id is not null limit 1"
    )
    key = secret(environment, "STRIPE_WEBHOOK_SECRET")
    if not sold and not key:
        return []
    at = int(time.time())
    listed = (key or "whsec_nobody").split(",")
    signed = f"{at}.".encode() + EMPTY_STRIPE
    proofs = [hmac.new(one.strip().encode(), signed, hashlib.sha256).hexdigest() for one in listed]
    headers = {"stripe-signature": ",".join([f"t={at}", *(f"v1={proof}" for proof in proofs)])}
    status = client.post(
        f"{root}/webhooks/stripe", content=EMPTY_STRIPE, headers=headers
    ).status_code
    if status == MISSING:
        return ["the receiver has no STRIPE_WEBHOOK_SECRET, so there is no /webhooks/stripe"]
    if key and status == REFUSED:
        return ["the receiver has another STRIPE_WEBHOOK_SECRET"]
    return [] if status in {OK, REFUSED} else [f"/webhooks/stripe answers {status}"]


def _telnyx_webhook(db: Operator, root: str, client: httpx.Client) -> list[str]:
    """Knock at the address of one connection; unsigned, it must be refused and not unknown."""
    link = db.one(
        "select i.id from public.integrations as i"
        " where i.provider = 'telnyx' and i.status = 'active' order by i.created_at limit 1"
    )
    if link is None:
        return []
    status = client.post(f"{root}/webhooks/telnyx/{link['id']}", content=b"{}").status_code
    return [] if status == REFUSED else [f"/webhooks/telnyx answers {status}"]


def _unreachable(check: str, name: str, error: Exception) -> Finding:
    return Finding(
        check,
        "unknown",
        f"{name} cannot be reached from here: {type(error).__name__}",
        "ask from a machine that may reach it",
    )
