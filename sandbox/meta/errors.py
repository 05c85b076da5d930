"""The errors of Graph: documented codes, their HTTP status and their JSON."""

from typing import Any

STATUS = {1: 500, 2: 500, 4: 403, 200: 403, 190: 401}
BAD_REQUEST = 400
OAUTH = "OAuthException"
METHOD = "GraphMethodException"


class GraphError(Exception):
    """An error answer on its way to the caller."""

    def __init__(  # noqa: PLR0913 - an error of Graph has this many properties
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        status: int | None = None,
        kind: str = OAUTH,
        transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.status = status or STATUS.get(code, BAD_REQUEST)
        self.kind = kind
        self.transient = transient

    def body(self, *, trace: str) -> dict[str, Any]:
        """Return the documented JSON."""
        error: dict[str, Any] = {"message": str(self), "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient:
            error["is_transient"] = True
        return {"error": {**error, "fbtrace_id": trace}}


def no_such_object(node: str, *, verb: str = "get") -> GraphError:
    """Say that *node* does not exist or may not be seen."""
    return GraphError(
        100,
        f"Unsupported {verb} request. Object with ID '{node}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation.",
        subcode=33,
        kind=METHOD,
    )


def bad_parameter(message: str, *, subcode: int | None = None) -> GraphError:
    """Say that a parameter is wrong."""
    return GraphError(100, f"(#100) {message}", subcode=subcode)


def missing_permission(message: str) -> GraphError:
    """Say that the app was not granted what the call needs."""
    return GraphError(200, f"(#200) {message}")


DEAD_TOKEN = {
    458: "The user has not authorized application.",
    459: "The user is enrolled in a blocking, logged-in checkpoint.",
    460: "The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    463: "Session has expired.",
    464: "Sessions for the user are not allowed because the user is not a confirmed user.",
    466: "The session was invalidated explicitly using an API call.",
    467: "The session is invalid because the user logged out.",
    492: "The user must be an administrator, editor, or moderator of the page in order to "
    "impersonate it.",
}


def dead_token(subcode: int | None) -> GraphError:
    """Say that the token is known but no longer valid."""
    reason = DEAD_TOKEN.get(subcode or 0, "The access token is not valid any more.")
    return GraphError(190, f"Error validating access token: {reason}", subcode=subcode)


def unreadable_token() -> GraphError:
    """Say that the token was never issued."""
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=400)
