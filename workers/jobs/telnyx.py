"""Telnyx's kinds of jobs: read the payload, call one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.core.errors import Malformed
from workers.services.telnyx.calling import Calling
from workers.services.telnyx.connecting import Connecting
from workers.services.telnyx.history import History
from workers.services.telnyx.media import Media
from workers.services.telnyx.numbers import Numbers
from workers.services.telnyx.revoking import Revoking
from workers.services.telnyx.sending import Sending
from workers.services.telnyx.steering import Steering
from workers.services.telnyx.texting import Texting

if TYPE_CHECKING:
    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry
    from workers.providers.telnyx.client import TelnyxClient
    from workers.providers.telnyx.files import TelnyxFiles
    from workers.services.telnyx.media import Bucket
    from workers.services.telnyx.sending import Links


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _OfIntegration(_Payload):
    integration_id: UUID


class _OfEvent(_Payload):
    event_id: int


class _OfMessage(_Payload):
    message_id: UUID


class _OfAttachment(_Payload):
    attachment_id: UUID
    event_id: int


class _OfCall(_Payload):
    call_id: UUID


class _OfAction(_Payload):
    action_id: UUID


class _OfStep(_Payload):
    call_id: UUID
    step: Literal["announce", "record", "bring", "voicemail"]


class _OfToken(_Payload):
    token_id: UUID


class _OfCredential(_Payload):
    credential_id: str = Field(min_length=1, max_length=200)


class _OfRecording(_Payload):
    recording_id: UUID
    event_id: int | None = None


Shape = TypeVar("Shape", bound=_Payload)


def register(  # noqa: PLR0913 - what the composition root has
    registry: Registry,
    *,
    client: TelnyxClient,
    opener: Opener,
    clock: Clock,
    files: TelnyxFiles | None = None,
    storage: Bucket | None = None,
    links: Links | None = None,
) -> None:
    """Register what the queue telnyx does; without *storage* files wait."""
    _register_connection(registry, client=client, opener=opener, clock=clock)
    _register_texts(
        registry,
        sending=Sending(client=client, opener=opener, clock=clock, links=links),
        history=History(client=client, opener=opener, clock=clock),
        media=Media(client=client, opener=opener, files=files, storage=storage),
    )
    _register_calls(
        registry,
        steering=Steering(client=client, opener=opener, clock=clock),
        calling=Calling(client=client, opener=opener),
    )


def _register_connection(
    registry: Registry, *, client: TelnyxClient, opener: Opener, clock: Clock
) -> None:
    """Register the life of a connection and its numbers."""
    connecting = Connecting(client=client, opener=opener)
    numbers = Numbers(client=client, opener=opener)
    revoking = Revoking(client=client, opener=opener, clock=clock)

    async def connect(job: Job, context: Context) -> None:
        wanted = _read(_OfIntegration, job)
        await connecting.connect(job, context, integration_id=wanted.integration_id)

    async def choose(job: Job, context: Context) -> None:
        wanted = _read(_OfIntegration, job)
        await numbers.apply(job, context, integration_id=wanted.integration_id)

    async def revoke(job: Job, context: Context) -> None:
        wanted = _read(_OfIntegration, job)
        await revoking.revoke(job, context, integration_id=wanted.integration_id)

    registry.add("telnyx.connect", connect)
    registry.add("telnyx.numbers", choose)
    registry.add("telnyx.revoke", revoke)


def _register_texts(
    registry: Registry, *, sending: Sending, history: History, media: Media
) -> None:
    """Register what comes in, what goes out, and what is read afterwards."""
    texting = Texting()

    async def event(job: Job, context: Context) -> None:
        await texting.apply_event(job, context, event_id=_read(_OfEvent, job).event_id)

    async def send(job: Job, context: Context) -> None:
        await sending.send(job, context, message_id=_read(_OfMessage, job).message_id)

    async def settle(job: Job, context: Context) -> None:
        await history.settle(job, context, message_id=_read(_OfMessage, job).message_id)

    async def backfill(job: Job, context: Context) -> None:
        wanted = _read(_OfIntegration, job)
        await history.backfill(job, context, integration_id=wanted.integration_id)

    async def reconcile(job: Job, context: Context) -> None:
        wanted = _read(_OfIntegration, job)
        await history.reconcile(job, context, integration_id=wanted.integration_id)

    async def attachment(job: Job, context: Context) -> None:
        wanted = _read(_OfAttachment, job)
        await media.attachment(
            job, context, attachment_id=wanted.attachment_id, event_id=wanted.event_id
        )

    async def recording(job: Job, context: Context) -> None:
        wanted = _read(_OfRecording, job)
        await media.recording(
            job, context, recording_id=wanted.recording_id, event_id=wanted.event_id or 0
        )

    async def unrecord(job: Job, context: Context) -> None:
        wanted = _read(_OfRecording, job)
        await media.unrecord(job, context, recording_id=wanted.recording_id)

    registry.add("telnyx.event", event)
    registry.add("telnyx.send", send)
    registry.add("telnyx.settle", settle)
    registry.add("telnyx.backfill", backfill)
    registry.add("telnyx.reconcile", reconcile)
    registry.add("telnyx.attachment", attachment)
    registry.add("telnyx.recording", recording)
    registry.add("telnyx.unrecord", unrecord)


def _register_calls(registry: Registry, *, steering: Steering, calling: Calling) -> None:
    """Register placing and steering calls, and the browsers' tokens."""

    async def dial(job: Job, context: Context) -> None:
        await steering.dial(job, context, call_id=_read(_OfCall, job).call_id)

    async def act(job: Job, context: Context) -> None:
        await steering.act(job, context, action_id=_read(_OfAction, job).action_id)

    async def follow(job: Job, context: Context) -> None:
        wanted = _read(_OfStep, job)
        await steering.follow(job, context, call_id=wanted.call_id, step=wanted.step)

    async def token(job: Job, context: Context) -> None:
        await calling.token(job, context, token_id=_read(_OfToken, job).token_id)

    async def uncredential(job: Job, context: Context) -> None:
        await calling.forget(job, context, credential_id=_read(_OfCredential, job).credential_id)

    registry.add("telnyx.dial", dial)
    registry.add("telnyx.act", act)
    registry.add("telnyx.follow", follow)
    registry.add("telnyx.token", token)
    registry.add("telnyx.uncredential", uncredential)


def _read(shape: type[Shape], job: Job) -> Shape:
    """Read a payload; one that breaks its contract can never work."""
    try:
        return shape.model_validate(job.payload)
    except ValidationError:
        raise Malformed(f"the payload of job {job.id} is not that of a {job.kind}") from None
