"""Chapter six, beside it: a backup from before an erasure is restored and must not serve."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli import journal, signing
from cli.story.book import prove

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage


def take_backup(book: Book, stage: Stage) -> None:
    """Back the database up while it works, and keep a journal of erasures from now on."""
    from cli.embedded.backup import back_up

    folder = _folder(stage)
    os.environ[journal.VARIABLE] = str(folder / "erasures.jsonl")
    with book.step("the running database is backed up") as step:
        back_up(folder / "postgres", stage.state["admin_database_url"], _place(stage))
        size = sum(path.stat().st_size for path in _place(stage).rglob("*") if path.is_file())
        step.seen = f"{size / 1e6:.0f} MB; from now on a journal of erasures lies outside of it"


def rehearse(book: Book, stage: Stage) -> None:
    """Restore that backup: it refuses, is told what was erased since, is clean, and serves."""
    from cli.embedded.backup import restored
    from cli.restoring import drill

    file = Path(os.environ.pop(journal.VARIABLE))
    # The copy is no stack of this folder: its key is named as on any server.
    os.environ[signing.VARIABLE] = str(signing.place(_folder(stage)))
    with book.step("a restored backup serves only after erasing again") as step:
        superuser = conninfo_to_dict(stage.state["admin_database_url"])
        try:
            with restored(_place(stage), str(superuser["password"])) as copy:
                there = make_conninfo(stage.state["database_url"], port=copy.port)
                told = drill(_folder(stage), there, file)
        finally:
            del os.environ[signing.VARIABLE]
            shutil.rmtree(_place(stage), ignore_errors=True)
        prove(told["refused_before"] and told["serves_after"], "the copy served too early or never")
        step.seen = (
            f"refused, then replayed; rows of the erased person: {told['rows_found_before']}"
            f" before, {told['rows_found_after']} after; connections to confirm:"
            f" {told['connections_to_confirm']}"
        )


def _folder(stage: Stage) -> Path:
    return Path(stage.state["data_dir"])


def _place(stage: Stage) -> Path:
    return _folder(stage) / "restored"
