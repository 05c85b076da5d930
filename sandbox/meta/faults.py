"""What Graph's troubles look like on the wire."""

from starlette.responses import JSONResponse, Response

from sandbox.faults import Fault
from sandbox.meta.errors import GraphError, dead_token

RATE_LIMITS = {
    4: "(#4) Application request limit reached",
    17: "(#17) User request limit reached",
    32: "(#32) Page request limit reached",
    613: "(#613) Calls to this api have exceeded the rate limit.",
    80001: "(#80001) There have been too many calls to this Page account. "
    "Wait a bit and try again.",
    80006: "(#80006) There have been too many calls to this Messenger account. "
    "Wait a bit and try again.",
}
DEFAULT_LIMIT = 613
PERSON_CHANGED_PASSWORD = 460


def answer_of(fault: Fault, *, trace: str) -> Response | None:
    """Return what is answered instead of handling the call; none if it is handled after all."""
    if fault.kind == "not_json":
        return Response(fault.body, status_code=fault.status or 200, media_type="text/html")
    error = _error_of(fault)
    if error is None:
        return None
    body = error.body(trace=trace)
    if fault.transient is not None:
        body["error"]["is_transient"] = fault.transient
    return JSONResponse(body, status_code=fault.status or error.status)


def _error_of(fault: Fault) -> GraphError | None:
    code, subcode, message = fault.code, fault.subcode, fault.message
    match fault.kind:
        case "rate_limit":
            code = code or DEFAULT_LIMIT
            said = message or RATE_LIMITS.get(code, f"(#{code}) rate limit reached")
            return GraphError(code, said, subcode=subcode, transient=True)
        case "server_error":
            said = message or "An unknown error occurred"
            return GraphError(code or 1, said, subcode=subcode, status=500)
        case "service":
            said = message or "Service temporarily unavailable"
            return GraphError(2, said, subcode=subcode, transient=True)
        case "dead_token":
            error = dead_token(subcode or PERSON_CHANGED_PASSWORD)
            return GraphError(190, message or str(error), subcode=error.subcode)
        case "error" | "error_in_200":
            status = 200 if fault.kind == "error_in_200" else None
            said = message or f"(#{code or 100}) The sandbox was told to fail"
            return GraphError(code or 100, said, subcode=subcode, status=status)
        case _:
            return None
