"""Verify access tokens of Supabase Auth: signing keys of the project, or its shared secret."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import jwt
import structlog

from workers.core.errors import NotConfigured, Transient, Unauthentic
from workers.core.log import describe
from workers.providers import http

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from workers.core.clock import Clock

PROVIDER: Final = "Supabase Auth"
AUDIENCE: Final = "authenticated"
SHARED: Final = ("HS256",)
SIGNED: Final = ("ES256", "RS256", "EdDSA")
LONGEST: Final = 8192  # characters of a token
LEEWAY: Final = 10  # seconds that clocks may differ
KEPT_FOR: Final = 600.0  # seconds: Supabase caches its keys as long
ASKED_AGAIN: Final = 30.0  # seconds between looks for an unknown key
DEADLINE: Final = 3.0

log = structlog.get_logger(__name__)


class SigningKeys:
    """The project's public keys, fetched when needed and kept for ten minutes."""

    def __init__(self, client: httpx.AsyncClient, *, url: str, clock: Clock) -> None:
        self._client = client
        self._url = f"{http.base_url(url)}/auth/v1/.well-known/jwks.json"
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._asked = -KEPT_FOR
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> Any:  # noqa: ANN401 - PyJWT's key
        """Find a key by its id; raise Unauthentic when the project has none like it."""
        if self._is_due(kid):
            async with self._lock:
                if self._is_due(kid):
                    await self._fetch()
        if kid is None or kid not in self._keys:
            raise Unauthentic("the token is signed with a key that the project does not have")
        return self._keys[kid]

    def _is_due(self, kid: str | None) -> bool:
        age = self._clock.monotonic() - self._asked
        return age > KEPT_FOR or (kid not in self._keys and age > ASKED_AGAIN)

    async def _fetch(self) -> None:
        """Fetch the keys; when that fails, the known ones go on."""
        self._asked = self._clock.monotonic()
        try:
            with http.our_errors(PROVIDER, clock=self._clock):
                async with asyncio.timeout(DEADLINE):
                    response = await self._client.get(self._url)
            response.raise_for_status()
            found = jwt.PyJWKSet.from_dict(response.json())
        except (Transient, ValueError, AttributeError, jwt.PyJWTError) as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - a status that is no success
            self._failed(error)
        else:
            self._keys = {key.key_id: key for key in found.keys if key.key_id}

    def _failed(self, error: Exception) -> None:
        log.warning("signing keys not fetched", problem=describe(error))
        if not self._keys:
            self._asked = -KEPT_FOR
            raise Transient("the project's signing keys cannot be fetched") from None


class Tokens:
    """Verifies; the algorithm that a token names decides which key it may be checked with."""

    def __init__(self, *, keys: SigningKeys | None, secret: SecretStr | None) -> None:
        if keys is None and secret is None:
            raise NotConfigured(
                "CONNEXT_SUPABASE_URL", "is not set; give it, or CONNEXT_JWT_SECRET for HS256"
            )
        self._keys = keys
        self._secret = secret

    async def person(self, token: str) -> UUID:
        """Return who a token stands for; raise Unauthentic unless it is valid now."""
        if len(token) > LONGEST:
            raise Unauthentic("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                await self._key(header),
                algorithms=[*SHARED, *SIGNED],
                audience=AUDIENCE,
                leeway=LEEWAY,
                options={"require": ["exp", "sub", "aud"]},
            )
            if claims.get("role") != AUDIENCE:
                raise Unauthentic("the token is not of a signed-in person")
            return UUID(claims["sub"])
        except jwt.ExpiredSignatureError:
            raise Unauthentic("the token has expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            raise Unauthentic("the token is not valid") from None

    async def _key(self, header: dict[str, Any]) -> Any:  # noqa: ANN401 - PyJWT's key
        """Choose the key; a secret never checks what only a public key may, nor the reverse."""
        algorithm = header.get("alg")
        if algorithm in SHARED and self._secret is not None:
            return self._secret.get_secret_value()
        if algorithm in SIGNED and self._keys is not None:
            found = await self._keys.find(header.get("kid"))
            if found.algorithm_name != algorithm:
                raise Unauthentic("the token is signed with another algorithm than its key")
            return found
        raise Unauthentic("the token is signed in a way that the project does not use")
