"""Billing and addresses: Stripe's events from stored to applied, and what the Places proxy adds.

The baseline of the first is Supabase's Stripe sync engine (npm, fetched when it can be), fed the
same events on the same cluster. It writes what an event says; ours reads the object again, which
is a call to Stripe (here the sandbox) for all but what was read meanwhile. Events about an object
whose reading has not begun join it: many events about few objects, as here, are fewer readings.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import psycopg
from pydantic import SecretStr

from bench.cluster import durable_cluster
from bench.results import Row, at_least, below
from cli.embedded.cluster import free_port
from tests.billing import RETURN, Counter
from tests.database import make_user, url_as
from tests.teller import KEY, PLACES_KEY, PRICE, Till, open_till
from workers.db.pool import Database
from workers.providers.stripe import webhook
from workers.receiver.ingest import Delivery, PostgresIngest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
ENGINE = "@supabase/stripe-sync-engine@0.48.5"
SECRET = "a secret of at least thirty-two characters"  # noqa: S105 - of this run alone
ORGS, BATCH = 20, 50
FULL, QUICK = (2000, 400), (400, 150)  # events, and requests of the proxy
SECONDS = 300


def run(*, quick: bool) -> list[Row]:
    """Run both; figures are of one pass over the events, and medians of interleaved requests."""
    events, asked = QUICK if quick else FULL
    with ExitStack() as stack:
        cluster = stack.enter_context(durable_cluster())
        url = cluster.url(cluster.create(cluster.build_template(), "billing"))
        till = stack.enter_context(open_till())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="connext-bench-")))
        stage = Counter(url, till)
        things = _customers(stage, till)
        lines = _events(things, events)
        ours = _ours(stack, url, till, lines)
        sys.stderr.write(f"ours: {ours:.0f} events/s\n")
        theirs = _theirs(cluster, folder, lines)
        direct, proxied = _proxy(stack, url, till, asked)
    rows = [Row("Stripe events applied", ours, "events/s", "as measured", reached=True)]
    if theirs is not None:
        rows = [
            at_least(
                "Stripe events applied, against the sync engine", ours, theirs, 0.2, "events/s"
            )
        ]
    added = [proxied[i] - direct[i] for i in (0, 1)]
    return [
        *rows,
        below("Places proxy, added at p50", added[0], 5.0, "ms"),
        below("Places proxy, added at p99", added[1], 50.0, "ms"),
    ]


def _customers(stage: Counter, till: Till) -> list[dict[str, Any]]:
    """Make organizations with a subscription each; return what Stripe has of them."""
    for number in range(ORGS):
        org, _ = stage.organization()
        customer = till.ask(
            lambda api, org=org, number=number: api.create_customer(
                str(org), email=f"bench{number}@example.com", key=f"bench{number}"
            )
        ).id
        session = till.ask(
            lambda api, org=org, customer=customer: api.create_checkout(
                org=str(org), customer=customer, price=PRICE, trial_days=0, return_url=RETURN,
                key=f"checkout{customer}",
            )
        )  # fmt: skip
        till.order("pay", {"session": session.id})
        stage.do(
            "insert into public.billing_accounts (org_id, stripe_customer_id) values (%s, %s)",
            *(org, customer),
        )
    return [*till.things("subscription"), *till.things("invoice")]


def _events(things: list[dict[str, Any]], count: int) -> list[bytes]:
    """Write snapshot events about the things, in no order."""
    chance = random.Random(7)  # noqa: S311 - no secret
    letters = str.maketrans("0123456789", "ghijklmnop")
    lines = []
    for _ in range(count):
        thing = chance.choice(things)
        kind = (
            "customer.subscription.updated" if thing["object"] == "subscription" else "invoice.paid"
        )
        event = {
            "id": f"evt_{uuid.uuid4().hex.translate(letters)}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "livemode": False,
            "type": kind,
            "data": {"object": thing},
        }
        lines.append(json.dumps(event).encode())
    return lines


def _ours(stack: ExitStack, url: str, till: Till, lines: list[bytes]) -> float:
    """Store and apply every event with one worker process; return events a second."""
    environment = {
        "CONNEXT_DATABASE_URL": url_as(url, "worker_stripe"),
        "CONNEXT_STRIPE_API_URL": till.url,
        "STRIPE_API_KEY": KEY,
        "CONNEXT_LOG_LEVEL": "error",
    }
    stack.enter_context(_process(["worker", "run", "stripe"], environment))
    with psycopg.connect(url, autocommit=True) as db:
        asyncio.run(_store(url, lines[:1]))  # the worker is up when this one is done
        _drain(db)
        lines = lines[1:]
        begun = time.perf_counter()
        asyncio.run(_store(url, lines))
        _drain(db)
        seconds = time.perf_counter() - begun
        dead = db.execute("select count(*) from queue.dead_jobs").fetchone()
        kept = db.execute("select count(*) from public.subscriptions").fetchone()
    if dead != (0,) or kept != (ORGS,):
        raise RuntimeError(f"{dead} dead jobs, {kept} subscriptions of {ORGS}")
    return len(lines) / seconds


async def _store(url: str, lines: list[bytes]) -> None:
    """Store as the receiver does: proven events reduced to ids, some dozens in a commit."""
    events = []
    for line in lines:
        found = webhook.parse(line)
        assert found is not None
        events.append(found.as_json())
    ingress = SecretStr(url_as(url, "ingress"))
    async with Database(ingress, application_name="bench", size=2) as database:
        storage = PostgresIngest(database)
        for start in range(0, len(events), BATCH):
            await storage.store_together(
                [Delivery("stripe", (event,)) for event in events[start : start + BATCH]]
            )


def _drain(db: psycopg.Connection[Any]) -> None:
    """Wait until every job is done."""
    end = time.monotonic() + SECONDS
    while _left(db):
        if time.monotonic() > end:
            raise TimeoutError("the worker did not apply every event")
        time.sleep(0.02)


def _left(db: psycopg.Connection[Any]) -> int:
    row = db.execute("select count(*) from queue.jobs where queue = 'stripe'").fetchone()
    return row[0] if row else 0


ENGINE_SCRIPT = """
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
// Its ESM build does not find its own migrations.
const engine = createRequire(import.meta.url)('@supabase/stripe-sync-engine')
const { StripeSync, runMigrations } = engine
const databaseUrl = process.env.DATABASE_URL
await runMigrations({ databaseUrl, schema: 'stripe', logger: undefined })
const sync = new StripeSync({
  poolConfig: { connectionString: databaseUrl, max: 16 }, databaseUrl, schema: 'stripe',
  stripeSecretKey: 'sk_test_bench', stripeWebhookSecret: 'whsec_bench',
  backfillRelatedEntities: false, autoExpandLists: false,
})
const lines = readFileSync('events.jsonl', 'utf8').trim().split('\\n')
const events = lines.map((line) => JSON.parse(line))
const begun = performance.now()
let next = 0
await Promise.all(Array.from({ length: 32 }, async () => {
  while (next < events.length) await sync.processEvent(events[next++])
}))
console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000 }))
process.exit(0)
"""


def _theirs(cluster: Any, folder: Path, lines: list[bytes]) -> float | None:  # noqa: ANN401 - the test cluster
    """Let the sync engine write the same events; None, and why, when it cannot be run."""
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("the sync engine was not run: there is no npm\n")
        return None
    install = [npm, "install", "--no-audit", "--no-fund", "--silent", ENGINE]
    got = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if got.returncode != 0:
        sys.stderr.write("the sync engine was not run: npm did not get it\n")
        return None
    (folder / "events.jsonl").write_bytes(b"\n".join(lines))
    (folder / "engine.mjs").write_text(ENGINE_SCRIPT)
    database = cluster.url(cluster.create(prefix="engine"), "supabase_admin")
    done = subprocess.run(
        ["node", "engine.mjs"],  # noqa: S607 - whichever node there is
        cwd=folder, env=os.environ | {"DATABASE_URL": database}, timeout=SECONDS,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "rror" in line][:2]
        sys.stderr.write(f"the sync engine was not run: {' '.join(said)[:300]}\n")
        return None
    rate = len(lines) / json.loads(done.stdout.strip().splitlines()[-1])["seconds"]
    sys.stderr.write(f"sync engine: {rate:.0f} events/s\n")
    return rate


def _proxy(
    stack: ExitStack, url: str, till: Till, asked: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ask the sandbox's Google directly and through the receiver, in turns; p50 and p99 in ms."""
    with psycopg.connect(url) as db:
        person = make_user(db)
        org = db.execute(
            "insert into public.organizations (name) values ('B') returning id"
        ).fetchone()
        assert org is not None
        db.execute(
            "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
            [org[0], person],
        )
        db.execute(
            "insert into public.integrations (org_id, provider, status, consent_id, connected_at)"
            " values (%s, 'google_places', 'active',"
            " private.grant_consent(%s, 'google_places', '{}'), now())",
            [org[0], org[0]],
        )
    port = free_port()
    environment = {
        "CONNEXT_DATABASE_URL": url_as(url, "ingress"),
        "CONNEXT_RECEIVER_PORT": str(port),
        "META_APP_SECRET": "x", "META_VERIFY_TOKEN": "y",
        "GOOGLE_PLACES_API_KEY": PLACES_KEY,
        "CONNEXT_PLACES_URL": f"{till.url}/google",
        "CONNEXT_JWT_SECRET": SECRET,
        "CONNEXT_PLACES_PER_PERSON": "100000", "CONNEXT_PLACES_PER_ORGANIZATION": "100000",
    }  # fmt: skip
    stack.enter_context(_process(["receiver", "run"], environment))
    claims = {"sub": str(person), "aud": "authenticated", "role": "authenticated"}
    token = jwt.encode(claims | {"exp": int(time.time()) + 3600}, SECRET, algorithm="HS256")
    head = {"authorization": f"Bearer {token}", "x-connext-org": str(org[0])}
    google = {"x-goog-api-key": PLACES_KEY, "x-goog-fieldmask": "suggestions"}
    direct, proxied = [], []
    with httpx.Client(trust_env=False, timeout=10) as client:
        _await(client, f"http://127.0.0.1:{port}/healthz")
        for turn in range(asked + 20):
            session = str(uuid.uuid4())
            plain = {"input": "1000 Rue", "sessionToken": session}
            ours = {"input": "1000 Rue", "session": session}
            calls = [
                (direct, f"{till.url}/google/v1/places:autocomplete", plain, google),
                (proxied, f"http://127.0.0.1:{port}/places/autocomplete", ours, head),
            ]
            for taken, address, body, headers in calls:
                begun = time.perf_counter()
                client.post(address, json=body, headers=headers).raise_for_status()
                if turn >= 20:  # noqa: PLR2004 - the first warm up
                    taken.append((time.perf_counter() - begun) * 1000)
    return _percentiles(direct), _percentiles(proxied)


def _percentiles(taken: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49], cuts[98]


def _await(client: httpx.Client, address: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            client.get(address).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _process(words: list[str], own: dict[str, str]) -> Iterator[None]:
    """Run one of our processes until the block ends."""
    command = [sys.executable, "-c", "from cli.main import run; run()", *words]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **own}
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            yield
        finally:
            process.terminate()
