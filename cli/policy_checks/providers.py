"""Does each provider get and give only what its row of the page says?"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import psycopg

from cli.policy_checks.neighbours import make_tenant
from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

META_SCOPES = frozenset(
    {
        "pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement",
        "business_management",
    }
)  # fmt: skip
GRAPH_FIELDS = frozenset(
    {
        # Who connects, and their Pages; who writes; threads and messages.
        "id", "name", "access_token", "tasks", "first_name", "last_name", "updated_time",
        "participants", "messages", "limit", "created_time", "from", "message", "attachments",
        # What a Page tells of by webhook.
        "message_echoes", "message_deliveries", "message_reads", "message_edits",
        "message_reactions", "messaging_postbacks", "messaging_policy_enforcement", "standby",
    }
)  # fmt: skip
PLACES_BODY = frozenset(
    {
        "input", "sessionToken", "languageCode", "includedPrimaryTypes", "regionCode",
        "includedRegionCodes",
    }
)  # fmt: skip
# What says who sends: none of it may leave with an address.
TELLING = ("cookie", "authorization", "referer", "origin", "x-forwarded-for", "x-connext-org")
STRIPE_TABLES = {
    "public.billing_accounts": {
        "org_id", "stripe_customer_id", "billing_email", "synced_at", "created_at", "updated_at",
        "customer_key",
    },
    "public.subscriptions": {
        "org_id", "id", "stripe_subscription_id", "status", "plan", "stripe_price_id", "quantity",
        "current_period_start", "current_period_end", "cancel_at_period_end", "canceled_at",
        "trial_end", "synced_at", "created_at", "updated_at", "past_due_since",
    },
    "public.billing_invoices": {
        "org_id", "id", "stripe_invoice_id", "subscription_id", "number", "status", "currency",
        "amount_due_minor", "amount_paid_minor", "total_minor", "period_start", "period_end",
        "issued_at", "hosted_invoice_url", "invoice_pdf_url", "synced_at", "created_at",
        "updated_at", "attempt_count", "next_attempt_at",
    },
}  # fmt: skip


@check("providers.meta_scopes")
def meta_scopes(place: Place) -> Verdict:
    """Meta is asked for the permissions of the page only, none of them for advertising."""
    from workers.services.policy import outward

    asked = set(
        place.values(
            "select m[1] from pg_proc as p"
            " cross join regexp_matches(p.prosrc, '''((?:pages|business|ads|instagram|leads|catalog"
            "|public|email|user)_[a-z_]+)''', 'g') as m"
            " where p.oid = 'private.begin_connection(text)'::regprocedure"
        )
    )
    stored = set(
        place.values(
            "select distinct s from (select unnest(c.scopes) as s from public.consents as c"
            " where c.provider = 'meta' union select unnest(i.scopes) from public.integrations as i"
            " where i.provider = 'meta') as x"
        )
    )
    flaws = [f"{scope} is asked for" for scope in sorted(asked - META_SCOPES)]
    flaws += [f"{scope} is held" for scope in sorted(stored - META_SCOPES - {"public_profile"})]
    flaws += [f"{scope} is needed" for scope in sorted(outward.meta_scopes() - META_SCOPES)]
    if not asked:
        flaws.append("the permissions that are asked for were not found")
    return judged(
        f"{len(asked)} permissions asked for, {len(stored)} held, none of advertising", flaws
    )


@check("providers.meta_fields")
def meta_fields(place: Place) -> Verdict:  # noqa: ARG001 - asks the code, not the database
    """Graph is asked for Pages, messages and the name of who writes, and for nothing else."""
    from workers.services.policy import outward

    asked = outward.graph_fields()
    return judged(
        f"{len(asked)} fields and subscriptions asked for, all of the page's row",
        [f"{name} is asked for" for name in sorted(asked - GRAPH_FIELDS)],
    )


@check("providers.meta_callbacks")
def meta_callbacks(place: Place) -> Verdict:
    """When Meta's user asks for deletion, the connection ends, its tokens go, and a code tells how it stands."""
    flaws = []
    with place.undone():
        tenant = make_tenant(place)
        place.run(
            "update public.integrations set external_account_id = 'probe' where id = %s",
            tenant.integration,
        )
        ask = "select queue.deletion_requested('meta', 'probe', now())"
        code, again = place.value(ask), place.value(ask)
        row = place.rows(
            "select (select i.status from public.integrations as i where i.id = %(id)s) as status,"
            " (select i.external_account_id from public.integrations as i where i.id = %(id)s)"
            " as account, (select c.state from privacy.provider_callbacks as c"
            " where c.code = %(code)s) as state, (select count(*) from private.revocations as r"
            " where r.integration_id = %(id)s) as tokens",
            id=tenant.integration,
            code=code,
        )[0]
        if row["status"] != "disconnected" or row["account"] is not None or row["tokens"]:
            flaws.append("the connection or something of it stays")
        if row["state"] != "done":
            flaws.append(f"the code says {row['state']}")
        if code != again:
            flaws.append("asking again gives another code")
        stranger = place.value("select queue.deletion_requested('meta', 'stranger', now())")
        if place.value(
            "select c.state from privacy.provider_callbacks as c where c.code = %s", stranger
        ) not in ("no_data", "done"):
            flaws.append("somebody unknown is not answered")
    return judged("connection ended, 0 tokens, one code, somebody unknown answered too", flaws)


@check("providers.google_scopes")
def google_scopes(place: Place) -> Verdict:
    """No Google account is connected: no OAuth, no scope, no token of Google's is stored."""
    row = place.rows(
        "select (select count(*) from public.consents as c where c.provider = 'google_places'"
        " and cardinality(c.scopes) > 0) as scopes, (select count(*) from private.sealed_tokens as t"
        " where t.provider = 'google_places') as tokens"
    )[0]
    flaws = [f"{n} {what} of Google" for what, n in row.items() if n]
    with place.undone():
        tenant = make_tenant(place)
        try:
            with place.acting_as("authenticated", user=tenant.owner, org=tenant.org):
                place.run("select public.begin_connection('google_places')")
            flaws.append("a Google account can be connected")
        except psycopg.Error as error:
            if error.sqlstate not in ("CX006", "CX071"):
                flaws.append(f"connecting Google ends with {error.sqlstate}")
    return judged("0 scopes, 0 tokens, connecting an account is refused", flaws)


@check("providers.places_storage")
def places_storage(place: Place) -> Verdict:
    """Of Google Places only the id of a chosen address may be kept; suggestions have no place to be stored."""
    named = place.values(
        "select s.table_name || '.' || s.column_name from privacy.stored_columns as s"
        " where split_part(s.table_name, '.', 1) = any(privacy.our_schemas())"
        " and s.column_name ~ '(prediction|suggestion|autocomplete|session_token|(^|_)place(_|$)"
        "|formatted_address|viewport|latitude|longitude)'"
    )
    return judged(
        "1 column, the id of a chosen address; 0 for suggestions",
        [name for name in named if name != "public.addresses.place_id"],
    )


@check("providers.places_request")
def places_request(place: Place) -> Verdict:  # noqa: ARG001 - asks the code, not the database
    """Google gets the typed text, the session, language and country, and nothing about who types."""
    import httpx

    from workers.services.policy import outward

    sent: list[httpx.Request] = []

    def heard(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={})

    asyncio.run(outward.ask_places(httpx.MockTransport(heard), "12 rue", "session"))
    if len(sent) != 1:
        return judged("one request", [f"{len(sent)} requests were sent for one text"])
    body = json.loads(sent[0].content)
    flaws = [f"{name} is sent" for name in sorted(set(body) - PLACES_BODY)]
    flaws += [f"the header {name} is sent" for name in TELLING if name in sent[0].headers]
    if sent[0].url.query:
        flaws.append("something is sent in the address")
    return judged(f"{len(body)} values sent: {', '.join(sorted(body))}", flaws)


@check("providers.telnyx_numbers")
def telnyx_numbers(place: Place) -> Verdict:
    """What comes from a number or a Page that nobody has connected is counted, and nothing of it is stored."""
    flaws, unknown = [], 0
    event = {
        "key": "probe", "account": "+15550100000", "contact": "+15550100001", "kind": "message",
        "occurred_at": 1_700_000_000_000, "body": {"text": "probe"},
        "integration": "00000000-0000-4000-8000-000000000000",
    }  # fmt: skip
    count = "select count(*) from queue.webhook_events"
    before = place.value(count)
    for call in ("queue.ingest_telnyx(%s)", "queue.ingest('meta', %s)"):
        row = place.rows(f"select * from {call}", json.dumps([event]))[0]  # noqa: S608
        unknown += row["unknown"]
        if row["stored"]:
            flaws.append(f"{call.partition('(')[0]} stores what nobody has connected")
    if place.value(count) != before:
        flaws.append("an event of nobody is stored")
    return judged(f"{unknown} events of unconnected accounts counted, 0 stored", flaws)


@check("providers.telnyx_recording")
def telnyx_recording(place: Place) -> Verdict:
    """Calls are not recorded unless an organization switches it on, with a notice to who calls."""
    usual = place.value(
        "select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef as d"
        " join pg_attribute as a on a.attrelid = d.adrelid and a.attnum = d.adnum"
        " where d.adrelid = 'public.phone_settings'::regclass and a.attname = 'recording'"
    )
    row = place.rows(
        "select count(*) filter (where s.recording) as on_,"
        " count(*) filter (where s.recording and s.recording_notice is null) as silent,"
        " (select count(*) from public.call_recordings as r where r.state = 'stored' and not exists"
        " (select 1 from public.phone_settings as p where p.org_id = r.org_id"
        " and p.recording_since is not null)) as unasked from public.phone_settings as s"
    )[0]
    flaws = [] if usual == "false" else [f"recording is {usual} by default"]
    flaws += [f"{row['silent']} organizations record without a notice"] if row["silent"] else []
    flaws += [f"{row['unasked']} recordings of who never switched it on"] if row["unasked"] else []
    return judged(f"off by default; {row['on_']} organizations record, all with a notice", flaws)


@check("providers.stripe_columns")
def stripe_columns(place: Place) -> Verdict:
    """Of billing only the e-mail, the state of subscription and invoices, and Stripe's ids are kept."""
    flaws, count = [], 0
    for table, expected in STRIPE_TABLES.items():
        there = set(
            place.values(
                "select s.column_name from privacy.stored_columns as s where s.table_name = %s",
                table,
            )
        )
        count += len(there)
        flaws += [f"{table}.{name} is kept too" for name in sorted(there - expected)]
    return judged(f"{count} columns of {len(STRIPE_TABLES)} tables, those of the page", flaws)
