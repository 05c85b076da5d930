"""A stage for billing: an organization, its owner, real SQL roles, the sandbox's Stripe."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from pydantic import SecretStr

from tests.database import CALLER, OPERATOR, as_user, make_user
from tests.messenger import _attempt, _opened
from tests.teller import KEY, PRICE, PRICES, Till
from workers.core.clock import SystemClock
from workers.jobqueue.postgres import PostgresStore
from workers.jobs import stripe
from workers.jobs.registry import Registry
from workers.providers import http
from workers.providers.stripe import webhook
from workers.providers.stripe.client import StripeApi
from workers.receiver.ingest import Delivery, PostgresIngest

if TYPE_CHECKING:
    from sandbox.embedded import Inbox

RETURN = "https://app.example/billing"
QUEUES = ("jobs", "dead_jobs", "stripe_events")


@dataclass
class Counter:
    """A stage: what people of one organization do, and what the worker makes of it."""

    url: str
    till: Till
    inbox: Inbox | None = None
    org: uuid.UUID = field(default_factory=uuid.uuid4)
    owner: uuid.UUID = field(default_factory=uuid.uuid4)
    page_size: int = 100

    def __post_init__(self) -> None:
        self.till.reset()
        if self.inbox is not None:
            self.inbox.clear()
        for table in QUEUES:
            self.do(f"delete from queue.{table}")
        self.do("delete from public.billing_invoices")
        self.do("delete from public.subscriptions")
        self.do("delete from private.billing_routes")
        self.do("delete from public.billing_requests")
        for rank, (price, amount, currency, interval) in enumerate(PRICES, 1):
            self.do(
                "insert into public.plans (plan, name_en, name_fr, stripe_price_id, currency,"
                " amount_minor, billing_interval, rank) values (%s, 'P', 'P', %s, upper(%s), %s, %s, %s)"
                " on conflict do nothing",
                *(price.removeprefix("price_"), price, currency, max(amount, 0), interval, rank),
            )
        self.do("update public.plans set features = null, trial_days = 0, active = true")
        self.do("update private.billing_rules set trial_days = 30, grace_days = 14")
        self.do(
            "insert into private.provider_settings values ('stripe', 'return_url', %s)"
            " on conflict do nothing",
            RETURN,
        )
        self.do("delete from private.provider_settings where key = 'redaction_version'")
        self.org, self.owner = self.organization()

    def organization(self) -> tuple[uuid.UUID, uuid.UUID]:
        with psycopg.connect(self.url) as db:
            owner = make_user(db, f"{uuid.uuid4().hex[:12]}@example.com")
            (org,) = db.execute(
                "insert into public.organizations (name) values ('Ours') returning id"
            ).fetchone() or (None,)
            db.execute(
                "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
                [org, owner],
            )
        assert org is not None
        return org, owner

    def do(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a statement as the operator."""
        with OPERATOR.to(self.url) as operator:
            cursor = operator.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *parameters: Any) -> dict[str, Any]:
        (row,) = self.do(statement, *parameters)
        return row

    def ask(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a statement as the owner, through the Data API's role."""
        with CALLER.to(self.url) as db, db.transaction():
            as_user(db, self.owner, self.org)
            cursor = db.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def start_checkout(self, plan: str = "pro", email: str | None = None) -> dict[str, Any]:
        return self.ask("select * from public.start_checkout(%s, %s)", plan, email)[0]

    def request(self, made: dict[str, Any]) -> dict[str, Any]:
        return self.one("select * from public.billing_requests where id = %s", made["id"])

    def subscribe(self, plan: str = "pro") -> str:
        """Subscribe as people do; return the subscription's id at Stripe."""
        made = self.start_checkout(plan)
        self.work()
        session = self.request(made)["stripe_session_id"]
        subscription: str = self.till.order("pay", {"session": session})["subscription"]
        self.hear()
        return subscription

    def hear(self, *, deliveries: list[bytes] | None = None) -> Any:
        """Take what the sandbox delivered (or *deliveries*), store it as ingress, and work it."""
        told = self.store(deliveries)
        self.work()
        return told

    def store(self, deliveries: list[bytes] | None = None) -> Any:
        if deliveries is None:
            assert self.inbox is not None
            self.till.order("settle")
            deliveries = [post.body for post in self.inbox.posts()]
            self.inbox.clear()
        events = [event for raw in deliveries if (event := webhook.parse(raw)) is not None]
        plain = tuple(event.as_json() for event in events)

        async def stored() -> Any:
            async with _opened(self.url, "ingress") as database:
                return await PostgresIngest(database).store(Delivery("stripe", plain))

        return asyncio.run(stored())

    def work(self, *, most: int = 200) -> list[Any]:
        """Work the queue as worker_stripe until nothing is due."""
        return asyncio.run(self._work(most))

    async def _work(self, most: int) -> list[Any]:
        outcomes: list[Any] = []
        async with (
            http.client() as client,
            _opened(self.url, "worker_stripe") as database,
            asyncio.timeout(60),
        ):
            registry = Registry()
            clock = SystemClock()
            api = StripeApi(client, api_key=SecretStr(KEY), clock=clock, base_url=self.till.url)
            stripe.register(registry, api=api, clock=clock)
            store = PostgresStore(database, "stripe")
            while len(outcomes) < most:
                jobs = await store.claim(1, lease_for=timedelta(minutes=1))
                if not jobs:
                    break
                outcomes.append(await _attempt(store, database, registry, jobs[0]))
        return outcomes

    def account(self) -> dict[str, Any]:
        return self.one("select * from public.billing_accounts where org_id = %s", self.org)

    def subscription(self) -> dict[str, Any]:
        return self.one("select * from public.subscriptions where org_id = %s", self.org)

    def invoices(self) -> list[dict[str, Any]]:
        return self.do(
            "select * from public.billing_invoices where org_id = %s order by issued_at, number",
            self.org,
        )

    def standing(self) -> dict[str, Any]:
        return self.ask("select * from public.billing_status()")[0]

    def customers(self) -> list[dict[str, Any]]:
        """The customers at Stripe that are not deleted."""
        return [one for one in self.till.things("customer") if not one.get("deleted")]

    def event(
        self, kind: str, thing: dict[str, Any], *, thin: bool = False, live: bool = False
    ) -> bytes:
        """Write an event about a thing as the sandbox would deliver it."""
        self.till.order("switches", {"sending": False})
        letters = str.maketrans("0123456789", "ghijklmnop")
        key = f"evt_{uuid.uuid4().hex.translate(letters)}"
        what = thing["object"]
        if thin:
            body = {
                "object": "v2.core.event",
                "id": key,
                "type": f"v1.{kind}",
                "related_object": {"id": thing["id"], "type": what},
            }
        else:
            body = {"object": "event", "id": key, "type": kind, "data": {"object": thing}}
        return json.dumps(body | {"livemode": live}).encode()


__all__ = ["PRICE", "Counter"]
