"""`connext demo`: tell the story on a fresh stack and show one table."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.errors import Failed, Usage
from cli.output import say, show_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cli.story.book import Book
    from cli.story.report import Told

COLUMNS = ("step", "says", "seen", "milliseconds", "proven")


def demo(
    *,
    as_json: options.Json = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the stack running, and say where.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Also write the run down as one HTML file."),
    ] = None,
) -> None:
    """Run the whole story on a fresh local stack; exit 0 only if every step proved itself.

    For instance: connext demo --report demo.html
    """
    from cli.story.book import Book
    from cli.story.report import Told

    if report is not None and not report.absolute().parent.is_dir():
        raise Usage(f"--report: there is no folder {report.absolute().parent}")
    began_at = datetime.now(UTC)
    book = Book(tell=say)
    folder = Path(tempfile.mkdtemp(prefix="connext-demo-"))
    problem = _tell(book, folder, keep=keep)
    seconds = time.monotonic() - book.begun
    told = Told(
        began_at=began_at,
        steps=book.rows(),
        claims=[proof.as_row() for proof in book.proofs],
        seconds=seconds,
        phases=book.phases,
        samples=book.samples,
        versions=book.versions,
        problem=None if problem is None else f"{type(problem).__name__}: {problem}",
    )
    if as_json:
        show_json(told.as_json())
    else:
        _table(book, seconds)
    if report is not None:
        _write(told, report)
    if problem is not None:
        raise Failed(f"step {len(book.steps)} did not prove itself: {book.steps[-1].says}")


def _write(told: Told, path: Path) -> None:
    from cli.story.report import write

    try:
        path.write_text(write(told), encoding="utf-8")
    except OSError as error:
        say(f"{path} was not written: {error.strerror}")
    else:
        say(f"wrote {path}: open it in a browser")


def _tell(book: Book, folder: Path, *, keep: bool) -> Exception | None:
    """Tell every chapter; return what went wrong, if anything did."""
    try:
        for _ in _chapters(book, folder, keep=keep):
            pass
    except Exception as problem:  # noqa: BLE001 - the book has it; the stack is already stopped
        return problem
    return None


def _chapters(book: Book, folder: Path, *, keep: bool) -> Iterator[None]:
    from cli.story import (
        billing,
        connect,
        erasure,
        files,
        messages,
        page,
        people,
        phone,
        policy,
        restore,
        sales,
        walls,
    )
    from cli.story.report import versions
    from cli.story.sampler import Sampler
    from cli.story.stage import open_stage

    with (
        _stack(book, folder, keep=keep) as state,
        Sampler(state["database_url"], book.begun, book.samples),
    ):
        stage = open_stage(state)
        book.versions = versions(state)
        _advisors(book, state, folder)
        for chapter in (
            people.sign_up,
            people.found_organizations,
            connect.connect_meta,
            connect.tokens_are_sealed,
            messages.history,
            messages.storm,
            messages.read_inbox,
            messages.reply,
            files.exchange,
            connect.reauthorize,
            phone.connect,
            phone.texts,
            phone.stop,
            phone.call,
            sales.sell,
            sales.balance,
            billing.subscribe,
            billing.renew_and_recover,
            billing.no_card_anywhere,
            billing.complete_addresses,
            walls.other_organization,
            walls.foreign_purpose,
            walls.grants_hold,
            policy.with_data,
            restore.take_backup,
            erasure.a_person,
            restore.rehearse,
            phone.disconnect,
            connect.disconnect,
            erasure.the_organization,
            policy.every_claim,
            page.publish,
        ):
            try:
                chapter(book, stage)
            finally:
                book.proofs = stage.known.get("claims", [])
            yield


class _stack:  # noqa: N801 - read as a function: with _stack(...) as state
    """Start a stack in *folder* as the first step, and stop it at the end."""

    def __init__(self, book: Book, folder: Path, *, keep: bool) -> None:
        self._book, self._folder, self._keep = book, folder, keep

    def __enter__(self) -> dict[str, Any]:
        from cli.embedded import run
        from cli.embedded.folder import DataFolder
        from cli.embedded.supervise import Wanted

        with self._book.step("a fresh stack starts and is migrated") as step:
            started = run.detach(Wanted(DataFolder(self._folder)))
            self._book.phases = list(started.phases)
            step.seen = ", ".join(
                f"{name} {seconds:.1f} s"
                for name, seconds in started.phases
                if seconds >= 0.3  # noqa: PLR2004
            )
        return started.state

    def __exit__(self, *_: object) -> None:
        from cli.errors import NothingToDo
        from cli.stack import down

        if self._keep:
            say(f"the stack stays: connext status --data {self._folder}")
            return
        try:
            down(self._folder)
        except NothingToDo:
            say("the stack had ended already")
        shutil.rmtree(self._folder, ignore_errors=True)


def _advisors(book: Book, state: dict[str, Any], folder: Path) -> None:
    from cli.embedded import supabase
    from cli.story.book import prove

    with book.step("the official advisors have nothing to say") as step:
        done = supabase.advisors(state["database_url"], folder / "supabase-cli")
        prove(done.returncode == 0, (done.stdout or done.stderr)[:2000])
        step.seen = "0 warnings, 0 errors"


def _table(book: Book, seconds: float) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        caption=f"{sum(s.proven for s in book.steps)} of {len(book.steps)} steps proven"
        f" in {seconds:.1f} s",
    )
    table.add_column("#", justify="right")
    table.add_column("step", overflow="fold")
    table.add_column("what was seen", overflow="fold")
    table.add_column("ms", justify="right")
    table.add_column("")
    for number, step in enumerate(book.steps, 1):
        mark = "[green]proven[/]" if step.proven else "[red]FAILED[/]"
        table.add_row(str(number), step.says, step.seen, str(step.milliseconds), mark)
    Console().print(table)
