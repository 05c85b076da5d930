"""Carrying out an erasure: every step is a transaction, and a stopped run goes on where it was."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cli import journal, signing
from cli.database import connect, database_url
from cli.errors import Failed, Refused, from_database
from cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    import psycopg

    from cli.database import Operator

BATCH = 5_000
BACKUP_DAYS = 30  # the longest that a hosted project keeps daily backups
PATIENCE = 60.0  # seconds to wait for a provider's worker to revoke
LOOK_EVERY = 0.25
BATCH_QUERY = "select privacy.erase_batch(%s, %s, %s, %s)"


def _go_on(_step: str) -> None:
    """Take no notice of a step."""


class Deletes(Protocol):
    """Where files are deleted by bucket/name."""

    def delete(self, path: str) -> None:
        """Delete one; one that is gone already is no error."""


@dataclass(frozen=True, slots=True)
class Run:
    """One erasure of one organization."""

    data: Path | None
    org: UUID
    id: UUID
    batch: int = BATCH
    patience: float = PATIENCE
    backup_days: int = BACKUP_DAYS
    place: Deletes | None = None  # where the files are; without, the project's Storage
    reached: Callable[[str], object] = _go_on  # told of every step and batch that is committed

    def rows(self, query: Any, *values: object) -> list[dict[str, Any]]:  # noqa: ANN401 - psycopg wants a literal
        """Run one statement about this erasure in a transaction of its own."""
        with connect(self.data) as db:
            return db.rows(query, self.org, self.id, *values)


def plan(data: Path | None, org: UUID, request: UUID) -> dict[str, Any]:
    """Say what an erasure would do, and the hash that names this plan."""
    with connect(data) as db:
        row = db.one("select * from privacy.plan_erasure(%s, %s)", org, request)
    assert row is not None, "the function returns a row"  # noqa: S101
    return row


def carry_out(run: Run, plan_sha256: str | None) -> dict[str, Any]:
    """Do everything that is left to do, and return the signed certificate."""
    signer = signing.signer(run.data)
    with _alone(run):
        (begun,) = run.rows("select * from privacy.start_erasure(%s, %s, %s)", plan_sha256)
        run.reached("started")
        if begun["state"] == "completed":
            with connect(run.data) as db:
                return issued(db, run.org, run.id, signer)
        return finish(run, begun, signer)


def issued(db: Operator, org: UUID, erasure: UUID, signer: signing.Signer) -> dict[str, Any]:
    """Put the stored certificate of an erasure together again."""
    found = db.one(
        "select c.body, c.signature, c.key_id from privacy.certificates as c"
        " where c.org_id = %s and c.erasure_id = %s",
        org,
        erasure,
    )
    if found is None:
        raise Failed("this erasure has no certificate; 'connext privacy erase list' shows all")
    if signer.key_id != found["key_id"]:
        raise Failed(f"it is signed by {found['key_id']}; name that key's file to print it")
    return {
        "body": bytes(found["body"]).decode(),
        "signature": bytes(found["signature"]).hex(),
        "public_key": signer.public.hex(),
        "key_id": found["key_id"],
    }


def finish(run: Run, begun: dict[str, Any], signer: signing.Signer) -> dict[str, Any]:
    """Go through the steps of an erasure that has begun."""
    if begun["subject_kind"] == "organization":
        _close(run)
        run.reached("closed")
    _files(run)
    run.reached("files")
    _rows(run, _tables(run, begun))
    if begun["subject_kind"] == "organization":
        run.rows("select privacy.erase_accounts(%s, %s)")
        run.reached("accounts")
    clean(run)
    run.reached("cleaned")
    swept = sweep(run)
    run.reached("swept")
    document = _certify(run, signer, swept)
    run.reached("certified")
    return document


@contextmanager
def _alone(run: Run) -> Iterator[None]:
    """Keep a second process from carrying out the same erasure; the lock ends with this one."""
    import psycopg

    with psycopg.connect(database_url(run.data), autocommit=True) as raw:
        got = raw.execute(
            "select pg_try_advisory_lock(hashtextextended('connext erasure ' || %s, 0))",
            [str(run.id)],
        ).fetchone()
        if not (got and got[0]):
            raise Refused("another process is carrying out this erasure; wait until it has ended")
        yield


def sweep(run: Run) -> list[dict[str, Any]]:
    """Look for the subject everywhere; anything that nobody keeps on purpose stops the run."""
    found = run.rows("select * from privacy.sweep_erasure(%s, %s)")
    left = [hit for hit in found if not hit["retained"]]
    if left:
        run.rows(
            "update privacy.erasures set state = 'residue'"
            " where org_id = %s and id = %s returning id"
        )
        places = ", ".join(
            f"{hit['table_name']}.{hit['column_name']} ({hit['hits']})" for hit in left
        )
        raise Failed(
            f"the subject is still found in {places}; correct those texts, or hold the rows with "
            "'connext privacy erase hold', then run the same erasure again"
        )
    return found


def clean(run: Run) -> None:
    """VACUUM and ANALYZE what was touched: values outlive DELETE in pages and in statistics.

    By one process: an erasure is in no hurry, and others read on the same machine.
    """
    import psycopg
    from psycopg import sql

    (state,) = run.rows(
        "select done, subject_kind from privacy.erasures where org_id = %s and id = %s"
    )
    with psycopg.connect(database_url(run.data), autocommit=True) as raw:
        for table in sorted(state["done"]):
            owned = raw.execute(
                "select pg_has_role(c.relowner, 'usage') from pg_class as c"
                " where c.oid = %s::regclass",
                [table],
            ).fetchone()
            if owned and owned[0]:
                raw.execute(
                    sql.SQL("vacuum (analyze, parallel 0) {}").format(
                        sql.Identifier(*table.split("."))
                    )
                )


def _close(run: Run) -> None:
    """Lock everybody out, cut every connection, and wait for what the providers answer."""
    with connect(run.data) as db:
        still = db.one(
            "select 1 from public.organizations as o where o.id = %s and o.closed_at is null",
            run.org,
        )
        if still:
            db.run("select private.close_organization(%s)", run.org)
        db.run("select privacy.ask_stripe(%s, %s)", run.org, run.id)
    _until(
        lambda: run.rows("select privacy.settle_legs(%s, %s) as waiting")[0]["waiting"] == 0,
        run.patience,
        "a provider has not answered yet: its token is not revoked, or its customer not erased; "
        "are the workers running? Run it again later: what is done stays done",
    )
    for leg in run.rows(
        "select l.provider, l.reason from privacy.erasure_legs as l"
        " where l.org_id = %s and l.erasure_id = %s and l.state = 'failed'"
    ):
        raise Failed(
            f"{leg['provider']} could not erase it: {leg['reason']}; nothing was deleted here yet."
            " Mend that and run it again"
        )


def _until(look: Callable[[], bool], patience: float, otherwise: str) -> None:
    end = time.monotonic() + patience
    while not look():
        if time.monotonic() > end:
            raise Failed(otherwise)
        time.sleep(LOOK_EVERY)


def _files(run: Run) -> None:
    """Delete the files through the API, one after the other; each one done is remembered."""
    wanted = run.rows(
        "select k.value from privacy.erasure_keys as k"
        " inner join storage.objects as o on k.value = o.bucket_id || '/' || o.name"
        " where k.org_id = %s and k.erasure_id = %s and k.kind = 'object' order by k.value"
    )
    if wanted:
        from cli.objects import objects

        place = run.place or objects(run.data)
        for number, item in enumerate(wanted, 1):
            place.delete(item["value"])
            run.reached(f"file {number}")
            if number % 100 == 0:
                say(f"deleted {number} of {len(wanted)} files")
    (left,) = run.rows("select privacy.note_files(%s, %s) as n")
    if left["n"]:
        raise Failed(f"Storage still lists {left['n']} of {len(wanted)} files; run it again")


def _tables(run: Run, begun: dict[str, Any]) -> list[str]:
    """List the tables of the plan, children first; rows that came in since are found as well."""
    with connect(run.data) as db:
        ordered = db.rows(
            "select o.table_name from privacy.erasure_order(%s) as o", begun["subject_kind"]
        )
        have_org = {
            row["table_name"]
            for row in db.rows(
                "select s.table_name from privacy.stored_columns as s"
                " where s.column_name = 'org_id'"
            )
        }
    everywhere = begun["subject_kind"] == "organization" or begun["account_too"]
    names = [row["table_name"] for row in ordered]
    return [n for n in names if n != "storage.objects" and (everywhere or n in have_org)]


def _rows(run: Run, tables: list[str]) -> None:
    """Erase the tables, in batches that are transactions of one connection: it knows its way."""
    import psycopg

    try:
        with psycopg.connect(database_url(run.data), autocommit=True) as raw:
            for table in tables:
                _table(run, table, raw)
    except psycopg.Error as error:
        raise from_database(error) from error


def _table(run: Run, table: str, raw: psycopg.Connection[Any]) -> None:
    total = 0
    values = [run.org, run.id, table, run.batch]
    while (row := raw.execute(BATCH_QUERY, values).fetchone()) and row[0]:
        total += row[0]
        run.reached(table)
        if total >= 10 * run.batch:
            say(f"{table}: {total} rows")
            total = 0


def _certify(run: Run, signer: signing.Signer, swept: list[dict[str, Any]]) -> dict[str, Any]:
    """Sign what was done, and forget by what the subject was found."""
    run.rows(
        "select privacy.remember_held(e) from privacy.erasures as e"
        " where e.org_id = %s and e.id = %s"
    )
    journal.note(run.rows)
    run.reached("journalled")
    with connect(run.data) as db:
        words = db.one("select cardinality(privacy.words_of(%s, %s)) as n", run.org, run.id)
        assert words is not None, "it is one row"  # noqa: S101
        facts = db.one(
            "select privacy.certificate_facts(%s, %s, %s) as f", run.org, run.id, run.backup_days
        )
        if facts is None or facts["f"] is None:
            raise Refused("there is no such erasure")
        said = facts["f"] | {
            "sweep": {
                "looked_for": words["n"],
                "residue": 0,
                "canary": "found",
                "retained": [
                    {"where": f"{hit['table_name']}.{hit['column_name']}", "rows": hit["hits"]}
                    for hit in swept
                ],
            }
        }
        body = signing.canonical(said)
        document = signing.sealed(body, signer)
        db.run(
            "select privacy.finish_erasure(%s, %s, %s, %s, %s)",
            run.org, run.id, body, bytes.fromhex(document["signature"]), signer.key_id,
        )  # fmt: skip
    return document
