"""Writing docs/policy-findings.md from the claims (`python -m cli.findings`)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cli.project import ROOT
from workers.services.policy import load_claims

if TYPE_CHECKING:
    from workers.services.policy import Claims, Finding

PAGE = ROOT / "docs" / "policy-findings.md"
OPENING = """# What the privacy page has to say otherwise

Written by `make docs` from `workers/services/policy/findings.toml`; edit that, not this page.

The published page of {version}, read against the law and the providers' terms: {count} places where
it is untrue as worded, or silent where it has to speak. The words are proposals for whoever is in
charge of the page and for counsel; this is not legal advice. `connext policy verify` prints the
list beside the claims.
"""


def page() -> str:
    """Write the whole page."""
    claims = load_claims()
    parts = [OPENING.format(version=claims.version, count=len(claims.findings))]
    parts += [_finding(claims, finding) for finding in claims.findings]
    return "\n".join(parts)


def _finding(claims: Claims, finding: Finding) -> str:
    """Write one finding: what is wrong, why, and the words that are proposed."""
    section = next(one for one in claims.sections if one.id == finding.section)
    name = finding.id.replace("_", " ").capitalize()
    where = f"Section “{section.en}”" + (
        f", claim {', '.join(f'`{claim}`' for claim in finding.claims)}" if finding.claims else ""
    )
    does = "Replaces the sentence" if finding.replaces else "To be added"
    return (
        f"## {finding.number}. {name}\n\n{finding.finding}\n\n"
        f"{where}. Source: {finding.source}.\n\n{does}:\n\n> {finding.en}\n>\n> {finding.fr}\n"
    )


def main(arguments: list[str]) -> int:
    """Write the page, or with --check only say whether it is in step."""
    content = page()
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != content:
            sys.stderr.write(
                "docs/policy-findings.md is not what the claims say; run 'make docs'\n"
            )
            return 1
        return 0
    PAGE.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
