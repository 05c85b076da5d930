"""Meta's kinds of jobs: read the payload, call one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from workers.core.errors import Malformed
from workers.services.connections import Connections
from workers.services.messaging import Messaging
from workers.services.revocation import Revocation
from workers.services.sending import Sending

if TYPE_CHECKING:
    from workers.core.clock import Clock
    from workers.core.sealing import Opener
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry
    from workers.providers.meta.client import GraphClient


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _OfIntegration(_Payload):
    integration_id: UUID


class _OfEvent(_Payload):
    event_id: int


class _OfMessage(_Payload):
    message_id: UUID


Shape = TypeVar("Shape", bound=_Payload)


def register(registry: Registry, *, graph: GraphClient, opener: Opener, clock: Clock) -> None:
    """Register what the queue meta does."""
    messaging = Messaging(app_id=graph.app_id)
    sending = Sending(graph=graph, opener=opener, clock=clock)
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


def _read(shape: type[Shape], job: Job) -> Shape:
    """Read a payload; one that breaks its contract can never work."""
    try:
        return shape.model_validate(job.payload)
    except ValidationError:
        raise Malformed(f"the payload of job {job.id} is not that of a {job.kind}") from None
