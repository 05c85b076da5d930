"""`connext policy verify`: run what the claims rest on, and print what is proven, by sentence."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer evaluates it
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.errors import Failed, Usage
from cli.output import say, show, show_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cli.policy_checks.verify import Proof
    from workers.services.policy import Claim, Claims

COLUMNS = ("id", "section", "result", "claim", "evidence")


def verify(
    *,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="ID", help="Only this claim; may be given again."),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            "--evidence", metavar="DIR", help="Write one file per claim and a manifest there."
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record/--no-record",
            help="Keep the result in the database, for the page to tell; only of all claims.",
        ),
    ] = True,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Prove every sentence of the privacy page against the running system; exit 1 if one is untrue.

    What the checks write is undone.

    For instance: connext policy verify --evidence ./evidence
    """
    from cli.policy_checks.evidence import recorded, written
    from cli.policy_checks.verify import opened, prove
    from workers.services.policy import load_claims

    page = load_claims()
    meant = _meant(page, claim or [])
    with opened(data) as place:
        with _progress() as tell:
            proofs = prove(place, meant, tell)
        if evidence is not None:
            manifest = written(place, page, proofs, evidence)
            say(f"wrote {len(proofs)} files and {manifest}")
    if record and not claim:
        recorded(data, page, proofs)
    if as_json:
        show_json([proof.as_row() for proof in proofs])
    else:
        print_proofs(page, proofs)
    if failed := [proof.claim.id for proof in proofs if proof.result == "failed"]:
        raise Failed(f"{len(failed)} of {len(proofs)} claims are untrue here: {', '.join(failed)}")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Tell on one line of a terminal what is being asked; a pipe is told once."""
    if not sys.stderr.isatty():
        say("asking the running system; nothing it is asked stays in it")
        yield lambda _: None
        return
    yield lambda text: typer.echo(f"\r\x1b[2K{text}", err=True, nl=False)
    typer.echo("\r\x1b[2K", err=True, nl=False)


def _meant(page: Claims, ids: Sequence[str]) -> list[Claim]:
    """List the claims that were asked for, in the page's order; all of them without any."""
    if unknown := [one for one in ids if page.find(one) is None]:
        raise Usage(f"no claim is called {unknown[0]}; 'connext policy claims' lists them")
    return [claim for claim in page.claims if not ids or claim.id in ids]


def print_proofs(page: Claims, proofs: Sequence[Proof]) -> None:
    """Print the claims under the headings of the page, then what has to be said otherwise."""
    if not sys.stdout.isatty():
        show([proof.as_row() for proof in proofs], columns=COLUMNS, as_json=False)
        say(f"{tally(proofs)}; findings about the page's words: docs/policy-findings.md")
        return
    from rich.console import Console

    console = Console()
    console.print(claims_table(page, proofs))
    findings = [
        finding
        for finding in page.findings
        if not finding.claims or {proof.claim.id for proof in proofs} & set(finding.claims)
    ]
    if findings:
        console.print(f"[bold]{len(findings)} findings about the page's words[/]")
        for finding in findings:
            console.print(f"{finding.number:>3}. {finding.finding}", highlight=False)
        console.print("The words that are proposed: docs/policy-findings.md", highlight=False)


def claims_table(page: Claims, proofs: Sequence[Proof]) -> object:
    """Make the table of the claims, for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    marks = {"proven": "green", "failed": "bold red", "unprovable": "yellow"}
    counts = tally(proofs)
    table = Table(box=box.SIMPLE_HEAD, caption=counts, title=f"Privacy page {page.version}")
    table.add_column("claim", overflow="fold", ratio=5)
    table.add_column("", no_wrap=True)
    table.add_column("what was seen", overflow="fold", ratio=6)
    by_section = {section.id: section for section in page.sections}
    heading = None
    for proof in proofs:
        if proof.claim.section != heading:
            heading = proof.claim.section
            table.add_row(Text(by_section[heading].en, style="bold"), "", "")
        text = Text(proof.claim.en + " ")
        text.append(proof.claim.id, style="dim")
        table.add_row(text, Text(proof.result, style=marks[proof.result]), Text(proof.evidence))
    return table


def tally(proofs: Iterable[Proof]) -> str:
    """Count the results in one line."""
    listed = list(proofs)
    counts = {
        result: sum(proof.result == result for proof in listed)
        for result in ("proven", "failed", "unprovable")
    }
    checks = {done.check: done.milliseconds for proof in listed for done in proof.checks}
    return (
        f"{counts['proven']} proven, {counts['failed']} failed, {counts['unprovable']} not provable"
        f" here; {len(checks)} checks in {sum(checks.values()) / 1000:.1f} s"
    )
