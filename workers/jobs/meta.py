"""Meta's kinds of jobs: read the payload, call one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from workers.core.errors import Malformed
from workers.services.connections import Connections
from workers.services.files import Files
from workers.services.messaging import Messaging
from workers.services.profiles import Profiles
from workers.services.revocation import Revocation
from workers.services.sending import Sending
from workers.services.sync import Sync
from workers.services.uploads import Uploads

if TYPE_CHECKING:
    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry
    from workers.providers.meta.client import GraphClient
    from workers.providers.meta.files import FileClient
    from workers.providers.storage.client import StorageClient


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _OfIntegration(_Payload):
    integration_id: UUID


class _OfEvent(_Payload):
    event_id: int


class _OfMessage(_Payload):
    message_id: UUID


class _OfChannel(_Payload):
    channel_id: UUID


class _OfConversation(_Payload):
    conversation_id: UUID


class _OfAttachment(_Payload):
    attachment_id: UUID
    event_id: int | None = None


class _OfObject(_Payload):
    path: str


Shape = TypeVar("Shape", bound=_Payload)


def register(  # noqa: PLR0913 - what the composition root has
    registry: Registry,
    *,
    graph: GraphClient,
    opener: Opener,
    clock: Clock,
    files: FileClient | None = None,
    storage: StorageClient | None = None,
) -> None:
    """Register what the queue meta does; without *storage* attachments wait."""
    uploads = Uploads(graph=graph, storage=storage)
    _register_inbox(registry, graph=graph, opener=opener, clock=clock, uploads=uploads)
    _register_sync(registry, sync=Sync(graph=graph, opener=opener, clock=clock))
    _register_extras(
        registry,
        keeper=Files(graph=graph, opener=opener, files=files, storage=storage),
        profiles=Profiles(graph=graph, opener=opener),
    )


def _register_inbox(
    registry: Registry, *, graph: GraphClient, opener: Opener, clock: Clock, uploads: Uploads
) -> None:
    """Register connecting, receiving, sending and revoking."""
    messaging = Messaging(app_id=graph.app_id)
    sending = Sending(graph=graph, opener=opener, clock=clock, uploads=uploads)
    connections = Connections(graph=graph, opener=opener, clock=clock)
    revocation = Revocation(graph=graph, opener=opener, clock=clock)

    async def connect(job: Job, context: Context) -> None:
        payload = _read(_OfIntegration, job)
        await connections.connect(job, context, integration_id=payload.integration_id)

    async def event(job: Job, context: Context) -> None:
        await messaging.apply_event(job, context, event_id=_read(_OfEvent, job).event_id)

    async def send(job: Job, context: Context) -> None:
        await sending.send(job, context, message_id=_read(_OfMessage, job).message_id)

    async def revoke(job: Job, context: Context) -> None:
        payload = _read(_OfIntegration, job)
        await revocation.revoke(job, context, integration_id=payload.integration_id)

    registry.add("meta.connect", connect)
    registry.add("meta.event", event)
    registry.add("meta.send", send)
    registry.add("meta.revoke", revoke)


def _register_sync(registry: Registry, *, sync: Sync) -> None:
    """Register what reads conversations without being told of them."""

    async def backfill(job: Job, context: Context) -> None:
        await sync.backfill(job, context, channel_id=_read(_OfChannel, job).channel_id)

    async def reconcile(job: Job, context: Context) -> None:
        await sync.reconcile(job, context, channel_id=_read(_OfChannel, job).channel_id)

    registry.add("meta.backfill", backfill)
    registry.add("meta.reconcile", reconcile)


def _register_extras(registry: Registry, *, keeper: Files, profiles: Profiles) -> None:
    """Register what completes a message: files and names."""

    async def attachment(job: Job, context: Context) -> None:
        wanted = _read(_OfAttachment, job)
        await keeper.store(
            job, context, attachment_id=wanted.attachment_id, event_id=wanted.event_id
        )

    async def unstore(job: Job, context: Context) -> None:
        await keeper.unstore(job, context, path=_read(_OfObject, job).path)

    async def profile(job: Job, context: Context) -> None:
        wanted = _read(_OfConversation, job)
        await profiles.look_up(job, context, conversation_id=wanted.conversation_id)

    registry.add("meta.attachment", attachment)
    registry.add("meta.unstore", unstore)
    registry.add("meta.profile", profile)


def _read(shape: type[Shape], job: Job) -> Shape:
    """Read a payload; one that breaks its contract can never work."""
    try:
        return shape.model_validate(job.payload)
    except ValidationError:
        raise Malformed(f"the payload of job {job.id} is not that of a {job.kind}") from None
