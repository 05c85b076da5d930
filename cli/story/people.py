"""Chapter one: two companies, their people, and who belongs where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.story.book import prove
from cli.story.stage import PASSWORD, Denied, Person

if TYPE_CHECKING:
    from cli.story.book import Book
    from cli.story.stage import Stage

CAST = {
    "owner": "eve@boutique.example",
    "agent": "samuel@boutique.example",
    "rival": "norah@garage.example",
}


def sign_up(book: Book, stage: Stage) -> None:
    """Sign everybody up through the Auth API, as a browser would."""
    with book.step("people sign up through Auth") as step:
        for role, email in CAST.items():
            answer = stage.api.post(
                "/auth/v1/signup", json={"email": email, "password": PASSWORD}
            ).raise_for_status()
            token = (
                answer.json().get("access_token")
                or (
                    stage.api.post(
                        "/auth/v1/token",
                        params={"grant_type": "password"},
                        json={"email": email, "password": PASSWORD},
                    )
                    .raise_for_status()
                    .json()["access_token"]
                )
            )
            stage.people[role] = Person(email, token, stage.api)
        profiles = stage.sql("select count(*) from public.profiles")[0][0]
        prove(profiles == len(CAST), f"{profiles} profiles for {len(CAST)} people")
        step.seen = f"{len(CAST)} people, {profiles} profiles"


def found_organizations(book: Book, stage: Stage) -> None:
    """Make two organizations; the owner of the first invites an agent."""
    owner, agent, rival = (stage.people[role] for role in CAST)
    with book.step("two organizations, an invitation accepted") as step:
        owner.org = owner.call("create_organization", name="Boutique Ève")["id"]
        rival.org = rival.call("create_organization", name="Garage Norah")["id"]
        (offer,) = owner.call("invite_member", email=agent.email, role="agent")
        try:
            rival.call("accept_invitation", token=offer["token"])
        except Denied as refused:
            prove(refused.code == "CX004", f"a stolen invitation answered {refused}")
        else:
            prove(fact=False, otherwise="a stolen invitation was accepted")
        agent.org = agent.call("accept_invitation", token=offer["token"])
        prove(agent.org == owner.org, "the agent joined another organization")
        members = owner.get("memberships", select="user_id,role")
        prove(len(members) == 2, f"{len(members)} members")  # noqa: PLR2004 - owner and agent
        step.seen = "2 organizations, 2 members in the first, a stolen invitation refused"
