"""`connext privacy erase`: what erasing a subject would do, doing it, and its proof."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import options, privacy_request
from cli.database import connect
from cli.errors import Failed, NothingToDo, Refused, Usage
from cli.output import confirm, say, show, show_json, show_one

app = typer.Typer(
    help="Plan and carry out the erasure of a person, a member or an organization.\n\n"
    "For instance: connext privacy erase plan 0198c0de-0000-7000-8000-000000000001",
    no_args_is_help=True,
    rich_markup_mode=None,
)

STEPS = ("table", "delete", "empty", "unlink", "keep", "held", "retention")
Out = Annotated[Path | None, typer.Option("--out", help="Write the certificate to this file.")]


@app.command()
def plan(
    request: privacy_request.Request,
    *,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Say what erasing the subject of a request would do to each table; nothing of it is done.

    For instance: connext privacy erase plan 0198c0de-0000-7000-8000-000000000001 --json
    """
    from cli.erasing import plan as planned

    with connect(data) as db:
        org = privacy_request.org_of(db, request)
    made = planned(data, org, request)
    if as_json:
        show_json({key: made[key] for key in ("id", "org_id", "state", "plan_sha256", "plan")})
        return
    show(made["plan"], columns=STEPS, as_json=False)
    say(f"plan {made['plan_sha256']}; carry it out with: connext privacy erase run {request}")


@app.command("run")
def run_(
    request: privacy_request.Request,
    *,
    plan_sha256: Annotated[
        str | None,
        typer.Option(
            "--plan", metavar="HASH", help="The plan that was shown; refused if not true."
        ),
    ] = None,
    out: Out = None,
    patience: Annotated[
        float, typer.Option("--patience", help="Seconds to wait for workers to revoke tokens.")
    ] = 60.0,
    yes: options.Yes = False,
    data: options.Data = None,
) -> None:
    """Carry out a plan, verify that nothing is left, and sign the certificate.

    A run that was stopped goes on where it was when it is called again; after it is done there is
    nothing to do any more (exit code 3).

    For instance: connext privacy erase run 0198c0de-0000-7000-8000-000000000001 --yes
    """
    from cli.erasing import Run, carry_out
    from cli.erasing import plan as planned

    with connect(data) as db:
        # An organization takes its requests along: one that was begun is found by itself.
        begun = db.one(
            "select e.* from privacy.erasures as e"
            " where e.request_id = %s and e.state in ('running', 'residue', 'completed')"
            " order by e.state = 'completed' limit 1",
            request,
        )
        if begun and begun["state"] == "completed":
            raise NothingToDo(
                f"it was carried out on {begun['finished_at']:%Y-%m-%d}; print its certificate"
                f" with 'connext privacy erase certificate {request}'"
            )
        org = begun["org_id"] if begun else privacy_request.org_of(db, request)
    made = begun or planned(data, org, request)
    if made["state"] == "planned" and not made["plan"]:
        raise NothingToDo("there is nothing of this subject left")
    rows = sum(item["delete"] + item["empty"] + item["unlink"] for item in made["plan"])
    if made["state"] == "planned":
        confirm(f"erase {rows} rows of {len(made['plan'])} tables for good", yes=yes)
    document = carry_out(
        Run(data, org, made["id"], patience=patience), plan_sha256 or made["plan_sha256"]
    )
    _written(document, out)
    say(f"erased; certificate signed by {document['key_id']}")


@app.command("list")
def list_(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """List erasures and how far they are.

    For instance: connext privacy erase list --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select e.id, e.org_id, e.request_id, e.subject_kind, e.state,
                e.started_at, e.finished_at
            from privacy.erasures as e
            order by e.planned_at, e.id
            """
        )
    columns = ("id", "org_id", "request_id", "subject_kind", "state", "started_at", "finished_at")
    show(found, columns=columns, as_json=as_json)


@app.command()
def certificate(
    request: privacy_request.Request, *, out: Out = None, data: options.Data = None
) -> None:
    """Print the certificate of an erasure again.

    For instance: connext privacy erase certificate 0198c0de-0000-7000-8000-000000000001
    """
    from cli import signing
    from cli.erasing import issued

    signer = signing.signer(data)
    with connect(data) as db:
        erasure = db.one(
            "select e.org_id, e.id from privacy.erasures as e where e.request_id = %s"
            " order by e.state = 'completed' desc",
            request,
        )
        if erasure is None:
            raise Failed(
                f"request {request} has no certificate; 'connext privacy erase list' shows all"
            )
        document = issued(db, erasure["org_id"], erasure["id"], signer)
    _written(document, out)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate.")],
    *,
    key: Annotated[
        str | None, typer.Option("--key", metavar="ID", help="The key that must have signed it.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Verify a certificate without any database, and show what it says.

    For instance: connext privacy erase verify certificate.json --key 0123ABCD
    """
    from cli.signing import verified

    try:
        document = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise Failed(f"{file} cannot be read: {type(error).__name__}") from error
    show_one(verified(document, expected=key), as_json=as_json)
    say("the signature fits: this is what was signed")


@app.command()
def hold(
    org: options.Org,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Like public.notes.")],
    row: Annotated[UUID, typer.Argument(metavar="ROW", help="Id of the row.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why it has to stay.")],
    provision: Annotated[str, typer.Option("--provision", help="The provision it rests on.")],
    days: Annotated[int, typer.Option("--days", min=1, max=3660, help="For how long.")] = 90,
    data: options.Data = None,
) -> None:
    """Keep one row from every erasure and every retention rule, for a reason and a time.

    For instance: connext privacy erase hold 0198c0de-0000-7000-8000-000000000001 public.notes \
0198c0de-0000-7000-8000-000000000002 --reason "open dispute" --provision "GDPR Art. 17(3)(e)"
    """
    with connect(data) as db:
        known = db.one("select 1 from privacy.catalog_tables as t where t.table_name = %s", table)
        if known is None:
            raise Failed(f"no table {table} in the catalog; 'connext privacy map' shows them")
        db.run(
            "insert into privacy.holds (org_id, table_name, row_id, reason, provision, holds_until)"
            " values (%s, %s, %s, %s, %s, now() + make_interval(days => %s))",
            org, table, row, reason, provision, days,
        )  # fmt: skip
    say(f"held {table} {row} for {days} days")


@app.command()
def holds(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """List what is held now: why, by which provision, until when.

    For instance: connext privacy erase holds --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select h.org_id, h.table_name, h.row_id, h.reason, h.provision, h.holds_until
            from privacy.holds as h
            where h.released_at is null and h.holds_until > now()
            order by h.holds_until, h.id
            """
        )
    columns = ("org_id", "table_name", "row_id", "reason", "provision", "holds_until")
    show(found, columns=columns, as_json=as_json)


@app.command()
def release(
    org: options.Org,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Like public.notes.")],
    row: Annotated[UUID, typer.Argument(metavar="ROW", help="Id of the row.")],
    *,
    data: options.Data = None,
) -> None:
    """End a hold before its time; what it kept from an erasure goes with the next retention run.

    For instance: connext privacy erase release 0198c0de-0000-7000-8000-000000000001 public.notes \
0198c0de-0000-7000-8000-000000000002
    """
    with connect(data) as db:
        ended = db.rows(
            "update privacy.holds set released_at = now() where org_id = %s and table_name = %s"
            " and row_id = %s and released_at is null returning id",
            org, table, row,
        )  # fmt: skip
    if not ended:
        raise NothingToDo(f"{table} {row} is not held")
    say("released; 'connext privacy retention run' erases what it had kept from an erasure")


def _written(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        show_json(document)
        return
    try:
        out.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise Failed(f"{out} cannot be written: {error.strerror}") from error


Journal = Annotated[
    Path | None, typer.Option("--journal", help="The file of CONNEXT_ERASURE_JOURNAL.")
]


@app.command()
def replay(
    *,
    journal: Journal = None,
    none_since: Annotated[
        str | None,
        typer.Option(
            "--no-erasures-since",
            metavar="REASON",
            help="Serve without a journal: nothing was erased since the backup, and why.",
        ),
    ] = None,
    consents_stand: Annotated[
        bool,
        typer.Option(
            "--consents-stand",
            help="Nothing was lost, so that connections need no confirming (a promoted standby).",
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether it may serve; exit 4 if not.")
    ] = False,
    data: options.Data = None,
) -> None:
    """Carry out again, after a restore, the erasures that the backup has forgotten; then serve.

    A restored database locks out workers, receiver and API by itself until this has run.

    For instance: connext privacy erase replay --journal ./evidence/erasures.jsonl --check
    """
    from cli import restoring
    from cli.journal import pending

    if (journal is None) == (none_since is None):
        raise Usage("give --journal FILE, or --no-erasures-since REASON, and not both")
    forgotten = [] if journal is None else pending(data, journal)
    reason = restoring.refusal(data)
    if not forgotten and reason is None:
        say("the database serves, and knows every erasure it was told of")
        return
    if check:
        raise Refused(
            f"{len(forgotten)} erasures are forgotten: workers, receiver and API must wait"
            if forgotten
            else str(reason)
        )
    if journal is None:
        asked = restoring.acknowledge(data, none_since or "", consents_stand=consents_stand)
        say(f"it serves again; {asked or 0} connections have to be confirmed")
        return
    opened = restoring.replay(data, journal, consents_stand=consents_stand)
    if opened is not None:
        say(
            f"replayed {opened.replayed} erasures, each swept and certified again; it serves, and"
            f" {opened.unconfirmed} connections have to be confirmed"
        )


@app.command()
def drill(
    *,
    copy: Annotated[
        str,
        typer.Option(
            "--copy",
            envvar="CONNEXT_DRILL_URL",
            metavar="URL",
            help="A restored copy of the database, which nothing else uses; it is changed.",
        ),
    ],
    journal: Annotated[
        Path, typer.Option("--journal", help="The file of CONNEXT_ERASURE_JOURNAL.")
    ],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Rehearse a restore on a copy: it must refuse, be replayed, be clean, and serve.

    The result is recorded in privacy.drills of the real database. The copy has to be older than
    the last erasure of the journal: otherwise nothing is proven, and the drill fails. Its address
    holds a password: give it as CONNEXT_DRILL_URL.

    For instance: connext privacy erase drill --journal ./evidence/erasures.jsonl
    """
    from cli.restoring import drill as rehearsed

    show_one(rehearsed(data, copy, journal), as_json=as_json)
    say("passed: the copy refused, was replayed, was clean, and served")
