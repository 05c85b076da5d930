"""`connext demo --report`: the run as one HTML file, to read, to keep and to pass on."""

from __future__ import annotations

import json
import platform
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cli.story.charts import Curve, bar, draw, share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cli.story.sampler import Sample

HERE: Final = Path(__file__).parent
SHORTEST: Final = 0.15  # seconds of a phase that is worth a line
# What stands in the page as data must not end the element it stands in.
ESCAPED: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


@dataclass(slots=True)
class Told:
    """Everything a run leaves behind for its report; filled in while the story is told."""

    began_at: datetime
    steps: Sequence[dict[str, Any]] = ()
    claims: Sequence[dict[str, Any]] = ()
    seconds: float = 0.0
    phases: Sequence[tuple[str, float]] = ()
    samples: Sequence[Sample] = ()
    versions: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give what `--json` prints."""
        return {
            "steps": list(self.steps),
            "seconds": round(self.seconds, 1),
            "proven": self.problem is None,
            "claims": list(self.claims),
        }


def versions(state: dict[str, Any]) -> dict[str, str]:
    """Name what the run stood on, as installed, and the machine."""
    import psycopg

    from cli.embedded.packages import REPOSITORY
    from cli.main import DISTRIBUTION

    with psycopg.connect(state["database_url"]) as database:
        server, applied = _asked(database)
    package = json.loads((REPOSITORY / "supabase" / "local" / "package.json").read_text())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return {
        DISTRIBUTION: f"{project['version']}, {applied} migrations",
        "PostgreSQL": server,
        "Supabase CLI": package["dependencies"]["supabase"],
        "@supabase/lite": package["dependencies"]["@supabase/lite"],
        "supabase-js": package["dependencies"]["@supabase/supabase-js"],
        "Python": platform.python_version(),
        "Machine": f"{platform.system()} {platform.machine()}",
    }


def _asked(database: Any) -> tuple[str, int]:  # noqa: ANN401 - a psycopg connection
    row = database.execute(
        "select current_setting('server_version'),"
        " (select count(*) from supabase_migrations.schema_migrations)"
    ).fetchone()
    return str(row[0]), int(row[1])


def curves(samples: Sequence[Sample]) -> list[Curve]:
    """Make the curves of what was seen."""
    return [
        Curve("Messages stored", "messages", tuple((s.seconds, s.messages) for s in samples)),
        Curve("Webhook events kept", "events", tuple((s.seconds, s.events) for s in samples)),
        Curve("Jobs waiting or at work", "jobs", tuple((s.seconds, s.due) for s in samples)),
    ]


def sections(claims: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Put the claims under the headings of the page, in its order."""
    from workers.services.policy import load_claims

    titles = {section.id: section.en for section in load_claims().sections}
    grouped: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        grouped.setdefault(titles.get(claim["section"], claim["section"]), []).append(claim)
    return list(grouped.items())


def write(told: Told) -> str:
    """Write the report."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    data = json.dumps(told.as_json(), ensure_ascii=False, default=str).translate(ESCAPED)
    phases = [(name, seconds) for name, seconds in told.phases if seconds >= SHORTEST]
    failed = [step for step in told.steps if not step["proven"]]
    return environment.get_template(
        "report.html"
    ).render(
        told=told,
        run=told.as_json(),
        data=Markup(data),  # noqa: S704 - escaped for where it stands, just above
        failed=failed,
        counts=Counter(claim["result"] for claim in told.claims),
        curves=[(curve, draw(curve, seconds=told.seconds)) for curve in curves(told.samples)],
        bar=lambda step: bar(step["began_ms"] / 1000, step["milliseconds"] / 1000, told.seconds),
        phases=phases,
        share=share(phases),
        sections=sections(told.claims),
        slowest=sorted(told.steps, key=lambda step: -step["milliseconds"])[:3],
    )
