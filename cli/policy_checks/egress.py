"""Where can data go? Every host in the code and in the settings, against the list of processors."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.policy_checks.registry import check, judged

if TYPE_CHECKING:
    from cli.policy_checks.place import Place
    from cli.policy_checks.registry import Verdict

# Host to processor. What begins with a dot stands for the hosts below it: file servers.
HOSTS = {
    "graph.facebook.com": "meta",
    "www.facebook.com": "meta",
    ".fbcdn.net": "meta",
    ".fbsbx.com": "meta",
    "api.telnyx.com": "telnyx",
    ".telnyx.com": "telnyx",
    ".amazonaws.com": "telnyx",
    "api.stripe.com": "stripe",
    "places.googleapis.com": "google_places",
}
# Named in texts and for humans only: nothing is sent there.
READ_ONLY = frozenset({"policies.google.com", "www.w3.org"})
TRACKING = re.compile(
    r"(^|-)(google-ads|googleads|facebook-business|adwords|analytics|mixpanel|amplitude|segment"
    r"|posthog|appsflyer|braze|klaviyo|hubspot|criteo|taboola|outbrain|branch-io|moengage)(-|$)"
)


@check("egress.hosts")
def hosts(place: Place) -> Verdict:
    """Every host that the code or the settings name belongs to a processor of the page."""
    from workers.services.policy import outward

    named = outward.hosts_in_code() | dict.fromkeys(outward.FILE_HOSTS, "file servers")
    processors = set(place.values("select p.processor from privacy.processors as p"))
    flaws = [
        f"{host} in {where}"
        for host, where in sorted(named.items())
        if host not in READ_ONLY and HOSTS.get(host) not in processors
    ]
    settings = place.rows(
        "select s.provider, s.key, s.value from private.provider_settings as s"
        " where s.key = 'dialog_url'"
    )
    for row in settings:
        host = urlsplit(row["value"]).hostname or ""
        if not _here(host) and HOSTS.get(host) != row["provider"]:
            flaws.append(f"{row['provider']}.{row['key']} leads to {host}")
    for name, value in place.environment.items():
        if re.fullmatch(r"CONNEXT_(META_GRAPH|TELNYX|STRIPE_API|PLACES)_URL", name):
            host = urlsplit(value).hostname or ""
            if not _here(host) and host not in HOSTS:
                flaws.append(f"{name} leads to {host}")
    return judged(
        f"{len(named)} hosts in the code, {len(settings)} in the settings, all of the"
        f" {len(processors)} processors",
        flaws,
    )


def _here(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


@check("egress.packages")
def packages(place: Place) -> Verdict:  # noqa: ARG001 - asks the installation, not the database
    """No installed package is made for advertising or tracking."""
    names = sorted({(found.name or "").lower().replace("_", "-") for found in distributions()})
    return judged(
        f"{len(names)} installed packages, none of advertising or tracking",
        [name for name in names if TRACKING.search(name)],
    )
