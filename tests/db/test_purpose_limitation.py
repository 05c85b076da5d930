"""What the workers may do in the database is the integrations table of the privacy page."""

from __future__ import annotations

import pytest

from cli.policy_checks.integrations_table import INTEGRATIONS_TABLE, OF_NOBODY
from tests.matrix import COMMANDS, all_cells

RIGHTS = """
    select format('%%s.%%s', n.nspname, c.relname), v.verb
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    cross join unnest(array['select', 'insert', 'update', 'delete']) as v (verb)
    where n.nspname in ('public', 'private', 'queue', 'privacy', 'audit', 'auth', 'storage')
        and c.relkind in ('r', 'p', 'v') and not c.relispartition
        and (
            has_table_privilege(%(role)s, c.oid, v.verb)
            or (v.verb <> 'delete' and has_any_column_privilege(%(role)s, c.oid, v.verb))
        )
"""
POLICIES = """
    select p.qual, p.with_check from pg_policies as p
    where %(role)s = any(p.roles) and format('%%s.%%s', p.schemaname, p.tablename) = %(table)s
"""
PROVIDERS = {"worker_meta": "meta", "worker_telnyx": "telnyx", "worker_stripe": "stripe"}
CONNECTIONS = ("public.integrations", "private.sealed_tokens", "private.revocations")


@pytest.mark.parametrize("role", INTEGRATIONS_TABLE)
def test_the_rights_of_a_worker_are_those_of_the_table_and_no_others(db, role):
    rights: dict[str, list[str]] = {}
    for table, verb in db.execute(RIGHTS, {"role": role}):
        rights.setdefault(table, []).append(verb)

    found = {
        table: " ".join(sorted(verbs, key=COMMANDS.index))
        for table, verbs in rights.items()
        if table not in OF_NOBODY
    }
    assert found == INTEGRATIONS_TABLE[role]


def test_the_headers_of_the_policies_say_the_same():
    said: dict[str, dict[str, list[str]]] = {role: {} for role in INTEGRATIONS_TABLE}
    for cell in all_cells():
        if cell.role in said and cell.reach != "-" and cell.table not in OF_NOBODY:
            said[cell.role].setdefault(cell.table, []).append(cell.command)

    found = {
        role: {table: " ".join(verbs) for table, verbs in tables.items()}
        for role, tables in said.items()
    }
    assert found == INTEGRATIONS_TABLE


@pytest.mark.parametrize("role", PROVIDERS)
@pytest.mark.parametrize("table", CONNECTIONS)
def test_connections_and_tokens_are_reached_for_the_own_provider_only(db, role, table):
    policies = db.execute(POLICIES, {"role": role, "table": table}).fetchall()

    assert policies
    for expression in (text for policy in policies for text in policy if text):
        assert f"leased_org('{PROVIDERS[role]}'" in expression
        assert f"provider = '{PROVIDERS[role]}'" in expression
