"""The comment of every RPC says who may call it, what it returns and which errors it raises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FUNCTIONS = """
    select
        n.nspname || '.' || p.proname as name, p.prosrc as body, p.prorettype = 'void'::regtype as is_void,
        p.prorettype = 'trigger'::regtype as is_trigger, obj_description(p.oid, 'pg_proc') as comment
    from pg_proc as p
    join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname in ('public', 'private', 'queue')
"""
CODE = re.compile(r"CX\d{3}")
RAISED = re.compile(r"errcode\s*=\s*'(CX\d{3})'", re.IGNORECASE)
CALL = re.compile(r"\b((?:private|queue)\.[a-z_0-9]+)\s*\(")
WHO = re.compile(r"Anybody signed in|Members of it|[Pp]ermissions? [a-z]+\.[a-z]+")
PERMISSION = re.compile(r"\b[a-z]+\.(?:read|write|manage)\b")
# Whoever has no organization at all is told CX001; org.read is never missing alone.
MEMBERSHIP = re.compile(r"private\.require_org\('org\.read'\)")
ERRORS = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


@pytest.fixture
def functions(db):
    rows = db.execute(FUNCTIONS).fetchall()
    return [
        dict(zip(("name", "body", "is_void", "is_trigger", "comment"), r, strict=True))
        for r in rows
    ]


@pytest.fixture
def rpcs(functions):
    found = [f for f in functions if f["name"].startswith("public.")]
    assert len(found) > 30
    return found


def bodies(functions):
    """What each name does; overloads count together."""
    texts = {}
    for function in functions:
        texts[function["name"]] = texts.get(function["name"], "") + function["body"]
    return texts


def raised(name, texts, levels):
    """The codes raised in a function and, so many levels down, in what it calls."""
    body = texts.get(name, "")
    codes = set(RAISED.findall(body))
    if MEMBERSHIP.search(body):
        codes.add("CX001")
        body = MEMBERSHIP.sub("", body)
    if levels:
        for callee in CALL.findall(body):
            codes |= raised(callee, texts, levels - 1)
    return codes


def test_it_says_who_may_call_it_by_permissions_that_exist(db, rpcs):
    known = {row[0] for row in db.execute("select permission from private.permissions")}

    assert [f["name"] for f in rpcs if not WHO.search(f["comment"])] == []
    named = {word for f in rpcs for word in PERMISSION.findall(f["comment"])}
    assert named
    assert named - known == set()


def test_the_permission_it_names_is_one_its_code_asks_for(functions, rpcs):
    texts = bodies(functions)
    wrong = []
    for rpc in rpcs:
        asked = {word for callee in [rpc["name"], *CALL.findall(rpc["body"])]
                 for body in [texts.get(callee, "")]
                 for text in [body, *(texts.get(c, "") for c in CALL.findall(body))]
                 for word in re.findall(r"'([a-z]+\.(?:read|write|manage))'", text)}  # fmt: skip
        if not set(PERMISSION.findall(rpc["comment"])) <= asked:
            wrong.append(rpc["name"])

    assert wrong == []


def test_it_says_what_it_returns(rpcs):
    assert [f["name"] for f in rpcs if not f["is_void"] and "Returns " not in f["comment"]] == []


def test_it_names_every_error_that_its_guarded_half_and_what_that_calls_raise(functions, rpcs):
    texts = bodies(functions)
    silent = {
        f["name"]: missing
        for f in rpcs
        if (missing := raised(f["name"], texts, 2) - set(CODE.findall(f["comment"])))
    }

    assert silent == {}


def test_it_names_no_error_that_nothing_behind_it_raises(functions, rpcs):
    texts = bodies(functions)
    by_triggers = {
        code for f in functions if f["is_trigger"] for code in raised(f["name"], texts, 3)
    }
    invented = {
        f["name"]: extra
        for f in rpcs
        if (extra := set(CODE.findall(f["comment"])) - raised(f["name"], texts, 9) - by_triggers)
    }

    assert invented == {}


def test_every_error_it_names_is_documented(rpcs):
    documented = set(re.findall(r"^\| (CX\d{3}) \|", ERRORS.read_text(), re.MULTILINE))
    named = {code for f in rpcs for code in CODE.findall(f["comment"])}

    assert named
    assert named - documented == set()
