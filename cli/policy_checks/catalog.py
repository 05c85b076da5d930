"""Is everything that is stored known, with its purpose and its recipient? Asked of the privacy catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

PURPOSES = frozenset(
    {
        "account", "crm", "sales", "books", "inbox", "integrations", "billing", "security",
        "privacy_law", "operations", "reference",
    }
)  # fmt: skip
PROCESSORS = frozenset({"supabase", "meta", "telnyx", "stripe", "google_places"})
# The page: name, e-mail, organization, role; and what is needed to use them.
ACCOUNT = {
    "public.profiles": frozenset(
        {
            "user_id", "active_org_id", "display_name", "email", "avatar_path", "locale",
            "created_at", "updated_at",
        }
    ),
    "public.memberships": frozenset(
        {"org_id", "user_id", "role", "permissions", "created_at", "updated_at"}
    ),
    "public.invitations": frozenset(
        {
            "org_id", "id", "email", "role", "token_hash", "created_by", "created_at",
            "expires_at", "accepted_at", "accepted_by", "revoked_at",
        }
    ),
}  # fmt: skip
# Computed from the values beside them: nothing that was not there before.
DERIVED = ("public.customers.search_words", "public.attachments.sha256")
BUSINESS = frozenset({"crm", "sales", "books", "inbox", "telephony", "billing"})


@check("catalog.coverage")
def coverage(place: Place) -> Verdict:
    """Every column of every table is in the catalog, with a way from each personal table to its people."""
    count = place.rows(
        "select count(*) as columns, count(distinct s.table_name) as tables"
        " from privacy.stored_columns as s"
        " where split_part(s.table_name, '.', 1) = any(privacy.our_schemas())"
    )[0]
    gaps = place.rows("select g.gap, g.what from privacy.catalog_gaps() as g")
    return judged(
        f"{count['columns']} columns of {count['tables']} tables, all in the catalog",
        [f"{gap['what']}: {gap['gap']}" for gap in gaps],
    )


@check("catalog.json")
def json(place: Place) -> Verdict:
    """No stored JSON holds a key that the catalog does not know."""
    known = place.value("select count(*) from privacy.catalog as c where c.json_key <> ''")
    unknown = place.rows("select u.* from privacy.unknown_json_keys() as u")
    return judged(
        f"{known} JSON keys known, 0 others stored",
        [f"a key in {row['table_name']}.{row['column_name']}" for row in unknown],
    )


@check("catalog.account")
def account(place: Place) -> Verdict:
    """Of an account only name, e-mail, organization and role are kept, with what using them needs."""
    flaws = []
    for table, expected in ACCOUNT.items():
        there = set(
            place.values(
                "select s.column_name from privacy.stored_columns as s where s.table_name = %s",
                table,
            )
        )
        flaws += [f"{table}.{name} is kept too" for name in sorted(there - expected)]
    return judged(f"{sum(map(len, ACCOUNT.values()))} columns of {len(ACCOUNT)} tables", flaws)


@check("catalog.business")
def business(place: Place) -> Verdict:
    """Business data is what people enter or their connected services deliver; nothing about people is inferred."""
    row = place.rows(
        "select count(*) filter (where c.origin = 'provided') as provided,"
        " count(*) filter (where c.origin = 'third_party') as delivered,"
        " count(*) filter (where c.origin = 'observed') as observed"
        " from privacy.catalog as c join privacy.catalog_tables as t on t.table_name = c.table_name"
        " where t.domain = any(%s) and privacy.personal(c.category)",
        list(BUSINESS),
    )[0]
    flaws = place.values(
        "select c.table_name || '.' || c.column_name || ' is inferred' from privacy.catalog as c"
        " join privacy.catalog_tables as t on t.table_name = c.table_name"
        " where t.domain = any(%s) and c.origin = 'inferred'"
        " and c.category in ('identity', 'contact', 'location', 'content', 'preference')"
        " and c.table_name || '.' || c.column_name <> all(%s)",
        list(BUSINESS),
        list(DERIVED),
    )
    return judged(
        f"of the columns about people {row['provided']} are provided, {row['delivered']} delivered"
        f" by a connected service, {row['observed']} observed",
        flaws,
    )


@check("catalog.purposes")
def purposes(place: Place) -> Verdict:
    """Every table has a stated purpose, and none of the purposes is advertising or sale."""
    named = set(place.values("select p.purpose from privacy.purposes as p"))
    flaws = [f"purpose {name} is not on the page" for name in sorted(named - PURPOSES)]
    flaws += place.values(
        "select t.table_name || ' has no purpose' from privacy.catalog_tables as t"
        " where cardinality(t.purposes) = 0"
    )
    flaws += place.values(
        "select distinct t.table_name || ' names an unknown purpose'"
        " from privacy.catalog_tables as t cross join unnest(t.purposes) as u (purpose)"
        " where u.purpose not in (select p.purpose from privacy.purposes as p)"
    )
    tables = place.value("select count(*) from privacy.catalog_tables")
    return judged(f"{tables} tables, {len(named)} purposes, none of advertising or sale", flaws)


@check("catalog.recipients")
def recipients(place: Place) -> Verdict:
    """The only recipients of data are the processors that the page lists."""
    named = set(place.values("select p.processor from privacy.processors as p"))
    flaws = [f"{name} is not on the page" for name in sorted(named - PROCESSORS)]
    flaws += [f"{name} is missing" for name in sorted(PROCESSORS - named)]
    return judged(f"{len(named)} processors, those of the page", flaws)
