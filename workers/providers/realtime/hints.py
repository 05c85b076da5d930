"""The hints of one queue as an endless iterator, whatever becomes of connections.

The official client reconnects by itself, but gives up after a few tries, and may go deaf without
noticing. So it is never trusted: it reconnects nothing, and when it reports trouble, or does not
hear the worker's own call, it is thrown away and another one is made.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import structlog
from realtime import AsyncRealtimeClient, RealtimeSubscribeStates

from workers.core.errors import ConnextError, Transient
from workers.core.log import describe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from realtime import AsyncRealtimeChannel

    from workers.core.settings import RealtimeSettings
    from workers.providers.realtime.session import Session

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
JOIN_SECONDS: Final = 10
CLOSE_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 10.0
JOBS, CALL, LOST = "jobs", "call", "lost"
# It logs every frame, and every failure that is already told here.
for _name in ("realtime", "websockets"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

log = structlog.get_logger(__name__)


class Deaf(Transient):
    """Hints do not arrive; polling goes on."""


class Hints:
    """Hears when a queue has new jobs, on the private channel worker:<queue>.

    *call* makes the database send a hint, and says whether anybody may hear it; *hearing* is told
    when hints begin and cease to arrive. After a quiet while the worker calls, to hear itself.
    """

    def __init__(
        self,
        session: Session,
        settings: RealtimeSettings,
        *,
        queue: str,
        call: Callable[[], Awaitable[bool]],
        hearing: Callable[[bool], None],
    ) -> None:
        self._session = session
        self._url = f"{settings.supabase_url}/realtime/v1"
        self._key = settings.publishable_key
        self._quiet = settings.quiet_seconds
        self._queue = queue
        self._call = call
        self._hearing = hearing

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the queue's name at every hint, and once after every (re)connection."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._connected() as (client, heard):
                    async for hint in self._heard(client, heard):
                        pause = FIRST_PAUSE
                        yield hint
            except Exception as error:  # noqa: BLE001 (the client raises bare exceptions as well)
                self._hearing(False)
                log.warning(
                    "realtime is deaf; rebuilding it",
                    queue=self._queue,
                    problem=str(error) if isinstance(error, ConnextError) else describe(error),
                    retry_in=pause,
                )
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 (spreading, not hiding)
            pause = min(pause * 2, LONGEST_PAUSE)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[AsyncRealtimeClient, asyncio.Queue[str]]]:
        """Join the channel with a client of its own; yield it and what it hears."""
        heard: asyncio.Queue[str] = asyncio.Queue()
        client = AsyncRealtimeClient(
            self._url, self._key, auto_reconnect=False, max_retries=1, timeout=JOIN_SECONDS
        )
        await client.set_auth(await self._session.token())
        channel = client.channel(
            f"worker:{self._queue}",
            {
                "config": {
                    "private": True,
                    "broadcast": {"ack": False, "self": False},
                    "presence": {"key": "", "enabled": False},
                }
            },
        )
        try:
            await self._join(channel, heard)
            yield client, heard
        finally:
            await _discard(client, channel)

    async def _join(self, channel: AsyncRealtimeChannel, heard: asyncio.Queue[str]) -> None:
        """Subscribe, or raise Deaf."""
        states: list[str] = []

        def changed(state: RealtimeSubscribeStates, _error: Exception | None) -> None:
            states.append(state.value)
            heard.put_nowait(LOST)

        def told(message: dict[str, Any]) -> None:
            heard.put_nowait(str(message.get("event")))

        channel.on_broadcast("*", told)  # type: ignore[arg-type]  # a typed dict of the library's
        async with asyncio.timeout(2 * JOIN_SECONDS):
            await channel.subscribe(changed)
        if states != [RealtimeSubscribeStates.SUBSCRIBED.value]:
            self._session.forget()
            raise Deaf(f"the channel of queue {self._queue} was not joined: {states[-1:]}")
        heard.get_nowait()  # what announced the success
        log.info("realtime joined", queue=self._queue)

    async def _heard(
        self, client: AsyncRealtimeClient, heard: asyncio.Queue[str]
    ) -> AsyncIterator[str]:
        """Yield hints until there is reason to think that none arrive any more."""
        yield self._queue  # something may have been missed
        called = await self._call_out()  # whether hints arrive is known at once
        while True:
            patience = min(ANSWER_SECONDS, self._quiet) if called else self._quiet
            hint = await _within(min(patience, self._session.good_for or 0.001), heard)
            if hint == LOST:
                raise Deaf("the connection or the channel ended")
            if hint is not None:
                called = False
                self._hearing(True)
                if hint == JOBS:
                    yield self._queue
            elif not self._session.good_for:
                await client.set_auth(await self._session.token())
            elif called:
                raise Deaf("the worker did not hear its own call")
            else:
                called = await self._call_out()

    async def _call_out(self) -> bool:
        """Make the database call; False when it is away, which is no fault of Realtime's."""
        try:
            heard = await self._call()
        except Transient as error:
            log.warning("realtime not tried", queue=self._queue, problem=str(error))
            return False
        if not heard:
            raise Deaf(f"nobody may listen to queue {self._queue}; run 'connext queue listener'")
        return True


async def _within(seconds: float, heard: asyncio.Queue[str]) -> str | None:
    """Wait for the next thing heard, but not longer than *seconds*."""
    try:
        async with asyncio.timeout(seconds):
            return await heard.get()
    except TimeoutError:
        return None


async def _discard(client: AsyncRealtimeClient, channel: AsyncRealtimeChannel) -> None:
    """Close a client for good: also one whose server no longer answers."""
    channel.rejoin_timer.reset()
    channel.join_push.destroy()
    with suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close()
    with suppress(Exception):
        await client.close()  # cancels its tasks, if the first try had no time to
