"""Does a copy hold everything of the person who asks, and nothing of anybody else or of ours?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from uuid import UUID

    from cli.policy_checks.neighbours import Tenant
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict


def _tables(place: Place, tenant: Tenant, kind: str) -> tuple[UUID, list[dict[str, Any]]]:
    """Begin an export of the tenant's customer; list its tables, columns and queries."""
    request = place.value(
        "select r.id from privacy.open_for(%s, %s, 'contact', null, %s, null, 'law25', 'email',"
        " 'self', now(), null) as r",
        tenant.org,
        kind,
        tenant.customer,
    )
    place.run("select privacy.verify_request(%s, %s, 'known_address', null)", tenant.org, request)
    place.run(
        "select privacy.decide_request(%s, %s, true, 'probe', null, null)", tenant.org, request
    )
    run = place.value("select e.id from privacy.begin_export(%s, %s) as e", tenant.org, request)
    return run, place.rows(
        "select x.table_name, x.columns,"
        " concat('select ', x.select_list, ' from ', x.table_name, ' as t where ', x.mine)"
        " as rows_query from privacy.erasures as e"
        " cross join lateral privacy.export_plan(e, %s, privacy.others_named(e)) as x"
        " where e.org_id = %s and e.id = %s",
        kind == "portability",
        tenant.org,
        run,
    )


@check("exports.complete")
def complete(place: Place) -> Verdict:
    """A copy holds every column the catalog shows, no secret, and no row of another organization."""
    flaws, columns, rows = [], 0, 0
    with place.undone():
        mine, theirs = make_tenant(place), make_tenant(place)
        run, tables = _tables(place, mine, "access")
        given = {(table["table_name"], name) for table in tables for name in table["columns"]}
        columns = len(given)
        secret = place.rows(
            "select c.table_name, c.column_name from privacy.catalog as c"
            " where c.category in ('credential', 'link')"
        )
        flaws += [
            f"{row['table_name']}.{row['column_name']} is given away"
            for row in secret
            if (row["table_name"], row["column_name"]) in given
        ]
        shown = place.rows(
            "select c.table_name, c.column_name from privacy.catalog as c"
            " join privacy.erasure_order('contact') as o on o.table_name = c.table_name"
            " where c.accessible and c.json_key = '' and c.column_name <> '*'"
        )
        flaws += [
            f"{row['table_name']}.{row['column_name']} is left out"
            for row in shown
            if (row["table_name"], row["column_name"]) not in given
        ]
        for table in tables:
            query = (
                table["rows_query"]
                .replace("$1", f"'{mine.org}'::uuid")
                .replace("$2", f"'{run}'::uuid")
            )
            found = place.rows(query.replace("%", "%%"))
            rows += len(found)
            if str(theirs.org) in str(found) or str(theirs.customer) in str(found):
                flaws.append(f"{table['table_name']} shows another organization's row")
        if not rows:
            flaws.append("the copy is empty: the probe proves nothing")
    return judged(f"{columns} columns of {len(tables)} tables, {rows} rows, 0 secrets", flaws)


@check("exports.portable")
def portable(place: Place) -> Verdict:
    """What a person takes along is what they provided, in JSON and CSV, and no less."""
    with place.undone():
        tenant = make_tenant(place)
        _, tables = _tables(place, tenant, "portability")
        given = {(table["table_name"], name) for table in tables for name in table["columns"]}
    provided = {
        (row["table_name"], row["column_name"])
        for row in place.rows(
            "select c.table_name, c.column_name from privacy.catalog as c"
            " where c.origin = 'provided' and c.portable and c.json_key = ''"
        )
    }
    flaws = [f"{table}.{column} was not provided" for table, column in sorted(given - provided)]
    if ("public.customers", "display_name") not in given:
        flaws.append("a customer's own name is missing")
    return judged(f"{len(given)} columns of {len(tables)} tables, all provided", flaws)


@check("exports.expired")
def expired(place: Place) -> Verdict:
    """No copy can be had after its seven days, or after the person was erased."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where x.state = 'ready'"
        " and x.expires_at < now() - interval '2 days') as late,"
        " count(*) filter (where x.state = 'ready' and x.expires_at > x.ready_at + interval '7 days'"
        ") as long from public.data_exports as x"
    )[0]
    stray = place.value(
        "select count(*) from storage.objects as o where o.bucket_id = 'exports' and not exists ("
        " select 1 from public.data_exports as x where x.storage_path = o.name)"
    )
    flaws = [f"{row['late']} copies past their term"] if row["late"] else []
    flaws += [f"{row['long']} copies kept for longer than seven days"] if row["long"] else []
    flaws += [f"{stray} files in the bucket that no copy owns"] if stray else []
    return judged(f"{row['n']} copies, 0 past their term, 0 stray files", flaws)


@check("rights.rectify")
def rectify(place: Place) -> Verdict:
    """A corrected value is corrected where it was copied too, and the old one stands nowhere."""
    old, new = "Probe Before", "Probe After"
    with place.undone():
        tenant = make_tenant(place)
        place.run(
            "update public.customers set display_name = %s where id = %s", old, tenant.customer
        )
        place.run(
            "update public.conversations set customer_id = %s, contact_name = %s where id = %s",
            tenant.customer,
            old,
            tenant.conversation,
        )
        request = place.value(
            "select r.id from privacy.open_for(%s, 'rectification', 'contact', null, %s, null,"
            " 'law25', 'email', 'self', now(), null) as r",
            tenant.org,
            tenant.customer,
        )
        place.run(
            "select privacy.verify_request(%s, %s, 'known_address', null)", tenant.org, request
        )
        place.run(
            "select privacy.decide_request(%s, %s, true, 'probe', null, null)", tenant.org, request
        )
        place.run(
            "select privacy.rectify(%s, %s, 'public.customers', 'display_name', %s, %s)",
            tenant.org,
            request,
            tenant.customer,
            new,
        )
        names = place.values(
            "select c.display_name from public.customers as c where c.id = %s union all"
            " select v.contact_name from public.conversations as v where v.id = %s",
            tenant.customer,
            tenant.conversation,
        )
        left = [
            f"{row['table_name']}.{row['column_name']} still has the old value"
            for row in place.rows(
                "select s.table_name, s.column_name from privacy.sweep(%s, 'contact', false, %s) as s",
                tenant.org,
                [old],
            )
        ]
    flaws = left if names == [new, new] else [*left, "a copy was not corrected"]
    return judged("corrected in 2 places, the old value found in 0", flaws)
