"""A stage for the Meta thread: one organization with a Page, real SQL roles, a scripted Graph."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pysequoia import Tsk

from tests import prepared
from tests.database import OPERATOR, url_as
from workers.core.sealing import Keyring, Opener, Sealer
from workers.db.pool import Database
from workers.jobqueue.context import Context
from workers.jobqueue.outcome import Dead, Retry, after_failure
from workers.jobqueue.postgres import PostgresStore
from workers.jobs import meta, sealing
from workers.jobs.registry import Registry
from workers.providers.meta import models, threads, webhook
from workers.providers.meta.client import SUBSCRIBED_FIELDS
from workers.receiver.ingest import Delivery, PostgresIngest

if TYPE_CHECKING:
    from cli.keymaking import SealingKey

APP, PERSON, ASID = "4711", "222", "900900"
QUEUES = ("jobs", "dead_jobs", "webhook_events", "unreadable_webhooks")
ASIDE = ("meta.backfill", "meta.profile", "meta.attachment")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MILLIS = int(NOW.timestamp() * 1000)


def sealing_key() -> SealingKey:
    return prepared.key("active")


@dataclass
class Clock:
    """A clock that stands where it is put."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass
class FakeGraph:
    """Answers like the Graph client: *script* holds errors or answers by method, used once each."""

    app_id: str = APP
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    script: dict[str, list[Any]] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset(
        {"pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement"}
    )
    pages: list[dict[str, Any]] = field(default_factory=list)

    def _answer(self, method: str, default: Any, **said: Any) -> Any:
        self.calls.append((method, said))
        planned = self.script.get(method, [])
        answer = planned.pop(0) if planned else default
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [said for name, said in self.calls if name == method]

    async def exchange_code(self, code, *, redirect_uri):
        token = models.Token(access_token="EAAshort")
        said = {"code": code.get_secret_value(), "redirect_uri": redirect_uri}
        return self._answer("exchange_code", token, **said)

    async def long_lived(self, token):
        answer = models.Token(access_token="EAAlong")
        return self._answer("long_lived", answer, token=token.get_secret_value())

    async def me(self, token):
        return self._answer("me", models.Person(id=ASID, name="Ann"))

    async def permissions(self, token):
        return self._answer("permissions", self.scopes)

    async def accounts(self, token):
        for page in self._answer("accounts", self.pages):
            yield models.Page.model_validate(page)

    async def debug_token(self, token):
        state = models.TokenState(is_valid=True, scopes=["pages_messaging"])
        return self._answer("debug_token", state)

    async def subscribe(self, page_id, *, token):
        self._answer("subscribe", None, page=page_id, token=token.get_secret_value())

    async def subscription(self, page_id, *, token):
        return self._answer("subscription", frozenset(SUBSCRIBED_FIELDS), page=page_id)

    async def unsubscribe(self, page_id, *, token):
        self._answer("unsubscribe", None, page=page_id, token=token.get_secret_value())

    async def revoke_permissions(self, person_id, *, token):
        self._answer("revoke_permissions", None, person=person_id, token=token.get_secret_value())

    async def upload(self, page_id, *, token, kind, content, mime_type):
        said = {"page": page_id, "kind": kind, "content": content, "mime_type": mime_type}
        return self._answer("upload", "77001", **said)

    async def send(self, page_id, *, token, to, content, metadata):
        said = {"page": page_id, "token": token.get_secret_value(), "to": to}
        said |= {"message": content.message(), "purpose": content.purpose(), "metadata": metadata}
        return self._answer("send", models.Sent(message_id="m_sent"), **said)

    async def conversations(self, page_id, *, token, limit, after=None):
        said = {"page": page_id, "limit": limit, "after": after}
        return self._answer("conversations", threads.Listed((), None, None), **said)

    async def message(self, mid, *, token):
        return self._answer("message", None, mid=mid)

    async def profile(self, person_id, *, token):
        answer = models.Profile(first_name="Ann", last_name="Marsh")
        return self._answer("profile", answer, person=person_id)


class Stage:
    """One organization of its own, its Page, and queues that are empty at the start."""

    def __init__(self, url: str, *, connected: bool = True) -> None:
        self.url = url
        self.page = str(uuid.uuid4().int)[:15]
        self.graph = FakeGraph()
        self.clock = Clock()
        self.files: Any = None
        self.storage: Any = None
        for table in QUEUES:
            self.do(f"delete from queue.{table}")
        key = sealing_key()
        armored = SecretStr(str(Tsk.from_bytes(key.private)))
        self.opener = Opener(Keyring(armored), clock=self.clock)
        self.sealer = Sealer(key.public, key_id=key.fingerprint, clock=self.clock)
        self.do(
            "insert into private.sealing_keys (key_id, public_key) values (%s, %s)"
            " on conflict do nothing",
            key.fingerprint,
            key.public,
        )
        self.do(
            "insert into private.provider_settings values ('meta', 'redirect_uri', 'https://us/b')"
            " on conflict do nothing"
        )
        self.org = self.organization("Ours")
        self.integration = self.connect(self.org, status="active" if connected else "connecting")
        if connected:
            self.channel = self.open_channel(self.org, self.integration, self.page)
            self.keep_token("page_token", self.page, "EAApage")

    def do(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a statement as the operator."""
        with OPERATOR.to(self.url) as operator:
            cursor = operator.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *parameters: Any) -> dict[str, Any]:
        (row,) = self.do(statement, *parameters)
        return row

    def organization(self, name: str) -> uuid.UUID:
        return self.one("insert into public.organizations (name) values (%s) returning id", name)[
            "id"
        ]

    def connect(self, org: uuid.UUID, *, status: str) -> uuid.UUID:
        return self.one(
            """
            insert into public.integrations (org_id, provider, status, consent_id, connected_at)
            values (%s, 'meta', %s, private.grant_consent(%s, 'meta', '{}'), now())
            returning id
            """,
            *(org, status, org),
        )["id"]

    def open_channel(self, org: uuid.UUID, integration: uuid.UUID, page: str) -> uuid.UUID:
        channel = self.one(
            """
            insert into public.channels (org_id, provider, integration_id, external_id, name)
            values (%s, 'meta', %s, %s, 'Page') returning id
            """,
            *(org, integration, page),
        )["id"]
        self.do(
            "insert into private.channel_routes values ('meta', %s, %s, %s)", page, org, channel
        )
        return channel

    def keep_token(self, kind: str, subject: str, secret: str, *, revoked: bool = False) -> None:
        """Seal a token as the worker would; *revoked* puts it where a disconnect leaves it."""
        sealed = self.sealer.seal(
            SecretStr(secret), org=self.org, integration=self.integration, kind=kind
        )
        table = "revocations" if revoked else "sealed_tokens"
        self.do(
            f"insert into private.{table}"
            " (org_id, id, integration_id, provider, kind, subject, key_id, sealed)"
            " values (%s, private.uuid_v7(), %s, 'meta', %s, %s, %s, %s)",
            *(self.org, self.integration, kind, subject, self.sealer.key_id, sealed),
        )

    def opened(self) -> dict[tuple[str, str], str]:
        """All tokens of the organization, opened."""
        rows = self.do("select * from private.sealed_tokens where org_id = %s", self.org)
        return {
            (row["kind"], row["subject"]): self.opener.open(
                row["sealed"],
                org=row["org_id"],
                integration=row["integration_id"],
                kind=row["kind"],
                key_id=row["key_id"],
                subject=row["subject"],
            ).get_secret_value()
            for row in rows
        }

    # Elements of Meta's webhooks, ready for `receive`.

    def said(self, mid: str, text: str | None = "hello", *, at: int = 0, person: str = PERSON):
        return self._element(person, self.page, at, message={"mid": mid, "text": text})

    def echo(self, mid: str, text: str = "hi", *, at: int = 0, **more: Any):
        message = {"is_echo": True, "mid": mid, "text": text, **more}
        return self._element(self.page, PERSON, at, message=message)

    def event(self, *, at: int = 0, **kind: Any):
        return self._element(PERSON, self.page, at, **kind)

    def _element(self, sender: str, recipient: str, at: int, **kind: Any) -> dict[str, Any]:
        """*at* is in seconds from NOW."""
        return {
            "sender": {"id": sender},
            "recipient": {"id": recipient},
            "timestamp": MILLIS + at * 1000,
            **kind,
        }

    def receive(self, *elements: dict[str, Any]) -> Any:
        """Parse and store as the receiver does, logged in as ingress."""
        entry = {"id": self.page, "messaging": list(elements)}
        parsed = webhook.parse(json.dumps({"object": "page", "entry": [entry]}).encode())
        assert parsed.unreadable == ()
        return self.store(list(parsed.events))

    def store(self, events: list[dict[str, Any]]) -> Any:
        async def store():
            async with _opened(self.url, "ingress") as database:
                return await PostgresIngest(database).store(Delivery("meta", tuple(events)))

        return asyncio.run(store())

    def enqueue(self, kind: str, payload: dict[str, Any], **more: Any) -> int:
        return self.one(
            "select queue.enqueue('meta', %s, %s, %s, max_attempts => %s::smallint) as id",
            *(kind, self.org, json.dumps(payload, default=str), more.get("max_attempts", 10)),
        )["id"]

    def work(self, *, most: int = 50, aside: tuple[str, ...] = ASIDE) -> list[Any]:
        """Work the queue as worker_meta until nothing is due; return each attempt's outcome.

        Retries are due at once, so that a test need not wait; parked jobs stay parked. Jobs of
        the kinds *aside* wait: `work_all` has them done.
        """
        return asyncio.run(self._work(most, aside))

    def work_all(self, *, most: int = 50) -> list[Any]:
        """Work everything that is ready, also what was set aside or is due later."""
        self.do("update queue.jobs set run_at = now() where state in ('ready', 'waiting')")
        return self.work(most=most, aside=())

    async def _work(self, most: int, aside: tuple[str, ...]) -> list[Any]:
        registry = Registry()
        meta.register(
            registry,
            graph=self.graph,
            opener=self.opener,
            clock=self.clock,
            files=self.files,
            storage=self.storage,
        )
        sealing.register(registry, provider="meta", opener=self.opener, clock=self.clock)
        outcomes: list[Any] = []
        async with _opened(self.url, "worker_meta") as database, asyncio.timeout(60):
            store = PostgresStore(database, "meta")
            while len(outcomes) < most:
                jobs = await store.claim(1, lease_for=timedelta(minutes=1))
                if not jobs:
                    break
                if jobs[0].kind in aside:
                    later = timedelta(hours=1)
                    await store.retry(jobs[0], delay=later, reason="aside", give_back=True)
                    continue
                outcomes.append(await _attempt(store, database, registry, jobs[0]))
        return outcomes

    def conversation(self) -> dict[str, Any]:
        return self.one("select * from public.conversations where org_id = %s", self.org)

    def messages(self) -> list[dict[str, Any]]:
        return self.do(
            "select * from public.messages where org_id = %s order by occurred_at, id", self.org
        )

    def draft(
        self,
        *,
        state: str = "queued",
        text: str | None = "hi",
        external_id: str | None = None,
        at: int = 0,
        inbound_at: datetime | None = None,
    ) -> uuid.UUID:
        """Write a message as somebody in the app does, in a conversation made for it if needed."""
        known = self.do("select id from public.conversations where org_id = %s", self.org)
        (thread,) = known or self.do(
            """
            insert into public.conversations
                (org_id, provider, channel_id, contact_external_id, last_inbound_at)
            values (%s, 'meta', %s, %s, %s) returning id
            """,
            *(self.org, self.channel, PERSON, inbound_at),
        )
        return self.one(
            """
            insert into public.messages (
                org_id, provider, channel_id, conversation_id, direction, state, body, origin,
                external_id, occurred_at, error_code
            )
            values (
                %s, 'meta', %s, %s, 'outbound', %s, %s, 'app', %s, %s,
                case when %s = 'failed' then 'refused' end
            )
            returning id
            """,
            *(self.org, self.channel, thread["id"], state, text, external_id),
            *(NOW + timedelta(seconds=at), state),
        )["id"]

    def state(self, message: uuid.UUID) -> str:
        return self.message(message)["state"]

    def message(self, message: uuid.UUID) -> dict[str, Any]:
        return self.one("select * from public.messages where id = %s", message)

    def link(self) -> dict[str, Any]:
        return self.one("select * from public.integrations where id = %s", self.integration)


def _opened(url: str, role: str) -> Database:
    return Database(SecretStr(url_as(url, role)), application_name="connext-test", size=2)


async def _attempt(store: PostgresStore, database: Database, registry: Registry, job: Any) -> Any:
    """Do what the runner does with one claimed job, without its waiting."""
    context = Context(database)
    try:
        await registry.handlers[job.kind](job, context)
    except Exception as error:  # noqa: BLE001 - a runner lets nothing through either
        outcome = after_failure(
            error, attempt=job.attempt, max_attempts=job.max_attempts, jitter=lambda: 0.0
        )
    else:
        if job.id not in context.settled:
            await store.succeed([job])
        return "done"
    match outcome:
        case Dead():
            await store.bury(job, reason=outcome.reason)
        case Retry():
            await store.retry(job, delay=timedelta(), reason=outcome.reason)
        case _:
            await store.retry(job, delay=outcome.delay, reason=outcome.reason, give_back=True)
    return outcome
