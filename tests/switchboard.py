"""A stage for texts and calls: the real worker and receiver, the sandbox, and no sockets between."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
from pydantic import SecretStr
from pysequoia import Tsk

from sandbox.app import Config, Sandbox
from sandbox.replies import HangUpError
from tests.database import CALLER, OPERATOR, as_user, make_user, url_as
from tests.messenger import _attempt, sealing_key
from workers.core.sealing import Keyring, Opener
from workers.db.pool import Database
from workers.jobqueue.postgres import PostgresStore
from workers.jobs import sealing, telnyx
from workers.jobs.registry import Registry
from workers.providers.telnyx.client import TelnyxClient
from workers.providers.telnyx.files import TelnyxFiles
from workers.receiver.app import build
from workers.receiver.counters import Counters
from workers.receiver.ingest import PostgresIngest
from workers.receiver.telnyx import PostgresKeys

if TYPE_CHECKING:
    from workers.providers.storage.client import Permit

VENDOR = "http://127.0.0.1:1"
RECEIVER = "http://127.0.0.1:2"
LINE, OTHER_LINE = "+14165550100", "+15145550101"
PERSON = "+14385550199"
QUEUES = ("jobs", "dead_jobs", "webhook_events", "unreadable_webhooks")
NEVER = 10**9


@dataclass
class Clock:
    """The real time, moved by *offset*."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def monotonic(self) -> float:
        return self.now().timestamp()


class Wire(httpx.AsyncBaseTransport):
    """Carries requests into an app, and drops the connection where the app does."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except HangUpError as error:
            raise httpx.ReadError("hung up") from error


class Shelf:
    """Storage in memory, and addresses into it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def put(
        self, bucket: str, path: str, content: bytes, *, mime_type: str, permit: Permit
    ) -> None:
        self.objects[path] = content

    async def delete(self, bucket: str, path: str, *, permit: Permit) -> None:
        self.objects.pop(path, None)

    async def sign(self, bucket: str, path: str, *, seconds: int, permit: Permit) -> str:
        return f"https://files.example/{path}"


class Switchboard:
    """One organization with an owner, a Telnyx account at the sandbox, and empty queues."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = Clock()
        self.shelf = Shelf()
        self._loop = asyncio.new_event_loop()
        for table in QUEUES:
            self.do(f"delete from queue.{table}")
        self._key()
        self.do(
            "insert into private.provider_settings values ('telnyx', 'webhook_url', %s)"
            " on conflict (provider, key) do update set value = excluded.value",
            f"{RECEIVER}/webhooks/telnyx",
        )
        self.org, self.owner = self.organization("Ours")
        self._run(self._open())
        self.account = self.control("seed", {})["accounts"][0]

    # The database

    def do(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a statement as the operator."""
        with OPERATOR.to(self.url) as operator:
            cursor = operator.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *parameters: Any) -> dict[str, Any]:
        (row,) = self.do(statement, *parameters)
        return row

    def organization(self, name: str) -> tuple[uuid.UUID, uuid.UUID]:
        with psycopg.connect(self.url) as db:
            owner = make_user(db)
            (org,) = db.execute(
                "insert into public.organizations (name) values (%s) returning id", [name]
            ).fetchone()
            db.execute(
                "insert into public.memberships (org_id, user_id, role) values (%s, %s, 'owner')",
                [org, owner],
            )
        return org, owner

    def call(self, function: str, *, by: Any = None, org: Any = None, **arguments: Any) -> Any:
        """Call an RPC as the owner; its rows come back as dictionaries."""
        names = ", ".join(f"{name} => %({name})s" for name in arguments)
        with CALLER.to(self.url) as db, db.transaction():
            as_user(db, by or self.owner, org or self.org)
            rows = db.execute(
                f"select to_jsonb(t) as row from public.{function}({names}) as t", arguments
            ).fetchall()
        found = [row["row"] for row in rows]
        return found[0] if len(found) == 1 else found

    def _key(self) -> None:
        key = sealing_key()
        self.do("update private.sealing_keys set state = 'retiring' where state = 'active'")
        self.do(
            "insert into private.sealing_keys (key_id, public_key) values (%s, %s)"
            " on conflict (key_id) do update set state = 'active'",
            *(key.fingerprint, key.public),
        )
        armored = SecretStr(str(Tsk.from_bytes(key.private)))
        self.opener = Opener(Keyring(armored), clock=self.clock)

    # The processes

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    async def _open(self) -> None:
        self.sandbox = Sandbox(
            Config.model_validate(
                {
                    "telnyx": {
                        "seed": uuid.uuid4().int % 10**9,
                        "media_url": f"{VENDOR}/telnyx-media",
                    }
                }
            )
        )
        self._ingress = Database(
            SecretStr(url_as(self.url, "ingress")), application_name="test", size=2
        )
        self._database = Database(
            SecretStr(url_as(self.url, "worker_telnyx")), application_name="test", size=2
        )
        await self._ingress.__aenter__()
        await self._database.__aenter__()
        self.counters = Counters()
        self.receiver = build(
            ingest=PostgresIngest(self._ingress),
            people=None,
            counters=self.counters,
            app_secret=SecretStr("x"),
            verify_token=SecretStr("x"),
            clock=self.clock,
            telnyx_keys=PostgresKeys(self._ingress),
        )
        vendor = self.sandbox.vendors[0]
        await vendor.webhooks._client.aclose()
        vendor.webhooks._client = httpx.AsyncClient(transport=Wire(self.receiver))
        self._world = vendor
        self.vendor = httpx.AsyncClient(transport=Wire(self.sandbox.app), base_url=VENDOR)
        self.client = TelnyxClient(self.vendor, base_url=f"{VENDOR}/v2", clock=self.clock)

    def close(self) -> None:
        self._run(self._close())
        self._loop.close()

    async def _close(self) -> None:
        await self._world.close()
        await self.vendor.aclose()
        await self._database.__aexit__(None, None, None)
        await self._ingress.__aexit__(None, None, None)

    def control(self, path: str, body: Any = None) -> dict[str, Any]:
        """Give the sandbox an order, or ask it what it saw."""
        return self._run(self._control(path, body))

    async def _control(self, path: str, body: Any) -> dict[str, Any]:
        url = f"/_control/telnyx/{path}"
        answer = await (self.vendor.get(url) if body is None else self.vendor.post(url, json=body))
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, content: bytes, headers: dict[str, str]) -> int:
        """Post to the receiver as anybody may."""

        async def post() -> int:
            async with httpx.AsyncClient(transport=Wire(self.receiver), base_url=RECEIVER) as web:
                return (await web.post(path, content=content, headers=headers)).status_code

        return self._run(post())

    def signed(
        self, body: Any, *, age: int = 0, account: Any = None
    ) -> tuple[bytes, dict[str, str]]:
        """Sign a body as the account does."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = self._world.world.accounts[(account or self.account)["api_key"]].signing
        stamp = str(int(self.clock.now().timestamp()) - age)
        signature = base64.b64encode(key.sign(stamp.encode() + b"|" + content)).decode()
        return content, {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}

    def later(self, **span: float) -> None:
        """Let time pass, here and at the sandbox."""
        self.clock.offset += timedelta(**span)
        self.sandbox.clock.offset_seconds = self.clock.offset.total_seconds()
        self.opener.wipe_all()

    def work(self, *, most: int = 100, waiting: bool = False) -> list[Any]:
        """Work the queue until nothing is due, with the webhooks this causes."""
        return self._run(self._work(most, waiting=waiting))

    async def _work(self, most: int, *, waiting: bool) -> list[Any]:
        if waiting:
            self.do("update queue.jobs set run_at = now() where state in ('ready', 'waiting')")
        registry = Registry()
        telnyx.register(
            registry,
            client=self.client,
            opener=self.opener,
            clock=self.clock,
            files=TelnyxFiles(self.vendor, base_url=f"{VENDOR}/v2", clock=self.clock),
            storage=self.shelf,
            links=self.shelf,
        )
        sealing.register(registry, provider="telnyx", opener=self.opener, clock=self.clock)
        outcomes: list[Any] = []
        store = PostgresStore(self._database, "telnyx")
        async with asyncio.timeout(60):
            while len(outcomes) < most:
                await self._world.webhooks.settle()
                jobs = await store.claim(1, lease_for=timedelta(minutes=1))
                if not jobs:
                    break
                outcomes.append(await _attempt(store, self._database, registry, jobs[0]))
        return outcomes

    # The story so far

    def connect(self, *numbers: str) -> None:
        """Connect the account and use its numbers."""
        self.call("connect_telnyx", api_key=self.account["api_key"])
        self.work()
        assert self.link()["status"] == "active", self.link()["error"]
        self.call("choose_numbers", numbers=list(numbers or (LINE,)))
        self.work()

    def link(self) -> dict[str, Any]:
        return self.one(
            "select * from public.integrations where org_id = %s order by created_at desc limit 1",
            self.org,
        )

    def channel(self, number: str = LINE) -> uuid.UUID:
        return self.one(
            "select id from public.channels where org_id = %s and external_id = %s",
            *(self.org, number),
        )["id"]

    def thread(self) -> dict[str, Any]:
        return self.one("select * from public.conversations where org_id = %s", self.org)

    def messages(self) -> list[dict[str, Any]]:
        return self.do(
            "select * from public.messages where org_id = %s order by created_at, id", self.org
        )

    def calls(self) -> list[dict[str, Any]]:
        return self.do(
            "select * from public.calls where org_id = %s order by created_at, id", self.org
        )

    def say(self, text: str, *, sender: str = PERSON, **more: Any) -> dict[str, Any]:
        told = self.control("say", {"sender": sender, "receiver": LINE, "text": text, **more})
        self.work()
        return told

    def write(self, text: str = "Bonjour", *, to: str = PERSON, **more: Any) -> dict[str, Any]:
        """Write to somebody as the owner."""
        thread = self.call("start_conversation", channel_id=self.channel(), phone=to)
        return self.call("send_message", conversation_id=thread["id"], body=text, **more)

    def sent(self) -> list[dict[str, Any]]:
        return self.control("sent")["messages"]
