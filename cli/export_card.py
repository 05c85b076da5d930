"""The vCard of an export: who the subject is, from the rows that are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.vcard import Card

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

HOME = {"billing": "work", "shipping": "home"}
PREFERRED = "1"


def card(db: psycopg.Connection[Any], subject: str, mine: Mapping[str, str]) -> bytes:
    """Write the card; *mine* says of each table which rows are the subject's."""
    made = Card()
    if subject == "organization":
        ((name, email),) = _rows(
            db,
            mine,
            "public.organizations",
            "t.name, (select b.billing_email from public.billing_accounts as b"
            " where b.org_id = t.id)",
        )
        made.add("KIND", "org")
        made.add("FN", name)
        made.add("ORG", name)
        made.add("EMAIL", email)
    elif subject == "member":
        _member(db, mine, made)
    else:
        _contact(db, mine, made)
    return made.written()


def _member(db: psycopg.Connection[Any], mine: Mapping[str, str], made: Card) -> None:
    accounts = _rows(db, mine, "auth.users", "t.email, t.phone")
    profiles = _rows(db, mine, "public.profiles", "t.display_name, t.locale")
    email, phone = accounts[0] if accounts else (None, None)
    name, locale = profiles[0] if profiles else (None, None)
    made.add("KIND", "individual")
    made.add("FN", name or email or phone or "-")
    made.add("EMAIL", email)
    if phone:
        made.telephone(phone)
    made.add("LANG", locale)


def _contact(db: psycopg.Connection[Any], mine: Mapping[str, str], made: Card) -> None:
    customers = _rows(
        db,
        mine,
        "public.customers",
        "t.kind, t.display_name, t.company_name, t.given_name, t.family_name, t.locale",
    )
    threads = _rows(
        db, mine, "public.conversations", "t.contact_name, t.contact_external_id, t.provider"
    )
    for kind, name, company, given, family, locale in customers[:1]:
        made.add("KIND", "org" if kind == "company" else "individual")
        made.add("FN", name)
        if given or family:
            made.add("N", family, given, "", "", "")
        made.add("ORG", company)
        made.add("LANG", locale)
    if not customers:
        made.add("KIND", "individual")
        made.add("FN", next((name for name, *_ in threads if name), None) or "-")
        for _, address, provider in threads:
            if provider == "telnyx":
                made.telephone(address)
            else:
                made.add("X-MESSENGER-ID", address)
    points = _rows(db, mine, "public.contact_points", "t.kind, t.value, t.label, t.is_primary")
    for kind, value, label, primary in points:
        _point(made, kind, value, label, primary=primary)
    addresses = _rows(
        db,
        mine,
        "public.addresses",
        "t.kind, t.line2, t.line1, t.city, t.region, t.postal_code, t.country",
    )
    for kind, *parts in addresses:
        made.add("ADR", None, *parts, TYPE=HOME.get(kind))


def _point(made: Card, kind: str, value: str, label: str | None, *, primary: bool) -> None:
    pref = PREFERRED if primary else None
    if kind == "phone":
        made.telephone(value, PREF=pref, **{"X-LABEL": label})
    elif kind == "email":
        made.add("EMAIL", value, PREF=pref, **{"X-LABEL": label})
    else:
        made.add("X-MESSENGER-ID", value, PREF=pref, **{"X-LABEL": label})


def _rows(
    db: psycopg.Connection[Any], mine: Mapping[str, str], table: str, columns: str
) -> list[tuple[Any, ...]]:
    """Read some columns of the subject's rows, oldest first."""
    if table not in mine:
        return []
    query = f"select {columns} from {table} as t where {mine[table]}"  # noqa: S608 - from the catalog
    rows: list[tuple[Any, ...]] = db.execute(f"{query} order by t.ctid".encode()).fetchall()
    return rows
