"""Tell Stripe of a corrected billing address, and record that it has it (GDPR Art. 19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from workers.core.errors import Permanent, Transient
from workers.db import calls
from workers.services.acting import org_of
from workers.services.billing import rows

if TYPE_CHECKING:
    from uuid import UUID

    from workers.jobqueue.context import Context
    from workers.jobqueue.job import Job
    from workers.providers.stripe.client import StripeApi

SETTLE: Final = "private.settle_correction(uuid, text, text)"

log = structlog.get_logger(__name__)


class Correcting:
    """Sends what was corrected to where it went."""

    def __init__(self, *, api: StripeApi) -> None:
        self._api = api

    async def correct(self, job: Job, context: Context, *, request_id: UUID) -> None:
        """Give the customer the address of now, and end the leg of the request."""
        async with context.acting(job) as connection:
            account = await rows.account(connection, org_of(job))
        if account is None or account.stripe_customer_id is None or account.billing_email is None:
            state, reason = "not_applicable", "There is no customer with an address at Stripe"
        else:
            try:
                reason = await self._told(account.stripe_customer_id, account.billing_email)
                state = "confirmed"
            except Permanent as error:
                state, reason = "failed", str(error)
            except Transient:
                if job.attempt < job.max_attempts:
                    raise
                state, reason = "failed", "Stripe did not answer"
        async with context.transaction(job) as connection:
            await calls.value(connection, SETTLE, request_id, state, reason)
        log.info("correction at Stripe", job=job.id, state=state)

    async def _told(self, customer: str, email: str) -> str:
        """Change the customer and read it back: only what Stripe says now is a confirmation."""
        await self._api.change_email(customer, email=email)
        if (await self._api.customer(customer)).email != email:
            raise Transient("Stripe still has the old address")
        return "Stripe's customer has the corrected address, read back"
