"""`connext privacy request`: requests about personal data, from receipt to answer."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from cli import options
from cli.database import Operator, connect
from cli.errors import Failed
from cli.output import say, show, show_one

app = typer.Typer(
    help="Receive, verify, decide and close requests about personal data.\n\n"
    "For instance: connext privacy request list --overdue",
    no_args_is_help=True,
    rich_markup_mode=None,
)

COLUMNS = (
    "id", "org_id", "kind", "subject_kind", "regime", "status", "standing", "days_left", "due_at",
    "identity_level", "decided_by", "approved_by",
)  # fmt: skip
LATE = ("overdue", "deemed_refused")

Request = Annotated[UUID, typer.Argument(metavar="REQUEST", help="Id of the request.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Your short name, like ana.r.")]


@app.command("open")
def open_(
    org: options.Org,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="access, portability, rectification, deletion, withdrawal or objection.",
        ),
    ],
    *,
    email: Annotated[
        str | None, typer.Option("--email", help="Find the person by e-mail address.")
    ] = None,
    phone: Annotated[
        str | None, typer.Option("--phone", help="Find the person by phone number.")
    ] = None,
    messenger: Annotated[
        str | None, typer.Option("--messenger", help="Find the person by Messenger id.")
    ] = None,
    member: Annotated[
        UUID | None, typer.Option("--member", help="The person is this member.")
    ] = None,
    organization: Annotated[
        bool, typer.Option("--organization", help="It is about the whole organization.")
    ] = False,
    regime: Annotated[
        str | None, typer.Option("--regime", help="law25, gdpr, pipeda or other.")
    ] = None,
    channel: Annotated[
        str, typer.Option("--channel", help="How it came: email, phone, post, provider, app.")
    ] = "email",
    authority: Annotated[
        str,
        typer.Option(
            "--authority",
            help="self, parent, tutor, heir, liquidator, lawyer; unproven until shown.",
        ),
    ] = "self",
    received: Annotated[
        datetime | None, typer.Option("--received", help="When it reached us (UTC).")
    ] = None,
    details: Annotated[str | None, typer.Option("--details", help="What the person wrote.")] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Record a request that reached us outside the app; its clock starts at receipt.

    For instance: connext privacy request open 0198c0de-0000-7000-8000-000000000001 deletion \
--email ana@roy.example
    """
    ways = {"email": email, "phone": phone, "messenger": messenger}
    named = [(way, value) for way, value in ways.items() if value is not None]
    if len(named) + (member is not None) + organization != 1:
        raise typer.BadParameter(
            "name one of --email, --phone, --messenger, --member, --organization"
        )
    with connect(data) as db:
        customer = conversation = None
        if named:
            customer, conversation = found_subject(db, org, *named[0])
        subject = "contact" if named else "member" if member else "organization"
        row = db.one(
            "select * from privacy.open_for(%s, %s, %s, %s, %s, %s, %s, %s, %s,"
            " coalesce(%s, now()), %s)",
            org, kind, subject, member, customer, conversation, regime, channel, authority,
            received.replace(tzinfo=UTC) if received else None, details,
        )  # fmt: skip
    show_one(row or {}, as_json=as_json)


def found_subject(db: Operator, org: UUID, way: str, value: str) -> tuple[UUID | None, UUID | None]:
    """Find the one person an address leads to in *org*, as a customer or a thread of nobody's."""
    found = db.rows("select * from privacy.find_subject(%s, %s, %s)", org, way, value)
    if not found:
        raise Failed(f"nobody in organization {org} is found by this {way}; nothing was recorded")
    customers = {row["customer_id"] for row in found if row["customer_id"]}
    threads = {row["conversation_id"] for row in found if row["conversation_id"]}
    if len(customers) > 1 or (not customers and len(threads) > 1):
        raise Failed(
            f"this {way} leads to {len(customers) or len(threads)} people of organization {org};"
            " link their threads to one customer first, or find them by another address"
        )
    if customers:
        return customers.pop(), None
    return None, threads.pop()


@app.command("list")
def list_(
    *,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those past their term; exit 1 if any.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show closed ones too.")] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """List requests and how they stand on their clock, the most urgent first.

    For instance: connext privacy request list --overdue --json
    """
    with connect(data) as db:
        found = db.rows(
            """
            select r.* from privacy.requests_at(now()) as r
            where (%s or r.status not in ('completed', 'refused', 'cancelled'))
                and (not %s or r.standing = any(%s))
            order by r.due_at, r.id
            """,
            everything,
            overdue,
            list(LATE),
        )
    show(found, columns=COLUMNS, as_json=as_json)
    if overdue and found:
        raise Failed(f"{len(found)} requests are past their term")


@app.command("show")
def show_(request: Request, *, data: options.Data = None, as_json: options.Json = False) -> None:
    """Show one request with its clock, its reminders, and who was told of a correction.

    For instance: connext privacy request show 0198c0de-0000-7000-8000-000000000001
    """
    with connect(data) as db:
        org = org_of(db, request)
        row = db.one(
            """
            select s.*, r.channel, r.authority, r.identity_method, r.identity_verified_at,
                r.granted, r.provision, r.decision, r.extension_reason, r.closed_at,
                array(
                    select m.day from privacy.request_reminders as m
                    where m.org_id = r.org_id and m.request_id = r.id order by m.day
                ) as reminded,
                (
                    select coalesce(jsonb_agg(jsonb_build_object(
                        'recipient', l.recipient, 'state', l.state, 'reason', l.reason,
                        'last_at', l.last_at, 'told_by', l.told_by
                    ) order by l.recipient), '[]')
                    from privacy.correction_legs as l
                    where l.org_id = r.org_id and l.request_id = r.id
                ) as recipients
            from privacy.requests_at(now()) as s
            inner join public.privacy_requests as r on s.org_id = r.org_id and s.id = r.id
            where r.org_id = %s and r.id = %s
            """,
            org,
            request,
        )
    show_one(row or {}, as_json=as_json)


@app.command()
def verify(
    request: Request,
    *,
    method: Annotated[
        str,
        typer.Option(
            "--method", help="known_address, knowledge, session, provider or document_seen."
        ),
    ],
    authority: Annotated[
        str | None, typer.Option("--authority", help="For whom they speak, once shown.")
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Record how the identity was verified; what was shown is never stored.

    For instance: connext privacy request verify 0198c0de-0000-7000-8000-000000000001 \
--method known_address
    """
    _change(
        data, request, "select * from privacy.verify_request(%s, %s, %s, %s)", method, authority,
        as_json=as_json,
    )  # fmt: skip


@app.command()
def extend(
    request: Request,
    *,
    reason: Annotated[str, typer.Option("--reason", help="What the person is told.")],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Extend the term once, where the law of the request allows it.

    For instance: connext privacy request extend 0198c0de-0000-7000-8000-000000000001 \
--reason "we search paper files"
    """
    _change(
        data, request, "select * from privacy.extend_request(%s, %s, %s)", reason, as_json=as_json
    )


@app.command()
def grant(
    request: Request,
    *,
    by: By,
    provision: Annotated[
        str | None, typer.Option("--provision", help="The provision it rests on.")
    ] = None,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Decide that a request is to be fulfilled.

    For instance: connext privacy request grant 0198c0de-0000-7000-8000-000000000001 --by ana.r
    """
    _change(
        data, request, "select * from privacy.decide_request(%s, %s, true, %s, %s, null)", by,
        provision, as_json=as_json,
    )  # fmt: skip


@app.command()
def refuse(
    request: Request,
    *,
    by: By,
    provision: Annotated[str, typer.Option("--provision", help="The provision it rests on.")],
    reason: Annotated[str, typer.Option("--reason", help="The reasons the person is given.")],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Refuse a request with provision and reasons; the remedy is added, and the data is held.

    For instance: connext privacy request refuse 0198c0de-0000-7000-8000-000000000001 --by ana.r \
--provision "P-39.1 s. 40" --reason "it would reveal a third person"
    """
    _change(
        data, request, "select * from privacy.decide_request(%s, %s, false, %s, %s, %s)", by,
        provision, reason, as_json=as_json,
    )  # fmt: skip


@app.command()
def approve(
    request: Request, *, by: By, data: options.Data = None, as_json: options.Json = False
) -> None:
    """Be the second person who agrees, where two are needed.

    For instance: connext privacy request approve 0198c0de-0000-7000-8000-000000000001 --by luc.o
    """
    _change(data, request, "select * from privacy.approve_request(%s, %s, %s)", by, as_json=as_json)


@app.command()
def close(
    request: Request,
    *,
    answer: Annotated[str, typer.Option("--answer", help="What the person was answered.")],
    cancelled: Annotated[
        bool, typer.Option("--cancelled", help="The person took it back.")
    ] = False,
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Close a request with what was answered.

    For instance: connext privacy request close 0198c0de-0000-7000-8000-000000000001 \
--answer "corrected on 3 May"
    """
    outcome = "cancelled" if cancelled else "completed"
    _change(
        data, request, "select * from privacy.close_request(%s, %s, %s, %s)", outcome, answer,
        as_json=as_json,
    )  # fmt: skip


@app.command()
def told(
    request: Request,
    recipient: Annotated[
        str, typer.Argument(metavar="RECIPIENT", help="As 'request show' names it, like meta.")
    ],
    *,
    by: By,
    how: Annotated[str, typer.Option("--how", help="How they were told: what proves it.")],
    data: options.Data = None,
    as_json: options.Json = False,
) -> None:
    """Record that a recipient was told of a correction, how, and by whom.

    For instance: connext privacy request told 0198c0de-0000-7000-8000-000000000001 meta \
--by ana.r --how "form of 3 May, reference 4711"
    """
    _change(
        data, request, "select * from privacy.told(%s, %s, %s, %s, %s)", recipient, by, how,
        as_json=as_json,
    )  # fmt: skip


@app.command("two-persons")
def two_persons(
    switch: Annotated[str, typer.Argument(metavar="ON|OFF", help="on or off.")],
    *,
    data: options.Data = None,
) -> None:
    """Switch the rule that a second person approves what is decided.

    For instance: connext privacy request two-persons on
    """
    if switch not in ("on", "off"):
        raise typer.BadParameter("on or off")
    with connect(data) as db:
        db.run("update privacy.settings set two_persons = %s", switch == "on")
        db.run(
            "insert into audit.events (actor, kind, details)"
            " values (session_user, 'privacy.two_persons', jsonb_build_object('switch', %s::text))",
            switch,
        )
    say(f"two persons: {switch}")


def org_of(db: Operator, request: UUID) -> UUID:
    """Find the organization of a request, or fail."""
    row = db.one("select r.org_id from public.privacy_requests as r where r.id = %s", request)
    if row is None:
        raise Failed(f"no request {request}; 'connext privacy request list --all' shows them")
    org: UUID = row["org_id"]
    return org


def _change(data: options.Data, request: UUID, query: Any, *values: object, as_json: bool) -> None:  # noqa: ANN401 - psycopg wants a literal
    """Do one step of a request and show it."""
    with connect(data) as db:
        row = db.one(query, org_of(db, request), request, *values)
    show_one(row or {}, as_json=as_json)
