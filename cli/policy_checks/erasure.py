"""Does erasing reach everything of a person and nothing of anybody else? Carried out, and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged, unprovable

if TYPE_CHECKING:
    from cli.policy_checks.neighbours import Tenant
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

NEWEST = 500
DRILL_DAYS = 400


@check("erasure.reach")
def reach(place: Place) -> Verdict:
    """Erasing a person takes every row that leads to them, and leaves another organization's rows of the same person."""
    flaws = []
    with place.undone():
        mine, theirs = make_tenant(place), make_tenant(place)
        email = f"{uuid4()}@probe.invalid"
        for tenant in (mine, theirs):
            place.run(
                "insert into public.contact_points (org_id, customer_id, kind, value)"
                " values (%s, %s, 'email', %s)",
                tenant.org,
                tenant.customer,
                email,
            )
        before = _rows_of(place, theirs)
        run, tables, rows = _erased(place, mine)
        left = place.value(
            "select count(*) from public.customers as c where c.org_id = %s and c.id = %s"
            " and c.display_name <> '(erased)'",
            mine.org,
            mine.customer,
        )
        points = place.value(
            "select count(*) from public.contact_points as p where p.org_id = %s", mine.org
        )
        if left or points:
            flaws.append("the person is still there")
        if _rows_of(place, theirs) != before:
            flaws.append("another organization's rows have changed")
        if rows < 3:  # noqa: PLR2004 - the customer, a note, an address
            flaws.append(f"only {rows} rows were reached")
    del run
    return judged(
        f"{rows} rows of {tables} tables erased, the other organization's {len(before)} tables as"
        " they were",
        flaws,
    )


def _erased(place: Place, tenant: Tenant) -> tuple[Any, int, int]:
    """Go through an erasure of the tenant's customer as the console does, batch by batch."""
    request = place.value(
        "select r.id from privacy.open_for(%s, 'deletion', 'contact', null, %s, null, 'law25',"
        " 'email', 'self', now(), null) as r",
        tenant.org,
        tenant.customer,
    )
    place.run("select privacy.verify_request(%s, %s, 'known_address', null)", tenant.org, request)
    place.run(
        "select privacy.decide_request(%s, %s, true, 'probe', null, null)", tenant.org, request
    )
    plan = place.rows("select * from privacy.plan_erasure(%s, %s)", tenant.org, request)[0]
    place.run(
        "select privacy.start_erasure(%s, %s, %s)", tenant.org, plan["id"], plan["plan_sha256"]
    )
    ordered = place.values(
        "select o.table_name from privacy.erasure_order('contact') as o where exists ("
        " select 1 from privacy.stored_columns as s"
        " where s.table_name = o.table_name and s.column_name = 'org_id')"
    )
    rows = 0
    for table in ordered:
        while n := place.value(
            "select privacy.erase_batch(%s, %s, %s, 1000)", tenant.org, plan["id"], table
        ):
            rows += n
    return plan["id"], len(ordered), rows


def _rows_of(place: Place, tenant: Tenant) -> dict[str, Any]:
    tables = ("customers", "contact_points", "notes", "conversations", "messages")
    return {
        table: place.value(
            f"select md5(string_agg(t::text, '' order by t::text)) from public.{table} as t"  # noqa: S608
            " where t.org_id = %s",
            tenant.org,
        )
        for table in tables
    }


@check("erasure.sweep")
def sweep(place: Place) -> Verdict:
    """The search after an erasure finds a word wherever it is planted, in tables that no catalog knows too."""
    with place.undone():
        tenant = make_tenant(place)
        word = f"probe-{uuid4().hex}"
        place.run(
            "update public.customers set display_name = %s where id = %s", word, tenant.customer
        )
        place.run(
            "update public.messages set body = %s where org_id = %s", f"so {word}!", tenant.org
        )
        found = {
            (row["table_name"], row["column_name"])
            for row in place.rows(
                "select s.table_name, s.column_name from privacy.sweep(%s, 'contact', false, %s) as s",
                tenant.org,
                [word],
            )
        }
    planted = {("public.customers", "display_name"), ("public.messages", "body")}
    return judged(
        f"a word planted in {len(planted)} columns was found in {len(found)}, the canary too",
        [f"{table}.{column} was not searched" for table, column in sorted(planted - found)],
    )


@check("erasure.certificates")
def certificates(place: Place) -> Verdict:
    """Every finished erasure has a certificate whose signature fits."""
    from cli import signing
    from cli.errors import Failed

    row = place.rows(
        "select count(*) filter (where e.state = 'completed') as done,"
        " count(*) filter (where e.state = 'completed' and c.id is null) as bare"
        " from privacy.erasures as e left join privacy.certificates as c"
        " on c.org_id = e.org_id and c.erasure_id = e.id"
    )[0]
    flaws = [f"{row['bare']} erasures without a certificate"] if row["bare"] else []
    stored = place.rows(
        "select c.body, c.signature, c.key_id, k.public_key from privacy.certificates as c"
        " left join audit.signing_keys as k on k.key_id = c.key_id"
        " order by c.issued_at desc limit %s",
        NEWEST,
    )
    signer, verified, unknown = known_signer(place), 0, 0
    for certificate in stored:
        document = signing_document(certificate, known=signer)
        if document["public_key"] == "":
            unknown += 1
            continue
        try:
            signing.verified(document, expected=certificate["key_id"])
            verified += 1
        except Failed:
            flaws.append("a certificate whose signature does not fit")
    if unknown and not flaws:
        return unprovable(
            f"the public half of the key of {unknown} certificates is not here;"
            f" set {signing.VARIABLE}"
        )
    return judged(
        f"{row['done']} erasures finished, the newest {verified} certificates verified", flaws
    )


def signing_document(row: dict[str, Any], known: Any = None) -> dict[str, Any]:  # noqa: ANN401
    """Put a stored signature beside its public key: the one that is kept, else *known*'s."""
    public = bytes(row["public_key"] or b"")
    if not public and known is not None and known.key_id == row["key_id"]:
        public = known.public
    return {
        "body": bytes(row["body"]).decode(errors="replace"),
        "signature": bytes(row["signature"]).hex(),
        "public_key": public.hex(),
        "key_id": row["key_id"],
    }


def known_signer(place: Place) -> Any:  # noqa: ANN401 - a Signer, imported when it is needed
    """Find the console's signing key, without making one; None where there is none."""
    from cli import signing
    from cli.errors import Failed

    try:
        return signing.signer(place.data) if signing.place(place.data).exists() else None
    except Failed:
        return None


@check("erasure.legs")
def legs(place: Place) -> Verdict:
    """No finished erasure leaves a provider unanswered, and no deferral is past its date."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where e.state = 'completed'"
        " and l.state in ('pending', 'failed')) as open, count(*) filter (where l.state = 'deferred'"
        " and l.until < now() - interval '7 days') as late, count(*) filter (where l.state ="
        " 'deferred') as deferred from privacy.erasure_legs as l"
        " join privacy.erasures as e on e.org_id = l.org_id and e.id = l.erasure_id"
    )[0]
    flaws = [f"{row['open']} legs of finished erasures are open"] if row["open"] else []
    flaws += [f"{row['late']} deferrals are past their date"] if row["late"] else []
    return judged(f"{row['n']} legs at providers, {row['deferred']} deferred, none open", flaws)


@check("drills.restore")
def restore(place: Place) -> Verdict:
    """A restored backup was rehearsed within the last thirteen months: what was erased since is erased again."""
    if not place.has("privacy.drills"):
        return unprovable("this database does not record rehearsals of a restore")
    last = place.rows(
        "select d.result, d.ran_at, d.ran_at < now() - make_interval(days => %s) as old"
        " from privacy.drills as d where d.kind = 'restore' order by d.ran_at desc limit 1",
        DRILL_DAYS,
    )
    if not last:
        return unprovable("no restore was rehearsed with this database yet")
    day = last[0]["ran_at"].date().isoformat()
    if last[0]["old"]:
        return unprovable(f"the last rehearsal was on {day}; rehearse it again")
    flaws = [] if last[0]["result"] == "passed" else [f"the rehearsal of {day} failed"]
    return judged(f"rehearsed on {day}, passed", flaws)
