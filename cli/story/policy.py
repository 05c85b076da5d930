"""What the privacy page claims: of data that is there, and at the end of everything."""

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

# What is about stored data; of nothing it would be proven too easily.
OF_DATA = ("collection.connected", "storage.tokens", "integrations.explicit", "page.version")
FIGURES = ("consents.before_data", "tokens.sealed", "page.consents")


def with_data(book: Book, stage: Stage) -> None:
    """Verify the claims about stored data while everything is connected."""
    from cli.policy_checks import verify
    from workers.services.policy import load_claims

    with book.step("what is stored rests on consent, and every token is sealed") as step:
        claims = [claim for claim in load_claims().claims if claim.id in OF_DATA]
        with verify.opened(Path(stage.state["data_dir"])) as place:
            proofs = verify.prove(place, claims, lambda _: None)
        for proof in proofs:
            prove(proof.result == "proven", f"{proof.claim.id}: {proof.evidence}")
        done = {one.check: one.evidence for proof in proofs for one in proof.checks}
        step.seen = "; ".join(done[name] for name in FIGURES)


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
        seal(data, None)
        with connect(data) as db:
            sealed = db.one("select count(*) as n, sum(e.events) as events from audit.epochs as e")
        prove(sealed is not None and sealed["n"] > 0, "there was nothing to seal")
        step.seen = f"{sealed['events'] if sealed else 0} events, chained and signed"
    with book.step("every claim of the privacy page is verified") as step:
        with verify.opened(data) as place:
            proofs = verify.prove(place, page.claims, lambda _: None)
        recorded(data, page, proofs)
        stage.known["claims"] = proofs
        Console(stderr=True).print(claims_table(page, proofs))
        step.seen = tally(proofs)
        untrue = [f"{p.claim.id}: {p.evidence}" for p in proofs if p.result == "failed"]
        prove(not untrue, "; ".join(untrue))
