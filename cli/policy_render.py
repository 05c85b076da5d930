"""`connext policy render`: the privacy page as the receiver serves it, to look at or to keep."""

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.database import connect
from cli.errors import Failed
from cli.output import say


def render(
    *,
    lang: Annotated[str, typer.Option("--lang", metavar="en|fr", help="Language.")] = "en",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write there instead of printing it."),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            "--url",
            metavar="URL",
            help="What links to the other pages begin with, for a copy that lies elsewhere.",
        ),
    ] = "",
    data: options.Data = None,
) -> None:
    """Write the privacy page: one HTML file that needs no other.

    It is the page that the receiver serves at /privacy, from the same claims and the same rows.

    For instance: connext policy render --lang fr --out confidentialite.html
    """
    from workers.services.pages import LANGUAGES, Facts, Pages

    language = next((known for known in LANGUAGES if known == lang), None)
    if language is None:
        raise typer.BadParameter("--lang is en or fr")
    with connect(data) as db:
        found = db.one("select queue.privacy_page() as facts")
    facts = Facts.model_validate(found["facts"] if found else None)
    html = Pages(root=url).privacy(facts, language).html
    if out is None:
        typer.echo(html)
    else:
        try:
            out.write_text(html, encoding="utf-8")
        except OSError as error:
            raise Failed(f"{out} was not written: {error.strerror}") from error
        say(f"wrote {out}: version {facts.policy.version}, {len(html.encode()):,} bytes")
    if facts.officer is None:
        say(
            "the page names nobody in charge, which P-39.1 s. 3.1 asks for;"
            " see 'connext policy officer appoint --help'"
        )
