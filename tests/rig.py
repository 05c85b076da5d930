"""Messenger from end to end in real processes: sandbox, receiver, workers, over one database.

The organization is made by the operator; what Meta and its people do goes through the sandbox's
control API; everything between is what runs in production.
"""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from pysequoia import Tsk

from cli.embedded import process
from cli.embedded.cluster import free_port
from tests.children import HANG_SECONDS, Running, Worker
from tests.database import url_as
from tests.messenger import Stage, sealing_key
from workers.core.clock import SystemClock

if TYPE_CHECKING:
    import uuid
    from pathlib import Path
    from typing import Self

APP_ID, VERSION = "138483919580948", "v26.0"
FIRST_CUSTOMER = 24 * 10**15
REAL_WORKER = ("-c", "from cli.main import run; run()", "worker", "run", "meta")
REAL_RECEIVER = ("-c", "from cli.main import run; run()", "receiver", "run")


def until(condition: Any, what: str, seconds: float = HANG_SECONDS) -> None:
    """Wait for something that only shows in the database or at another process."""
    assert process.wait_until(condition, seconds, pause=0.05), f"{what}: not in time"


class Rig:
    """One organization, its Page at the sandbox, and the processes between them."""

    def __init__(self, url: str, folder: Path, *, customers: int = 5) -> None:
        self.url = url
        self.folder = folder
        self.stage = Stage(url, connected=False)
        self.stage.clock.at = SystemClock().now()
        self.app_secret = secrets.token_hex(16)
        self.verify_token = secrets.token_hex(16)
        self.redirect = self.stage.one(
            "select value from private.provider_settings"
            " where provider = 'meta' and key = 'redirect_uri'"
        )["value"]
        self.people = [str(FIRST_CUSTOMER + number) for number in range(customers)]
        self.ports = {"sandbox": free_port(), "receiver": free_port(), "health": free_port()}
        self.stack = ExitStack()
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.ports['sandbox']}", timeout=60, trust_env=False
        )

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.http)
            self.sandbox = self._sandbox(stack)
            self.receiver = self.run_receiver(stack)
            self.control("seed", self._world())
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def _sandbox(self, stack: ExitStack) -> Running:
        config = self.folder / "sandbox.json"
        meta = {
            "app_id": APP_ID,
            "app_secret": self.app_secret,
            "verify_token": self.verify_token,
            "callback_url": f"http://127.0.0.1:{self.ports['receiver']}/webhooks/meta",
            "redirect_uris": [self.redirect],
            "seed": secrets.randbelow(10**9),
        }
        config.write_text(json.dumps({"meta": meta}))
        port = str(self.ports["sandbox"])
        running = Running("-m", "sandbox", "--host", "127.0.0.1", "--port", port, "--config", str(config))  # fmt: skip
        stack.callback(running.close)
        until(lambda: self._serves(self.http, "/_control/health"), "the sandbox")
        return running

    def run_receiver(self, stack: ExitStack) -> Running:
        """Start the receiver, and return once it answers."""
        running = Running(
            *REAL_RECEIVER,
            CONNEXT_DATABASE_URL=url_as(self.url, "ingress"),
            CONNEXT_RECEIVER_PORT=str(self.ports["receiver"]),
            CONNEXT_HEALTH_PORT=str(self.ports["health"]),
            CONNEXT_LOG_LEVEL="debug",
            META_APP_SECRET=self.app_secret,
            META_VERIFY_TOKEN=self.verify_token,
        )
        stack.callback(running.close)
        with httpx.Client(base_url=self.receiver_url, trust_env=False) as client:
            until(lambda: self._serves(client, "/healthz"), "the receiver")
        return running

    def worker(self, **settings: str) -> Worker:
        """Start a real worker of queue meta that calls the sandbox; the caller ends it."""
        return Worker(
            self.url,
            *REAL_WORKER,
            **{
                "META_APP_ID": APP_ID,
                "META_APP_SECRET": self.app_secret,
                "CONNEXT_META_GRAPH_URL": str(self.http.base_url).rstrip("/"),
                "CONNEXT_META_GRAPH_VERSION": VERSION,
                "CONNEXT_SEALING_KEYS": str(Tsk.from_bytes(sealing_key().private)),
                "CONNEXT_LOG_LEVEL": "debug",
                **settings,
            },
        )

    @property
    def receiver_url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self.ports['receiver']}"

    @property
    def health_url(self) -> str:
        """Where the receiver tells how it is."""
        return f"http://127.0.0.1:{self.ports['health']}"

    @staticmethod
    def _serves(client: httpx.Client, path: str) -> bool:
        try:
            return client.get(path, timeout=2).is_success
        except httpx.TransportError:
            return False

    def _world(self) -> dict[str, Any]:
        page = self.stage.page
        customers = [
            {"psid": psid, "page_id": page, "first_name": "Ann", "last_name": "Marsh"}
            for psid in self.people
        ]
        pages = [{"id": page, "name": "Birch and Oak"}]
        return {"people": [{"name": "Eve Owner"}], "pages": pages, "customers": customers}

    def control(self, path: str, order: Any = None) -> Any:
        """Give the sandbox an order."""
        answer = self.http.post(f"/_control/meta/{path}", json=order or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self, path: str, **filters: str) -> Any:
        """Ask the sandbox what it saw."""
        return self.http.get(f"/_control/meta/{path}", params=filters).json()

    def code(self) -> str:
        """Consent in the dialog as the owner does; return the code that comes back."""
        query = {
            "client_id": APP_ID, "redirect_uri": self.redirect, "state": "st",
            "response_type": "code", "config_id": "1",
        }  # fmt: skip
        answer = self.http.get(f"/{VERSION}/dialog/oauth", params=query)
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    def connect(self) -> None:
        """Let the running worker connect the Page, as after the owner's consent."""
        self.stage.keep_token("oauth_code", "", self.code())
        self.stage.enqueue("meta.connect", {"integration_id": self.stage.integration})
        until(lambda: self.stage.link()["status"] == "active", "the connection")
        self.stage.channel = self.stage.one(
            "select id from public.channels where org_id = %s", self.stage.org
        )["id"]

    def says(self, person: str, *texts: str, **how: Any) -> list[str]:
        """Let a customer write; return the message ids."""
        order = {"page_id": self.stage.page, "psid": person, "texts": list(texts), **how}
        mids: list[str] = self.control("say", order)["mids"]
        return mids

    def received(self) -> int:
        """Count the messages in the inbox."""
        return int(
            self.stage.one(
                "select count(*) as n from public.messages where org_id = %s"
                " and direction = 'inbound'",
                self.stage.org,
            )["n"]
        )

    def reply(self, person: str, text: str = "hi") -> uuid.UUID:
        """Write a reply and enqueue it, as public.send_message does."""
        row = self.stage.one(
            """
            with written as (
                insert into public.messages (
                    org_id, provider, channel_id, conversation_id, direction, state, body, origin,
                    occurred_at
                )
                select
                    c.org_id, 'meta', c.channel_id, c.id, 'outbound', 'queued', %s, 'app', now()
                from public.conversations as c
                where c.org_id = %s and c.contact_external_id = %s
                returning org_id, id, conversation_id
            )
            select
                w.id,
                queue.enqueue(
                    'meta', 'meta.send', w.org_id, jsonb_build_object('message_id', w.id),
                    'send:' || w.conversation_id, 'send:' || w.id, 0::smallint
                )
            from written as w
            """,
            *(text, self.stage.org, person),
        )
        message: uuid.UUID = row["id"]
        return message

    def arrived(self, message: uuid.UUID) -> int:
        """Count how often the sandbox's Send API took a message."""
        return int(self.look("sent", metadata=str(message))["count"])

    def until_state(self, message: uuid.UUID, *states: str) -> None:
        """Wait until a message is in one of these states."""
        until(lambda: self.stage.state(message) in states, f"{message} {'/'.join(states)}")
