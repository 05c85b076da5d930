"""Which handlers work a queue, and the clients they are made with: the other half of composing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workers.core.errors import NotConfigured
from workers.core.sealing import SETTING, Keyring, Opener
from workers.core.settings import (
    AuditSettings,
    MetaSettings,
    StorageSettings,
    StripeSettings,
    TelnyxSettings,
    WorkerSettings,
    load,
)
from workers.jobs import upkeep
from workers.jobs.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    from workers.core.clock import SystemClock
    from workers.core.metrics import Metrics
    from workers.core.signing import Signer
    from workers.services.auditing import Sealing


async def handlers(
    queues: Sequence[str],
    settings: WorkerSettings,
    *,
    clock: SystemClock,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> Registry:
    """Register the handlers of *queues*, each with the clients it needs and no others."""
    registry = Registry()
    if "meta" in queues:
        await _add_meta(registry, settings, clock=clock, metrics=metrics, stack=stack)
    if "stripe" in queues:
        await _add_stripe(registry, clock=clock, metrics=metrics, stack=stack)
    if "telnyx" in queues:
        await _add_telnyx(registry, settings, clock=clock, stack=stack)
    if "upkeep" in queues:
        upkeep.register(registry)
        await _add_sealing_of_audit(registry, clock=clock, stack=stack)
    return registry


async def _add_sealing_of_audit(
    registry: Registry, *, clock: SystemClock, stack: AsyncExitStack
) -> None:
    """Register the sealing of the audit, with the key and the anchor that are set."""
    from workers.core import signing  # noqa: PLC0415 (only this worker signs)
    from workers.jobs import sealing_audit  # noqa: PLC0415

    given, sealing = load(AuditSettings), None
    if given.signing_key is not None:
        signer = signing.load(given.signing_key)
        sealing = await sealing_of_audit(signer, given, clock=clock, stack=stack)
    sealing_audit.register(registry, sealing=sealing)


async def sealing_of_audit(
    signer: Signer, given: AuditSettings, *, clock: SystemClock, stack: AsyncExitStack
) -> Sealing:
    """Put together what seals: a key, and a file or an address to anchor at."""
    from workers.providers import http  # noqa: PLC0415 (the console starts faster without it)
    from workers.providers.anchor.client import UrlAnchor  # noqa: PLC0415
    from workers.services.auditing import FileAnchor, Sealing  # noqa: PLC0415

    named, anchor = given.audit_anchor, None
    if named is not None and "://" in named:
        client = await stack.enter_async_context(http.client())
        anchor = UrlAnchor(client, url=named, token=given.audit_anchor_token, clock=clock)
        return Sealing(signer, anchor)
    return Sealing(signer, FileAnchor(Path(named)) if named else None)


async def _add_meta(
    registry: Registry,
    settings: WorkerSettings,
    *,
    clock: SystemClock,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> None:
    """Register what Meta's queue does."""
    # A worker of another provider neither needs nor should have any of this loaded.
    from workers.jobs import meta, sealing  # noqa: PLC0415
    from workers.providers import http  # noqa: PLC0415
    from workers.providers.meta.client import GraphClient  # noqa: PLC0415
    from workers.providers.meta.files import FileClient  # noqa: PLC0415
    from workers.providers.storage.client import StorageClient  # noqa: PLC0415

    app = load(MetaSettings)
    opener = Opener(keyring(settings), clock=clock)
    stack.callback(opener.wipe_all)
    client = await stack.enter_async_context(http.client())
    graph = GraphClient(
        client,
        app_id=app.app_id,
        app_secret=app.app_secret,
        clock=clock,
        base_url=app.graph_url,
        version=app.graph_version,
        on_usage=lambda used: metrics.used("meta", used.percent),
        on_call=lambda call: metrics.called(
            "meta", status=call.status, code=call.code, seconds=call.seconds
        ),
    )
    place, storage = load(StorageSettings), None
    if place.supabase_url is not None and place.storage_key is not None:
        storage = StorageClient(
            client,
            url=place.supabase_url,
            key=place.storage_key,
            clock=clock,
            gate=place.publishable_key,
        )
    files = FileClient(client, base_url=app.graph_url, clock=clock)
    meta.register(registry, graph=graph, opener=opener, clock=clock, files=files, storage=storage)
    sealing.register(registry, provider="meta", opener=opener, clock=clock)


async def _add_stripe(
    registry: Registry, *, clock: SystemClock, metrics: Metrics, stack: AsyncExitStack
) -> None:
    """Register what Stripe's queue does; it has no tokens of anybody, only the platform's key."""
    from workers.jobs import stripe  # noqa: PLC0415
    from workers.providers import http  # noqa: PLC0415
    from workers.providers.stripe.client import StripeApi  # noqa: PLC0415

    given = load(StripeSettings)
    api = StripeApi(
        await stack.enter_async_context(http.client()),
        api_key=given.api_key,
        clock=clock,
        base_url=given.api_url,
        on_call=lambda call: metrics.called(
            "stripe", status="none", code=call.outcome, seconds=call.seconds
        ),
    )
    stripe.register(registry, api=api, clock=clock)


async def _add_telnyx(
    registry: Registry, settings: WorkerSettings, *, clock: SystemClock, stack: AsyncExitStack
) -> None:
    """Register what Telnyx's queue does."""
    # A worker of another provider neither needs nor should have any of this loaded.
    from workers.jobs import sealing, telnyx  # noqa: PLC0415
    from workers.providers import http  # noqa: PLC0415
    from workers.providers.storage.client import StorageClient  # noqa: PLC0415
    from workers.providers.storage.links import StorageLinks  # noqa: PLC0415
    from workers.providers.telnyx.client import TelnyxClient  # noqa: PLC0415
    from workers.providers.telnyx.files import TelnyxFiles  # noqa: PLC0415

    base_url = load(TelnyxSettings).telnyx_url
    opener = Opener(keyring(settings), clock=clock)
    stack.callback(opener.wipe_all)
    client = await stack.enter_async_context(http.client())
    place, storage, links = load(StorageSettings), None, None
    if place.supabase_url is not None and place.storage_key is not None:
        url, key, gate = place.supabase_url, place.storage_key, place.publishable_key
        storage = StorageClient(client, url=url, key=key, clock=clock, gate=gate)
        links = StorageLinks(client, url=url, key=key, clock=clock, gate=gate)
    telnyx.register(
        registry,
        client=TelnyxClient(client, base_url=base_url, clock=clock),
        opener=opener,
        clock=clock,
        files=TelnyxFiles(client, base_url=base_url, clock=clock),
        storage=storage,
        links=links,
    )
    sealing.register(registry, provider="telnyx", opener=opener, clock=clock)


def keyring(settings: WorkerSettings) -> Keyring:
    """Find the private sealing keys, without which no token opens."""
    if settings.sealing_keys is None:
        raise NotConfigured(SETTING, "is not set; give the folder that 'connext keys init' filled")
    return Keyring(settings.sealing_keys)
