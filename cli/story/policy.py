"""The last chapter: what was done is sealed, and every claim of the privacy page is verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.story.book import prove

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage

OFFICER = (
    "select privacy.appoint_officer('Privacy officer',"
    " 'Responsable de la protection des renseignements personnels', 'privacy@connext.example')"
    " where not exists (select 1 from privacy.officers as o where o.ended_at is null)"
)


def every_claim(book: Book, stage: Stage) -> None:
    """Do what an operator does before publishing, then verify the page claim by claim."""
    from rich.console import Console

    from cli.auditing import seal
    from cli.database import connect
    from cli.policy_checks import verify
    from cli.policy_checks.evidence import recorded
    from cli.policy_verify import claims_table, tally
    from workers.services.policy import load_claims

    page, data = load_claims(), Path(stage.state["data_dir"])
    with book.step("what was done is sealed and signed") as step:
        with connect(data) as db:
            if db.one("select 1 where to_regclass('privacy.officers') is not null"):
                db.run(OFFICER)
        document = seal(data, None)
        prove(document is not None, "there was nothing to seal")
        step.seen = "1 epoch, chained and signed with a key that the database does not have"
    with book.step("every claim of the privacy page is verified") as step:
        with verify.opened(data) as place:
            proofs = verify.prove(place, page.claims, lambda _: None)
        recorded(data, page, proofs)
        stage.known["claims"] = proofs
        Console(stderr=True).print(claims_table(page, proofs))
        step.seen = tally(proofs)
        untrue = [f"{p.claim.id}: {p.evidence}" for p in proofs if p.result == "failed"]
        prove(not untrue, "; ".join(untrue))
