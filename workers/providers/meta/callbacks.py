"""Prove and read the `signed_request` of Meta's deauthorize and data-deletion callbacks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.core.errors import Malformed, Unauthentic

ALGORITHM: Final = "HMAC-SHA256"
OLDEST: Final = timedelta(days=7)  # Meta repeats for a while; later it is a replay
AHEAD: Final = timedelta(minutes=5)  # how far Meta's clock may be before ours


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    algorithm: str
    issued_at: Annotated[int, Field(gt=0, lt=4_102_444_800)]
    user_id: Annotated[str, Field(pattern=r"^[0-9]{1,64}$")]


@dataclass(frozen=True, slots=True)
class Callback:
    """Who is meant, by their app-scoped id, and when Meta said it."""

    person: str
    issued_at: datetime


def read(signed_request: str, *, secret: str, now: datetime) -> Callback:
    """Prove a signed request and read it; raise Unauthentic or Malformed.

    The signature covers the second part as it was sent, still encoded.
    """
    given, dot, payload = signed_request.partition(".")
    wanted = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    if not dot or not hmac.compare_digest(_decoded(given), wanted):
        raise Unauthentic("the signed_request does not prove itself")
    try:
        said = _Said.model_validate(json.loads(_decoded(payload)))
    except (ValidationError, ValueError, RecursionError):
        raise Malformed("the signed_request does not hold what Meta documents") from None
    if said.algorithm.upper() != ALGORITHM:
        raise Unauthentic("the signed_request names another algorithm")
    issued_at = datetime.fromtimestamp(said.issued_at, UTC)
    if not now - OLDEST <= issued_at <= now + AHEAD:
        raise Unauthentic("the signed_request is too old, or from the future")
    return Callback(said.user_id, issued_at)


def _decoded(part: str) -> bytes:
    """Decode base64url without padding; rubbish is as good as nothing."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
