"""The record of processing activities (GDPR Art. 30), made from the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.database import Operator

SECURITY = (
    "row-level security per organization, one database role per purpose, sealed third-party"
    " tokens, TLS, signed audit; see docs/security.md"
)


def record(db: Operator, part: str) -> dict[str, Any]:
    """Collect per purpose what Art. 30 asks for; *part* is controller or processor."""
    activities = db.rows(
        """
        select
            p.purpose, p.label_en, p.label_fr, p.lawful_basis,
            array_agg(distinct c.category order by c.category) as data_categories,
            coalesce(
                array_agg(distinct s.subject order by s.subject)
                    filter (where s.subject is not null),
                '{organization}'
            ) as people,
            array_agg(distinct r.name || ' (' || r.country || ')') as recipients,
            array_agg(distinct k.says_en) as kept,
            array_agg(distinct t.table_name order by t.table_name) as tables
        from privacy.purposes as p
        inner join privacy.catalog_tables as t on p.purpose = any(t.purposes) and t.part = %s
        inner join privacy.catalog as c on t.table_name = c.table_name
            and (privacy.personal(c.category) or c.category in ('business', 'credential'))
        inner join privacy.retention_rules as k on c.retention = k.rule
        inner join privacy.processors as r
            on r.processor in (t.processor, 'supabase')
            or (p.purpose in ('inbox', 'integrations') and r.processor in ('meta', 'telnyx'))
        left join privacy.catalog_paths as s on t.table_name = s.table_name
        group by p.purpose, p.label_en, p.label_fr, p.lawful_basis
        order by p.purpose
        """,
        part,
    )
    transfers = db.rows(
        "select r.name, r.country, r.what_for from privacy.processors as r"
        " where r.country <> 'CA' order by r.name"
    )
    version = db.one("select v.version from privacy.policy_versions as v where v.current")
    return {
        "article": "30(1)" if part == "controller" else "30(2)",
        "part": part,
        "policy_version": version["version"] if version else None,
        "activities": activities,
        "transfers": transfers,
        "security": SECURITY,
    }


def as_markdown(found: dict[str, Any]) -> str:
    """Write the record for people."""
    lines = [
        f"# Record of processing, Art. {found['article']}",
        "",
        f"Connext as {found['part']}; privacy page of {found['policy_version']}.",
    ]
    for activity in found["activities"]:
        lines += ["", f"## {activity['label_en']} / {activity['label_fr']}", ""]
        lines += [
            f"- Purpose: `{activity['purpose']}`, lawful basis: {activity['lawful_basis']}",
            f"- People: {', '.join(activity['people'])}",
            f"- Data: {', '.join(activity['data_categories'])}",
            f"- Recipients: {', '.join(activity['recipients'])}",
            f"- Kept: {'; '.join(activity['kept'])}",
        ]
    lines += ["", "## Transfers outside Canada", ""]
    lines += [f"- {t['name']}, {t['country']}: {t['what_for']}" for t in found["transfers"]]
    return "\n".join([*lines, "", f"Security: {found['security']}", ""])
