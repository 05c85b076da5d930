"""The assembly: the vendors' APIs at the root and their switches below `/_control`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from json import JSONDecodeError

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from sandbox.clock import Clock
from sandbox.control import Refused, control_routes
from sandbox.meta.config import MetaConfig
from sandbox.meta.vendor import Meta
from sandbox.places.vendor import Places, PlacesConfig
from sandbox.stripe.config import StripeConfig
from sandbox.stripe.vendor import Stripe
from sandbox.telnyx.config import TelnyxConfig
from sandbox.telnyx.vendor import Telnyx
from sandbox.vendor import Vendor


class Config(BaseModel):
    """The configuration file: one section for each vendor that is to be played."""

    model_config = ConfigDict(extra="forbid")

    meta: MetaConfig | None = None
    stripe: StripeConfig | None = None
    places: PlacesConfig | None = None
    telnyx: TelnyxConfig | None = None


class Sandbox:
    """A built sandbox: the ASGI app and the event that ends its waits."""

    def __init__(self, config: Config) -> None:
        self.stopping = asyncio.Event()
        self.clock = Clock()
        self.vendors = list(self._vendors(config))
        self.app = Starlette(
            routes=[
                control_routes(self.vendors, clock=self.clock),
                *(route for vendor in self.vendors for route in vendor.api()),
            ],
            exception_handlers={
                Refused: _refused,
                ValidationError: _invalid,
                JSONDecodeError: _unreadable,
            },
            lifespan=self._lifespan,
        )

    def _vendors(self, config: Config) -> Iterator[Vendor]:
        if config.meta is not None:
            yield Meta(config.meta, clock=self.clock, stopping=self.stopping)
        if config.stripe is not None:
            yield Stripe(config.stripe, clock=self.clock, stopping=self.stopping)
        if config.places is not None:
            yield Places(config.places, stopping=self.stopping)
        if config.telnyx is not None:
            yield Telnyx(config.telnyx, clock=self.clock, stopping=self.stopping)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        self.stopping.set()
        for vendor in self.vendors:
            await vendor.close()


def _refused(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=409)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    problems = (
        error.errors(include_url=False, include_context=False, include_input=False)
        if (isinstance(error, ValidationError))
        else []
    )
    return JSONResponse({"error": "invalid order", "problems": problems}, status_code=422)


def _unreadable(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"error": "the body is not JSON"}, status_code=400)
