"""The errors of Stripe: documented types and codes, their HTTP status and their JSON."""

from typing import Any

STATUS = {
    "invalid_request_error": 400,
    "idempotency_error": 400,
    "card_error": 402,
    "api_error": 500,
}
MISSING, UNAUTHORIZED, CONFLICT, TOO_MANY = 404, 401, 409, 429


class StripeError(Exception):
    """An error answer on its way to the caller."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.param = param
        self.status = status or STATUS.get(kind, 400)

    def body(self) -> dict[str, Any]:
        """Return the documented JSON."""
        error: dict[str, Any] = {"type": self.kind, "message": str(self)}
        if self.code is not None:
            error |= {"code": self.code, "doc_url": f"https://docs.stripe.com/e/{self.code}"}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def no_such(what: str, key: str) -> StripeError:
    """Say that an object does not exist in this mode of this account."""
    return StripeError(
        f"No such {what}: '{key}'", code="resource_missing", param="id", status=MISSING
    )


def missing_parameter(name: str) -> StripeError:
    """Say that a parameter must be there."""
    return StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)


def bad_parameter(name: str, problem: str) -> StripeError:
    """Say that a parameter is wrong."""
    return StripeError(f"{problem}: {name}", code="parameter_invalid", param=name)
