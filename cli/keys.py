"""`connext keys`: the OpenPGP keys that tokens are sealed to."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options
from cli.database import Operator, connect, local_stack, usual_stack
from cli.errors import Failed, NothingToDo, Refused, Usage
from cli.output import confirm, say, show, show_one

app = typer.Typer(
    help="Make, rotate and retire the keys that tokens are sealed to.\n\n"
    "For instance: connext keys status",
    no_args_is_help=True,
    rich_markup_mode=None,
)

VARIABLE = "CONNEXT_SEALING_KEYS"
COLUMNS = (
    "key_id",
    "state",
    "created_at",
    "retired_at",
    "sealed_tokens",
    "revocations",
    "private_half",
)
PATIENCE = 60.0
OVERWRITTEN = (
    "the file was overwritten and removed; flash media, copy-on-write file systems and snapshots "
    "may keep the old bytes, and this command knows no other copy: destroy those too"
)
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
    from cli.rotation import first_key

    place = _folder(folder, data)
    with connect(data) as db:
        # Two operators at once: the second waits here, then finds the first one's key.
        db.run("lock table private.sealing_keys in share row exclusive mode")
        if active := _active(db):
            raise NothingToDo(f"the sealing key {active} is active already")
        if dry_run:
            say(f"would make a key and write its private half to {place}; nothing was changed")
            return
        made = first_key(db, place)
    show_one(made, as_json=as_json)


@app.command()
def status(
    *, folder: Folder = None, data: options.Data = None, as_json: options.Json = False
) -> None:
    """List the sealing keys, what each still seals, and whether the private half is here.

    For instance: connext keys status --json
    """
    from cli.keymaking import private_key_path

    with connect(data) as db:
        found = _keys(db)
    place = _folder_or_none(folder, data)
    for key in found:
        path = private_key_path(place, key["key_id"]) if place else None
        key["private_half"] = path.is_file() if path else None
    known = {key["key_id"] for key in found}
    for path in sorted(place.glob("*.pgp")) if place else ():
        if path.stem not in known:
            say(f"{path} belongs to no key of this database: prepared, or left over")
    show(found, columns=COLUMNS, as_json=as_json)


@app.command()
def rotate(
    *,
    folder: Folder = None,
    prepare: Annotated[
        bool,
        typer.Option("--prepare", help="Only make the new private half, to hand to the workers."),
    ] = False,
    use: Annotated[
        str | None,
        typer.Option("--use", metavar="KEY", help="Rotate to this prepared key; make none."),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait until every token is sealed anew.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", min=1, help="Seconds without progress before giving up.")
    ] = PATIENCE,
    dry_run: options.DryRun = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Make a new key the active one; the workers seal every token anew, this waits for them.

    Nothing stops meanwhile: both keys open. Run it again to go on after an interruption. Workers
    that do not read this folder need the new private half first: --prepare, copy it, --use.

    For instance: connext keys rotate --no-wait
    """
    from cli.rotation import follow, prepare_key, progress, request, rotate_to

    place = _folder(folder, data)
    with connect(data) as db:
        begun = db.one("select clock_timestamp() as at")
        assert begun is not None, "a clock always answers"  # noqa: S101
        unfinished = progress(db, since=begun["at"]).left
        active = _active(db)
        if unfinished and active and not dry_run:
            request(db)
    if active is None:
        raise Failed("there is no active sealing key to rotate away; run 'connext keys init'")
    if unfinished and (prepare or use):
        raise Refused(f"a rotation is under way, {unfinished} tokens left; finish it first")
    if dry_run:
        say(_plan(unfinished, active))
        return
    if prepare:
        show_one(prepare_key(place), as_json=as_json)
        return
    if unfinished:
        say(f"a rotation is under way: going on with {unfinished} tokens")
        result = {"continued": True, "key_id": active, "tokens": unfinished}
    else:
        result = {"continued": False} | rotate_to(data, place, use)
    if not no_wait:
        follow(data, tokens=int(str(result["tokens"])), since=begun["at"], patience=patience)
    with connect(data) as db:
        result["left"] = progress(db, since=begun["at"]).left
    show_one(result, as_json=as_json)


@app.command()
def retire(
    key: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="Fingerprint; the only retiring key without it."),
    ] = None,
    *,
    folder: Folder = None,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Destroy the private half of a key that seals nothing any more: old backups stay sealed.

    Refused while any token or revocation is sealed to it. Whatever was sealed to it, in whatever
    backup, can never be opened again.

    For instance: connext keys retire --dry-run
    """
    from cli.keymaking import destroy_private_half, private_key_path

    place = _folder_or_none(folder, data)
    with connect(data) as db:
        chosen = _to_retire(_keys(db), key)
    fingerprint = chosen["key_id"]
    here = place is not None and private_key_path(place, fingerprint).is_file()
    if chosen["state"] == "retired" and not here:
        raise NothingToDo(f"the key {fingerprint} is retired and its private half is not here")
    what = f"retire the key {fingerprint} and destroy its private half for good"
    if dry_run:
        where = f"in {place}" if here else "which is not here: destroy it where it is"
        say(f"would {what}, {where}; nothing was changed")
        return
    confirm(what, yes=yes)
    if chosen["state"] != "retired":
        with connect(data) as db:
            db.run("select private.retire_key(%s)", fingerprint)
    try:
        gone = place is not None and destroy_private_half(place, fingerprint)
    except OSError as error:
        raise Failed(
            f"the key is retired, its private half in {place} is not destroyed: {error.strerror}; "
            "run the command again"
        ) from error
    say(OVERWRITTEN if gone else "the private half is not here: destroy it wherever it is")
    result = {"key_id": fingerprint, "state": "retired", "destroyed": gone}
    show_one(result, as_json=as_json)


def _keys(db: Operator) -> list[dict[str, Any]]:
    """List the keys and what each still seals, oldest first."""
    return db.rows(
        """
        select k.key_id, k.state, k.created_at, k.retired_at,
            (
                select count(*) from private.sealed_tokens as t where t.key_id = k.key_id
            ) as sealed_tokens,
            (
                select count(*) from private.revocations as r where r.key_id = k.key_id
            ) as revocations
        from private.sealing_keys as k
        order by k.created_at, k.key_id
        """,
    )


def _to_retire(keys: list[dict[str, Any]], wanted: str | None) -> dict[str, Any]:
    """Choose the key, or say why none can be retired; the database decides again."""
    if wanted is None:
        retiring = [key for key in keys if key["state"] == "retiring"]
        if not retiring:
            raise NothingToDo("no key is retiring; 'connext keys rotate' makes one so")
        if len(retiring) > 1:
            raise Usage(f"{len(retiring)} keys are retiring; name one: 'connext keys status'")
        (chosen,) = retiring
    else:
        found = [key for key in keys if key["key_id"] == wanted.upper()]
        if not found:
            raise Failed(f"no sealing key {wanted}; 'connext keys status' lists them")
        (chosen,) = found
    if chosen["state"] == "active":
        raise Refused(f"the key {chosen['key_id']} is active; rotate first: 'connext keys rotate'")
    if used := chosen["sealed_tokens"] + chosen["revocations"]:
        raise Refused(
            f"the key {chosen['key_id']} still seals {chosen['sealed_tokens']} tokens and "
            f"{used - chosen['sealed_tokens']} revocations; run 'connext keys rotate' again for "
            "tokens, revocations are gone after ten minutes"
        )
    return chosen


def _plan(unfinished: int, active: str) -> str:
    """Say what rotating would do."""
    if unfinished:
        return f"would go on sealing {unfinished} tokens to {active}; nothing was changed"
    return f"would make a key, and have every token sealed to {active} sealed to it instead"


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
