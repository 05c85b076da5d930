"""Every RPC over HTTP, with bodies that are no call: a clean 4xx each, and nothing has happened."""

from __future__ import annotations

import json
import re

import pytest

from tests import hostile
from tests.db.test_bad_input import EVERYTHING

# PostgREST's own codes, ours, and the SQLSTATEs that errors.md names.
CODE = re.compile(rf"PGRST\d{{3}}|{hostile.DOCUMENTED.pattern}")
NOWHERE = "0190b7a0-0000-7000-8000-00000000ffff"
NUL = '"\\u0000zq7Secret"'
# What is no JSON at all is refused for every function; what is no object, where an argument is needed.
NO_JSON = (b"{", b'{"x": "\x1b"}', b'{"zz_unknown": 1}')
NO_OBJECT = (b"17", b'"zq7Secret"', b'{"x": "\xff\xfe"}')


def spoilt(rpc):
    """Make bodies of which one argument can never be taken."""
    for name, kind in rpc.arguments:
        # An object for a list is the SQL run's: the local API's driver makes a 500 of it.
        for value in [NUL] if kind in {"text", "text[]", "jsonb"} else [NUL, '{"a": 1}']:
            rest = {other: plain(kind) for other, kind in rpc.arguments if other in rpc.required}
            rest.pop(name, None)
            pairs = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in rest.items()]
            yield "{" + ", ".join([*pairs, f'"{name}": {value}']) + "}"


def plain(kind):
    return {"uuid": NOWHERE, "bigint": 1, "integer": 1, "boolean": True, "date": "2026-01-31"}.get(
        kind, [] if kind in {"jsonb", "text[]"} else "x"
    )


@pytest.fixture(scope="module")
def api(quiet_stack):
    """The stack, and an owner's token."""
    token = quiet_stack.sign_up("fuzz@example.com")["access_token"]
    with quiet_stack.client(token=token) as http:
        made = http.post("/rest/v1/rpc/create_organization", json={"name": "Fuzzed"})
        made.raise_for_status()
        org = http.post("/rest/v1/rpc/switch_organization", json={"org_id": made.json()["id"]})
        org.raise_for_status()
    return quiet_stack, token


def test_what_is_no_call_is_refused_and_does_nothing(api):
    stack, token = api
    wrong = []
    with stack.connect() as db:
        listed = hostile.rpcs(db)
        before = db.execute(EVERYTHING).fetchone()
    with stack.client(token=token) as http:
        for rpc in listed:
            path = f"/rest/v1/rpc/{rpc.name}"
            raw = [*NO_JSON, *(text.encode() for text in spoilt(rpc))]
            raw += NO_OBJECT if rpc.required else ()
            for content in raw:
                answer = http.post(
                    path, content=content, headers={"content-type": "application/json"}
                )
                if flaw := flaws(answer, rpc):
                    told = (answer.status_code, answer.text[:200])
                    wrong.append((rpc.name, content[:80], *told, flaw))
    with stack.connect() as db:
        after = db.execute(EVERYTHING).fetchone()

    assert wrong == []
    assert after == before


def flaws(answer, rpc):
    """Say what is wrong with an answer to what is no call."""
    if not 400 <= answer.status_code < 500:
        return "no refusal"
    try:
        code = answer.json()["code"]
    except (ValueError, KeyError):
        return "no error of the Data API"
    if not CODE.fullmatch(str(code)):
        return "an undocumented code"
    return "repeats a secret" if rpc.secrets() and "zq7Secret" in answer.text else ""
