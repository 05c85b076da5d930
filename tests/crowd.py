"""Many organizations of very unequal size, loaded at once past triggers: for plans and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    import psycopg

# Organization k has a share of 1/k: of 1,000 the first has 13 % of all messages, the last 0.013 %.
STATEMENTS = (
    "set session_replication_role = replica",  # no trigger: neither ours nor those of foreign keys
    """
    create temporary table crowd as
    with share as (select k, 1.0 / k as part from generate_series(1, %(orgs)s) as k)
    select k, private.uuid_v7() as org, private.uuid_v7() as channel, gen_random_uuid() as integration,
        greatest(1, round(%(messages)s * part / sum(part) over ()))::integer as messages,
        greatest(1, round(%(messages)s * part / sum(part) over () / %(per_thread)s))::integer as threads,
        greatest(1, round(%(users)s * part / sum(part) over ()))::integer as users
    from share
    """,
    "insert into public.organizations (id, name) select org, 'Organization ' || k from crowd",
    """
    create temporary table crowd_people as
    select c.org, gen_random_uuid() as person,
        (array['agent', 'owner', 'admin', 'viewer'])[1 + mod(u, 4)] as role
    from crowd as c cross join lateral generate_series(1, c.users) as u
    """,
    "insert into auth.users (id, email) select person, person || '@example.com' from crowd_people",
    """
    insert into public.memberships (org_id, user_id, role, permissions)
    select org, person, role, private.permissions_held(org, role) from crowd_people
    """,
    "insert into public.profiles (user_id, active_org_id) select person, org from crowd_people",
    """
    insert into public.integrations (org_id, id, provider, status, consent_id, connected_at)
    select org, integration, 'meta', 'active', gen_random_uuid(), now() from crowd
    """,
    """
    insert into public.channels (org_id, id, provider, integration_id, external_id, name)
    select org, channel, 'meta', integration, 'page-' || k, 'Page' from crowd
    """,
    """
    create temporary table crowd_threads as
    select c.org, c.channel, private.uuid_v7() as id, t, c.k,
        now() - (t * interval '1 minute') as at
    from crowd as c cross join lateral generate_series(1, c.threads) as t
    """,
    """
    insert into public.conversations
        (org_id, id, provider, channel_id, contact_external_id, last_message_at, last_inbound_at)
    select org, id, 'meta', channel, 'psid-' || t, at, at from crowd_threads
    """,
    "create index on crowd_threads (k, t)",
    "analyze crowd_threads",
    """
    insert into public.messages (org_id, id, provider, channel_id, conversation_id, direction, state,
        body, external_id, origin, occurred_at)
    select c.org, private.uuid_v7(), 'meta', c.channel, t.id, 'inbound', 'received',
        'Hello, is the red lamp of number ' || n || ' still there?', 'm_' || c.k || '_' || n, 'webhook',
        now() - ((c.messages - n) * interval '1 second')
    from crowd as c
    cross join lateral generate_series(1, c.messages) as n
    -- Up to 200 threads are busy at a time, whatever the size: a thread's messages lie equally far apart.
    cross join lateral (select least(c.threads, 200) as busy) as b
    join crowd_threads as t on t.k = c.k
        and t.t = least(c.threads, 1 + n / (b.busy * %(per_thread)s) * b.busy + mod(n, b.busy))
    """,
    "set session_replication_role = origin",
    """
    analyze public.organizations, public.memberships, public.profiles, public.conversations,
        public.messages, public.channels, auth.users, private.role_permissions
    """,
)


@dataclass(frozen=True, slots=True)
class Place:
    """One organization, a member who may write its inbox, one of its threads and messages."""

    org: UUID
    person: UUID
    channel: UUID
    thread: UUID
    message: UUID
    messages: int


def load(
    superuser: psycopg.Connection[Any],
    *,
    orgs: int,
    messages: int,
    users: int,
    per_thread: int = 40,
) -> list[Place]:
    """Load the crowd and vacuum; return a place in every organization, the largest first.

    The connection is the superuser's, with autocommit: triggers are off for the load only.
    """
    sizes = {"orgs": orgs, "messages": messages, "users": users, "per_thread": per_thread}
    for statement in STATEMENTS:
        superuser.execute(statement, sizes if "%(" in statement else None)
    rows = superuser.execute(
        """
        select c.org, p.person, c.channel, t.id, m.id, c.messages
        from crowd as c
        join lateral (select * from crowd_people as p where p.org = c.org and p.role = 'agent'
            union all (select * from crowd_people as p where p.org = c.org) limit 1) as p on true
        join lateral (select * from crowd_threads as t where t.k = c.k
            order by t.t offset c.threads / 2 limit 1) as t on true
        join lateral (select * from public.messages as m where m.org_id = c.org
            and m.conversation_id = t.id limit 1) as m on true
        order by c.k
        """
    ).fetchall()
    superuser.execute("drop table crowd, crowd_people, crowd_threads")
    superuser.execute("vacuum (analyze) public.messages, public.conversations, public.memberships")
    superuser.execute(
        "vacuum (analyze) public.organizations, public.profiles, private.role_permissions"
    )
    superuser.execute("checkpoint")
    return [Place(*row) for row in rows]
