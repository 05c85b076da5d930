"""`connext queue`: what waits, what runs, what died, and what to do about it."""

from typing import Annotated, LiteralString

import typer

from cli import options
from cli.database import Operator, connect
from cli.errors import Failed, NothingToDo
from cli.output import confirm, say, show

app = typer.Typer(
    help="Look at waiting and dead jobs; repeat or drop them.\n\nFor instance: connext queue stats",
    no_args_is_help=True,
    rich_markup_mode=None,
)

STATS = (
    *("queue", "kind", "ready", "running", "waiting", "blocked", "parked", "dead"),
    "oldest_ready_seconds",
)
# Payloads stay in the database: they are references, and nobody needs them to operate a queue.
WAITING = ("id", "kind", "org_id", "state", "priority", "attempt", "run_at", "last_error")
NAMED = 20
DEAD = ("id", "kind", "org_id", "attempt", "reason", "died_at")


@app.command()
def stats(*, data: options.Data = None, as_json: options.Json = False) -> None:
    """Count the jobs of every queue and kind, with the age of the oldest that is due.

    For instance: connext queue stats --json
    """
    with connect(data) as db:
        found = db.rows("select * from queue.stats()")
    show(found, columns=STATS, as_json=as_json)


@app.command()
def peek(
    queue: options.Queue,
    *,
    limit: options.Limit = 20,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Show the next jobs of a queue without touching them.

    For instance: connext queue peek meta --limit 5
    """
    with connect(data) as db:
        _known(db, queue)
        found = db.rows(
            """
            select j.id, j.kind, j.org_id, j.state, j.priority, j.attempt, j.run_at, j.last_error
            from queue.jobs as j
            where j.queue = %s
            order by
                array_position(array['running', 'ready', 'waiting', 'parked', 'blocked'], j.state),
                j.priority, j.turn, j.run_at, j.id
            limit %s
            """,
            queue,
            limit,
        )
    show(found, columns=WAITING, as_json=as_json)


@app.command()
def dead(
    queue: options.Queue,
    *,
    limit: options.Limit = 20,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Show the jobs of a queue that gave up, the latest first, with their reasons.

    For instance: connext queue dead meta --json
    """
    with connect(data) as db:
        _known(db, queue)
        found = db.rows(
            """
            select d.id, d.kind, d.org_id, d.attempt, d.reason, d.died_at
            from queue.dead_jobs as d
            where d.queue = %s
            order by d.died_at desc, d.id desc
            limit %s
            """,
            queue,
            limit,
        )
    show(found, columns=DEAD, as_json=as_json)


@app.command()
def retry(
    queue: options.Queue,
    job: Annotated[int | None, typer.Argument(metavar="JOB", help="Id of a dead job.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every dead job of the queue.")] = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Put dead jobs back in line, with their attempts reset.

    For instance: connext queue retry meta 4711 --dry-run
    """
    with connect(data) as db:
        ids = _dead_ids(db, queue, job, every=every)
        if dry_run:
            say(f"would retry in {queue}: {_listed(ids)}; nothing was changed")
            return
        done = [i for i in ids if _done(db, "select queue.revive(%s, %s) as done", queue, i)]
    say(f"back in line in {queue}: {_listed(done)}")


@app.command()
def drop(
    queue: options.Queue,
    job: Annotated[int | None, typer.Argument(metavar="JOB", help="Id of a dead job.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every dead job of the queue.")] = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
) -> None:
    """Forget dead jobs for good.

    For instance: connext queue drop meta 4711 --yes
    """
    with connect(data) as db:
        ids = _dead_ids(db, queue, job, every=every)
        if dry_run:
            say(f"would drop from {queue}: {_listed(ids)}; nothing was changed")
            return
        confirm(f"forget {_listed(ids)} of {queue} for good", yes=yes)
        done = [i for i in ids if _done(db, "select queue.drop_dead(%s, %s) as done", queue, i)]
    say(f"dropped from {queue}: {_listed(done)}")


@app.command()
def listener(
    queue: options.Queue,
    *,
    email: Annotated[
        str | None, typer.Option("--email", help="Address of the worker's account at Auth.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Send no hints any more.")] = False,
    data: options.Data = None,
) -> None:
    """Say which account hears of new jobs by Realtime, for workers that cannot LISTEN.

    Make the account before, in the dashboard of Auth; it needs no organization.

    For instance: connext queue listener meta --email worker-meta@example.com
    """
    if (email is None) != nobody:
        raise typer.BadParameter("give --email, or --nobody")
    with connect(data) as db:
        _known(db, queue)
        found = db.one("select u.id from auth.users as u where lower(u.email) = lower(%s)", email)
        if email is not None and found is None:
            raise Failed("Auth knows no account with this address; make it there first")
        account = found["id"] if found else None
        db.run("update queue.queues set listener = %s where queue = %s", account, queue)
    say(f"the queue {queue} sends {'hints to its listener' if account else 'no hints'}")


def _known(db: Operator, queue: str) -> None:
    """Refuse a queue that does not exist, instead of showing it as empty."""
    names = [row["queue"] for row in db.rows("select q.queue from queue.queues as q order by 1")]
    if queue not in names:
        raise typer.BadParameter(f"no queue {queue!r}; there are {', '.join(names)}")


def _dead_ids(db: Operator, queue: str, job: int | None, *, every: bool) -> list[int]:
    """Find the dead jobs that are meant: one, or all of the queue."""
    _known(db, queue)
    if (job is None) != every:
        raise typer.BadParameter("name one dead job, or give --all")
    found = db.rows(
        """
        select d.id from queue.dead_jobs as d
        where d.queue = %s and (%s::bigint is null or d.id = %s)
        order by d.id
        """,
        queue,
        job,
        job,
    )
    if not found:
        raise NothingToDo(f"no such dead job in {queue}; 'connext queue dead {queue}' shows them")
    return [row["id"] for row in found]


def _done(db: Operator, call: LiteralString, queue: str, job: int) -> bool:
    """Do one thing to one dead job; False when somebody else was faster."""
    answer = db.one(call, queue, job)
    return bool(answer and answer["done"])


def _listed(ids: list[int]) -> str:
    """Name jobs for people."""
    shown = ", ".join(map(str, ids[:NAMED])) or "none"
    return shown if len(ids) <= NAMED else f"{shown} and {len(ids) - NAMED} more"
