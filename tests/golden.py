"""`python -m tests.golden`: write who may reach what into tests/golden, to be read in review.

access-matrix.json is what an independent tool, pgrls, makes of the schema: every cell that is not
`denied`. privileges.json is every grant that is not on a table: functions, schemas, defaults, roles.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from tests.catalog import OURS
from tests.database import TestCluster

FOLDER = Path(__file__).with_name("golden")
MATRIX, PRIVILEGES = FOLDER / "access-matrix.json", FOLDER / "privileges.json"
API = ("anon", "authenticated", "service_role")
PROCESSES = ("worker_meta", "worker_telnyx", "worker_stripe", "worker_privacy", "ingress")

GRANTS = {
    "functions": """
        select coalesce(r.rolname, 'public'), p.oid::regprocedure::text
        from pg_proc as p
        join pg_namespace as n on n.oid = p.pronamespace
        cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and a.grantee <> p.proowner order by 1, 2
    """,
    "schemas": """
        select coalesce(r.rolname, 'public'), n.nspname || ' ' || a.privilege_type
        from pg_namespace as n
        cross join lateral aclexplode(n.nspacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and a.grantee <> n.nspowner order by 1, 2
    """,
    "sequences": """
        select coalesce(r.rolname, 'public'), c.oid::regclass::text || ' ' || a.privilege_type
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and c.relkind = 'S' and a.grantee <> c.relowner order by 1, 2
    """,
    "types": """
        select coalesce(r.rolname, 'public'), t.oid::regtype::text
        from pg_type as t
        join pg_namespace as n on n.oid = t.typnamespace
        cross join lateral aclexplode(t.typacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where n.nspname = any(%(ours)s) and t.typtype in ('c', 'd', 'e') and t.typacl is not null
            and a.grantee <> t.typowner order by 1, 2
    """,
    "defaults of postgres": """
        select coalesce(r.rolname, 'public'),
            d.defaclnamespace::regnamespace::text || ' ' || d.defaclobjtype::text || ' ' || a.privilege_type
        from pg_default_acl as d
        cross join lateral aclexplode(d.defaclacl) as a
        left join pg_roles as r on r.oid = a.grantee
        where d.defaclrole = 'postgres'::regrole and a.grantee <> d.defaclrole order by 1, 2
    """,
    "members of": """
        select m.roleid::regrole::text, m.member::regrole::text
        from pg_auth_members as m
        where m.roleid::regrole::text = any(%(roles)s) or m.roleid = 'postgres'::regrole
            or m.member::regrole::text = any(%(roles)s)
        group by 1, 2 order by 1, 2
    """,
    "attributes": """
        select r.rolname, unnest(array_remove(array[
            case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end,
            case when r.rolcreaterole then 'createrole' end, case when r.rolcreatedb then 'createdb' end,
            case when r.rolreplication then 'replication' end, case when r.rolinherit then 'inherit' end
        ], null))
        from pg_roles as r where r.rolname = any(%(roles)s) order by 1, 2
    """,
}


def privileges(db: psycopg.Connection[Any]) -> dict[str, dict[str, list[str]]]:
    """Ask the catalog for every grant that is not on a table."""
    found: dict[str, dict[str, list[str]]] = {}
    for kind, query in GRANTS.items():
        section = found.setdefault(kind, {})
        rows = db.execute(query, {"ours": OURS, "roles": [*API, "authenticator", *PROCESSES]})
        for role, what in rows:
            section.setdefault(role, []).append(what)
    return found


def pgrls(url: str, *words: str) -> tuple[int, Any]:
    """Run pgrls on a database and read its JSON; findings make it exit with 1."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("pgrls"),
            *words,
            "--database-url",
            url,
            "--format",
            "json",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise RuntimeError(f"pgrls {words[0]} said: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def access_matrix(url: str) -> dict[str, Any]:
    """Reduce the matrix of pgrls to the cells that are not denied."""
    _, told = pgrls(url, "matrix", "--schemas", "public", "--roles", ",".join((*API, *PROCESSES)))
    cells: dict[str, dict[str, dict[str, str]]] = {}
    for row in told["rows"]:
        open_cells = {
            role: _cell(a) for role, a in row["access"].items() if a["verdict"] != "denied"
        }
        table = cells.setdefault(row["table"], {})
        if open_cells:
            table[row["command"]] = open_cells
    doors = {door["door"]: door["reached_by"] for door in told["untraced_doors"]}
    return {"summary": told["summary"], "cells": cells, "untraced doors": doors}


def _cell(access: dict[str, str | None]) -> str:
    return ": ".join(filter(None, (access["verdict"], access["predicate"] or access["note"])))


def main() -> None:
    """Write both files from a database with every migration."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cluster = TestCluster(Path(folder))
        cluster.start()
        try:
            url = cluster.url(cluster.create(cluster.build_template(), "golden"))
            with psycopg.connect(url) as db:
                found = {MATRIX: access_matrix(url), PRIVILEGES: privileges(db)}
        finally:
            cluster.stop()
    for path, content in found.items():
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
