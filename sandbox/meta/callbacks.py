"""Deauthorize and data-deletion callbacks: a `signed_request` posted to the app."""

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed_request(payload: dict[str, Any], *, secret: str) -> str:
    """Sign *payload* as Meta does: over the encoded second part, without padding."""
    body = _base64url(json.dumps(payload, separators=(",", ":")).encode())
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return f"{_base64url(signature)}.{body}"


async def call_back(
    client: httpx.AsyncClient, url: str, *, asid: str, issued_at: int, secret: str
) -> dict[str, Any]:
    """Post the callback and return the status and what was answered."""
    payload = {
        "algorithm": "HMAC-SHA256",
        "expires": issued_at + 3600,
        "issued_at": issued_at,
        "user_id": asid,
    }
    form = {"signed_request": signed_request(payload, secret=secret)}
    try:
        answer = await client.post(url, data=form, timeout=10)
    except httpx.HTTPError as error:
        return {"status": None, "body": None, "problem": type(error).__name__}
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    return {"status": answer.status_code, "body": body}
