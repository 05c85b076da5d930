"""Would a change of the record of what was done be noticed, and does the record spare people's data?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from cli.policy_checks.erasure import signing_document
from cli.policy_checks.registry import check, judged, unprovable

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

EVENTS = 50_000  # of the newest epochs; all epochs' signatures and chain are verified
NEWEST = 20_000
RECEIPTS = """
    select count(*) as n, count(*) filter (where x.wrong) as wrong, count(distinct x.org_id) as orgs
    from (
        select r.org_id,
            r.hash <> audit.receipt_hash(r.org_id, r.n, r.kind, r.reference, r.digest, r.prev)
            or r.prev <> coalesce(
                lag(r.hash) over (partition by r.org_id order by r.n),
                decode(repeat('00', 32), 'hex')
            )
            or r.n <> row_number() over (partition by r.org_id order by r.n) as wrong
        from audit.receipts as r
    ) as x
"""
EMPTIED = """
    select t.name || ' can be emptied'
    from (values ('audit.events'), ('audit.receipts'), ('audit.epochs')) as t (name)
    where not exists (
        select 1 from pg_trigger as g
        where g.tgrelid = t.name::regclass and g.tgenabled in ('O', 'A') and not g.tgisinternal
            and (g.tgtype & 32) <> 0 and (g.tgtype & 2) <> 0  -- truncate, before
    )
"""
HEADS = """
    select count(*) from audit.receipt_heads as h
    where h.n <> (select count(*) from audit.receipts as r where r.org_id = h.org_id)
"""


@check("audit.append_only")
def append_only(place: Place) -> Verdict:
    """Not even the operator changes or deletes an event, a receipt or an epoch."""
    flaws, tries = [], 0
    with place.undone():
        org = place.value("insert into public.organizations (name) values ('Probe') returning id")
        place.run(
            "insert into audit.events (org_id, actor, kind, details)"
            " values (%s, 'probe', 'request.opened', '{}')",
            org,
        )
        place.run("select audit.receipt(%s, 'export', %s, sha256('probe'))", org, org)
        for table in ("audit.events", "audit.receipts"):
            for statement in (
                f"update {table} set kind = 'x.y' where org_id = %s",  # noqa: S608 - our own names
                f"delete from {table} where org_id = %s",  # noqa: S608
            ):
                tries += 1
                try:
                    with place.undone():
                        place.run(statement, org)
                    flaws.append(f"{statement.split()[0]} of {table} was let through")
                except psycopg.errors.LockNotAvailable:
                    raise
                except psycopg.Error:
                    continue
    # Emptying is not tried: it would lock the table for everybody before it is refused.
    flaws += place.values(EMPTIED)
    return judged(f"{tries} tries to change or delete refused, emptying is refused too", flaws)


@check("audit.chain")
def chain(place: Place) -> Verdict:
    """Every sealed epoch is signed, follows the one before, and holds exactly the events it was sealed with."""
    from cli import signing
    from cli.errors import Failed
    from workers.core import merkle

    epochs = place.rows(
        "select e.n, e.body, e.signature, e.key_id, e.from_xid::text, e.to_xid::text, e.events,"
        " e.purged_at is not null as purged, k.public_key from audit.epochs as e"
        " left join audit.signing_keys as k on k.key_id = e.key_id order by e.n"
    )
    if not epochs:
        return unprovable("nothing is sealed yet; run 'connext audit seal'")
    flaws, previous = [], merkle.FIRST.hex()
    said_all: list[dict[str, Any]] = []
    for epoch in epochs:
        document = signing_document(epoch)
        try:
            said = signing.verified(document, expected=epoch["key_id"])
        except Failed:
            flaws.append(f"the signature of epoch {epoch['n']} does not fit")
            break
        if said["n"] != len(said_all) + 1 or said["prev"] != previous:
            flaws.append(f"epoch {epoch['n']} does not follow the one before")
        previous = merkle.epoch_hash(merkle.canonical(said)).hex()
        said_all.append(said)
    looked = 0
    for epoch, said in reversed(list(zip(epochs, said_all, strict=False))):
        if epoch["purged"] or looked + epoch["events"] > EVENTS:
            continue
        looked += epoch["events"]
        if not _same(place, epoch, said):
            flaws.append(f"the events of epoch {epoch['n']} are not those that were sealed")
    anchored, wrong = _anchored(place, said_all)
    unsealed = place.value(
        "select count(*) from audit.events as v where v.xid >= %s::text::xid8",
        epochs[-1]["to_xid"],
    )
    return judged(
        f"{len(epochs)} epochs signed and chained, {looked} events of the newest compared,"
        f" {unsealed} events not sealed yet, {anchored}",
        flaws + wrong,
    )


def _same(place: Place, epoch: dict[str, Any], said: dict[str, Any]) -> bool:
    """Say whether an epoch's events still have the root that was signed."""
    from cli.auditing import EVENT
    from workers.core import merkle

    tree = merkle.Tree()
    for event in place.rows(
        f"select {EVENT} from audit.events as v"  # noqa: S608 - our own text
        " where v.xid >= %s::text::xid8 and v.xid < %s::text::xid8 order by v.id",
        epoch["from_xid"],
        epoch["to_xid"],
    ):
        tree.add(merkle.leaf(event))
    return (tree.size, tree.root.hex()) == (said["events"], said["root"])


def _anchored(place: Place, said: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Compare with the anchor outside, if it is a file that is configured here."""
    named = place.environment.get("CONNEXT_AUDIT_ANCHOR", "")
    if not named or "://" in named:
        return "no anchor compared from here", []
    try:
        lines = Path(named).read_text().splitlines()
        anchored = [json.loads(json.loads(line)["body"]) for line in lines]
    except (OSError, ValueError, KeyError, TypeError):
        return "an anchor", ["the anchor cannot be read"]
    flaws = []
    for line in anchored:
        if line["n"] > len(said):
            flaws.append(f"epoch {line['n']} was anchored and is gone")
        elif said[line["n"] - 1] != line:
            flaws.append(f"epoch {line['n']} is not the one that was anchored")
    return f"{len(anchored)} as they were anchored", flaws


@check("audit.receipts")
def receipts(place: Place) -> Verdict:
    """The receipts of erasures, exports, refusals and disconnects are chained without a gap."""
    row = place.rows(RECEIPTS)[0]
    flaws = [f"{row['wrong']} receipts break their chain"] if row["wrong"] else []
    short = place.value(HEADS)
    flaws += [f"{short} chains lack their end"] if short else []
    return judged(f"{row['n']} receipts of {row['orgs']} organizations, chained", flaws)


@check("audit.pseudonyms")
def pseudonyms(place: Place) -> Verdict:
    """No event holds an address, a number, a name or a text: only references."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where v.details::text ~"
        " '@|\\+[0-9]{8,}|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}' or length(v.details::text) > 2000)"
        " as plain from"
        " (select v.details from audit.events as v order by v.xid desc, v.id desc limit %s) as v",
        NEWEST,
    )[0]
    flaws = [f"{row['plain']} events hold what looks like somebody's"] if row["plain"] else []
    return judged(f"the newest {row['n']} events hold references only", flaws)
