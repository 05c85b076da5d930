"""Stripe's kinds of jobs: read the payload, call one service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.core.errors import Malformed
from workers.services.billing.correcting import Correcting
from workers.services.billing.events import Billing
from workers.services.billing.leaving import Leaving
from workers.services.billing.reconciling import Reconciling
from workers.services.billing.subscribing import Subscribing

if TYPE_CHECKING:
    from workers.core.clock import Clock
    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.jobs.registry import Registry
    from workers.providers.stripe.client import StripeApi


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _OfEvent(_Payload):
    object: str = Field(pattern=r"^(cus|sub|in|cs)_[A-Za-z0-9_]+$")
    received_at: datetime
    live: bool | None = None


class _OfRequest(_Payload):
    request_id: UUID


class _OfRun(_Payload):
    run_id: UUID


class _OfIntegration(_Payload):
    integration_id: UUID


Shape = TypeVar("Shape", bound=_Payload)


def register(registry: Registry, *, api: StripeApi, clock: Clock) -> None:
    """Register what the queue stripe does."""
    _register_events(registry, billing=Billing(api=api))
    subscribing = Subscribing(api=api)
    reconciling = Reconciling(api=api)
    leaving = Leaving(api=api, clock=clock)

    async def checkout(job: Job, context: Context) -> None:
        await subscribing.checkout(job, context, request_id=_read(_OfRequest, job).request_id)

    async def portal(job: Job, context: Context) -> None:
        await subscribing.portal(job, context, request_id=_read(_OfRequest, job).request_id)

    async def reconcile(job: Job, context: Context) -> None:
        await reconciling.reconcile(job, context, run_id=_read(_OfRun, job).run_id)

    async def revoke(job: Job, context: Context) -> None:
        _read(_OfIntegration, job)
        await leaving.revoke(job, context)

    async def erase(job: Job, context: Context) -> None:
        _read(_Payload, job)
        await leaving.erase(job, context)

    registry.add("stripe.checkout", checkout)
    _register_corrections(registry, correcting=Correcting(api=api))
    registry.add("stripe.portal", portal)
    registry.add("stripe.reconcile", reconcile)
    registry.add("stripe.revoke", revoke)
    registry.add("stripe.erase", erase)


def _register_corrections(registry: Registry, *, correcting: Correcting) -> None:
    """Register what tells Stripe of a correction."""

    async def correct(job: Job, context: Context) -> None:
        await correcting.correct(job, context, request_id=_read(_OfRequest, job).request_id)

    registry.add("stripe.correct", correct)


def _register_events(registry: Registry, *, billing: Billing) -> None:
    """Register what webhooks cause."""

    async def event(job: Job, context: Context) -> None:
        told = _read(_OfEvent, job)
        billing.check_mode(live=told.live)
        await billing.apply(job, context, thing=told.object, received_at=told.received_at)

    async def route(job: Job, context: Context) -> None:
        told = _read(_OfEvent, job)
        billing.check_mode(live=told.live)
        await billing.route(job, context, thing=told.object, received_at=told.received_at)

    registry.add("stripe.event", event)
    registry.add("stripe.route", route)


def _read(shape: type[Shape], job: Job) -> Shape:
    """Read a payload; one that breaks its contract can never work."""
    try:
        return shape.model_validate(job.payload)
    except ValidationError:
        raise Malformed(f"the payload of job {job.id} is not that of a {job.kind}") from None
