"""`connext audit`: what was done, sealed so that nobody can change it unnoticed."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.database import connect
from cli.errors import Failed, NothingToDo, Usage
from cli.output import say, show, show_one

app = typer.Typer(
    help="Look at the audit, seal it into signed epochs, and verify it.\n\n"
    "For instance: connext audit tail --limit 20",
    no_args_is_help=True,
    rich_markup_mode=None,
)
ANCHOR = "CONNEXT_AUDIT_ANCHOR"
COLUMNS = ("id", "at", "org_id", "actor", "kind", "subject", "details")

LATE = 2

Anchor = Annotated[
    str | None,
    typer.Option(
        "--anchor",
        metavar="FILE|URL",
        help="Outside the database. [default: CONNEXT_AUDIT_ANCHOR]",
    ),
]


@app.command()
def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes.")],
) -> None:
    """Make the key that signs epochs, certificates and exports; no database ever has it.

    For instance: connext audit init ./secrets/signing.pem
    """
    from cli import signing

    signing.make(file)
    say(f"made {file}; set {signing.VARIABLE} to it")


@app.command()
def tail(
    *, limit: options.Limit = 50, data: options.Data = None, as_json: options.Json = False
) -> None:
    """Show the latest events, the newest last.

    For instance: connext audit tail --limit 20 --json
    """
    with connect(data) as db:
        found = db.rows(
            "select e.id, e.at, e.org_id, e.actor, e.kind, e.subject, e.details"
            " from audit.events as e"
            " order by e.xid desc, e.id desc limit %s",
            limit,
        )
    show(reversed(found), columns=COLUMNS, as_json=as_json)


@app.command()
def seal(
    *, anchor: Anchor = None, data: options.Data = None, as_json: options.Json = False
) -> None:
    """Seal everything that is over into one signed epoch, and anchor it outside.

    A worker does the same every hour; the two wait for each other.

    For instance: connext audit seal --anchor ./evidence/anchors.jsonl
    """
    from cli.auditing import seal as sealed

    documents = sealed(data, _anchor(anchor))
    if not documents:
        raise NothingToDo("nothing new is behind the horizon")
    show_one(documents[-1], as_json=as_json)


@app.command()
def status(
    *,
    hours: Annotated[
        float, typer.Option("--hours", min=0, help="Fail when something is unsealed longer.")
    ] = LATE,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Show how far the audit is sealed and anchored; exit 1 when the sealing is behind.

    For instance: connext audit status --hours 2
    """
    with connect(data) as db:
        row = db.one(
            """
            select l.n as epochs, l.sealed_at, l.key_id, coalesce(u.events, 0) as unsealed,
                u.oldest as oldest_unsealed,
                (select count(*) from audit.epochs as e where e.anchored_at is null) as unanchored,
                coalesce(u.oldest < now() - make_interval(secs => %s * 3600), false) as late
            from (select 1) as always
            left join lateral (
                select e.n, e.sealed_at, e.key_id, e.to_xid
                from audit.epochs as e order by e.n desc limit 1
            ) as l on true
            left join lateral (
                select count(*) as events, min(v.at) as oldest
                from audit.events as v where v.xid >= coalesce(l.to_xid, '0'::xid8)
            ) as u on true
            """,
            hours,
        )
    found = row or {}
    show_one(found, as_json=as_json)
    if found.get("late"):
        raise Failed(
            f"{found['unsealed']} events are not sealed, the oldest for more than {hours:g} hours;"
            " is the worker of upkeep running, with CONNEXT_SIGNING_KEY?"
        )


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the lines go.")],
    *,
    data: options.Data = None,
) -> None:
    """Write epochs, receipts and events as JSON lines, for verifying elsewhere.

    For instance: connext audit export audit.jsonl
    """
    from cli.auditing import export as written

    say(f"wrote {written(data, file)} events to {file}")


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An export; else the database.")
    ] = None,
    *,
    anchor: Anchor = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="ID", help="The key that must have signed.")
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Verify an export without any database; exit 1 and say everything that is wrong.

    For instance: connext audit verify audit.jsonl --anchor anchors.jsonl
    """
    import tempfile

    from cli.auditing import export as written
    from cli.auditing import verify as verified

    with tempfile.TemporaryDirectory() as folder:
        source = file or Path(folder) / "audit.jsonl"
        if file is None:
            written(data, source)
        found = verified(source, anchor=_lines_of(_anchor(anchor)), expected=key)
    show_one(
        {
            "epochs": found.epochs,
            "events": found.events,
            "unsealed": found.unsealed,
            "receipts": found.receipts,
            "wrong": found.wrong,
        },
        as_json=as_json,
    )
    if found.wrong:
        raise Failed(f"the audit was tampered with: {found.wrong[0]}")


@app.command()
def anchor(
    *,
    place: Anchor = None,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Write to the anchor every sealed epoch that it lacks: after a new file, or a failed write.

    `seal` anchors what it seals. Exit 3 when the anchor has every epoch already.

    For instance: connext audit anchor --anchor ./evidence/anchors.jsonl
    """
    from cli.auditing import anchor as anchored

    file = _lines_of(_anchor(place))
    if file is None:
        raise Usage(f"no file is named as the anchor; give --anchor FILE, or set {ANCHOR}")
    count = anchored(data, file, dry_run=dry_run)
    if not count:
        raise NothingToDo(f"{file} has every epoch already")
    if dry_run:
        say(f"would append {count} epochs to {file}; nothing was changed")
        return
    say(f"appended {count} epochs to {file}")


@app.command()
def purge(
    *,
    years: Annotated[int, typer.Option("--years", min=7, help="Older than this many years.")] = 7,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Delete the events of whole epochs whose time is over; roots and signatures stay.

    For instance: connext audit purge --years 7 --dry-run
    """
    from cli.output import confirm

    if not dry_run:
        confirm(f"delete audit events older than {years} years", yes=yes)
    with connect(data) as db:
        row = db.one("select audit.purge(now() - make_interval(years => %s)) as n", years)
        if dry_run:
            db.undo()
    gone = row["n"] if row else 0
    if not gone:
        raise NothingToDo("no whole epoch is that old")
    if dry_run:
        say(f"would delete {gone} events; nothing was changed")
        return
    say(f"deleted {gone} events; their roots stay")


def _anchor(given: str | None) -> str | None:
    """Take what was named, else what the environment names."""
    return given or os.environ.get(ANCHOR) or None


def _lines_of(anchor: str | None) -> Path | None:
    """Name the file of anchored epochs; an address is somebody else's to read."""
    if anchor is not None and "://" in anchor:
        say("the anchor is an address: take what it kept, a line each, and give it as --anchor")
        return None
    return Path(anchor) if anchor else None
