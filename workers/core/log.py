"""Log lines: constant texts with fields, and a last line of defence for secrets and people.

Nobody should log a token, a message body, a phone number or an e-mail address. Should it
happen all the same, the processors here drop the value: by the name of its field, or
because it looks like one.
"""

from __future__ import annotations

import logging
import re
import sys
from contextvars import ContextVar
from itertools import pairwise
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Literal, TextIO

import structlog

from workers.core.errors import ConnextError

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
MAX_DEPTH = 6
MAX_LENGTH = 2_000
LONG_NUMBER = 10**9

# Id and kind of the job that the current task works on. One variable rather than structlog's
# context: it is set for every job, and binding costs more than a small job does.
JOB: ContextVar[tuple[int, str] | None] = ContextVar("job", default=None)

# Counted or internal numbers may be long without saying anything about a person.
PLAIN_FIELDS = frozenset({"job", "event_id", "pid", "bytes", "size", "count", "line"})

_TELLING_NAME = re.compile(
    r"token|secret|passw|authori[sz]ation|cookie|credential|signature|proof|plaintext|ciphertext"
    r"|api_?key|private|sealed|dsn|database_url|\bcode\b|oauth|nonce|jwt"
    r"|e_?mail|phone|mobile|msisdn|psid|asid|contact|recipient|sender|address|\bbody\b|\btext\b"
    r"|payload|content|message_text|\bname\b|full_name|first_name|last_name|account_name|snippet",
    re.IGNORECASE,
)

_TELLING_VALUE = re.compile(
    r"""
      EAA[A-Za-z0-9]{12,}                                  # Meta access tokens
    | \b(?:sk|rk|pk)_(?:live|test)_\w+ | \bwhsec_\w+       # Stripe
    | \bKEY[0-9A-Fa-f]{12,}\w*                             # Telnyx
    | \bsb_(?:secret|publishable)_\w+                      # Supabase
    | \beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?                  # JSON web tokens
    | (?:bearer|basic)\s+[\w.~+/=-]{8,}                    # authorization headers
    | -----BEGIN[^-]+-----                                 # armored keys
    | (?<=://)[^\s/:@]+:[^\s@]+(?=@)                       # user and password of a URL
    | (?:access_token|appsecret_proof|client_secret|code|state|hub\.verify_token|key)=[^&\s"']+
    | [\w.+%-]+@[\w-]+(?:\.[\w-]+)+                        # e-mail addresses
    | \+\d[\d\s().-]{6,}\d                                 # phone numbers, E.164 or written out
    | (?<![\w-])\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?![\w-]) # ... and as North Americans write them
    | (?<![\w-])\d{9,}(?![\w-])                            # scoped ids of people, cards, numbers
    """,
    re.IGNORECASE | re.VERBOSE,
)

# Their lines hold whole URLs, query strings included.
_CHATTY = ("httpx", "httpcore", "uvicorn.access", "hpack", "asyncio", "websockets")


def configure(
    *,
    level: Literal["debug", "info", "warning", "error"],
    style: Literal["json", "console"],
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process, also the libraries', through the same processors."""
    output = sys.stderr if stream is None else stream
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        name_job,
        structlog.processors.add_log_level,
        describe_exception,
        redact,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=output.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    _route_libraries(shared, renderer, number, output)


def _route_libraries(
    shared: list[Processor], renderer: Processor, level: int, output: TextIO
) -> None:
    """Give the standard library's loggers our processors, and hush those that log URLs."""
    stdlib: list[Processor] = [structlog.stdlib.add_logger_name, *shared]
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stdlib,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False


def name_job(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Say in every line a handler logs which job it was at."""
    current = JOB.get()
    if current is not None:
        fields.setdefault("job", current[0])
        fields.setdefault("kind", current[1])
    return fields


def redact(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Drop what a log line must not hold."""
    return {name: clean(value, name=name) for name, value in fields.items()}


def clean(value: object, *, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 (JSON-like)
    """Return *value* without anything that its *name* or its looks betray."""
    if name and _TELLING_NAME.search(name.replace("-", "_")):
        return REDACTED
    if isinstance(value, (bool, float)) or value is None:
        return value
    if isinstance(value, int):
        return REDACTED if abs(value) >= LONG_NUMBER and name not in PLAIN_FIELDS else value
    if isinstance(value, str):
        return _TELLING_VALUE.sub(REDACTED, value[:MAX_LENGTH])
    if depth >= MAX_DEPTH or isinstance(value, (bytes, bytearray, memoryview)):
        return REDACTED
    return _clean_many(value, depth=depth + 1)


def _clean_many(value: object, *, depth: int) -> Any:  # noqa: ANN401 (JSON-like)
    """Clean what is inside a container; anything else is cleaned as it would print."""
    if isinstance(value, dict):
        return {
            clean(str(key), depth=depth): clean(item, name=str(key), depth=depth)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item, depth=depth) for item in value]
    if isinstance(value, BaseException):
        return describe(value)
    return _TELLING_VALUE.sub(REDACTED, str(value)[:MAX_LENGTH])


def describe(error: BaseException) -> str:
    """Say what went wrong in words that are ours.

    Only our own errors promise a message without data. A library's may quote a row, a URL or
    a header: of those only the type, the SQLSTATE and the place are told.
    """
    kind = type(error).__name__
    if isinstance(error, ConnextError):
        return _TELLING_VALUE.sub(REDACTED, f"{kind}: {error}")
    state = getattr(error, "sqlstate", None)
    place = _last_place(error.__traceback__)
    return " ".join(filter(None, [kind, f"({state})" if state else "", place]))


def _places(trace: TracebackType | None) -> list[str]:
    """List the frames of *trace*, outermost first, as file, line and function."""
    return [
        f"{frame.f_code.co_filename.rpartition('/site-packages/')[2]}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(trace)
    ]


def _last_place(trace: TracebackType | None) -> str:
    """Name the innermost frame that is ours, or else the innermost."""
    places = _places(trace)
    ours = [place for place in places if "/workers/" in place]
    last = (ours or places or [""])[-1]
    return f"at {last.rpartition('/workers/')[2]}" if last else ""


def describe_exception(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Replace `exc_info` by types, places and our own messages; never locals, never source."""
    found = _exception(fields.pop("exc_info", None))
    if found is None:
        return fields
    chain = [found]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    fields["error"] = describe(found)
    fields["trace"] = [place for error in chain[:1] for place in _places(error.__traceback__)]
    if len(chain) > 1:
        fields["causes"] = [describe(cause) for _, cause in pairwise(chain)]
    return fields


def _exception(found: object) -> BaseException | None:
    """Find the exception in what callers hand over as `exc_info`."""
    if isinstance(found, BaseException):
        return found
    if isinstance(found, tuple) and isinstance(found[1], BaseException):
        return found[1]
    return sys.exc_info()[1] if found else None
