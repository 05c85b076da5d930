"""The privacy page, as anybody reads it on this stack once it is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from cli.story.book import prove

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage


def publish(book: Book, stage: Stage) -> None:
    """Read the page as anybody does, in both languages, with who is in charge."""
    with book.step("anybody reads the privacy page, in English and French") as step:
        ((email, version, proven),) = stage.sql(
            "select o.email, v.version, (select l.proven from private.last_verification() as l)"
            " from privacy.officers as o, privacy.policy_versions as v"
            " where o.ended_at is null and v.current"
        )
        told = {"en": f"{proven} statements proven", "fr": f"{proven} énoncés prouvés"}
        with httpx.Client(base_url=stage.state["receiver_url"], trust_env=False) as reader:
            sizes = []
            for language, heading in (("en", "Your rights"), ("fr", "Vos droits")):
                answer = reader.get("/privacy", headers={"accept-language": language})
                prove(answer.is_success, f"/privacy answers {answer.status_code}")
                prove(f'<html lang="{language}">' in answer.text, f"the page is not in {language}")
                prove(heading in answer.text and email in answer.text, "the page is not whole")
                prove(told[language] in answer.text, "the page does not tell what was verified")
                prove("set-cookie" not in answer.headers, "the page sets a cookie")
                sizes.append(len(answer.content))
            unknown = reader.get(f"/privacy/deletion/{'0' * 32}").status_code
            prove(unknown == 404, f"a code that nobody was given is answered {unknown}")  # noqa: PLR2004
        step.seen = (
            f"version {version}, who is in charge, {proven} claims proven; {sizes[0]:,} and"
            f" {sizes[1]:,} bytes, no cookie, no script; an unknown code answered 404"
        )
