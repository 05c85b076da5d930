"""A real receiver process: what it answers is durable, whatever happens around it."""

import asyncio
import hashlib
import hmac
import json
import signal
import socket
from contextlib import closing, contextmanager

import httpx
import psycopg
import pytest

from cli.embedded.cluster import free_port
from tests.children import Running
from tests.database import url_as
from tests.messenger import MILLIS, Stage
from tests.process.ledger import crash, durable, until
from tests.rig import REAL_RECEIVER

SECRET = "the-app-secret"
PATH = "/webhooks/meta"


class Receiver(Running):
    def __init__(self, url):
        self.port, self.health = free_port(), free_port()
        super().__init__(
            *REAL_RECEIVER,
            CONNEXT_DATABASE_URL=url_as(url, "ingress"),
            CONNEXT_RECEIVER_PORT=str(self.port),
            CONNEXT_HEALTH_PORT=str(self.health),
            META_APP_SECRET=SECRET,
            META_VERIFY_TOKEN="a-word",
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)
        until(lambda: self.get("/readyz") == 200, "a ready receiver")

    def get(self, path):
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.health}{path}", trust_env=False)
        except httpx.TransportError:
            return None
        return answer.status_code

    def metrics(self):
        return httpx.get(f"http://127.0.0.1:{self.health}/metrics", trust_env=False).text

    def deliver(self, raw):
        return self.client.post(PATH, content=raw, headers=signed(raw)).status_code

    def close(self):
        self.client.close()
        super().close()


@pytest.fixture
def stage(clone):
    durable(clone)
    return Stage(clone)


@pytest.fixture
def receiver(stage):
    with closing(Receiver(stage.url)) as running:
        yield running


def signed(raw):
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


def message(stage, mid):
    element = {
        "sender": {"id": "2"},
        "recipient": {"id": stage.page},
        "timestamp": MILLIS,
        "message": {"mid": mid, "text": "hello"},
    }
    entry = [{"id": stage.page, "time": MILLIS, "messaging": [element]}]
    return json.dumps({"object": "page", "entry": entry}).encode()


def keys(stage):
    rows = stage.do("select event_key from queue.webhook_events order by 1")
    return [row["event_key"].rpartition(":")[2] for row in rows]


def jobs(stage):
    return stage.one("select count(*) as n from queue.jobs where kind = 'meta.event'")["n"]


def test_health_and_metrics_are_told_apart_from_the_public_address(stage, receiver):
    assert receiver.deliver(message(stage, "m_1")) == 200

    assert [receiver.get(path) for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3
    assert receiver.client.get("/metrics").status_code == 404
    assert 'connext_webhook_events_total{outcome="stored",provider="meta"} 1.0' in (
        receiver.metrics()
    )


def test_without_a_database_it_answers_503_loses_nothing_and_recovers_by_itself(
    stage, receiver, cluster
):
    wanted = {f"m_{n}": message(stage, f"m_{n}") for n in range(12)}
    assert receiver.deliver(wanted["m_0"]) == 200
    start = crash(cluster)
    try:
        # Together, so that the test waits for one deadline and not for twelve.
        answers = asyncio.run(post_all(receiver, list(wanted.values())))
        ready = receiver.get("/readyz")
    finally:
        start()

    assert set(answers) == {503}
    assert ready == 503
    for raw in wanted.values():  # Meta repeats what was not answered with 200
        until(lambda raw=raw: receiver.deliver(raw) == 200, "a stored delivery")
    assert keys(stage) == sorted(wanted)
    assert jobs(stage) == len(wanted)
    assert receiver.get("/readyz") == 200


async def post_all(receiver, bodies):
    """Deliver at once over connections of their own; return the statuses."""
    limits = httpx.Limits(max_connections=len(bodies))
    base = f"http://127.0.0.1:{receiver.port}"
    async with httpx.AsyncClient(
        base_url=base, trust_env=False, timeout=30, limits=limits
    ) as client:
        answers = await asyncio.gather(
            *(client.post(PATH, content=raw, headers=signed(raw)) for raw in bodies),
            return_exceptions=True,
        )
    return [a.status_code if isinstance(a, httpx.Response) else type(a).__name__ for a in answers]


def test_sigterm_answers_what_has_come_and_keeps_what_it_answered(stage, receiver):
    bodies = [message(stage, f"m_{n:03}") for n in range(200)]
    # The database holds the first commit up, so that all others wait for the next one.
    with locked(stage) as release:

        async def run():
            posting = asyncio.ensure_future(post_all(receiver, bodies))
            await asyncio.to_thread(
                until, lambda: waiting_events(receiver) > 0, "deliveries that wait"
            )
            receiver.tell(signal.SIGTERM)
            release()
            return await posting

        answers = asyncio.run(run())

    assert receiver.ended() == 0
    answered = [f"m_{n:03}" for n, status in enumerate(answers) if status == 200]
    assert answered
    assert set(answered) <= set(keys(stage))
    assert len(keys(stage)) == len(set(keys(stage))) == jobs(stage)
    assert set(answers) <= {200, 503, "ConnectError", "ReadError", "RemoteProtocolError"}


def waiting_events(receiver):
    for line in receiver.metrics().splitlines():
        if line.startswith("connext_webhook_waiting_events "):
            return float(line.split()[1])
    return 0.0


@contextmanager
def locked(stage):
    """Keep events from being stored until the lock is released by calling what is yielded."""
    with psycopg.connect(stage.url) as connection:
        connection.execute("lock table queue.webhook_events in share mode")
        yield connection.rollback


def test_senders_that_hang_up_harm_nobody(stage, receiver):
    raw = message(stage, "m_gone")
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(raw)}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in signed(raw).items()
    )
    for part in (len(raw), len(raw) // 2, 0):
        with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
            connection.sendall(f"{head}\r\n".encode() + raw[:part])

    assert receiver.deliver(message(stage, "m_stays")) == 200
    receiver.tell(signal.SIGTERM)
    assert receiver.ended() == 0
    assert "m_stays" in keys(stage)
    assert len(keys(stage)) == len(set(keys(stage))) == jobs(stage)
    assert "Traceback" not in receiver.said()
