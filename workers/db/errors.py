"""What Postgres raises, mapped once; our SQLSTATEs are listed in docs/errors.md."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg import Error, InterfaceError, OperationalError, errors
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from workers.core.errors import (
    ConnextError,
    LeaseLost,
    NotConfigured,
    Refused,
    Transient,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Answers that another try may change, although the server is there.
PASSING = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.ObjectInUse,
)
# Classes of SQLSTATE that mean the server is away, starting, stopping, or full.
AWAY = ("08", "53", "57P", "58")


# What of Postgres says that a migration changed what a prepared call answers with (plancache.c).
OUTDATED = "RevalidateCachedQuery"


def is_outdated(error: BaseException) -> bool:
    """Say whether a connection knows a call as it was before a migration: it has to go."""
    return isinstance(error, errors.FeatureNotSupported) and error.diag.source_function == OUTDATED


@contextmanager
def our_errors() -> Iterator[None]:
    """Translate what psycopg raises inside the block; the cause is kept."""
    try:
        yield
    except Error as error:
        raise translate(error) from error


def translate(error: Error) -> ConnextError:
    """Return our error for *error*.

    The server's text may quote values of rows, so that only its SQLSTATE and the names of
    things in the schema are repeated; texts under our own SQLSTATEs are ours and hold none.
    """
    state = error.sqlstate or ""
    if state.startswith("CX"):
        return _ours(error, state)
    if isinstance(error, PASSING) or is_outdated(error):
        return Transient(f"the database answered {state}: {type(error).__name__}")
    lost = isinstance(error, (OperationalError, InterfaceError)) and not state
    if lost or state.startswith(AWAY):
        return Unavailable(f"the database is away: {type(error).__name__}")
    if state.startswith("28"):
        return Unavailable("the database refused the login; check the worker role's password")
    return Refused(_named(error, state), sqlstate=state or None)


def _ours(error: Error, state: str) -> ConnextError:
    """Return the error that a SQLSTATE of ours stands for."""
    hint = error.diag.message_hint
    message = "; ".join(filter(None, [error.diag.message_primary or state, hint]))
    if state == "CX013":
        return NotConfigured("private.sealing_keys", "has no active key; run 'connext keys init'")
    if state == "CX030":
        return LeaseLost(message)
    return Refused(message, sqlstate=state)


def _named(error: Error, state: str) -> str:
    """Name the answer, and what in the schema it is about."""
    diag = error.diag
    about = ".".join(filter(None, [diag.schema_name, diag.table_name]))
    parts = [f"the database answered {state or 'nothing'}: {type(error).__name__}"]
    if about:
        parts.append(f"on {about}")
    if diag.constraint_name:
        parts.append(f"({diag.constraint_name})")
    return " ".join(parts)


POOL_ERRORS = (PoolTimeout, PoolClosed, TooManyRequests)
