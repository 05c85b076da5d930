"""Can every connection be ended, and is nothing of it left in use? Tried with throw-away ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from uuid import UUID

    from cli.policy_checks.neighbours import Tenant
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

STATES = ("connecting", "active", "reauthorization_required", "paused")
PROVIDERS = ("meta", "google_places", "telnyx", "stripe")
KEY = "F" * 40


@check("disconnect.states")
def states(place: Place) -> Verdict:
    """An owner disconnects each provider's integration in each of its states, and a second time without harm."""
    flaws, tries = [], 0
    with place.undone():
        tenant = make_tenant(place)
        place.run("select private.disconnect(%s, %s)", tenant.org, tenant.integration)
        for provider in PROVIDERS:
            for state in STATES:
                tries += 1
                link = _connect(place, tenant, provider, state)
                answers = [_disconnect(place, tenant, link) for _ in range(2)]
                status = place.value(
                    "select i.status from public.integrations as i where i.id = %s", link
                )
                if answers != ["True", "False"] or status != "disconnected":
                    flaws.append(f"{provider} that is {state} answers {' then '.join(answers)}")
                    place.run("select private.disconnect(%s, %s)", tenant.org, link)
    return judged(f"{tries} connections in {len(STATES)} states disconnected by their owner", flaws)


@check("disconnect.tokens")
def tokens(place: Place) -> Verdict:
    """When disconnecting answers, the tokens are out of use, its jobs are gone, and another organization's are untouched."""
    flaws = []
    with place.undone():
        mine, other = make_tenant(place), make_tenant(place)
        place.run(
            "insert into private.sealing_keys (key_id, public_key, state) values (%s, '', 'retiring')"
            " on conflict do nothing",
            KEY,
        )
        for tenant in (mine, other):
            place.run(
                "insert into private.sealed_tokens (org_id, integration_id, provider, kind, key_id,"
                " sealed) values (%s, %s, 'meta', 'page_token', %s, 'probe')",
                tenant.org,
                tenant.integration,
                KEY,
            )
            place.run("select queue.enqueue('meta', 'meta.probe', %s)", tenant.org)
        answer = _disconnect(place, mine, mine.integration)
        left = _left(place, mine)
        flaws += [f"{n} {what} left" for what, n in left.items() if n and what != "revocations"]
        if answer != "True" or left["revocations"] != 1:
            flaws.append("no token waits to be revoked at the provider")
        late = place.value(
            "select count(*) from private.revocations as r where r.org_id = %s"
            " and r.revoke_by > r.taken_at + interval '10 minutes'",
            mine.org,
        )
        if late:
            flaws.append("a token may wait longer than ten minutes")
        place.run(
            "update private.revocations set revoke_by = now() - interval '1 second' where org_id = %s",
            mine.org,
        )
        place.run("select private.purge_revocations()")
        if _left(place, mine)["revocations"]:
            flaws.append("a token outlives its ten minutes")
        untouched = _left(place, other)
        if untouched["tokens"] != 1 or untouched["jobs"] != 1:
            flaws.append("another organization lost something")
    return judged(
        "after one call 0 tokens in use and 0 jobs; 1 waits at most ten minutes to be revoked;"
        " another organization kept its own",
        flaws,
    )


def _connect(place: Place, tenant: Tenant, provider: str, state: str) -> UUID:
    link: UUID = place.value(
        "insert into public.integrations (org_id, provider, status, consent_id, connected_at)"
        " values (%s, %s, %s, private.grant_consent(%s, %s, '{}'), now()) returning id",
        tenant.org,
        provider,
        state,
        tenant.org,
        provider,
    )
    return link


def _disconnect(place: Place, tenant: Tenant, link: UUID) -> str:
    """Answer what the owner is told: True, False, or the state of the error."""
    try:
        with place.acting_as("authenticated", user=tenant.owner, org=tenant.org):
            return str(place.value("select public.disconnect_integration(%s)", link))
    except psycopg.Error as error:
        return str(error.sqlstate)


def _left(place: Place, tenant: Tenant) -> dict[str, int]:
    return place.rows(
        "select (select count(*) from private.sealed_tokens as t where t.org_id = %(org)s) as tokens,"
        " (select count(*) from private.revocations as r where r.org_id = %(org)s) as revocations,"
        " (select count(*) from queue.jobs as j where j.org_id = %(org)s and j.kind = 'meta.probe')"
        " as jobs, (select count(*) from private.channel_routes as r where r.org_id = %(org)s)"
        " as routes",
        org=tenant.org,
    )[0]
