"""The same through the real Data API: two throw-away people sign in and one tries the other's rows.

Unlike every other check it has to commit: people, organizations and one customer each, all deleted
at its end, together with what an earlier run may have left.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from cli.policy_checks.registry import check, judged, unprovable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

DOMAIN = "probe.invalid"
SECONDS = 5.0
NAME = "Connext probe"
# Asked with the own organization's header too, and the other's id as a filter.
TWICE = ("customers", "notes", "memberships")
PERSON = """
    insert into auth.users (
        instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
        raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
        confirmation_token, recovery_token, email_change, email_change_token_new
    )
    values (
        '00000000-0000-0000-0000-000000000000', %(id)s, 'authenticated', 'authenticated', %(email)s,
        extensions.crypt(%(password)s, extensions.gen_salt('bf', 10)), now(),
        '{"provider": "email", "providers": ["email"]}', '{}', now(), now(), '', '', '', ''
    )
"""
EXPOSED = """
    select c.relname as name from pg_class as c where c.relnamespace = 'public'::regnamespace
        and c.relkind in ('r', 'p', 'v') and has_any_column_privilege('authenticated', c.oid, 'select')
        and exists (select 1 from pg_attribute as a where a.attrelid = c.oid and a.attname = 'org_id')
    order by 1
"""
# What is added for who made an organization: rows of several kinds, none that a worker would act on.
ROWS = (
    "insert into public.customers (org_id, id, kind, display_name) values (%(org)s, %(id)s, 'person', 'Probe')",
    "insert into public.notes (org_id, customer_id, body) values (%(org)s, %(id)s, 'Probe')",
    """
    insert into public.products (org_id, name, unit_price_minor, currency)
    values (%(org)s, 'Probe', 100, 'CAD')
    """,
)
FORGET = (
    """
    delete from public.organizations as o where o.name = %(name)s and exists (
        select 1 from public.memberships as m join auth.users as u on u.id = m.user_id
        where m.org_id = o.id and u.email like %(whose)s
    )
    """,
    "delete from auth.users as u where u.email like %(whose)s",
)


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody signed in, and the organization they made."""

    token: str
    org: str

    def headers(self, org: str | None = None) -> dict[str, str]:
        """Give the headers of a request that acts for an organization."""
        return {"authorization": f"Bearer {self.token}", "x-connext-org": org or self.org}


class _NoSession(Exception):
    """Auth gave no session; the message says what it answered."""


@check("isolation.api")
def api(place: Place) -> Verdict:
    """Through the real Data API, a signed-in member of one organization reaches no row of another."""
    url = place.stack.get("api_url") or place.environment.get("CONNEXT_SUPABASE_URL")
    key = place.stack.get("publishable_key") or place.environment.get("CONNEXT_PUBLISHABLE_KEY")
    if not url or not key:
        return unprovable(
            "the Data API's address is not known here; set CONNEXT_SUPABASE_URL and"
            " CONNEXT_PUBLISHABLE_KEY"
        )
    import httpx

    try:
        with (
            httpx.Client(
                base_url=str(url), headers={"apikey": str(key)}, timeout=SECONDS, trust_env=False
            ) as client,
            _two_people(place, client) as (mine, theirs),
        ):
            tables = _filled(place, theirs)
            flaws, tries = _tried(client, mine, theirs, tables)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return unprovable(f"the Data API did not answer: {type(error).__name__}")
    except _NoSession as error:
        return unprovable(f"no throw-away person could sign in: {error}")
    return judged(
        f"{tries} requests for another organization, {len(tables)} tables with rows of it:"
        " 0 rows, 0 effects",
        flaws,
    )


def _filled(place: Place, person: Signed) -> list[str]:
    """List the exposed tables that hold rows of an organization: of others nothing could be seen."""
    tables = place.rows(EXPOSED)
    return [
        table["name"]
        for table in tables
        if place.value(
            sql.SQL("select exists (select 1 from public.{} as t where t.org_id = %s)").format(
                sql.Identifier(table["name"])
            ),
            person.org,
        )
    ]


def _tried(
    client: httpx.Client, mine: Signed, theirs: Signed, tables: list[str]
) -> tuple[list[str], int]:
    """Ask for the other's rows in every exposed table; list what was reached."""
    flaws = []
    own = client.get("/rest/v1/customers", params={"select": "id"}, headers=theirs.headers())
    if not own.is_success or len(own.json()) != 1:
        flaws.append("an owner does not see the own customer: the probe proves nothing")
    tries = 1
    for table in tables:
        for header in (theirs.org, *([mine.org] if table in TWICE else [])):
            answer = client.get(
                f"/rest/v1/{table}",
                params={"select": "org_id", "org_id": f"eq.{theirs.org}", "limit": "1"},
                headers=mine.headers(header),
            )
            tries += 1
            if answer.is_success and answer.json():
                flaws.append(f"{table} is read")
    row = {"org_id": theirs.org, "kind": "person", "display_name": "Probe"}
    refused: dict[str, httpx.Response] = {
        "a row is added": client.post(
            "/rest/v1/customers", json=row, headers=mine.headers(theirs.org)
        ),
        "anon reads": client.get("/rest/v1/customers"),
        "a schema that is not exposed answers": client.get(
            "/rest/v1/sealed_tokens", headers=mine.headers() | {"accept-profile": "private"}
        ),
    }
    flaws += [what for what, answer in refused.items() if answer.is_success]
    change = client.patch(
        "/rest/v1/customers",
        params={"org_id": f"eq.{theirs.org}"},
        json={"display_name": "Changed"},
        headers=mine.headers(theirs.org) | {"prefer": "return=representation"},
    )
    if change.is_success and change.json():
        flaws.append("a row is changed")
    return flaws, tries + len(refused) + 1


@contextmanager
def _two_people(place: Place, client: httpx.Client) -> Iterator[tuple[Signed, Signed]]:
    """Make two people with an organization and a customer each; delete everything at the end."""
    with psycopg.connect(place.url, row_factory=dict_row, autocommit=True) as db:
        _forget(db)
        try:
            yield _person(db, client), _person(db, client)
        finally:
            _forget(db)


def _person(db: psycopg.Connection[Any], client: httpx.Client) -> Signed:
    email, password = f"{uuid4()}@{DOMAIN}", secrets.token_urlsafe(24)
    db.execute(PERSON, {"id": uuid4(), "email": email, "password": password})
    answer = client.post(
        "/auth/v1/token",
        params={"grant_type": "password"},
        json={"email": email, "password": password},
    )
    token = answer.json().get("access_token") if answer.is_success else None
    if token is None:
        raise _NoSession(f"Auth answered {answer.status_code}")
    bearer = {"authorization": f"Bearer {token}"}
    made = client.post("/rest/v1/rpc/create_organization", json={"name": NAME}, headers=bearer)
    if not made.is_success:
        raise _NoSession(f"create_organization answered {made.status_code}")
    person, customer = Signed(token, made.json()["id"]), uuid4()
    for statement in ROWS:
        db.execute(statement, {"org": person.org, "id": customer})
    return person


def _forget(db: psycopg.Connection[Any]) -> None:
    for statement in FORGET:
        db.execute(statement, {"name": NAME, "whose": f"%@{DOMAIN}"})
