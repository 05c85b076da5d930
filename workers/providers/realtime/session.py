"""A worker's account at Supabase Auth, whose token lets it hear hints and do nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, Field, ValidationError

from workers.core.errors import Malformed, Rejected
from workers.providers import http

if TYPE_CHECKING:
    import httpx

    from workers.core.clock import Clock
    from workers.core.settings import RealtimeSettings

PROVIDER: Final = "Supabase Auth"
DEADLINE: Final = 15.0  # seconds
# A token is renewed when this share of its life is over.
RENEW_AFTER: Final = 0.75


class _Tokens(BaseModel):
    access_token: str = Field(min_length=1)
    refresh_token: str = Field(min_length=1)
    expires_in: float = Field(gt=0)


class Session:
    """Signs in, and renews before the token ends; Realtime closes a channel whose token has."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: RealtimeSettings,
        *,
        clock: Clock,
    ) -> None:
        self._client = client
        self._settings = settings
        self._address = f"{http.base_url(settings.supabase_url)}/auth/v1/token"
        self._clock = clock
        self._tokens: _Tokens | None = None
        self._renew_at = 0.0

    @property
    def good_for(self) -> float:
        """Seconds until the token should be renewed; 0 when there is none."""
        if self._tokens is None:
            return 0.0
        return max(self._renew_at - self._clock.monotonic(), 0.0)

    def forget(self) -> None:
        """Sign in anew next time: the token was not taken, whatever its end says."""
        self._tokens = None

    async def token(self) -> str:
        """Return an access token with time left, asking Auth only when it has to."""
        if self._tokens is None or not self.good_for:
            self._tokens = await self._renewed()
            self._renew_at = self._clock.monotonic() + RENEW_AFTER * self._tokens.expires_in
        return self._tokens.access_token

    async def _renewed(self) -> _Tokens:
        """Refresh; sign in anew when there is nothing to refresh, or Auth no longer takes it."""
        if self._tokens is not None:
            try:
                return await self._ask("refresh_token", refresh_token=self._tokens.refresh_token)
            except Rejected:
                self._tokens = None
        password = self._settings.password.get_secret_value()
        return await self._ask("password", email=self._settings.email, password=password)

    async def _ask(self, grant: str, **body: str) -> _Tokens:
        request = self._client.build_request(
            "POST",
            self._address,
            params={"grant_type": grant},
            headers={"apikey": self._settings.publishable_key},
            json=body,
        )
        with http.our_errors(PROVIDER, clock=self._clock):
            async with asyncio.timeout(DEADLINE):
                response = await self._client.send(request)
        if not response.is_success:
            raise http.answered(PROVIDER, response, now=self._clock.now())
        try:
            return _Tokens.model_validate_json(response.content)
        except ValidationError:
            # The answer holds tokens: none of it is repeated.
            raise Malformed(f"{PROVIDER} answered without a session") from None
