"""Files in Supabase Storage, through its API: rows of storage.objects alone are not the bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cli.database import local_stack, usual_stack
from cli.errors import Failed

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

URL, KEY = "CONNEXT_SUPABASE_URL", "CONNEXT_STORAGE_KEY"
GONE = frozenset({400, 404})  # Storage answers either for an object that is not there


class Objects:
    """The files of one project."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def delete(self, path: str) -> None:
        """Delete bucket/name; one that is gone already is no error."""
        bucket, _, name = path.partition("/")
        # By list: the way for one file answers 400 both for a missing one and for a refusal.
        answer = self._send("DELETE", bucket, json={"prefixes": [name]})
        if not answer.is_success and answer.status_code not in GONE:
            raise Failed(f"Storage answered {answer.status_code} to deleting a file; run again")

    def put(self, path: str, content: Any, *, mime_type: str) -> None:  # noqa: ANN401 - bytes or a stream
        """Store bucket/name; doing it again replaces it."""
        headers = {"content-type": mime_type, "x-upsert": "true"}
        answer = self._send("POST", path, content=content, headers=headers)
        if not answer.is_success:
            raise Failed(f"Storage answered {answer.status_code} to storing a file; run again")

    def get(self, path: str) -> bytes | None:
        """Read bucket/name, or None when it is not there."""
        answer = self._send("GET", path)
        if answer.status_code in GONE:
            return None
        if not answer.is_success:
            raise Failed(f"Storage answered {answer.status_code} to reading a file; run again")
        return answer.content

    def _send(self, method: str, path: str, **rest: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        import httpx

        try:
            return self._client.request(method, f"/storage/v1/object/{quote(path)}", **rest)
        except httpx.TransportError as error:
            raise Failed(f"Storage did not answer: {type(error).__name__}; run again") from error


def objects(data: Path | None) -> Objects:
    """Reach the project's files with a secret key, from the environment or the local stack."""
    import httpx

    url, key = os.environ.get(URL), os.environ.get(KEY)
    stack = data or (None if url else usual_stack())
    if stack is not None:
        state = local_stack(stack)
        url, key = str(state["api_url"]), str(state["secret_key"])
    if not url or not key:
        raise Failed(f"Storage is not configured, so files would stay: set {URL} and {KEY}")
    return Objects(
        httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {key}", "apikey": key},
            timeout=40,
            trust_env=False,
        )
    )
