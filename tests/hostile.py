"""Hostile JSON, and calling every RPC with it the way PostgREST does.

Everything is read from the catalog: a function that is new is called without being named here.
`CONNEXT_FUZZ` multiplies the examples (`make fuzz`).
"""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from psycopg import sql

from tests import mallory
from tests.world import acting_as

if TYPE_CHECKING:
    from uuid import UUID

TIMES = int(os.environ.get("CONNEXT_FUZZ", "1"))
# What a caller may be told: our own codes, data and constraint errors, no right, no such function.
DOCUMENTED = re.compile(r"CX\d{3}|22\d\w{3}|22\w{3}|23\w{3}|42501|42883")
# Arguments that are secrets wherever they occur: no error may repeat them.
SECRETS = re.compile(r"token|secret|password|api_key|^code$|^state$")
MARK = "zq7Secret"
# What an argument of this name usually is, so that a call gets past it.
WORDS = mallory.WORDS | {
    "kind": ["access", "portability", "invoices", "customers"],
    "method": ["cash", "transfer", "other"],
    "role": ["viewer", "agent", "owner"],
    "email": ["guest@example.com", "GUEST@EXAMPLE.COM"],
    "phone": ["+15145550142", "(514) 555-0142", "+442071838750"],
    "plan": ["basic"],
    "country": ["CA", "FR"],
    "currency": ["CAD", "EUR"],
    "locale": ["fr-CA", "en-CA"],
    "timezone": ["America/Toronto", "UTC"],
    "name": ["A company"],
    "reason": ["A reason"],
    "body": ["Hello"],
    "memo": ["Rent"],
    "details": ["Please"],
}

# ruff: noqa: RUF001 - letters that look like others are the point
_UNICODE = (
    "\u202egnp.exe", "a\u0301\u0327\u0301" * 20, "\ufeff", "\u2028\u2029", "İIıi", "ﷺ" * 30,
    "👩‍👩‍👧‍👦", "\U0010ffff", "Ｂｏｂ", "\u00a0", "\u200b", "K\u212a", "ß" * 50,
)  # fmt: skip
_WORDS = (
    "", " ", "\x01\x02\x1b[2J", "\r\n", "a\tb\x7f", "' or 1=1 --", "$$;select 1;$$", "%s%(x)s{0}",
    "\\", "\\x00", "../../etc/passwd", "<script>alert(1)</script>", "null", "true", "[]", "{}", "{,}",
    "-0", "1e400", "NaN", "Infinity", "-infinity", "now", "today", "epoch", "0001-01-01 BC",
    "294276-12-31", "5874897-12-31", "24:00:00", "23:59:60", "99:99", "+15145550100", "+999999",
    "eve@example.com", "a@b", "owner", "admin", "meta", "telnyx", "stripe", "CA", "CAD", "ZZZ",
    "organization", "contact", "member", "access", "deletion", "cash", "card",
)  # fmt: skip
_NUMBERS = (
    0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 10**400,
    0.5, -0.0, 1e-300, 1e308, True, False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Raw:
    """Text that stands in the JSON as it is: what `json.dumps` would never write."""

    text: str


# A NUL, halves of pairs, and numbers that no double holds.
_RAW = (
    Raw('"\\u0000"'), Raw('"a\\u0000b"'), Raw('"\\ud800"'), Raw('"\\udc00\\ud800"'), Raw("1e999999"),
    Raw("1" * 2000), Raw("-1." + "9" * 500), Raw('{"a":1,"a":2}'), Raw("[" * 400 + "]" * 400),
    Raw('{"a":' * 300 + "null" + "}" * 300),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rpc:
    """A function of schema public; the last *optional* of its arguments have defaults."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    optional: int
    writes: bool

    @property
    def required(self) -> tuple[str, ...]:
        names = [name for name, _ in self.arguments]
        return tuple(names[: len(names) - self.optional])

    def secrets(self) -> set[str]:
        return {name for name, _ in self.arguments if SECRETS.search(name)}


def pace(examples: int) -> settings:
    """Try so many examples: every run the same, so that it fails for a change and not by chance.

    `make fuzz` tries new ones each time. Failures are collected by the tests; none is shrunk.
    """
    return settings(
        max_examples=examples * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def rpcs(db: psycopg.Connection[Any]) -> list[Rpc]:
    """List every function that the Data API offers a signed-in person."""
    rows = db.execute(
        "select p.proname::text, coalesce(p.proargnames[1:p.pronargs], '{}'),"
        " array(select format_type(a, null) from unnest(p.proargtypes) with ordinality as x (a, n)"
        " order by n), p.pronargdefaults, p.provolatile = 'v' from pg_proc as p"
        " where p.pronamespace = 'public'::regnamespace and p.prorettype <> 'trigger'::regtype"
        " and has_function_privilege('authenticated', p.oid, 'execute') order by 1"
    )
    return [
        Rpc(name, tuple(zip(names, types, strict=True)), optional, writes)
        for name, names, types, optional, writes in rows
    ]


def _noise(length: int) -> str:
    chance = random.Random(length)  # noqa: S311 (repeatable, not secret)
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789@.-+ ", k=length))


# Texts that no field is meant for; noise does not compress, and so does not fit into an index.
HUGE = ("x" * 100_000, "é" * 70_000, _noise(3_000), _noise(20_000), "a " * 50_000, "\n" * 9_000)


def values(ids: list[str]) -> st.SearchStrategy[Any]:
    """Any JSON value: *ids* are those worth trying where an id may stand."""
    leaves = st.one_of(
        st.none(),
        st.sampled_from(_NUMBERS),
        st.sampled_from(_WORDS),
        st.sampled_from(_UNICODE),
        st.sampled_from(_RAW),
        st.sampled_from(ids),
        st.sampled_from(ids).map(str.upper),
        st.text(max_size=40),
        st.sampled_from(HUGE),
    )
    return st.one_of(
        leaves,
        st.lists(leaves, max_size=4),
        st.dictionaries(st.sampled_from(["", "account_id", "debit_minor", "x", "\x01"]), leaves, max_size=3),
        st.lists(st.lists(leaves, max_size=2), max_size=2),
    )  # fmt: skip


def fitting(  # noqa: PLR0911 - one for each type
    name: str, kind: str, ids: dict[str, list[str]]
) -> st.SearchStrategy[Any]:
    """Values of the argument's own type, so that a call gets past the first argument."""
    match kind:
        case "uuid":
            return st.sampled_from(ids.get(name) or ids["*"])
        case "bigint" | "integer":
            return st.sampled_from([0, 1, -1, 100, 2**31 - 1, 2**63 - 1])
        case "boolean":
            return st.booleans()
        case "date":
            return st.sampled_from(["2026-01-31", "1900-01-01", "infinity", "5874897-12-31"])
        case "text[]":
            return st.lists(st.one_of(st.sampled_from(_WORDS), st.sampled_from(HUGE)), max_size=3)
        case "jsonb":
            line = st.fixed_dictionaries(
                {"account_id": st.sampled_from(ids["account_id"])},
                optional={
                    "debit_minor": st.sampled_from(_NUMBERS),
                    "credit_minor": st.sampled_from(_NUMBERS),
                    "memo": st.sampled_from(HUGE),
                },
            )
            account = ids["account_id"][0]
            sound = [
                {"account_id": account, "debit_minor": 7},
                {"account_id": account, "credit_minor": 7},
            ]
            return st.one_of(
                st.lists(line, max_size=3), st.lists(line, max_size=1).map(sound.__add__)
            )
        case _:
            known = [word for word in WORDS.get(name, []) if word]
            return st.sampled_from([*known * 20, *_WORDS, *_UNICODE, *HUGE])


@st.composite
def bodies(draw: st.DrawFn, rpc: Rpc, ids: dict[str, list[str]]) -> dict[str, Any]:
    """Arguments of a call: all that are needed, some that are not, at most one of another shape.

    More would only be refused sooner; what fits its type is hostile enough.
    """
    spoilt = draw(st.sampled_from([None, None, None, *(name for name, _ in rpc.arguments)]))
    body = {}
    for name, kind in rpc.arguments:
        if name not in rpc.required and name != spoilt and draw(st.booleans()):
            continue
        value = draw(values(ids["*"]) if name == spoilt else fitting(name, kind, ids))
        secret = name in rpc.secrets() and isinstance(value, str)
        body[name] = f"{MARK}{value}" if secret else value
    return body


def written(value: Any) -> str:
    """Write JSON, with what is raw as it is."""
    match value:
        case Raw():
            return value.text
        case dict():
            pairs = (f"{json.dumps(k)}:{written(v)}" for k, v in value.items())
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case _:
            return json.dumps(value)


def calling(rpc: Rpc, names: list[str]) -> sql.Composed:
    """Write the statement that PostgREST makes of a call: the body becomes a typed record."""
    if not names:
        return sql.SQL("select to_jsonb(r)::text from public.{}() as r").format(
            sql.Identifier(rpc.name)
        )
    types = dict(rpc.arguments)
    typed = [sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(types[n])) for n in names]
    passed = [sql.SQL("{0} => a.{0}").format(sql.Identifier(n)) for n in names]
    return sql.SQL(
        "select to_jsonb(r)::text from (select * from json_to_record(%s::json) as x ({})) as a,"
        " lateral public.{}({}) as r"
    ).format(sql.SQL(", ").join(typed), sql.Identifier(rpc.name), sql.SQL(", ").join(passed))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call told: rows, or an error's SQLSTATE and everything that is sent along with it."""

    state: str
    text: str


def call(
    db: psycopg.Connection[Any],
    rpc: Rpc,
    body: dict[str, Any],
    *,
    user: UUID,
    org: UUID | str | None,
) -> Answer:
    """Call, up to where the request would commit; what it did stays until the caller undoes it."""
    try:
        with acting_as(db, "authenticated", user=user, org=org):
            db.execute("set local statement_timeout = '8s'")
            given = [written(body)] if body else []
            rows = db.execute(calling(rpc, list(body)), given).fetchall()
            db.execute("set constraints all immediate")
            db.execute("set constraints all deferred")
    except psycopg.Error as error:
        said = error.diag
        parts = (said.message_primary, said.message_detail, said.message_hint)
        return Answer(error.sqlstate or "none", "\n".join(part for part in parts if part))
    return Answer("", "\n".join(row[0] or "" for row in rows))
