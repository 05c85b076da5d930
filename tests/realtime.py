"""The API server on a database of its own, and real clients of its Realtime."""

from __future__ import annotations

import asyncio
import json
import queue
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import psycopg
from realtime import AsyncRealtimeClient

from cli.embedded import packages, project
from cli.embedded.cluster import SUPERUSER, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.database import TestCluster

HANG_SECONDS = 30
DRIVER = Path(__file__).parent / "process" / "js" / "realtime.mjs"
# Members of a topic listen to it; those who may speak also speak; nobody else does either.
SCHEMA = """
    create table public.zz_members (
        user_id uuid not null, topic text not null, speaks boolean not null default false
    );
    create table public.zz_things (id int primary key, topic text not null, note text);
    create policy zz_listen on realtime.messages for select to authenticated using (
        extension = 'broadcast' and exists (
            select from public.zz_members as m
            where m.user_id = (select auth.uid()) and m.topic = (select realtime.topic())
        )
    );
    create policy zz_speak on realtime.messages for insert to authenticated with check (
        exists (
            select from public.zz_members as m
            where m.user_id = (select auth.uid()) and m.topic = (select realtime.topic()) and m.speaks
        )
    );
    grant select on public.zz_members to authenticated;
    create function public.zz_publish() returns trigger language plpgsql security definer
    set search_path = '' as $$
    begin
        perform realtime.send(jsonb_build_object('ids', jsonb_build_array(new.id)), 'zz_things', new.topic, true);
        return null;
    end
    $$;
    create trigger zz_publish after insert or update on public.zz_things
    for each row execute function public.zz_publish();
"""


@dataclass
class RealtimeServer:
    """`server.mjs` as the stack starts it, with settings of one's own."""

    database_url: str
    admin_url: str
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=project.new_secrets)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def websocket(self, key: str | None = None, vsn: str = "1.0.0") -> str:
        key = self.secrets["publishable_key"] if key is None else key
        return f"ws://127.0.0.1:{self.port}/realtime/v1/websocket?apikey={key}&vsn={vsn}"

    def start(self) -> None:
        config = self.folder / "api.json"
        content = project.api_config(
            self.admin_url, self.port, self.secrets, self.folder, packages.REPOSITORY
        )
        project.write_private(config, content | self.config | {"realtime": self.settings})
        with (self.folder / "api.log").open("ab") as log:
            self.process = subprocess.Popen(
                project.server_command(config), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        eventually(self.serves, "the API server serves")

    def serves(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "api.log").read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):  # noqa: S310
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(HANG_SECONDS)
        self.process = None
        return code

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "api.log").read_text().splitlines()]

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as the operator, in a transaction of its own."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            done = connection.execute(statement, values or None)
            return done.fetchall() if done.description else []

    def member(self, topic: str, *, speaks: bool = False) -> uuid.UUID:
        """Make somebody a member of a topic."""
        user = uuid.uuid4()
        self.sql("insert into public.zz_members values (%s, %s, %s)", user, topic, speaks)
        return user

    def token(self, user: uuid.UUID, seconds: float = 900, **claims: Any) -> str:
        """Sign what Auth would sign."""
        given = {"sub": str(user), "role": "authenticated", "exp": int(time.time() + seconds)}
        return jwt.encode(given | claims, self.secrets["jwt_secret"], algorithm="HS256")


@contextmanager
def realtime_server(
    cluster: TestCluster,
    template: str,
    folder: Path,
    *,
    config: dict[str, Any] | None = None,
    **settings: Any,
) -> Iterator[RealtimeServer]:
    """Serve a copy of the template until the block ends."""
    name = cluster.create(template, "realtime")
    server = RealtimeServer(
        cluster.url(name), cluster.url(name, SUPERUSER), folder, settings, config or {}
    )
    try:
        server.sql(SCHEMA)
        server.start()
        yield server
    finally:
        server.stop()
        cluster.drop(name)


def eventually(true: Any, what: str) -> None:
    """Ask until it is so; only a hang reaches the end."""
    deadline = time.monotonic() + HANG_SECONDS
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        pause.wait(0.02)


class JsClient:
    """supabase-js in its own process."""

    def __init__(self, server: RealtimeServer, key: str = "publishable_key") -> None:
        self.process = subprocess.Popen(
            [packages.node(), str(DRIVER), str(packages.LOCAL), server.url, server.secrets[key]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._events.put(json.loads(line))
        self._events.put(None)

    def do(self, command: str, **words: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": command, **words}) + "\n")
        self.process.stdin.flush()

    def until(self, event: str, **wanted: Any) -> dict[str, Any]:
        """Return the next event that has all these values."""
        seen = []
        while True:
            try:
                got = self._events.get(timeout=HANG_SECONDS)
            except queue.Empty:
                got = None
            assert got is not None, f"no {event} {wanted} after {seen}"
            seen.append(got)
            if got["event"] == event and wanted.items() <= got.items():
                return got

    def join(self, topic: str, **config: Any) -> dict[str, Any]:
        """Subscribe privately; return the first status."""
        self.do("join", name=topic, topic=topic, config={"private": True} | config)
        return self.until("status", name=topic)

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(HANG_SECONDS)
        finally:
            self.process.kill()
            self._reader.join(HANG_SECONDS)
            self.process.stdout.close()


@contextmanager
def js_client(server: RealtimeServer, user: uuid.UUID | None = None) -> Iterator[JsClient]:
    """Connect supabase-js, as somebody or as nobody in particular."""
    client = JsClient(server)
    try:
        if user is not None:
            client.do("auth", token=server.token(user))
            client.until("auth")
        yield client
    finally:
        client.close()


class PyClient:
    """The official Python client, with what it reports in queues."""

    def __init__(self, server: RealtimeServer, key: str, **options: Any) -> None:
        self.client = AsyncRealtimeClient(f"{server.url}/realtime/v1", key, **options)
        self.states: asyncio.Queue[str] = asyncio.Queue()
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def join(self, topic: str, *, private: bool = True) -> str:
        """Subscribe; return the state that came of it."""
        channel = self.client.channel(
            topic,
            {
                "config": {
                    "private": private,
                    "broadcast": {"ack": False, "self": False},
                    "presence": {"key": "", "enabled": False},
                }
            },
        )
        channel.on_broadcast("*", self.messages.put_nowait)
        await channel.subscribe(lambda state, _error: self.states.put_nowait(state.value))
        return await self.state()

    async def state(self) -> str:
        return await asyncio.wait_for(self.states.get(), HANG_SECONDS)

    async def message(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.messages.get(), HANG_SECONDS)


@asynccontextmanager
async def py_client(
    server: RealtimeServer, user: uuid.UUID | None = None, **options: Any
) -> AsyncIterator[PyClient]:
    """Connect the Python client, as somebody or with the key alone."""
    client = PyClient(server, server.secrets["publishable_key"], **options)
    if user is not None:
        await client.client.set_auth(server.token(user))
    try:
        yield client
    finally:
        for channel in client.client.get_channels():
            channel.rejoin_timer.reset()
            channel.join_push.destroy()
        await client.client.close()
