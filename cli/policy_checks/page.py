"""Is the page that is meant the one that is published, and does every consent name what was shown?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

CONSENTS = """
    select count(*) as n, count(*) filter (
        where k.policy_version = v.version and k.notice_sha256 <> encode(sha256(convert_to(
            concat_ws(E'\\n', v.version, p.notice_en, p.notice_fr), 'UTF8'
        )), 'hex')
    ) as other
    from public.consents as k
    join private.purposes as p on p.provider = k.provider and p.purpose = k.purpose
    left join privacy.policy_versions as v on v.current
    where k.live
"""


@check("page.version")
def version(place: Place) -> Verdict:
    """The page these claims are about is the one that is registered as published."""
    from workers.services.policy import load_claims

    meant = load_claims().version
    current = place.values("select v.version from privacy.policy_versions as v where v.current")
    flaws = [] if current == [meant] else [f"{', '.join(current) or 'none'} is published"]
    return judged(f"version {meant}, registered and current", flaws)


@check("page.consents")
def consents(place: Place) -> Verdict:
    """Every live consent holds the digest of the notice that its version shows."""
    row = place.rows(CONSENTS)[0]
    flaws = [f"{row['other']} consents were given to another notice"] if row["other"] else []
    return judged(f"{row['n']} live consents, each with its version and the notice's digest", flaws)
