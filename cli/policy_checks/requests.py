"""Are people's requests dated by their receipt, due in time, and never closed without an answer?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

# Four years hold a leap day, every length of month, and both changes of the clock, in Montreal.
DAYS = """
    select count(*) as n, count(*) filter (
        where privacy.due(d.at) > d.at + interval '30 days'
            or privacy.due(d.at) > (d.at at time zone 'UTC' + interval '1 month') at time zone 'UTC'
            or privacy.due(d.at) < d.at + interval '27 days'
    ) as wrong
    from generate_series(
        timestamptz '2027-01-01 03:30 America/Toronto', timestamptz '2031-01-01', interval '23 hours'
    ) as d (at)
"""
RECEIVED = datetime(2026, 1, 30, 12, tzinfo=UTC)
DUE = datetime(2026, 2, 28, 12, tzinfo=UTC)  # a month after 30 January, before thirty days are over


@check("requests.clock")
def clock(place: Place) -> Verdict:
    """The answer is due thirty days or one month after receipt, whichever is first, whatever is done in between."""
    row = place.rows(DAYS)[0]
    flaws = [f"{row['wrong']} of {row['n']} days end too late"] if row["wrong"] else []
    with place.undone():
        tenant = make_tenant(place)
        made = place.rows(
            "select r.id, r.received_at, r.due_at from privacy.open_for(%s, 'access', 'member', %s,"
            " null, null, 'law25', 'email', 'self', %s, null) as r",
            tenant.org,
            tenant.owner,
            RECEIVED,
        )[0]
        if made["received_at"] != RECEIVED:
            flaws.append("a request is not dated by its receipt")
        if made["due_at"] != DUE:
            flaws.append("a request of 30 January is not due on 28 February")
        standing = place.value(
            "select s.standing from privacy.requests_at(%s) as s where s.id = %s", DUE, made["id"]
        )
        if standing != "deemed_refused":
            flaws.append(f"an unanswered request of Law 25 stands as {standing} when it is due")
    return judged(
        f"{row['n']} days over four years end in time; 30 January is due on 28 February", flaws
    )


@check("requests.overdue")
def overdue(place: Place) -> Verdict:
    """No open request is past its term."""
    row = place.rows(
        "select count(*) filter (where r.closed_at is null) as open, count(*) as n,"
        " count(*) filter (where r.closed_at is null and r.due_at <= now()) as late"
        " from public.privacy_requests as r"
    )[0]
    flaws = [f"{row['late']} requests past their term"] if row["late"] else []
    return judged(f"{row['n']} requests, {row['open']} open, 0 past their term", flaws)


@check("requests.answered")
def answered(place: Place) -> Verdict:
    """No request is closed without an answer, no refusal without the provision it rests on, and the database insists."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where r.status = 'completed' and r.decision is null)"
        " as silent, count(*) filter (where r.status = 'refused'"
        " and (r.provision is null or r.decision is null)) as bare"
        " from public.privacy_requests as r where r.closed_at is not null"
    )[0]
    flaws = [f"{row['silent']} closed without an answer"] if row["silent"] else []
    flaws += [f"{row['bare']} refused without a provision"] if row["bare"] else []
    with place.undone():
        tenant = make_tenant(place)
        request = place.value(
            "select r.id from privacy.open_for(%s, 'access', 'member', %s, null, null, 'law25',"
            " 'email', 'self', now(), null) as r",
            tenant.org,
            tenant.owner,
        )
        try:
            with place.undone():
                place.run(
                    "select privacy.decide_request(%s, %s, false, 'probe', null, null)",
                    tenant.org,
                    request,
                )
            flaws.append("a refusal without reasons was accepted")
        except psycopg.Error as error:
            if error.sqlstate != "CX006":
                flaws.append(f"a refusal without reasons ends with {error.sqlstate}")
    return judged(f"{row['n']} closed requests, all answered; a bare refusal is refused", flaws)
