"""What the law expects besides the page: who is in charge, incidents, the registers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from cli.database import Operator
from cli.policy_checks.registry import check, judged, unprovable

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

INCIDENT = """
    insert into privacy.incidents (
        information, circumstances, occurred_from, aware_at, persons, serious_risk, risk_reasons,
        measures, closed_at
    )
    values ('probe', 'probe', now(), now(), 1, %s, 'probe', 'probe', now())
    returning id
"""


@check("duties.officer")
def officer(place: Place) -> Verdict:
    """The title of a person in charge, and how to reach them, are set and current."""
    if not place.has("privacy.officers"):
        return unprovable("this database has no place for the person in charge")
    rows = place.rows(
        "select o.title_en, o.title_fr, o.email from privacy.officers as o where o.ended_at is null"
    )
    flaws = [] if rows else ["nobody is in charge"]
    return judged("one person in charge, with a title in two languages and an address", flaws)


@check("duties.incidents")
def incidents(place: Place) -> Verdict:
    """No notice of an incident is overdue, none is closed without what the regulation wants, and none can be deleted."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where s.standing = 'notice_overdue') as late"
        " from privacy.incidents_at(now()) as s"
    )[0]
    flaws = [f"{row['late']} notices are overdue"] if row["late"] else []
    try:
        with place.undone():
            place.run(INCIDENT, True)
        flaws.append("an incident that can harm was closed without notices")
    except psycopg.errors.CheckViolation:
        pass
    with place.undone():
        made = place.value(INCIDENT, False)
        try:
            with place.undone():
                place.run("delete from privacy.incidents where id = %s", made)
            flaws.append("an incident was deleted before its five years")
        except psycopg.Error as error:
            if error.sqlstate != "CX006":
                flaws.append(f"deleting an incident ends with {error.sqlstate}")
    return judged(f"{row['n']} incidents, 0 notices overdue; 2 tries to cut corners refused", flaws)


@check("duties.register")
def register(place: Place) -> Verdict:
    """The record of processing names for every purpose a lawful basis, people, data, recipients and terms."""
    from cli.processing import record

    flaws, count = [], 0
    for part in ("controller", "processor"):
        for activity in record(Operator(place.connection), part)["activities"]:
            count += 1
            if activity["lawful_basis"] == "none":
                flaws.append(f"{activity['purpose']} has no lawful basis")
            flaws += [
                f"{activity['purpose']} names no {what}"
                for what in ("people", "data_categories", "recipients", "kept")
                if not activity[what]
            ]
    if not count:
        flaws.append("the record is empty")
    return judged(f"{count} activities, Art. 30(1) and (2)", flaws)


@check("duties.transfers")
def transfers(place: Place) -> Verdict:
    """Every provider that can be connected is a processor with its country and what it is for."""
    rows = place.rows(
        "select p.processor, p.name, p.country, p.what_for from privacy.processors as p"
    )
    flaws = [
        f"{row['processor']} says nothing of itself"
        for row in rows
        if not row["name"].strip() or not row["what_for"].strip()
    ]
    flaws += place.values(
        "select distinct u.provider || ' is no processor' from private.purposes as u"
        " where u.provider not in (select p.processor from privacy.processors as p)"
    )
    abroad = sum(row["country"] != "CA" for row in rows)
    return judged(f"{len(rows)} processors, {abroad} of them outside Canada", flaws)
