"""Errors in Telnyx's shape: a list of objects whose code is a string."""

from typing import Any

TITLES = {
    "10004": "Missing required parameter",
    "10005": "Resource not found",
    "10007": "Unexpected error",
    "10009": "Authentication failed",
    "10010": "Authorization failed",
    "10011": "Too many requests",
    "10015": "Bad Request",
    "10016": "Phone number must be in +E.164 format",
    "10027": "Idempotency key reused",
    "10036": "Idempotency key in use",
    "10033": "Account inactive",
    "40300": "Blocked due to STOP message",
    "40305": "Invalid 'from' address",
    "40309": "Invalid destination region",
    "40318": "Message queue full",
    "90015": "Invalid Call Control ID",
    "90018": "Call has already ended",
}


class TelnyxError(Exception):
    """A refusal: the HTTP status, Telnyx's code, and what is said about it."""

    def __init__(
        self, status: int, code: str, detail: str = "", *, pointer: str | None = None
    ) -> None:
        super().__init__(detail or TITLES.get(code, "Error"))
        self.status = status
        self.code = code
        self.pointer = pointer

    def body(self) -> dict[str, Any]:
        """Write the error as it goes over the wire."""
        error: dict[str, Any] = {
            "code": self.code,
            "title": TITLES.get(self.code, "Error"),
            "detail": str(self),
            "meta": {"url": f"https://developers.telnyx.com/docs/overview/errors/{self.code}"},
        }
        if self.pointer is not None:
            error["source"] = {"pointer": self.pointer}
        return {"errors": [error]}


def missing(name: str) -> TelnyxError:
    """Say that a parameter is missing."""
    return TelnyxError(422, "10004", f"The '{name}' parameter is required.", pointer=f"/{name}")


def not_found() -> TelnyxError:
    """Say that a resource does not exist in this account."""
    return TelnyxError(404, "10005", "The requested resource or URL could not be found.")
