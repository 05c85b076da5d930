"""What an audit event may say is what it always was, however cheaply it is asked now."""

from __future__ import annotations

import json
import string

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

PACE = settings(
    max_examples=600,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# The rules as they stood on the table before they moved to its domains.
KIND = r"""%(text)s collate "C" ~ '^[a-z]+(?:\.[a-z_]+)+$'"""
DETAILS = r"""
    octet_length((%(text)s::jsonb)::text) <= 400 and (%(text)s::jsonb)::text collate "C" ~ (
        '^\{(?:"[a-z_]+": "(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9A-F]{40}|[A-Za-z_.]+)"'
        '(?:, (?=")|(?=\}$)))*\}$'
    )
"""
ID = "0198c0de-0000-7000-8000-00000000004f"


@st.composite
def almost(draw, text):
    """Take a text, or change one character of it, leave one out, or add one."""
    said = draw(text)
    at = draw(st.integers(0, len(said)))
    other = draw(st.sampled_from('-0aAfFgz_. "{},:\\é\n'))
    left, right = said[:at], said[at:]
    changed = [left + right[1:], left + other + right[1:], left + other + right, said.upper(), left]
    return draw(st.sampled_from([said, said, *changed]))


def words(letters, least, most):
    return st.text(letters, min_size=least, max_size=most)


ids = st.uuids().map(str)
prints = words("0123456789ABCDEF", 39, 41)
values = almost(
    st.one_of(
        ids, ids, prints, words(string.ascii_letters + "_.", 0, 12), words("0123456789", 1, 16),
        words("abcdef-0123456789", 36, 36), words("a", 340, 400),
    )
)  # fmt: skip
names = almost(words(string.ascii_lowercase + "_", 1, 8))
plain = st.dictionaries(
    words(string.ascii_lowercase + "_", 1, 8), st.one_of(ids, prints, words("ab._", 1, 9))
)
odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
details = st.one_of(plain, st.dictionaries(names, values, max_size=4), odd)


@pytest.fixture(scope="module")
def asked(scratch):
    with psycopg.connect(scratch, autocommit=True) as connection:
        yield connection


def answers(connection, domain, rule, text):
    """Answer what the domain says, and what the old rule says."""
    statement = f"select pg_input_is_valid(%(text)s, 'audit.{domain}'), {rule}"
    return connection.execute(statement, {"text": text}).fetchone()


@PACE
@given(details)
@example({})
@example({"a": ID})
@example({"a": ID, "b": ID})
@example({"a": ID.upper()})
@example({"a": "-" * 36})
@example({"a": ID + '", "b": "' + ID})
@example({"a": ID, "b": "+15145550123"})
@example({"+15145550123": ID})
@example({"a": '{"a": "b'})
@example("}")
@example(["}"])
@example({"a": "b" * 391})  # 400 octets
@example({"a": "b" * 392})
@example({"a" * 359: ID})
@example({"a" * 360: ID})
@example({"a" * 354: "b", "c": "A" * 30})
def test_details_are_refused_as_before(asked, value):
    now, before = answers(asked, "event_details", DETAILS, json.dumps(value))

    assert now == before


@PACE
@given(almost(words(string.ascii_lowercase + "_..", 0, 12)))
@example("token.opened")
@example("a.b\n")
def test_kinds_are_refused_as_before(asked, kind):
    now, before = answers(asked, "event_kind", KIND, kind)

    assert now == before


def test_what_is_refused_bears_its_old_name(db):
    for column, value, name in (
        ("kind", "a", "events_kind_shape"),
        ("details", '{"a": "+15145550123"}', "events_details_are_references"),
    ):
        row = {"kind": "a.b", "details": "{}"} | {column: value}
        with pytest.raises(psycopg.errors.CheckViolation) as refused, db.transaction():
            db.execute("insert into audit.events (actor, kind, details) values ('me', %(kind)s, %(details)s)", row)  # fmt: skip
        assert refused.value.diag.constraint_name == name


def test_ids_are_given_by_the_table(db):
    """Its key leads with the transaction, so that nothing else keeps an id from coming twice."""
    with pytest.raises(psycopg.errors.GeneratedAlways):
        db.execute("insert into audit.events (id, actor, kind) values (1, 'me', 'a.b')")


@pytest.mark.parametrize("kind", ["token", "Token.opened", "token.opened 5145550123", ""])
def test_a_kind_in_a_statement_is_refused_when_the_statement_is_planned(db, kind):
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        db.execute("select audit.kind(%s)", [kind])

    assert refused.value.diag.constraint_name == "events_kind_shape"


def test_what_a_trigger_writes_asks_no_rule_again(db):
    """Neither the kind that stands in the statement nor the empty details, planned once."""
    plan = db.execute(
        "explain (verbose, costs off) insert into audit.events (actor, kind, subject)"
        " values ('me', audit.kind('a.b'), gen_random_uuid())"
    ).fetchall()

    told = " ".join(line for (line,) in plan)
    assert "'a.b'::audit.event_kind" in told
    assert "'{}'::audit.event_details" in told
    assert "audit.kind(" not in told


def test_a_subject_is_an_id_and_nothing_else(db):
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        db.execute("insert into audit.events (actor, kind, subject) values ('me', 'a.b', '5145550123')")  # fmt: skip
