"""Are third-party tokens sealed to keys that the database does not have, and gone when they should be?"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from cli.policy_checks.place import OURS
from cli.policy_checks.registry import check, judged, unprovable
from cli.policy_checks.scan import scan

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

PLACES = ("private.sealed_tokens", "private.revocations")
NEWEST = 2000  # sealed tokens that are looked into; all of them are counted
# How tokens of Meta, Telnyx, Stripe, Google and Supabase begin, and what every private key says.
PLAINTEXT = (
    r"EAA[A-Za-z0-9]{30,}|KEY0[0-9A-F]{20,}_|(sk|rk)_(live|test)_[A-Za-z0-9]{10,}|AIza[0-9A-Za-z_-]{30,}"
    r"|sb_secret_[A-Za-z0-9_-]{10,}|whsec_[A-Za-z0-9]{10,}|PRIVATE KEY"
)
NAMES = "(^|_)(token|secret|password|api_key|credential|private_key|access_key)s?($|_)"
READERS = """
    select coalesce(r.rolname, 'public') || ' holds ' || a.privilege_type || ' on ' || c.oid::regclass
        as flaw
    from pg_class as c
    cross join lateral aclexplode(c.relacl) as a
    left join pg_roles as r on r.oid = a.grantee
    where c.oid = any(array['private.sealed_tokens', 'private.revocations']::regclass[])
        and a.grantee <> c.relowner
        and coalesce(r.rolname, 'public') not in ('worker_meta', 'worker_telnyx', 'worker_stripe')
    union all
    select p.tablename || ' ' || p.policyname || ' is not bound to a provider and a job'
    from pg_policies as p
    where p.schemaname = 'private' and p.tablename in ('sealed_tokens', 'revocations')
        and not (
            concat_ws(' ', p.qual, p.with_check) ~ 'leased_org\\(''(meta|telnyx|stripe)'''
            and concat_ws(' ', p.qual, p.with_check) ~ 'provider = ''(meta|telnyx|stripe)'''
        )
"""


@check("tokens.sealed")
def sealed(place: Place) -> Verdict:
    """Every stored token is an OpenPGP message to one of our public keys, and nothing else."""
    from workers.core.errors import SealBroken
    from workers.core.sealing import check_seal

    keys = {
        row["key_id"]: bytes(row["public_key"])
        for row in place.rows("select k.key_id, k.public_key from private.sealing_keys as k")
    }
    flaws, total, looked = [], 0, 0
    for table in PLACES:
        total += place.value(f"select count(*) from {table}")  # noqa: S608 - our own names
        for row in place.rows(
            f"select t.provider, t.kind, t.key_id, t.sealed from {table} as t"  # noqa: S608
            " order by t.id desc limit %s",
            NEWEST,
        ):
            looked += 1
            try:
                check_seal(bytes(row["sealed"]), keys[row["key_id"]])
            except SealBroken:
                flaws.append(f"a {row['kind']} of {row['provider']} is not sealed")
    return judged(f"{total} stored tokens, the newest {looked} looked into, all sealed", flaws)


@check("tokens.keys")
def keys(place: Place) -> Verdict:
    """The database holds public halves only, and no token is sealed to a retired key."""
    from pysequoia.packet import PacketPile, Tag

    rows = place.rows("select k.key_id, k.public_key, k.state from private.sealing_keys as k")
    flaws = []
    for row in rows:
        try:
            tags = [packet.tag for packet in PacketPile.from_bytes(bytes(row["public_key"]))]
        except Exception:  # noqa: BLE001 - the library has one kind of error: not OpenPGP
            flaws.append(f"key {row['key_id'][:16]} is not OpenPGP")
            continue
        if Tag.SecretKey in tags or Tag.SecretSubkey in tags:
            flaws.append(f"key {row['key_id'][:16]} has its private half in the database")
    stale = place.value(
        "select count(*) from private.sealed_tokens as t"
        " join private.sealing_keys as k on k.key_id = t.key_id where k.state = 'retired'"
    )
    flaws += [f"{stale} tokens are sealed to a retired key"] if stale else []
    active = sum(row["state"] == "active" for row in rows)
    return judged(f"{len(rows)} keys, {active} active, 0 private halves", flaws)


@check("tokens.columns")
def columns(place: Place) -> Verdict:
    """No column could hold a readable token, and no stored text looks like one."""
    named = place.values(
        "select format('%%s.%%s.%%s', n.nspname, c.relname, a.attname) from pg_attribute as a"
        " join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = any(%(ours)s) and c.relkind in ('r', 'p') and not c.relispartition"
        " and a.attnum > 0 and not a.attisdropped and a.attname ~ %(names)s"
        " and a.atttypid <> 'bytea'::regtype and a.attname !~ '_(hash|sha256|at|count|id)$'",
        ours=OURS,
        names=NAMES,
    )
    found = scan(place, PLAINTEXT)
    flaws = [f"{name} is not bytes" for name in named]
    flaws += sorted(
        {f"{table}.{column} holds what looks like one" for table, column, _ in found.hits}
    )
    return judged(f"{found.said()} hold 0 readable tokens", flaws)


@check("tokens.readers")
def readers(place: Place) -> Verdict:
    """Only a provider's own worker, with a job of that organization in hand, may read its sealed tokens."""
    count = place.value(
        "select count(*) from pg_policies as p where p.schemaname = 'private'"
        " and p.tablename in ('sealed_tokens', 'revocations')"
    )
    return judged(
        f"{count} policies, each for one provider's worker and its job", place.values(READERS)
    )


@check("tokens.sealing")
def sealing(place: Place) -> Verdict:
    """What the database seals it cannot open again."""
    active = place.rows(
        "select k.public_key from private.sealing_keys as k where k.state = 'active'"
    )
    if not active:
        return unprovable("there is no active sealing key; run 'connext keys init'")
    canary = f"canary-{secrets.token_hex(16)}"
    blob = bytes(
        place.value("select private.seal(%s, %s, 'api_key', %s)", uuid4(), uuid4(), canary)
    )
    flaws = ["the sealed bytes hold the secret"] if canary.encode() in blob else []
    try:
        with place.undone():
            place.value(
                "select extensions.pgp_pub_decrypt(%s, %s)", blob, bytes(active[0]["public_key"])
            )
        flaws.append("the database opened it with what it has")
    except psycopg.errors.ExternalRoutineInvocationException:
        pass
    return judged(f"a canary sealed into {len(blob)} bytes, not found in them, not opened", flaws)


@check("tokens.orphans")
def orphans(place: Place) -> Verdict:
    """No token is stored for an integration that is disconnected."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where i.status is null or i.status = 'disconnected')"
        " as orphans from private.sealed_tokens as t left join public.integrations as i"
        " on i.org_id = t.org_id and i.id = t.integration_id"
    )[0]
    flaws = [f"{row['orphans']} tokens of disconnected integrations"] if row["orphans"] else []
    return judged(f"{row['n']} tokens, 0 of disconnected integrations", flaws)


@check("tokens.revocations")
def revocations(place: Place) -> Verdict:
    """No token that was taken out of use is older than ten minutes and the minute the purge takes."""
    row = place.rows(
        "select count(*) as n, count(*) filter (where least(r.taken_at + interval '10 minutes',"
        " r.revoke_by) < clock_timestamp() - interval '1 minute 30 seconds') as late"
        " from private.revocations as r"
    )[0]
    flaws = [f"{row['late']} tokens past their ten minutes"] if row["late"] else []
    return judged(f"{row['n']} tokens waiting to be revoked, 0 past their ten minutes", flaws)
