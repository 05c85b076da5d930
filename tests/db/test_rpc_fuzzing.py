"""Every RPC, called with hostile JSON as every kind of person, refuses cleanly or does its work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import hostile
from tests.catalog import Watch, ids_in, ids_named, ids_only_of
from tests.world import make_user

EXAMPLES = 10  # for each function


@pytest.fixture(scope="module")
def fuzzed(full):
    """The connection, the world, what may never be seen, and ids worth naming."""
    connection, world = full
    named = ids_named(connection, world.ours)
    foreign = ids_named(connection, world.theirs)
    # Ours more often: a foreign id is refused at once, wherever it stands.
    ids = {
        name: [*sorted(named.get(name, ()))[:4] * 3, *sorted(foreign.get(name, ()))[:2]]
        for name in named | foreign
    }
    ids["*"] = [str(world.ours.id), str(world.theirs.id), "0190b7a0-0000-7000-8000-00000000ffff"]
    ids["*"] += [*(min(found) for found in foreign.values() if found)][:12]
    return connection, world, ids, ids_only_of(connection, world.theirs, world.ours)


def functions(fuzzed):
    return hostile.rpcs(fuzzed[0])


def test_every_function_of_the_data_api_is_called(fuzzed):
    assert len(functions(fuzzed)) > 50


def flaws(answer, rpc, body, secret):
    """List what is wrong with an answer."""
    found = []
    if answer.state and not hostile.DOCUMENTED.fullmatch(answer.state):
        found.append(f"is {answer.state}, which is not documented")
    if answer.state and "Failing row" in answer.text:
        found.append("shows a row")
    if answer.state and hostile.MARK in answer.text and rpc.secrets():
        found.append("repeats a secret")
    if (ids_in(answer.text) & secret) - ids_in(hostile.written(body).lower()):
        found.append("tells ids of another organization")
    return found


def test_hostile_json_is_refused_cleanly_and_reaches_nobody_else(fuzzed):
    db, world, ids, secret = fuzzed
    watch = Watch(db)
    owner, *others = world.ours.people.values()
    people = [*[owner] * 8, *others, make_user(db)]
    orgs = [*[None, world.ours.id] * 4, world.theirs.id, "no id", ""]
    before = watch.rows(world.theirs)
    wrong: dict[str, str] = {}

    def attempt(rpc):
        @hostile.pace(EXAMPLES)
        @given(hostile.bodies(rpc, ids), st.sampled_from(people), st.sampled_from(orgs))
        def tried(body, person, org):
            with db.transaction(force_rollback=True):
                answer = hostile.call(db, rpc, body, user=person, org=org)
                told = flaws(answer, rpc, body, secret)
                if rpc.writes and not answer.state and watch.rows(world.theirs) != before:
                    told.append("changes what another organization has")
            for flaw in told:
                wrong.setdefault(f"{rpc.name} {flaw}", f"{answer.text[:300]} for {str(body)[:300]}")

        tried()

    for rpc in functions(fuzzed):
        attempt(rpc)
    assert wrong == {}


@pytest.mark.parametrize(
    ("rpc", "body", "state"),
    [
        ("choose_numbers", {"numbers": [None]}, "CX003"),
        ("set_phone_settings", {"allowed_countries": ["CA", None]}, "CX006"),
        ("set_phone_settings", {"allowed_countries": None}, "CX006"),
        ("set_phone_settings", {"recording": None}, "CX006"),
        ("set_phone_settings", {"voicemail": None}, "CX006"),
    ],
)
def test_a_null_where_none_may_be_is_refused_in_words(fuzzed, rpc, body, state):
    db, world, *_ = fuzzed
    found = next(one for one in functions(fuzzed) if one.name == rpc)

    with db.transaction(force_rollback=True):
        answer = hostile.call(db, found, body, user=world.ours.people["owner"], org=world.ours.id)

    assert answer.state == state


def test_a_function_that_is_new_is_called_and_its_leak_is_found(fuzzed):
    db, world, _, secret = fuzzed
    with db.transaction(force_rollback=True):
        db.execute(
            "create function public.zz_new(code text) returns text language plpgsql"
            " security definer set search_path = '' as $$ begin"
            " raise exception 'no code % of %', code, (select o.id from public.organizations as o"
            " where o.name = 'Theirs') using errcode = 'XX000'; end $$"
        )
        db.execute("grant execute on function public.zz_new(text) to authenticated")
        (new,) = (one for one in functions(fuzzed) if one.name == "zz_new")
        body = {"code": hostile.MARK}
        answer = hostile.call(db, new, body, user=world.ours.people["viewer"], org=None)

    assert flaws(answer, new, body, secret) == [
        "is XX000, which is not documented",
        "repeats a secret",
        "tells ids of another organization",
    ]
