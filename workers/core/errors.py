"""Every error the workers raise on purpose, sorted by what the caller must do.

    ConnextError
    ├── Transient          may work later             -> the job is retried
    │   ├── RateLimited    ... not before retry_after
    │   └── Unavailable    the database is away       -> also recording waits for it
    ├── Permanent          cannot work                -> the job dies at once
    │   ├── Rejected       the provider said no
    │   ├── Malformed      the input breaks its contract
    │   ├── Refused        a rule of ours said no, for instance in SQL
    │   ├── Ambiguous      it may have happened       -> never repeated blindly
    │   └── SealBroken     a sealed token is not what its row says
    ├── Reauthorize        the token is dead          -> the job is parked, no attempt is counted
    ├── LeaseLost          somebody else has the job  -> nothing is recorded
    ├── NotConfigured      a setting is missing       -> an operator has to act
    ├── SideTaskDied       the worker is not whole    -> the process ends, and is restarted
    └── Unauthentic        a webhook failed its check -> 401, nothing is stored

Any other exception that leaves a handler is a bug: the job is retried, and the
traceback is logged. Messages never hold a payload, a token or a person's data: they
end up in logs and in the queue.
"""

from __future__ import annotations

from datetime import timedelta

DEFAULT_RETRY_AFTER = timedelta(seconds=60)


class ConnextError(Exception):
    """The root: catch it to tell our errors from bugs."""


class Transient(ConnextError):
    """May work later."""


class RateLimited(Transient):
    """The provider asks us to come back after *retry_after*; *of_app*: with any integration."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta = DEFAULT_RETRY_AFTER,
        of_app: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.of_app = of_app


class Unavailable(Transient):
    """The database is away or ended the connection."""


class Permanent(ConnextError):
    """Cannot work, however often it is tried."""


class Rejected(Permanent):
    """The provider said no."""


class Malformed(Permanent):
    """The input breaks its contract."""


class Refused(Permanent):
    """A rule of ours said no; *sqlstate* names it when it was raised in SQL (docs/errors.md)."""

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class Ambiguous(Permanent):
    """An effect outside may or may not have happened; it has to be reconciled."""


class SealBroken(Permanent):
    """A sealed token does not belong where it was found."""


class WrongOrganization(SealBroken):
    """The token was sealed for another organization."""


class WrongIntegration(SealBroken):
    """The token was sealed for another integration."""


class WrongKind(SealBroken):
    """The token was sealed as another kind."""


class WrongKey(SealBroken):
    """The token names another sealing key than its row."""


class Tampered(SealBroken):
    """The sealed bytes are damaged, changed, or not a sealed token at all."""


class Reauthorize(ConnextError):
    """The provider no longer accepts the token; a person has to connect again."""


class LeaseLost(ConnextError):
    """The job is no longer ours: another worker may be at it."""


class NotConfigured(ConnextError):
    """The setting named *setting* is missing or malformed."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting} {problem}")
        self.setting = setting


class SideTaskDied(ConnextError):
    """A task the worker cannot do without ended by itself."""


class Unauthentic(ConnextError):
    """A webhook does not prove where it comes from."""
