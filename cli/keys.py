"""`connext keys`: the OpenPGP keys that tokens are sealed to."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.database import Operator, connect, local_stack, usual_stack
from cli.errors import Failed, NothingToDo, Usage
from cli.output import say, show, show_one

app = typer.Typer(
    help="Make and look at the keys that tokens are sealed to.\n\n"
    "For instance: connext keys status",
    no_args_is_help=True,
    rich_markup_mode=None,
)

VARIABLE = "CONNEXT_SEALING_KEYS"
COLUMNS = ("key_id", "state", "created_at", "retired_at", "sealed_tokens", "private_half")
Folder = Annotated[
    Path | None,
    typer.Option("--folder", help=f"Folder of the private halves. [default: {VARIABLE}]"),
]


@app.command()
def init(
    *,
    folder: Folder = None,
    dry_run: options.DryRun = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Make the first sealing key; its private half never reaches the database.

    Keep a copy of the folder where the workers' secrets are kept: without it no token opens.

    For instance: connext keys init --folder ./secrets/sealing-keys
    """
    place = _folder(folder, data)
    with connect(data) as db:
        # Two operators at once: the second waits here, then finds the first one's key.
        db.run("lock table private.sealing_keys in share row exclusive mode")
        if active := _active(db):
            raise NothingToDo(f"the sealing key {active} is active already")
        if dry_run:
            say(f"would make a key and write its private half to {place}; nothing was changed")
            return
        made = _make(db, place)
    show_one(made, as_json=as_json)


@app.command()
def status(
    *, folder: Folder = None, data: options.Data = None, as_json: options.Json = False
) -> None:
    """List the sealing keys, how many tokens use each, and whether the private half is here.

    For instance: connext keys status --json
    """
    from cli.keymaking import private_key_path

    with connect(data) as db:
        found = db.rows(
            """
            select k.key_id, k.state, k.created_at, k.retired_at,
                (
                    select count(*) from private.sealed_tokens as t where t.key_id = k.key_id
                ) as sealed_tokens
            from private.sealing_keys as k
            order by k.created_at, k.key_id
            """,
        )
    place = _folder_or_none(folder, data)
    for key in found:
        path = private_key_path(place, key["key_id"]) if place else None
        key["private_half"] = path.is_file() if path else None
    show(found, columns=COLUMNS, as_json=as_json)


def _make(db: Operator, place: Path) -> dict[str, Any]:
    """Make a key and put each half where it belongs, or neither."""
    from cli.keymaking import make_key, write_private_half

    say("making a 3072-bit RSA key; this takes some seconds")
    key = make_key()
    try:
        path = write_private_half(place, key)
    except OSError as error:
        raise Failed(f"{place} cannot be written: {error.strerror}") from error
    try:
        db.run(
            "insert into private.sealing_keys (key_id, public_key) values (%s, %s)",
            key.fingerprint,
            key.public,
        )
        db.connection.commit()
    except BaseException:
        path.unlink()
        raise
    return {"key_id": key.fingerprint, "state": "active", "private_half": str(path)}


def _active(db: Operator) -> str | None:
    """Name the active key, if there is one."""
    found = db.one("select k.key_id from private.sealing_keys as k where k.state = 'active'")
    return found["key_id"] if found else None


def _folder(folder: Path | None, data: Path | None) -> Path:
    """Choose the folder of the private halves, or say how to name one."""
    if place := _folder_or_none(folder, data):
        return place
    if os.environ.get(VARIABLE):
        raise Usage(f"{VARIABLE} holds a key and not a folder; name a folder with --folder")
    raise Usage(f"no folder for the private half; set {VARIABLE}, or give --folder")


def _folder_or_none(folder: Path | None, data: Path | None) -> Path | None:
    """Choose the folder: --folder, else the variable, else the local stack's own."""
    if folder is not None:
        return folder
    named = os.environ.get(VARIABLE, "")
    if data is None and named:
        return None if named.lstrip().startswith("-----BEGIN") else Path(named)
    stack = data if data is not None else usual_stack()
    if stack is None:
        return None
    place = local_stack(stack).get("sealing_keys")
    return Path(place) if isinstance(place, str) else None
