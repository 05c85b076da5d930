"""Running the checks, each undone, and drawing from them what becomes of every claim."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cli.database import CONNECT_SECONDS, MALFORMED, database_url, local_stack, usual_stack
from cli.errors import Failed, from_database
from cli.policy_checks.place import Place
from cli.policy_checks.registry import Verdict, load_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from cli.policy_checks.registry import Check, Result
    from workers.services.policy import Claim

CHECK_SECONDS = 15
LOCK_SECONDS = 2
TOOK_TOO_LONG = frozenset({"57014", "55P03"})
NO_RIGHT = "42501"


@dataclass(frozen=True, slots=True)
class Done:
    """One check as it went."""

    check: str
    asserts: str
    result: Result
    evidence: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a claim, and the checks it rests on."""

    claim: Claim
    result: Result
    evidence: str
    checks: tuple[Done, ...]

    def as_row(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "id": self.claim.id,
            "section": self.claim.section,
            "claim": self.claim.en,
            "result": self.result,
            "evidence": self.evidence,
            "checks": [asdict(done) for done in self.checks],
        }


def prove(place: Place, claims: Iterable[Claim], tell: Callable[[str], None]) -> list[Proof]:
    """Run what the claims rest on, each check once; say before each what is being asked."""
    listed = list(claims)
    known = load_checks()
    needed = list(dict.fromkeys(name for claim in listed for name in claim.checks))
    done: dict[str, Done] = {}
    for number, name in enumerate(needed, 1):
        tell(f"{number}/{len(needed)} {name}")
        done[name] = examined(place, known[name])
    return [_proof(claim, [done[name] for name in claim.checks]) for claim in listed]


def examined(place: Place, check: Check) -> Done:
    """Ask one check inside a savepoint that is taken back, whatever it did."""
    import psycopg

    begun = time.monotonic()
    try:
        with place.undone():
            place.connection.execute(
                "select set_config('statement_timeout', %s, true),"
                " set_config('lock_timeout', %s, true)",
                [f"{CHECK_SECONDS}s", f"{LOCK_SECONDS}s"],
            )
            verdict = check.examine(place)
    except psycopg.OperationalError as error:
        if error.sqlstate not in TOOK_TOO_LONG:
            raise
        verdict = Verdict("unprovable", f"no answer within {CHECK_SECONDS} s; ask again")
    except psycopg.Error as error:
        if error.sqlstate == NO_RIGHT:
            verdict = Verdict("unprovable", "this login lacks the operator's rights for it")
        else:
            # Its text may quote a value; the state does not.
            verdict = Verdict("failed", f"the question itself failed with {error.sqlstate}")
    milliseconds = round((time.monotonic() - begun) * 1000)
    return Done(check.name, check.asserts, verdict.result, verdict.evidence, milliseconds)


def _proof(claim: Claim, done: list[Done]) -> Proof:
    """Let a claim fail with any of its checks, and be no more certain than the least of them."""
    if claim.unprovable is not None:
        return Proof(claim, "unprovable", claim.unprovable, ())
    for result in ("failed", "unprovable"):
        if those := [one for one in done if one.result == result]:
            evidence = "; ".join(f"{one.check}: {one.evidence}" for one in those)
            rest = len(done) - len(those)
            held = (
                f" (of its other {rest} checks none failed)" if result != "failed" and rest else ""
            )
            return Proof(claim, result, evidence + held, tuple(done))
    return Proof(claim, "proven", "; ".join(one.evidence for one in done), tuple(done))


@contextmanager
def opened(data: Path | None) -> Iterator[Place]:
    """Open the one transaction of a run; it is rolled back at its end, always."""
    import os

    import psycopg
    from psycopg.rows import dict_row

    url = database_url(data)
    stack: Any = {}
    if data is not None:
        stack = local_stack(data)
    elif "CONNEXT_DATABASE_URL" not in os.environ and (usual := usual_stack()) is not None:
        data, stack = usual, local_stack(usual)
    try:
        connection = psycopg.connect(
            url,
            row_factory=dict_row,
            connect_timeout=CONNECT_SECONDS,
            application_name="connext policy verify",
        )
    except psycopg.ProgrammingError:
        raise Failed(MALFORMED) from None
    except psycopg.Error as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Failed(f"the database cannot be reached: {reason}") from error
    try:
        yield Place(connection, url, data, stack)
    except psycopg.Error as error:
        raise from_database(error) from error
    finally:
        connection.rollback()
        connection.close()
